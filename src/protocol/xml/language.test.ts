import { describe, expect, it } from 'vitest';
import { isLanguageTag } from './language.ts';

describe('isLanguageTag', () => {
  it.each([
    'en',
    'de-CH',
    'sr-Latn-RS',
    'zh-cmn-Hans-CN',
    'sl-rozaj-biske-1994',
    'de-CH-1901',
    'es-419',
    'en-a-myext-b-another',
    'en-x-private',
    'x-fedway',
    'i-klingon',
    'de-Latn-DE-1996-u-co-phonebk',
  ])('%s is one (RFC 5646)', (tag) => {
    expect(isLanguageTag(tag)).toBe(true);
  });

  it.each([
    '',
    'en-US.UTF-8',
    'en_US',
    'e',
    'englishes',
    'en-',
    '-en',
    'en--US',
    'en-US ',
    "en'",
    'de-419-DE',
    'a-DE',
    'en-x',
    'en-a',
    '\u017fv',
    '\u212ab',
    `en${'-abcdefgh'.repeat(8)}`,
    'a'.repeat(5000),
  ])('S-38: %j is none', (tag) => {
    expect(isLanguageTag(tag)).toBe(false);
  });
});
