import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJid } from '../jid/jid.ts';
import { isWellAddressed, isWellAddressedText } from './address.ts';

function onBytes(address: string): boolean {
  const bytes = new TextEncoder().encode(`<${address}>`);
  return isWellAddressed(bytes, 1, bytes.length - 1);
}

test.each([
  'coluc.com',
  'a@coluc.com',
  'a@coluc.com/b',
  'coluc.com/b@c/d',
  'ü@coluc.com/♔',
  'a@',
  'no domain at all',
  '',
  `${'a'.repeat(1023)}@b/${'c'.repeat(1023)}`,
])('J-15: %j is well-formed around its domain', (address) => {
  expect([onBytes(address), isWellAddressedText(address)]).toEqual([true, true]);
});

test.each([
  '@coluc.com',
  'coluc.com/',
  '/',
  '@',
  'a b@coluc.com',
  'a:b@coluc.com',
  `"a"@coluc.com`,
  'a\x7Fb@c',
  `${'a'.repeat(1024)}@b`,
  `b/${'c'.repeat(1024)}`,
  `${'ü'.repeat(512)}@b`,
  'evil\uFF20b@c',
])('J-02, J-03, J-08: %j is not', (address) => {
  expect([onBytes(address), isWellAddressedText(address)]).toEqual([false, false]);
});

test('J-18: agrees with parseJid about every address that has a domain', () => {
  const part = fc.oneof(
    fc.constant(''),
    fc.string({ unit: 'grapheme', maxLength: 6 }),
    fc.constantFrom('a'.repeat(1023), 'a'.repeat(1024), 'ü'.repeat(511)),
  );
  fc.assert(
    fc.property(part, part, fc.constantFrom('', '@'), fc.constantFrom('', '/'), (local, resource, at, slash) => {
      const address = `${at === '' ? '' : local}${at}coluc.com${slash}${slash === '' ? '' : resource}`;
      // The reader has refused what XML does not permit, and no address has a domain when another separator comes first.
      fc.pre(
        !/[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u.test(address) && (at === '' || !/[@/]/.test(local)),
      );
      expect(onBytes(address)).toBe(parseJid(address) !== undefined);
      expect(isWellAddressedText(address)).toBe(parseJid(address) !== undefined);
    }),
    { numRuns: 300 },
  );
});
