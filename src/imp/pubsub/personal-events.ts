import { faultInWords } from '../../net/s2s/in-words.ts';
import type { Domain } from '../../protocol/jid/domain.ts';
import type { Jid } from '../../protocol/jid/jid.ts';
import type { NoteSink } from '../../protocol/notes.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf, element } from '../../protocol/xml/write.ts';
import type { NodeDatabase } from '../database/database.ts';
import { elementsIn } from '../elements.ts';
import type { AccountNodes, Directory, IqAnswer, IqRequest, IqService, PresenceWatcher } from '../messaging/ports.ts';
import type { Post } from '../packet.ts';
import type { ClientSession } from '../sessions.ts';
import { refusalOf } from './access.ts';
import { Audience } from './audience.ts';
import { DISCO_INFO } from './capabilities.ts';
import { unsupported } from './errors.ts';
import { type CapabilitiesSource, InterestCache } from './interests.ts';
import { metaDataForm, type NodeConfig } from './node-config.ts';
import { NodeStore, type PepItem } from './node-store.ts';
import { Notifications } from './notifications.ts';
import { Ownership, PUBSUB_OWNER } from './ownership.ts';
import { PUBSUB, Publishing } from './publishing.ts';
import { answerItems } from './retrieval.ts';

/** What PEP can do of XEP-0060 (§10, XEP-0163 §7.1). */
const FEATURES: readonly string[] = [
  'access-open',
  'access-presence',
  'access-whitelist',
  'auto-create',
  'auto-subscribe',
  'config-node',
  'config-node-max',
  'create-and-configure',
  'create-nodes',
  'delete-items',
  'delete-nodes',
  'filtered-notifications',
  'item-ids',
  'last-published',
  'meta-data',
  'persistent-items',
  'presence-notifications',
  'publish',
  'publish-options',
  'purge-nodes',
  'retract-items',
  'retrieve-default',
  'retrieve-items',
  'rsm',
].map((feature) => `${PUBSUB}#${feature}`);

export interface PersonalEventsOptions {
  readonly database: NodeDatabase;
  /** Of the accounts. */
  readonly domain: Domain;
  readonly post: Post;
  readonly directory: () => Directory;
  readonly capabilities: CapabilitiesSource;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Something that was never used before. */
  readonly newId: () => string;
  readonly notes: NoteSink;
}

/** Personal eventing (XEP-0163): every account is a pubsub service of its own (XEP-0060). The tables are `PEP_TABLES`. */
export class PersonalEvents implements PresenceWatcher, AccountNodes {
  /** The two namespaces in which it is asked. */
  readonly services: readonly IqService[];
  private readonly domain: Domain;
  private readonly directory: () => Directory;
  private readonly store: NodeStore;
  private readonly audience: Audience;
  private readonly publishing: Publishing;
  private readonly ownership: Ownership;
  private nodeChanged: (account: string, node: string) => void = () => {};

  constructor({ database, domain, post, directory, capabilities, now, newId, notes }: PersonalEventsOptions) {
    this.domain = domain;
    this.directory = directory;
    this.store = new NodeStore(database);
    this.audience = new Audience({
      domain,
      directory,
      interests: new InterestCache(capabilities),
      joined: (account, listener, interests) => {
        try {
          notifications.sendLastItems(account, listener, interests);
        } catch (error) {
          // Most often nobody waits for this: what somebody wants is learned by asking them.
          notes({ note: 'bug', where: 'the last items for a listener', detail: faultInWords(error) }, {});
        }
      },
    });
    const notifications = new Notifications({ domain, post, store: this.store, directory, newId }, this.audience);
    this.publishing = new Publishing({ database, store: this.store, notifications, now, newId });
    this.ownership = new Ownership(this.store, notifications);
    this.services = [
      {
        namespace: PUBSUB,
        at: ['account'],
        features: [PUBSUB, ...FEATURES],
        identities: [{ category: 'pubsub', type: 'pep' }],
        answer: (request) => this.answer(request),
      },
      {
        namespace: PUBSUB_OWNER,
        at: ['account'],
        features: [PUBSUB_OWNER],
        answer: (request) => this.answerOwner(request),
      },
    ];
  }

  /** `nodeChanged` is called when an owner has changed what a node holds or who may see it; not for `put`. */
  onNodeChanged(nodeChanged: (account: string, node: string) => void): void {
    this.nodeChanged = nodeChanged;
  }

  available(session: ClientSession, presence: XmlElement): void {
    this.audience.sessionAvailable(session, presence);
  }

