import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readSoapAction, soapAction } from './action.ts';
import { readAnswer, readRequest } from './read.ts';
import type { AxlRow } from './types.ts';
import { AXL_FUNCTIONS } from './types.ts';
import type { Written } from './write.ts';
import { writeFault, writeRequest, writeRows, writeUpdated } from './write.ts';

const bytes = (written: Written): Uint8Array => {
  if ('fault' in written) throw new Error(written.fault);
  return new TextEncoder().encode(written.xml);
};

/** Anything that XML 1.0 can express, with what has a meaning in it more often than by chance. */
const text = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 10 }),
      fc.constantFrom('<', '&', ']]>', '\r\n', '\t', "'", '"', '&amp;', '\u{1F600}'),
    ),
  )
  .map((parts) =>
    parts
      .join('')
      .toWellFormed()
      // oxlint-disable-next-line no-misleading-character-class
      .replaceAll(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, ''),
  );
const version = fc.constantFrom('11.5', '12.5', '14.0', '15.0', '9.1');
const column = fc.constantFrom('pkid', 'cp_id', 'Größe', 'count', '_x', 'a.b-c');
const row: fc.Arbitrary<AxlRow> = fc.array(fc.tuple(column, text), { maxLength: 5 });

describe('what is written is read again', () => {
  test('a request, with any statement', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...AXL_FUNCTIONS),
        version,
        text,
        fc.option(text, { nil: undefined }),
        (fn, version, sql, sequence) => {
          const request = { function: fn, version, sql, ...(sequence === undefined ? {} : { sequence }) };
          expect(readRequest(bytes(writeRequest(request)))).toEqual({ request });
        },
      ),
    );
  });

  test('rows, with any values, in their order', () => {
    fc.assert(
      fc.property(version, fc.array(row, { maxLength: 5 }), (version, rows) => {
        expect(readAnswer(bytes(writeRows({ version, sequence: '1' }, rows)))).toEqual({ rows });
      }),
    );
  });

  test('the number of updated rows', () => {
    fc.assert(
      fc.property(version, fc.nat(), (version, rowsUpdated) => {
        expect(readAnswer(bytes(writeUpdated({ version }, rowsUpdated)))).toEqual({ rowsUpdated });
      }),
    );
  });

  test('a fault, with any words', () => {
    const code = fc.option(fc.integer({ min: -99_999, max: 99_999 }), { nil: undefined });
    fc.assert(
      fc.property(code, text, text, text, (axlcode, axlmessage, request, faultstring) => {
        const fault = { axlcode, axlmessage, request, faultstring };
        expect(readAnswer(bytes({ xml: writeFault(fault, 'Client') }))).toEqual({ soapFault: fault });
      }),
    );
  });

  test('the header SOAPAction, with and without its quotation marks', () => {
    expect(soapAction('14.0', 'executeSQLQuery')).toBe('"CUCM:DB ver=14.0 executeSQLQuery"');
    for (const header of [soapAction('14.0', 'executeSQLQuery'), 'CUCM:DB ver=14.0 executeSQLQuery']) {
      expect(readSoapAction(header)).toEqual({ version: '14.0', function: 'executeSQLQuery' });
    }
    expect(readSoapAction('"CUCM:DB ver=12.5"')).toEqual({ version: '12.5', function: undefined });
  });
});

describe('what cannot be written is refused', () => {
  test.each(['\0', 'a\u000b', '\ud800', '\uffff'])('a statement, a value or a sequence with %j', (bad) => {
    expect(writeRequest({ function: 'executeSQLQuery', version: '14.0', sql: bad })).toHaveProperty('fault');
    expect(writeRequest({ function: 'executeSQLQuery', version: '14.0', sql: '', sequence: bad })).toHaveProperty(
      'fault',
    );
    expect(writeRows({ version: '14.0' }, [[['a', bad]]])).toHaveProperty('fault');
    expect(writeUpdated({ version: '14.0', sequence: bad }, 1)).toHaveProperty('fault');
  });

  test.each(['', '1a', 'a b', 'a:b', 'count(*)', '<x>', 'xmlns', 'XMLfoo', '-a'])('the column name %j', (name) => {
    expect(writeRows({ version: '14.0' }, [[[name, '']]])).toHaveProperty('fault');
  });

  test('versions and numbers that are none', () => {
    expect(writeRequest({ function: 'executeSQLQuery', version: '14.0"><x', sql: '' })).toHaveProperty('fault');
    for (const number of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
      expect(writeUpdated({ version: '14.0' }, number)).toHaveProperty('fault');
  });

  test('a fault is written nevertheless, without what XML cannot express', () => {
    const xml = writeFault({ axlcode: -206, axlmessage: 'a\0b', request: '\ud800', faultstring: '' }, 'Server');
    expect(readAnswer(new TextEncoder().encode(xml))).toEqual({
      soapFault: { axlcode: -206, axlmessage: 'a\u{fffd}b', request: '\u{fffd}', faultstring: '' },
    });
  });

  test.each([
    undefined,
    '',
    '""',
    '"CUCM:DB"',
    '"CUCM:DB ver=14.0 executeSQLQuery',
    'CUCM:DB ver=14 x',
    '"CUCM:DB ver=14.0 a b"',
    'x'.repeat(100_000),
  ])('the header SOAPAction %j is not read', (header) => {
    expect(readSoapAction(header)).toHaveProperty('fault');
  });
});
