import type { Jid } from '../../protocol/jid/jid.ts';
import { printJid } from '../../protocol/jid/print.ts';
import { NS } from '../../protocol/namespaces.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { childOf, textOf } from '../../protocol/xml/write.ts';
import type { Packet } from '../packet.ts';
import { bareText } from './addresses.ts';
import { DIRECTED } from './limits.ts';
import { answerProbe } from './presence-sharing.ts';
import type { Resource } from './resources.ts';
import { addressed, presenceOf, type Refusal, typeOf } from './stanzas.ts';
import type { MessagingState } from './state.ts';
import { DEEDS, type Deed } from './subscription-state.ts';
import { receiveSubscription, sendSubscription, waitingRequests } from './subscriptions.ts';

/** The presence of the accounts (RFC 6121 §3, §4). */
export class Presence {
  private readonly state: MessagingState;
  /** A resource can take messages now that it could not before: what waits is for it. */
  private readonly willing: (resource: Resource) => void;

  constructor(state: MessagingState, willing: (resource: Resource) => void) {
    this.state = state;
    this.willing = willing;
  }

  /** A presence from a client; `to` is `undefined` when it is for all that have a subscription. `undefined`: done. */
  send(resource: Resource, to: Jid | undefined, stanza: XmlElement): Refusal | undefined {
    const type = typeOf(stanza);
    const deed = deedOf(type);
    if (deed !== undefined) {
      if (to === undefined) return { error: 'bad-request' };
      return sendSubscription(this.state, resource.account, to, deed, stanza);
    }
    switch (type) {
      case undefined:
        return to === undefined ? this.broadcast(resource, stanza) : this.direct(resource, to, stanza);
      case 'unavailable':
        if (to === undefined) this.leave(resource, stanza);
        else this.endDirected(resource, to, stanza);
        return undefined;
      case 'error':
        if (to !== undefined) this.state.send('presence', resource.address, to, stanza);
        return undefined;
      case 'probe':
        // RFC 6121 §4.3: probing is the server's, which does it when it is needed.
        return { error: 'not-allowed' };
      default:
        // RFC 6121 §4.7.1: there are no others.
        return { error: 'bad-request' };
    }
  }

  /** A presence for an account that exists. */
  receive(account: string, { from, to, element: stanza }: Packet): void {
    const type = typeOf(stanza);
    const deed = deedOf(type);
    if (deed !== undefined) {
      // RFC 6121 §8.5.3.2.2: an answer to a resource that is not there is for nobody.
      if (deed !== 'subscribe' && to.resource !== undefined && this.state.resources.at(to) === undefined) return;
      receiveSubscription(this.state, account, from, deed, stanza);
      return;
    }
    switch (type) {
      case undefined:
      case 'unavailable':
        this.deliver(account, from, to, stanza);
        return;
      case 'probe':
        answerProbe(this.state, account, from, to);
        return;
      case 'error':
        this.unreachable(account, from, to, stanza);
        return;
      default:
    }
  }

  /** The session of a resource is over (RFC 6121 §4.5.1). The resource is not connected any more. */
  ended(resource: Resource): void {
    if (resource.presence !== undefined || resource.directed.size > 0) this.leave(resource, presenceOf('unavailable'));
  }

  /** Broadcasts again what every available resource has said last, since what the server adds to it has changed. */
  announce(account: string): void {
    for (const resource of this.state.resources.available(account)) {
      if (resource.presence !== undefined) this.spread(resource, resource.presence);
    }
  }

  /** RFC 6121 §4.2, §4.4. */
  private broadcast(resource: Resource, stanza: XmlElement): Refusal | undefined {
    const priority = priorityOf(stanza);
    if (priority === undefined) return { error: 'bad-request', text: 'The priority is not between -128 and 127.' };
    const { state } = this;
    const { address, session } = resource;
    const isInitial = resource.presence === undefined;
    const wasWilling = !isInitial && resource.priority >= 0;
    resource.priority = priority;
    if (isInitial) resource.unreachable.clear();
    const presence = this.spread(resource, addressed(stanza, address, undefined));
    if (isInitial) this.welcome(resource);
    if (priority >= 0 && !wasWilling) this.willing(resource);
    for (const watcher of state.context.watchers) watcher.available?.(session, presence);
    return undefined;
  }

  /** To everybody who has a subscription, and to the account itself; returns what was sent. */
  private spread(resource: Resource, said: XmlElement): XmlElement {
    const { state } = this;
    const { account, address } = resource;
    const presence = this.completed(resource, said);
    resource.presence = presence;
    for (const contact of state.subscribersOf(account)) {
      if (!resource.unreachable.has(bareText(contact))) state.send('presence', address, contact, presence);
    }
    this.toOwn(resource, presence);
    return presence;
  }

  /** With what others add to it, such as the photo (XEP-0398 §4). */
  private completed({ session }: Resource, said: XmlElement): XmlElement {
    let presence = said;
    for (const watcher of this.state.context.watchers) presence = watcher.outgoing?.(session, presence) ?? presence;
    return presence;
  }

