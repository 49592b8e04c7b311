import { expect, test } from 'vitest';
import { completionOf, cureOf } from './publisher-cure.ts';

test('a failure that a setting ends has the command that sets it, which never has a password in it, and the one that tries it', () => {
  expect(cureOf('cups', { code: 'credentials', cure: 'Set it anew.' })).toBe(
    'Set it anew (fedway config set publishers.cups.password -, then fedway publisher refresh cups).',
  );
  expect(cureOf('cups', { code: 'tls-wrong-name', cure: 'Use another.' })).toBe(
    'Use another (fedway config set publishers.cups.address VALUE, then fedway publisher refresh cups).',
  );
});

test('one that is ended elsewhere has the command that tries it, and one that ends by itself none', () => {
  expect(cureOf('cups', { code: 'refused', cure: 'Start it.' })).toBe('Start it (then fedway publisher refresh cups).');
  const nothing = 'Nothing to do: it is tried again.';
  expect(cureOf('cups', { code: 'throttled', cure: nothing })).toBe(nothing);
});

test('what is missing has a command each', () => {
  expect(completionOf('cups', ['user', 'password'])).toBe(
    'fedway config set publishers.cups.user VALUE; fedway config set publishers.cups.password -',
  );
});
