import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf, childOf, element } from '../../protocol/xml/write.ts';
import type { NodeDatabase } from '../database/database.ts';
import { octetsOf, toStored } from '../database/stored.ts';
import { childrenOf, elementsIn } from '../elements.ts';
import { type DataForm, formIn, readBoolean } from '../forms/data-form.ts';
import type { IqAnswer } from '../messaging/ports.ts';
import { type Refusal, refusal } from './errors.ts';
import { configured, isKnown, isSame, MOST_ITEMS, type NodeConfig, USUAL_CONFIG } from './node-config.ts';
import type { NodeStore, PepNode } from './node-store.ts';
import type { Notifications } from './notifications.ts';

/** XEP-0060 §20. */
export const PUBSUB = 'http://jabber.org/protocol/pubsub';

/** What an account may have. A node for each device is usual (XEP-0384), and an avatar is an item of 200 kilobytes (XEP-0084). */
const MOST_NODES = 256;
const MOST_ITEMS_OF_ACCOUNT = 10_000;
const MOST_OCTETS_OF_ACCOUNT = 8 * 1024 ** 2;
const LARGEST_PAYLOAD = 210_000;
/** UTF-16 units of the name of a node or an item. */
const LONGEST_NAME = 512;

const PUBLISH_OPTIONS = `${PUBSUB}#publish-options`;
const NODE_CONFIG = `${PUBSUB}#node_config`;

export interface PublishingOptions {
  readonly database: NodeDatabase;
  readonly store: NodeStore;
  readonly notifications: Notifications;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** For items without an id. */
  readonly newId: () => string;
}

/** What owners do with the items of their nodes (XEP-0060 §7), and how nodes come to be. The caller has made sure that it is the owner. */
export class Publishing {
  private readonly options: PublishingOptions;

  constructor(options: PublishingOptions) {
    this.options = options;
  }

  /** XEP-0060 §7.1, with the node made when it is missing (XEP-0163 §3.1). `pubsub` holds `<publish/>`, and perhaps `<publish-options/>`. */
  publish(account: string, pubsub: XmlElement, publish: XmlElement): IqAnswer {
    const name = nameIn(publish);
    if (typeof name !== 'string') return name;
    const options = formOf(childOf(pubsub, 'publish-options', PUBSUB), PUBLISH_OPTIONS);
    if (options === 'malformed') return { error: 'bad-request', text: 'The publish-options are malformed.' };
    const item = itemIn(publish);
    if ('error' in item) return item;
    const id = item.id ?? this.options.newId();
    const fault = this.put(account, name, id, item.payload, (existing) => preconditioned(existing, options));
    return fault ?? { result: pubsubOf(element('publish', PUBSUB, { node: name }, element('item', PUBSUB, { id }))) };
  }

  /**
   * Puts an item and tells of it. `configOf` says how the node is to be, from how it is (`undefined`: there is none), or why it must not be published to.
   */
  put(
    account: string,
    name: string,
    id: string,
    payload: XmlElement,
    configOf: (existing: NodeConfig | undefined) => NodeConfig | Refusal,
  ): Refusal | undefined {
    const { database, store, notifications, now } = this.options;
    const item = { id, time: now(), payload };
    const node = database.transaction(() => {
      const found = this.prepared(account, name, configOf);
      if ('error' in found || !found.config.persistItems) return found;
      if (!this.hasRoomFor(account, payload, store.item(account, name, id)?.octets)) return FULL;
      store.putItem(account, name, item, found.config.maxItems);
      return found;
    });
    if ('error' in node) return node;
    notifications.published(account, node, item);
    return undefined;
  }

  /** XEP-0060 §7.2. */
  retract(account: string, retract: XmlElement): IqAnswer {
    const { store, notifications } = this.options;
    const name = nameIn(retract);
    if (typeof name !== 'string') return name;
    const [item, more] = childrenOf(retract, 'item', PUBSUB);
    const id = item === undefined ? undefined : attributeOf(item, 'id');
    if (id === undefined || more !== undefined) return refusal('bad-request', 'item-required');
    const node = store.node(account, name);
    if (node === undefined || !store.removeItem(account, name, id)) return { error: 'item-not-found' };
    const isWanted = readBoolean(attributeOf(retract, 'notify')) === true;
    if (isWanted || node.config.notifyRetract) notifications.retracted(account, node, id);
    return { result: undefined };
  }