  /** What a resource gets that has become available (RFC 6121 §4.2.2, §4.3.1, §3.1.3). */
  private welcome(resource: Resource): void {
    const { state } = this;
    const { account, address, session } = resource;
    for (const other of state.resources.available(account)) {
      if (other !== resource && other.presence !== undefined)
        session.send(addressed(other.presence, other.address, address));
    }
    for (const contact of state.rosters.sources(account)) {
      if (!state.isBlocked(account, contact)) state.send('presence', address, contact, presenceOf('probe'));
    }
    for (const request of waitingRequests(state, account)) session.send(request);
  }

  /** To all available resources of the account, that one included (RFC 6121 §4.2.2). */
  private toOwn(resource: Resource, presence: XmlElement): void {
    for (const { address, session } of this.state.resources.available(resource.account))
      session.send(addressed(presence, resource.address, address));
  }

  /** Unavailable to everybody who has presence of the resource (RFC 6121 §4.5.2, §4.6.3). */
  private leave(resource: Resource, stanza: XmlElement): void {
    const { state } = this;
    const { account, address } = resource;
    const wasAvailable = resource.presence !== undefined;
    const directed = [...resource.directed.values()];
    resource.presence = undefined;
    resource.directed.clear();
    const presence = addressed(stanza, address, undefined);
    const told = new Set<string>();
    if (wasAvailable) {
      for (const contact of state.subscribersOf(account)) {
        told.add(bareText(contact));
        if (!resource.unreachable.has(bareText(contact))) state.send('presence', address, contact, presence);
      }
      this.toOwn(resource, presence);
      this.noteSeen(account, presence);
    }
    for (const entity of directed) {
      if (!told.has(bareText(entity))) state.send('presence', address, entity, presence);
    }
  }

  private noteSeen(account: string, presence: XmlElement): void {
    const { state } = this;
    if (state.resources.available(account).length > 0 || !state.exists(account)) return;
    const status = childOf(presence, 'status', NS.client);
    const text = status === undefined ? '' : textOf(status);
    state.seen.left(account, { time: state.context.now(), status: text === '' ? undefined : text });
  }

  /** RFC 6121 §4.6. */
  private direct(resource: Resource, to: Jid, stanza: XmlElement): Refusal | undefined {
    const { state } = this;
    const { account, address, directed } = resource;
    // Who gets every presence gets the last one too (RFC 6121 §4.6.3).
    const isCovered =
      state.isOwn(account, to) || (resource.presence !== undefined && state.rosters.isSubscriber(account, to));
    if (!isCovered) {
      const key = printJid(to);
      if (directed.size >= DIRECTED && !directed.has(key))
        return { error: 'resource-constraint', text: 'There are too many that have your presence.' };
      directed.set(key, to);
    }
    state.send('presence', address, to, this.completed(resource, stanza));
    return undefined;
  }

  private endDirected(resource: Resource, to: Jid, stanza: XmlElement): void {
    resource.directed.delete(printJid(to));
    this.state.send('presence', resource.address, to, stanza);
  }

  /** RFC 6121 §4.2.3, §8.5.2.1.2, §8.5.3.1. */
  private deliver(account: string, from: Jid, to: Jid, stanza: XmlElement): void {
    const { state } = this;
    if (to.resource !== undefined) {
      const resource = state.resources.at(to);
      resource?.unreachable.delete(bareText(from));
      resource?.session.send(stanza);
    } else {
      for (const { address, session, unreachable } of state.resources.available(account)) {
        unreachable.delete(bareText(from));
        if (printJid(address) !== printJid(from)) session.send(stanza);
      }
    }
    for (const watcher of state.context.watchers) {
      if (watcher.arrived !== undefined && state.mayWatch(account, from)) watcher.arrived(account, from, stanza);
    }
  }

  /** RFC 6121 §4.4.2: who answers presence with an error gets no more of it. */
  private unreachable(account: string, from: Jid, to: Jid, stanza: XmlElement): void {
    const { state } = this;
    const addressee = state.resources.at(to);
    addressee?.session.send(stanza);
    // Only a subscriber gets broadcasts; nobody else is remembered.
    if (!state.rosters.isSubscriber(account, from)) return;
    const tried = to.resource === undefined ? state.resources.connected(account) : [addressee];
    for (const resource of tried) resource?.unreachable.add(bareText(from));
  }
}

function deedOf(type: string | undefined): Deed | undefined {
  return DEEDS.find((deed) => deed === type);
}

/** RFC 6121 §4.7.2.3: 0 unless it is said; `undefined` for what is no priority. */
function priorityOf(presence: XmlElement): number | undefined {
  const priority = childOf(presence, 'priority', NS.client);
  if (priority === undefined) return 0;
  const text = textOf(priority).trim();
  const number = /^[+-]?\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  return number >= -128 && number <= 127 ? number : undefined;
}
