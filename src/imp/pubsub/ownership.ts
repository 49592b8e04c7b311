import type { XmlElement } from '../../protocol/xml/types.ts';
import { element } from '../../protocol/xml/write.ts';
import { elementsIn } from '../elements.ts';
import type { IqAnswer } from '../messaging/ports.ts';
import { unsupported } from './errors.ts';
import { configForm, configured, USUAL_CONFIG } from './node-config.ts';
import type { NodeStore, PepNode } from './node-store.ts';
import type { Notifications } from './notifications.ts';
import { formOf, nameIn, PUBSUB } from './publishing.ts';

/** XEP-0060 §20. */
export const PUBSUB_OWNER = 'http://jabber.org/protocol/pubsub#owner';

/** What owners do with their nodes (XEP-0060 §8). The caller has made sure that it is the owner. */
export class Ownership {
  private readonly store: NodeStore;
  private readonly notifications: Notifications;

  constructor(store: NodeStore, notifications: Notifications) {
    this.store = store;
    this.notifications = notifications;
  }

  answer(account: string, type: 'get' | 'set', pubsub: XmlElement): IqAnswer {
    const [action, more] = elementsIn(pubsub).filter(({ namespace }) => namespace === PUBSUB_OWNER);
    if (action === undefined || more !== undefined) return { error: 'bad-request' };
    switch (`${type} ${action.name}`) {
      case 'get default':
        return { result: ownerOf(element('default', PUBSUB_OWNER, {}, configForm(USUAL_CONFIG))) };
      case 'get configure':
        return this.withNode(account, action, ({ node, config }) => ({
          result: ownerOf(element('configure', PUBSUB_OWNER, { node }, configForm(config))),
        }));
      case 'set configure':
        return this.withNode(account, action, (node) => this.configure(account, node, action));
      case 'set purge':
        return this.withNode(account, action, (node) => {
          this.store.removeItems(account, node.node);
          this.notifications.purged(account, node);
          return { result: undefined };
        });
      case 'set delete':
        return this.withNode(account, action, (node) => {
          this.store.removeNode(account, node.node);
          if (node.config.notifyDelete) this.notifications.deleted(account, node);
          return { result: undefined };
        });
      case 'get affiliations':
      case 'set affiliations':
        return unsupported('modify-affiliations');
      case 'get subscriptions':
      case 'set subscriptions':
        return unsupported('manage-subscriptions');
      default:
        return { error: 'bad-request' };
    }
  }

  /** XEP-0060 §8.2.4. */
  private configure(account: string, { node, config }: PepNode, action: XmlElement): IqAnswer {
    const [child] = elementsIn(action);
    // XEP-0060 §8.2.5.2: the owner may change their mind.
    if (child?.attributes.some(({ name, value }) => name === 'type' && value === 'cancel') === true)
      return { result: undefined };
    const form = formOf(action, `${PUBSUB}#node_config`);
    if (form === undefined || form === 'malformed') return { error: 'bad-request', text: 'The form is malformed.' };
    const changed = configured(config, form);
    if (changed === undefined) return { error: 'not-acceptable', text: 'The configuration makes no sense.' };
    this.store.putNode(account, { node, config: changed });
    this.store.trim(account, node, changed.persistItems ? changed.maxItems : 0);
    return { result: undefined };
  }

  private withNode(account: string, action: XmlElement, work: (node: PepNode) => IqAnswer): IqAnswer {
    const name = nameIn(action);
    if (typeof name !== 'string') return name;
    const node = this.store.node(account, name);
    return node === undefined ? { error: 'item-not-found' } : work(node);
  }
}

function ownerOf(child: XmlElement): XmlElement {
  return element('pubsub', PUBSUB_OWNER, {}, child);
}
