import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DEEDS,
  type Deed,
  type Direction,
  received,
  type SubscriptionState,
  sent,
  subscriptionOf,
} from './subscription-state.ts';

/** The names of RFC 6121 appendix A.1, short: `I` and `O` are "Pending In" and "Pending Out". */
const STATES: Readonly<Record<string, { readonly to: Direction; readonly from: Direction }>> = {
  None: { to: 'none', from: 'none' },
  'None+O': { to: 'pending', from: 'none' },
  'None+I': { to: 'none', from: 'pending' },
  'None+O+I': { to: 'pending', from: 'pending' },
  To: { to: 'subscribed', from: 'none' },
  'To+I': { to: 'subscribed', from: 'pending' },
  From: { to: 'none', from: 'subscribed' },
  'From+O': { to: 'pending', from: 'subscribed' },
  Both: { to: 'subscribed', from: 'subscribed' },
};

function stateOf(name: string, isApproved = false): SubscriptionState {
  const state = STATES[name];
  if (state === undefined) throw new Error(name);
  return { ...state, isApproved };
}

type Row = readonly [before: string, passes: boolean, after: string];

/** State before, whether it is routed, state after: RFC 6121 tables A.2.1 to A.2.4. */
const OUTBOUND: Readonly<Record<Deed, readonly Row[]>> = {
  subscribe: [
    ['None', true, 'None+O'],
    ['None+O', true, 'None+O'],
    ['None+I', true, 'None+O+I'],
    ['None+O+I', true, 'None+O+I'],
    ['To', true, 'To'],
    ['To+I', true, 'To+I'],
    ['From', true, 'From+O'],
    ['From+O', true, 'From+O'],
    ['Both', true, 'Both'],
  ],
  unsubscribe: [
    ['None', true, 'None'],
    ['None+O', true, 'None'],
    ['None+I', true, 'None+I'],
    ['None+O+I', true, 'None+I'],
    ['To', true, 'None'],
    ['To+I', true, 'None+I'],
    ['From', true, 'From'],
    ['From+O', true, 'From'],
    ['Both', true, 'From'],
  ],
  subscribed: [
    ['None', false, 'None'],
    ['None+O', false, 'None+O'],
    ['None+I', true, 'From'],
    ['None+O+I', true, 'From+O'],
    ['To', false, 'To'],
    ['To+I', true, 'Both'],
    ['From', false, 'From'],
    ['From+O', false, 'From+O'],
    ['Both', false, 'Both'],
  ],
  unsubscribed: [
    ['None', false, 'None'],
    ['None+O', false, 'None+O'],
    ['None+I', true, 'None'],
    ['None+O+I', true, 'None+O'],
    ['To', false, 'To'],
    ['To+I', true, 'To'],
    ['From', true, 'None'],
    ['From+O', true, 'None+O'],
    ['Both', true, 'To'],
  ],
};

/** State before, whether it is delivered, state after: RFC 6121 tables A.3.1 to A.3.4. */
const INBOUND: Readonly<Record<Deed, readonly Row[]>> = {
  subscribe: [
    ['None', true, 'None+I'],
    ['None+O', true, 'None+O+I'],
    ['None+I', false, 'None+I'],
    ['None+O+I', false, 'None+O+I'],
    ['To', true, 'To+I'],
    ['To+I', false, 'To+I'],
    ['From', false, 'From'],
    ['From+O', false, 'From+O'],
    ['Both', false, 'Both'],
  ],
  unsubscribe: [
    ['None', false, 'None'],
    ['None+O', false, 'None+O'],
    ['None+I', true, 'None'],
    ['None+O+I', true, 'None+O'],
    ['To', false, 'To'],
    ['To+I', true, 'To'],
    ['From', true, 'None'],
    ['From+O', true, 'None+O'],
    ['Both', true, 'To'],
  ],
  subscribed: [
    ['None', false, 'None'],
    ['None+O', true, 'To'],
    ['None+I', false, 'None+I'],
    ['None+O+I', true, 'To+I'],
    ['To', false, 'To'],
    ['To+I', false, 'To+I'],
    ['From', false, 'From'],
    ['From+O', true, 'Both'],
    ['Both', false, 'Both'],
  ],
  unsubscribed: [
    ['None', false, 'None'],
    ['None+O', true, 'None'],
    ['None+I', false, 'None+I'],
    ['None+O+I', true, 'None+I'],
    ['To', true, 'None'],
    ['To+I', true, 'None+I'],
    ['From', false, 'From'],
    ['From+O', true, 'From'],
    ['Both', true, 'From'],
  ],
};

describe.each(DEEDS)('RFC 6121 appendix A.2: a user sends %s', (deed) => {
  test.each(OUTBOUND[deed])('in %s: routed %s, then %s', (before, isRouted, after) => {
    const isPreApproval = deed === 'subscribed' && STATES[before]?.from === 'none';
    expect(sent(stateOf(before), deed)).toEqual({ state: stateOf(after, isPreApproval), isRouted });
  });
});

describe.each(DEEDS)('RFC 6121 appendix A.3: %s comes from a contact', (deed) => {
  test.each(INBOUND[deed])('in %s: delivered %s, then %s', (before, isDelivered, after) => {
    const isAnswered = deed === 'subscribe' && STATES[before]?.from === 'subscribed';
    expect(received(stateOf(before), deed)).toEqual({ state: stateOf(after), isDelivered, isAnswered });
  });
});

describe('RFC 6121 §3.4: pre-approval', () => {
  test.each([
    ['None', 'From'],
    ['None+O', 'From+O'],
    ['To', 'Both'],
  ])('in %s a request is answered by the server and leads to %s', (before, after) => {
    const { state } = sent(stateOf(before), 'subscribed');
    expect(state).toEqual(stateOf(before, true));
    expect(received(state, 'subscribe')).toEqual({ state: stateOf(after), isDelivered: false, isAnswered: true });
  });

  test('is taken back by unsubscribed, which is not routed', () => {
    expect(sent(stateOf('To', true), 'unsubscribed')).toEqual({ state: stateOf('To'), isRouted: false });
  });
});

test.each([
  ['None+O+I', 'none'],
  ['To+I', 'to'],
  ['From+O', 'from'],
  ['Both', 'both'],
] as const)('%s is the subscription %s of a roster item', (state, subscription) => {
  expect(subscriptionOf(stateOf(state))).toBe(subscription);
});

test('two rosters agree after whatever was done, when all that is routed arrives', () => {
  const step = fc.record({ who: fc.constantFrom(0, 1), deed: fc.constantFrom(...DEEDS) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const sides = [stateOf('None'), stateOf('None')];
      for (const { who, deed } of steps) {
        const out = sent(sides[who] ?? stateOf('None'), deed);
        sides[who] = out.state;
        if (!out.isRouted) continue;
        const there = received(sides[1 - who] ?? stateOf('None'), deed);
        sides[1 - who] = there.state;
        if (there.isAnswered) sides[who] = received(out.state, 'subscribed').state;
      }
      const [one, other] = sides;
      expect(one?.to).toBe(other?.from);
      expect(one?.from).toBe(other?.to);
    }),
  );
});
