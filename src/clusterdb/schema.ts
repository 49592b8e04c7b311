import { DatabaseSync } from 'node:sqlite';
import { beginning } from './digest.ts';
import { damagedSentence, faultSentence, isBusy } from './fault.ts';
import { makePrivate } from './folder.ts';

/** `application_id` of the file: "fedw". */
const APPLICATION = 0x66656477;
/** `user_version` of the file. A schema that an older fedway cannot use has a higher one. */
const SCHEMA = 2;

/**
 * `entries` is the present, `changes` how it came about. A secret is in `entries.sealed` and nowhere else. An entry with neither a value nor
 * a seal is a secret that another box holds. `origins.floor` is the last revision that `changes` does not have any more.
 */
const TABLES = `
CREATE TABLE self (origin TEXT NOT NULL) STRICT;
CREATE TABLE origins (origin TEXT PRIMARY KEY, revision INTEGER NOT NULL, floor INTEGER NOT NULL) STRICT;
CREATE TABLE entries (
  origin TEXT NOT NULL REFERENCES origins ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT,
  sealed BLOB,
  revision INTEGER NOT NULL,
  PRIMARY KEY (origin, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE changes (
  origin TEXT NOT NULL REFERENCES origins ON DELETE CASCADE,
  revision INTEGER NOT NULL,
  time REAL NOT NULL,
  author TEXT NOT NULL,
  reason TEXT NOT NULL,
  steps TEXT NOT NULL,
  PRIMARY KEY (origin, revision)
) STRICT, WITHOUT ROWID;
CREATE TABLE peers (
  peer TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  origin TEXT NOT NULL UNIQUE REFERENCES origins ON DELETE CASCADE,
  complete INTEGER NOT NULL
) STRICT;
`;

/**
 * `digests` says of each revision from `origins.floor` on what history led to it. Of a replica that was made before there were digests it has none, so
 * that the replica is filled anew.
 */
const DIGESTS = `
CREATE TABLE digests (
  origin TEXT NOT NULL REFERENCES origins ON DELETE CASCADE,
  revision INTEGER NOT NULL,
  digest TEXT NOT NULL,
  PRIMARY KEY (origin, revision)
) STRICT, WITHOUT ROWID;
`;

export interface FileOptions {
  readonly newId: () => string;
  /** Milliseconds to wait for another process that writes. */
  readonly patience: number;
}

/** Opens the file, makes it if it is missing, and checks that it is whole and ours. */
export function openFile(path: string, { newId, patience }: FileOptions): DatabaseSync | { readonly refused: string } {
  let file: DatabaseSync | undefined;
  try {
    makePrivate(path);
    file = new DatabaseSync(path, { timeout: patience });
    const foreign = foreignSentence(file, path);
    if (foreign !== undefined) {
      file.close();
      return { refused: foreign };
    }
    useWriteAheadLog(file, patience);
    // FULL: a commit is on disk when it returns. secure_delete: a former secret, sealed as it is, does not stay in free pages.
    file.exec(
      'PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF',
    );
    makeTables(file, newId);
    const damage = damageIn(file);
    if (damage === undefined) return file;
    file.close();
    return { refused: damagedSentence(path, damage) };
  } catch (error) {
    if (file?.isOpen === true) file.close();
    return { refused: faultSentence(error, path) };
  }
}

/** Why a readable SQLite file is not one for this program. */
function foreignSentence(file: DatabaseSync, path: string): string | undefined {
  const version = pragma(file, 'user_version');
  const application = pragma(file, 'application_id');
  const isEmpty = file.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  if (isEmpty && version === 0 && application === 0) return undefined;
  if (application !== APPLICATION) {
    return `${path} is an SQLite database of another program. Move it away, or name another data folder.`;
  }
  if (version > SCHEMA) {
    return `${path} was written by a newer fedway (schema ${version}; this one knows ${SCHEMA}). Run that version again, or restore the backup from before it.`;
  }
  return undefined;
}

/** The file remembers the mode. Two processes that set it at the same time do not wait for each other as writers do. */
function useWriteAheadLog(file: DatabaseSync, patience: number): void {
  const deadline = performance.now() + patience;
  for (;;) {
    try {
      file.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

/** Whole or not at all; of two processes that come to a new or an old file, one makes the tables. */
function makeTables(file: DatabaseSync, newId: () => string): void {
  if (pragma(file, 'user_version') === SCHEMA) return;
  file.exec('BEGIN IMMEDIATE');
  try {
    const version = pragma(file, 'user_version');
    if (version < 1) makeFirst(file, newId());
    if (version < 2) addDigests(file);
    file.exec(`PRAGMA application_id = ${APPLICATION}; PRAGMA user_version = ${SCHEMA}`);
    file.exec('COMMIT');
  } catch (error) {
    if (file.isTransaction) file.exec('ROLLBACK');
    throw error;
  }
}

function makeFirst(file: DatabaseSync, origin: string): void {
  file.exec(TABLES);
  file.prepare('INSERT INTO self (origin) VALUES (?)').run(origin);
  file.prepare('INSERT INTO origins (origin, revision, floor) VALUES (?, 0, 0)').run(origin);
}

/** Schema 2. The chain of this box begins where the box is; what came before is in nobody's digest. */
function addDigests(file: DatabaseSync): void {
  file.exec(DIGESTS);
  file
    .prepare(
      'INSERT INTO digests (origin, revision, digest) SELECT origin, revision, ? FROM origins WHERE origin IN (SELECT origin FROM self)',
    )
    .run(beginning());
}

/** What SQLite's own check finds, shortly. */
function damageIn(file: DatabaseSync): string | undefined {
  const found = file.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
  if (found !== 'ok') return typeof found === 'string' ? found.replaceAll('\n', ' ').slice(0, 200) : 'the check fails';
  return file.prepare('SELECT origin FROM self').get() === undefined ? 'it has no origin' : undefined;
}

function pragma(file: DatabaseSync, name: 'user_version' | 'application_id'): number {
  return Number(file.prepare(`PRAGMA ${name}`).get()?.[name]);
}
