import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { put, remove, useDatabases, valuesIn } from '../../test/support/clusterdb.ts';
import type { ReplicatedBox, ReplicatedBoxes } from '../../test/support/replicated.ts';
import { linkedPairOf, pairOf } from '../../test/support/replicated.ts';
import type { ReplicationMessage } from '../protocol/link/messages.ts';
import type { Advance } from './types.ts';

const databases = useDatabases();

function replicaOf(owner: ReplicatedBox, at: ReplicatedBox): Readonly<Record<string, unknown>> {
  return valuesIn(at.db.snapshot(owner.db.origin));
}

/** What a box has said that is of this kind. */
function sentBy(box: ReplicatedBox): readonly ReplicationMessage['is'][] {
  return box.sent.map(({ is }) => is);
}

describe('a replica', () => {
  test('is filled at the first contact, and in force from the cutover on', () => {
    const both = pairOf(databases);
    put(both.edge.db, { federation: 'on', tls: 'optional' });
    both.up();
    both.deliver(both.core);
    expect(sentBy(both.edge)).toEqual(['follow', 'backfill', 'entry', 'entry', 'cutover']);
    for (let n = 0; n < 4; n++) both.deliver(both.edge);
    expect(both.core.db.snapshot(both.edge.db.origin)).toBeUndefined();
    both.deliver(both.edge);
    expect(replicaOf(both.edge, both.core)).toEqual({ federation: 'on', tls: 'optional' });
    both.settle();
    expect(both.core.replication.status()).toEqual({ theirs: 1, held: 1 });
    expect(both.edge.replication.confirmed).toBe(1);
  });

  test('follows change by change in both directions, with who, when and why', () => {
    const both = linkedPairOf(databases);
    put(both.edge.db, { tls: 'none', 'count.a': 1 });
    remove(both.edge.db, 'count.a');
    put(both.core.db, { 'homes.a.lab.federation': 'off' });
    expect(sentBy(both.edge)).toEqual(['change', 'change']);
    both.settle();
    expect(replicaOf(both.edge, both.core)).toEqual({ tls: 'none' });
    expect(replicaOf(both.core, both.edge)).toEqual({ 'homes.a.lab.federation': 'off' });
    const { origin } = both.edge.db;
    expect(both.core.db.log(10, origin)).toEqual(both.edge.db.log(10, origin));
  });

  test('learns of a key that stays on its box only that it is set, whether it comes with a backfill or with a change', () => {
    const both = pairOf(databases);
    put(both.core.db, { 'address.a': 'inner.lab', 'homes.a.lab.federation': 'off' });
    both.up();
    both.settle();
    const sent: string[] = [];
    put(both.core.db, { 'address.b': 'inner.lab' });
    sent.push(JSON.stringify(both.core.sent));
    both.settle();
    const replica = both.edge.db.snapshot(both.core.db.origin);
    expect([...(replica?.entries.values() ?? [])].map(({ key, value }) => [key, value])).toEqual([
      ['address.a', undefined],
      ['homes.a.lab.federation', 'off'],
      ['address.b', undefined],
    ]);
    expect(sent.join('')).toContain('address.b');
    expect(sent.join('')).not.toContain('inner.lab');
    expect(JSON.stringify([both.edge.db.log(10), both.edge.notes])).not.toContain('inner.lab');
    // On its own box it is like any other key, and the two agree on the history.
    expect(valuesIn(both.core.db.snapshot())).toMatchObject({ 'address.a': 'inner.lab', 'address.b': 'inner.lab' });
    expect(JSON.stringify(both.core.db.log(10))).toContain('inner.lab');
    both.down();
    put(both.core.db, { 'address.a': 'another.lab' });
    both.up();
    both.deliver(both.edge);
    expect(sentBy(both.core)).toEqual(['follow', 'change']);
  });

  test('of a box that was away is brought up by the changes alone, after a restart too', () => {
    const both = linkedPairOf(databases);
    put(both.edge.db, { 'count.a': 1 });
    both.settle();
    both.down();
    for (let n = 2; n < 6; n++) put(both.edge.db, { 'count.a': n });
    databases.stop(both.core.db);
    both.core.restart(databases.start({ folder: join(databases.place, 'core'), owns: 'core' }));
    expect(replicaOf(both.edge, both.core)).toEqual({ 'count.a': 1 });
    both.up();
    both.deliver(both.core);
    expect(sentBy(both.edge)).toEqual(['follow', 'change', 'change', 'change', 'change']);
    both.settle();
    expect(replicaOf(both.edge, both.core)).toEqual({ 'count.a': 5 });
  });

  test('of a box that was away longer than the history reaches is filled anew', () => {
    const both = linkedPairOf(databases, { history: 3 });
    put(both.edge.db, { 'count.a': 1, 'count.b': 1 });
    both.settle();
    both.down();
    remove(both.edge.db, 'count.b');
    for (let n = 2; n < 6; n++) put(both.edge.db, { 'count.a': n });
    both.up();
    both.deliver(both.core);
    expect(sentBy(both.edge)).toContain('backfill');
    both.settle();
    expect(replicaOf(both.edge, both.core)).toEqual({ 'count.a': 5 });
  });

  test('of a database that was put back to a former state becomes that state', () => {
    const both = linkedPairOf(databases);
    put(both.edge.db, { 'count.a': 1 });
    both.settle();
    both.down();
    const former = databases.start({
      folder: join(databases.place, 'former'),
      owns: 'edge',
      newId: () => both.edge.db.origin,
    });
    both.edge.restart(former);
    both.up();
    both.settle();
    expect(both.core.db.snapshot(former.origin)).toMatchObject({ revision: 0, entries: new Map() });
  });

  test('of a box that was rebuilt takes the place of the old one, which is forgotten at the cutover', () => {
    const both = linkedPairOf(databases);
    put(both.edge.db, { tls: 'none', 'count.a': 1 });
    both.settle();
    both.down();
    const old = both.edge.db.origin;
    both.edge.restart(databases.start({ folder: join(databases.place, 'rebuilt'), owns: 'edge' }));
    put(both.edge.db, { tls: 'optional' });
    const told: Advance[] = [];
    both.core.db.watch((advance) => told.push(advance));
    both.up();
    expect(valuesIn(both.core.db.snapshot(old))).toEqual({ tls: 'none', 'count.a': 1 });
    both.settle();
    expect(both.core.db.origins().toSorted()).toEqual([both.core.db.origin, both.edge.db.origin].toSorted());
    expect(both.core.replication.origin).toBe(both.edge.db.origin);
    expect(told.map(({ before, after }) => [valuesIn(before), valuesIn(after)])).toEqual([
      [{ tls: 'none', 'count.a': 1 }, { tls: 'optional' }],
    ]);
  });

  test('is dropped with the pairing', () => {
    const both = linkedPairOf(databases);
    put(both.edge.db, { tls: 'none' });
    both.settle();
    both.core.replication.forget();
    expect(both.core.db.origins()).toEqual([both.core.db.origin]);
    expect(both.core.replication.entries()).toEqual([]);
    expect(both.core.replication.status()?.held ?? 0).toBe(0);
  });
});

