import type { Jid } from '../../protocol/jid/jid.ts';
import { bareOf, printJid } from '../../protocol/jid/print.ts';
import type { XmlNode } from '../../protocol/xml/types.ts';
import type { Role } from './standing.ts';

/** One client of an occupant. */
export interface Session {
  /** The full address. */
  readonly address: Jid;
  /** The children of the last presence it sent, without what only the room may say. */
  presence: readonly XmlNode[];
}

/** Somebody in a room under a nickname (XEP-0045 §4.1); with several clients there are several sessions of one occupant (§7.2.8). */
export interface Occupant {
  readonly user: Jid;
  /** `user` as text. */
  readonly bare: string;
  /** XEP-0421. */
  readonly id: string;
  nick: string;
  role: Role;
  /** By full address. The one whose presence is shown is the last. Never empty while the occupant is in the room. */
  readonly sessions: Map<string, Session>;
}

/** Who a nickname can be mistaken for: it is compared without case, width and outer spaces (XEP-0045 §14.6, mimicking a nickname). */
function likenessOf(nick: string): string {
  return nick.normalize('NFKC').toLowerCase().replaceAll(/\s+/gu, ' ').trim();
}

/** The session whose presence stands for the occupant: the one that spoke last. */
export function shownSession(occupant: Occupant): Session {
  let shown: Session | undefined;
  for (const session of occupant.sessions.values()) shown = session;
  if (shown === undefined) throw new Error('an occupant without a session is in no room');
  return shown;
}

/** The occupants of one room. */
export class Occupants {
  private readonly byNick = new Map<string, Occupant>();
  private readonly byLikeness = new Map<string, Occupant>();
  private readonly bySession = new Map<string, Occupant>();

  get size(): number {
    return this.byNick.size;
  }

  /** In the order they entered. */
  all(): readonly Occupant[] {
    return [...this.byNick.values()];
  }

  named(nick: string): Occupant | undefined {
    return this.byNick.get(nick);
  }

  /** Whoever has a nickname that this one could be mistaken for. */
  resembling(nick: string): Occupant | undefined {
    return this.byLikeness.get(likenessOf(nick));
  }

  /** The occupant that a full address is a session of. */
  of(address: Jid): Occupant | undefined {
    return this.bySession.get(printJid(address));
  }

  sessionOf(address: Jid): Session | undefined {
    const text = printJid(address);
    return this.bySession.get(text)?.sessions.get(text);
  }

  /** Those of one user, who can be in the room under several nicknames. */
  ofUser(bare: string): readonly Occupant[] {
    return this.all().filter((occupant) => occupant.bare === bare);
  }

  /** Puts an occupant without sessions into the room; nobody resembles it. */
  add(nick: string, address: Jid, role: Role, id: string): Occupant {
    const user = bareOf(address);
    const occupant: Occupant = { user, bare: printJid(user), id, nick, role, sessions: new Map() };
    this.byNick.set(nick, occupant);
    this.byLikeness.set(likenessOf(nick), occupant);
    return occupant;
  }

  /** A client of the occupant has come, or has sent its presence again: it is the one that is shown. */
  show(occupant: Occupant, address: Jid, presence: readonly XmlNode[]): void {
    const text = printJid(address);
    occupant.sessions.delete(text);
    occupant.sessions.set(text, { address, presence });
    this.bySession.set(text, occupant);
  }

  rename(occupant: Occupant, nick: string): void {
    this.byNick.delete(occupant.nick);
    this.byLikeness.delete(likenessOf(occupant.nick));
    occupant.nick = nick;
    this.byNick.set(nick, occupant);
    this.byLikeness.set(likenessOf(nick), occupant);
  }

  /** Takes one client away; with the last one the occupant is gone. */
  dropSession(occupant: Occupant, address: Jid): 'stays' | 'gone' {
    const text = printJid(address);
    occupant.sessions.delete(text);
    this.bySession.delete(text);
    if (occupant.sessions.size > 0) return 'stays';
    this.forget(occupant);
    return 'gone';
  }

  /** Takes the occupant away with all its clients, which it still has for a last word to them. */
  drop(occupant: Occupant): void {
    for (const text of occupant.sessions.keys()) this.bySession.delete(text);
    this.forget(occupant);
  }

  private forget(occupant: Occupant): void {
    this.byNick.delete(occupant.nick);
    this.byLikeness.delete(likenessOf(occupant.nick));
  }
}
