import { beforeEach, expect, test } from 'vitest';
import type { Note } from '../../protocol/notes.ts';
import { Brakes } from './brakes.ts';

const LIMITS = { perSource: 5, perAccount: 8, windowMs: 60_000, refusalMs: 120_000 };
let now = 0;
let notes: Note[] = [];
let brakes: Brakes;

beforeEach(() => {
  now = 1_000_000;
  notes = [];
  brakes = new Brakes(
    LIMITS,
    (note) => notes.push(note),
    () => now,
  );
});

function fail(source: string, username: string | undefined, times: number): number {
  let wait = 0;
  for (let n = 0; n < times; n++) wait = brakes.forSource(source).failed(username);
  return wait;
}

test('each failure is answered later than the one before, up to a bound', () => {
  const waits = [...Array(12).keys()].map((n) => fail(`10.0.0.${n}`, 'juliet', 1));
  expect(waits.slice(0, 6)).toEqual([250, 500, 1000, 2000, 4000, 8000]);
  expect(Math.max(...waits)).toBe(8000);
});

test('a source that fails too often is refused for a while, whoever it says to be; others are not', () => {
  fail('10.0.0.1', 'juliet', 4);
  expect(brakes.forSource('10.0.0.1').admits('juliet')).toBe(true);
  fail('10.0.0.1', undefined, 1);
  expect(brakes.forSource('10.0.0.1').admits('romeo')).toBe(false);
  expect(brakes.forSource('10.0.0.2').admits('juliet')).toBe(true);
  now += LIMITS.refusalMs;
  expect(brakes.forSource('10.0.0.1').admits('romeo')).toBe(true);
});

test('an account that many guess at is refused to strangers, and not to where its user has been before', () => {
  brakes.forSource('192.0.2.1').succeeded('juliet');
  for (let n = 0; n < 8; n++) fail(`10.0.0.${n}`, 'juliet', 1);
  expect(brakes.forSource('10.0.1.1').admits('juliet')).toBe(false);
  expect(brakes.forSource('192.0.2.1').admits('juliet')).toBe(true);
  expect(brakes.forSource('10.0.1.1').admits('romeo')).toBe(true);
});

test('having been let in once is no licence to guess', () => {
  brakes.forSource('192.0.2.1').succeeded('juliet');
  fail('192.0.2.1', 'juliet', 5);
  expect(brakes.forSource('192.0.2.1').admits('juliet')).toBe(false);
});

test('failures long ago do not count', () => {
  fail('10.0.0.1', 'juliet', 4);
  now += LIMITS.windowMs;
  expect(fail('10.0.0.1', 'juliet', 1)).toBe(250);
  expect(brakes.forSource('10.0.0.1').admits('juliet')).toBe(true);
});

test('a storm is told of once', () => {
  fail('10.0.0.1', 'juliet', 7);
  expect(notes).toEqual([{ note: 'client-braked', what: 'source', name: '10.0.0.1', failures: 5, seconds: 120 }]);
});

test('what is remembered is bounded; thousands of other sources do not make it forget one', () => {
  fail('10.0.0.1', undefined, 5);
  for (let n = 0; n < 9_000; n++) fail(`source ${n}`, undefined, 1);
  expect(brakes.forSource('10.0.0.1').admits('juliet')).toBe(false);
});
