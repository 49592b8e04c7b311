import type { Jid } from '../../protocol/jid/jid.ts';
import { bareOf } from '../../protocol/jid/print.ts';
import { NS } from '../../protocol/namespaces.ts';
import { element } from '../../protocol/xml/write.ts';
import { delayOf } from '../delay.ts';
import { presenceOf } from './stanzas.ts';
import type { MessagingState } from './state.ts';

/** Sends a contact the presence of every available resource, as after a subscription (RFC 6121 §3.1.5). */
export function givePresence(state: MessagingState, account: string, contact: Jid): void {
  for (const { address, presence } of state.resources.available(account)) {
    if (presence !== undefined) state.send('presence', address, contact, presence);
  }
}

/** Tells a contact that every available resource is gone for it, as after the end of a subscription (RFC 6121 §3.2.1). */
export function withdrawPresence(state: MessagingState, account: string, contact: Jid): void {
  for (const { address } of state.resources.available(account))
    state.send('presence', address, contact, presenceOf('unavailable'));
}

/** Answers a presence probe (RFC 6121 §4.3.2). `account` need not exist. */
export function answerProbe(state: MessagingState, account: string, from: Jid, to: Jid): void {
  const available = state.resources
    .available(account)
    .filter(({ address }) => to.resource === undefined || address.resource === to.resource);
  const isAllowed = state.exists(account) && state.mayWatch(account, from);
  const shared = isAllowed ? available : available.filter((resource) => resource.hasDirectedTo(from));
  for (const { address, presence } of shared) {
    if (presence !== undefined) state.send('presence', address, from, presence);
  }
  if (shared.length > 0) return;
  const self = state.addressOf(account);
  // The same for an account that does not exist and for one that does not share its presence.
  if (!isAllowed) state.send('presence', self, bareOf(from), presenceOf('unsubscribed'));
  else state.send('presence', self, from, lastPresence(state, account));
}

/** What is known of an account without available resources. */
function lastPresence(state: MessagingState, account: string) {
  const seen = state.seen.of(account);
  if (seen === undefined) return presenceOf('unavailable');
  const status = seen.status === undefined ? [] : [element('status', NS.client, {}, seen.status)];
  return presenceOf('unavailable', ...status, delayOf(state.domain, seen.time));
}