describe('a long backfill', () => {
  test('is sent in slices, and what changes meanwhile comes after the cutover, once', () => {
    const both = pairOf(databases);
    put(both.edge.db, Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`count.a${n}`, n])));
    both.up();
    both.deliver(both.core);
    expect(both.edge.sent.length).toBeLessThan(70);
    put(both.edge.db, { 'count.a0': 1000 });
    put(both.edge.db, { 'count.a1': 1001 });
    expect(both.edge.sent.length).toBeLessThan(70);
    while (both.turn(both.edge)) expect(both.edge.sent.length).toBeLessThan(400);
    expect(sentBy(both.edge).slice(-3)).toEqual(['cutover', 'change', 'change']);
    both.settle();
    expect(both.core.db.snapshot(both.edge.db.origin)?.entries).toEqual(both.edge.db.snapshot().entries);
    expect(both.core.db.log(10, both.edge.db.origin).map(({ revision }) => revision)).toEqual([3, 2]);
  });

  test('that a break cuts has no effect', () => {
    const both = linkedPairOf(databases);
    put(both.edge.db, { tls: 'none' });
    both.settle();
    both.down();
    both.edge.restart(databases.start({ folder: join(databases.place, 'rebuilt'), owns: 'edge' }));
    put(both.edge.db, { 'count.a': 1, 'count.b': 1 });
    both.up();
    both.deliver(both.core);
    for (let n = 0; n < 3; n++) both.deliver(both.edge);
    both.down();
    expect(both.core.replication.entries().map(({ key }) => key)).toEqual(['tls']);
    both.up();
    both.settle();
    expect(replicaOf(both.edge, both.core)).toEqual({ 'count.a': 1, 'count.b': 1 });
  });
});