  arrived(account: string, from: Jid, presence: XmlElement): void {
    this.audience.contactArrived(account, from, presence);
  }

  nodesOf(account: string, requester: Jid): readonly { readonly node: string; readonly name: string | undefined }[] {
    return this.store
      .nodes(account)
      .filter(({ config }) => this.refusalOf(config, account, requester) === undefined)
      .map(({ node, config }) => ({ node, name: config.title === '' ? undefined : config.title }));
  }

  /** XEP-0060 §5.3, §5.4. */
  describe(account: string, node: string, requester: Jid): XmlElement | undefined {
    const found = this.store.node(account, node);
    if (found === undefined || this.refusalOf(found.config, account, requester) !== undefined) return undefined;
    return element(
      'query',
      DISCO_INFO,
      { node },
      element('identity', DISCO_INFO, { category: 'pubsub', type: 'leaf' }),
      element('feature', DISCO_INFO, { var: PUBSUB }),
      metaDataForm(found.config),
    );
  }

  /**
   * Publishes for the owner as another service of the account wants it; a node that is missing is made with this configuration. When the account has no
   * room for it, nothing is published: the owner has not asked for it.
   */
  put(account: string, node: string, id: string, payload: XmlElement, config: NodeConfig): void {
    this.publishing.put(account, node, id, payload, (existing) => existing ?? config);
  }

  /** The last item of a node with its configuration. */
  lastItem(account: string, node: string): PepItem | undefined {
    return this.store.lastItem(account, node);
  }

  item(account: string, node: string, id: string): PepItem | undefined {
    return this.store.item(account, node, id);
  }

  configOf(account: string, node: string): NodeConfig | undefined {
    return this.store.node(account, node)?.config;
  }

  removeAccount(account: string): void {
    this.store.removeAccount(account);
    this.audience.removeAccount(account);
  }

  private answer(request: IqRequest): IqAnswer {
    const { type, account, from, isOwner, payload } = request;
    const action = elementsIn(payload).find(({ namespace }) => namespace === PUBSUB);
    if (account === undefined || payload.name !== 'pubsub' || action === undefined) return { error: 'bad-request' };
    if (type === 'get') {
      if (action.name !== 'items') return unsupportedAction(action.name);
      const context = {
        store: this.store,
        account,
        requester: from,
        refusalOf: (config: NodeConfig) => this.refusalOf(config, account, from),
      };
      return answerItems(context, payload, action);
    }
    const work = this.changes[action.name];
    if (work === undefined) return unsupportedAction(action.name);
    // XEP-0060 §7.1.3.1: only owners publish.
    if (!isOwner) return { error: 'forbidden' };
    return this.told(account, action, work(account, payload, action));
  }

  private readonly changes: Readonly<
    Record<string, (account: string, pubsub: XmlElement, action: XmlElement) => IqAnswer>
  > = {
    publish: (account, pubsub, action) => this.publishing.publish(account, pubsub, action),
    retract: (account, _, action) => this.publishing.retract(account, action),
    create: (account, pubsub, action) => this.publishing.create(account, pubsub, action),
  };

  private answerOwner({ type, account, isOwner, payload }: IqRequest): IqAnswer {
    if (account === undefined || payload.name !== 'pubsub') return { error: 'bad-request' };
    if (!isOwner) return { error: 'forbidden' };
    const answer = this.ownership.answer(account, type, payload);
    const [action] = elementsIn(payload);
    return type === 'get' || action === undefined ? answer : this.told(account, action, answer);
  }

  private told(account: string, action: XmlElement, answer: IqAnswer): IqAnswer {
    const node = attributeOf(action, 'node');
    if (!('error' in answer) && node !== undefined) this.nodeChanged(account, node);
    return answer;
  }

  private refusalOf(config: NodeConfig, account: string, requester: Jid) {
    return refusalOf(config, account, requester, this.domain, this.directory());
  }
}

/** XEP-0060 §10: the feature that would be needed. */
function unsupportedAction(name: string): IqAnswer {
  switch (name) {
    case 'subscribe':
    case 'unsubscribe':
      return unsupported('subscribe');
    case 'subscriptions':
      return unsupported('retrieve-subscriptions');
    case 'affiliations':
      return unsupported('retrieve-affiliations');
    case 'options':
      return unsupported('subscription-options');
    case 'default':
      return unsupported('retrieve-default-sub');
    default:
      return { error: 'bad-request' };
  }
}
