import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { put, useDatabases, valuesIn } from '../../test/support/clusterdb.ts';
import { linkedPairOf, type ReplicatedBox, type ReplicatedBoxes } from '../../test/support/replicated.ts';
import type { Advance, Entry } from './types.ts';

const databases = useDatabases();

/** Stops a box, does something to its data folder, and starts it again; the Link is down afterwards. */
function restarted(both: ReplicatedBoxes, box: ReplicatedBox, meanwhile: (folder: string) => void): void {
  const owns = box === both.edge ? 'edge' : 'core';
  const folder = join(databases.place, owns);
  both.down();
  box.replication.close();
  databases.stop(box.db);
  meanwhile(folder);
  box.restart(databases.start({ folder, owns }));
}

function backUp(both: ReplicatedBoxes, box: ReplicatedBox): void {
  restarted(both, box, (folder) => cpSync(folder, `${folder}, backup`, { recursive: true }));
}

function restore(both: ReplicatedBoxes, box: ReplicatedBox): void {
  restarted(both, box, (folder) => {
    rmSync(folder, { recursive: true });
    cpSync(`${folder}, backup`, folder, { recursive: true });
  });
}

/** An Edge with a backup of revision 1 whose replica is at revision 3. */
function edgeWithBackup(): ReplicatedBoxes {
  const both = linkedPairOf(databases);
  put(both.edge.db, { 'count.a': 1 });
  backUp(both, both.edge);
  put(both.edge.db, { 'count.a': 2, 'count.lost': 1 });
  put(both.edge.db, { 'count.a': 3 });
  both.up();
  both.settle();
  return both;
}

function kindsSent(box: ReplicatedBox): ReadonlySet<string> {
  return new Set(box.sent.map(({ is }) => is));
}

describe('a database that was restored from a backup', () => {
  test.each([
    ['and is behind its replica', 0],
    ['and was changed to the very revision of its replica', 2],
    ['and was changed past its replica', 5],
  ])('%s is noticed: the replica is filled anew', (_, changes) => {
    const both = edgeWithBackup();
    restore(both, both.edge);
    for (let n = 0; n < changes; n++) put(both.edge.db, { 'count.b': n });
    const told: Advance[] = [];
    both.core.db.watch((advance) => told.push(advance));
    both.up();
    both.deliver(both.core);
    expect(kindsSent(both.edge)).toContain('backfill');
    both.settle();
    const { origin } = both.edge.db;
    expect(both.core.db.snapshot(origin)).toEqual(both.edge.db.snapshot());
    expect(both.core.db.snapshot(origin)?.entries.has('count.lost')).toBe(false);
    expect(told.map(({ changes }) => changes)).toEqual([undefined]);
    put(both.edge.db, { 'count.c': 1 });
    expect(kindsSent(both.edge)).toEqual(new Set(['change']));
    both.settle();
    expect(both.core.db.snapshot(origin)).toEqual(both.edge.db.snapshot());
  });

  test('and changed in the very same way is noticed too: who did it when is another one', () => {
    const both = edgeWithBackup();
    restore(both, both.edge);
    both.edge.db.change({
      steps: [
        { put: 'count.a', value: 2 },
        { put: 'count.lost', value: 1 },
      ],
      author: 'anna',
      reason: '',
    });
    put(both.edge.db, { 'count.a': 3 });
    both.up();
    both.settle();
    const { origin } = both.edge.db;
    expect(both.core.db.log(10, origin).map(({ author }) => author)).not.toContain('root@edge-1');
    expect(valuesIn(both.core.db.snapshot(origin))).toEqual({ 'count.a': 3, 'count.lost': 1 });
  });

  test('and has an older replica than it had gets the changes since then, no more', () => {
    const both = linkedPairOf(databases);
    put(both.edge.db, { 'count.a': 1 });
    both.settle();
    backUp(both, both.core);
    both.up();
    put(both.edge.db, { 'count.a': 2 });
    both.settle();
    restore(both, both.core);
    expect(valuesIn(both.core.db.snapshot(both.edge.db.origin))).toEqual({ 'count.a': 1 });
    both.up();
    both.deliver(both.core);
    expect(both.edge.sent).toMatchObject([{ is: 'follow' }, { is: 'change', change: { revision: 2 } }]);
    both.settle();
    expect(both.core.db.snapshot(both.edge.db.origin)).toEqual(both.edge.db.snapshot());
  });
});

describe('who follows without a digest, or with another one,', () => {
  test.each([
    ['without', undefined],
    ['with another one', 'f'.repeat(64)],
  ])('%s: gets everything', (_, digest) => {
    const both = edgeWithBackup();
    const { origin } = both.edge.db;
    both.edge.replication.receive({ is: 'follow', origin, since: 3, digest });
    expect(kindsSent(both.edge)).toEqual(new Set(['backfill', 'entry', 'cutover']));
    const known = both.edge.db.digestOf(origin, 2);
    both.edge.sent.length = 0;
    while (both.turn(both.edge));
    both.edge.replication.receive({ is: 'follow', origin, since: 2, digest: known });
    expect(both.edge.sent).toMatchObject([{ is: 'change', change: { revision: 3 } }]);
  });
});

test('another process that has the same file open sees a replica that was filled anew at the same revision', () => {
  const one = databases.start();
  const other = databases.start();
  const from = { peer: 'id of edge-1', name: 'edge-1', complete: true };
  one.replace({ origin: 'theirs', revision: 2, entries: entriesOf(1) }, { ...from, digest: 'a'.repeat(64) });
  expect(valuesIn(other.snapshot('theirs'))).toEqual({ 'count.a': 1 });
  const told: Advance[] = [];
  other.watch((advance) => told.push(advance));
  one.replace({ origin: 'theirs', revision: 2, entries: entriesOf(5) }, { ...from, digest: 'b'.repeat(64) });
  expect(valuesIn(other.snapshot('theirs'))).toEqual({ 'count.a': 5 });
  expect(told).toMatchObject([{ origin: 'theirs', changes: undefined }]);
});

function entriesOf(value: number): ReadonlyMap<string, Entry> {
  return new Map([['count.a', { key: 'count.a', value, revision: 2 }]]);
}
