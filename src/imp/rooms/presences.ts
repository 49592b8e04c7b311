import type { Jid } from '../../protocol/jid/jid.ts';
import { printJid } from '../../protocol/jid/print.ts';
import type { XmlElement, XmlNode } from '../../protocol/xml/types.ts';
import { element } from '../../protocol/xml/write.ts';
import { MUC } from './namespaces.ts';
import { type Occupant, type Session, shownSession } from './occupants.ts';
import type { Room } from './room.ts';
import type { Role } from './standing.ts';
import { packetOf } from './stanzas.ts';
import type { Turn } from './turn.ts';

/** A client that receives what happens in a room. */
export interface Viewer {
  readonly occupant: Occupant;
  readonly session: Session;
}

/** Who did something to an occupant (XEP-0045 §8.2). */
export interface Actor {
  readonly bare: string;
  /** `undefined` while they are not in the room. */
  readonly nick: string | undefined;
}

/** What a presence from an occupant says. */
export interface Announcement {
  readonly type?: 'unavailable';
  /** `none` when the occupant is gone. */
  readonly role: Role;
  readonly children: readonly XmlNode[];
  /** The client it is about. */
  readonly session: Session;
  /** The nickname that the occupant has from now on. */
  readonly newNick?: string;
  readonly codes?: readonly number[];
  /** Only for the occupant's own clients, besides 110. */
  readonly ownCodes?: readonly number[];
  readonly reason?: string | undefined;
  readonly actor?: Actor | undefined;
  /** The id of the stanza that this answers, for the client that sent it. */
  readonly answers?: { readonly address: Jid; readonly id: string | undefined };
}

/** Every client in the room. */
export function viewersIn(room: Room): readonly Viewer[] {
  return room.occupants.all().flatMap(viewersOf);
}

export function viewersOf(occupant: Occupant): readonly Viewer[] {
  return [...occupant.sessions.values()].map((session) => ({ occupant, session }));
}

/** How an occupant is now, as those who see it the first time and those who see a change of it are told. */
export function asPresent(occupant: Occupant): Announcement {
  const session = shownSession(occupant);
  return { role: occupant.role, children: session.presence, session };
}

/** Tells viewers about an occupant (XEP-0045 §7.2.2, §7.14), each as much as they may know. */
export function announce(
  room: Room,
  turn: Turn,
  about: Occupant,
  announcement: Announcement,
  viewers: readonly Viewer[] = viewersIn(room),
): void {
  // The affiliation is that of the list, which is the newest.
  const affiliation = room.affiliations.of(about.user);
  for (const { occupant, session } of viewers) {
    const isOwn = occupant === about;
    const seesAddresses = isOwn || room.config.whois === 'anyone' || occupant.role === 'moderator';
    const item = element(
      'item',
      MUC.user,
      {
        affiliation,
        role: announcement.role,
        jid: seesAddresses ? printJid(announcement.session.address) : undefined,
        nick: announcement.newNick,
      },
      actorElement(announcement.actor, seesAddresses),
      reasonElement(announcement.reason),
    );
    const codes = [...(announcement.codes ?? []), ...(isOwn ? [110, ...(announcement.ownCodes ?? [])] : [])];
    const { answers } = announcement;
    turn.send(
      packetOf(
        'presence',
        room.at(about.nick),
        session.address,
        {
          id: isOwn && answers !== undefined && isSame(answers.address, session.address) ? answers.id : undefined,
          type: announcement.type,
        },
        ...announcement.children,
        userElement(item, ...statusElements(codes)),
        occupantIdElement(about.id),
      ),
    );
  }
}

/** `<x xmlns='http://jabber.org/protocol/muc#user'/>`: what only the room says (XEP-0045 §17.3). */
export function userElement(...children: readonly (XmlElement | undefined)[]): XmlElement {
  return element('x', MUC.user, {}, ...children);
}

export function statusElements(codes: readonly number[]): readonly XmlElement[] {
  return codes.map((code) => element('status', MUC.user, { code: code.toString() }));
}

export function reasonElement(reason: string | undefined): XmlElement | undefined {
  return reason === undefined || reason === '' ? undefined : element('reason', MUC.user, {}, reason);
}

export function occupantIdElement(id: string): XmlElement {
  return element('occupant-id', MUC.occupantId, { id });
}

function actorElement(actor: Actor | undefined, seesAddresses: boolean): XmlElement | undefined {
  if (actor === undefined) return undefined;
  const jid = seesAddresses ? actor.bare : undefined;
  return jid === undefined && actor.nick === undefined
    ? undefined
    : element('actor', MUC.user, { nick: actor.nick, jid });
}

function isSame(a: Jid, b: Jid): boolean {
  return a.local === b.local && a.domain === b.domain && a.resource === b.resource;
}
