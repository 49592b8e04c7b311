import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBase64, encodeBase64 } from './base64.ts';

test('agrees with Buffer for every text, and reads what it wrote', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(encodeBase64(text)).toBe(Buffer.from(text).toString('base64'));
      expect(decodeBase64(encodeBase64(text))).toBe(text);
    }),
  );
});

test('accepts exactly the canonical form of UTF-8', () => {
  fc.assert(
    fc.property(fc.oneof(fc.base64String(), fc.string(), fc.stringMatching(/^[A-Za-z0-9+/=]{0,12}$/)), (text) => {
      const bytes = Buffer.from(text, 'base64');
      const isCanonical = bytes.toString('base64') === text && Buffer.from(bytes.toString()).equals(bytes);
      expect(decodeBase64(text)).toBe(isCanonical ? bytes.toString() : undefined);
    }),
  );
});

test.each([
  '=',
  '====',
  'A',
  'AB',
  'ABC',
  'A===',
  'AB=C',
  'QQ',
  'QQ=',
  'QR==',
  'QUJ=',
  'QQ==\n',
  ' QQ==',
  'QQ-_',
  '/w==',
])('C-40: %j is refused', (text) => {
  expect(decodeBase64(text)).toBeUndefined();
});

test('C-36: the two domains of the examples', () => {
  expect([encodeBase64('coluc.com'), encodeBase64('vngtp.lab')]).toEqual(['Y29sdWMuY29t', 'dm5ndHAubGFi']);
  expect(decodeBase64('')).toBe('');
});
