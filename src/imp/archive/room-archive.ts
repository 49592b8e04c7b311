import type { Jid } from '../../protocol/jid/jid.ts';
import { bareOf, printJid } from '../../protocol/jid/print.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { FIRST_PAGE } from '../forms/result-set.ts';
import type { IqAnswer } from '../messaging/ports.ts';
import { answerInquiry } from './inquiry.ts';
import { asKeptForRoom, isKeptForRoom } from './keeping.ts';
import { MAM } from './query.ts';
import type { ArchivedMessage, ArchiveStore } from './store.ts';

/** A question to the archive of a room, from somebody whom the room admits (XEP-0313, "MUC Archives"). */
export interface RoomInquiry {
  readonly type: 'get' | 'set';
  readonly payload: XmlElement;
  /** Sends a `<result/>` in a message from the room; called in order, and before the answer is there. */
  readonly send: (result: XmlElement) => void;
}

/** The archives of rooms, in the same store as those of the users. Rooms are named by their bare address, which is prepared. */
export class RoomArchive {
  /** The namespace of its requests, and what service discovery says because of it. */
  static readonly namespace = MAM;
  static readonly features: readonly string[] = [MAM, `${MAM}#extended`, 'urn:xmpp:sid:0'];

  private readonly store: ArchiveStore;
  private readonly now: () => number;

  /** `now`: Unix milliseconds. */
  constructor(store: ArchiveStore, now: () => number) {
    this.store = store;
    this.now = now;
  }

  /**
   * Keeps a message of the room, if it is one that is kept: once, not for each occupant.
   *
   * @param message from the address of the occupant in the room; `to` is left out
   * @returns the id to stamp on what the occupants get (XEP-0359 `<stanza-id/>`); `undefined`: not kept
   */
  keep(occupant: Jid, message: XmlElement): string | undefined {
    if (!isKeptForRoom(message)) return undefined;
    const room = ownerOf(occupant);
    return this.store.add(room, 'in', occupant, asKeptForRoom(message, room), this.now());
  }

  /** Answers a request in `RoomArchive.namespace`. Whether the room admits whoever asks is the room's to say, before. */
  answer(room: Jid, { type, payload, send }: RoomInquiry): IqAnswer {
    return answerInquiry(this.store, { owner: ownerOf(room), type, payload, send });
  }

  /** The newest messages of a room, oldest first: what somebody who enters is shown (XEP-0045 §7.2.13). `since`: Unix milliseconds. */
  recent(room: Jid, count: number, since?: number): readonly ArchivedMessage[] {
    const filter = {
      with: undefined,
      start: since,
      end: undefined,
      afterId: undefined,
      beforeId: undefined,
      ids: undefined,
    };
    const page = this.store.page(ownerOf(room), filter, { ...FIRST_PAGE, from: { at: 'end' } }, count);
    return page === 'unknown' ? [] : page.messages;
  }

  /** Removes everything of a room. */
  removeRoom(room: Jid): void {
    this.store.remove(ownerOf(room));
  }
}

function ownerOf(room: Jid): string {
  return printJid(bareOf(room));
}
