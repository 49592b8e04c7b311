import { visible } from '../diagnostics/escape.ts';
import type { Terminal } from './terminal.ts';

/** Between the columns of a table. */
const GAP = '  ';

/** A value as JSON, over several lines. What could disturb a terminal is escaped; whoever reads the JSON gets it as it was. */
export function printJson(terminal: Terminal, value: unknown): void {
  const text = JSON.stringify(value, null, 2);
  terminal.out(
    text.replaceAll(/(?!\n)[\p{C}\p{Zl}\p{Zp}]/gu, (character) =>
      // By UTF-16 units, which is how JSON writes them.
      Array.from(character.split(''), (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
    ),
  );
}

/**
 * Rows under their headings, each column as wide as it has to be; numbers stand to the right. Where that is wider than the terminal, every row
 * becomes a paragraph of its own instead: nothing is cut. What somebody else wrote cannot disturb the terminal.
 */
export function printTable(
  terminal: Terminal,
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const shown = rows.map((row) => row.map(visible));
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...shown.map((row) => widthOf(row[column] ?? ''))),
  );
  const total = widths.reduce((sum, width) => sum + width + GAP.length, -GAP.length);
  if (total > (terminal.width ?? Number.POSITIVE_INFINITY)) printParagraphs(terminal, headings, shown);
  else {
    terminal.out(bold(terminal, aligned(headings, widths, headings)));
    for (const row of shown) terminal.out(aligned(row, widths, headings));
  }
}

function printParagraphs(terminal: Terminal, headings: readonly string[], rows: readonly (readonly string[])[]): void {
  for (const [first = '', ...rest] of rows) {
    terminal.out(bold(terminal, first));
    for (const [index, cell] of rest.entries()) {
      if (cell !== '') terminal.out(`  ${(headings[index + 1] ?? '').toLowerCase()}: ${cell}`);
    }
  }
}

/** Headings of columns of numbers; they and what is under them stand to the right. */
const NUMBERS = new Set(['REVISION', 'IN', 'OUT', 'QUEUED', 'RESUMED', 'STREAMS']);

function aligned(row: readonly string[], widths: readonly number[], headings: readonly string[]): string {
  const cells = widths.map((width, column) => {
    const cell = row[column] ?? '';
    const space = ' '.repeat(Math.max(0, width - widthOf(cell)));
    return NUMBERS.has(headings[column] ?? '') ? space + cell : cell + space;
  });
  return cells.join(GAP).trimEnd();
}

/** What people see as characters; wide ones are as rare in our tables as they are hard to measure. */
function widthOf(text: string): number {
  return [...new Intl.Segmenter('en').segment(text)].length;
}

/** Names and what they are, below each other. */
export function printFacts(
  terminal: Terminal,
  facts: readonly (readonly [name: string, value: string])[],
  indent = '',
): void {
  const width = Math.max(0, ...facts.map(([name]) => name.length));
  for (const [name, value] of facts) {
    const label = name.padEnd(width);
    terminal.out(`${indent}${bold(terminal, label)}${GAP}${visible(value)}`.trimEnd());
  }
}

export function bold(terminal: Terminal, text: string): string {
  return terminal.colors === true ? `\u001b[1m${text}\u001b[0m` : text;
}

export function red(terminal: Terminal, text: string): string {
  return terminal.colors === true ? `\u001b[31m${text}\u001b[0m` : text;
}

/** `2026-10-01T12:00:00Z`; what is no time is said to be none. */
export function shownTime(time: number): string {
  return Math.abs(time) <= 8.64e15 ? new Date(time).toISOString().replace(/\.\d+Z$/, 'Z') : 'an unknown time';
}

/** How long something has been so: `5 s`, `10 min`, `3 h 20 min`, `4 d 2 h`. */
export function shownDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return joined(hours, 'h', minutes % 60, 'min');
  return joined(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function joined(large: number, unit: string, small: number, smaller: string): string {
  return small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smaller}`;
}

/** `1,234`. */
export function shownNumber(number: number): string {
  return number.toLocaleString('en-US');
}

/** `9.6 KiB`. */
export function shownBytes(bytes: number): string {
  for (const [unit, size] of [
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ] as const) {
    if (bytes >= size) return `${(bytes / size).toFixed(1)} ${unit}`;
  }
  return `${bytes} bytes`;
}