describe('secrets', () => {
  test('do not leave the box that owns them, by whatever way: backfill, change, history', () => {
    const both = pairOf(databases);
    put(both.edge.db, { dialback_secret: 'hunter2hunter2' });
    const seen: string[] = [];
    const watch = (): void => void seen.push(JSON.stringify(both.edge.sent));
    both.up();
    both.deliver(both.core);
    watch();
    both.settle();
    put(both.edge.db, { dialback_secret: 'hunter3hunter3', tls: 'none' });
    watch();
    both.settle();
    expect(seen.join()).toContain('{"hide":"dialback_secret"}');
    expect(seen.join()).not.toMatch(/hunter/);
    expect(both.core.db.snapshot(both.edge.db.origin)?.entries.get('dialback_secret')).toEqual({
      key: 'dialback_secret',
      value: undefined,
      revision: 2,
    });
  });

  test('that a peer sends although it should not are not kept', () => {
    const both = linkedPairOf(databases);
    const change = {
      origin: both.edge.db.origin,
      revision: 1,
      time: 0,
      author: 'x',
      reason: '',
      steps: [{ put: 'dialback_secret', value: 'leaked' }],
    };
    both.core.replication.receive({ is: 'change', change, digest: undefined });
    expect(both.core.db.snapshot(both.edge.db.origin)?.entries.get('dialback_secret')?.value).toBeUndefined();
    expect(JSON.stringify(both.core.db.changesSince(both.edge.db.origin, 0))).not.toContain('leaked');
  });
});

describe('the steps of replication', () => {
  test('are told on both boxes, for who looks for the place where a change has stopped', () => {
    const both = linkedPairOf(databases);
    both.settle();
    for (const { steps } of [both.edge, both.core]) steps.length = 0;
    put(both.edge.db, { tls: 'none' });
    both.settle();
    const step = { note: 'replication-step', revision: 1 };
    expect(both.edge.steps).toEqual([
      { ...step, box: 'core-1', way: 'sent', step: 'change' },
      { ...step, box: 'core-1', way: 'received', step: 'applied' },
    ]);
    expect(both.core.steps).toEqual([
      { ...step, box: 'edge-1', way: 'received', step: 'change' },
      { ...step, box: 'edge-1', way: 'sent', step: 'applied' },
    ]);
  });

  test('of a whole copy are its begin and its end, not its keys', () => {
    const both = pairOf(databases);
    put(both.edge.db, { tls: 'none', federation: 'on' });
    both.up();
    both.settle();
    const steps = both.core.steps.map((note) => ('step' in note && 'way' in note ? `${note.way} ${note.step}` : ''));
    expect(steps).toContain('received backfill');
    expect(steps).toContain('received cutover');
    expect(steps.filter((each) => each.includes('entry'))).toEqual([]);
  });
});

