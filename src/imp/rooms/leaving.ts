import type { Jid } from '../../protocol/jid/jid.ts';
import { printJid } from '../../protocol/jid/print.ts';
import { NS } from '../../protocol/namespaces.ts';
import { readStanzaError, type StanzaErrorCondition } from '../../protocol/stream/stanza-error.ts';
import type { XmlElement, XmlNode } from '../../protocol/xml/types.ts';
import { childOf } from '../../protocol/xml/write.ts';
import type { Packet } from '../packet.ts';
import { destroy } from './destroying.ts';
import type { Occupant } from './occupants.ts';
import { type Actor, announce, asPresent, viewersIn, viewersOf } from './presences.ts';
import type { Room } from './room.ts';
import { reflectedPresence } from './sanitation.ts';
import type { Turn } from './turn.ts';

/**
 * Delivery errors after which an occupant is taken for a ghost (XEP-0045 §18.1.2, and what servers answer for clients and domains that are gone). What a
 * client says of the content of a stanza is not among them.
 */
const GHOSTLY: ReadonlySet<StanzaErrorCondition> = new Set([
  'gone',
  'internal-server-error',
  'item-not-found',
  'jid-malformed',
  'recipient-unavailable',
  'redirect',
  'remote-server-not-found',
  'remote-server-timeout',
  'service-unavailable',
]);

/** An unavailable presence: the client leaves (XEP-0045 §7.14). From somebody who is not here it says nothing (§17.3). */
export function leave(room: Room, turn: Turn, packet: Packet): void {
  endSession(room, turn, packet.from, { children: reflectedPresence(packet.element), codes: [] });
}

/** Whether an error that came back says that whoever sent it cannot be reached. */
export function isGhostly(stanza: XmlElement): boolean {
  const error = childOf(stanza, 'error', NS.client);
  return error !== undefined && GHOSTLY.has(readStanzaError(error));
}

/** Takes a client away that cannot be reached (XEP-0045 §11.1). Returns whether it was here. */
export function removeGhost(room: Room, turn: Turn, packet: Packet): boolean {
  const error = childOf(packet.element, 'error', NS.client);
  const condition = error === undefined ? 'undefined-condition' : readStanzaError(error);
  const removed = endSession(room, turn, packet.from, { children: [], codes: [333] });
  if (removed) turn.notes.push({ note: 'room-ghost', room: room.text, occupant: printJid(packet.from), condition });
  return removed;
}

function endSession(
  room: Room,
  turn: Turn,
  address: Jid,
  { children, codes }: { readonly children: readonly XmlNode[]; readonly codes: readonly number[] },
): boolean {
  const occupant = room.occupants.of(address);
  const session = room.occupants.sessionOf(address);
  if (occupant === undefined || session === undefined) return false;
  // XEP-0045 §10.1.3: a room whose owner leaves before it is configured is destroyed.
  if (room.locked && room.occupants.size === 1 && occupant.sessions.size === 1) {
    destroy(room, turn, undefined);
    return true;
  }
  const wasShown = asPresent(occupant).session === session;
  const rest = room.occupants.dropSession(occupant, address);
  const farewell = { type: 'unavailable', role: 'none', children, session, codes } as const;
  announce(room, turn, occupant, farewell, [{ occupant, session }]);
  if (rest === 'gone') announce(room, turn, occupant, farewell);
  // §7.2.8: the occupant is still here with another client, whose presence is now the one that counts.
  else if (wasShown) announce(room, turn, occupant, asPresent(occupant));
  endWhenEmpty(room);
  return true;
}

/** An occupant that somebody, or a rule of the room, puts out. */
export interface Expulsion {
  readonly occupant: Occupant;
  /** 301: banned, 307: kicked, 321: no member any more, 322: the room is for members now, 332: the service stops (XEP-0045 §16.6.2). */
  readonly code: 301 | 307 | 321 | 322 | 332;
  readonly reason?: string | undefined;
  readonly actor?: Actor | undefined;
}

/**
 * Puts occupants out, with all their clients: they are told first, then `meanwhile` happens (the admin has the result), then the others are told
 * (XEP-0045 §8.2).
 */
export function expel(
  room: Room,
  turn: Turn,
  expulsions: readonly Expulsion[],
  meanwhile: () => void = () => {},
): void {
  const farewells = expulsions.map(({ occupant, code, reason, actor }) => {
    const { session } = asPresent(occupant);
    const clients = viewersOf(occupant);
    return {
      occupant,
      clients,
      words: { type: 'unavailable', role: 'none', children: [], session, codes: [code], reason, actor },
    } as const;
  });
  for (const { occupant } of farewells) room.occupants.drop(occupant);
  for (const { occupant, clients, words } of farewells) {
    for (const client of clients) announce(room, turn, occupant, { ...words, session: client.session }, [client]);
  }
  meanwhile();
  const left = viewersIn(room);
  for (const { occupant, words } of farewells) announce(room, turn, occupant, words, left);
  endWhenEmpty(room);
}

/** XEP-0045 §7.14: a temporary room ends with its last occupant. */
function endWhenEmpty(room: Room): void {
  if (room.occupants.size === 0 && !room.config.persistent) room.ended = true;
}
