import type { Jid } from '../../protocol/jid/jid.ts';
import { readJid } from '../../protocol/jid/prepare.ts';
import { printJid } from '../../protocol/jid/print.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf } from '../../protocol/xml/write.ts';
import { delayOf, isDelayedBy, withoutDelaysBy } from '../delay.ts';
import type { Packet } from '../packet.ts';
import type { ClientSession } from '../sessions.ts';
import { Deliveries } from './deliveries.ts';
import {
  carbonOf,
  isForCarbons,
  isForLater,
  isPrivateMessage,
  messageType,
  saysSomething,
  stamped,
  withoutForgedIds,
  withoutPrivate,
} from './message-facts.ts';
import type { Resource } from './resources.ts';
import { addressed, errorTo, type Refusal, UNAVAILABLE } from './stanzas.ts';
import type { MessagingState } from './state.ts';

/** Where a message for an account goes (RFC 6121 §8.5.4). */
type Course =
  | { readonly course: 'deliver'; readonly to: readonly Resource[] }
  | { readonly course: 'keep' }
  | { readonly course: 'return' }
  | { readonly course: 'ignore' };

/** The messages of the accounts (RFC 6121 §5, §8.5). */
export class Messages {
  private readonly state: MessagingState;
  private readonly deliveries = new Deliveries();

  constructor(state: MessagingState) {
    this.state = state;
  }

  /** A message from a client. */
  send(resource: Resource, to: Jid, stanza: XmlElement): void {
    const { state } = this;
    const { account, address } = resource;
    const self = state.addressOf(account);
    const message = withoutForgedIds(addressed(stanza, address, to), self);
    if (messageType(message) === 'error') {
      state.send('message', address, to, message);
      return;
    }
    const known = stamped(message, self, state.context.archive.keep(account, 'out', to, message));
    // To oneself: it is delivered like any other, and its id stays. Copies of what was sent would be the same again.
    if (state.isOwn(account, to)) {
      state.send('message', address, to, known);
      return;
    }
    if (isForCarbons(message)) {
      for (const other of state.resources.connected(account)) {
        // XEP-0280 §8.1.
        if (other !== resource && other.hasCarbons)
          other.session.send(addressed(carbonOf(known, 'sent', self), self, other.address));
      }
    }
    state.send('message', address, to, message);
  }

  /** A message for an account that exists, from somebody who is not blocked. */
  receive(account: string, packet: Packet): void {
    const { state } = this;
    const { from, element: message } = packet;
    const course = this.courseOf(account, packet);
    switch (course.course) {
      case 'ignore':
        return;
      case 'return':
        this.refuse(packet, UNAVAILABLE);
        return;
      case 'deliver':
      case 'keep': {
        const self = state.addressOf(account);
        // What comes from the account itself had its id from us.
        // What this server keeps for an account it delivers by itself: nobody else sends what has waited here.
        const said = withoutDelaysBy(message, state.domain);
        const clean = state.isOwn(account, from) ? said : withoutForgedIds(said, self);
        const archived = (): Packet => {
          const id =
            messageType(clean) === 'error' ? undefined : state.context.archive.keep(account, 'in', from, clean);
          return { ...packet, element: stamped(clean, self, id) };
        };
        if (course.course === 'deliver') {
          this.deliver(account, archived(), course.to, state.context.now());
          return;
        }
        const isKept = state.context.database.transaction(() => this.keepForLater(account, archived()));
        // The archive may have it even so; a sender that believes it is lost does less harm than one that believes it was read.
        if (!isKept) this.refuse(packet, UNAVAILABLE);
        return;
      }
    }
  }

  /** A message for an account that does not exist: as if nobody were there, but that nothing is kept. So what leaves no trace tells nothing of who exists. */
  receiveForNobody(account: string, packet: Packet): void {
    if (this.courseOf(account, packet).course !== 'ignore') this.refuse(packet, UNAVAILABLE);
  }

