import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readPlain } from './plain-receiving.ts';

test('the message of PLAIN has three parts, of which the first may be empty', () => {
  expect(readPlain('\0tim\0tanstaaftanstaaf')).toEqual({ authzid: '', username: 'tim', password: 'tanstaaftanstaaf' });
  expect(readPlain('Ursel\0Kurt\0xipj3plmq')).toEqual({ authzid: 'Ursel', username: 'Kurt', password: 'xipj3plmq' });
});

test.each(['', 'tim', '\0tim', '\0tim\0', '\0\0password', '\0tim\0pass\0word', '\0\0\0'])(
  '%j is no message of PLAIN',
  (message) => {
    expect(readPlain(message)).toBeUndefined();
  },
);

test('reading is total, and nothing of a message is lost', () => {
  const text = fc.string({ unit: fc.constantFrom('\0', 'a', 'ü', '"'), maxLength: 12 });
  expect(fc.check(fc.property(text, (message) => !loses(message)))).toMatchObject({ failed: false });
});

function loses(message: string): boolean {
  const read = readPlain(message);
  return read !== undefined && [read.authzid, read.username, read.password].join('\0') !== message;
}
