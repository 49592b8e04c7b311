import type { Jid } from '../../protocol/jid/jid.ts';
import { printJid } from '../../protocol/jid/print.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf, childOf, element, textOf, writeElement } from '../../protocol/xml/write.ts';
import { delayOf } from '../delay.ts';
import type { Packet } from '../packet.ts';
import { isArchived } from './config.ts';
import { ALL_HISTORY, type Remembered, readHistoryRequest } from './history.ts';
import { MUC } from './namespaces.ts';
import { changeNick, faultOfNick, NICK_TAKEN, NO_NICK } from './nicknames.ts';
import type { Occupant } from './occupants.ts';
import {
  announce,
  asPresent,
  occupantIdElement,
  statusElements,
  userElement,
  viewersIn,
  viewersOf,
} from './presences.ts';
import type { Room } from './room.ts';
import { reflectedPresence } from './sanitation.ts';
import { initialRole, isAtLeast } from './standing.ts';
import { packetOf, type Refusal } from './stanzas.ts';
import type { Turn } from './turn.ts';

/** Admins and owners who can enter a full room (XEP-0045 §7.2.9: a reasonable number). */
const SPARE_SEATS = 10;

/** An available presence to an address in the room: somebody enters, or an occupant changes presence or nickname (XEP-0045 §7.2, §7.6, §7.7). */
export function arrive(room: Room, turn: Turn, packet: Packet): void {
  const nick = packet.to.resource;
  // §7.2.1: entering needs a nickname.
  if (nick === undefined) return turn.refuse(packet, NO_NICK);
  if (writeElement(packet.element, 'jabber:client').length > room.limits.presence)
    return turn.refuse(packet, { condition: 'policy-violation', text: 'The presence is too long for this room.' });
  const user = printJid({ ...packet.from, resource: undefined });
  if (!room.presenceFlow.take(user, turn.now)) {
    turn.notes.push({ note: 'room-flood', room: room.text, from: user, what: 'presence' });
    return turn.refuse(packet, FLOOD);
  }
  const join = childOf(packet.element, 'x', MUC.join);
  const occupant = room.occupants.of(packet.from);
  if (occupant === undefined) {
    if (join === undefined) return turn.send(notHere(packet));
    return enter(room, turn, packet, nick, join);
  }
  if (join === undefined) {
    if (occupant.nick === nick) update(room, turn, packet, occupant);
    else changeNick(room, turn, packet, nick, viewersIn(room));
    return;
  }
  // §7.2.1, §17.3: a client that enters again has lost its view of the room; it gets all of it, the others what is new.
  const me = room.occupants.sessionOf(packet.from);
  const others = viewersIn(room).filter(({ session }) => session !== me);
  if (occupant.nick === nick) {
    room.occupants.show(occupant, packet.from, reflectedPresence(packet.element));
    announce(room, turn, occupant, asPresent(occupant), others);
  } else if (!changeNick(room, turn, packet, nick, others)) return;
  welcome(room, turn, packet, occupant, join, []);
}

/**
 * XEP-0045 §7.2.18: a presence without a wish to enter, from somebody who is not here. A client that believes it is in the room learns that it is not,
 * after a restart of the node for instance; it is not let in, as the old groupchat protocol would have it.
 */
export function notHere(packet: Packet): Packet {
  const item = element(
    'item',
    MUC.user,
    { affiliation: 'none', role: 'none' },
    element('reason', MUC.user, {}, 'You are not in the room.'),
  );
  return packetOf(
    'presence',
    packet.to,
    packet.from,
    { type: 'unavailable' },
    userElement(item, ...statusElements([110, 307, 333])),
  );
}

const FLOOD: Refusal = {
  condition: 'resource-constraint',
  text: 'You change your presence in this room too often; wait a little.',
};

/** XEP-0045 §7.2. `created`: the room was made by this presence (§10.1.1). */
export function enter(
  room: Room,
  turn: Turn,
  packet: Packet,
  wanted: string,
  join: XmlElement,
  created: boolean = false,
): void {
  const bare = printJid({ ...packet.from, resource: undefined });
  const holder = room.occupants.resembling(wanted);
  const refusal = faultOfNick(room, wanted) ?? refusalTo(room, packet, join, holder, bare);
  if (refusal !== undefined) return turn.refuse(packet, refusal);
  // §7.2.8: another client of a user who is here under this nickname, as it is written already (210).
  const occupant =
    holder ??
    room.occupants.add(
      wanted,
      packet.from,
      initialRole(room.affiliations.of(packet.from), room.config),
      room.occupantId(bare),
    );
  const others = viewersIn(room);
  room.occupants.show(occupant, packet.from, reflectedPresence(packet.element));
  announce(room, turn, occupant, asPresent(occupant), others);
  const codes = [...(created ? [201] : []), ...(occupant.nick === wanted ? [] : [210])];
  welcome(room, turn, packet, occupant, join, codes);
}

