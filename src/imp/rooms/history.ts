import type { XmlElement } from '../../protocol/xml/types.ts';
import { attributeOf, writeElement } from '../../protocol/xml/write.ts';
import { readDateTime } from '../delay.ts';

/** A message as whoever enters later gets it: with its time (XEP-0203), without `to`. */
export interface Remembered {
  /** The nickname it is from; `undefined`: the room itself. */
  readonly nick: string | undefined;
  readonly element: XmlElement;
  /** Unix milliseconds. */
  readonly at: number;
}

interface Entry extends Remembered {
  /** UTF-16 units as XML. */
  readonly length: number;
}

/** What of the history somebody wants (XEP-0045 §7.2.14). */
export interface HistoryRequest {
  readonly stanzas: number | undefined;
  readonly characters: number | undefined;
  /** Unix milliseconds of the oldest message. */
  readonly since: number | undefined;
}

export const ALL_HISTORY: HistoryRequest = { stanzas: undefined, characters: undefined, since: undefined };

/** Reads a `<history/>` at `now`; an attribute that makes no sense is as if it were not there. Never throws. */
export function readHistoryRequest(history: XmlElement, now: number): HistoryRequest {
  const seconds = numberOf(attributeOf(history, 'seconds'));
  const since = readDateTime(attributeOf(history, 'since') ?? '');
  const earliest = [seconds === undefined ? undefined : now - seconds * 1_000, since].filter(
    (each) => each !== undefined,
  );
  return {
    stanzas: numberOf(attributeOf(history, 'maxstanzas')),
    characters: numberOf(attributeOf(history, 'maxchars')),
    since: earliest.length === 0 ? undefined : Math.max(...earliest),
  };
}

/** The discussion history of a room (XEP-0045 §7.2.13): its last messages, oldest first. */
export class History {
  private readonly most: number;
  private readonly mostLength: number;
  private entries: Entry[] = [];
  private length = 0;

  constructor(bounds: { readonly history: number; readonly historyLength: number }) {
    this.most = bounds.history;
    this.mostLength = bounds.historyLength;
  }

  add(message: Remembered): void {
    const entry = { ...message, length: writeElement(message.element, 'jabber:client').length };
    this.entries.push(entry);
    this.length += entry.length;
    while (this.entries.length > this.most || this.length > this.mostLength) {
      const oldest = this.entries.shift();
      if (oldest === undefined) return;
      this.length -= oldest.length;
    }
  }

  /** At most `most` of the last messages that fit the request, complete, oldest first. */
  recent(request: HistoryRequest, most: number): readonly Remembered[] {
    const chosen: Entry[] = [];
    let length = 0;
    const stanzas = Math.min(most, request.stanzas ?? most);
    for (const entry of this.entries.toReversed()) {
      length += entry.length;
      if (
        chosen.length >= stanzas ||
        length > (request.characters ?? Number.POSITIVE_INFINITY) ||
        entry.at < (request.since ?? Number.NEGATIVE_INFINITY)
      )
        break;
      chosen.push(entry);
    }
    return chosen.toReversed();
  }
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}
