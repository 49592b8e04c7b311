import type { NoteSubject, Severity } from '../protocol/notes.ts';
import { visible, visibleInQuotes } from './escape.ts';
import type { LogRecord } from './record.ts';
import type { Fields } from './row.ts';
import { named } from './row.ts';

const LEVELS: Readonly<Record<Severity, string>> = {
  error: 'ERROR',
  warning: 'WARN ',
  info: 'INFO ',
  debug: 'DEBUG',
  verbose: 'VBOSE',
};

/** SGR codes (ECMA-48 §8.3.117): red, yellow, green, and faint for what is only read on purpose. */
const COLORS: Readonly<Record<Severity, string>> = {
  error: '\u001b[31m',
  warning: '\u001b[33m',
  info: '\u001b[32m',
  debug: '\u001b[2m',
  verbose: '\u001b[2m',
};
const FAINT = '\u001b[2m';
const PLAIN = '\u001b[0m';

/** What can stand behind `key=` without quotes. */
const BARE = /^[\w.:/@+[\]-]+$/;

/**
 * The format for people: time, level, pair, connection, module, sentence, fields.
 *
 * `coluc.com > vngtp.lab`: the pair as `local > remote` on a stream we opened, `local < remote` on one the peer opened. Columns
 * are aligned as long as names are not long.
 */
export function textLine(record: LogRecord, colors: boolean): string {
  const { time, severity, module, subject, sentence } = record;
  const level = colors ? `${COLORS[severity]}${LEVELS[severity]}${PLAIN}` : LEVELS[severity];
  const pair = visible(pairOf(subject)).padEnd(28);
  const connection = visible(subject.connection ?? '-').padEnd(9);
  const head = `${new Date(time).toISOString()} ${level} ${pair} ${connection} ${module.padEnd(12)} ${visible(sentence)}`;
  const fields = textFields({
    ...record.fields,
    side: subject.side === 'home' ? 'home' : undefined,
    peer: subject.peer,
  });
  if (fields === '') return head;
  return colors ? `${head} ${FAINT}${fields}${PLAIN}` : `${head} ${fields}`;
}

/** `key=value`, the value in double quotes unless it is plain; lists are separated by commas. */
function textFields(fields: Fields): string {
  return joinedFields(fields, (text) => `"${visibleInQuotes(text)}"`);
}

/** `key=value` for each field that has a value, `inQuotes` for those that are not plain. */
export function joinedFields(fields: Fields, inQuotes: (text: string) => string): string {
  const shown: string[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const text = typeof value === 'object' ? value.join(', ') : String(value);
    shown.push(`${name}=${BARE.test(text) ? text : inQuotes(text)}`);
  }
  return shown.join(' ');
}

function pairOf(subject: NoteSubject): string {
  const { direction } = subject;
  if (direction === undefined && subject.local === undefined && subject.remote === undefined) return '-';
  const arrow = direction === undefined ? '-' : direction === 'out' ? '>' : '<';
  const local = subject.local === undefined ? '-' : named(subject.local);
  const remote = subject.remote === undefined ? '-' : named(subject.remote);
  return `${local} ${arrow} ${remote}`;
}

/** Colors are for a terminal whose user has not refused them (https://no-color.org). */
export function wantsColors(isTerminal: boolean, environment: Readonly<Record<string, string | undefined>>): boolean {
  const refused = environment['NO_COLOR'] !== undefined && environment['NO_COLOR'] !== '';
  return isTerminal && !refused && environment['TERM'] !== 'dumb';
}
