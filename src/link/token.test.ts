import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Invitation, readAddress, readToken, writeAddress, writeToken } from './token.ts';

const INVITATION: Invitation = {
  addresses: [
    { host: 'edge.example', port: 7400 },
    { host: '2001:db8::1', port: 7401 },
  ],
  pin: 'ab'.repeat(32),
  edge: { id: '0d9c7d3e-0000-4000-8000-000000000001', name: 'edge-1' },
  secret: 'S'.repeat(43),
  expires: 1_795_000_000_000,
};

describe('a token', () => {
  test('is one word, and what is read from it is what was written', () => {
    const token = writeToken(INVITATION);
    expect(token).toMatch(/^fedway-link-1\.[\w-]+$/);
    expect(readToken(` ${token}\n`)).toEqual(INVITATION);
  });

  test('that lacks a part, or has one changed, is damaged', () => {
    const token = writeToken(INVITATION);
    fc.assert(
      fc.property(fc.nat(token.length - 15), fc.constantFrom('A', 'B', '0', ''), (at, other) => {
        const place = at + 14;
        const changed = token.slice(0, place) + other + token.slice(place + 1);
        // The last character has bits that do not count.
        fc.pre(changed !== token && place < token.length - 1);
        expect(readToken(changed)).toHaveProperty('refused');
      }),
    );
  });

  test('of another version, and what is none, have a sentence of their own', () => {
    expect(readToken('fedway-link-2.abc')).toMatchObject({ refused: expect.stringContaining('version') as string });
    expect(readToken('xyz')).toMatchObject({ refused: expect.stringContaining('no token') as string });
  });

  test('any text at all is read without a throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.base64String()), (text) => {
        expect(readToken(`fedway-link-1.${text}`)).toHaveProperty('refused');
      }),
    );
  });

  test.each([
    ['no address', { addresses: [] }],
    ['more addresses than anybody has', { addresses: Array.from({ length: 9 }, () => ({ host: 'a', port: 1 })) }],
    ['an id that is none', { edge: { id: 'x', name: 'edge-1' } }],
    ['a name that is none', { edge: { ...INVITATION.edge, name: 'a b' } }],
    ['a short secret', { secret: 'short' }],
    ['a pin of another length', { pin: 'abcd' }],
  ])('with %s is refused', (_what, change) => {
    expect(readToken(writeToken({ ...INVITATION, ...change }))).toHaveProperty('refused');
  });
});

describe('an address', () => {
  test.each(['edge.example:7400', '192.0.2.1:1', '[2001:db8::1]:65535'])('%s is read and written', (text) => {
    const address = readAddress(text);
    expect(address === undefined ? undefined : writeAddress(address)).toBe(text);
  });

  test.each([
    'edge.example',
    'edge.example:0',
    'edge.example:65536',
    '2001:db8::1:7400',
    '[edge]:7400',
    'a b:1',
    ':1',
    '',
  ])('"%s" is none', (text) => {
    expect(readAddress(text)).toBeUndefined();
  });
});
