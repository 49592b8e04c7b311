import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { PolicySource } from '../../src/federation/policy.ts';
import { domain, openTo, PlainServer } from '../support/plain-server.ts';
import { PeerServer } from '../support/raw-peer.ts';

const PARTNERS = Array.from({ length: 50 }, (_unused, n) => `p${n}.lab`);
const EVERYBODY = openTo(['coluc.com']);
const NO_LONGER = 'Federation with this domain is no longer permitted.';

function denying(...names: readonly string[]): PolicySource {
  return openTo(['coluc.com'], {
    privacy: 'deny_list',
    deny: names.map((name) => ({ match: 'exact', domain: domain(name) })),
  });
}

/** Us, `coluc.com`, and one server for all the partners. */
async function federation(
  partners: readonly string[],
): Promise<{ ours: PlainServer; theirs: PlainServer } & AsyncDisposable> {
  const ours = await PlainServer.start(EVERYBODY);
  const theirs = await PlainServer.start(openTo(partners));
  for (const name of partners) ours.partners.set(name, theirs.port);
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

/** The connection of each partner's streams, in one direction. */
function connections(server: PlainServer, which: 'listener' | 'opener', but: readonly string[] = []): string[] {
  return server[which]
    .streams()
    .filter(({ state, remote }) => state === 'connected' && !but.includes(remote ?? ''))
    .map(({ connection, remote, authorized }) => `${connection} ${remote ?? ''} ${authorized.length}`)
    .toSorted();
}

it('R-29: the main switch is turned off: within the same turn every stream is gone, both ways; partners are not told which setting it was', async () => {
  await using all = await federation(['vngtp.lab', 'other.lab']);
  const { ours, theirs } = all;
  for (const name of ['vngtp.lab', 'other.lab']) {
    ours.send('coluc.com', name, 'out');
    theirs.send(name, 'coluc.com', 'in');
  }
  await expect.poll(() => [ours.received.length, theirs.received.length]).toEqual([2, 2]);
  ours.change(openTo(['coluc.com'], { federation: false }));
  expect([ours.listener.count, ours.opener.count, ours.outlets.size]).toEqual([0, 0, 0]);
  await expect.poll(() => [theirs.listener.count, theirs.opener.count]).toEqual([0, 0]);
  const said = theirs.notes.flatMap(({ note }) => (note.note === 'stream-error-received' ? [note] : []));
  expect(said).toHaveLength(4);
  for (const error of said) expect(error).toMatchObject({ condition: 'policy-violation', text: NO_LONGER });
  const ends = ours.notes.flatMap(({ note }) =>
    note.note === 'ended' && note.end.by === 'policy' ? [note.end.because] : [],
  );
  expect(ends).toEqual(['federation is off', 'federation is off', 'federation is off', 'federation is off']);
  // Stanzas say why, at once.
  ours.send('coluc.com', 'vngtp.lab', 'late');
  expect(ours.received.at(-1)?.xml).toMatch(/<not-allowed .*>Federation is switched off\.<\/text>/);
  // And on again.
  ours.change(EVERYBODY);
  ours.send('coluc.com', 'vngtp.lab', 'again');
  await expect.poll(() => theirs.ids('coluc.com', 'vngtp.lab')).toEqual(['out', 'again']);
});

it('R-29, R-19: while settings change 200 times, 49 partners of 50 keep their streams, and lose and reorder nothing', async () => {
  await using all = await federation(PARTNERS);
  const { ours, theirs } = all;
  const concerned = 'p0.lab';
  for (const name of PARTNERS) {
    ours.send('coluc.com', name, 'first');
    theirs.send(name, 'coluc.com', 'first');
  }
  await expect
    .poll(() => [ours.received.length, theirs.received.length], { timeout: 15_000 })
    .toEqual([PARTNERS.length, PARTNERS.length]);
  const before = [connections(ours, 'listener', [concerned]), connections(ours, 'opener', [concerned])];
  expect(before.map(({ length }) => length)).toEqual([49, 49]);

  const rounds = 200;
  for (let round = 0; round < rounds; round += 1) {
    for (const name of PARTNERS) {
      ours.send('coluc.com', name, round);
      theirs.send(name, 'coluc.com', round);
    }
    const stranger = { match: 'exact', domain: domain(`s${round}.lab`) } as const;
    ours.change(
      round % 2 === 0
        ? denying(concerned, `s${round}.lab`)
        : openTo(['coluc.com'], {
            privacy: 'allow_list',
            allow: [{ match: 'below', domain: domain('lab') }, stranger],
          }),
    );
    await turn();
  }

  const expected = ['first', ...Array.from({ length: rounds }, (_unused, n) => `${n}`)];
  const others = PARTNERS.filter((name) => name !== concerned);
  for (const name of others) {
    await expect.poll(() => theirs.ids('coluc.com', name).length, { timeout: 15_000 }).toBe(expected.length);
    await expect.poll(() => ours.ids(name, 'coluc.com').length, { timeout: 15_000 }).toBe(expected.length);
    expect(theirs.ids('coluc.com', name)).toEqual(expected);
    expect(ours.ids(name, 'coluc.com')).toEqual(expected);
  }
  expect([connections(ours, 'listener', [concerned]), connections(ours, 'opener', [concerned])]).toEqual(before);
  // The concerned partner: what we sent it arrived, or came back, in order and once.
  await expect.poll(() => ours.outlets.pairs().find(({ target }) => target === concerned)?.queued ?? 0).toBe(0);
  const bounced = ours.ids(concerned, 'coluc.com').filter((id) => id.startsWith('error '));
  const arrivals = (): string[] => theirs.ids('coluc.com', concerned).filter((id) => !id.startsWith('error '));
  await expect.poll(() => arrivals().length + bounced.length, { timeout: 5_000 }).toBe(expected.length);
  const arrived = arrivals();
  expect(bounced.length).toBeGreaterThan(0);
  expect([...arrived, ...bounced.map((id) => id.slice('error '.length))].toSorted()).toEqual(expected.toSorted());
  expect(arrived).toEqual(expected.filter((id) => arrived.includes(id)));
});

it('R-29: what waits for a stream that is being negotiated comes back with the true reason, and the peer gets a word', async () => {
  await using ours = await PlainServer.start(EVERYBODY);
  await using silent = await PeerServer.listen('127.0.0.1', async (wire) => {
    await wire.expect(/<stream:stream[^>]*>/);
  });
  ours.partners.set('vngtp.lab', silent.port);
  ours.send('coluc.com', 'vngtp.lab', 1);
  await expect.poll(() => silent.wires.length).toBe(1);
  await expect.poll(() => ours.opener.streams()[0]?.state).toBe('pending');
  ours.change(denying('vngtp.lab'));
  expect(ours.ids('vngtp.lab', 'coluc.com')).toEqual(['error 1']);
  expect(ours.received[0]?.xml).toContain('<not-allowed ');
  expect([ours.opener.count, ours.outlets.size]).toEqual([0, 0]);
  expect(await silent.wires[0]?.end()).toContain('policy-violation');
  expect(ours.notes.find(({ note }) => note.note === 'bounced')?.note).toMatchObject({
    because: 'deny.vngtp.lab denies it',
  });
});

it('E-35: TLS becomes required of one partner: its streams reset, nobody else’s do', async () => {
  await using all = await federation(['vngtp.lab', 'other.lab']);
  const { ours, theirs } = all;
  for (const name of ['vngtp.lab', 'other.lab']) {
    ours.send('coluc.com', name, 'out');
    theirs.send(name, 'coluc.com', 'in');
  }
  await expect.poll(() => [ours.received.length, theirs.received.length]).toEqual([2, 2]);
  const others = [...connections(ours, 'listener', ['vngtp.lab']), ...connections(ours, 'opener', ['vngtp.lab'])];
  const exception = { requireClientCertificates: undefined, authentication: undefined, tls: 'required' } as const;
  ours.change({
    ...EVERYBODY,
    partners: [{ domain: { match: 'exact', domain: domain('vngtp.lab') }, ...exception }],
  });
  expect([...connections(ours, 'listener'), ...connections(ours, 'opener')]).toEqual(others);
  // It is not backed off from: the next stanza is tried at once, and finds no TLS.
  expect(ours.outlets.pairs().map(({ target, state }) => `${target} ${state}`)).toEqual([
    'vngtp.lab idle',
    'other.lab send',
  ]);
  ours.send('coluc.com', 'vngtp.lab', 'late');
  await expect.poll(() => ours.ids('vngtp.lab', 'coluc.com'), { timeout: 5_000 }).toEqual(['in', 'error late']);
  expect(theirs.ids('coluc.com', 'vngtp.lab')).toEqual(['out']);
});
