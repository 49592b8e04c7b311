import type { Jid } from '../../protocol/jid/jid.ts';
import { printJid } from '../../protocol/jid/print.ts';
import { destroy } from './destroying.ts';
import { announce, asPresent } from './presences.ts';
import type { Room } from './room.ts';
import { roleAfter } from './standing.ts';
import type { Turn } from './turn.ts';

/**
 * Takes a user who is no more out of the lists of a room. A room has an owner (XEP-0045 §10): after the last one its admins become owners, without admins
 * its members; a room that nobody is left to own is destroyed.
 */
export function succeed(room: Room, turn: Turn, user: Jid): void {
  const address = printJid(user);
  const entry = room.affiliations.entry(address);
  if (entry === undefined) return;
  room.affiliations.set(address, 'none', undefined);
  if (entry.affiliation !== 'owner' || room.affiliations.owners().length > 0) return;
  const admins = room.affiliations.list('admin');
  const heirs = admins.length > 0 ? admins : room.affiliations.list('member').filter(([heir]) => heir.includes('@'));
  if (heirs.length === 0) {
    destroy(room, turn, { venue: undefined, password: undefined, reason: 'The room has lost its owner.' });
    turn.notes.push({ note: 'room-ended', room: room.text, because: 'destroyed', by: undefined });
    return;
  }
  for (const [heir, { affiliation, reason }] of heirs) {
    room.affiliations.set(heir, 'owner', reason);
    for (const occupant of room.occupants.ofUser(heir)) {
      occupant.role = roleAfter(occupant.role, affiliation, 'owner', room.config);
      announce(room, turn, occupant, asPresent(occupant));
    }
  }
}
