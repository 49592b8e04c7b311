import type { NoteSubject } from '../protocol/notes.ts';
import type { NoteName } from './row.ts';

/** Lines of one kind about one remote that are written within a second; the rest is counted. */
export const LINES_PER_SECOND = 10;
/** Remotes that are told apart within a second; the lines about any further ones are counted together, by kind. */
const REMOTES_LIMIT = 128;
const WINDOW_MS = 1000;

/** Lines that were counted instead of written. */
export interface FoldedLines {
  readonly note: NoteName;
  /** The domain or the address they were about; `undefined` when there were too many to tell apart. */
  readonly remote: string | undefined;
  readonly count: number;
}

/**
 * Protects the log from a peer that makes it write the same line again and again.
 *
 * Only kinds of notes marked `folds` come here, and only when they are as urgent as their kind can be. The steps of a connection
 * (accepted, header, secured, dialback, authorized, a normal end) never do: each is written once per connection, so that they are bounded by
 * the limits on connections, and folding those of different connections would tear holes into the story of each.
 * Memory is bounded by `REMOTES_LIMIT` plus the number of kinds, however many names a peer invents.
 */
export class Storm {
  #windowStart = -Infinity;
  readonly #counts = new Map<string, { note: NoteName; remote: string | undefined; seen: number }>();

  /** Whether the window that was open at the last call is over at `now` (Unix milliseconds). */
  windowOver(now: number): boolean {
    return now - this.#windowStart >= WINDOW_MS || now < this.#windowStart;
  }

  /** Counts a line and says whether it is written or only counted. */
  count(note: NoteName, subject: NoteSubject): 'write' | 'fold' {
    const remote = remoteOf(subject);
    const key = `${note} ${remote}`;
    let entry = this.#counts.get(key);
    if (entry === undefined) {
      const full = this.#counts.size >= REMOTES_LIMIT;
      const ownKey = full ? note : key;
      entry = this.#counts.get(ownKey) ?? { note, remote: full ? undefined : remote, seen: 0 };
      this.#counts.set(ownKey, entry);
    }
    entry.seen++;
    return entry.seen > LINES_PER_SECOND ? 'fold' : 'write';
  }

  /** Ends the window and starts one at `now`: what was folded in the one that ends. */
  turn(now: number): readonly FoldedLines[] {
    const folded: FoldedLines[] = [];
    for (const { note, remote, seen } of this.#counts.values()) {
      if (seen > LINES_PER_SECOND) folded.push({ note, remote, count: seen - LINES_PER_SECOND });
    }
    this.#counts.clear();
    this.#windowStart = now;
    return folded;
  }
}

/** The domain, else the address without the port, which changes with every connection; short, because a peer chooses it. */
function remoteOf({ remote, peer }: NoteSubject): string {
  return (remote ?? peer?.replace(/:\d+$/, '') ?? 'unknown').slice(0, 300);
}
