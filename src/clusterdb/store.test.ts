import { describe, expect, test } from 'vitest';
import { NOON, problemsOf, put, remove, useDatabases, valuesIn } from '../../test/support/clusterdb.ts';
import type { ChangeRequest } from './types.ts';

const databases = useDatabases();

describe('a change', () => {
  test('has a revision, a time, an author, a reason and its steps in normal form, and is in force', () => {
    const db = databases.start();
    expect(put(db, { federation: 'ON', 'count.a': 1 })).toEqual({
      outcome: 'changed',
      change: {
        origin: db.origin,
        revision: 1,
        time: NOON,
        author: 'root@edge-1',
        reason: 'test',
        steps: [
          { put: 'federation', value: 'on' },
          { put: 'count.a', value: 1 },
        ],
      },
    });
    expect(valuesIn(db.snapshot())).toEqual({ federation: 'on', 'count.a': 1 });
    expect(db.snapshot().revision).toBe(1);
  });

  test('is still there after the database was closed and opened', () => {
    const db = databases.start();
    put(db, { federation: 'on', 'list.a': ['x', { y: null }] });
    remove(db, 'federation');
    const { origin } = db;
    const before = db.snapshot();
    databases.stop(db);
    const again = databases.start();
    expect(again.origin).toBe(origin);
    expect(again.snapshot()).toEqual(before);
    expect(again.changesSince(origin, 0)?.map(({ revision }) => revision)).toEqual([1, 2]);
  });

  test('leaves former snapshots as they were', () => {
    const db = databases.start();
    put(db, { tls: 'required' });
    const before = db.snapshot();
    put(db, { tls: 'none' });
    expect(before.entries.get('tls')?.value).toBe('required');
  });

  test('of nothing makes no revision, and steps that change nothing are left out of one that does', () => {
    const db = databases.start();
    put(db, { tls: 'none', 'count.a': 1 });
    expect(put(db, { tls: 'none' })).toEqual({ outcome: 'unchanged', revision: 1 });
    expect(remove(db, 'count.b').outcome).toBe('unchanged');
    expect(put(db, { tls: 'none', 'count.a': 2 })).toMatchObject({ change: { steps: [{ put: 'count.a', value: 2 }] } });
    expect(db.snapshot().entries.get('tls')?.revision).toBe(1);
  });

  test('is refused whole with a sentence for each thing that is wrong', () => {
    const db = databases.start();
    const outcome = put(db, { 'count.a': 1, tsl: 'none', tls: 'perhaps' });
    expect(outcome).toEqual({
      outcome: 'refused',
      problems: ['tsl: there is no such key; did you mean "tls"?', 'tls: it is one of required, optional, none.'],
    });
    expect(db.snapshot()).toMatchObject({ revision: 0, entries: new Map() });
  });

  test('is refused when the configuration that it would make is wrong as a whole', () => {
    const db = databases.start();
    put(db, { tls: 'none' });
    expect(problemsOf(put(db, { federation: 'on' }))).toEqual([
      'federation: with tls none there is dialback only, and that needs dialback_secret.',
    ]);
    expect(put(db, { federation: 'on', dialback_secret: 'a long one' }).outcome).toBe('changed');
    expect(remove(db, 'dialback_secret').outcome).toBe('refused');
  });

  test('of a key that another box owns is refused with where to change it', () => {
    expect(problemsOf(put(databases.start({ owns: 'edge' }), { 'homes.a.lab.federation': 'off' }))).toEqual([
      'homes.a.lab.federation: it belongs to the Core, and this box is the Edge. Change it there.',
    ]);
  });

  test.each<[string, ChangeRequest, RegExp]>([
    [
      'a key twice',
      { steps: [{ put: 'tls', value: 'none' }, { remove: 'tls' }], author: 'root', reason: '' },
      /^tls: it is in the change twice/,
    ],
    ['nobody as its author', { steps: [], author: '', reason: '' }, /^An author is named/],
    ['a reason without end', { steps: [], author: 'root', reason: 'x'.repeat(1001) }, /^A reason has 1000/],
    [
      'a value without end',
      { steps: [{ put: 'list.a', value: 'x'.repeat(40_000) }], author: 'root', reason: '' },
      /^list.a: a value has 32768/,
    ],
    [
      'steps without end',
      { steps: Array.from({ length: 10_001 }, (_, i) => ({ remove: `count.a${i}` })), author: 'root', reason: '' },
      /^A change has 10000 steps/,
    ],
    [
      'more than a Link carries',
      {
        steps: Array.from({ length: 100 }, (_, i) => ({ put: `list.a${i}`, value: 'x'.repeat(30_000) })),
        author: 'root',
        reason: '',
      },
      /^A change has 2097152 characters/,
    ],
    [
      'an expectation that is no revision',
      { steps: [], author: 'root', reason: '', expect: { tls: -1 } },
      /^tls: an expected revision/,
    ],
  ])('with %s is refused', (_, request, problem) => {
    const outcome = databases.start().change(request);
    expect(outcome.outcome).toBe('refused');
    expect(problemsOf(outcome)[0]).toMatch(problem);
  });
});

