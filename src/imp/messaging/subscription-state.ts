/** What a presence stanza does to a subscription (RFC 6121 §3). */
export const DEEDS = ['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed'] as const;
export type Deed = (typeof DEEDS)[number];

/** One direction of a subscription: not there, asked for and not answered, there. */
export type Direction = 'none' | 'pending' | 'subscribed';

/** The nine states of RFC 6121 appendix A.1 as its two directions, and the pre-approval of §3.4. */
export interface SubscriptionState {
  /** The user receives the contact's presence: "To", or "Pending Out". */
  readonly to: Direction;
  /** The contact receives the user's presence: "From", or "Pending In". */
  readonly from: Direction;
  /** The next request of the contact is approved by the server. */
  readonly isApproved: boolean;
}

export const NO_SUBSCRIPTION: SubscriptionState = { to: 'none', from: 'none', isApproved: false };

/** What the user's server does with a stanza that the user sends (RFC 6121 appendix A.2). */
export interface Outbound {
  readonly state: SubscriptionState;
  readonly isRouted: boolean;
}

/** What the user's server does with a stanza that comes from the contact (RFC 6121 appendix A.3). */
export interface Inbound {
  readonly state: SubscriptionState;
  readonly isDelivered: boolean;
  /** The server answers in the user's name. */
  readonly isAnswered: boolean;
}

/** RFC 6121 appendix A.2. */
export function sent(state: SubscriptionState, deed: Deed): Outbound {
  switch (deed) {
    case 'subscribe':
      return { state: state.to === 'none' ? { ...state, to: 'pending' } : state, isRouted: true };
    case 'unsubscribe':
      return { state: { ...state, to: 'none' }, isRouted: true };
    case 'subscribed':
      if (state.from === 'pending') return { state: { ...state, from: 'subscribed' }, isRouted: true };
      // RFC 6121 §3.4.2: an approval of a request that has not come yet is kept, and not routed.
      return { state: state.from === 'none' ? { ...state, isApproved: true } : state, isRouted: false };
    case 'unsubscribed':
      return { state: { ...state, from: 'none', isApproved: false }, isRouted: state.from !== 'none' };
  }
}

/** RFC 6121 appendix A.3. */
export function received(state: SubscriptionState, deed: Deed): Inbound {
  switch (deed) {
    case 'subscribe':
      // A.3.1: who is subscribed already is told so again, since its server seems not to know.
      if (state.from === 'subscribed') return { state, isDelivered: false, isAnswered: true };
      if (state.from === 'pending') return { state, isDelivered: false, isAnswered: false };
      if (state.isApproved)
        return { state: { ...state, from: 'subscribed', isApproved: false }, isDelivered: false, isAnswered: true };
      return { state: { ...state, from: 'pending' }, isDelivered: true, isAnswered: false };
    case 'unsubscribe':
      return { state: { ...state, from: 'none' }, isDelivered: state.from !== 'none', isAnswered: false };
    case 'subscribed':
      return state.to === 'pending'
        ? { state: { ...state, to: 'subscribed' }, isDelivered: true, isAnswered: false }
        : { state, isDelivered: false, isAnswered: false };
    case 'unsubscribed':
      return { state: { ...state, to: 'none' }, isDelivered: state.to !== 'none', isAnswered: false };
  }
}

/** The attribute `subscription` of a roster item (RFC 6121 §2.1.2.5). */
export function subscriptionOf({ to, from }: SubscriptionState): 'none' | 'to' | 'from' | 'both' {
  if (to === 'subscribed') return from === 'subscribed' ? 'both' : 'to';
  return from === 'subscribed' ? 'from' : 'none';
}