  /** XEP-0060 §8.1, with `<configure/>` beside it (§8.1.3). */
  create(account: string, pubsub: XmlElement, create: XmlElement): IqAnswer {
    const { database, store } = this.options;
    // XEP-0060 §8.1.4: without a name the service would choose one, which nobody would be interested in.
    const name = nameIn(create);
    if (typeof name !== 'string') return name;
    const form = formOf(childOf(pubsub, 'configure', PUBSUB), NODE_CONFIG);
    const config = form === 'malformed' ? undefined : configured(USUAL_CONFIG, form ?? { fields: new Map() });
    if (config === undefined) return { error: 'not-acceptable', text: 'The configuration makes no sense.' };
    return database.transaction((): IqAnswer => {
      if (store.node(account, name) !== undefined) return { error: 'conflict' };
      return this.made(account, name, config) ?? { result: undefined };
    });
  }

  /** The node to publish to, made when it is missing. */
  private prepared(
    account: string,
    name: string,
    configOf: (existing: NodeConfig | undefined) => NodeConfig | Refusal,
  ): PepNode | Refusal {
    const node = this.options.store.node(account, name);
    const config = configOf(node?.config);
    if ('error' in config) return config;
    return node ?? this.made(account, name, config) ?? { node: name, config };
  }

  private made(account: string, name: string, config: NodeConfig): Refusal | undefined {
    const { store } = this.options;
    if (store.usage(account).nodes >= MOST_NODES) return refusal('conflict', 'max-nodes-exceeded');
    store.putNode(account, { node: name, config });
    return undefined;
  }

  /** `replaced`: octets of the item that makes room for this one. */
  private hasRoomFor(account: string, payload: XmlElement, replaced: number | undefined): boolean {
    const { items, octets } = this.options.store.usage(account);
    if (replaced === undefined && items >= MOST_ITEMS_OF_ACCOUNT) return false;
    return octets - (replaced ?? 0) + octetsOf(toStored(payload)) <= MOST_OCTETS_OF_ACCOUNT;
  }
}

const FULL: Refusal = {
  error: 'resource-constraint',
  text: `There is no room for more; a node keeps ${MOST_ITEMS} items.`,
};

/** XEP-0060 §7.1.5: a node that is there has to be as the options say, one that is missing is made so; options that nobody knows are refused. */
function preconditioned(existing: NodeConfig | undefined, options: DataForm | undefined): NodeConfig | Refusal {
  const current = existing ?? USUAL_CONFIG;
  if (options === undefined) return current;
  const wanted = isKnown(options) ? configured(current, options) : undefined;
  const isMet = wanted !== undefined && (existing === undefined || isSame(existing, wanted));
  return isMet ? wanted : refusal('conflict', 'precondition-not-met');
}

/** The answer `<pubsub/>` around something. */
export function pubsubOf(...children: readonly (XmlElement | undefined)[]): XmlElement {
  return element('pubsub', PUBSUB, {}, ...children);
}

/** The node that an element speaks of. */
export function nameIn(action: XmlElement): string | Refusal {
  const name = attributeOf(action, 'node');
  if (name === undefined || name === '') return refusal('bad-request', 'nodeid-required');
  return name.length <= LONGEST_NAME ? name : { error: 'not-acceptable', text: 'The name of the node is too long.' };
}

/** The form inside an element that may be missing, and so may the form. */
export function formOf(parent: XmlElement | undefined, about: string): DataForm | 'malformed' | undefined {
  const form = parent === undefined ? undefined : formIn(parent);
  if (form === undefined || form === 'malformed') return form;
  return form.about === about && form.type === 'submit' ? form : 'malformed';
}

/** The one item of a publication (XEP-0060 §7.1.3). */
function itemIn(publish: XmlElement): { readonly id: string | undefined; readonly payload: XmlElement } | Refusal {
  const [item, more] = childrenOf(publish, 'item', PUBSUB);
  if (item === undefined) return refusal('bad-request', 'item-required');
  if (more !== undefined) return refusal('not-allowed', 'max-items-exceeded');
  const [payload, another] = elementsIn(item);
  if (payload === undefined) return refusal('bad-request', 'payload-required');
  if (another !== undefined) return refusal('bad-request', 'invalid-payload');
  if (octetsOf(toStored(payload)) > LARGEST_PAYLOAD) return refusal('not-acceptable', 'payload-too-big');
  const id = attributeOf(item, 'id');
  if (id !== undefined && id.length > LONGEST_NAME)
    return { error: 'not-acceptable', text: 'The id of the item is too long.' };
  return { id: id === '' ? undefined : id, payload };
}
