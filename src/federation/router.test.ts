import { describe, expect, test } from 'vitest';
import { stanzaIn, textOfBytes } from '../../test/support/xml-events.ts';
import type { StreamEnd } from '../protocol/end.ts';
import type { Domain } from '../protocol/jid/domain.ts';
import type { Note, NoteSubject } from '../protocol/notes.ts';
import type { StreamPair } from '../protocol/stream/actions.ts';
import type { Offer, Outlet } from './outlet.ts';
import { FederationPolicy, type PolicySource } from './policy.ts';
import { Router, type RoutingPolicy } from './router.ts';

const COLUC = 'coluc.com' as Domain;
const ROOMS = 'conference.coluc.com' as Domain;
const VNGTP = 'vngtp.lab' as Domain;
const EVIL = 'evil.lab' as Domain;
const INWARD: StreamPair = { sender: VNGTP, target: COLUC };
const OUTWARD: StreamPair = { sender: COLUC, target: VNGTP };
const FULL: StreamEnd = { by: 'us', condition: 'resource-constraint' };

/** One way out, as the test wants it. */
function outlet(taken: string[], offer: Offer | 'gone' = 'taken'): Outlet | undefined {
  if (offer === 'gone') return undefined;
  return {
    offer: (stanza, pair) => {
      const xml = textOfBytes(stanza.render({ contentNamespace: 'jabber:server' }));
      if (typeof offer === 'string') taken.push(`${pair.sender} -> ${pair.target}: ${xml}`);
      return offer;
    },
    room: () => Promise.resolve(),
  };
}

/** Federation with everybody but evil.lab. */
function policyWith(more: Partial<PolicySource> = {}): FederationPolicy {
  return new FederationPolicy({
    homes: [COLUC, ROOMS],
    homesOff: new Set(),
    federation: true,
    tls: 'optional',
    requireClientCertificates: false,
    authentication: 'either',
    privacy: 'deny_list',
    allow: [],
    deny: [{ match: 'exact', domain: EVIL }],
    staticRoutes: false,
    routes: [],
    partners: [],
    ...more,
  });
}

/** A router between two sides that take everything, or what the test wants. */
function routerWith(
  plan: {
    home?: Offer | 'gone';
    foreign?: Offer | 'gone';
    homesOff?: readonly Domain[];
    policy?: RoutingPolicy;
    isBehindEdge?: boolean;
  } = {},
) {
  const home: string[] = [];
  const foreign: string[] = [];
  const notes: { readonly note: Note; readonly subject: NoteSubject }[] = [];
  const policy = policyWith({ homesOff: new Set(plan.homesOff) });
  const router = new Router({
    sides: { towardsHome: () => outlet(home, plan.home), towardsForeign: () => outlet(foreign, plan.foreign) },
    policy: () => plan.policy ?? policy,
    notes: (note, subject) => notes.push({ note, subject }),
    ...(plan.isBehindEdge === undefined ? {} : { isBehindEdge: plan.isBehindEdge }),
  });
  return { router, home, foreign, notes };
}

const inbound = (xml = "<message id='1' from='jan@vngtp.lab' to='eva@coluc.com'><body>x</body></message>") =>
  stanzaIn(xml);
const outbound = (xml = "<message id='1' from='eva@coluc.com' to='jan@vngtp.lab'><body>x</body></message>") =>
  stanzaIn(xml);

function conditionIn(xml: string | undefined): string | undefined {
  return /<error type='(\w+)'[^>]*><([a-z-]+) /
    .exec(xml ?? '')
    ?.slice(1)
    .toReversed()
    .join('/');
}

describe('moving stanzas', () => {
  test('inward and outward, as they are', () => {
    const { router, home, foreign } = routerWith();
    expect(router.inward(inbound(), INWARD)).toBeUndefined();
    expect(router.outward(outbound(), OUTWARD)).toBeUndefined();
    expect(home).toEqual([
      "vngtp.lab -> coluc.com: <message id='1' from='jan@vngtp.lab' to='eva@coluc.com'><body>x</body></message>",
    ]);
    expect(foreign).toEqual([
      "coluc.com -> vngtp.lab: <message id='1' from='eva@coluc.com' to='jan@vngtp.lab'><body>x</body></message>",
    ]);
    expect(router.counters).toEqual({ inward: 1, outward: 1, bounced: 0, dropped: 0 });
  });

  test('back-pressure: an outlet that holds makes the source wait', async () => {
    const { router } = routerWith({ home: 'held', foreign: 'held' });
    for (const room of [router.inward(inbound(), INWARD), router.outward(outbound(), OUTWARD)]) {
      expect(room).toBeInstanceOf(Promise);
      await room;
    }
  });
});

