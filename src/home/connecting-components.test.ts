import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { PeerServer, type Wire } from '../../test/support/raw-peer.ts';
import type { Domain } from '../protocol/jid/domain.ts';
import type { Note } from '../protocol/notes.ts';
import { AUTHENTICATED_LIMITS } from '../protocol/xml/limits.ts';
import { ConnectingComponents } from './connecting-components.ts';

const HOME = 'coluc.com' as Domain;
const FAR = 'far.lab' as Domain;

/** A server inside that takes every component. */
async function acceptComponent(wire: Wire): Promise<void> {
  await wire.expect(/<stream:stream[^>]*>/);
  wire.send(
    "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' from='far.lab' id='1'>",
  );
  await wire.expect(/<handshake>[^<]*<\/handshake>/);
  wire.send('<handshake/>');
}

it('tells of its streams; one that an administrator closes says goodbye, carries nothing more, and comes back', async () => {
  await using server = await PeerServer.listen('127.0.0.1', acceptComponent);
  const notes: Note[] = [];
  let handles = 0;
  const components = new ConnectingComponents({
    target: {
      homes: [HOME],
      address: { host: '127.0.0.1', port: server.port },
      secret: 'secret',
      foreign: [FAR],
      shared: false,
    },
    timeouts: { header: 5_000, negotiation: 5_000, close: 1_000 },
    limits: AUTHENTICATED_LIMITS,
    notes: (note) => notes.push(note),
    connect: async () => {
      const socket = connect({ host: '127.0.0.1', port: server.port });
      await once(socket, 'connect');
      return { socket, address: `127.0.0.1:${server.port}` };
    },
    deliver: () => undefined,
    newHandle: () => `handle ${++handles}`,
  });
  components.start();
  await expect.poll(() => components.outletFor(FAR)).toBeDefined();
  expect(components.streams()).toMatchObject([
    {
      connection: 'handle 1',
      direction: 'out',
      side: 'home',
      local: 'far.lab',
      remote: 'coluc.com',
      peer: `127.0.0.1:${server.port}`,
      state: 'connected',
      authorized: [{ sender: 'coluc.com', target: 'far.lab', by: 'component' }],
    },
  ]);
  expect(components.close('another', 'maintenance')).toBe(false);
  expect(components.close('handle 1', 'maintenance')).toBe(true);
  expect(components.outletFor(FAR)).toBeUndefined();
  const [first] = server.wires;
  await first?.expect('</stream:stream>');
  first?.send('</stream:stream>');
  await expect.poll(() => components.streams()[0]?.connection, { timeout: 5_000 }).toBe('handle 2');
  await expect.poll(() => components.outletFor(FAR)).toBeDefined();
  expect(notes).toContainEqual({ note: 'closed-by-administrator', reason: 'maintenance' });
  expect(notes.some(({ note }) => note === 'component-lost')).toBe(true);
  components.destroy();
});
