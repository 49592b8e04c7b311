import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TokenBuckets } from './token-bucket.ts';

describe('TokenBuckets', () => {
  test('so many at once, then one after each interval; the wait is told, and only the first refusal is the first', () => {
    const buckets = new TokenBuckets({ burst: 2, every: 1000 });
    expect(buckets.take('a', 0)).toBeUndefined();
    expect(buckets.take('a', 0)).toBeUndefined();
    expect(buckets.take('a', 0)).toEqual({ wait: 1000, first: true });
    expect(buckets.take('a', 400)).toEqual({ wait: 600, first: false });
    expect(buckets.take('b', 400)).toBeUndefined();
    expect(buckets.take('a', 1000)).toBeUndefined();
    expect(buckets.take('a', 1000)).toEqual({ wait: 1000, first: false });
    // Full again: what comes now is another storm.
    expect(buckets.used('a', 10_000)).toBe(0);
    buckets.take('a', 10_000);
    buckets.take('a', 10_000);
    expect(buckets.take('a', 10_000)).toMatchObject({ first: true });
  });

  test('what was taken for nothing can be given back', () => {
    const buckets = new TokenBuckets({ burst: 1, every: 1000 });
    buckets.take('a', 0);
    expect(buckets.used('a', 0)).toBe(1);
    buckets.give('a', 0);
    expect(buckets.take('a', 0)).toBeUndefined();
  });

  test('never more than the burst and the rate allow, whatever the clock does', () => {
    const rate = { burst: 3, every: 100 };
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -50, max: 200 })), (steps) => {
        const buckets = new TokenBuckets(rate);
        let now = 0;
        let forward = 0;
        let taken = 0;
        for (const step of steps) {
          now += step;
          forward += Math.max(0, step);
          if (buckets.take('a', now) === undefined) taken += 1;
        }
        expect(taken).toBeLessThanOrEqual(rate.burst + forward / rate.every);
      }),
    );
  });
});
