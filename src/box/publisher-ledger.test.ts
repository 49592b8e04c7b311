import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Note } from '../protocol/notes.ts';
import { PublisherLedger } from './publisher-ledger.ts';

let folder = '';
let file = '';
let notes: Note[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fedway-publishers-'));
  file = join(folder, 'publishers.json');
  notes = [];
});

afterEach(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true });
});

function open(path: string | undefined = file): PublisherLedger {
  return new PublisherLedger(path, (note) => notes.push(note));
}

test('what is recorded is there after a restart, for the owner alone; what was removed is not', () => {
  const ledger = open();
  expect(ledger.ours('cups')).toEqual([]);
  ledger.record('cups', ['a', 'b']);
  ledger.record('second', ['c']);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  ledger.record('second', []);
  const again = open();
  expect([again.ours('cups'), again.ours('second')]).toEqual([['a', 'b'], []]);
  expect(notes).toEqual([]);
});

test('what is the same already is not written again', () => {
  const ledger = open();
  ledger.record('cups', ['a']);
  const before = statSync(file, { bigint: true }).ino;
  ledger.record('cups', ['a']);
  expect(statSync(file, { bigint: true }).ino).toBe(before);
});

test.each([
  ['half of it', '{"version":1,"publishers":{"cups":["a"'],
  ['a list', '[]'],
  ['another version', '{"version":2,"publishers":{}}'],
  ['names in place of a list', '{"version":1,"publishers":{"cups":"a"}}'],
  ['a number in the list', '{"version":1,"publishers":{"cups":["a",1]}}'],
])('a damaged file (%s) is told and counts as empty: no row is taken for ours', (_what, text) => {
  writeFileSync(file, text);
  expect(open().ours('cups')).toEqual([]);
  expect(notes).toEqual([
    { note: 'publisher-ledger', problem: expect.stringContaining(`${file} is damaged and counts as empty`) as string },
  ]);
});

test('whatever the file holds, it is read without a throw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      writeFileSync(file, text);
      expect(open().ours('cups')).toEqual([]);
    }),
    { numRuns: 30 },
  );
});

test('what cannot be written is told, and holds as long as the process runs', () => {
  const ledger = open(join(folder, 'nowhere', 'publishers.json'));
  ledger.record('cups', ['a']);
  expect(ledger.ours('cups')).toEqual(['a']);
  expect(notes).toEqual([
    {
      note: 'publisher-ledger',
      problem: expect.stringMatching(/^Cannot write .*; check that the data folder/) as string,
    },
  ]);
});

test('without a data folder nothing is written', () => {
  const ledger = new PublisherLedger(undefined, (note) => notes.push(note));
  ledger.record('cups', ['a']);
  expect([ledger.ours('cups'), notes]).toEqual([['a'], []]);
  expect(existsSync(file)).toBe(false);
});
