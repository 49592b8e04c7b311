import { faultInWords } from '../../net/s2s/in-words.ts';
import type { Jid } from '../../protocol/jid/jid.ts';
import { readJid } from '../../protocol/jid/prepare.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf } from '../../protocol/xml/write.ts';
import type { Destination, Packet } from '../packet.ts';
import type { ClientSession, SessionOwner } from '../sessions.ts';
import { BLOCKED, createBlockingService } from './blocking-service.ts';
import { createCarbonsService } from './carbons-service.ts';
import type { MessagingContext } from './context.ts';
import { createDiscoServices } from './disco-services.ts';
import { faultOf, IqDispatch } from './iq-dispatch.ts';
import { Messages } from './messages.ts';
import type { Directory } from './ports.ts';
import { Presence } from './presence.ts';
import { answerProbe } from './presence-sharing.ts';
import type { Resource } from './resources.ts';
import { createRosterService } from './roster-service.ts';
import { createServerServices } from './server-services.ts';
import { addressed, errorTo, packetOf, presenceOf, type Refusal, typeOf, UNAVAILABLE } from './stanzas.ts';
import { MessagingState } from './state.ts';
import { cutSubscription, waitingRequests } from './subscriptions.ts';

/** The messaging server of one domain (RFC 6121): what its clients send, what arrives for its accounts, and what its services ask of both. */
export class Messaging implements SessionOwner, Destination, Directory {
  private readonly state: MessagingState;
  private readonly messages: Messages;
  private readonly presence: Presence;
  private readonly iqs: IqDispatch;

  /** Throws a `TypeError` when two services answer the same. */
  constructor(context: MessagingContext) {
    const state = new MessagingState(context);
    const services = [
      createRosterService(state),
      createCarbonsService(state),
      createBlockingService(state),
      ...createServerServices(state),
      ...context.services,
    ];
    this.state = state;
    this.messages = new Messages(state);
    this.presence = new Presence(state, (resource) => this.messages.deliverKept(resource));
    this.iqs = new IqDispatch(state, [...services, ...createDiscoServices(state, services)]);
  }

  opened(session: ClientSession): void {
    this.state.resources.add(session);
  }

  stanza(session: ClientSession, stanza: XmlElement): void {
    const resource = this.state.resources.of(session);
    const { name: kind } = stanza;
    if (resource === undefined) return;
    if (kind !== 'message' && kind !== 'presence' && kind !== 'iq') {
      session.end('unsupported-stanza-type', 'There are messages, presence and IQs.');
      return;
    }
    const written = attributeOf(stanza, 'to');
    const to = written === undefined ? undefined : readJid(written);
    const { address } = session;
    if (written !== undefined && to === undefined) {
      // RFC 6120 §8.3.3.8. The address that is none is not repeated.
      this.refuse(resource, packetOf(kind, address, this.state.addressOf(resource.account), stanza), MALFORMED);
      return;
    }
    const packet = packetOf(kind, address, to ?? this.state.addressOf(resource.account), stanza);
    const refusal = this.isBlockedFor(resource, to) ? BLOCKED : this.taken(resource, to, packet);
    if (refusal !== undefined) this.refuse(resource, packet, refusal);
  }

  ended(session: ClientSession, undelivered: readonly XmlElement[]): void {
    const { state } = this;
    const resource = state.resources.of(session);
    if (resource === undefined) return;
    state.resources.remove(resource);
    this.presence.ended(resource);
    const became = { moved: 0, kept: 0, returned: 0 };
    for (const stanza of undelivered) {
      const end = this.undelivered(resource, stanza);
      if (end !== undefined) became[end] += 1;
    }
    if (became.moved + became.kept + became.returned > 0)
      state.context.notes({ note: 'messages-undelivered', account: resource.account, ...became }, {});
  }

  receive(packet: Packet): void {
    const { state } = this;
    const { kind, from, to } = packet;
    const account = to.local;
    if (account === undefined) {
      this.receiveForServer(packet);
      return;
    }
    if (!state.exists(account)) {
      this.receiveForNobody(account, packet);
      return;
    }
    // XEP-0191 §3.3: presence gets no answer; whoever is blocked finds nobody.
    if (state.isBlocked(account, from)) {
      if (kind !== 'presence') this.answer(errorTo(packet, UNAVAILABLE));
      return;
    }
    if (kind === 'message') this.messages.receive(account, packet);
    else if (kind === 'presence') this.presence.receive(account, packet);
    else this.receiveIq(account, packet);
  }

  /** Removes all that is kept of an account that is about to be removed, ends its subscriptions and denies what was asked. Its sessions are over. */
  forget(account: string): void {
    const { state } = this;
    state.context.database.transaction(() => {
      for (const item of state.rosters.listed(account)) cutSubscription(state, account, item);
      for (const request of waitingRequests(state, account)) {
        const from = readJid(attributeOf(request, 'from') ?? '');
        if (from !== undefined) state.send('presence', state.addressOf(account), from, presenceOf('unsubscribed'));
      }
      state.rosters.forget(account);
      state.blocked.forget(account);
      state.seen.forget(account);
    });
  }

  isContact(account: string, address: Jid): boolean {
    return this.state.isContact(account, address);
  }

