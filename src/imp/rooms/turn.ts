import type { Jid } from '../../protocol/jid/jid.ts';
import type { Note } from '../../protocol/notes.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import type { Packet } from '../packet.ts';
import { errorOf, type Refusal } from './stanzas.ts';

/** What a room cannot know by itself. */
export interface Surroundings {
  /** Unix milliseconds. */
  readonly now: number;
  /** A text that is new each time, and that nobody can guess. */
  readonly newId: () => string;
  /** Keeps a message of an occupant in the archive of the room; what comes back is its id there, `undefined` when it is not one that is kept. */
  readonly archive: (occupant: Jid, message: XmlElement) => string | undefined;
}

/** What a room does about one stanza: packets in the order they leave, and what is told. */
export class Turn {
  readonly now: number;
  readonly newId: () => string;
  readonly archive: Surroundings['archive'];
  readonly packets: Packet[] = [];
  readonly notes: Note[] = [];

  constructor({ now, newId, archive }: Surroundings) {
    this.now = now;
    this.newId = newId;
    this.archive = archive;
  }

  send(packet: Packet): void {
    this.packets.push(packet);
  }

  /** Answers a stanza with an error, when it is one that is answered. */
  refuse(packet: Packet, refusal: Refusal): void {
    const error = errorOf(packet, refusal);
    if (error !== undefined) this.packets.push(error);
  }
}
