import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { PeerServer, type Wire } from '../../test/support/raw-peer.ts';
import { severityOf } from '../diagnostics/describe.ts';
import { isWithin } from '../diagnostics/levels.ts';
import type { Domain } from '../protocol/jid/domain.ts';
import type { Note } from '../protocol/notes.ts';
import type { StreamPair } from '../protocol/stream/actions.ts';
import { AUTHENTICATED_LIMITS } from '../protocol/xml/limits.ts';
import { RouterConnections } from './router-connections.ts';

const HOME = 'coluc.com' as Domain;
const ONE = 'cm-2_s2scp-1.edge-1-coluc-com' as Domain;
const TWO = 'cm-2_s2scp-1.edge-2-coluc-com' as Domain;
const PAIR: StreamPair = { sender: 'far.lab' as Domain, target: HOME };

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** A router that takes the components it knows, and tells the others so. */
class Router {
  readonly known = new Set<string>([ONE, TWO]);
  /** What the others hear. */
  refusal = 'host-unknown';
  /** Those who are connected, by name. */
  readonly wires = new Map<string, Wire>();

  readonly accept = async (wire: Wire): Promise<void> => {
    const header = await wire.expect(/<stream:stream[^>]*>/);
    const name = /to='([^']*)'/.exec(header)?.[1] ?? '';
    wire.send(
      `<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' from='${name}' id='1'>`,
    );
    if (!this.known.has(name)) {
      wire.send(
        `<stream:error><${this.refusal} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>`,
      );
      return;
    }
    await wire.expect(/<handshake>[^<]*<\/handshake>/);
    wire.send('<handshake/>');
    this.wires.set(name, wire);
  };
}

async function connections(): Promise<{
  readonly router: Router;
  readonly all: RouterConnections;
  readonly notes: Note[];
  /** Notes that a log of the level `info` has. */
  readonly told: () => readonly string[];
  readonly delivered: string[];
  readonly changes: () => number;
}> {
  const router = new Router();
  const server = await PeerServer.listen('127.0.0.1', router.accept);
  const notes: Note[] = [];
  const delivered: string[] = [];
  const info: string[] = [];
  let handles = 0;
  let changes = 0;
  const all = new RouterConnections({
    target: { homes: [HOME], address: { host: '127.0.0.1', port: server.port }, secret: 'secret' },
    timeouts: { header: 5_000, negotiation: 5_000, close: 500 },
    limits: AUTHENTICATED_LIMITS,
    notes: (note, subject) => {
      notes.push(note);
      if (isWithin(severityOf(note, subject), 'info')) info.push(note.note);
    },
    connect: async () => {
      const socket = connect({ host: '127.0.0.1', port: server.port });
      await once(socket, 'connect');
      return { socket, address: `127.0.0.1:${server.port}` };
    },
    deliver: (stanza, { sender, target }) => {
      delivered.push(`${sender} ${target} ${stanza.id ?? ''}`);
      return undefined;
    },
    newHandle: () => `handle ${++handles}`,
    changed: () => {
      changes += 1;
    },
  });
  cleanups.push(
    () => all.destroy(),
    () => server[Symbol.asyncDispose](),
  );
  return { router, all, notes, told: () => info, delivered, changes: () => changes };
}

it('there is one connection for each name, it comes and goes with the name, and the others stay as they are', async () => {
  const { router, all } = await connections();
  expect([all.isReady, all.facts()]).toEqual([true, []]);
  all.follow([ONE]);
  expect(all.isReady).toBe(false);
  await expect.poll(() => all.isReady).toBe(true);
  const first = router.wires.get(ONE);
  all.follow([ONE, TWO, TWO]);
  await expect
    .poll(() => all.facts().map(({ name, isUp }) => [name, isUp]))
    .toEqual([
      [ONE, true],
      [TWO, true],
    ]);
  all.follow([TWO]);
  await first?.expect('</stream:stream>');
  expect(all.facts().map(({ name }) => name)).toEqual([TWO]);
  expect(router.wires.get(TWO)?.ended).toBe(false);
  expect(all.streams().map(({ local, remote }) => [local, remote])).toContainEqual([TWO, HOME]);
});