describe('no relay', () => {
  test.each([
    ['R-05, R-51: from foreign to foreign', { sender: VNGTP, target: EVIL }],
    ['R-51: from a home, on the outside', { sender: COLUC, target: ROOMS }],
    ['R-51: from a home to the outside, on the outside', OUTWARD],
  ])('%s goes nowhere', (_what, pair) => {
    const { router, home, foreign } = routerWith();
    void router.inward(inbound(), pair);
    expect([home, foreign, router.counters.dropped]).toEqual([[], [], 1]);
  });

  test('R-11, R-51: from a stranger, on the inside, goes nowhere', () => {
    const { router, home, foreign } = routerWith();
    void router.outward(outbound(), { sender: VNGTP, target: EVIL });
    void router.outward(outbound(), INWARD);
    expect([home, foreign, router.counters.dropped]).toEqual([[], [], 2]);
  });

  test('R-12, N-40: from a home to a home is told that this is not the way', () => {
    const { router, home, foreign } = routerWith();
    void router.outward(outbound(), { sender: COLUC, target: ROOMS });
    expect([conditionIn(home[0]), foreign]).toEqual(['remote-server-not-found/cancel', []]);
  });
});

describe('bounces', () => {
  test('R-29: outgoing to a partner that policy denies', () => {
    const { router, home, foreign, notes } = routerWith();
    void router.outward(outbound(), { sender: COLUC, target: EVIL });
    expect([conditionIn(home[0]), foreign]).toEqual(['not-allowed/cancel', []]);
    expect(notes).toEqual([
      {
        note: {
          note: 'bounced',
          kind: 'message',
          condition: 'not-allowed',
          because: 'deny.evil.lab denies it',
          stanzas: 1,
        },
        subject: { local: 'coluc.com', remote: 'evil.lab' },
      },
    ]);
  });

  test.each<[string, RoutingPolicy, StreamPair, told: string, because: string]>([
    [
      'the partner is denied',
      policyWith(),
      { sender: COLUC, target: EVIL },
      'Federation with this domain is not permitted.',
      'deny.evil.lab denies it',
    ],
    [
      'federation is off',
      policyWith({ federation: false }),
      OUTWARD,
      'Federation is switched off.',
      'federation is off',
    ],
    [
      'federation is off for the home',
      policyWith({ homesOff: new Set([COLUC]) }),
      OUTWARD,
      'Federation is switched off for your domain.',
      'homes.coluc.com.federation is off',
    ],
  ])(
    'R-29: %s: the sender is told in general words, the log which setting it was',
    (_what, policy, pair, told, because) => {
      const { router, home, foreign, notes } = routerWith({ policy });
      // At once, and for what waited for a stream when the policy changed.
      void router.outward(outbound(), pair);
      router.undeliverableOutward(outbound(), pair, { by: 'policy', because: 'as the stream said' });
      expect(home.map(conditionIn)).toEqual(['not-allowed/cancel', 'not-allowed/cancel']);
      for (const bounce of home) expect(bounce).toContain(`>${told}</text>`);
      expect(notes.map(({ note }) => (note.note === 'bounced' ? note.because : note.note))).toEqual([because, because]);
      expect([foreign, router.counters]).toEqual([[], { inward: 0, outward: 0, bounced: 2, dropped: 0 }]);
    },
  );

  test('R-29: a home that is off neither sends nor receives; its neighbor does both', () => {
    const { router, home, foreign } = routerWith({ homesOff: [ROOMS] });
    void router.outward(outbound(), { sender: ROOMS, target: VNGTP });
    void router.inward(inbound(), { sender: VNGTP, target: ROOMS });
    expect([home.map(conditionIn), foreign]).toEqual([['not-allowed/cancel'], []]);
    void router.outward(outbound(), OUTWARD);
    void router.inward(inbound(), INWARD);
    expect([home.length, foreign.length, router.counters]).toEqual([
      2,
      1,
      { inward: 1, outward: 1, bounced: 1, dropped: 1 },
    ]);
  });

  test('R-29: what a partner sent before it was denied goes nowhere, and the log says why', () => {
    const { router, home, foreign, notes } = routerWith();
    void router.inward(inbound(), { sender: EVIL, target: COLUC });
    expect([home, foreign, router.counters.dropped]).toEqual([[], [], 1]);
    expect(notes[0]?.note).toEqual({ note: 'dropped', kind: 'message', because: 'deny.evil.lab denies it' });
  });

  test('on a Core, the sender inside gets an error that the Edge returns although the policy has changed; from a partner it goes nowhere', () => {
    const error = "<message type='error' id='1' from='jan@evil.lab' to='eva@coluc.com'/>";
    const core = routerWith({ isBehindEdge: true });
    void core.router.inward(inbound(error), { sender: EVIL, target: COLUC });
    expect(core.home).toHaveLength(1);
    void core.router.inward(inbound("<message from='jan@evil.lab' to='eva@coluc.com'/>"), {
      sender: EVIL,
      target: COLUC,
    });
    expect(core.home).toHaveLength(1);
    const edge = routerWith();
    void edge.router.inward(inbound(error), { sender: EVIL, target: COLUC });
    expect(edge.home).toEqual([]);
  });

  test('R-25, R-27, R-28: the error goes the way the stanza came from, to its sender', () => {
    const { router, home } = routerWith({ foreign: { refused: FULL } });
    void router.outward(outbound(), OUTWARD);
    expect(home[0]).toMatch(
      /^vngtp\.lab -> coluc\.com: <message type='error' from='jan@vngtp\.lab' to='eva@coluc\.com' id='1'><error type='wait' by='coluc\.com'>/,
    );
  });

  test.each<[string, StreamEnd, string]>([
    ['R-33', FULL, 'resource-constraint/wait'],
    ['R-32', { by: 'network', stage: 'no-service', detail: '' }, 'remote-server-not-found/cancel'],
    ['R-34', { by: 'network', stage: 'tcp', detail: '' }, 'remote-server-timeout/wait'],
    ['R-36', { by: 'policy', because: '' }, 'remote-server-timeout/cancel'],
    ['R-37', { by: 'dialback', failure: { answer: 'invalid' } }, 'internal-server-error/cancel'],
    ['R-39', { by: 'them', condition: 'host-unknown' }, 'remote-server-not-found/cancel'],
  ])('%s: outgoing, refused at once or returned later because of %o: %s', (_id, end, expected) => {
    const { router, home } = routerWith({ foreign: { refused: end } });
    void router.outward(outbound(), OUTWARD);
    router.undeliverableOutward(outbound(), OUTWARD, end);
    expect(home.map(conditionIn)).toEqual([expected, expected]);
    expect(router.counters.bounced).toBe(2);
  });

  test('R-24: presence is answered too', () => {
    const { router, home } = routerWith({ foreign: { refused: FULL } });
    void router.outward(outbound("<presence from='eva@coluc.com' to='jan@vngtp.lab'/>"), OUTWARD);
    expect(conditionIn(home[0])).toBe('resource-constraint/wait');
  });

  test('without a way out at all', () => {
    const { router, home } = routerWith({ foreign: 'gone' });
    void router.outward(outbound(), OUTWARD);
    expect(conditionIn(home[0])).toBe('remote-server-timeout/wait');
  });

  test.each([
    ['message', "<message from='jan@vngtp.lab' to='eva@coluc.com'/>", 'service-unavailable/wait'],
    ['iq', "<iq type='get' id='1' from='jan@vngtp.lab' to='eva@coluc.com'/>", 'service-unavailable/wait'],
    ['presence', "<presence from='jan@vngtp.lab' to='eva@coluc.com'/>", undefined],
  ])('P-12, R-30: the server inside is down: inbound %s', (_kind, xml, expected) => {
    for (const home of ['gone', { refused: { by: 'disconnect' } }] as const) {
      const { router, foreign } = routerWith({ home });
      void router.inward(inbound(xml), INWARD);
      expect(conditionIn(foreign[0])).toBe(expected);
      expect(foreign.join(' ')).not.toContain('<text');
    }
  });

  test('R-33: the queue towards the inside is full', () => {
    const { router, foreign } = routerWith({ home: { refused: FULL } });
    void router.inward(inbound(), INWARD);
    expect(conditionIn(foreign[0])).toBe('resource-constraint/wait');
  });

  test.each([
    "<message type='error' from='x@y' to='z@w'/>",
    "<iq type='result' id='1' from='x@y' to='z@w'/>",
    "<iq type='error' id='1' from='x@y' to='z@w'/>",
    "<presence type='error' from='x@y' to='z@w'/>",
  ])('R-14, R-23: %s is never answered, in neither direction', (xml) => {
    const { router, home, foreign } = routerWith({ home: { refused: { by: 'close' } }, foreign: { refused: FULL } });
    void router.inward(stanzaIn(xml), INWARD);
    void router.outward(stanzaIn(xml), OUTWARD);
    void router.outward(stanzaIn(xml), { sender: COLUC, target: EVIL });
    expect([home, foreign]).toEqual([[], []]);
    expect(router.counters).toMatchObject({ bounced: 0, dropped: 3 });
  });

  test('R-23, R-51: both ways are closed: one drop, no loop', () => {
    const { router, notes } = routerWith({ home: { refused: FULL }, foreign: { refused: FULL } });
    void router.outward(outbound(), OUTWARD);
    void router.inward(inbound(), INWARD);
    expect(router.counters).toMatchObject({ bounced: 0, dropped: 2 });
    expect(notes.map(({ note }) => note.note)).toEqual(['dropped', 'dropped']);
  });

  test('R-29: a partner that policy denies gets no answer', () => {
    const { router, foreign } = routerWith({ home: 'gone' });
    void router.inward(inbound(), { sender: EVIL, target: COLUC });
    expect([foreign, router.counters.dropped]).toEqual([[], 1]);
  });

  test.each([
    "<iq id='1' from='x@y' to='z@w'/>",
    "<iq type='subscribe' id='1' from='x@y' to='z@w'/>",
    "<iq type='get' from='x@y' to='z@w'/>",
    "<presence type='available' from='x@y' to='z@w'/>",
  ])('R-15, R-16: %s is a bad request, in both directions', (xml) => {
    const { router, home, foreign } = routerWith();
    void router.inward(stanzaIn(xml), INWARD);
    void router.outward(stanzaIn(xml), OUTWARD);
    expect([foreign, home].map((side) => conditionIn(side[0]))).toEqual(['bad-request/modify', 'bad-request/modify']);
    expect([foreign.length, home.length]).toEqual([1, 1]);
  });
});
