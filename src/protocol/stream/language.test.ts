import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answerLanguage } from './language.ts';

test('S-37: our language in the spelling that was asked for, and for anything else ours', () => {
  expect(['en', 'EN', 'En'].map(answerLanguage)).toEqual(['en', 'EN', 'En']);
  expect([undefined, 'de', 'de-CH', 'en-GB', 'english'].map(answerLanguage)).toEqual(
    Array.from({ length: 5 }, () => 'en'),
  );
});

test('S-38: nothing but a language tag is ever echoed', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(answerLanguage(text)).toMatch(/^en$/i);
    }),
  );
});
