import { bareOf, printJid } from '../../protocol/jid/print.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf, childOf, element } from '../../protocol/xml/write.ts';
import { formIn } from '../forms/data-form.ts';
import type { Packet } from '../packet.ts';
import { isArchived, type RoomConfig } from './config.ts';
import { readConfigForm, writeConfigForm } from './config-form.ts';
import { destroy, readDestroy } from './destroying.ts';
import { expel } from './leaving.ts';
import { MUC } from './namespaces.ts';
import { announce, asPresent, statusElements, userElement, viewersIn } from './presences.ts';
import type { Room } from './room.ts';
import { initialRole } from './standing.ts';
import { packetOf, resultOf } from './stanzas.ts';
import type { Turn } from './turn.ts';

/** A `<query xmlns='http://jabber.org/protocol/muc#owner'/>`: the configuration, and the end of the room (XEP-0045 §10.1, §10.2, §10.9). */
export function own(room: Room, turn: Turn, packet: Packet, query: XmlElement): void {
  if (room.affiliations.of(packet.from) !== 'owner')
    return turn.refuse(packet, { condition: 'forbidden', text: 'Only owners configure and destroy a room.' });
  if (attributeOf(packet.element, 'type') === 'get') {
    const form = writeConfigForm(room.text, room.config, room.limits);
    return turn.send(resultOf(packet, element('query', MUC.owner, {}, form)));
  }
  const end = childOf(query, 'destroy', MUC.owner);
  if (end !== undefined) return destroyFor(room, turn, packet, end);
  configure(room, turn, packet, query);
}

function destroyFor(room: Room, turn: Turn, packet: Packet, end: XmlElement): void {
  const farewell = readDestroy(end, room.limits.text);
  if (farewell === 'malformed')
    return turn.refuse(packet, { condition: 'jid-malformed', text: 'The address of the other room is malformed.' });
  destroy(room, turn, farewell);
  turn.send(resultOf(packet));
  turn.notes.push({ note: 'room-ended', room: room.text, because: 'destroyed', by: printJid(bareOf(packet.from)) });
}

function configure(room: Room, turn: Turn, packet: Packet, query: XmlElement): void {
  const form = formIn(query);
  if (form === undefined || form === 'malformed' || (form.type !== 'submit' && form.type !== 'cancel'))
    return turn.refuse(packet, { condition: 'bad-request', text: 'There is no form that is submitted or cancelled.' });
  if (form.type === 'cancel') {
    // §10.1.3: without its first configuration the room never was.
    if (room.locked) destroy(room, turn, undefined);
    return turn.send(resultOf(packet));
  }
  const config = readConfigForm(form, room.config, room.limits);
  if ('condition' in config) return turn.refuse(packet, config);
  const before = room.config;
  room.config = config;
  room.changed = true;
  // §10.1.2: the room is there for everybody now.
  const wasLocked = room.locked;
  room.locked = false;
  turn.send(resultOf(packet));
  applyTo(room, turn, before);
  if (!wasLocked) tellChange(room, turn, before, config);
  // A persistent room that was empty ends when it becomes temporary.
  if (room.occupants.size === 0 && !config.persistent) room.ended = true;
}

/** What a configuration changes for those who are here. */
function applyTo(room: Room, turn: Turn, before: RoomConfig): void {
  const { config } = room;
  // §10.2: a room for members has no others in it.
  const strangers = room.occupants
    .all()
    .filter((occupant) => initialRole(room.affiliations.of(occupant.user), config) === 'none');
  if (strangers.length > 0)
    expel(
      room,
      turn,
      strangers.map((occupant) => ({ occupant, code: 322 })),
    );
  // Without moderation nobody waits for a moderator to be given voice.
  if (!before.moderated || config.moderated) return;
  for (const occupant of room.occupants.all()) {
    if (occupant.role !== 'visitor') continue;
    occupant.role = 'participant';
    announce(room, turn, occupant, asPresent(occupant));
  }
}

/** §10.2.1: what bears on privacy has codes of its own, everything else has 104. */
function tellChange(room: Room, turn: Turn, before: RoomConfig, after: RoomConfig): void {
  const codes: number[] = [];
  if (isArchived(before) !== isArchived(after)) codes.push(isArchived(after) ? 170 : 171);
  if (before.whois !== after.whois) codes.push(after.whois === 'anyone' ? 172 : 173);
  if (hasOtherChange(before, after)) codes.push(104);
  if (codes.length === 0) return;
  for (const { session } of viewersIn(room)) {
    turn.send(
      packetOf(
        'message',
        room.address,
        session.address,
        { id: turn.newId(), type: 'groupchat' },
        userElement(...statusElements(codes)),
      ),
    );
  }
}

/** What has a code of its own. */
const PRIVACY: ReadonlySet<string> = new Set<keyof RoomConfig>(['whois', 'archive']);

function hasOtherChange(before: RoomConfig, after: RoomConfig): boolean {
  const former = new Map<string, unknown>(Object.entries(before));
  return Object.entries(after).some(([name, value]) => !PRIVACY.has(name) && former.get(name) !== value);
}
