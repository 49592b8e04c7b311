import { describe, expect, test } from 'vitest';
import { CATALOG } from '../../test/support/clusterdb-catalog.ts';
import { MOST, theFirst } from './bounds.ts';
import { planOf } from './plan.ts';
import type { Entry, Snapshot } from './types.ts';

/** A configuration with so many keys. */
function snapshotOf(count: number): Snapshot {
  const entries = new Map<string, Entry>();
  for (let n = 0; n < count; n++) entries.set(`count.k${n}`, { key: `count.k${n}`, value: n, revision: 1 });
  return { origin: 'here', revision: 1, entries };
}

function planFor(present: Snapshot, steps: Parameters<typeof planOf>[0]['steps']) {
  return planOf(
    { steps, author: 'root', reason: '' },
    { present, catalog: CATALOG, owns: 'both', lastChange: () => undefined },
  );
}

describe('a configuration with as many keys as there may be', () => {
  const full = snapshotOf(MOST.keys);

  test('takes no further one, and the sentence says what to do', () => {
    const plan = planFor(full, [{ put: 'count.more', value: 1 }]);
    expect(plan).toMatchObject({ plan: 'refused', problems: [expect.stringContaining('Remove some first') as string] });
  });

  test('can be changed, and made smaller', () => {
    expect(planFor(full, [{ put: 'count.k1', value: 7 }])).toMatchObject({ plan: 'write' });
    expect(planFor(full, [{ remove: 'count.k1' }])).toMatchObject({ plan: 'write' });
    expect(planFor(snapshotOf(MOST.keys + 5), [{ remove: 'count.k1' }])).toMatchObject({ plan: 'write' });
  });
});

test('of many problems the first are told, and how many there are more', () => {
  const many = Array.from({ length: 1_020 }, (_, n) => `${n}`);
  expect(theFirst(many)).toEqual([...many.slice(0, 20), 'And 1,000 more.']);
  expect(theFirst(many.slice(0, 20))).toEqual(many.slice(0, 20));
});