it('a pair prefers the Edge that it came through, and stays where it is as long as that is up', async () => {
  const { router, all } = await connections();
  all.follow([ONE, TWO]);
  await expect.poll(() => all.facts().every(({ isUp }) => isUp)).toBe(true);
  const second = all.outletFor(PAIR, TWO);
  expect(second).toBeDefined();
  expect(all.outletFor(PAIR, ONE)).toBe(second);
  expect(all.outletFor(PAIR, undefined)).toBe(second);
  expect(all.outletFor({ ...PAIR, sender: 'other.lab' as Domain }, ONE)).not.toBe(second);
  router.known.delete(TWO);
  router.wires.get(TWO)?.destroy();
  await expect.poll(() => all.facts().map(({ isUp }) => isUp)).toEqual([true, false]);
  const left = all.outletFor(PAIR, TWO);
  expect(left).toBeDefined();
  expect(left).not.toBe(second);
  all.follow([]);
  expect(all.outletFor(PAIR, ONE)).toBeUndefined();
});

it('every foreign domain goes over one connection, both ways; who is no home is not heard, and ends nothing', async () => {
  const { router, all, notes, delivered } = await connections();
  all.follow([ONE]);
  await expect.poll(() => all.isReady).toBe(true);
  const wire = router.wires.get(ONE);
  wire?.send("<message from='a@coluc.com' to='b@far.lab' id='1'/>");
  wire?.send("<message from='a@evil.lab' to='b@far.lab' id='2'/>");
  wire?.send("<message from='a@coluc.com' to='b@other.lab' id='3'/>");
  await expect.poll(() => delivered).toEqual(['coluc.com far.lab 1', 'coluc.com other.lab 3']);
  expect(notes).toContainEqual(expect.objectContaining({ note: 'dropped', kind: 'message' }));
  expect(all.facts()).toMatchObject([{ isUp: true }]);
});

it('a router that does not know a name says so; when it may know it now, nobody waits for the next attempt', async () => {
  const { router, all, changes } = await connections();
  router.known.clear();
  all.follow([ONE]);
  await expect
    .poll(() => all.facts())
    .toMatchObject([{ name: ONE, isUp: false, isUnknown: true, because: 'the server inside said host-unknown' }]);
  expect(changes()).toBeGreaterThan(0);
  // By now the pause is longer than the test waits.
  await expect.poll(() => changes(), { timeout: 5_000 }).toBeGreaterThan(2);
  router.known.add(ONE);
  const before = performance.now();
  all.retryNow();
  await expect.poll(() => all.facts()).toMatchObject([{ isUp: true, isUnknown: false, because: undefined }]);
  expect(performance.now() - before).toBeLessThan(900);
});

it('an attempt that fails as the one before is not told again; another reason is, and that it has come about', async () => {
  const { router, all, told, changes } = await connections();
  router.known.clear();
  all.follow([ONE]);
  await expect.poll(() => changes(), { timeout: 5_000 }).toBe(1);
  expect(told()).toContain('component-lost');
  const after = told().length;
  await expect.poll(() => changes(), { timeout: 5_000 }).toBe(2);
  expect(told().slice(after)).toEqual([]);
  router.refusal = 'not-authorized';
  await expect.poll(() => changes(), { timeout: 5_000 }).toBe(3);
  expect(told().slice(after)).toEqual(['component-lost']);
  router.known.add(ONE);
  await expect.poll(() => all.isReady, { timeout: 5_000 }).toBe(true);
  expect(told().slice(after + 1)).toEqual(['component-connected', 'authorized', 'state-changed']);
});

it('what has said goodbye does not come back', async () => {
  const { router, all } = await connections();
  all.follow([ONE]);
  await expect.poll(() => all.isReady).toBe(true);
  all.stop();
  await router.wires.get(ONE)?.expect('</stream:stream>');
  router.wires.get(ONE)?.send('</stream:stream>');
  await expect.poll(() => all.open).toBe(0);
  all.follow([TWO]);
  all.retryNow();
  expect(all.facts().map(({ name }) => name)).toEqual([ONE]);
  expect(router.wires.has(TWO)).toBe(false);
});
