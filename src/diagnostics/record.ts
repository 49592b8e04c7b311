import { parseDomain, toAscii } from '../protocol/jid/domain.ts';
import type { Note, NoteSubject, Severity } from '../protocol/notes.ts';
import { describe } from './describe.ts';
import { cut, TEXT_LIMIT } from './escape.ts';
import { showableXml } from './redact.ts';
import type { Fields, Module } from './row.ts';

/** One line of the log before it has a format: every value bounded in length and without secrets, nothing escaped. */
export interface LogRecord {
  /** Unix milliseconds. */
  readonly time: number;
  readonly severity: Severity;
  readonly module: Module;
  readonly codeLocation: string;
  /** The name of the note, or of the log's own message. */
  readonly code: string;
  readonly subject: NoteSubject;
  readonly sentence: string;
  readonly fields: Fields;
  /** What the line tells; absent for the log's own messages. */
  readonly note?: Note;
}

const SENTENCE_LIMIT = 2048;
const LIST_LIMIT = 20;
const NOT_ASCII = /[^\0-\x7f]/u;

/** Describes a note and bounds it; a domain with other than ASCII letters gets its A-label beside it. */
export function recordOf(note: Note, subject: NoteSubject, time: number): LogRecord {
  const { severity, module, codeLocation, sentence, fields } = describe(note, subject);
  return {
    time,
    severity,
    module,
    codeLocation,
    code: note.note,
    subject: boundedSubject(subject),
    sentence: cut(sentence, SENTENCE_LIMIT),
    fields: { ...boundedFields(fields), ...aLabels(fields, subject) },
    note,
  };
}

function boundedSubject(subject: NoteSubject): NoteSubject {
  const { connection, local, remote, peer } = subject;
  return {
    ...subject,
    ...(connection === undefined ? undefined : { connection: cut(connection, TEXT_LIMIT) }),
    ...(local === undefined ? undefined : { local: cut(local, TEXT_LIMIT) }),
    ...(remote === undefined ? undefined : { remote: cut(remote, TEXT_LIMIT) }),
    ...(peer === undefined ? undefined : { peer: cut(peer, TEXT_LIMIT) }),
  };
}

function boundedFields(fields: Fields): Fields {
  const bounded: Record<string, Fields[string]> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string') bounded[name] = name === 'xml' ? showableXml(value) : cut(value, TEXT_LIMIT);
    else if (Array.isArray(value)) bounded[name] = boundedList(value as readonly string[]);
    else if (value !== undefined) bounded[name] = value;
  }
  return bounded;
}

function boundedList(values: readonly string[]): readonly string[] {
  const shown = values.slice(0, LIST_LIMIT).map((value) => cut(value, TEXT_LIMIT));
  return values.length > LIST_LIMIT ? [...shown, `...(${values.length - LIST_LIMIT} more left out)`] : shown;
}

/** RFC 7622 §7.3.2: a reader sees through look-alike letters when the A-label stands beside the name. */
function aLabels(fields: Fields, subject: NoteSubject): Fields {
  const labels: Record<string, string> = {};
  const { sender, target, domain } = fields;
  for (const [name, value] of Object.entries({
    local: subject.local,
    remote: subject.remote,
    sender,
    target,
    domain,
  })) {
    if (typeof value !== 'string' || !NOT_ASCII.test(value)) continue;
    const prepared = parseDomain(value);
    if (prepared !== undefined) labels[`${name}_ascii`] = toAscii(prepared);
  }
  return labels;
}