/** Why somebody may not enter (XEP-0045 §7.2.5 to §7.2.10). */
function refusalTo(
  room: Room,
  packet: Packet,
  join: XmlElement,
  holder: Occupant | undefined,
  bare: string,
): Refusal | undefined {
  const { config, limits } = room;
  const affiliation = room.affiliations.of(packet.from);
  if (affiliation === 'outcast') return { condition: 'forbidden', text: 'You are banned from this room.' };
  if (room.locked && affiliation !== 'owner')
    return { condition: 'item-not-found', text: 'The room is not configured yet.' };
  if (config.password !== undefined) {
    const password = childOf(join, 'password', MUC.join);
    if (password === undefined || textOf(password) !== config.password)
      return { condition: 'not-authorized', text: 'The room has a password, and this is not it.' };
  }
  if (initialRole(affiliation, config) === 'none')
    return { condition: 'registration-required', text: 'Only members can enter the room.' };
  if (holder !== undefined) {
    if (holder.bare !== bare) return NICK_TAKEN;
    return holder.sessions.size >= limits.sessionsPerNick
      ? { condition: 'resource-constraint', text: 'You are in the room with too many clients.' }
      : undefined;
  }
  const seats = Math.min(config.maxUsers, limits.occupants) + (isAtLeast(affiliation, 'admin') ? SPARE_SEATS : 0);
  return room.occupants.size >= seats
    ? { condition: 'service-unavailable', type: 'wait', text: 'The room is full.' }
    : undefined;
}

/** What a client gets that has entered, in this order: the others, itself, the history, the subject (XEP-0045 §7.1). */
function welcome(
  room: Room,
  turn: Turn,
  packet: Packet,
  occupant: Occupant,
  join: XmlElement,
  codes: readonly number[],
): void {
  const me = viewersOf(occupant).filter(({ session }) => session === room.occupants.sessionOf(packet.from));
  for (const other of room.occupants.all()) {
    if (other !== occupant) announce(room, turn, other, asPresent(other), me);
  }
  const { config } = room;
  announce(
    room,
    turn,
    occupant,
    {
      ...asPresent(occupant),
      // §7.2.3: everybody sees addresses here; §7.2.12: what is said here is kept.
      ownCodes: [...(config.whois === 'anyone' ? [100] : []), ...(isArchived(config) ? [170] : []), ...codes],
      answers: { address: packet.from, id: attributeOf(packet.element, 'id') },
    },
    me,
  );
  const asked = childOf(join, 'history', MUC.join);
  const request = asked === undefined ? ALL_HISTORY : readHistoryRequest(asked, turn.now);
  for (const remembered of room.history.recent(request, config.history))
    turn.send(readdressed(room, remembered, packet.from));
  turn.send(subjectPacket(room, packet));
}

/** §7.2.13: a message of the history is from its occupant, who may be gone. */
function readdressed(room: Room, { nick, element: remembered }: Remembered, to: Jid): Packet {
  const address = { name: 'to', namespace: '', value: printJid(to) };
  const element = { ...remembered, attributes: [...remembered.attributes, address] };
  return { kind: 'message', from: nick === undefined ? room.address : room.at(nick), to, element };
}

/** §7.2.15: the subject as it was last changed; an empty one when there never was one. */
function subjectPacket(room: Room, { from }: Packet): Packet {
  const { subject } = room;
  if (subject === undefined)
    return packetOf('message', room.address, from, { type: 'groupchat' }, element('subject', 'jabber:client'));
  return packetOf(
    'message',
    room.at(subject.nick),
    from,
    { type: 'groupchat' },
    ...subject.texts,
    delayOf(room.text, subject.at),
    occupantIdElement(subject.occupantId),
  );
}

/** §7.7: an occupant changes what it shows of itself. */
function update(room: Room, turn: Turn, packet: Packet, occupant: Occupant): void {
  room.occupants.show(occupant, packet.from, reflectedPresence(packet.element));
  announce(room, turn, occupant, {
    ...asPresent(occupant),
    answers: { address: packet.from, id: attributeOf(packet.element, 'id') },
  });
}
