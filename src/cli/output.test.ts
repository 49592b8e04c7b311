import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KeptTerminal } from '../../test/cli/stand-ins.ts';
import { printFacts, printJson, printTable, shownBytes, shownDuration, shownTime } from './output.ts';

const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/u;

describe('tables', () => {
  test('columns are as wide as they have to be, numbers stand to the right, nothing trails', () => {
    const terminal = new KeptTerminal();
    printTable(
      terminal,
      ['NAME', 'IN', 'HOMES'],
      [
        ['münchen.lab', '7', ''],
        ['a', '1,234', 'b'],
      ],
    );
    expect(terminal.results).toEqual(['NAME            IN  HOMES', 'münchen.lab      7', 'a            1,234  b']);
  });

  test('what does not fit becomes paragraphs, with nothing cut', () => {
    const terminal = Object.assign(new KeptTerminal(), { width: 24 });
    printTable(
      terminal,
      ['NAME', 'IN', 'HOMES'],
      [
        ['münchen.lab', '7', ''],
        ['a', '1,234', 'b'],
      ],
    );
    expect(terminal.results).toEqual(['münchen.lab', '  in: 7', 'a', '  in: 1,234', '  homes: b']);
  });

  test('headings are bold where colors are wanted', () => {
    const terminal = Object.assign(new KeptTerminal(), { colors: true });
    printTable(terminal, ['NAME'], [['a']]);
    printFacts(terminal, [['Name', 'a']]);
    expect(terminal.results).toEqual(['\u001b[1mNAME\u001b[0m', 'a', '\u001b[1mName\u001b[0m  a']);
  });

  test('no text at all reaches the terminal as anything but text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 80 }), (text, width) => {
        const terminal = Object.assign(new KeptTerminal(), { width });
        printTable(terminal, ['A', 'B'], [[text, text]]);
        printFacts(terminal, [['A', text]]);
        expect(terminal.results.join('')).not.toMatch(UNSAFE);
      }),
    );
  });

  test('JSON is the value as it was, and disturbs no terminal either', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })), (value) => {
        const terminal = new KeptTerminal();
        printJson(terminal, value);
        expect(JSON.parse(terminal.results.join('\n'))).toEqual(value);
        expect(terminal.results.join('').replaceAll('\n', '')).not.toMatch(UNSAFE);
      }),
    );
  });
});

describe('times and sizes', () => {
  test.each([
    [-5, '0 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [3_600_000, '1 h'],
    [5_400_000, '1 h 30 min'],
    [90_000_000, '1 d 1 h'],
  ])('%d milliseconds are %s', (milliseconds, shown) => {
    expect(shownDuration(milliseconds)).toBe(shown);
  });

  test('bytes in the unit that people read; a time in seconds; what is no time', () => {
    expect([0, 1023, 1024, 1024 ** 2 * 1.5].map(shownBytes)).toEqual(['0 bytes', '1023 bytes', '1.0 KiB', '1.5 MiB']);
    expect(shownTime(1_790_856_000_123)).toBe('2026-10-01T12:00:00Z');
    expect(shownTime(Number.NaN)).toBe('an unknown time');
  });
});
