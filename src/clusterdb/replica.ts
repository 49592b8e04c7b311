import type { ConfigChange, ConfigStep, ReplicationMessage } from '../protocol/link/messages.ts';
import type { NoteSink } from '../protocol/notes.ts';
import { MOST, sizeOf, sizeOfAll, sizeOfStep } from './bounds.ts';
import { judge } from './entries.ts';
import { keyOf } from './plan.ts';
import type { Clusterdb } from './store.ts';
import type { Entry, KeyOwner, Snapshot } from './types.ts';

/** UTF-16 units of an author and a reason; what is longer is cut. */
const MAX_WORDS = 1_000;
/** UTF-16 units of a key and of a value as JSON. */
const MAX_KEY = 1_000;
const MAX_VALUE = 65_536;

export interface ReplicaContext {
  readonly db: Clusterdb;
  readonly peer: { readonly id: string; readonly name: string };
  readonly peerOwns: KeyOwner;
  tell(message: ReplicationMessage): boolean;
  readonly notes: NoteSink;
  /** The replica is another one now. */
  changed(): void;
}

type Message<K extends ReplicationMessage['is']> = Extract<ReplicationMessage, { readonly is: K }>;

/** What a box without a replica holds. */
const NOTHING = { origin: undefined, since: 0, digest: undefined } as const;

/** A backfill that is on its way. Until its cutover it has no effect. */
interface Backfill {
  readonly origin: string;
  readonly revision: number;
  readonly digest: string | undefined;
  readonly entries: Map<string, Entry>;
  /** Entries that have come, whether taken or not. */
  count: number;
  /** UTF-16 units of those that were taken. */
  size: number;
  skipped: boolean;
}

/**
 * The following side: keeps a replica of what one peer owns. The peer is not believed more than it must be: it can neither write into the
 * configuration of this box or of another peer, nor set what it does not own, nor fill the memory.
 */
export class Replica {
  readonly #context: ReplicaContext;
  #backfill: Backfill | undefined;
  /** The peer was asked to begin anew; until it does, what is on its way is of the old row. */
  #isAsking = false;
  #isUp = false;
  /** The peer sends what cannot be taken; nothing more is taken of it until the Link is back. */
  #isGivenUp = false;
  /** What was skipped before could be taken by the version of fedway that runs now: everything is asked for, once. */
  #isFirst = true;
  /** UTF-16 units of the replica, at most; `undefined`: it has not been counted. */
  #size: number | undefined;
  /** The highest revision that the peer has told of on this connection. */
  #theirs: number | undefined;

  constructor(context: ReplicaContext) {
    this.#context = context;
  }

  /** What is in force of the peer; `undefined`: nothing yet. */
  get snapshot(): Snapshot | undefined {
    const { db, peer } = this.#context;
    const followed = db.followed(peer.id);
    return followed === undefined ? undefined : db.snapshot(followed.origin);
  }

