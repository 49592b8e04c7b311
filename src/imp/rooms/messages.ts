import { printJid } from '../../protocol/jid/print.ts';
import { NS } from '../../protocol/namespaces.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf, childOf, element, writeElement } from '../../protocol/xml/write.ts';
import { isKeptForRoom } from '../archive/keeping.ts';
import { delayOf } from '../delay.ts';
import { childrenOf } from '../elements.ts';
import type { Packet } from '../packet.ts';
import { stanzaIdOf } from '../stanza-ids.ts';
import { signed } from './archived-sender.ts';
import { isArchived } from './config.ts';
import type { Occupant } from './occupants.ts';
import { occupantIdElement, userElement, viewersIn, viewersOf } from './presences.ts';
import type { Room } from './room.ts';
import { reflectedMessage } from './sanitation.ts';
import { hasRole } from './standing.ts';
import { attributesOf, packetOf, type Refusal } from './stanzas.ts';
import type { Turn } from './turn.ts';

export const NOT_HERE: Refusal = { condition: 'not-acceptable', text: 'You are not in the room.' };

/** A message to all (XEP-0045 §7.4), or a change of the subject (§8.1). */
export function broadcast(room: Room, turn: Turn, packet: Packet): void {
  const sender = room.occupants.of(packet.from);
  if (sender === undefined) return turn.refuse(packet, NOT_HERE);
  if (!isWithinBounds(room, turn, packet)) return;
  const subjects = childrenOf(packet.element, 'subject', NS.client);
  if (isSubjectChange(packet.element)) {
    const isAllowed = sender.role === 'moderator' || (room.config.changeSubject && sender.role === 'participant');
    if (!isAllowed) return turn.refuse(packet, { condition: 'forbidden', text: 'You may not change the subject.' });
    if (subjects.some((subject) => writeElement(subject, NS.client).length > room.limits.text))
      return turn.refuse(packet, { condition: 'policy-violation', text: 'The subject is too long.' });
    room.subject = { texts: subjects, nick: sender.nick, occupantId: sender.id, at: turn.now };
    room.changed = true;
    // §7.2.15: the subject is not part of the history, in which newcomers would see it twice.
    reflect(room, turn, packet, sender);
    return;
  }
  if (!hasRole(sender.role, 'participant'))
    return turn.refuse(packet, { condition: 'forbidden', text: 'You have no voice in this room.' });
  const message = reflect(room, turn, packet, sender);
  if (isKeptForRoom(packet.element)) {
    const { name, namespace, attributes, children } = message;
    const late = { name, namespace, attributes, children: [...children, delayOf(room.text, turn.now)] };
    room.history.add({ nick: sender.nick, element: late, at: turn.now });
  }
}

/** Sends a message to everybody, its sender included, with the id the sender gave it (§7.4: muc#stable_id). Returns what was sent, without `to`. */
function reflect(room: Room, turn: Turn, packet: Packet, sender: Occupant): XmlElement {
  const from = room.at(sender.nick);
  const { id, ...others } = attributesOf(packet.element);
  const message = element(
    'message',
    NS.client,
    // §7.4: a message without an id gets one, the same for all.
    { from: printJid(from), id: id ?? turn.newId(), ...others },
    ...reflectedMessage(room.text, packet.element),
    occupantIdElement(sender.id),
  );
  const archived = isArchived(room.config) ? turn.archive(from, archivedForm(room, message, packet)) : undefined;
  // XEP-0359 §3: the id in the archive, or one that means nothing but this message.
  const stamp = stanzaIdOf(room.text, archived ?? turn.newId());
  const stamped = { ...message, children: [...message.children, stamp] };
  for (const { session } of viewersIn(room)) {
    const to = { name: 'to', namespace: '', value: printJid(session.address) };
    turn.send({
      kind: 'message',
      from,
      to: session.address,
      element: { ...stamped, attributes: [...stamped.attributes, to] },
    });
  }
  return stamped;
}

/** What goes into the archive: in a room where everybody is known, with the sender's address. */
function archivedForm(room: Room, message: XmlElement, { from }: Packet): XmlElement {
  return room.config.whois === 'anyone' ? signed(message, printJid(from)) : message;
}

/** §8.1: a message with a subject, and neither a body nor a thread. */
function isSubjectChange(message: XmlElement): boolean {
  return (
    childOf(message, 'subject', NS.client) !== undefined &&
    childOf(message, 'body', NS.client) === undefined &&
    childOf(message, 'thread', NS.client) === undefined
  );
}

const MAY_WHISPER = { anyone: 'visitor', participants: 'participant', moderators: 'moderator' } as const;

/** A private message from one occupant to another (XEP-0045 §7.5): it goes to all clients of the other, and into no archive. */
export function whisper(room: Room, turn: Turn, packet: Packet, nick: string): void {
  const sender = room.occupants.of(packet.from);
  if (sender === undefined) return turn.refuse(packet, NOT_HERE);
  if (attributeOf(packet.element, 'type') === 'groupchat')
    return turn.refuse(packet, { condition: 'bad-request', text: 'What is said to all is sent to the room itself.' });
  const target = room.occupants.named(nick);
  if (target === undefined)
    return turn.refuse(packet, { condition: 'item-not-found', text: 'Nobody has this nickname.' });
  const { privateMessages } = room.config;
  if (privateMessages === 'none' || !hasRole(sender.role, MAY_WHISPER[privateMessages]))
    return turn.refuse(packet, { condition: 'forbidden', text: 'You may not send private messages in this room.' });
  if (!isWithinBounds(room, turn, packet)) return;
  for (const { session } of viewersOf(target)) {
    turn.send(
      packetOf(
        'message',
        room.at(sender.nick),
        session.address,
        attributesOf(packet.element),
        ...reflectedMessage(room.text, packet.element),
        // §7.5: what tells the clients of the recipient apart from a message of a contact.
        userElement(),
        occupantIdElement(sender.id),
      ),
    );
  }
}

/** An error that an occupant's client answers a private message with, for whoever sent it. */
export function passError(room: Room, turn: Turn, packet: Packet, nick: string): void {
  const sender = room.occupants.of(packet.from);
  const target = room.occupants.named(nick);
  const error = childOf(packet.element, 'error', NS.client);
  if (sender === undefined || target === undefined || error === undefined) return;
  if (!room.messageFlow.take(sender.bare, turn.now)) return;
  for (const { session } of viewersOf(target)) {
    turn.send(packetOf(packet.kind, room.at(sender.nick), session.address, attributesOf(packet.element), error));
  }
}

/** Whether a message, which counts for `cost` of them, is neither too long nor one too many; otherwise it was returned. */
export function isWithinBounds(room: Room, turn: Turn, packet: Packet, cost: number = 1): boolean {
  if (writeElement(packet.element, NS.client).length > room.limits.message) {
    turn.refuse(packet, { condition: 'policy-violation', text: 'The message is too long for this room.' });
    return false;
  }
  const user = printJid({ ...packet.from, resource: undefined });
  if (room.messageFlow.take(user, turn.now, cost)) return true;
  turn.notes.push({ note: 'room-flood', room: room.text, from: user, what: 'messages' });
  turn.refuse(packet, {
    condition: 'resource-constraint',
    text: 'You send more messages than this room takes; wait a little.',
  });
  return false;
}
