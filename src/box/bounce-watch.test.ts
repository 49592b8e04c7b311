import { expect, test } from 'vitest';
import { BounceWatch } from './bounce-watch.ts';

const MINUTE = 60_000;

function after(...looks: readonly (readonly [bounces: number | undefined, minutes: number])[]): readonly string[] {
  const watch = new BounceWatch();
  for (const [bounces, minutes] of looks) {
    if (bounces === undefined) watch.forget('cups');
    else watch.look('cups', bounces, minutes * MINUTE);
  }
  return [...watch.bouncing()];
}

test('a counter that grows between two looks is a router that bounces; what it was at first is not', () => {
  expect(after([7, 0])).toEqual([]);
  expect(after([7, 0], [7, 10])).toEqual([]);
  expect(after([7, 0], [8, 10])).toEqual(['cups']);
});

test('it is over when nothing has been bounced for five minutes, and not by a quick second look', () => {
  expect(after([7, 0], [8, 1], [8, 2])).toEqual(['cups']);
  expect(after([7, 0], [8, 1], [8, 5], [9, 5.5], [9, 7])).toEqual(['cups']);
  expect(after([7, 0], [8, 1], [8, 6])).toEqual([]);
});

test('a counter that begins anew has not grown; nor one that was forgotten in between', () => {
  expect(after([7, 0], [0, 1])).toEqual([]);
  expect(after([7, 0], [0, 1], [1, 2])).toEqual(['cups']);
  expect(after([7, 0], [undefined, 1], [9, 2])).toEqual([]);
  expect(after([7, 0], [8, 1], [undefined, 2])).toEqual([]);
});

test('a counter that begins anew after it has grown is a router that was restarted: it is over', () => {
  expect(after([7, 0], [8, 1], [0, 2])).toEqual([]);
  expect(after([7, 0], [8, 1], [0, 2], [1, 3])).toEqual(['cups']);
});

test('a publisher that is no longer configured is forgotten', () => {
  const watch = new BounceWatch();
  watch.look('cups', 1, 0);
  watch.look('cups', 2, 1);
  watch.keep(new Set(['second']));
  expect([...watch.bouncing()]).toEqual([]);
});
