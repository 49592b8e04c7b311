import type { StreamPair } from '../protocol/stream/actions.ts';
import type { Stanza } from '../protocol/xml/types.ts';

/** The longest that the source waits for partners that turn out to take nothing. */
const MOST_PATIENCE_MS = 1_000;
/** How fast used-up patience comes back: milliseconds per millisecond. */
const RECOVERY = 0.1;
/** Every partner gets that much, unless it took nothing a short while ago: others' using up the patience is not its fault. */
const LEAST_PATIENCE_MS = 200;
/** How long a partner that took nothing has only what patience is left. */
const REMEMBERED_MS = 60_000;
/** Partners that are remembered. */
const REMEMBERED = 1_000;

/** What a shared source is given. */
export interface SharedSourceContext {
  /** Routes a stanza; a promise is for room on its way out. */
  deliver(stanza: Stanza, pair: StreamPair): Promise<void> | undefined;
  /** Answers a stanza whose pair has no room. */
  refuse(stanza: Stanza, pair: StreamPair): void;
  /** Milliseconds of a clock that never goes back. */
  now(): number;
}

/**
 * The stanzas of a component: many pairs on one connection. While a partner's way out is full the connection is not read, which is
 * the back-pressure a server inside should feel; but a partner that takes nothing at all must not stop the stanzas for all others.
 * So the connection waits a bounded time, then that pair is refused until it has room.
 *
 * The waiting for partners of this kind is bounded in sum: a tenth of the time, and a moment for each that is new.
 */
export class SharedSource {
  private readonly context: SharedSourceContext;
  /** Pairs without room: what their source waits for, or that it waits no longer. */
  private readonly full = new Map<string, Promise<void> | 'refused'>();
  /** Pairs that were refused lately, and until when that counts. */
  private readonly refusedLately = new Map<string, number>();
  private patience = MOST_PATIENCE_MS;
  private countedAt: number;

  constructor(context: SharedSourceContext) {
    this.context = context;
    this.countedAt = context.now();
  }

  /** Routes or refuses a stanza; the source waits for the promise before it is read on. */
  deliver(stanza: Stanza, pair: StreamPair): Promise<void> | undefined {
    const key = `${pair.sender} ${pair.target}`;
    const state = this.full.size === 0 ? undefined : this.full.get(key);
    if (state === 'refused') {
      this.context.refuse(stanza, pair);
      return undefined;
    }
    const room = this.context.deliver(stanza, pair);
    if (room === undefined || state !== undefined) return state;
    return this.waitFor(room, key);
  }

  private waitFor(room: Promise<void>, key: string): Promise<void> | undefined {
    const patience = this.patienceFor(key);
    void room.then(() => this.full.delete(key));
    if (patience < 1) {
      this.refuseUntilRoom(key);
      return undefined;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      this.patience = Math.max(0, this.patienceLeft() - patience);
      this.refuseUntilRoom(key);
      resolve();
    }, patience);
    void room.then(() => {
      clearTimeout(timer);
      resolve();
      return undefined;
    });
    this.full.set(key, promise);
    return promise;
  }

  private refuseUntilRoom(key: string): void {
    this.full.set(key, 'refused');
    if (this.refusedLately.size >= REMEMBERED) this.refusedLately.clear();
    this.refusedLately.set(key, this.context.now() + REMEMBERED_MS);
  }

  private patienceFor(key: string): number {
    const left = this.patienceLeft();
    const until = this.refusedLately.get(key);
    return until !== undefined && this.context.now() < until ? left : Math.max(left, LEAST_PATIENCE_MS);
  }

  private patienceLeft(): number {
    const now = this.context.now();
    this.patience = Math.min(MOST_PATIENCE_MS, this.patience + (now - this.countedAt) * RECOVERY);
    this.countedAt = now;
    return this.patience;
  }
}
