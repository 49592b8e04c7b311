import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ArchiveIds } from './ids.ts';

test('ids sort in the order they were made and are never the same, whatever the clock does', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(Date.UTC(2100, 0)), { maxLength: 50 }), (times) => {
      const ids = new ArchiveIds((octets) => new Uint8Array(octets));
      const made = times.map((time) => ids.next(time));
      expect(made).toEqual([...new Set(made)].toSorted());
    }),
  );
});

test('an id has a part that is random', () => {
  const ids = new ArchiveIds((octets) => new Uint8Array(octets).fill(0xab));
  expect(ids.next(1)).toBe('000000000001-000000-abababababababab');
});
