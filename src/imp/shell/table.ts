import { visible } from '../../diagnostics/escape.ts';

/**
 * A table as `run sql` prints it: names over bars, every column as wide as its longest value or its name. What is null is `NULL`; what could disturb a
 * terminal is escaped. Lines have no blanks at their ends.
 */
export function tableText(columns: readonly string[], rows: readonly (readonly (string | null)[])[]): string {
  const names = columns.map(visible);
  const shown = rows.map((row) => row.map((value) => (value === null ? 'NULL' : visible(value))));
  const widths = names.map((name, index) => Math.max(widthOf(name), ...shown.map((row) => widthOf(row[index] ?? ''))));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => cell + ' '.repeat(Math.max(0, (widths[index] ?? 0) - widthOf(cell))))
      .join(' ')
      .trimEnd();
  return [line(names), line(widths.map((width) => '='.repeat(width))), ...shown.map(line)].join('\n');
}

/** In characters; a table of this database has no wide ones. */
function widthOf(text: string): number {
  return Array.from(text).length;
}
