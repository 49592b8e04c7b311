import type { Domain } from '../../protocol/jid/domain.ts';
import type { Jid } from '../../protocol/jid/jid.ts';
import { bareOf, printJid } from '../../protocol/jid/print.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf } from '../../protocol/xml/write.ts';
import type { Directory } from '../messaging/ports.ts';
import type { ClientSession } from '../sessions.ts';
import { capsIn } from './capabilities.ts';
import type { InterestCache, Interests } from './interests.ts';

/** Resources that are remembered for one account, and of one of its contacts. */
const MOST_RESOURCES = 4_000;
const MOST_OF_CONTACT = 20;

/** A resource with what its presence said. */
interface Listener {
  readonly address: Jid;
  /** The mention of its capabilities as one text; a presence with the same says nothing new. */
  readonly caps: string;
  /** `undefined` until it is known. */
  interests: Interests | undefined;
}

export interface AudienceOptions {
  /** Of the accounts. */
  readonly domain: Domain;
  readonly directory: () => Directory;
  readonly interests: InterestCache;
  /** Somebody is there who was not, or wants other things than before: what they are interested in is known now. */
  readonly joined: (account: string, listener: Jid, interests: Interests) => void;
}

/** Who is there to be told of events, and of which (XEP-0163 §4.3). */
export class Audience {
  private readonly options: AudienceOptions;
  private readonly sessions = new WeakMap<ClientSession, Listener>();
  /** By account, then by full address: contacts whose presence the account gets. */
  private readonly contacts = new Map<string, Map<string, Listener>>();

  constructor(options: AudienceOptions) {
    this.options = options;
  }

  /** A session of an account is available. */
  sessionAvailable(session: ClientSession, presence: XmlElement): void {
    const account = session.address.local;
    if (account === undefined) return;
    const listener = listenerOf(session.address, presence);
    if (this.sessions.get(session)?.caps === listener.caps) return;
    this.sessions.set(session, listener);
    void this.learn(account, listener, presence, () => this.sessions.get(session) === listener);
  }

  /** A presence of a contact, available or not. */
  contactArrived(account: string, from: Jid, presence: XmlElement): void {
    if (from.resource === undefined) return;
    const key = printJid(from);
    const listeners = this.contacts.get(account);
    const type = attributeOf(presence, 'type');
    if (type !== undefined) {
      if (type !== 'unavailable') return;
      listeners?.delete(key);
      if (listeners?.size === 0) this.contacts.delete(account);
      return;
    }
    const listener = listenerOf(from, presence);
    if (listeners?.get(key)?.caps === listener.caps) return;
    this.remember(account, key, listener);
    void this.learn(account, listener, presence, () => this.contacts.get(account)?.get(key) === listener);
  }

  /** The full addresses to tell of an event at a node: the account's own, and with `contacts` those who see its presence. */
  listenersTo(account: string, node: string, contacts: boolean): readonly Jid[] {
    const found = new Map<string, Jid>();
    for (const { address, interests } of this.candidates(account, contacts)) {
      if (interests?.has(node) === true) found.set(printJid(address), address);
    }
    return [...found.values()];
  }

  /** Forgets who was there for an account that is removed. */
  removeAccount(account: string): void {
    this.contacts.delete(account);
  }

  private *candidates(account: string, contacts: boolean): Generator<Listener> {
    const { domain } = this.options;
    const directory = this.options.directory();
    yield* this.sessionsOf(account);
    if (!contacts) return;
    for (const listener of this.contacts.get(account)?.values() ?? []) {
      if (directory.mayWatch(account, bareOf(listener.address))) yield listener;
    }
    // Users of this server who see the account and are not seen by it: their presence never arrives here.
    for (const subscriber of directory.subscribersOf(account)) {
      if (subscriber.domain === domain && subscriber.local !== undefined) yield* this.sessionsOf(subscriber.local);
    }
  }

  private *sessionsOf(account: string): Generator<Listener> {
    for (const session of this.options.directory().sessionsOf(account)) {
      const listener = this.sessions.get(session);
      if (listener !== undefined) yield listener;
    }
  }

  /** Remembers a contact's resource; what was heard of longest ago makes room. */
  private remember(account: string, key: string, listener: Listener): void {
    let listeners = this.contacts.get(account);
    if (listeners === undefined) {
      listeners = new Map();
      this.contacts.set(account, listeners);
    }
    listeners.delete(key);
    const bare = printJid(bareOf(listener.address));
    const same = [...listeners.keys()].filter((other) => other.startsWith(`${bare}/`));
    const [oldest] = same.length >= MOST_OF_CONTACT ? same : listeners.size >= MOST_RESOURCES ? listeners.keys() : [];
    if (oldest !== undefined) listeners.delete(oldest);
    listeners.set(key, listener);
  }

  /** Never rejects. */
  private async learn(
    account: string,
    listener: Listener,
    presence: XmlElement,
    isCurrent: () => boolean,
  ): Promise<void> {
    const mention = capsIn(presence);
    if (mention === undefined) return;
    const known = this.options.interests.peek(mention);
    if (known !== undefined) {
      this.join(account, listener, known);
      return;
    }
    const interests = await this.options.interests.learn(account, listener.address, mention);
    // Whoever has gone meanwhile, or says something else, is told nothing.
    if (isCurrent()) this.join(account, listener, interests);
  }

  private join(account: string, listener: Listener, interests: Interests): void {
    listener.interests = interests;
    if (interests.size > 0) this.options.joined(account, listener.address, interests);
  }
}

function listenerOf(address: Jid, presence: XmlElement): Listener {
  const mention = capsIn(presence);
  const caps = mention === undefined ? '' : `${mention.hash} ${mention.node}#${mention.ver}`;
  return { address, caps, interests: undefined };
}
