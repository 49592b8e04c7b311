import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SrvRecord } from './records.ts';
import { orderBySrv } from './srv-order.ts';

/** A reproducible generator (mulberry32). */
function seeded(seed: number): (max: number) => number {
  let state = seed;
  return (max) => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * (max + 1));
  };
}

function record(priority: number, weight: number, target = 'a.lab'): SrvRecord {
  return { priority, weight, port: 5269, target };
}

/** How often each target comes first in 10,000 draws. */
function shares(records: readonly SrvRecord[]): Record<string, number> {
  const random = seeded(1);
  const counts: Record<string, number> = {};
  for (let draw = 0; draw < 10_000; draw++) {
    const first = orderBySrv(records, random, 32)[0]?.target ?? 'none';
    counts[first] = (counts[first] ?? 0) + 1;
  }
  return counts;
}

describe('orderBySrv', () => {
  test('N-02: priorities ascend, and no record is lost or invented', () => {
    const records = fc.array(
      fc.record({ priority: fc.nat(5), weight: fc.nat(65_535), port: fc.nat(65_535), target: fc.string() }),
    );
    fc.assert(
      fc.property(records, fc.integer(), (set, seed) => {
        const ordered = orderBySrv(set, seeded(seed), 1000);
        const priorities = ordered.map((one) => one.priority);
        expect(priorities).toEqual(priorities.toSorted((a, b) => a - b));
        expect(new Set(ordered)).toEqual(new Set(set));
        expect(ordered).toHaveLength(set.length);
      }),
    );
  });

  test('N-03: weights 10, 30, 60 come first in 10, 30 and 60 of 100 draws, within 3', () => {
    const counts = shares([record(1, 10, 'ten'), record(1, 30, 'thirty'), record(1, 60, 'sixty')]);
    expect(Math.abs((counts['ten'] ?? 0) - 1000)).toBeLessThan(300);
    expect(Math.abs((counts['thirty'] ?? 0) - 3000)).toBeLessThan(300);
    expect(Math.abs((counts['sixty'] ?? 0) - 6000)).toBeLessThan(300);
  });

  test('N-03: weight 0 beside others is chosen only by the number 0: one draw in total + 1', () => {
    const counts = shares([record(1, 99, 'heavy'), record(1, 0, 'light')]);
    expect(counts['light']).toBeGreaterThan(30);
    expect(counts['light']).toBeLessThan(250);
  });

  test('N-03: records that all have weight 0 share evenly', () => {
    const counts = shares([record(1, 0, 'a'), record(1, 0, 'b')]);
    expect(Math.abs((counts['a'] ?? 0) - 5000)).toBeLessThan(300);
  });

  test('N-03: each draw is over the weights that are left, from 0 to their sum', () => {
    const asked: number[] = [];
    orderBySrv([record(1, 10), record(1, 30)], (max) => (asked.push(max), max), 32);
    // The first number is the order of equals.
    expect([
      [1, 40, 10],
      [1, 40, 30],
    ]).toContainEqual(asked);
  });

  test('N-28: no more than the limit, and those of the best priorities', () => {
    const set = Array.from({ length: 500 }, (_, index) => record(500 - index, 0, `n${index}`));
    expect(orderBySrv(set, seeded(1), 32).map((one) => one.priority)).toEqual(
      Array.from({ length: 32 }, (_, n) => n + 1),
    );
  });
});
