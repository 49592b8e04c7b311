import { expect, it } from 'vitest';
import { openTo, PlainServer } from '../support/plain-server.ts';

async function federation(): Promise<{ ours: PlainServer; theirs: PlainServer } & AsyncDisposable> {
  const ours = await PlainServer.start(openTo(['coluc.com']));
  const theirs = await PlainServer.start(openTo(['vngtp.lab']));
  ours.partners.set('vngtp.lab', theirs.port);
  theirs.partners.set('coluc.com', ours.port);
  return {
    ours,
    theirs,
    [Symbol.asyncDispose]: async () => {
      await ours[Symbol.asyncDispose]();
      await theirs[Symbol.asyncDispose]();
    },
  };
}

it('streams tell of themselves: both ends say the same of one connection', async () => {
  await using all = await federation();
  const { ours, theirs } = all;
  const start = Date.now();
  for (const id of [1, 2, 3]) ours.send('coluc.com', 'vngtp.lab', id);
  await expect.poll(() => theirs.ids('coluc.com', 'vngtp.lab')).toEqual(['1', '2', '3']);
  const [out] = ours.opener.streams();
  const [into] = theirs.listener.streams();
  const authorized = [{ sender: 'coluc.com', target: 'vngtp.lab', by: 'dialback' }];
  const common = { side: 'foreign', state: 'connected', tls: undefined, certificate: undefined, authorized };
  expect(out).toMatchObject({
    ...common,
    direction: 'out',
    local: 'coluc.com',
    remote: 'vngtp.lab',
    stanzasOut: 3,
    stanzasIn: 0,
  });
  expect(into).toMatchObject({
    ...common,
    direction: 'in',
    local: 'vngtp.lab',
    remote: 'coluc.com',
    stanzasIn: 3,
    stanzasOut: 0,
  });
  expect(out?.connection).toMatch(/^[0-9A-F]{9}$/);
  expect(out?.peer).toBe(`127.0.0.1:${theirs.port}`);
  // What one has written the other has read, the negotiation included.
  await expect.poll(() => theirs.listener.streams()[0]?.bytesIn).toBe(ours.opener.streams()[0]?.bytesOut);
  await expect.poll(() => ours.opener.streams()[0]?.bytesIn).toBe(theirs.listener.streams()[0]?.bytesOut);
  for (const stream of [out, into]) {
    expect(stream?.since).toBeGreaterThanOrEqual(start);
    expect(stream?.lastStanza).toBeGreaterThanOrEqual(stream?.since ?? Number.NaN);
  }
});

it('an administrator closes a stream of ours: nothing is lost, and the next stanza opens another', async () => {
  await using all = await federation();
  const { ours, theirs } = all;
  ours.send('coluc.com', 'vngtp.lab', 1);
  await expect.poll(() => theirs.ids('coluc.com', 'vngtp.lab')).toEqual(['1']);
  const handle = ours.opener.streams()[0]?.connection ?? '';
  ours.send('coluc.com', 'vngtp.lab', 2);
  expect(ours.opener.close(handle, 'a new route')).toBe(true);
  // In the same turn: this one must not follow the closing tag.
  ours.send('coluc.com', 'vngtp.lab', 3);
  await expect.poll(() => theirs.ids('coluc.com', 'vngtp.lab')).toEqual(['1', '2', '3']);
  await expect.poll(() => ours.opener.streams().map(({ connection }) => connection === handle)).toEqual([false]);
  const told = ours.notes.find(({ note }) => note.note === 'closed-by-administrator');
  expect(told).toMatchObject({
    note: { reason: 'a new route' },
    subject: { connection: handle, remote: 'vngtp.lab' },
  });
  expect(
    ours.notes.find(({ note, subject }) => note.note === 'ended' && subject.connection === handle)?.note,
  ).toMatchObject({ end: { by: 'close' } });
  expect([ours.opener.close(handle, 'again'), ours.listener.close(handle, 'again')]).toEqual([false, false]);
});

it('an administrator closes a stream of a partner: in good order; the partner comes back with its next stanza', async () => {
  await using all = await federation();
  const { ours, theirs } = all;
  theirs.send('vngtp.lab', 'coluc.com', 1);
  await expect.poll(() => ours.ids('vngtp.lab', 'coluc.com')).toEqual(['1']);
  const handle = ours.listener.streams()[0]?.connection ?? '';
  expect(ours.listener.close(handle, 'maintenance')).toBe(true);
  await expect.poll(() => [ours.listener.count, theirs.opener.count]).toEqual([0, 0]);
  expect(theirs.notes.map(({ note }) => note.note)).not.toContain('stream-error-received');
  theirs.outlets.forgetFailures();
  theirs.send('vngtp.lab', 'coluc.com', 2);
  await expect.poll(() => ours.ids('vngtp.lab', 'coluc.com')).toEqual(['1', '2']);
});
