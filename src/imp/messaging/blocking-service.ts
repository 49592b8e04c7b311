import type { Jid } from '../../protocol/jid/jid.ts';
import { readJid } from '../../protocol/jid/prepare.ts';
import { printJid } from '../../protocol/jid/print.ts';
import { NS } from '../../protocol/namespaces.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf, element } from '../../protocol/xml/write.ts';
import { childrenOf } from '../elements.ts';
import { BLOCKED_ADDRESSES } from './limits.ts';
import { IM } from './namespaces.ts';
import type { IqAnswer, IqService } from './ports.ts';
import { givePresence } from './presence-sharing.ts';
import { addressed, presenceOf, type Refusal } from './stanzas.ts';
import type { MessagingState } from './state.ts';

/** What a user is told that writes to somebody it has blocked (XEP-0191 §3.3). */
export const BLOCKED: Refusal = {
  error: 'not-acceptable',
  type: 'cancel',
  application: element('blocked', IM.blockingErrors),
};

/** The block list of an account (XEP-0191 §3). */
export function createBlockingService(state: MessagingState): IqService {
  return {
    namespace: IM.blocking,
    at: ['account'],
    features: [IM.blocking],
    answer({ type, account, isOwner, session, payload }) {
      if (account === undefined || !isOwner) return { error: 'forbidden' };
      if (type === 'get' && payload.name === 'blocklist') {
        const resource = session === undefined ? undefined : state.resources.of(session);
        if (resource !== undefined) resource.knowsBlockList = true;
        return { result: element('blocklist', IM.blocking, {}, ...state.blocked.list(account).map(itemOf)) };
      }
      if (type === 'set' && payload.name === 'block') return block(state, account, payload);
      if (type === 'set' && payload.name === 'unblock') return unblock(state, account, payload);
      return { error: 'bad-request' };
    },
  };
}

/** XEP-0191 §3.3. */
function block(state: MessagingState, account: string, payload: XmlElement): IqAnswer {
  const addresses = addressesIn(payload);
  if (addresses === undefined || addresses.length === 0) return { error: 'bad-request' };
  const known = new Set(state.blocked.list(account));
  const added = addresses.map(printJid).filter((address) => !known.has(address));
  if (known.size + added.length > BLOCKED_ADDRESSES)
    return { error: 'resource-constraint', text: 'The block list is full.' };
  const before = state.subscribersOf(account);
  const directed = directedOf(state, account);
  state.context.database.transaction(() => {
    for (const address of added) state.blocked.block(account, address);
  });
  // Whoever has the user's presence is left with the user unavailable.
  for (const contact of before) {
    if (!state.isBlocked(account, contact)) continue;
    for (const { address } of state.resources.available(account))
      state.send('presence', address, contact, presenceOf('unavailable'));
  }
  for (const { resource, entity } of directed) {
    if (!state.isBlocked(account, entity)) continue;
    resource.directed.delete(printJid(entity));
    state.send('presence', resource.address, entity, presenceOf('unavailable'));
  }
  push(state, account, element('block', IM.blocking, {}, ...addresses.map(printJid).map(itemOf)));
  return { result: undefined };
}

/** XEP-0191 §3.4, §3.5: without addresses, all of them. */
function unblock(state: MessagingState, account: string, payload: XmlElement): IqAnswer {
  const addresses = addressesIn(payload);
  if (addresses === undefined) return { error: 'bad-request' };
  const gone = addresses.length === 0 ? state.blocked.list(account) : addresses.map(printJid);
  const before = state.rosters.subscribers(account).filter((contact) => state.isBlocked(account, contact));
  state.context.database.transaction(() => {
    for (const address of gone) state.blocked.unblock(account, address);
  });
  for (const contact of before) {
    if (!state.isBlocked(account, contact)) givePresence(state, account, contact);
  }
  push(state, account, element('unblock', IM.blocking, {}, ...addresses.map(printJid).map(itemOf)));
  return { result: undefined };
}

function push(state: MessagingState, account: string, change: XmlElement): void {
  for (const { knowsBlockList, address, session } of state.resources.connected(account)) {
    if (!knowsBlockList) continue;
    const iq = element('iq', NS.client, { type: 'set', id: state.context.newId() }, change);
    session.send(addressed(iq, undefined, address));
  }
}

/** `undefined`: one of them is no address. */
function addressesIn(payload: XmlElement): readonly Jid[] | undefined {
  const items = childrenOf(payload, 'item', IM.blocking);
  const addresses = new Map<string, Jid>();
  for (const item of items) {
    const address = readJid(attributeOf(item, 'jid') ?? '');
    if (address === undefined) return undefined;
    addresses.set(printJid(address), address);
  }
  return [...addresses.values()];
}

function directedOf(state: MessagingState, account: string) {
  return state.resources
    .connected(account)
    .flatMap((resource) => [...resource.directed.values()].map((entity) => ({ resource, entity })));
}

function itemOf(address: string): XmlElement {
  return element('item', IM.blocking, { jid: address });
}
