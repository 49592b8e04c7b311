import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { domainPart, parseJid } from './jid.ts';

describe('parseJid', () => {
  test('J-01: the resource is cut off before the localpart is looked for', () => {
    expect(parseJid('a.example.com/b@example.net')).toEqual({
      local: undefined,
      domain: 'a.example.com',
      resource: 'b@example.net',
    });
    expect(parseJid('juliet@Example.COM./balcony/left')).toEqual({
      local: 'juliet',
      domain: 'example.com',
      resource: 'balcony/left',
    });
  });

  test.each(['juliet@', '/foobar', '@example.com/', '@coluc.com', 'coluc.com/', '', '@', '/', 'a@b@c.example'])(
    'J-02: %j has an empty or a wrong part and is refused',
    (text) => {
      expect(parseJid(text)).toBeUndefined();
    },
  );

  test('J-03: parts of 1023 octets are accepted, of 1024 refused, counted in UTF-8', () => {
    expect(parseJid(`${'a'.repeat(1023)}@coluc.com/${'b'.repeat(1023)}`)).toBeDefined();
    expect(parseJid(`${'a'.repeat(1024)}@coluc.com`)).toBeUndefined();
    expect(parseJid(`coluc.com/${'b'.repeat(1024)}`)).toBeUndefined();
    expect(parseJid(`${'ü'.repeat(511)}a@coluc.com`)).toBeDefined();
    expect(parseJid(`${'ü'.repeat(512)}@coluc.com`)).toBeUndefined();
    expect(parseJid(`coluc.com/${'♚'.repeat(341)}`)).toBeDefined();
    expect(parseJid(`coluc.com/${'♚'.repeat(342)}`)).toBeUndefined();
  });

  test('J-04: the trailing dot of the domain is removed', () => {
    expect(parseJid('juliet@example.com./x')?.domain).toBe('example.com');
    expect(parseJid('juliet@example.com..')).toBeUndefined();
  });

  test.each(['"', '&', "'", ':', '<', '>', '@', ' ', '\t', '\u007F', '\u00A0'])(
    'J-08: %j in the localpart is refused',
    (character) => {
      expect(parseJid(`a${character}b@example.com`)).toBeUndefined();
    },
  );

  test.each(['victim\uFF20evil.example@vngtp.lab', 'a\uFE6Bb@vngtp.lab', 'a\uFF0Fb@vngtp.lab', 'a\u2100@vngtp.lab'])(
    'J-08: %j, another domain for who normalizes before splitting, is refused',
    (text) => {
      expect(parseJid(text)).toBeUndefined();
    },
  );

  test.each([
    'juliet@example.com',
    'juliet@example.com/foo',
    'juliet@example.com/foo bar',
    'juliet@example.com/foo@bar',
    'foo\\20bar@example.com',
    'fussball@example.com',
    'fußball@example.com',
    'π@example.com',
    'Σ@example.com/foo',
    'king@example.com/♚',
    'example.com',
    'example.com/foobar',
    'a.example.com/b@example.net',
  ])('J-10: %j is accepted', (text) => {
    expect(parseJid(text)).toBeDefined();
  });

  test.each(['"juliet"@example.com', 'foo bar@example.com', '@example.com/', 'juliet@', '/foobar'])(
    'J-10: %j is refused',
    (text) => {
      expect(parseJid(text)).toBeUndefined();
    },
  );

  test('J-15: what only PRECIS refuses in localpart and resource passes unchanged', () => {
    expect(parseJid('henry\u2163@example.com')?.local).toBe('henry\u2163');
    expect(parseJid('♚@example.com')?.local).toBe('♚');
    expect(parseJid('Juliet@example.com/ foo')).toEqual({ local: 'Juliet', domain: 'example.com', resource: ' foo' });
  });

  test.each(['a@example.com/\u0000', 'a\uFFFE@example.com', 'a@example.com/\uD800', 'a@example.com/\u001B[2J'])(
    'J-15: %j is not XML and is refused',
    (text) => {
      expect(parseJid(text)).toBeUndefined();
    },
  );

  test('J-17: total; what is accepted splits the same way again', () => {
    const part = fc.string({ unit: 'binary', maxLength: 10 });
    const texts = fc.oneof(
      part,
      fc.tuple(part, fc.constantFrom('a.example', 'Ü.example', 'x'), part).map(([l, d, r]) => `${l}@${d}/${r}`),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const jid = parseJid(text);
        if (jid === undefined) return;
        const local = jid.local === undefined ? '' : `${jid.local}@`;
        const resource = jid.resource === undefined ? '' : `/${jid.resource}`;
        expect(parseJid(`${local}${jid.domain}${resource}`)).toEqual(jid);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('domainPart', () => {
  test.each([
    ['juliet@Example.COM/balcony', 'Example.COM'],
    ['example.com/b@example.net', 'example.com'],
    ['example.com', 'example.com'],
    ['juliet@', ''],
    ['a@b@c', 'b@c'],
    ['', ''],
  ])('J-01: the domain of %j is written %j', (text, expected) => {
    expect(domainPart(text)).toBe(expected);
  });
});
