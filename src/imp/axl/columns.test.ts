import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readAnswer } from '../../axl/soap/read.ts';
import { writeRows } from '../../axl/soap/write.ts';
import { axlRows } from './columns.ts';

describe('axlRows', () => {
  test('columns are named as SQL names them, expressions by their function', () => {
    expect(axlRows(['pkid', 'count(*)', "'x'", 'max(a) + 1', 'xmlish'], [['1', null, 'x', '2', '3']])).toEqual([
      [
        ['pkid', '1'],
        ['count', ''],
        ['expression', 'x'],
        ['max', '2'],
        ['_xmlish', '3'],
      ],
    ]);
  });

  test('whatever columns and values there are, a client can read the answer', () => {
    const text = fc.string({ unit: 'binary', maxLength: 20 });
    fc.assert(
      fc.property(fc.array(fc.tuple(text, fc.option(text)), { minLength: 1, maxLength: 4 }), (cells) => {
        const rows = axlRows(
          cells.map(([column]) => column),
          [cells.map(([, value]) => value)],
        );
        const written = writeRows({ version: '14.0' }, rows);
        if ('fault' in written) throw new Error(written.fault);
        const read = readAnswer(Buffer.from(written.xml));
        expect(read).toMatchObject({ rows: [{ length: cells.length }] });
      }),
    );
  });
});
