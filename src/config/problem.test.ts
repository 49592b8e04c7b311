import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { distance, nearest } from './nearest.ts';
import { either, inFileOrder, type Problem, printProblem, quote, quoteName } from './problem.ts';
import { Secret } from './secret.ts';

const PROBLEM: Problem = {
  severity: 'error',
  path: 'fedway.yaml',
  line: 12,
  column: 5,
  key: 's2s.tls',
  reason: '"requird" is not one of required, optional, none',
  cure: 'Write "required" to insist on TLS.',
};

function at(line: number, column: number): Problem {
  return { ...PROBLEM, line, column };
}

describe('printProblem', () => {
  test('a problem is one line with file, line, column, key, reason and cure', () => {
    expect(printProblem(PROBLEM)).toBe(
      'fedway.yaml:12:5: s2s.tls: "requird" is not one of required, optional, none. Write "required" to insist on TLS.',
    );
  });

  test('a warning says so, and a problem of the whole file has no key', () => {
    expect(printProblem({ ...PROBLEM, severity: 'warning', key: '', reason: 'a', cure: 'B.' })).toBe(
      'fedway.yaml:12:5: warning: a. B.',
    );
  });

  test('problems are told from the top of the file to its end', () => {
    expect(inFileOrder([at(3, 1), at(1, 9), at(1, 2)])).toEqual([at(1, 2), at(1, 9), at(3, 1)]);
  });
});

describe('quote', () => {
  test('whatever a value is, its quotation is one line without control or format characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(quote(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
        expect(quoteName(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
      }),
    );
  });

  test('a long value is cut, a short one is repeated in full', () => {
    expect(quote('a'.repeat(100))).toBe(`"${'a'.repeat(60)}…"`);
    expect([quote('a"b'), quote(5), quote(true), quote(null)]).toEqual(['"a\\"b"', '5', 'true', 'null']);
  });

  test('a list of names reads as a sentence does', () => {
    expect([either([]), either(['a']), either(['a', 'b']), either(['a', 'b', 'c'])]).toEqual([
      '',
      'a',
      'a or b',
      'a, b or c',
    ]);
  });
});

describe('nearest', () => {
  test.each([
    ['requird', 'required'],
    ['lisetn', 'listen'],
    ['Dial-From', 'dial_from'],
    ['tsl', 'tls'],
    ['forward', 'forward_to'],
    ['keep_zones', 'keep'],
  ])('%j was meant to be %j', (name, meant) => {
    expect(nearest(name, ['required', 'listen', 'dial_from', 'tls', 'forward_to', 'keep'])).toBe(meant);
  });

  test.each(['xyzzy', '', 'a'.repeat(100_000)])('nothing is near to %.20j', (name) => {
    expect(nearest(name, ['required', 'listen'])).toBeUndefined();
  });

  test('the distance is symmetric, zero for the same, and one for one slip', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
    fc.assert(
      fc.property(word, word, (a, b) => distance(a, b) === distance(b, a) && (distance(a, b) === 0) === (a === b)),
    );
    expect([distance('tls', 'tsl'), distance('tls', 'tl'), distance('tls', 'tlss'), distance('tls', 'tis')]).toEqual([
      1, 1, 1, 1,
    ]);
  });
});

describe('Secret', () => {
  const secret = new Secret('hunter2');

  test('it shows itself in no way but reveal', () => {
    const shown = [
      String(secret),
      ['', secret].join(''),
      JSON.stringify({ secret }),
      inspect(secret),
      inspect({ deep: [secret] }, { showHidden: true }),
    ];
    expect(shown.join(' ')).not.toContain('hunter2');
    expect(shown.slice(0, 4)).toEqual(['(secret)', '(secret)', '{"secret":"(secret)"}', '(secret)']);
    expect(Object.keys(secret)).toEqual([]);
    expect(secret.reveal()).toBe('hunter2');
  });

  test('it is compared by what it holds', () => {
    expect(secret.equals(new Secret('hunter2'))).toBe(true);
    expect(secret.equals(new Secret('hunter3'))).toBe(false);
    expect(secret.equals(new Secret('hunter'))).toBe(false);
  });
});
