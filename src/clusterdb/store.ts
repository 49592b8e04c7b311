import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { ConfigChange, ConfigStep } from '../protocol/link/messages.ts';
import type { NoteSink } from '../protocol/notes.ts';
import { beginning, digestAfter } from './digest.ts';
import type { LeftOut, Loaded } from './entries.ts';
import { emptyOf, load, writePlanned, writeReplica, writeReplicated } from './entries.ts';
import { damagedSentence, faultSentence } from './fault.ts';
import type { DataFolder } from './folder.ts';
import { prepareFolder } from './folder.ts';
import type { Hold } from './hold.ts';
import { holdFolder } from './hold.ts';
import type { PlannedStep } from './plan.ts';
import { entriesAfter, keyOf, planOf, publicSteps, replicatedChange } from './plan.ts';
import { openFile } from './schema.ts';
import { Seal } from './seal.ts';
import type { StoredPeer } from './tables.ts';
import { Tables } from './tables.ts';
import { notesOf, shownChange } from './tell.ts';
import {
  type Advance,
  type ApplyOptions,
  type ApplyOutcome,
  type Catalog,
  type ChangeOutcome,
  type ChangeRequest,
  type KeyOwner,
  type ReplicaSource,
  type Snapshot,
} from './types.ts';
import { Watchers } from './watchers.ts';

/** Milliseconds; a writer needs a few. */
const PATIENCE = 5_000;
/** Changes that are gone through to find who last changed a key. */
const LOOK_BACK = 1_000;
/** Changes of one origin that are remembered, for people and for replicas that were away. */
const HISTORY = 10_000;

export interface ClusterdbOptions {
  /** The data folder of the box; made if it is missing. */
  readonly folder: string;
  readonly catalog: Catalog;
  /** The keys that are changed here: those of an Edge, of a Core, or of a single box. */
  readonly owns: KeyOwner | 'both';
  /** Takes the folder for this process as long as it lives, or is refused because another one has: what a box does. */
  readonly exclusive?: boolean;
  /** Where changes are told, own and replicated ones, and entries that cannot be used. */
  readonly notes?: NoteSink;
  /** Unix milliseconds. */
  readonly clock?: () => number;
  /** The name of a new origin: nobody else may ever have the same. */
  readonly newId?: () => string;
  /** Changes of one origin that are remembered: 10,000. */
  readonly history?: number;
  /** Milliseconds to wait for another process that writes: 5,000. */
  readonly patience?: number;
}

/**
 * The live configuration of this box, and replicas of what others own, in one SQLite file (ADR 0012).
 *
 * What is acknowledged is on disk. Methods that write answer with a sentence when the disk or the rights do not permit it; those that read
 * from memory what is in force. Reading history throws when the disk fails.
 */
export class Clusterdb {
  /** The name of this database: random, made with the file. */
  readonly origin: string;
  readonly catalog: Catalog;
  readonly #options: ClusterdbOptions;
  readonly #path: string;
  readonly #file: DatabaseSync;
  readonly #tables: Tables;
  readonly #seal: Seal;
  readonly #hold: Hold | undefined;
  readonly #loaded = new Map<string, Loaded>();
  /** Of `PRAGMA data_version` when `#loaded` was read. */
  #version = -1;
  readonly #watchers = new Watchers();

  /** Opens the database of a data folder, or makes it. A sentence with the cure says why there is none. */
  static open(options: ClusterdbOptions): Clusterdb | { readonly refused: string } {
    const folder = prepareFolder(options.folder);
    if ('refused' in folder) return folder;
    const hold = options.exclusive === true ? holdFolder(folder) : undefined;
    if (hold !== undefined && 'refused' in hold) return hold;
    const file = openFile(folder.database, {
      newId: options.newId ?? (() => randomBytes(16).toString('hex')),
      patience: options.patience ?? PATIENCE,
    });
    if ('refused' in file) {
      hold?.release();
      return file;
    }
    const opened = readFirst(folder, () => new Clusterdb(options, folder, file, hold));
    if ('refused' in opened) {
      file.close();
      hold?.release();
    }
    return opened;
  }