  /** What waits, for a resource that takes messages now (XEP-0160 §2). */
  deliverKept(resource: Resource): void {
    const { context } = this.state;
    for (const message of context.offline.take(resource.account)) {
      const from = readJid(attributeOf(message, 'from') ?? '');
      const to = readJid(attributeOf(message, 'to') ?? '');
      if (from === undefined || to === undefined) throw new TypeError('a message that was kept has no addresses');
      const packet: Packet = { kind: 'message', from, to, element: message };
      this.deliveries.send(packet, context.now(), new Map([[resource.session, message]]));
    }
  }

  /**
   * A message never reached a session that is over: it goes where it would go now, unless another session of the account has it. `undefined`: it was
   * no message of somebody.
   */
  undelivered(account: string, session: ClientSession, stanza: XmlElement): 'moved' | 'kept' | 'returned' | undefined {
    const { state } = this;
    const delivery = this.deliveries.lost(session, stanza);
    if (delivery === undefined) return undefined;
    const { packet, time } = delivery;
    const { from, element: message } = packet;
    const type = messageType(message);
    if (type === 'error' || type === 'headline') return undefined;
    // XEP-0045 §7.5: for the client in the room alone; a room removes who is not there on such an error.
    if (type === 'groupchat' || isPrivateMessage(message, from)) {
      this.refuse(packet, { error: 'recipient-unavailable' });
      return 'returned';
    }
    const late = isDelayedBy(message, state.domain)
      ? packet
      : { ...packet, element: { ...message, children: [...message.children, delayOf(state.domain, time)] } };
    const readers = state.resources.mostAvailable(account);
    if (readers.length > 0) {
      this.deliver(account, late, readers, time);
      return 'moved';
    }
    if (isForLater(message) && state.exists(account) && this.keepForLater(account, late)) return 'kept';
    if (!saysSomething(message)) return undefined;
    this.refuse(packet, { error: 'recipient-unavailable' });
    return 'returned';
  }

  /** RFC 6121 §8.5.2, §8.5.3; the table of §8.5.4. */
  private courseOf(account: string, { from, to, element: message }: Packet): Course {
    const { resources } = this.state;
    const type = messageType(message);
    if (to.resource !== undefined) {
      const match = resources.at(to);
      if (match !== undefined) return { course: 'deliver', to: [match] };
      if (type === 'error' || type === 'headline') return { course: 'ignore' };
      // §8.5.3.2.1: only what is part of a conversation follows the user to another resource.
      if (type !== 'chat' || isPrivateMessage(message, from)) return { course: 'return' };
    }
    switch (type) {
      case 'error':
        return { course: 'ignore' };
      case 'groupchat':
        return { course: 'return' };
      case 'headline':
        return resources.nonNegative(account).length > 0
          ? { course: 'deliver', to: resources.nonNegative(account) }
          : { course: 'ignore' };
      case 'chat':
      case 'normal': {
        const readers = resources.mostAvailable(account);
        if (readers.length > 0) return { course: 'deliver', to: readers };
        if (isForLater(message)) return { course: 'keep' };
        // XEP-0160 §3: who only types or has read needs no error. What was not to be stored is another thing: its sender counts on it.
        return { course: saysSomething(message) ? 'return' : 'ignore' };
      }
    }
  }

  private deliver(account: string, packet: Packet, to: readonly Resource[], time: number): void {
    const { state } = this;
    const { from, element: whole } = packet;
    const message = withoutPrivate(whole);
    const stanzas = new Map(to.map(({ session }) => [session, message]));
    // XEP-0280 §6.1: a room gives every client its own copy.
    if (isForCarbons(whole) && !isPrivateMessage(whole, from)) {
      const self = state.addressOf(account);
      for (const { address, session, hasCarbons } of state.resources.connected(account)) {
        if (!hasCarbons || stanzas.has(session) || printJid(address) === printJid(from)) continue;
        stanzas.set(session, addressed(carbonOf(message, 'received', self), self, address));
      }
    }
    this.deliveries.send({ ...packet, element: message }, time, stanzas);
  }

  /** Whether there was room. */
  private keepForLater(account: string, packet: Packet): boolean {
    return this.state.context.offline.store(account, withoutPrivate(packet.element)) === 'stored';
  }

  private refuse(packet: Packet, refusal: Refusal): void {
    const error = errorTo(packet, refusal);
    if (error !== undefined) this.state.context.post.send(error);
  }
}
