import { expect, test } from 'vitest';
import { Pace } from './pace.ts';

const KIB = 1024;

test('what is sent at once is read at once, up to a bound; beyond it the client waits as long as it was too fast', () => {
  const pace = new Pace();
  expect(pace.spent(2048 * KIB, 0)).toBe(0);
  expect(pace.spent(2304 * KIB, 0)).toBe(1000);
});

test('a client that keeps to the average never waits, and one that rests may hurry again', () => {
  const pace = new Pace();
  for (let second = 0; second < 100; second++) expect(pace.spent(second * 256 * KIB, second * 1000)).toBe(0);
  const sent = 99 * 256 * KIB;
  expect(pace.spent(sent + 2048 * KIB, 200_000)).toBe(0);
  expect(pace.spent(sent + 2049 * KIB, 200_000)).toBeGreaterThan(0);
});
