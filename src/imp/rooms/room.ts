import { createHmac } from 'node:crypto';
import type { Jid } from '../../protocol/jid/jid.ts';
import { bareOf, printJid } from '../../protocol/jid/print.ts';
import type { XmlNode } from '../../protocol/xml/types.ts';
import { Affiliations } from './affiliations.ts';
import { INSTANT_ROOM, type RoomConfig } from './config.ts';
import { History } from './history.ts';
import { Invitations } from './invitations.ts';
import { Flow, type RoomLimits } from './limits.ts';
import { Occupants } from './occupants.ts';
import { Relays } from './relays.ts';
import type { Role, Standing } from './standing.ts';

/** The subject as it was last changed (XEP-0045 §8.1). */
export interface Subject {
  /** The `<subject/>` children of the message: there is one per language. */
  readonly texts: readonly XmlNode[];
  readonly nick: string;
  /** XEP-0421, of whoever set it. */
  readonly occupantId: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** What makes a room the one it is. */
export interface RoomOrigin {
  /** The bare address. */
  readonly address: Jid;
  /** Unix milliseconds. */
  readonly created: number;
  /** The bare address of whoever made it. */
  readonly creator: string;
  /** The key of the occupants' ids (XEP-0421 §4.1). */
  readonly secret: string;
}

/** A chat room: its settings and its lists, which last when it is persistent, and who is in it now. What happens in it is in the modules beside. */
export class Room {
  readonly origin: RoomOrigin;
  readonly address: Jid;
  /** The address as text. */
  readonly text: string;
  readonly limits: RoomLimits;
  readonly affiliations = new Affiliations();
  readonly occupants = new Occupants();
  readonly history: History;
  readonly relays: Relays;
  readonly invitations = new Invitations();
  readonly messageFlow: Flow;
  readonly presenceFlow: Flow;
  config: RoomConfig = INSTANT_ROOM;
  subject: Subject | undefined;
  /** New, and not yet configured by its owner: nobody else can enter (XEP-0045 §10.1.1). */
  locked = false;
  /** Was destroyed, or has lost its last occupant while it was temporary. */
  ended = false;
  /** Configuration or subject have changed since they were last stored. */
  changed = false;

  constructor(origin: RoomOrigin, limits: RoomLimits) {
    this.origin = origin;
    this.address = origin.address;
    this.text = printJid(origin.address);
    this.limits = limits;
    this.history = new History(limits);
    this.relays = new Relays(limits.relayed);
    this.messageFlow = new Flow(limits.messageRate);
    this.presenceFlow = new Flow(limits.presenceRate);
  }

  /** The address of an occupant in the room (XEP-0045 §4.1). */
  at(nick: string): Jid {
    return { ...this.address, resource: nick };
  }

  /** The stable pseudonym of a user in this room (XEP-0421 §4.1). */
  occupantId(bare: string): string {
    return createHmac('sha256', this.origin.secret).update(bare).digest('base64url');
  }

  /** What somebody is here, in the room or not; in it under several nicknames, the highest role counts. */
  standingOf(address: Jid): Standing {
    const affiliation = this.affiliations.of(address);
    const here = this.occupants.of(address);
    if (here !== undefined) return { affiliation, role: here.role };
    const roles: readonly Role[] = this.occupants.ofUser(printJid(bareOf(address))).map(({ role }) => role);
    return { affiliation, role: roles.includes('moderator') ? 'moderator' : (roles[0] ?? 'none') };
  }
}
