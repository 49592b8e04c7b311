import { globSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { TestClient } from '../lab/client.ts';
import { burst, errorOf, exchangeMessage, expectBounce, meetInRoom, ping, subscribe } from '../lab/conversation.ts';
import { type FirewalledFederation, PARTNER, prepareFederation } from './federation.ts';
import { noHosts } from './with-hosts.ts';
import { ADDRESS } from './zones.ts';

const SWITCHED = /is_federation_enabled - changed from: (\d) to: (\d)/;

/** What a user inside is told. */
const SWITCHED_OFF = { condition: 'not-allowed', text: 'Federation is switched off.' };

describe.skipIf(noHosts)('Edge in the DMZ, Core inside, a firewall between', () => {
  let federation: FirewalledFederation;
  let alice: TestClient;
  let bob: TestClient;
  let failed = false;

  beforeAll(async () => {
    federation = await prepareFederation('firewall');
    try {
      await federation.start();
      alice = await federation.login(federation.home);
      bob = await federation.login(federation.partner);
    } catch (error) {
      failed = true;
      throw error;
    }
  });
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') failed = true;
  });
  afterAll(async () => {
    await federation?.stop(failed);
    if (failed && federation !== undefined) console.error(`The logs are in ${federation.network.folder}`);
  });

  const packets = (counter: string): number => federation.network.firewall.packets(counter);
  const both = async (check: (from: TestClient, to: TestClient) => Promise<unknown>): Promise<void> => {
    await check(alice, bob);
    await check(bob, alice);
  };

  test('the Core joins with the token of the Edge, and the Link is up on both', async () => {
    const { edge, core } = federation;
    const token = edge.command('link', 'invite', 'core-1').trim();
    expect(core.command('link', 'join', token)).toContain('Joined edge-1.');
    await edge.log.waitFor(/The Link with core-1 is up/, 0);
    await core.log.waitFor(/The Link with edge-1 is up/, 0);
    expect(packets('link_opened_by_core')).toBeGreaterThan(0);
  });

  test('federation is off as delivered: messages bounce on both sides and say so', async () => {
    expect(errorOf(await expectBounce(alice, bob.jid))).toEqual(SWITCHED_OFF);
    expect(errorOf(await expectBounce(bob, alice.jid)).text).toContain('not permitted');
  });

  test('switched on at the Edge: the log says so on both, on the Core within a second', async () => {
    const { edge, core } = federation;
    const marks = [edge.log.mark(), core.log.mark()] as const;
    edge.command('config', 'set', 'federation', 'on');
    const lines = [await edge.log.waitFor(SWITCHED, marks[0]), await core.log.waitFor(SWITCHED, marks[1])] as const;
    for (const line of lines) expect(line).toContain('is_federation_enabled - changed from: 0 to: 1');
    expect(timeOf(lines[1]) - timeOf(lines[0])).toBeLessThan(1000);
  });

  test('a partner that is not on the allow list is told that', async () => {
    expect(errorOf(await expectBounce(alice, bob.jid))).toEqual({
      condition: 'not-allowed',
      text: 'Federation with this domain is not permitted.',
    });
  });

  test('allowed, users of both sides talk: messages, presence, pings, rooms', async () => {
    federation.edge.command('config', 'set', `allow.${PARTNER.domain}`, '');
    federation.edge.command('config', 'set', `allow.*.${PARTNER.domain}`, '');
    await expect(both(exchangeMessage)).resolves.toBeUndefined();
    await expect(both(subscribe)).resolves.toBeUndefined();
    await expect(both(ping)).resolves.toBeUndefined();
    await expect(both(meetInRoom)).resolves.toBeUndefined();
  });

  test('1000 messages each way arrive in order, none lost, none twice', async () => {
    await expect(burst(alice, bob, 1000)).resolves.toHaveProperty('seconds');
    await expect(burst(bob, alice, 1000)).resolves.toHaveProperty('seconds');
  });

  test('nothing dialed inwards, and no packet of the Link but of what the Core opened', () => {
    expect(inwards()).toEqual({ dmz_dialed_inside: 0, world_dialed_inside: 0, link_opened_by_others: 0 });
    expect(packets('s2s_from_world')).toBeGreaterThan(0);
    expect(packets('s2s_to_world')).toBeGreaterThan(0);
    expect(packets('dns_of_edge')).toBeGreaterThan(0);
  });

  test('nothing tried to get past fedway: the firewall had to refuse nobody', () => {
    const refused = [...federation.network.firewall.counters()].filter(([name]) => name.startsWith('refused_'));
    expect(refused.filter(([, { packets: count }]) => count > 0)).toEqual([]);
  });

  test('the Edge knows no address of the inside: not in its files, not in what it says of the streams', () => {
    const { folder } = federation.network.host('edge');
    const files = globSync('**', { cwd: folder }).map((name) => `${folder}/${name}`);
    const own = files.filter((file) => statSync(file).isFile());
    expect(own.some((file) => file.includes('/data/'))).toBe(true);
    expect(own.filter((file) => readFileSync(file, 'latin1').includes(ADDRESS.server))).toEqual([]);
    expect(federation.edge.command('status', '--json')).not.toContain(ADDRESS.server);
    expect(federation.edge.command('streams', 'list', '--json')).not.toContain(ADDRESS.server);
  });

  test('packets that are lost between inside and DMZ cost time and nothing else', async () => {
    federation.network.firewall.disturb(['inside', 'dmz'], { lostPerThousand: 50 });
    await expect(burst(alice, bob, 200)).resolves.toHaveProperty('seconds');
    await expect(burst(bob, alice, 200)).resolves.toHaveProperty('seconds');
    expect(packets('lost')).toBeGreaterThan(0);
    federation.network.firewall.calm();
  });

  test('in silence the Link is silent: nothing is said again and again', async () => {
    const before = packets('passed');
    await pause(2000);
    // The Link asks for a sign of life every 5 s.
    expect(packets('passed') - before).toBeLessThan(30);
  });

  test('an Edge that is killed comes back: the Core dials it again, and messages flow as before', async () => {
    const { edge, core } = federation;
    const mark = core.log.mark();
    await edge.kill();
    await edge.start();
    await core.log.waitFor(/The Link with edge-1 is up/, mark, 60_000);
    await both(exchangeMessage);
    expect(inwards()).toEqual({ dmz_dialed_inside: 0, world_dialed_inside: 0, link_opened_by_others: 0 });
  });

  test('switched off again: streams are closed with a reason, and messages bounce and say why', async () => {
    const { edge, core } = federation;
    const marks = [edge.log.mark(), core.log.mark()] as const;
    edge.command('config', 'set', 'federation', 'off');
    for (const line of [await edge.log.waitFor(SWITCHED, marks[0]), await core.log.waitFor(SWITCHED, marks[1])])
      expect(line).toContain('is_federation_enabled - changed from: 1 to: 0');
    await expect.poll(() => streamsWithPartners(), { timeout: 5000 }).toEqual([]);
    expect(errorOf(await expectBounce(alice, bob.jid))).toEqual(SWITCHED_OFF);
    expect(errorOf(await expectBounce(bob, alice.jid)).text).toContain('not permitted');
    expect(inwards()).toEqual({ dmz_dialed_inside: 0, world_dialed_inside: 0, link_opened_by_others: 0 });
  });

  function inwards(): Readonly<Record<string, number>> {
    const names = ['dmz_dialed_inside', 'world_dialed_inside', 'link_opened_by_others'];
    return Object.fromEntries(names.map((name) => [name, packets(name)]));
  }

  /** The streams of the Edge with the world. */
  function streamsWithPartners(): readonly unknown[] {
    const streams = JSON.parse(federation.edge.command('streams', 'list', '--json')) as readonly {
      readonly side: string;
      readonly state: string;
    }[];
    return streams.filter(({ side, state }) => side === 'foreign' && state !== 'closed');
  }
});

/** The time at the begin of a log line, in milliseconds. */
function timeOf(line: string): number {
  return Date.parse(line.slice(0, line.indexOf(' ')));
}
