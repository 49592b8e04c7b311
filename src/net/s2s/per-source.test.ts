import { expect, test } from 'vitest';
import { PerSource, sourceOf } from './per-source.ts';

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8::6', '2001:db8:0:0'],
  ['2001:db8:1:2::', '2001:db8:1:2'],
  ['::1', '0:0:0:0'],
])('K-12: %s is counted as %s', (address, source) => {
  expect(sourceOf(address)).toBe(source);
});

test('what a source gives back is no longer counted, for it and in all', () => {
  const counted = new PerSource();
  counted.take('a');
  counted.take('a');
  counted.take('b');
  counted.give('a');
  expect([counted.of('a'), counted.of('b'), counted.total]).toEqual([1, 1, 2]);
  counted.give('a');
  counted.give('b');
  expect([counted.of('a'), counted.of('b'), counted.total]).toEqual([0, 0, 0]);
});
