import { describe, expect, test } from 'vitest';
import { publisher } from '../../test/cli/stand-in-operations.ts';
import { namedEdge } from './edge-names.ts';
import type { RouterFacts } from './home-components.ts';
import { conditionsOf, type PublisherView } from './publisher-alarms.ts';

const NOW = 1_000_000;
const CP_ID = 'cm-2_s2scp-1.edge-1-coluc-com';
const EDGE = namedEdge('edge-1', 'edge-1.coluc.com', true);
const OFF = namedEdge('edge-1', 'edge-1.coluc.com', false);

function found(view: Partial<PublisherView>): readonly string[] {
  const whole = {
    now: NOW,
    edges: [EDGE],
    publishers: [publisher()],
    bouncing: new Set<string>(),
    restarting: new Set<string>(),
    federating: new Set<string>(),
    routers: [],
    ...view,
  };
  return conditionsOf(whole).map(({ id, about, what }) => `${id} ${about}: ${what}`);
}

function router(...connections: readonly Partial<RouterFacts['connections'][number]>[]): RouterFacts {
  const up = { name: CP_ID, isUp: true, since: NOW - 60_000, because: undefined, isUnknown: false };
  return { homes: ['coluc.com'], connections: connections.map((more) => ({ ...up, ...more })) };
}

const view = { restartNeeded: false, foreignBounces: 0, federation: 'off' as const };

