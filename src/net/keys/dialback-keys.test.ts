import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Domain } from '../../protocol/jid/domain.ts';
import { DialbackKeys } from './dialback-keys.ts';

const pair = (sender: string, target: string) => ({ sender: sender as Domain, target: target as Domain });

describe('D-01: keys are those of XEP-0185', () => {
  test.each([
    [
      's3cr3tf0rd14lb4ck',
      'xmpp.example.com',
      'example.org',
      'D60000229F',
      '37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643',
    ],
    [
      's3cr3tf0rd14lb4ck',
      'montague.example',
      'capulet.example',
      'D60000229F',
      'b4835385f37fe2895af6c196b59097b16862406db80559900d96bf6fa7d23df3',
    ],
    [
      'd14lb4ck43v3r',
      'capulet.example',
      'montague.example',
      '417GAF25',
      '225cc5aa6a071133249d25fef42ae516fc7a86c523aa1c6980a7f73e784c972d',
    ],
    [
      's3cr3tf0rd14lb4ck',
      'vngtp.lab',
      'coluc.com',
      '05E295A2B',
      'b0a0778c31c88ce57cc5998050df7ea6bc10cb345503eba777301355bd3756e4',
    ],
    [
      's3cr3tf0rd14lb4ck',
      'coluc.com',
      'vngtp.lab',
      '05E295A2B',
      '3fa91ddc3cc71a7f7b8dd0b1860f028b80b07066afd0ffdc329ef19fa355e504',
    ],
  ])('secret %s, receiving %s, originating %s, id %s', (secret, receiving, originating, id, key) => {
    expect(new DialbackKeys(secret).key(pair(originating, receiving), id)).toBe(key);
  });
});

describe('judging keys', () => {
  const keys = new DialbackKeys('s3cr3tf0rd14lb4ck');
  const ours = pair('coluc.com', 'vngtp.lab');
  const key = keys.key(ours, '05E295A2B');

  test('D-06: another box with the same secret vouches for a key', () => {
    expect(new DialbackKeys('s3cr3tf0rd14lb4ck').vouches(ours, '05E295A2B', key)).toBe(true);
  });

  test('D-08: another pair, the pair turned round, and another id make a key invalid', () => {
    expect(keys.vouches(pair('coluc.com', 'evil.lab'), '05E295A2B', key)).toBe(false);
    expect(keys.vouches(pair('vngtp.lab', 'coluc.com'), '05E295A2B', key)).toBe(false);
    expect(keys.vouches(ours, '05E295A2C', key)).toBe(false);
  });

  test.each(['', key.slice(0, 63), `${key}0`, key.toUpperCase(), ` ${key}`])('D-03: %j is not the key', (text) => {
    expect(keys.vouches(ours, '05E295A2B', text)).toBe(false);
  });

  test('D-07: while a secret is replaced, keys of the previous one are good and new keys come from the new one', () => {
    const rotated = new DialbackKeys('another-secret-entirely', ['s3cr3tf0rd14lb4ck']);
    expect(rotated.vouches(ours, '05E295A2B', key)).toBe(true);
    expect(rotated.key(ours, '05E295A2B')).not.toBe(key);
    expect(rotated.vouches(ours, '05E295A2B', rotated.key(ours, '05E295A2B'))).toBe(true);
  });

  test('V-02: no two ways to split the same characters into domains and id share a key (CVE-2016-0756)', () => {
    const word = fc.stringMatching(/^[a-z0-9.]{1,8}$/);
    fc.assert(
      fc.property(word, word, word, word, word, word, (a, b, c, d, e, f) => {
        fc.pre(a !== d || b !== e || c !== f);
        expect(keys.key(pair(a, b), c)).not.toBe(keys.key(pair(d, e), f));
      }),
    );
  });
});
