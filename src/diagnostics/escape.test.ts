import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cut, jsonLine, visible, visibleInQuotes } from './escape.ts';

describe('visible', () => {
  test.each([
    ['plain text, 100 %', 'plain text, 100 %'],
    ['bücher.example 例え', 'bücher.example 例え'],
    ['two\nlines', 'two\\nlines'],
    ['\u001b[31m', '\\u001b[31m'],
    ['\u202Eabc', '\\u202eabc'],
    ['\u{E0041}', '\\udb40\\udc41'],
    ['\uD800', '\\ud800'],
    ['C:\\n', 'C:\\\\n'],
  ])('%j is shown as %s', (text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  test('two different texts never look the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const back = visible(text).replace(
          /\\(?:u([0-9a-f]{4})|(.))/g,
          (_all, unit: string | undefined, letter: string) =>
            unit === undefined
              ? ({ n: '\n', r: '\r', t: '\t' }[letter] ?? letter)
              : String.fromCharCode(parseInt(unit, 16)),
        );
        expect(back).toBe(text);
      }),
    );
  });
});

describe('visibleInQuotes', () => {
  test('has no quote that is not escaped', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('"', '\\', 'a', '\n') }), (text) => {
        expect(`"${visibleInQuotes(text)}"`).toMatch(/^"(?:[^"\\]|\\.)*"$/);
      }),
    );
  });
});

describe('cut', () => {
  test('leaves a text as long as the limit alone', () => {
    expect(cut('abcd', 4)).toBe('abcd');
  });

  test('says how many bytes are left out', () => {
    expect(cut('abcdüü', 4)).toBe('abcd...(4 bytes left out)');
  });

  test('does not cut through a character', () => {
    expect(cut('abc\u{1F600}', 4)).toBe('abc...(4 bytes left out)');
  });
});

describe('jsonLine', () => {
  test('decodes to the very value, and shows nothing unsafe', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })), (value) => {
        const line = jsonLine(value);
        expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(line).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
      }),
    );
  });
});
