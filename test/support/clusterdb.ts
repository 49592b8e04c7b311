import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { ClusterdbOptions } from '../../src/clusterdb/store.ts';
import { Clusterdb } from '../../src/clusterdb/store.ts';
import type { ChangeOutcome, Snapshot } from '../../src/clusterdb/types.ts';
import type { Json } from '../../src/protocol/link/messages.ts';
import { CATALOG } from './clusterdb-catalog.ts';

/** Opens a database that must open. */
export function opened(options: Partial<ClusterdbOptions> & { readonly folder: string }): Clusterdb {
  const db = Clusterdb.open({ catalog: CATALOG, owns: 'both', ...options });
  if ('refused' in db) throw new Error(db.refused);
  return db;
}

/** Databases of one test, in folders that are removed after it. */
export interface Databases {
  /** The data folder of the one that is opened when no other is named. */
  readonly folder: string;
  /** A place for further ones. */
  readonly place: string;
  start(options?: Partial<ClusterdbOptions>): Clusterdb;
  stop(db: Clusterdb): void;
  /** The sentence that is the answer to an attempt to open one. */
  refusal(options?: Partial<ClusterdbOptions>): string;
}

/** Noon of the day on which the tests happen. */
export const NOON = Date.UTC(2026, 10, 22, 12);

/** Databases for each test of a file. */
export function useDatabases(): Databases {
  const open = new Set<Clusterdb>();
  let place = '';
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'fedway-clusterdb-'));
  });
  afterEach(() => {
    for (const db of open) db.close();
    open.clear();
    rmSync(place, { recursive: true, force: true });
  });
  return {
    get folder() {
      return join(place, 'data');
    },
    get place() {
      return place;
    },
    start(options = {}) {
      const db = opened({ folder: join(place, 'data'), clock: () => NOON, ...options });
      open.add(db);
      return db;
    },
    stop(db) {
      db.close();
      open.delete(db);
    },
    refusal(options = {}) {
      const db = Clusterdb.open({ folder: join(place, 'data'), catalog: CATALOG, owns: 'both', ...options });
      if ('refused' in db) return db.refused;
      db.close();
      throw new Error('it opened');
    },
  };
}

/** Sets keys as `root@edge-1`, because of a test. */
export function put(
  db: Clusterdb,
  values: Readonly<Record<string, Json>>,
  expect?: Readonly<Record<string, number>>,
): ChangeOutcome {
  const steps = Object.entries(values).map(([key, value]) => ({ put: key, value }));
  return db.change({ steps, author: 'root@edge-1', reason: 'test', ...(expect === undefined ? {} : { expect }) });
}

/** Removes a key as `anna`, without a reason. */
export function remove(db: Clusterdb, key: string): ChangeOutcome {
  return db.change({ steps: [{ remove: key }], author: 'anna', reason: '' });
}

export function problemsOf(outcome: { readonly outcome: string } | ChangeOutcome): readonly string[] {
  return 'problems' in outcome ? outcome.problems : [];
}

/** The values of a snapshot as one object. */
export function valuesIn(snapshot: Snapshot | undefined): Readonly<Record<string, Json | undefined>> {
  return Object.fromEntries([...(snapshot?.entries.values() ?? [])].map(({ key, value }) => [key, value]));
}
