import { expect, test } from 'vitest';
import { acceptsHandshake, componentHandshake } from './component-keys.ts';

test("P-03: the handshake is the one of XEP-0114's example", () => {
  expect(componentHandshake('3BF96D32', 'test')).toBe('aaee83c26aeeafcbabeabfcbcd50df997e0a2a1e');
});

test('P-04: only the exact lower-case handshake is accepted', () => {
  const good = componentHandshake('3BF96D32', 'test');
  expect(acceptsHandshake('3BF96D32', 'test', good)).toBe(true);
  expect(acceptsHandshake('3BF96D32', 'test', good.toUpperCase())).toBe(false);
  expect(acceptsHandshake('3BF96D32', 'other', good)).toBe(false);
  expect(acceptsHandshake('3BF96D33', 'test', good)).toBe(false);
});

test('P-11: an empty secret, an empty id and an empty handshake never authenticate', () => {
  expect(acceptsHandshake('3BF96D32', '', componentHandshake('3BF96D32', ''))).toBe(false);
  expect(acceptsHandshake('', 'test', componentHandshake('', 'test'))).toBe(false);
  expect(acceptsHandshake('3BF96D32', 'test', '')).toBe(false);
});
