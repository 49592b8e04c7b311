import type { Domain } from '../../protocol/jid/domain.ts';
import type { Jid } from '../../protocol/jid/jid.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { element } from '../../protocol/xml/write.ts';
import { delayOf } from '../delay.ts';
import type { Directory } from '../messaging/ports.ts';
import { packetOf } from '../messaging/stanzas.ts';
import type { Post } from '../packet.ts';
import { mayTell } from './access.ts';
import type { Audience } from './audience.ts';
import type { NodeConfig } from './node-config.ts';
import type { NodeStore, PepItem, PepNode } from './node-store.ts';

/** XEP-0060 §20. */
const EVENT = 'http://jabber.org/protocol/pubsub#event';

export interface NotificationOptions {
  /** Of the accounts. */
  readonly domain: Domain;
  readonly post: Post;
  readonly store: NodeStore;
  readonly directory: () => Directory;
  readonly newId: () => string;
}

/** Tells what happens at the nodes of the accounts (XEP-0060 §7.1.2, XEP-0163 §4.3): from the bare address of the owner, to full addresses that want it. */
export class Notifications {
  private readonly options: NotificationOptions;
  private readonly audience: Audience;

  constructor(options: NotificationOptions, audience: Audience) {
    this.options = options;
    this.audience = audience;
  }

  published(account: string, { node, config }: PepNode, item: PepItem): void {
    this.tell(account, node, config, itemsEvent(node, config, item));
  }

  /** XEP-0060 §7.2.2.1. */
  retracted(account: string, { node, config }: PepNode, id: string): void {
    this.tell(account, node, config, element('items', EVENT, { node }, element('retract', EVENT, { id })));
  }

  /** XEP-0060 §8.5.2. */
  purged(account: string, { node, config }: PepNode): void {
    this.tell(account, node, config, element('purge', EVENT, { node }));
  }

  /** XEP-0060 §8.4.2. */
  deleted(account: string, { node, config }: PepNode): void {
    this.tell(account, node, config, element('delete', EVENT, { node }));
  }

  /** The last item of each node that somebody wants and may see, when they have come (XEP-0163 §3.3, XEP-0060 §6.1.7). */
  sendLastItems(account: string, listener: Jid, wanted: ReadonlySet<string>): void {
    const { store, directory, domain } = this.options;
    for (const node of store.nodes(account)) {
      const { config } = node;
      if (config.sendLastPublishedItem !== 'on_sub_and_presence' || !config.deliverNotifications) continue;
      if (!wanted.has(node.node) || !mayTell(config, account, listener, domain, directory())) continue;
      const item = store.lastItem(account, node.node);
      if (item === undefined) continue;
      this.send(account, listener, itemsEvent(node.node, config, item), delayOf(this.bareAddress(account), item.time));
    }
  }

  private tell(account: string, node: string, config: NodeConfig, event: XmlElement): void {
    if (!config.deliverNotifications) return;
    for (const listener of this.audience.listenersTo(account, node, config.accessModel !== 'whitelist')) {
      this.send(account, listener, event);
    }
  }

  private send(account: string, to: Jid, event: XmlElement, delay?: XmlElement): void {
    const from = { local: account, domain: this.options.domain, resource: undefined };
    const attributes = { type: 'headline', id: this.options.newId() };
    const message = element('message', 'jabber:client', attributes, element('event', EVENT, {}, event), delay);
    this.options.post.send(packetOf('message', from, to, message));
  }

  private bareAddress(account: string): string {
    return `${account}@${this.options.domain}`;
  }
}

function itemsEvent(node: string, config: NodeConfig, { id, payload }: PepItem): XmlElement {
  const item = element('item', EVENT, { id }, config.deliverPayloads ? payload : undefined);
  return element('items', EVENT, { node }, item);
}
