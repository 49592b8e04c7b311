import type { ReplicationMessage } from '../protocol/link/messages.ts';
import { replicatedChange, replicatedStep } from './plan.ts';
import type { Clusterdb } from './store.ts';
import type { Entry, Snapshot } from './types.ts';

/** Messages that are sent before others have a turn: a long backfill must not keep stanzas waiting. */
const SLICE = 64;

type Follow = Extract<ReplicationMessage, { readonly is: 'follow' }>;

export interface SourceContext {
  readonly db: Clusterdb;
  /** `false`: the Link is down, nothing was sent. */
  tell(message: ReplicationMessage): boolean;
  /** Runs something after whatever else waits for its turn. */
  later(run: () => void): void;
}

/**
 * The followed side: sends what this box owns to one follower. It remembers how far it has sent and reads on from there, so that nothing can
 * be left out or sent twice, however changes, slices and breaks of the Link fall together.
 */
export class Source {
  readonly #context: SourceContext;
  /** The last revision that was sent on this connection; `undefined`: nobody follows. */
  #sent: number | undefined;
  /** What is left of a backfill. It is one state, whatever changes meanwhile. */
  #backfill: { readonly snapshot: Snapshot; readonly rest: Iterator<Entry> } | undefined;
  /** A slice is due. */
  #isPending = false;
  /** A follower was answered in this turn. What it asks for beyond that is answered in the next: to ask costs little, and the answer may be long. */
  #hasAnswered = false;
  #asked: Follow | undefined;
  /** The last revision that the follower says to hold. */
  confirmed: number | undefined;

  constructor(context: SourceContext) {
    this.#context = context;
  }

  /** The follower holds a replica of `origin` up to `since`, and says what history that is; what is not known here is not gone on from. */
  follow(asked: Follow): void {
    if (this.#hasAnswered) {
      this.#asked = asked;
      return;
    }
    this.#hasAnswered = true;
    this.#answer(asked);
    this.#context.later(() => {
      this.#hasAnswered = false;
      const next = this.#asked;
      this.#asked = undefined;
      if (next !== undefined) this.follow(next);
    });
  }

  /** The Link is down: the follower will say anew how far it is. */
  stop(): void {
    this.#asked = undefined;
    this.#sent = undefined;
    this.#backfill = undefined;
    this.confirmed = undefined;
  }

  /** This box has changed its configuration. */
  advanced(): void {
    if (!this.#isPending) this.#pump();
  }

  applied(origin: string, revision: number): void {
    if (origin === this.#context.db.origin && this.#sent !== undefined && revision <= this.#sent)
      this.confirmed = revision;
  }

  #answer({ origin, since, digest }: Follow): void {
    const { db } = this.#context;
    this.#backfill = undefined;
    this.confirmed = undefined;
    const isOfHere = origin === db.origin && digest !== undefined && db.digestOf(origin, since) === digest;
    if (isOfHere && db.changesSince(origin, since, 0) !== undefined) {
      this.#sent = since;
      this.confirmed = since;
    } else if (!this.#startBackfill()) return;
    this.#pump();
  }

  #pump(): void {
    for (let count = 0; count < SLICE; count++) {
      if (!this.#sendNext()) return;
    }
    if (this.#isPending) return;
    this.#isPending = true;
    this.#context.later(() => {
      this.#isPending = false;
      this.#pump();
    });
  }

  /** Whether there was something to send, and it was sent. */
  #sendNext(): boolean {
    if (this.#sent === undefined) return false;
    const { db } = this.#context;
    if (this.#backfill !== undefined) return this.#sendEntry(this.#backfill);
    const changes = db.changesSince(db.origin, this.#sent, 1);
    // So long ago that the history does not have it any more, or the database was put back to a former state.
    if (changes === undefined) return this.#startBackfill();
    const [change] = changes;
    if (change === undefined) return false;
    this.#sent = change.revision;
    const digest = db.digestOf(db.origin, change.revision);
    return this.#tell({ is: 'change', change: replicatedChange(change, db.catalog), digest });
  }

  #startBackfill(): boolean {
    const { db } = this.#context;
    const snapshot = db.snapshot();
    const { origin, revision, entries } = snapshot;
    this.#backfill = { snapshot, rest: entries.values() };
    this.#sent = revision;
    return this.#tell({ is: 'backfill', origin, revision, digest: db.digestOf(origin, revision) });
  }

  #sendEntry({ snapshot, rest }: { readonly snapshot: Snapshot; readonly rest: Iterator<Entry> }): boolean {
    const next = rest.next();
    if (next.done === true) {
      this.#backfill = undefined;
      const { origin, revision, entries } = snapshot;
      return this.#tell({ is: 'cutover', origin, revision, entries: entries.size });
    }
    const { key, value, revision } = next.value;
    const step = value === undefined ? { hide: key } : replicatedStep({ put: key, value }, this.#context.db.catalog);
    return this.#tell({ is: 'entry', step, revision });
  }

  #tell(message: ReplicationMessage): boolean {
    const told = this.#context.tell(message);
    if (!told) this.stop();
    return told;
  }
}