  private constructor(options: ClusterdbOptions, folder: DataFolder, file: DatabaseSync, hold: Hold | undefined) {
    this.#options = options;
    this.catalog = options.catalog;
    this.#path = folder.database;
    this.#file = file;
    this.#tables = new Tables(file);
    this.#seal = new Seal(folder.key);
    this.#hold = hold;
    this.origin = this.#tables.self();
    this.#refresh();
    this.#watchers.skip();
    if (options.notes !== undefined) this.#note(options.notes);
  }

  /** What is in force of one origin: of this box without an argument, secrets opened. `undefined`: there is no such replica. */
  snapshot(): Snapshot;
  snapshot(origin: string): Snapshot | undefined;
  snapshot(origin = this.origin): Snapshot | undefined {
    this.#catchUp();
    return this.#loaded.get(origin)?.snapshot;
  }

  /** Of this box, and of the replicas. */
  origins(): readonly string[] {
    this.#catchUp();
    return [...this.#loaded.keys()];
  }

  /** Entries that are in the file and not in force: of another version of fedway, of another role, or sealed with another key. */
  leftOut(origin = this.origin): readonly LeftOut[] {
    this.#catchUp();
    return this.#loaded.get(origin)?.leftOut ?? [];
  }

  /** The first secret of this box that does not open, as a sentence with the cure. */
  get sealedFault(): string | undefined {
    return this.#loaded.get(this.origin)?.sealedFault;
  }

  /** Changes keys of this box: all that is asked for, or nothing. */
  change(request: ChangeRequest): ChangeOutcome {
    const outcome = this.#write<ChangeOutcome>(() => {
      const present = this.#own();
      const plan = planOf(request, {
        present,
        catalog: this.catalog,
        owns: this.#options.owns,
        lastChange: (key, after) => this.#lastChange(key, after),
      });
      if (plan.plan === 'unchanged') return { answer: { outcome: 'unchanged', revision: present.revision } };
      if (plan.plan !== 'write') return { answer: { outcome: plan.plan, problems: plan.problems } };
      const change: ConfigChange = {
        origin: this.origin,
        revision: present.revision + 1,
        time: Math.trunc((this.#options.clock ?? Date.now)()),
        author: request.author,
        reason: request.reason,
        steps: publicSteps(plan.steps),
      };
      const locked = writePlanned(plan.steps, this.origin, change.revision, this.#parts);
      if (locked !== undefined) return { answer: { outcome: 'refused', problems: [locked.refused] } };
      // There is none when a fedway that knows no digests has had this file open since it was brought up to date.
      const former = this.#tables.digest(this.origin, present.revision) ?? beginning();
      const digest = digestAfter(former, replicatedChange(change, this.catalog));
      this.#tables.addChange(change, digest, this.#history);
      return {
        answer: { outcome: 'changed', change },
        moved: () => this.#move(present, plan.steps, change, digest),
      };
    });
    return 'refused' in outcome ? { outcome: 'refused', problems: [outcome.refused] } : outcome;
  }

  /**
   * Changes of an origin after a revision, oldest first, secrets hidden; at most `limit`. `undefined`: the history does not reach back there, or the
   * revision is of the future.
   */
  changesSince(origin: string, revision: number, limit = Number.MAX_SAFE_INTEGER): readonly ConfigChange[] | undefined {
    const stored = this.#tables.origin(origin);
    if (stored === undefined || revision < stored.floor || revision > stored.revision) return undefined;
    return this.#tables.changes(origin, revision, limit);
  }

  /** What stands for the whole history of an origin up to a revision; `undefined`: it is not known, or not any more. */
  digestOf(origin: string, revision: number): string | undefined {
    return this.#tables.digest(origin, revision);
  }

  /**
   * The newest changes first, for people: a secret is `(secret)`. Those of one origin are in the order in which they were made. Those of all are
   * sorted by the clocks of their boxes, which may differ, then by origin and revision: the same each time, and no proof of what came first.
   */
  log(limit: number, origin?: string): readonly ConfigChange[] {
    return this.#tables.newest(limit, origin).map(shownChange);
  }

  /** Tells every step of every origin once it is on disk, in order, until the function that it returns is called. */
  watch(watcher: (advance: Advance) => void): () => void {
    return this.#watchers.add(watcher);
  }

  /** Applies the next change to a replica. */
  apply(change: ConfigChange, { skipped, digest }: ApplyOptions): ApplyOutcome {
    this.#refuseOwn(change.origin);
    return this.#write<'applied' | 'known' | 'gap'>(() => {
      const before = this.#loaded.get(change.origin)?.snapshot;
      if (before === undefined || change.revision > before.revision + 1) return { answer: 'gap' };
      if (change.revision <= before.revision) return { answer: 'known' };
      writeReplicated(change.steps, change.origin, change.revision, this.#tables);
      this.#tables.addChange(change, digest, this.#history);
      const peer = this.peerOf(change.origin);
      if (skipped && peer !== undefined) this.#tables.setPeer({ ...peer, complete: false });
      return { answer: 'applied', moved: () => this.#move(before, change.steps, change, digest) };
    });
  }

  /**
   * Puts a whole replica in the place of the one that there is of the peer, if any: also of another origin, which is then forgotten.
   */
  replace(replica: Snapshot, { digest, ...peer }: ReplicaSource): { readonly refused: string } | undefined {
    const { origin, revision, entries } = replica;
    this.#refuseOwn(origin);
    const answer = this.#write<'replaced'>(() => {
      const former = this.followed(peer.peer)?.origin ?? origin;
      const before = this.#loaded.get(former)?.snapshot ?? emptyOf(former);
      this.#tables.removeOrigin(former);
      this.#tables.removeOrigin(origin);
      this.#tables.setOrigin({ origin, revision, floor: revision });
      if (digest !== undefined) this.#tables.addDigest(origin, revision, digest);
      for (const entry of entries.values()) writeReplica(entry, origin, this.#tables);
      this.#tables.setPeer({ ...peer, origin });
      return {
        answer: 'replaced',
        moved: () => {
          this.#loaded.delete(former);
          this.#loaded.set(origin, { snapshot: replica, leftOut: [], digest, sealedFault: undefined });
          this.#watchers.queue({ origin, before, after: replica, changes: undefined });
        },
      };
    });
    return answer === 'replaced' ? undefined : answer;
  }

  /** Which origin a peer was last known by, and whether all of it is here. */
  followed(peer: string): StoredPeer | undefined {
    return this.#tables.peers().find((each) => each.peer === peer);
  }

  /** The peer that an origin is of. */
  peerOf(origin: string): StoredPeer | undefined {
    return this.#tables.peers().find((each) => each.origin === origin);
  }

  /** Drops a replica with its history. */
  forget(origin: string): { readonly refused: string } | undefined {
    this.#refuseOwn(origin);
    const answer = this.#write<'forgotten'>(() => {
      const before = this.#loaded.get(origin)?.snapshot;
      if (before === undefined) return { answer: 'forgotten' };
      this.#tables.removeOrigin(origin);
      return {
        answer: 'forgotten',
        moved: () => {
          this.#loaded.delete(origin);
          this.#watchers.queue({ origin, before, after: emptyOf(origin), changes: undefined });
        },
      };
    });
    return answer === 'forgotten' ? undefined : answer;
  }

  /** Nothing may be asked afterwards. */
  close(): void {
    this.#watchers.clear();
    this.#file.close();
    this.#hold?.release();
  }

  get #parts(): { readonly tables: Tables; readonly seal: Seal } {
    return { tables: this.#tables, seal: this.#seal };
  }

  get #history(): number {
    return this.#options.history ?? HISTORY;
  }

  #note(notes: NoteSink): void {
    for (const { key, because } of this.leftOut()) notes({ note: 'config-left-out', key, because }, {});
    this.watch((advance) => {
      const { origin } = advance.after;
      const peer = origin === this.origin ? undefined : this.peerOf(origin);
      // Who forgets a replica says why.
      if (origin !== this.origin && peer === undefined) return;
      for (const note of notesOf(advance, this.catalog, peer?.name)) notes(note, {});
    });
  }

  #own(): Snapshot {
    return this.#loaded.get(this.origin)?.snapshot ?? emptyOf(this.origin);
  }

  #refuseOwn(origin: string): void {
    if (origin === this.origin) throw new Error('the configuration of this box is no replica');
  }

  #lastChange(key: string, after: number): ConfigChange | undefined {
    const { revision } = this.#own();
    for (const change of this.#tables.changesDown(this.origin, revision)) {
      if (change.revision <= after || change.revision <= revision - LOOK_BACK) return undefined;
      if (change.steps.some((step) => keyOf(step) === key)) return change;
    }
    return undefined;
  }

  /** What is in memory follows a change that is on disk. */
  #move(
    before: Snapshot,
    steps: readonly (PlannedStep | ConfigStep)[],
    change: ConfigChange,
    digest: string | undefined,
  ): void {
    const { origin, revision } = change;
    const after: Snapshot = { origin, revision, entries: entriesAfter(before.entries, steps, revision) };
    const touched = new Set(change.steps.map(keyOf));
    const leftOut = (this.#loaded.get(origin)?.leftOut ?? []).filter(({ key }) => !touched.has(key));
    this.#loaded.set(origin, { snapshot: after, leftOut, digest, sealedFault: undefined });
    this.#watchers.queue({ origin, before, after, changes: [change] });
  }

  /**
   * One write transaction. It is the only writer from its first statement on, and sees what others have committed before. What follows in
   * memory (`moved`) and what watchers are told waits for the commit.
   */
  #write<A>(run: () => { readonly answer: A; readonly moved?: () => void }): A | { readonly refused: string } {
    try {
      this.#file.exec('BEGIN IMMEDIATE');
      this.#refresh();
      const { answer, moved } = run();
      this.#file.exec(moved === undefined ? 'ROLLBACK' : 'COMMIT');
      moved?.();
      return answer;
    } catch (error) {
      if (this.#file.isTransaction) this.#file.exec('ROLLBACK');
      // After a commit that failed, only the file knows.
      this.#version = -1;
      return { refused: `Nothing was changed: ${faultSentence(error, this.#path)}` };
    } finally {
      this.#watchers.tell();
    }
  }

  /** Takes over what another process has committed, and tells it. */
  #catchUp(): void {
    if (this.#file.isTransaction || this.#tables.version() === this.#version) return;
    this.#file.exec('BEGIN');
    try {
      this.#refresh();
    } finally {
      this.#file.exec('COMMIT');
    }
    this.#watchers.tell();
  }

  #refresh(): void {
    const version = this.#tables.version();
    if (version === this.#version) return;
    const stored = new Map(this.#tables.origins().map((each) => [each.origin, each]));
    for (const [origin, { snapshot }] of this.#loaded) {
      if (stored.has(origin)) continue;
      this.#loaded.delete(origin);
      this.#watchers.queue({ origin, before: snapshot, after: emptyOf(origin), changes: undefined });
    }
    for (const each of stored.values()) {
      const held = this.#loaded.get(each.origin);
      const before = held?.snapshot ?? emptyOf(each.origin);
      const isSameHistory = held === undefined || held.digest === this.#tables.digest(each.origin, before.revision);
      if (held !== undefined && isSameHistory && before.revision === each.revision) continue;
      const isOwn = each.origin === this.origin;
      const loaded = load(each, { ...this.#parts, catalog: this.catalog, owns: isOwn ? this.#options.owns : 'both' });
      this.#loaded.set(each.origin, loaded);
      const changes = isSameHistory ? this.changesSince(each.origin, before.revision) : undefined;
      this.#watchers.queue({ origin: each.origin, before, after: loaded.snapshot, changes });
    }
    this.#version = version;
  }
}

/** The file is ours and whole; what can still be wrong is the disk, and the key of the secrets. */
function readFirst(folder: DataFolder, read: () => Clusterdb): Clusterdb | { readonly refused: string } {
  try {
    const db = read();
    return db.sealedFault === undefined ? db : { refused: db.sealedFault };
  } catch (error) {
    // SQLite checks the form of its pages, not what is written in them.
    if (error instanceof SyntaxError) return { refused: damagedSentence(folder.database, error.message) };
    return { refused: faultSentence(error, folder.database) };
  }
}
