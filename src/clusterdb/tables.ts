import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { ConfigChange, ConfigStep } from '../protocol/link/messages.ts';

/** An entry as it lies in the file. With neither a value nor a seal it is a secret that another box holds. */
export interface StoredEntry {
  readonly key: string;
  /** JSON. */
  readonly value: string | null;
  readonly sealed: Uint8Array | null;
  readonly revision: number;
}

/** How far an origin is here: `floor` is the last revision that the history does not have any more. */
export interface StoredOrigin {
  readonly origin: string;
  readonly revision: number;
  readonly floor: number;
}

/** The origin that a peer is known by. `complete`: nothing of it was skipped. */
export interface StoredPeer {
  /** Made at pairing, never changes. */
  readonly peer: string;
  /** As the administrator calls it. */
  readonly name: string;
  readonly origin: string;
  readonly complete: boolean;
}

/** Bytes of changes that are kept of one origin; and of one that need not be counted, for all that are kept fit if they are like it. */
const LONGEST_HISTORY = 16 * 1024 * 1024;
const ORDINARY_CHANGE = 1_600;

type Row = Readonly<Record<string, SQLOutputValue>>;

/** The statements of clusterdb, and rows as values. Transactions are the caller's. */
export class Tables {
  readonly #file: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(file: DatabaseSync) {
    this.#file = file;
  }

  /** Another number after another connection has committed (https://sqlite.org/pragma.html#pragma_data_version). */
  version(): number {
    return numeric(this.#one('PRAGMA data_version'), 'data_version');
  }

  self(): string {
    return text(this.#one('SELECT origin FROM self'), 'origin');
  }

  origins(): readonly StoredOrigin[] {
    return this.#all('SELECT origin, revision, floor FROM origins ORDER BY origin').map(originOf);
  }

  origin(origin: string): StoredOrigin | undefined {
    const row = this.#one('SELECT origin, revision, floor FROM origins WHERE origin = ?', origin);
    return row === undefined ? undefined : originOf(row);
  }

  /** Makes the origin if it is new. */
  setOrigin({ origin, revision, floor }: StoredOrigin): void {
    this.#run(
      'INSERT INTO origins (origin, revision, floor) VALUES (?, ?, ?) ON CONFLICT (origin) DO UPDATE SET revision = excluded.revision, floor = excluded.floor',
      origin,
      revision,
      floor,
    );
  }

  /** With its entries, its history and what peer it is of. */
  removeOrigin(origin: string): void {
    this.#run('DELETE FROM origins WHERE origin = ?', origin);
  }

  entries(origin: string): readonly StoredEntry[] {
    return this.#all('SELECT key, value, sealed, revision FROM entries WHERE origin = ? ORDER BY key', origin).map(
      (row) => ({
        key: text(row, 'key'),
        value: row['value'] === null ? null : text(row, 'value'),
        sealed: row['sealed'] instanceof Uint8Array ? row['sealed'] : null,
        revision: numeric(row, 'revision'),
      }),
    );
  }

  putEntry(origin: string, { key, value, sealed, revision }: StoredEntry): void {
    this.#run(
      'INSERT OR REPLACE INTO entries (origin, key, value, sealed, revision) VALUES (?, ?, ?, ?, ?)',
      origin,
      key,
      value,
      sealed,
      revision,
    );
  }

  removeEntry(origin: string, key: string): void {
    this.#run('DELETE FROM entries WHERE origin = ? AND key = ?', origin, key);
  }

  /** Adds a change, moves its origin there, and drops what the history has beyond `history` changes, or beyond what one origin may take of the disk. */
  addChange(change: ConfigChange, digest: string | undefined, history: number): void {
    const { origin, revision, time, author, reason, steps } = change;
    const written = JSON.stringify(steps);
    this.#run(
      'INSERT INTO changes (origin, revision, time, author, reason, steps) VALUES (?, ?, ?, ?, ?, ?)',
      origin,
      revision,
      time,
      author,
      reason,
      written,
    );
    if (digest !== undefined) this.addDigest(origin, revision, digest);
    const floor = Math.max(revision - history, this.#floorBySize(origin, written.length));
    this.#run('DELETE FROM changes WHERE origin = ? AND revision <= ?', origin, floor);
    // That of the floor stays: a replica may hold just what comes before the oldest change.
    this.#run('DELETE FROM digests WHERE origin = ? AND revision < ?', origin, floor);
    this.#run('UPDATE origins SET revision = ?, floor = max(floor, ?) WHERE origin = ?', revision, floor, origin);
  }

  /** What stands for the history of an origin up to a revision, if it is known. */
  digest(origin: string, revision: number): string | undefined {
    const row = this.#one('SELECT digest FROM digests WHERE origin = ? AND revision = ?', origin, revision);
    return row === undefined ? undefined : text(row, 'digest');
  }

  addDigest(origin: string, revision: number, digest: string): void {
    this.#run('INSERT INTO digests (origin, revision, digest) VALUES (?, ?, ?)', origin, revision, digest);
  }

  /** Changes after `since`, oldest first. */
  changes(origin: string, since: number, limit: number): readonly ConfigChange[] {
    return this.#all(
      'SELECT * FROM changes WHERE origin = ? AND revision > ? ORDER BY revision LIMIT ?',
      origin,
      since,
      limit,
    ).map(changeOf);
  }

  /** Changes at `until` and before it, newest first, one by one. */
  *changesDown(origin: string, until: number): Generator<ConfigChange> {
    for (let revision = until; ; revision--) {
      const row = this.#one('SELECT * FROM changes WHERE origin = ? AND revision = ?', origin, revision);
      if (row === undefined) return;
      yield changeOf(row);
    }
  }

  /**
   * The newest changes, of one origin by revision; of all by time. A clock that was set back does not change the order within an origin: a
   * change is taken to be no older than those before it.
   */
  newest(limit: number, origin: string | undefined): readonly ConfigChange[] {
    const rows =
      origin === undefined
        ? this.#all(
            'SELECT *, max(time) OVER (PARTITION BY origin ORDER BY revision) AS told FROM changes ORDER BY told DESC, origin DESC, revision DESC LIMIT ?',
            limit,
          )
        : this.#all('SELECT * FROM changes WHERE origin = ? ORDER BY revision DESC LIMIT ?', origin, limit);
    return rows.map(changeOf);
  }

  peers(): readonly StoredPeer[] {
    return this.#all('SELECT peer, name, origin, complete FROM peers').map((row) => ({
      peer: text(row, 'peer'),
      name: text(row, 'name'),
      origin: text(row, 'origin'),
      complete: numeric(row, 'complete') === 1,
    }));
  }

  setPeer({ peer, name, origin, complete }: StoredPeer): void {
    this.#run(
      'INSERT OR REPLACE INTO peers (peer, name, origin, complete) VALUES (?, ?, ?, ?)',
      peer,
      name,
      origin,
      complete ? 1 : 0,
    );
  }

  /** The last revision that goes because the changes after it take all the room that there is. Few large ones do, many ordinary ones cannot. */
  #floorBySize(origin: string, added: number): number {
    if (added <= ORDINARY_CHANGE) return 0;
    let left = LONGEST_HISTORY;
    for (const row of this.#all(
      'SELECT revision, octet_length(steps) AS size FROM changes WHERE origin = ? ORDER BY revision DESC',
      origin,
    )) {
      left -= numeric(row, 'size');
      if (left < 0) return numeric(row, 'revision');
    }
    return 0;
  }

  #one(sql: string, ...values: readonly (string | number)[]): Row | undefined {
    return this.#statement(sql).get(...values);
  }

  #all(sql: string, ...values: readonly (string | number)[]): readonly Row[] {
    return this.#statement(sql).all(...values);
  }

  #run(sql: string, ...values: readonly (string | number | null | Uint8Array)[]): void {
    this.#statement(sql).run(...values);
  }

  #statement(sql: string): StatementSync {
    const found = this.#prepared.get(sql) ?? this.#file.prepare(sql);
    this.#prepared.set(sql, found);
    return found;
  }
}

function originOf(row: Row): StoredOrigin {
  return { origin: text(row, 'origin'), revision: numeric(row, 'revision'), floor: numeric(row, 'floor') };
}

function changeOf(row: Row): ConfigChange {
  return {
    origin: text(row, 'origin'),
    revision: numeric(row, 'revision'),
    time: numeric(row, 'time'),
    author: text(row, 'author'),
    reason: text(row, 'reason'),
    // Written by `addChange`, in a file that passed SQLite's check.
    steps: JSON.parse(text(row, 'steps')) as readonly ConfigStep[],
  };
}

function text(row: Row | undefined, column: string): string {
  const value = row?.[column];
  if (typeof value !== 'string') throw new Error(`clusterdb: the column ${column} has no text`);
  return value;
}

function numeric(row: Row | undefined, column: string): number {
  const value = row?.[column];
  if (typeof value !== 'number') throw new Error(`clusterdb: the column ${column} has no number`);
  return value;
}
