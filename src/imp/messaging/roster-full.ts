import type { NoteSink } from '../../protocol/notes.ts';

/** A storm is over when there was nothing of it for so long. */
const CALM_MS = 10 * 60_000;
/** Storms that are told apart; when there are more, the oldest is forgotten and may be told again. */
const MOST_STORMS = 256;

/** Tells that something of an account is full: once, for as long as more keeps coming. */
export class FullRosters {
  private readonly notes: NoteSink;
  private readonly now: () => number;
  /** When each storm was heard of last, oldest first. */
  private readonly storms = new Map<string, number>();

  constructor(notes: NoteSink, now: () => number) {
    this.notes = notes;
    this.now = now;
  }

  refused(account: string, what: 'items' | 'requests', limit: number): void {
    const key = `${what} ${account}`;
    const now = this.now();
    const last = this.storms.get(key);
    this.storms.delete(key);
    this.storms.set(key, now);
    for (const oldest of this.storms.keys()) {
      if (this.storms.size <= MOST_STORMS) break;
      this.storms.delete(oldest);
    }
    if (last === undefined || now - last >= CALM_MS) this.notes({ note: 'roster-full', account, what, limit }, {});
  }
}