  /** How far the peer is, as far as it is known, and how far the replica. */
  get status(): { readonly theirs: number; readonly held: number } | undefined {
    const held = this.snapshot?.revision;
    if (held === undefined) return this.#theirs === undefined ? undefined : { theirs: this.#theirs, held: 0 };
    return { theirs: this.#theirs ?? held, held };
  }

  up(): void {
    this.#isUp = true;
    this.#isGivenUp = false;
    this.#isAsking = false;
    this.#backfill = undefined;
    this.#theirs = undefined;
    this.#follow();
  }

  down(): void {
    this.#isUp = false;
    this.#isAsking = false;
    this.#backfill = undefined;
  }

  /** Drops the replica: the pairing has ended. */
  forget(): void {
    this.down();
    const origin = this.snapshot?.origin;
    const failed = origin === undefined ? undefined : this.#context.db.forget(origin);
    if (failed !== undefined) this.#broken(failed.refused);
  }

  backfill({ origin, revision, digest }: Message<'backfill'>): void {
    if (!this.#isTaking()) return;
    const fault = this.#originFault(origin);
    if (fault !== undefined) return this.#giveUp(fault);
    this.#isAsking = false;
    this.#theirs = revision;
    this.#backfill = { origin, revision, digest, entries: new Map(), count: 0, size: 0, skipped: false };
  }

  entry({ step, revision }: Message<'entry'>): void {
    if (!this.#isTaking() || this.#isAsking) return;
    const backfill = this.#backfill;
    if (backfill === undefined) return this.#again('an entry came outside of a backfill.');
    backfill.count++;
    if (backfill.count > MOST.keys) return this.#giveUp(`it has more than ${MOST.keys} keys.`);
    const taken = this.#taken(step, backfill.entries);
    if (taken === undefined || 'remove' in taken) backfill.skipped = true;
    else {
      const key = keyOf(taken);
      backfill.size += sizeOfStep(taken);
      if (backfill.size > MOST.size) return this.#giveUp(TOO_MUCH);
      backfill.entries.set(key, { key, value: 'put' in taken ? taken.value : undefined, revision });
    }
  }

  cutover({ origin, revision, entries }: Message<'cutover'>): void {
    if (!this.#isTaking() || this.#isAsking) return;
    const backfill = this.#backfill;
    this.#backfill = undefined;
    if (backfill?.origin !== origin || backfill.revision !== revision)
      return this.#again('a backfill ended that had not begun.');
    if (backfill.count !== entries) return this.#again(`of ${entries} keys of a backfill ${backfill.count} came.`);
    const { db, peer } = this.#context;
    const replica = { origin, revision, entries: backfill.entries };
    this.#size = undefined;
    const { digest, skipped } = backfill;
    const failed = db.replace(replica, { peer: peer.id, name: peer.name, complete: !skipped, digest });
    if (failed !== undefined) return this.#giveUp(failed.refused);
    this.#applied(origin, revision);
  }

  change({ change, digest }: Message<'change'>): void {
    if (!this.#isTaking() || this.#isAsking) return;
    const { db } = this.#context;
    const held = this.snapshot;
    if (this.#backfill !== undefined) return this.#again('a change came in the middle of a backfill.');
    if (held === undefined || change.origin !== held.origin)
      return this.#again('a change came of a database that is not followed.');
    this.#theirs = Math.max(this.#theirs ?? 0, change.revision);
    const steps = change.steps.map((step) => this.#taken(step, held.entries)).filter((step) => step !== undefined);
    const skipped = steps.length < change.steps.length;
    const size = this.#sizeWith(steps, held);
    if (size > MOST.size) return this.#giveUp(TOO_MUCH);
    const outcome = db.apply(bounded({ ...change, steps }), { skipped, digest });
    if (outcome === 'gap') return this.#again(`revision ${change.revision} came, and the one before it did not.`);
    if (typeof outcome === 'object') return this.#giveUp(outcome.refused);
    if (outcome === 'applied') this.#applied(change.origin, change.revision);
  }

  #follow(): void {
    const { db, peer } = this.#context;
    const followed = db.followed(peer.id);
    const held = followed === undefined ? undefined : db.snapshot(followed.origin);
    const isIncomplete = this.#isFirst && followed?.complete === false;
    const from =
      held === undefined || isIncomplete
        ? NOTHING
        : { origin: held.origin, since: held.revision, digest: db.digestOf(held.origin, held.revision) };
    if (this.#context.tell({ is: 'follow', ...from })) this.#isFirst = false;
  }

  /** Asks for everything. What is on its way until the backfill begins is ignored. */
  #again(because: string): void {
    this.#broken(`${because} It is copied anew.`);
    this.#backfill = undefined;
    this.#isAsking = this.#context.tell({ is: 'follow', ...NOTHING });
  }

  #applied(origin: string, revision: number): void {
    this.#context.tell({ is: 'applied', origin, revision });
    this.#context.changed();
  }

  /** A step as it is taken, or nothing: it is none that this peer may make, or none that this version knows. */
  #taken(step: ConfigStep, held: ReadonlyMap<string, Entry>): ConfigStep | undefined {
    const { db, peerOwns } = this.#context;
    const key = keyOf(step);
    if (key.length > MAX_KEY) return this.#skip(key.slice(0, MAX_KEY), `a key has ${MAX_KEY} characters at most.`);
    const kind = db.catalog.kindOf(key);
    if ('refused' in kind) return this.#skip(key, kind.refused);
    if (kind.owner !== peerOwns) return this.#skip(key, 'it does not belong to that box.');
    if ('remove' in step) return step;
    // A secret that comes although it should have stayed is not kept.
    if (kind.secret || kind.stays === true) return { hide: key };
    const value = 'put' in step ? step.value : undefined;
    if (value !== undefined && JSON.stringify(value).length > MAX_VALUE)
      return this.#skip(key, 'its value is too long.');
    const judged = judge(key, value, db.catalog, peerOwns);
    if ('refused' in judged || judged.value === undefined) {
      return this.#skip(key, 'refused' in judged ? judged.refused : 'its value is missing.');
    }
    if (held.size >= MOST.keys && !held.has(key)) return this.#skip(key, 'there are too many keys.');
    return { put: key, value: judged.value };
  }

  /** How much the replica has after these steps, at most. It is counted anew only where little room is left. */
  #sizeWith(steps: readonly ConfigStep[], { entries }: Snapshot): number {
    let added = 0;
    for (const step of steps) added += sizeOfStep(step);
    this.#size = (this.#size ?? sizeOfAll(entries.values())) + added;
    if (this.#size <= MOST.size) return this.#size;
    const replaced = new Set(steps.map(keyOf));
    let kept = 0;
    for (const { key, value } of entries.values()) if (!replaced.has(key)) kept += sizeOf(key, value);
    this.#size = kept + added;
    return this.#size;
  }

  /** Why nothing of this origin is taken from this peer. */
  #originFault(origin: string): string | undefined {
    const { db, peer } = this.#context;
    if (!/^[\w.-]{1,64}$/.test(origin)) return 'the name of its database is none.';
    if (origin === db.origin)
      return 'it says that its database is ours. A data folder that was copied is used by one box only: give the other one a new folder.';
    const other = db.peerOf(origin);
    if (other === undefined || other.peer === peer.id) return undefined;
    return `its database is already known as that of ${other.name}. A data folder that was copied is used by one box only: give the other one a new folder, or end the pairing that is no longer used.`;
  }

  #isTaking(): boolean {
    return this.#isUp && !this.#isGivenUp;
  }

  #skip(key: string, because: string): undefined {
    this.#context.notes({ note: 'replica-skipped', box: this.#context.peer.name, key, because }, {});
    return undefined;
  }

  #giveUp(because: string): void {
    this.#broken(`${because} It is tried again when the Link is established anew.`);
    this.#backfill = undefined;
    this.#isGivenUp = true;
  }

  #broken(because: string): void {
    this.#context.notes({ note: 'replica-broken', box: this.#context.peer.name, because }, {});
  }
}

const TOO_MUCH = `its configuration has more than ${MOST.size} characters.`;

/** The words of a change, cut to what is kept. */
function bounded(change: ConfigChange): ConfigChange {
  return { ...change, author: cut(change.author), reason: cut(change.reason) };
}

function cut(words: string): string {
  return words.slice(0, MAX_WORDS).toWellFormed();
}
