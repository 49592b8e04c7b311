import { attributeOf } from '../../protocol/xml/write.ts';
import type { Packet } from '../packet.ts';
import { announce, asPresent, type Viewer } from './presences.ts';
import type { Room } from './room.ts';
import { reflectedPresence } from './sanitation.ts';
import type { Refusal } from './stanzas.ts';
import type { Turn } from './turn.ts';

export const NO_NICK: Refusal = { condition: 'jid-malformed', text: 'A nickname is needed to enter the room.' };

/** What is wrong with a nickname (XEP-0045 §17.1). */
export function faultOfNick(room: Room, nick: string): Refusal | undefined {
  if (nick.trim() === '') return NO_NICK;
  return nick.length > room.limits.nick
    ? { condition: 'not-acceptable', text: `A nickname has at most ${room.limits.nick} characters here.` }
    : undefined;
}

/**
 * An occupant gives itself another nickname (XEP-0045 §7.6), for all its clients: they are one occupant. Each viewer is told that the old one is gone,
 * and then of the new one. Returns whether the nickname was changed; otherwise it was refused.
 */
export function changeNick(room: Room, turn: Turn, packet: Packet, nick: string, viewers: readonly Viewer[]): boolean {
  const occupant = room.occupants.of(packet.from);
  if (occupant === undefined) return false;
  const holder = room.occupants.resembling(nick);
  const refusal = faultOfNick(room, nick) ?? (holder === undefined || holder === occupant ? undefined : NICK_TAKEN);
  if (refusal !== undefined) {
    turn.refuse(packet, refusal);
    return false;
  }
  room.occupants.show(occupant, packet.from, reflectedPresence(packet.element));
  const now = asPresent(occupant);
  const end = { ...now, type: 'unavailable', children: [], newNick: nick, codes: [303] } as const;
  announce(room, turn, occupant, end, viewers);
  room.occupants.rename(occupant, nick);
  const answers = { address: packet.from, id: attributeOf(packet.element, 'id') };
  announce(room, turn, occupant, { ...now, answers }, viewers);
  return true;
}

export const NICK_TAKEN: Refusal = {
  condition: 'conflict',
  text: 'Somebody else has this nickname, or one that looks like it.',
};
