import type { Jid } from '../../protocol/jid/jid.ts';
import { prepareResource, readJid } from '../../protocol/jid/prepare.ts';
import { bareOf, printJid } from '../../protocol/jid/print.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf, element } from '../../protocol/xml/write.ts';
import { childrenOf } from '../elements.ts';
import type { Packet } from '../packet.ts';
import { inviteMember } from './inviting.ts';
import { type Expulsion, expel } from './leaving.ts';
import { MUC } from './namespaces.ts';
import { type Occupant, shownSession } from './occupants.ts';
import { type Actor, announce, asPresent } from './presences.ts';
import { affiliationChange, mayListAffiliation, mayListRole, roleChange, type Verdict } from './privileges.ts';
import type { Room } from './room.ts';
import { boundedText } from './sanitation.ts';
import { type Affiliation, initialRole, isAffiliation, isRole, type Role, roleAfter } from './standing.ts';
import { type Refusal, resultOf } from './stanzas.ts';
import type { Turn } from './turn.ts';

/** Changes in one request. */
const AT_ONCE = 200;

/** A `<query xmlns='http://jabber.org/protocol/muc#admin'/>`: lists of roles and affiliations, and changes of them (XEP-0045 §8, §9, §10.3 to §10.8). */
export function administrate(room: Room, turn: Turn, packet: Packet, query: XmlElement): void {
  const items = childrenOf(query, 'item', MUC.admin);
  const [first] = items;
  if (first === undefined) return turn.refuse(packet, wrong('The request has no item.'));
  if (attributeOf(packet.element, 'type') === 'get') return list(room, turn, packet, first);
  if (items.length > AT_ONCE)
    return turn.refuse(packet, { condition: 'policy-violation', text: `At most ${AT_ONCE} changes are made at once.` });
  change(room, turn, packet, items);
}

function list(room: Room, turn: Turn, packet: Packet, item: XmlElement): void {
  const affiliation = attributeOf(item, 'affiliation');
  const role = attributeOf(item, 'role');
  const actor = room.standingOf(packet.from);
  const isAnonymous = room.config.whois === 'moderators';
  if (isAffiliation(affiliation) && role === undefined) {
    const verdict = mayListAffiliation(actor.affiliation, affiliation, isAnonymous);
    if (verdict !== 'granted') return turn.refuse(packet, refusalFor(verdict));
    const entries = room.affiliations
      .list(affiliation)
      .map(([jid, { reason }]) =>
        element(
          'item',
          MUC.admin,
          { affiliation, jid },
          reason === undefined ? undefined : element('reason', MUC.admin, {}, reason),
        ),
      );
    return turn.send(resultOf(packet, element('query', MUC.admin, {}, ...entries)));
  }
  if (!isRole(role) || affiliation !== undefined) return turn.refuse(packet, wrong('The item names no list.'));
  const verdict = mayListRole(actor, role);
  if (verdict !== 'granted') return turn.refuse(packet, refusalFor(verdict));
  const occupants = room.occupants.all().filter((occupant) => occupant.role === role);
  const entries = occupants.map((occupant) =>
    element('item', MUC.admin, {
      affiliation: room.affiliations.of(occupant.user),
      role,
      nick: occupant.nick,
      jid: printJid(shownSession(occupant).address),
    }),
  );
  turn.send(resultOf(packet, element('query', MUC.admin, {}, ...entries)));
}

/** What one item of a request asks for. */
type Wish =
  | { readonly what: 'role'; readonly occupant: Occupant; readonly to: Role; readonly reason: string | undefined }
  | {
      readonly what: 'affiliation';
      /** A bare address or a domain. */
      readonly user: Jid;
      readonly to: Affiliation;
      readonly reason: string | undefined;
    };

/** All of the changes, or none (XEP-0045 §9.2). */
function change(room: Room, turn: Turn, packet: Packet, items: readonly XmlElement[]): void {
  const wishes: Wish[] = [];
  for (const item of items) {
    const wish = readWish(room, item);
    if ('condition' in wish) return turn.refuse(packet, wish);
    wishes.push(wish);
  }
  for (const wish of wishes) {
    const verdict = judge(room, packet.from, wish);
    if (verdict !== 'granted') return turn.refuse(packet, refusalFor(verdict));
  }
  if (!keepsAnOwner(room, wishes))
    return turn.refuse(packet, { condition: 'conflict', text: 'A room has at least one owner.' });
  const added = addedEntries(room, wishes);
  if (added > 0 && room.affiliations.size + added > room.limits.affiliations)
    return turn.refuse(packet, { condition: 'resource-constraint', text: 'The lists of this room are full.' });
  apply(room, turn, packet, wishes);
}

