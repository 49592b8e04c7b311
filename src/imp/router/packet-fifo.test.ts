import { expect, test } from 'vitest';
import { packetOf } from '../../../test/support/imp-router.ts';
import { PacketFifo } from './packet-fifo.ts';

test('what makes many others waits until everything it and others have made is gone; for one address the order stays', async () => {
  const work: (() => void)[] = [];
  const told: string[] = [];
  const put = (to: string, id: string): boolean =>
    fifo.push(packetOf(`<message xmlns='jabber:client' from='a@coluc.com' to='${to}' id='${id}'/>`));
  const fifo: PacketFifo = new PacketFifo({
    most: 8,
    multiplies: ({ to }) => to.domain === 'chat.coluc.com',
    deliver: ({ to, element }) => {
      const id = element.attributes.find(({ name }) => name === 'id')?.value ?? '';
      told.push(id);
      if (to.domain === 'chat.coluc.com') for (const each of ['x', 'y']) put('b@coluc.com', id + each);
    },
    later: (each) => work.push(each),
  });
  const emptied: string[] = [];
  put('room@chat.coluc.com', '1');
  put('room@chat.coluc.com', '2');
  put('b@coluc.com', '3');
  void fifo.empty('plain').then(() => emptied.push(told.join(' ')));
  void fifo.empty('multiplying').then(() => emptied.push(told.join(' ')));
  expect(told).toEqual([]);
  while (work.length > 0) {
    work.shift()?.();
    await Promise.resolve();
  }
  expect(emptied).toEqual(['3', '3 1 1x 1y 2']);
  expect(told).toEqual(['3', '1', '1x', '1y', '2', '2x', '2y']);
  for (let n = 0; n < 8; n++) expect(put(n % 2 === 0 ? 'b@coluc.com' : 'room@chat.coluc.com', `${n}`)).toBe(true);
  expect([fifo.length, put('b@coluc.com', 'too much')]).toEqual([8, false]);
});
