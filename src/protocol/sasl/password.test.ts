import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LONGEST_PASSWORD, preparePassword } from './password.ts';

describe('preparePassword', () => {
  test('two spellings of one character are one password (RFC 8265 §4.2.2)', () => {
    expect(preparePassword('cafe\u0301-42')).toBe(preparePassword('caf\u00E9-42'));
  });

  test('a space of another alphabet is a space, and case and width stay as they are', () => {
    expect(preparePassword('a\u00A0b\u3000C\uFF21')).toBe('a b C\uFF21');
  });

  test.each([
    ['empty', ''],
    ['with a control character', 'abc\u0007def'],
    ['with a line break', 'abc\ndef'],
    ['too long', 'x'.repeat(LONGEST_PASSWORD + 1)],
    ['too long in UTF-8', '\u00E9'.repeat(LONGEST_PASSWORD / 2 + 1)],
  ])('what is %s is no password', (_, text) => {
    expect(preparePassword(text)).toBeUndefined();
  });

  test('whatever is prepared stays as it is when it is prepared again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const once = preparePassword(text);
        expect(once === undefined ? undefined : preparePassword(once)).toBe(once);
      }),
    );
  });
});