/** XEP-0045 §17.4: roles go by nickname, affiliations by address; an item has one of them. */
function readWish(room: Room, item: XmlElement): Wish | Refusal {
  const affiliation = attributeOf(item, 'affiliation');
  const role = attributeOf(item, 'role');
  const jid = attributeOf(item, 'jid');
  const nick = prepareResource(attributeOf(item, 'nick') ?? '');
  const reason = boundedText(item, 'reason', MUC.admin, room.limits.text);
  if ((affiliation === undefined) === (role === undefined))
    return wrong('An item changes either a role or an affiliation.');
  const occupant = nick === undefined ? undefined : room.occupants.named(nick);
  if (role !== undefined) {
    if (!isRole(role) || nick === undefined) return wrong('A role is one of XEP-0045, and of a nickname.');
    if (occupant === undefined) return { condition: 'item-not-found', text: 'Nobody has this nickname.' };
    return { what: 'role', occupant, to: role, reason };
  }
  if (!isAffiliation(affiliation)) return wrong('There is no such affiliation.');
  // COMPAT(Gajim, Psi): the ban of an occupant can come with the nickname instead of the address.
  const user = jid === undefined ? occupant?.user : addressOf(jid);
  if (user === undefined)
    return { condition: 'jid-malformed', text: 'The address of an item is missing or malformed.' };
  // §9.2: a domain stands for all of its users; nobody speaks for all of them.
  if (user.local === undefined && (affiliation === 'owner' || affiliation === 'admin'))
    return { condition: 'not-acceptable', text: 'A domain is no owner or admin.' };
  return { what: 'affiliation', user, to: affiliation, reason };
}

/** §10.3: a full address stands for its user. */
function addressOf(text: string): Jid | undefined {
  const jid = readJid(text);
  return jid === undefined ? undefined : bareOf(jid);
}

function judge(room: Room, actor: Jid, wish: Wish): Verdict {
  const standing = room.standingOf(actor);
  if (wish.what === 'role') {
    const target = { affiliation: room.affiliations.of(wish.occupant.user), role: wish.occupant.role };
    return roleChange(standing, target, wish.to);
  }
  const address = printJid(wish.user);
  return affiliationChange({
    actor: standing.affiliation,
    from: room.affiliations.entry(address)?.affiliation ?? 'none',
    to: wish.to,
    isOwn: address === printJid(bareOf(actor)),
    isLastOwner: room.affiliations.owners().every((owner) => owner === address),
  });
}

/** §10.4: the changes of a request together must not leave the room without an owner. */
function keepsAnOwner(room: Room, wishes: readonly Wish[]): boolean {
  const owners = new Set(room.affiliations.owners());
  for (const wish of wishes) {
    if (wish.what === 'role') continue;
    if (wish.to === 'owner') owners.add(printJid(wish.user));
    else owners.delete(printJid(wish.user));
  }
  return owners.size > 0;
}

/** How many entries the lists get that they do not have. */
function addedEntries(room: Room, wishes: readonly Wish[]): number {
  const added = new Set<string>();
  for (const wish of wishes) {
    if (wish.what === 'role' || wish.to === 'none') continue;
    const address = printJid(wish.user);
    if (room.affiliations.entry(address) === undefined) added.add(address);
  }
  return added.size;
}

function apply(room: Room, turn: Turn, packet: Packet, wishes: readonly Wish[]): void {
  const actor: Actor = { bare: printJid(bareOf(packet.from)), nick: room.occupants.of(packet.from)?.nick };
  const changed = new Map<Occupant, string | undefined>();
  const expulsions = new Map<Occupant, Expulsion>();
  const newMembers: Jid[] = [];
  for (const wish of wishes) {
    const { reason } = wish;
    if (wish.what === 'role') {
      const { occupant, to } = wish;
      if (to === 'none') expulsions.set(occupant, { occupant, code: 307, reason, actor });
      else if (occupant.role !== to) {
        occupant.role = to;
        changed.set(occupant, reason);
      }
      continue;
    }
    const before = room.occupants.all().map((occupant) => ({ occupant, from: room.affiliations.of(occupant.user) }));
    const wasNone = room.affiliations.of(wish.user) === 'none';
    room.affiliations.set(printJid(wish.user), wish.to, reason);
    if (wish.to === 'member' && wasNone && wish.user.local !== undefined) newMembers.push(wish.user);
    for (const { occupant, from } of before) {
      const to = room.affiliations.of(occupant.user);
      if (to === from) continue;
      if (initialRole(to, room.config) === 'none') {
        // §9.1: banned; §9.4: no member any more, in a room for members.
        expulsions.set(occupant, { occupant, code: to === 'outcast' ? 301 : 321, reason, actor });
        continue;
      }
      occupant.role = roleAfter(occupant.role, from, to, room.config);
      changed.set(occupant, reason);
    }
  }
  // §8.2: those who are put out, then the admin, then everybody.
  expel(room, turn, [...expulsions.values()], () => {
    turn.send(resultOf(packet));
  });
  for (const [occupant, reason] of changed) {
    if (!expulsions.has(occupant)) announce(room, turn, occupant, { ...asPresent(occupant), reason, actor });
  }
  // §9.5: a new member of a members-only room is told where it may go.
  if (!room.config.membersOnly) return;
  for (const member of newMembers) {
    if (room.occupants.ofUser(printJid(member)).length === 0) inviteMember(room, turn, member, packet.from);
  }
}

function wrong(text: string): Refusal {
  return { condition: 'bad-request', text };
}

function refusalFor(verdict: Exclude<Verdict, 'granted'>): Refusal {
  switch (verdict) {
    case 'forbidden':
      return { condition: verdict, text: 'Your role and affiliation do not permit this.' };
    case 'not-allowed':
      return { condition: verdict, text: 'The affiliation of whom this is about does not permit this.' };
    case 'conflict':
      return { condition: verdict, text: 'This would be about yourself, or leave the room without an owner.' };
  }
}