  announce(account: string): void {
    this.presence.announce(account);
  }

  exists(account: string): boolean {
    return this.state.exists(account);
  }

  subscribersOf(account: string): readonly Jid[] {
    return this.state.subscribersOf(account);
  }

  mayWatch(account: string, address: Jid): boolean {
    return this.state.mayWatch(account, address);
  }

  sessionsOf(account: string): readonly ClientSession[] {
    return this.state.resources.available(account).map(({ session }) => session);
  }

  /** The same as `take`; a fault of ours is told to the client as well: the stream counts the stanza as handled, and nobody sends it again. */
  private taken(resource: Resource, to: Jid | undefined, packet: Packet): Refusal | undefined {
    try {
      return this.take(resource, to, packet);
    } catch (error) {
      this.state.context.notes({ note: 'bug', where: 'a stanza of a client', detail: faultInWords(error) }, {});
      return FAULT;
    }
  }

  /** A stanza from a client, to somebody it has not blocked. `undefined`: done. */
  private take(resource: Resource, to: Jid | undefined, packet: Packet): Refusal | undefined {
    switch (packet.kind) {
      case 'message':
        this.messages.send(resource, packet.to, packet.element);
        return undefined;
      case 'presence':
        return this.presence.send(resource, to, packet.element);
      case 'iq':
        return this.takeIq(resource, packet);
    }
  }

  /** RFC 6120 §10.3.3: what is for the server or for the own account is answered here and now; the rest leaves. */
  private takeIq(resource: Resource, packet: Packet): Refusal | undefined {
    const fault = faultOf(packet);
    if (fault !== undefined) return fault;
    const { to } = packet;
    const isServer = to.local === undefined && to.domain === this.state.domain && to.resource === undefined;
    const isSelf = to.resource === undefined && this.state.isOwn(resource.account, to);
    if (isServer || isSelf) this.iqs.serve(packet, resource.session, ({ element }) => resource.session.send(element));
    else this.state.context.post.send(packet);
    return undefined;
  }

  private isBlockedFor(resource: Resource, to: Jid | undefined): boolean {
    return to !== undefined && this.state.isBlocked(resource.account, to);
  }

  /** Messages and presence for the server itself are for nobody. */
  private receiveForServer(packet: Packet): void {
    if (packet.kind === 'message') this.answer(errorTo(packet, UNAVAILABLE));
    if (packet.kind !== 'iq') return;
    const refusal = packet.to.resource === undefined ? faultOf(packet) : UNAVAILABLE;
    if (refusal !== undefined) this.answer(errorTo(packet, refusal));
    else this.iqs.serve(packet, undefined, (answer) => this.answer(answer));
  }

  /** RFC 6121 §8.5.1. */
  private receiveForNobody(account: string, packet: Packet): void {
    if (packet.kind === 'message') this.messages.receiveForNobody(account, packet);
    else if (packet.kind === 'iq') this.answer(errorTo(packet, UNAVAILABLE));
    else if (typeOf(packet.element) === 'probe') answerProbe(this.state, account, packet.from, packet.to);
  }

  /** RFC 6121 §8.5.2.1.3, §8.5.3. */
  private receiveIq(account: string, packet: Packet): void {
    const { state } = this;
    const { from, to, element: iq } = packet;
    const fault = faultOf(packet);
    if (fault !== undefined) {
      this.answer(errorTo(packet, fault));
      return;
    }
    if (to.resource === undefined) {
      this.iqs.serve(packet, undefined, (answer) => this.answer(answer));
      return;
    }
    const resource = state.resources.at(to);
    const type = typeOf(iq);
    const isAnswer = type === 'result' || type === 'error';
    // §8.5.3.1: a request reaches only who shares its presence with the asker, so that nobody learns who is there by asking.
    const mayAsk = (there: Resource) =>
      state.mayWatch(account, from) || there.hasDirectedTo(from) || isServerItself(from, state);
    if (resource !== undefined && (isAnswer || mayAsk(resource))) resource.session.send(iq);
    else this.answer(errorTo(packet, UNAVAILABLE));
  }

  private undelivered({ account, session }: Resource, stanza: XmlElement) {
    if (stanza.name === 'message') return this.messages.undelivered(account, session, stanza);
    // RFC 6121 §8.5.3.2.3: who has asked a client that is gone is told so. Our own pushes have no `from`. Presence is over with the session.
    const from = readJid(attributeOf(stanza, 'from') ?? '');
    if (stanza.name === 'iq' && from !== undefined)
      this.answer(errorTo(packetOf('iq', from, session.address, stanza), UNAVAILABLE));
    return undefined;
  }

  private refuse(resource: Resource, packet: Packet, refusal: Refusal): void {
    const error = errorTo(packet, refusal);
    if (error !== undefined) resource.session.send(addressed(error.element, error.from, resource.address));
  }

  private answer(packet: Packet | undefined): void {
    if (packet !== undefined) this.state.context.post.send(packet);
  }
}

const MALFORMED: Refusal = { error: 'jid-malformed' };
const FAULT: Refusal = { error: 'internal-server-error' };

function isServerItself(address: Jid, { domain }: MessagingState): boolean {
  return address.local === undefined && address.domain === domain;
}
