import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { put, remove, useDatabases } from '../../test/support/clusterdb.ts';
import { linkedPairOf } from '../../test/support/replicated.ts';
import { beginning, digestAfter } from './digest.ts';
import type { Clusterdb } from './store.ts';

const databases = useDatabases();

function digestsOf(db: Clusterdb): readonly (string | undefined)[] {
  return Array.from({ length: db.snapshot().revision + 1 }, (_, revision) => db.digestOf(db.origin, revision));
}

describe('the digest of a revision', () => {
  test('follows from the one before it and from what replicas get of the change: no secret is in it', () => {
    const db = databases.start();
    put(db, { dialback_secret: 'hunter2hunter2', 'count.a': 1 });
    put(db, { dialback_secret: 'another one' });
    remove(db, 'count.a');
    let digest = db.digestOf(db.origin, 0) ?? '';
    for (const change of db.changesSince(db.origin, 0) ?? []) {
      expect(JSON.stringify(change)).not.toMatch(/hunter2|another one/);
      digest = digestAfter(digest, change);
      expect(db.digestOf(db.origin, change.revision)).toBe(digest);
    }
    expect(new Set(digestsOf(db)).size).toBe(4);
  });

  test('is another one when anything of the change or of what was before is', () => {
    const change = { origin: 'o', revision: 1, time: 0, author: 'a', reason: 'r', steps: [{ put: 'k', value: 'v' }] };
    const former = 'f'.repeat(64);
    const others = [
      digestAfter('e'.repeat(64), change),
      ...[
        { origin: 'p' },
        { revision: 2 },
        { time: 1 },
        { author: 'ar', reason: '' },
        { reason: 's' },
        { steps: [] },
        { steps: [{ put: 'k', value: ['v'] }] },
        { steps: [{ remove: 'k' }] },
        { steps: [{ hide: 'k' }] },
      ].map((other) => digestAfter(former, { ...change, ...other })),
    ];
    expect(new Set([digestAfter(former, change), ...others]).size).toBe(others.length + 1);
    expect(digestAfter(former, { ...change })).toBe(digestAfter(former, change));
  });

  test('is known as far as the history reaches, that before its oldest change included', () => {
    const db = databases.start({ history: 2 });
    for (let n = 1; n <= 4; n++) put(db, { 'count.a': n });
    expect(digestsOf(db).map((digest) => digest !== undefined)).toEqual([false, false, true, true, true]);
    expect(db.digestOf('nobody', 0)).toBeUndefined();
  });

  test('begins at random: two databases of the same name are two', () => {
    const one = databases.start({ newId: () => 'same' });
    const other = databases.start({ folder: join(databases.place, 'other'), newId: () => 'same' });
    expect(one.digestOf('same', 0)).toMatch(/^[0-9a-f]{64}$/);
    expect(other.digestOf('same', 0)).not.toBe(one.digestOf('same', 0));
    expect(beginning()).not.toBe(beginning());
  });

  test('begins anew after a change by a fedway that knows none', () => {
    const both = linkedPairOf(databases);
    put(both.edge.db, { 'count.a': 1 });
    both.settle();
    both.down();
    const file = new DatabaseSync(join(databases.place, 'edge', 'clusterdb.sqlite'));
    file.exec('DELETE FROM digests');
    file.close();
    put(both.edge.db, { 'count.a': 2 });
    both.up();
    both.settle();
    const { origin } = both.edge.db;
    expect(both.edge.db.digestOf(origin, 2)).toMatch(/^[0-9a-f]{64}$/);
    expect(both.core.db.digestOf(origin, 2)).toBe(both.edge.db.digestOf(origin, 2));
  });
});
