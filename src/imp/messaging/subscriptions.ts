import type { Jid } from '../../protocol/jid/jid.ts';
import { bareOf } from '../../protocol/jid/print.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { fromStored, octetsOf, toStored } from '../database/stored.ts';
import { bareText, storedAddress } from './addresses.ts';
import { REQUEST_OCTETS, REQUESTS, ROSTER_ITEMS } from './limits.ts';
import { givePresence, withdrawPresence } from './presence-sharing.ts';
import { changeItem } from './roster-push.ts';
import type { RosterItem } from './roster-store.ts';
import { addressed, presenceOf, type Refusal } from './stanzas.ts';
import type { MessagingState } from './state.ts';
import { type Deed, NO_SUBSCRIPTION, received, sent } from './subscription-state.ts';

/** A user subscribes, approves, cancels (RFC 6121 §3, appendix A.2). `undefined`: done. */
export function sendSubscription(
  state: MessagingState,
  account: string,
  contact: Jid,
  deed: Deed,
  stanza: XmlElement,
): Refusal | undefined {
  // RFC 6121 §3: a user has its own presence anyway.
  if (state.isOwn(account, contact)) return { error: 'not-allowed' };
  const before = itemOf(state, account, contact);
  const { state: after, isRouted } = sent(before.state, deed);
  const isListed =
    before.isListed || after.to !== 'none' || after.from === 'subscribed' || after.isApproved || deed === 'subscribe';
  if (isListed && !before.isListed && state.rosters.counts(account).listed >= ROSTER_ITEMS) {
    state.full.refused(account, 'items', ROSTER_ITEMS);
    return { error: 'resource-constraint', text: 'The roster is full.' };
  }
  const wasShared = before.state.from === 'subscribed';
  const isShared = after.from === 'subscribed';
  const request = after.from === 'pending' ? before.request : undefined;
  changeItem(state, account, before, { ...before, state: after, isListed, request });
  if (wasShared && !isShared) withdrawPresence(state, account, bareOf(contact));
  if (isRouted) state.send('presence', state.addressOf(account), bareOf(contact), stanza);
  if (isShared && !wasShared) givePresence(state, account, bareOf(contact));
  return undefined;
}

/** A contact subscribes, approves, cancels (RFC 6121 §3, appendix A.3). */
export function receiveSubscription(
  state: MessagingState,
  account: string,
  from: Jid,
  deed: Deed,
  stanza: XmlElement,
): void {
  if (state.isOwn(account, from)) return;
  const self = state.addressOf(account);
  const contact = bareOf(from);
  const before = itemOf(state, account, contact);
  const { state: after, isDelivered, isAnswered } = received(before.state, deed);
  const asIs = addressed(stanza, contact, self);
  const isNewRequest = before.state.from !== 'pending' && after.from === 'pending';
  if (isNewRequest && !before.isListed && state.rosters.counts(account).requests >= REQUESTS) {
    state.full.refused(account, 'requests', REQUESTS);
    return;
  }
  const request = after.from === 'pending' ? (before.request ?? storedRequest(asIs)) : undefined;
  if (isDelivered || isAnswered) changeItem(state, account, before, { ...before, state: after, request });
  if (isDelivered) {
    const { resources } = state;
    // RFC 6121 §3.1.3: a request goes to whoever is there; what answers one, to who has the roster (§3.1.6).
    const readers = deed === 'subscribe' ? resources.available(account) : resources.interested(account);
    for (const { session } of readers) session.send(asIs);
  }
  if (before.state.from === 'subscribed' && after.from !== 'subscribed') withdrawPresence(state, account, contact);
  if (isAnswered) {
    state.send('presence', self, contact, presenceOf('subscribed'));
    givePresence(state, account, contact);
  }
}

/** Ends what there is with a contact that is removed from the roster (RFC 6121 §2.5.2). A request that waits goes on waiting. */
export function cutSubscription(state: MessagingState, account: string, item: RosterItem): void {
  const self = state.addressOf(account);
  const contact = storedAddress(item.contact);
  const { to, from } = item.state;
  const after = { ...NO_SUBSCRIPTION, from: from === 'pending' ? from : 'none' } as const;
  changeItem(state, account, item, { ...item, name: undefined, groups: [], state: after, isListed: false });
  if (to !== 'none') state.send('presence', self, contact, presenceOf('unsubscribe'));
  if (from !== 'subscribed') return;
  withdrawPresence(state, account, contact);
  state.send('presence', self, contact, presenceOf('unsubscribed'));
}

/** The requests that wait, for a resource that has come (RFC 6121 §3.1.3). */
export function waitingRequests(state: MessagingState, account: string): readonly XmlElement[] {
  return state.rosters.requests(account).map(fromStored);
}

function itemOf(state: MessagingState, account: string, contact: Jid): RosterItem {
  const text = bareText(contact);
  return state.rosters.item(account, text) ?? emptyItem(text);
}

/** An item that is in no roster. */
export function emptyItem(contact: string): RosterItem {
  return { contact, name: undefined, groups: [], state: NO_SUBSCRIPTION, isListed: false, request: undefined };
}

function storedRequest(stanza: XmlElement): string {
  const text = toStored(stanza);
  return octetsOf(text) <= REQUEST_OCTETS ? text : toStored({ ...stanza, children: [] });
}