describe('what is an alarm', () => {
  test('all is well: nothing is', () => {
    expect(found({ routers: [router({})] })).toEqual([]);
    expect(found({ publishers: [publisher({ router: view })] })).toEqual([]);
  });

  test('25023: a publisher that could not be told, with its words, cause and cure', () => {
    const failure = {
      code: 'credentials' as const,
      sentence: 'cups does not accept it (HTTP 401).',
      cause: 'The password is wrong.',
      cure: 'Set it anew.',
    };
    const publishers = [publisher({ state: 'failed', failure })];
    const nobody = new Set<string>();
    expect(
      conditionsOf({
        now: NOW,
        edges: [OFF],
        publishers,
        bouncing: nobody,
        restarting: nobody,
        federating: nobody,
        routers: [],
      }),
    ).toEqual([
      {
        id: 25023,
        about: 'cups',
        what: 'The IM&P publisher cups could not be told the Edges',
        detail: 'cups does not accept it (HTTP 401).',
        cause: 'The password is wrong.',
        cure: 'Set it anew.',
      },
    ]);
  });

  test('25023: as long as an Edge that federates is not in the table, messages come in and none goes out', () => {
    const failure = { code: 'credentials' as const, sentence: 'HTTP 401.', cause: 'Wrong.', cure: 'Set it anew.' };
    const rows = [{ cpId: CP_ID, ours: false, wanted: true, present: false }];
    const publishers = [publisher({ state: 'failed', failure, rows })];
    const told = '25023 cups: The IM&P publisher cups could not be told the Edges';
    expect(found({ publishers })).toEqual([`${told}, so that messages from the world come in and none goes out`]);
    expect(found({ publishers, edges: [OFF] })).toEqual([told]);
  });

  test('25024: a publisher without all that it takes', () => {
    const [condition] = conditionsOf({
      now: NOW,
      edges: [],
      publishers: [publisher({ state: 'incomplete', missing: ['user', 'password'] })],
      bouncing: new Set(),
      restarting: new Set(),
      federating: new Set(),
      routers: [],
    });
    expect(condition).toMatchObject({
      id: 25024,
      what: 'The IM&P publisher cups is configured without publishers.cups.user, publishers.cups.password: it is not told of the Edges',
      cure: expect.stringContaining(
        'fedway config set publishers.cups.user VALUE; fedway config set publishers.cups.password -;',
      ) as string,
    });
  });

  test('25024: IM&P federates by itself, as long as an Edge does, with the page where it is switched off', () => {
    const federating = new Set(['cups']);
    expect(found({ federating })).toEqual([
      '25024 cups: XMPP federation is on at the IM&P servers of cups while an Edge federates',
    ]);
    expect(found({ federating, edges: [OFF] })).toEqual([]);
    const [condition] = conditionsOf({
      now: NOW,
      edges: [EDGE],
      publishers: [publisher()],
      bouncing: new Set(),
      restarting: new Set(),
      federating,
      routers: [],
    });
    expect(condition?.cure).toContain('Presence > Inter-Domain Federation > XMPP Federation > Settings');
    expect(condition?.cure).toContain('set xmpp federation off');
  });

  test('25024: an Edge whose name IM&P does not take', () => {
    const edges = [namedEdge('edge-1-', undefined, true)];
    expect(found({ edges })).toEqual(['25024 edge-1-: The IM&P servers cannot be told of edge-1-']);
    expect(found({ edges: [namedEdge('edge-1-', undefined, false)] })).toEqual([]);
  });

  test('90001: the router has to be restarted, as the publisher says, as long as an Edge federates', () => {
    const restarting = new Set(['cups']);
    const told =
      '90001 cups: The XCP Router of cups has to be restarted; until then it returns stanzas for foreign domains';
    expect(found({ restarting })).toEqual([told]);
    expect(found({ restarting, edges: [OFF] })).toEqual([]);
    // What the router itself says is the same thing.
    expect(found({ restarting, routers: [router({ isUp: false, isUnknown: true, because: 'host-unknown' })] })).toEqual(
      [told],
    );
  });

  test('90001: the router does not know an Edge that is in the table; it is also unknown to it while another is connected', () => {
    const unknown = { isUp: false, isUnknown: true, because: 'host-unknown' };
    const told = `90001 coluc.com: The XCP Router of coluc.com does not know ${CP_ID}, which is in its table; until then it returns stanzas for foreign domains`;
    expect(found({ routers: [router(unknown)] })).toEqual([told]);
    expect(found({ routers: [router({ name: 'another' }, unknown)] })).toEqual([told]);
  });

  test('a router that does not know an Edge which could not be told: that is the alarm of the publisher, and where there is none, 25024', () => {
    const routers = [router({ isUp: false, isUnknown: true, because: 'host-unknown' })];
    expect(found({ routers, publishers: [publisher({ rows: [] })] })).toEqual([]);
    expect(found({ routers, publishers: [] })).toEqual([
      `25024 coluc.com: The XCP Router of coluc.com does not know ${CP_ID}, and this box is to tell no IM&P publisher`,
    ]);
  });

  test('90002: a router that bounces, as long as an Edge federates', () => {
    const bouncing = new Set(['cups']);
    expect(found({ bouncing })).toEqual([
      '90002 cups: The XCP Router of cups returns stanzas for foreign domains to their senders',
    ]);
    expect(found({ bouncing, edges: [OFF] })).toEqual([]);
    // That it has to be restarted says why.
    expect(found({ bouncing, restarting: new Set(['cups']) })).toEqual([expect.stringMatching(/^90001 /)]);
  });

  test('90003: two Edges with one name', () => {
    const edges = [EDGE, namedEdge('edge-2', 'edge-1-coluc.com', true)];
    expect(found({ edges })).toEqual([
      `90003 ${CP_ID}: The Edges edge-1 and edge-2 are one to the IM&P servers: both are ${CP_ID}`,
    ]);
  });

  test('90004: no connection with a router, after a while; one of two is enough', () => {
    const down = { isUp: false, because: 'connection refused', since: NOW - 15_000 };
    const told =
      '90004 coluc.com: There is no connection with the XCP Router of coluc.com, so that nothing reaches its users and nothing leaves';
    expect(found({ routers: [router(down)] })).toEqual([told]);
    expect(found({ routers: [router({ ...down, since: NOW - 14_999 })] })).toEqual([]);
    expect(found({ routers: [router(down, { name: 'another' })] })).toEqual([]);
    expect(found({ routers: [router()] })).toEqual([]);
  });
});
