import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tableText } from './table.ts';

describe('tableText', () => {
  test('is the table of the reference system', () => {
    expect(
      tableText(['pkid', 'cp_id'], [['055c13d9-943d-459d-a3c6-af1d1176936d', 'cm-2_s2scp-1.eft-xwye-a-coluc-com']]),
    ).toBe(
      [
        'pkid                                 cp_id',
        '==================================== =================================',
        '055c13d9-943d-459d-a3c6-af1d1176936d cm-2_s2scp-1.eft-xwye-a-coluc-com',
      ].join('\n'),
    );
  });

  test('without rows it is names over bars of their width', () => {
    expect(tableText(['pkid', 'cp_id'], [])).toBe('pkid cp_id\n==== =====');
  });

  const cell = fc.option(fc.string({ unit: 'grapheme', maxLength: 12 }));
  const table = fc
    .integer({ min: 1, max: 4 })
    .chain((width) =>
      fc.tuple(
        fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: width, maxLength: width }),
        fc.array(fc.array(cell, { minLength: width, maxLength: width })),
      ),
    );

  test('whatever the values are: a line for each row, every value under its bar and not wider, nothing that moves a cursor', () => {
    fc.assert(
      fc.property(table, ([columns, rows]) => {
        const lines = tableText(columns, rows).split('\n');
        expect(lines).toHaveLength(rows.length + 2);
        const bars = (lines[1] ?? '').split(' ');
        expect(bars).toHaveLength(columns.length);
        const starts = bars.map((_, index) => bars.slice(0, index).join(' ').length + (index === 0 ? 0 : 1));
        for (const line of lines) {
          expect(line).toBe(line.trimEnd());
          expect(line).not.toMatch(/\p{Cc}/u);
          const characters = Array.from(line);
          expect(characters.length).toBeLessThanOrEqual((lines[1] ?? '').length);
          // Between two columns there is a blank in every line.
          for (const start of starts.slice(1)) expect(characters[start - 1] ?? ' ').toBe(' ');
        }
        for (const [row, values] of rows.entries()) {
          const characters = Array.from(lines[row + 2] ?? '');
          for (const [column, value] of values.entries()) {
            const from = starts[column] ?? 0;
            const shown = characters.slice(from, from + (bars[column]?.length ?? 0)).join('');
            expect(shown.startsWith('NULL') || value !== null).toBe(true);
          }
        }
      }),
    );
  });
});
