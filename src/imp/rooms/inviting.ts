import type { Jid } from '../../protocol/jid/jid.ts';
import { readJid } from '../../protocol/jid/prepare.ts';
import { bareOf, printJid } from '../../protocol/jid/print.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf, childOf, element } from '../../protocol/xml/write.ts';
import { childrenOf } from '../elements.ts';
import type { Packet } from '../packet.ts';
import { isWithinBounds, NOT_HERE } from './messages.ts';
import { MUC } from './namespaces.ts';
import { reasonElement, userElement } from './presences.ts';
import type { Room } from './room.ts';
import { boundedText } from './sanitation.ts';
import { isAtLeast } from './standing.ts';
import { packetOf } from './stanzas.ts';
import type { Turn } from './turn.ts';

/** Invitations in one message. */
const AT_ONCE = 10;

/** A mediated invitation (XEP-0045 §7.8.2): an occupant asks the room to invite somebody. */
export function invite(room: Room, turn: Turn, packet: Packet, invitations: readonly XmlElement[]): void {
  const inviter = room.occupants.of(packet.from);
  if (inviter === undefined) return turn.refuse(packet, NOT_HERE);
  if (!mayInvite(room, packet.from))
    return turn.refuse(packet, { condition: 'forbidden', text: 'You may not invite anybody into this room.' });
  if (invitations.length > AT_ONCE)
    return turn.refuse(packet, { condition: 'policy-violation', text: 'These are too many invitations at once.' });
  const invited = invitations.map((each) => ({ user: addressIn(each), invitation: each }));
  const newMembers = new Set<string>();
  for (const { user } of invited) {
    if (user === undefined)
      return turn.refuse(packet, {
        condition: 'jid-malformed',
        text: 'The address of whoever is invited is malformed.',
      });
    const affiliation = room.affiliations.of(user);
    if (affiliation === 'outcast')
      return turn.refuse(packet, { condition: 'not-allowed', text: 'Whoever is invited is banned from this room.' });
    if (room.config.membersOnly && affiliation === 'none') newMembers.add(printJid(user));
  }
  if (newMembers.size > 0 && room.affiliations.size + newMembers.size > room.limits.affiliations)
    return turn.refuse(packet, { condition: 'resource-constraint', text: 'The lists of this room are full.' });
  if (!isWithinBounds(room, turn, packet, invited.length)) return;
  // §9.5: whoever is invited into a members-only room becomes a member.
  for (const member of newMembers) room.affiliations.set(member, 'member', undefined);
  for (const { user, invitation } of invited) {
    if (user === undefined) continue;
    room.invitations.add(printJid(user), inviter.bare);
    turn.send(invitationPacket(room, { from: inviter.user, to: user, invitation }));
  }
}

/** What an invitation looks like that comes from the room. */
function invitationPacket(
  room: Room,
  { from, to, invitation }: { readonly from: Jid; readonly to: Jid; readonly invitation: XmlElement | undefined },
): Packet {
  const continued = invitation === undefined ? undefined : childOf(invitation, 'continue', MUC.user);
  const thread = continued === undefined ? undefined : attributeOf(continued, 'thread');
  const invite = element(
    'invite',
    MUC.user,
    { from: printJid(from) },
    reasonElement(invitation === undefined ? undefined : boundedText(invitation, 'reason', MUC.user, room.limits.text)),
    // §7.9: a conversation of two goes on in the room.
    continued === undefined ? undefined : element('continue', MUC.user, { thread: thread?.slice(0, room.limits.text) }),
  );
  // §7.8.2: with the invitation comes the password.
  const password =
    room.config.password === undefined ? undefined : element('password', MUC.user, {}, room.config.password);
  return packetOf('message', room.address, to, {}, userElement(invite, password));
}

/** The invitation that an admin's entry in the member list of a members-only room brings (XEP-0045 §9.5). */
export function inviteMember(room: Room, turn: Turn, member: Jid, by: Jid): void {
  room.invitations.add(printJid(member), printJid(bareOf(by)));
  turn.send(invitationPacket(room, { from: bareOf(by), to: member, invitation: undefined }));
}

/** XEP-0045 §7.8.2: into a members-only room admins invite, and members where the configuration says so; into an open one everybody, or moderators. */
function mayInvite(room: Room, address: Jid): boolean {
  const { affiliation, role } = room.standingOf(address);
  if (isAtLeast(affiliation, 'admin')) return true;
  if (room.config.membersOnly) return room.config.allowInvites && affiliation === 'member';
  return room.config.allowInvites || role === 'moderator';
}

/** Somebody who was invited says no (XEP-0045 §7.8.2); whoever invited them learns of it, if there was an invitation. */
export function decline(room: Room, turn: Turn, packet: Packet, declined: XmlElement): void {
  const inviter = addressIn(declined);
  if (inviter === undefined)
    return turn.refuse(packet, { condition: 'jid-malformed', text: 'The address of whoever invited is malformed.' });
  const invited = bareOf(packet.from);
  if (!room.invitations.take(printJid(invited), printJid(inviter)))
    return turn.refuse(packet, { condition: 'item-not-found', text: 'There is no such invitation.' });
  const reason = boundedText(declined, 'reason', MUC.user, room.limits.text);
  const words = element('decline', MUC.user, { from: printJid(invited) }, reasonElement(reason));
  turn.send(packetOf('message', room.address, inviter, {}, userElement(words)));
}

/** The invitations in a message to the room. */
export function invitationsIn(message: XmlElement): readonly XmlElement[] {
  const user = childOf(message, 'x', MUC.user);
  return user === undefined ? [] : childrenOf(user, 'invite', MUC.user);
}

export function declineIn(message: XmlElement): XmlElement | undefined {
  const user = childOf(message, 'x', MUC.user);
  return user === undefined ? undefined : childOf(user, 'decline', MUC.user);
}

/** The bare address in `to`: who is invited, or who invited. */
function addressIn(invitation: XmlElement): Jid | undefined {
  const jid = readJid(attributeOf(invitation, 'to') ?? '');
  return jid?.local === undefined ? undefined : bareOf(jid);
}
