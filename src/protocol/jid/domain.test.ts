import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Domain, isBelow, parseDomain, toAscii } from './domain.ts';
import { isAscii } from './idna.ts';

/** Letters with unusual case, width, direction or context. */
const ODD_LETTERS = Array.from('abzİıſKßẞσςΣüÜéЯяאבע٠१・·-_ａ．。');

function domain(text: string): Domain {
  const parsed = parseDomain(text);
  if (parsed === undefined) throw new Error(`not a domain: ${text}`);
  return parsed;
}

describe('parseDomain', () => {
  test.each([
    ['coluc.com', 'coluc.com'],
    ['VNGTP.Lab', 'vngtp.lab'],
    ['localhost', 'localhost'],
    ['a.b-c.d9', 'a.b-c.d9'],
    ['9.example', '9.example'],
  ])('J-05: %j is prepared as %j', (text, expected) => {
    expect(parseDomain(text)).toBe(expected);
  });

  test.each([
    ['XN--BCHER-KVA.example', 'bücher.example'],
    ['bücher.example', 'bücher.example'],
    ['BÜCHER.example', 'bücher.example'],
    ['bu\u0308cher.example', 'bücher.example'],
    ['straße.example', 'straße.example'],
    ['STRAẞE.example', 'straße.example'],
    ['ΣΑΣ.example', 'σασ.example'],
    ['l·l.example', 'l·l.example'],
    ['例え.テスト', '例え.テスト'],
  ])('J-05: %j is compared as the U-label form %j', (text, expected) => {
    expect(parseDomain(text)).toBe(expected);
  });

  test.each([
    'xn--a.example',
    'xn--.example',
    'xn--abc-.example',
    'xn--bcher-kva8445foa.example',
    'xn--\u00fc.example',
  ])('J-05: the bad A-label in %j is refused', (text) => {
    expect(parseDomain(text)).toBeUndefined();
  });

  test('J-05: an underscore is accepted in a name of ASCII labels only', () => {
    expect(parseDomain('_xmpp.foo_bar.example')).toBe('_xmpp.foo_bar.example');
    expect(parseDomain('_xmpp.bücher.example')).toBeUndefined();
    expect(parseDomain('_xmpp.xn--bcher-kva.example')).toBeUndefined();
  });

  test('J-04: one trailing dot is removed, two are refused', () => {
    expect(parseDomain('coluc.com.')).toBe('coluc.com');
    expect(parseDomain('bücher.example.')).toBe('bücher.example');
    expect(parseDomain('coluc.com..')).toBeUndefined();
    expect(parseDomain('.')).toBeUndefined();
    expect(parseDomain('')).toBeUndefined();
  });

  test.each([
    'a..b',
    '.a',
    '-a.example',
    'a-.example',
    'ab--cd.example',
    'a b.example',
    'a/b',
    'a@b',
    'a:5269',
    '*.example',
    'a\u0000.example',
    'a\n.example',
    "a'.example",
    'a<b.example',
  ])('J-05: %j is no domain', (text) => {
    expect(parseDomain(text)).toBeUndefined();
  });

  test.each([
    '192.0.2.7',
    '192.0.2.7.',
    '127.1',
    '2130706433',
    '0x7f.1',
    '0x7f000001',
    'a.0x',
    '1.2.3',
    '[2001:db8::7]',
    '::1',
    '１２７.0.0.1',
    'bücher.1',
  ])('N-09: the address %j is no domain', (text) => {
    expect(parseDomain(text)).toBeUndefined();
  });

  test('J-06: labels of 63 and names of 253 octets in A-label form are the limit', () => {
    const label = 'a'.repeat(63);
    expect(parseDomain(`${label}.example`)).toBe(`${label}.example`);
    expect(parseDomain(`a${label}.example`)).toBeUndefined();
    const longest = `${label}.${label}.${label}.${'a'.repeat(61)}`;
    expect(parseDomain(longest)).toBe(longest);
    expect(parseDomain(`${longest}a`)).toBeUndefined();
    expect(parseDomain('ü'.repeat(58))).toBeUndefined();
    expect(parseDomain('a'.repeat(100_000))).toBeUndefined();
    expect(parseDomain('ü'.repeat(100_000))).toBeUndefined();
  });

  test.each([
    ['an ideographic full stop', 'vngtp\u3002lab'],
    ['a full-width full stop', 'vngtp\uFF0Elab'],
    ['a full-width letter', 'ｖngtp.lab'],
    ['a Kelvin sign', '\u212Aiwi.example'],
    ['a zero-width space', 'vn\u200Bgtp.lab'],
    ['a soft hyphen', 'vn\u00ADgtp.lab'],
    ['a zero-width joiner out of context', 'vn\u200Dgtp.lab'],
    ['a variation selector', 'bücher\uFE0F.example'],
    ['a Roman numeral', 'henry\u2163.example'],
    ['a circled digit', '\u2460ü.example'],
    ['mathematical letters', '\u{1D5A5}oo.example'],
  ])('J-14: a look-alike with %s is refused', (_, text) => {
    expect(parseDomain(text)).toBeUndefined();
  });

  test('J-14: a Cyrillic look-alike is another domain', () => {
    expect(parseDomain('vngtр.lab')).toBe('vngtр.lab');
    expect(parseDomain('vngtр.lab')).not.toBe(parseDomain('vngtp.lab'));
  });

  test.each([
    ['an unassigned code point', '\u{E0080}.example'],
    ['private use', '\uE000.example'],
    ['a noncharacter', '\uFDD0.example'],
    ['a lone surrogate', '\uD800.example'],
    ['a violation of the bidi rule', 'אa.example'],
    ['a symbol', '☕.example'],
    ['a symbol as an A-label', 'xn--53h.example'],
    ['a leading combining mark', '\u0301a.example'],
    ['a tatweel', 'شـر.example'],
    ['a middle dot outside l·l', 'a·b.example'],
    ['a keraia before Latin', '\u0375a.example'],
    ['a geresh after Latin', 'aü\u05F3.example'],
    ['a katakana middle dot without Japanese', 'aü\u30FBb.example'],
    ['two kinds of Arabic digits', 'ع٠۰.example'],
    ['old Hangul jamo', '\u1100\u1100.example'],
  ])('J-16: %s is refused', (_, text) => {
    expect(parseDomain(text)).toBeUndefined();
  });

  test('J-17: total and idempotent on random Unicode; the A-label form names the same domain', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 5 }), { maxLength: 5 }).map((l) => l.join('.')),
      fc.string({ maxLength: 20 }).map((tail) => `xn--${tail}`),
      fc
        .array(fc.string({ unit: fc.constantFrom(...ODD_LETTERS), minLength: 1, maxLength: 6 }), { maxLength: 3 })
        .map((l) => l.join('.')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const once = parseDomain(text);
        if (once === undefined) return;
        expect(parseDomain(once)).toBe(once);
        expect(parseDomain(toAscii(once))).toBe(once);
        expect(toAscii(once)).toMatch(/^[a-z0-9_.-]{1,253}$/);
        expect(once === toAscii(once)).toBe(isAscii(once));
      }),
      { numRuns: 3000 },
    );
  });

  test('J-14: nothing but ASCII gives an ASCII domain', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 12 }), (text) => {
        const parsed = parseDomain(text) ?? 'ü';
        expect(isAscii(text) || !isAscii(parsed)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  test('J-17: case does not matter, whatever the locale (Turkish i)', () => {
    const names = fc
      .array(fc.stringMatching(/^[a-zäöüñя][a-zäöüñя0-9]{0,8}$/), { minLength: 1, maxLength: 4 })
      .map((labels) => labels.join('.'));
    fc.assert(
      fc.property(names, (name) => {
        expect(parseDomain(name.toUpperCase())).toBe(parseDomain(name));
      }),
    );
    expect(parseDomain('WIKI.EXAMPLE')).toBe('wiki.example');
  });

  test('J-17: more names than are remembered are still prepared alike', () => {
    const first = parseDomain('ü0.example');
    for (let n = 1; n < 3000; n++) expect(parseDomain(`Ü${n}.example`)).toBe(`ü${n}.example`);
    expect(parseDomain('ü0.example')).toBe(first);
  });
});

describe('toAscii', () => {
  test.each([
    ['coluc.com', 'coluc.com'],
    ['straße.example', 'xn--strae-oqa.example'],
    ['faß.de', 'xn--fa-hia.de'],
    ['Bücher.example', 'xn--bcher-kva.example'],
  ])('N-13: %j is asked for as %j', (text, expected) => {
    expect(toAscii(domain(text))).toBe(expected);
  });

  test('refuses a text that was never prepared: a fault of ours', () => {
    expect(() => toAscii('☕' as Domain)).toThrow(TypeError);
  });
});

describe('isBelow', () => {
  test('J-19: sub-domains at any depth, never the domain itself or a name that merely ends alike', () => {
    const lab = domain('vngtp.lab');
    expect(isBelow(domain('a.vngtp.lab'), lab)).toBe(true);
    expect(isBelow(domain('b.a.vngtp.lab'), lab)).toBe(true);
    expect(isBelow(lab, lab)).toBe(false);
    expect(isBelow(domain('evilvngtp.lab'), lab)).toBe(false);
    expect(isBelow(domain('lab'), lab)).toBe(false);
  });
});
