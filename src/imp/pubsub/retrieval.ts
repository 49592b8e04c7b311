import type { Jid } from '../../protocol/jid/jid.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf, element } from '../../protocol/xml/write.ts';
import { childrenOf } from '../elements.ts';
import { type Page, type PageRequest, pageOf, pageRequestIn, writeResultSet } from '../forms/result-set.ts';
import type { IqAnswer } from '../messaging/ports.ts';
import { type Refusal, refusal } from './errors.ts';
import { MOST_ITEMS, type NodeConfig } from './node-config.ts';
import type { NodeStore, PepItem, StoredItem } from './node-store.ts';
import { nameIn, PUBSUB, pubsubOf } from './publishing.ts';

/** Octets of payloads in one answer; the rest is on another page. */
const ANSWER_OCTETS = 1024 ** 2;

export interface RetrievalContext {
  readonly store: NodeStore;
  readonly account: string;
  readonly requester: Jid;
  /** Why the requester may not see a node of the account. */
  readonly refusalOf: (config: NodeConfig) => Refusal | undefined;
}

/** Answers `<items/>` (XEP-0060 §6.5): all items, those of some ids, the newest ones, or a page of them (§6.5.4). `pubsub` may hold the result set. */
export function answerItems(context: RetrievalContext, pubsub: XmlElement, items: XmlElement): IqAnswer {
  const { store, account } = context;
  const name = nameIn(items);
  if (typeof name !== 'string') return name;
  const node = store.node(account, name);
  if (node === undefined) return { error: 'item-not-found' };
  const refused = context.refusalOf(node.config);
  if (refused !== undefined) return refused;
  const wanted = childrenOf(items, 'item', PUBSUB);
  if (wanted.length > MOST_ITEMS) return refusal('not-allowed', 'max-items-exceeded');
  if (wanted.length > 0) {
    const ids = new Set(wanted.flatMap((item) => attributeOf(item, 'id') ?? []));
    const found = fitting([...ids], (id) => store.item(account, name, id));
    // XEP-0060 §6.5.9.10: an item that is not there. Of several, those that are there are an answer.
    return found.length === 0 ? { error: 'item-not-found' } : { result: answerOf(name, found, undefined) };
  }
  const request = pageRequestIn(pubsub);
  if (request === 'malformed') return { error: 'bad-request', text: 'The result set is malformed.' };
  const page = pageOfIds(store.ids(account, name), request, items);
  if ('error' in page) return page;
  const isBackward = request.from.at === 'end' || request.from.at === 'before';
  const ids = isBackward ? page.items.toReversed() : page.items;
  const nearest = fitting(ids, (id) => store.item(account, name, id));
  const found = isBackward ? nearest.toReversed() : nearest;
  if (found.length === page.count) return { result: answerOf(name, found, undefined) };
  const index = page.index === undefined || !isBackward ? page.index : page.index + page.items.length - found.length;
  const bounds = { first: found[0]?.id, last: found.at(-1)?.id, index, count: page.count };
  return { result: answerOf(name, found, writeResultSet(bounds)) };
}

/** Which ids are asked for, by `max_items` (XEP-0060 §6.5.7) or a result set. */
function pageOfIds(ids: readonly string[], request: PageRequest, items: XmlElement): Page<string> | Refusal {
  const most = attributeOf(items, 'max_items');
  if (most !== undefined && !/^[1-9]\d{0,8}$/.test(most))
    return { error: 'bad-request', text: 'max_items is no positive number.' };
  const newest = most === undefined ? ids : ids.slice(-Number(most));
  const page = pageOf(newest, (id) => id, request, MOST_ITEMS);
  return page === 'unknown' ? { error: 'item-not-found' } : page;
}

/** The items of these ids, as long as the answer does not become too large; the first is always there. */
function fitting(ids: readonly string[], itemOf: (id: string) => StoredItem | undefined): readonly PepItem[] {
  const found: StoredItem[] = [];
  let octets = 0;
  for (const id of ids) {
    const item = itemOf(id);
    if (item === undefined) continue;
    octets += item.octets;
    if (found.length > 0 && octets > ANSWER_OCTETS) break;
    found.push(item);
  }
  return found;
}

function answerOf(name: string, items: readonly PepItem[], set: XmlElement | undefined): XmlElement {
  const list = items.map(({ id, payload }) => element('item', PUBSUB, { id }, payload));
  return pubsubOf(element('items', PUBSUB, { node: name }, ...list), set);
}