describe('a conflict', () => {
  test('names the key, who changed it, when, to what and why, and changes nothing', () => {
    const db = databases.start();
    put(db, { tls: 'required', 'count.a': 1 });
    put(db, { tls: 'optional' });
    expect(put(db, { tls: 'none', 'count.a': 2 }, { tls: 1, 'count.a': 1 })).toEqual({
      outcome: 'conflict',
      problems: [
        'tls: you saw revision 1, and root@edge-1 set it to "optional" at 2026-11-22T12:00:00.000Z (revision 2, because: test). Look at it again before you change it.',
      ],
    });
    expect(valuesIn(db.snapshot())).toEqual({ tls: 'optional', 'count.a': 1 });
  });

  test('is also a key that was removed, one that is new, and one that is only looked at', () => {
    const db = databases.start();
    put(db, { tls: 'required' });
    remove(db, 'tls');
    put(db, { 'count.a': 1 });
    expect(problemsOf(put(db, { tls: 'none' }, { tls: 1 }))[0]).toContain('anna removed it at 2026');
    expect(problemsOf(put(db, { 'count.a': 5 }, { 'count.a': 0 }))[0]).toContain(
      'you saw it unset, and root@edge-1 set it to 1',
    );
    expect(put(db, { 'count.b': 5 }, { 'count.a': 1 }).outcome).toBe('conflict');
    expect(put(db, { 'count.b': 5 }, { 'count.a': 3, tls: 0 }).outcome).toBe('changed');
  });

  test('is told although the value is already the one that is wanted: somebody else has made it', () => {
    const db = databases.start();
    put(db, { 'count.a': 5 });
    put(db, { 'count.a': 6 });
    expect(put(db, { 'count.a': 6 }, { 'count.a': 1 }).outcome).toBe('conflict');
  });

  test('is told when the history does not know any more who it was', () => {
    const db = databases.start({ history: 1 });
    put(db, { tls: 'required' });
    put(db, { 'count.a': 1 });
    expect(problemsOf(put(db, { tls: 'none' }, { tls: 0 }))).toEqual([
      'tls: you saw it unset, and now it is at revision 1. Look at it again before you change it.',
    ]);
  });

  test('about a secret does not tell it', () => {
    const db = databases.start();
    put(db, { dialback_secret: 'hunter2hunter2' });
    expect(problemsOf(put(db, { dialback_secret: 'x' }, { dialback_secret: 0 }))[0]).toMatch(
      /set it to another secret/,
    );
  });
});

describe('the history', () => {
  test('says how one revision came from another, and undefined when it does not reach back', () => {
    const db = databases.start({ history: 3 });
    for (let n = 1; n <= 5; n++) put(db, { 'count.a': n });
    expect(db.changesSince(db.origin, 2)?.map(({ revision }) => revision)).toEqual([3, 4, 5]);
    expect(db.changesSince(db.origin, 2, 2)?.map(({ revision }) => revision)).toEqual([3, 4]);
    expect(db.changesSince(db.origin, 5)).toEqual([]);
    expect(db.changesSince(db.origin, 1)).toBeUndefined();
    expect(db.changesSince(db.origin, 6)).toBeUndefined();
    expect(db.changesSince('nobody', 0)).toBeUndefined();
  });

  test('is shown newest first, with (secret) where a secret was', () => {
    const db = databases.start();
    put(db, { tls: 'none' });
    put(db, { dialback_secret: 'hunter2hunter2' });
    expect(db.log(10).map(({ steps }) => steps)).toEqual([
      [{ put: 'dialback_secret', value: '(secret)' }],
      [{ put: 'tls', value: 'none' }],
    ]);
    expect(db.log(1, db.origin)).toHaveLength(1);
    expect(db.log(10, 'nobody')).toEqual([]);
  });

  test('of several databases is sorted by time, and where the clocks agree by origin and revision', () => {
    const db = databases.start({ newId: () => 'm' });
    const none = { skipped: false, digest: undefined };
    for (const [origin, time] of [
      ['z', NOON],
      ['a', NOON],
      ['late', NOON + 1],
    ] as const) {
      db.replace({ origin, revision: 0, entries: new Map() }, { peer: origin, name: origin, complete: true });
      for (const revision of [1, 2]) db.apply({ origin, revision, time, author: 'x', reason: '', steps: [] }, none);
    }
    put(db, { tls: 'none' });
    const order = db.log(10).map(({ origin, revision }) => `${origin}${revision}`);
    expect(order).toEqual(['late2', 'late1', 'z2', 'z1', 'm1', 'a2', 'a1']);
    expect(db.log(4).map(({ origin, revision }) => `${origin}${revision}`)).toEqual(order.slice(0, 4));
  });
});
