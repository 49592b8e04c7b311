import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Batch } from './batch.ts';

/** Some memory, and parts of it in any order, neighbors among them. */
const parts = fc.array(fc.record({ memory: fc.nat(1), start: fc.nat(20), length: fc.nat(8), follows: fc.boolean() }), {
  maxLength: 20,
});

test('whatever is added leaves complete and in order, and is counted', () => {
  fc.assert(
    fc.property(parts, (list) => {
      const memories = [
        Uint8Array.from({ length: 400 }, (_, i) => i),
        Uint8Array.from({ length: 400 }, (_, i) => 255 - i),
      ];
      const batch = new Batch();
      const expected: number[] = [];
      let end = 0;
      for (const { memory, start, length, follows } of list) {
        const from = follows ? end : start;
        const bytes = memories[memory]?.subarray(from, from + length) ?? new Uint8Array(0);
        end = from + length;
        batch.add(bytes);
        expected.push(...bytes);
      }
      expect(batch.size).toBe(expected.length);
      expect(batch.take().flatMap((piece) => [...piece])).toEqual(expected);
      expect(batch.size).toBe(0);
      expect(batch.take()).toEqual([]);
    }),
  );
});

test('neighbors in memory become one piece, and others do not', () => {
  const memory = new Uint8Array(100);
  const batch = new Batch();
  batch.add(memory.subarray(10, 20));
  batch.add(memory.subarray(20, 35));
  batch.add(memory.subarray(40, 50));
  batch.add(new Uint8Array(5));
  const pieces = batch.take();
  expect(pieces.map((piece) => [piece.byteOffset, piece.length])).toEqual([
    [10, 25],
    [40, 10],
    [0, 5],
  ]);
  expect(pieces[0]?.buffer).toBe(memory.buffer);
});

test('a batch that was taken is not continued', () => {
  const memory = new Uint8Array(20);
  const batch = new Batch();
  batch.add(memory.subarray(0, 10));
  const [first] = batch.take();
  batch.add(memory.subarray(10, 20));
  expect(first?.length).toBe(10);
  expect(batch.take().map((piece) => piece.byteOffset)).toEqual([10]);
});
