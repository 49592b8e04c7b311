import { readJid } from '../../protocol/jid/prepare.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf, element, textOf } from '../../protocol/xml/write.ts';
import { octetsOf } from '../database/stored.ts';
import { childrenOf, elementsIn } from '../elements.ts';
import { bareText } from './addresses.ts';
import { ITEM_GROUPS, NAME_OCTETS, ROSTER_ITEMS } from './limits.ts';
import { IM } from './namespaces.ts';
import type { IqAnswer, IqRequest, IqService } from './ports.ts';
import { changeItem, itemElement } from './roster-push.ts';
import type { MessagingState } from './state.ts';
import { cutSubscription, emptyItem } from './subscriptions.ts';

/** Getting and changing a roster (RFC 6121 §2.2 to §2.6). */
export function createRosterService(state: MessagingState): IqService {
  return {
    namespace: IM.roster,
    at: ['account'],
    features: [],
    answer(request) {
      const { account, isOwner, payload, type } = request;
      // RFC 6121 §2.3.3: a roster is its owner's alone.
      if (account === undefined || !isOwner) return { error: 'forbidden' };
      if (payload.name !== 'query') return { error: 'bad-request' };
      return type === 'get' ? rosterFor(state, account, request) : change(state, account, payload);
    },
  };
}

function rosterFor(state: MessagingState, account: string, { session, payload }: IqRequest): IqAnswer {
  const resource = session === undefined ? undefined : state.resources.of(session);
  if (resource !== undefined) resource.isInterested = true;
  const known = attributeOf(payload, 'ver');
  const version = state.rosters.version(account);
  // RFC 6121 §2.6.3: who has this version needs nothing. Who has none does not know of versions.
  if (known === version) return { result: undefined };
  const items = state.rosters.listed(account).map(itemElement);
  return { result: element('query', IM.roster, { ver: known === undefined ? undefined : version }, ...items) };
}

function change(state: MessagingState, account: string, query: XmlElement): IqAnswer {
  const items = elementsIn(query);
  const [item] = items;
  // RFC 6121 §2.3.3: exactly one item.
  if (item === undefined || items.length > 1 || item.name !== 'item' || item.namespace !== IM.roster)
    return { error: 'bad-request' };
  const contact = readJid(attributeOf(item, 'jid') ?? '');
  if (contact === undefined || contact.resource !== undefined) return { error: 'bad-request' };
  if (state.isOwn(account, contact)) return { error: 'not-allowed' };
  const text = bareText(contact);
  const before = state.rosters.item(account, text) ?? emptyItem(text);
  if (attributeOf(item, 'subscription') === 'remove') {
    // RFC 6121 §2.5.3.
    if (!before.isListed) return { error: 'item-not-found' };
    cutSubscription(state, account, before);
    return { result: undefined };
  }
  const name = attributeOf(item, 'name');
  const groups = childrenOf(item, 'group', IM.roster).map(textOf);
  const refusal = refusalOf(name, groups);
  if (refusal !== undefined) return refusal;
  if (!before.isListed && state.rosters.counts(account).listed >= ROSTER_ITEMS) {
    state.full.refused(account, 'items', ROSTER_ITEMS);
    return { error: 'resource-constraint', text: 'The roster is full.' };
  }
  const after = { ...before, name: name === '' ? undefined : name, groups, isListed: true };
  changeItem(state, account, before, after);
  return { result: undefined };
}

/** RFC 6121 §2.3.3. */
function refusalOf(name: string | undefined, groups: readonly string[]): IqAnswer | undefined {
  if (new Set(groups).size < groups.length) return { error: 'bad-request', text: 'A group is there twice.' };
  if (groups.length > ITEM_GROUPS) return { error: 'not-acceptable', text: 'There are too many groups.' };
  if (groups.some((group) => group === '' || octetsOf(group) > NAME_OCTETS))
    return { error: 'not-acceptable', text: 'The name of a group is empty or too long.' };
  return octetsOf(name ?? '') > NAME_OCTETS ? { error: 'not-acceptable', text: 'The name is too long.' } : undefined;
}