describe('what a peer must not do', () => {
  test('set what it does not own, does not exist or is no value: skipped and told, and the rest is taken', () => {
    const both = linkedPairOf(databases);
    changeFrom(both, [
      { put: 'homes.a.lab.federation', value: 'off' },
      { put: 'future_key', value: 'x' },
      { put: 'tls', value: 'sometimes' },
      { hide: 'tls' },
      { put: 'federation', value: 'on' },
    ]);
    expect(replicaOf(both.edge, both.core)).toEqual({ federation: 'on' });
    expect(both.core.replication.status()).toEqual({ theirs: 1, held: 1 });
    expect(both.core.notes).toEqual([
      {
        note: 'replica-skipped',
        box: 'edge-1',
        key: 'homes.a.lab.federation',
        because: 'it does not belong to that box.',
      },
      {
        note: 'replica-skipped',
        box: 'edge-1',
        key: 'future_key',
        because: 'there is no such key; did you mean "tls"?',
      },
      { note: 'replica-skipped', box: 'edge-1', key: 'tls', because: 'it is one of required, optional, none.' },
      { note: 'replica-skipped', box: 'edge-1', key: 'tls', because: 'its value is missing.' },
    ]);
  });

  test('what was skipped is asked for once more after a restart, which may have brought a newer version', () => {
    const both = linkedPairOf(databases);
    changeFrom(both, [{ put: 'future_key', value: 'x' }]);
    both.down();
    databases.stop(both.core.db);
    both.core.restart(databases.start({ folder: join(databases.place, 'core'), owns: 'core' }));
    both.up();
    expect(both.core.sent).toEqual([{ is: 'follow', origin: undefined, since: 0, digest: undefined }]);
    both.settle();
    both.down();
    both.up();
    expect(both.core.sent).toMatchObject([{ is: 'follow', origin: both.edge.db.origin, since: 0 }]);
  });

  test('leave out a revision: the replica stays as it was, and everything is asked for', () => {
    const both = linkedPairOf(databases);
    put(both.edge.db, { tls: 'none' });
    both.settle();
    changeFrom(both, [{ put: 'tls', value: 'optional' }], 3);
    expect(both.core.notes).toEqual([
      {
        note: 'replica-broken',
        box: 'edge-1',
        because: 'revision 3 came, and the one before it did not. It is copied anew.',
      },
    ]);
    changeFrom(both, [{ put: 'tls', value: 'optional' }], 2);
    expect(replicaOf(both.edge, both.core)).toEqual({ tls: 'none' });
    both.settle();
    put(both.edge.db, { tls: 'required' });
    both.settle();
    expect(replicaOf(both.edge, both.core)).toEqual({ tls: 'required' });
    expect(both.core.notes).toHaveLength(1);
  });

  test('say the same twice: the second has no effect', () => {
    const both = linkedPairOf(databases);
    changeFrom(both, [{ put: 'tls', value: 'none' }]);
    changeFrom(both, [{ put: 'tls', value: 'optional' }]);
    expect(replicaOf(both.edge, both.core)).toEqual({ tls: 'none' });
  });

  test.each<[string, readonly ReplicationMessage[]]>([
    ['an entry outside of a backfill', [{ is: 'entry', step: { put: 'tls', value: 'none' }, revision: 1 }]],
    ['a cutover without a backfill', [{ is: 'cutover', origin: 'x', revision: 1, entries: 0 }]],
    [
      'a cutover of another backfill',
      [
        { is: 'backfill', origin: 'x', revision: 1, digest: undefined },
        { is: 'cutover', origin: 'x', revision: 2, entries: 0 },
      ],
    ],
    [
      'fewer entries than it says',
      [
        { is: 'backfill', origin: 'x', revision: 1, digest: undefined },
        { is: 'cutover', origin: 'x', revision: 1, entries: 1 },
      ],
    ],
    ['a change in a backfill', [{ is: 'backfill', origin: 'x', revision: 1, digest: undefined }, changeOf('x', 2)]],
    ['a change of another database', [changeOf('x', 1)]],
  ])('send %s: told, and copied anew', (_, messages) => {
    const both = linkedPairOf(databases);
    put(both.edge.db, { tls: 'none' });
    both.settle();
    for (const message of messages) both.core.replication.receive(message);
    expect(both.core.notes).toMatchObject([{ note: 'replica-broken' }]);
    expect(both.core.sent).toEqual([{ is: 'follow', origin: undefined, since: 0, digest: undefined }]);
    expect(both.core.db.snapshot('x')).toBeUndefined();
    both.settle();
    expect(replicaOf(both.edge, both.core)).toEqual({ tls: 'none' });
  });

  test('say that its database is ours, or that of another peer', () => {
    const both = linkedPairOf(databases);
    put(both.core.db, { 'homes.a.lab.federation': 'off' });
    put(both.edge.db, { tls: 'none' });
    both.settle();
    const other = { origin: 'other', revision: 3, entries: new Map() };
    both.core.db.replace(other, { peer: 'id of edge-2', name: 'edge-2', complete: true });
    for (const origin of [both.core.db.origin, 'other', '../x']) {
      both.down();
      both.up();
      both.core.replication.receive({ is: 'backfill', origin, revision: 9, digest: undefined });
      both.core.replication.receive({ is: 'cutover', origin, revision: 9, entries: 0 });
    }
    expect(both.core.notes.map((note) => ('because' in note ? note.because : ''))).toEqual([
      expect.stringMatching(/^it says that its database is ours/),
      expect.stringMatching(/^its database is already known as that of edge-2/),
      expect.stringMatching(/^the name of its database is none/),
    ]);
    expect(valuesIn(both.core.db.snapshot())).toEqual({ 'homes.a.lab.federation': 'off' });
    expect(both.core.db.snapshot('other')).toEqual(other);
    expect(replicaOf(both.edge, both.core)).toEqual({ tls: 'none' });
  });
});

function changeOf(origin: string, revision: number): ReplicationMessage {
  return { is: 'change', change: { origin, revision, time: 0, author: '', reason: '', steps: [] }, digest: undefined };
}

function changeFrom(
  both: ReplicatedBoxes,
  steps: readonly ({ put: string; value: string } | { hide: string })[],
  revision = 1,
): void {
  const change = { origin: both.edge.db.origin, revision, time: 0, author: 'x', reason: '', steps };
  both.core.replication.receive({ is: 'change', change, digest: undefined });
}
