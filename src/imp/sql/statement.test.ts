import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CODE } from './fault.ts';
import { LONGEST_STATEMENT, readStatement } from './statement.ts';

describe('readStatement', () => {
  test.each([
    ['select 1', 'query'],
    ['  SELECT 1 ; ', 'query'],
    ['with a as (select 1) select * from a', 'query'],
    ['values (1)', 'query'],
    ['insert into xmpps2snodes values (1, 2);-- done', 'update'],
    ['/* first */ update xmpps2snodes set cp_id = 1', 'update'],
    ['Delete from xmpps2snodes', 'update'],
  ])('%s is one %s', (text, kind) => {
    expect(readStatement(text)).toMatchObject({ kind });
  });

  test('what stands behind the end is not part of the statement', () => {
    expect(readStatement('select 1 ; -- and so on')).toMatchObject({ sql: 'select 1 ' });
  });

  test.each(['select 1; drop table users', 'select 1;;select 2', "select 1; 'x'", 'select 1;"x"', 'select ";" ; x'])(
    'several statements are none: %s',
    (text) => {
      expect(readStatement(text)).toMatchObject({ code: CODE.syntax });
    },
  );

  test.each([
    "select ';'",
    'select 1 as ";"',
    'select 1 -- ; x',
    'select /* ; */ 1',
    'select 1 as [;]',
    "select ''';'",
  ])('a semicolon that is hidden ends nothing: %s', (text) => {
    expect(readStatement(text)).toMatchObject({ kind: 'query', sql: text });
  });

  test.each([
    'pragma user_version',
    'ATTACH x as y',
    'vacuum',
    'explain select 1',
    'begin',
    'drop table users',
    'create view a',
  ])('what the guard never runs is not permitted: %s', (text) => {
    expect(readStatement(text)).toMatchObject({ code: CODE.notPermitted });
  });

  test.each([
    '',
    ';',
    ' -- nothing',
    'hello',
    "select 'a",
    'select "a',
    '1',
    '(select 1)',
    'select \0',
    'select \ud800',
  ])('what is no statement is a syntax error: %j', (text) => {
    expect(readStatement(text)).toMatchObject({ code: CODE.syntax });
  });

  test('a statement is bounded', () => {
    expect(readStatement(`select ${'1'.repeat(LONGEST_STATEMENT)}`)).toMatchObject({ code: CODE.syntax });
  });

  test('no text makes it throw, and what it takes begins with one of six words and has no second statement', () => {
    const bits = fc.constantFrom(
      'select',
      'insert',
      ';',
      "'",
      '"',
      '`',
      '[',
      ']',
      '--',
      '/*',
      '*/',
      '\n',
      ' ',
      'x',
      '1',
      '(',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(bits).map((all) => all.join('')),
        ),
        (text) => {
          const read = readStatement(text);
          if ('code' in read) return;
          expect(read.verb).toMatch(/^(?:select|values|with|insert|update|delete)$/);
          // A semicolon in it is hidden by something that opens before it.
          expect(/^[^'"`[\-/]*;/.test(read.sql)).toBe(false);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
