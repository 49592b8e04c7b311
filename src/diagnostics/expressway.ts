import type { Note, NoteSubject, Severity } from '../protocol/notes.ts';
import { referenceAttributes } from './describe.ts';
import { cut, TEXT_LIMIT, visibleInQuotes } from './escape.ts';
import type { LogRecord } from './record.ts';
import { showableXml } from './redact.ts';
import type { Fields, NoteName, NoteOf } from './row.ts';
import { named, referenceChange } from './row.ts';
import { joinedFields } from './text.ts';

/**
 * The shape of Cisco Expressway's diagnostic log, so that somebody who knows that log finds each step of dialback in ours:
 *
 *     <time> fedway[<pid>]: Module="s2s.dialback" Level="INFO " CodeLocation="stanza.component.out" Detail="xcoder=34A9B60C8 sending:: <db:result ...>"
 *
 * Where the reference system has a line, ours has its level, its code location and its words; one note can be several such lines.
 * Its levels are its own: whether a line is written is decided by our severity of the note, so that the whole of a dialback
 * walk is in the log at level `info`. All other notes are lines of the same shape with our words, or have the attributes that their row names.
 */
export function expresswayLines(record: LogRecord, pid: number): readonly string[] {
  const start = `${new Date(record.time).toISOString()} fedway[${pid}]: Module="${record.module}"`;
  const attributes = record.note === undefined ? undefined : referenceAttributes(record.note, record.subject);
  if (attributes !== undefined)
    return [`${start} Level="${LEVELS[record.severity].trimEnd()}"${inAttributes(attributes)}`];
  return linesOf(record).map(
    ({ level, codeLocation, detail }) =>
      `${start} Level="${LEVELS[level]}" CodeLocation="${codeLocation}" Detail="${visibleInQuotes(cut(detail, DETAIL_LIMIT))}"`,
  );
}

/** ` Action="Send" URL="..."`: lines about requests have no code location there, and their level is not padded. */
function inAttributes(attributes: Readonly<Record<string, string>>): string {
  return Object.entries(attributes)
    .map(([name, value]) => {
      const limit = name === 'Detail' ? DETAIL_LIMIT : TEXT_LIMIT;
      return ` ${name}="${visibleInQuotes(cut(value, limit))}"`;
    })
    .join('');
}

/** UTF-16 units; more than any XML that is shown (`XML_LIMIT`). */
const DETAIL_LIMIT = 8192;

interface Line {
  readonly level: Severity;
  readonly codeLocation: string;
  readonly detail: string;
}

const LEVELS: Readonly<Record<Severity, string>> = {
  error: 'ERROR',
  warning: 'WARN ',
  info: 'INFO ',
  debug: 'DEBUG',
  verbose: 'VBOSE',
};

function linesOf(record: LogRecord): readonly Line[] {
  const lines = record.note === undefined ? undefined : referenceLines(record.note, record.subject);
  if (lines === undefined) return [ownLine(record)];
  const labels = detailFields(aLabelsOf(record.fields));
  return labels === '' ? lines : lines.map((line) => ({ ...line, detail: `${line.detail} ${labels}` }));
}

/** The lines that the reference system writes at this step, `undefined` where it is not known to write any. */
function referenceLines(note: Note, subject: NoteSubject): readonly Line[] | undefined {
  const lines = REFERENCE[note.note] as ((note: Note, subject: NoteSubject) => readonly Line[] | undefined) | undefined;
  return lines?.(note, subject);
}

const REFERENCE: {
  readonly [N in NoteName]?: (note: NoteOf<N>, subject: NoteSubject) => readonly Line[] | undefined;
} = {
  'dialback-sent': (note, subject) => [
    sending('info', note, subject),
    line(
      'debug',
      `stream.${subject.direction ?? 'out'}`,
      `${tuple(subject)} ${xcoder(subject)}Scheduling dialback timeout in ${note.timeoutSeconds} secs.`,
    ),
  ],
  'dialback-answered': (note, subject) => [sending('info', note, subject)],
  'verify-answered': (note, subject) => [sending('info', note, subject)],
  'header-sent': (note, subject) => [sending('debug', note, subject)],
  'element-sent': (note, subject) => [sending('verbose', note, subject)],
  'dialback-requested': (note, subject) => [received(note, subject)],
  'dialback-answer-received': (note, subject) => [received(note, subject)],
  'verify-requested': (note, subject) => [received(note, subject)],
  'element-received': (note, subject) => [received(note, subject)],
  'header-received': ({ xml }, subject) => [
    line('info', 'debug', `${xcoder(subject)}onStreamOpen:: ${emptyElement(showableXml(xml))}`),
  ],
  'state-changed': ({ from, to }, subject) => {
    const change = `Connection state change: ${from.toUpperCase()}->${to.toUpperCase()}:`;
    return [
      line('info', 'ConnInfoHistory', `${change} ${tuple(subject)} ${xcoder(subject)}${peerOf(subject)}`.trimEnd()),
    ];
  },
  'lookup-started': ({ domain, ascii, service }) => [
    line('info', 'Resolver', `Starting resolver lookup for '${domain}:puny=${ascii}:service=${service}:defport=0'`),
  ],
  'lookup-finished': ({ domain, method, seconds }, subject) => {
    const timings = `dns-timings=(TOTAL:${seconds.total.toFixed(6)} SRV:${seconds.srv.toFixed(6)})`;
    return [
      line(
        'info',
        'debug',
        `${tuple(subject)} resolved dialback address for host=${domain} method=${method} ${timings}`,
      ),
    ];
  },
  'verify-sent': ({ xml, forConnection }, subject) => {
    const claim = verifyTuple(subject, forConnection);
    return [
      line('info', 'DBVerify', `${claim} DBVerify stream is open. Sending db:verify packet: ${showableXml(xml)}`),
    ];
  },
  'verify-answer-received': ({ xml, forConnection }, subject) => [
    line('info', 'DBVerify', `${verifyTuple(subject, forConnection)} DBVerify Packet Received ${showableXml(xml)}`),
  ],
  'verify-stream-closing': (_note, subject) => [
    line('info', `stream.${subject.direction ?? 'out'}`, `${xcoder(subject)}closing stream used for dialback only`),
  ],
  'config-changed': ({ reference }) =>
    reference === undefined ? undefined : [line('info', 'clusterdb', referenceChange(reference))],
};

function sending(level: Severity, { xml }: { readonly xml: string }, subject: NoteSubject): Line {
  return line(level, 'stanza.component.out', `${xcoder(subject)}sending:: ${showableXml(xml)}`);
}

function received({ xml }: { readonly xml: string }, subject: NoteSubject): Line {
  return line('verbose', 'stanza.component.in', `${xcoder(subject)}received:: ${showableXml(xml)}`);
}

function ownLine(record: LogRecord): Line {
  const { severity, codeLocation, subject, sentence, fields } = record;
  const about = subject.local === undefined && subject.remote === undefined ? '' : `${tuple(subject)} `;
  const values = detailFields({ ...fields, peer: subject.peer });
  return line(severity, codeLocation, `${about}${xcoder(subject)}${sentence}${values === '' ? '' : ` ${values}`}`);
}

function line(level: Severity, codeLocation: string, detail: string): Line {
  return { level, codeLocation, detail };
}

function xcoder(subject: NoteSubject): string {
  return subject.connection === undefined ? '' : `xcoder=${subject.connection} `;
}

function peerOf(subject: NoteSubject): string {
  return subject.peer === undefined ? '' : `peer=${subject.peer}`;
}

/** `(<uuid>, <local>:<remote>, IN|OUT)`. */
function tuple(subject: NoteSubject, direction = subject.direction): string {
  const pair = `${named(subject.local ?? '-')}:${named(subject.remote ?? '-')}`;
  return `(${uuidOf(subject.connection)}, ${pair}, ${direction === 'in' ? 'IN' : 'OUT'})`;
}

/** The reference system tells a verification under the inbound stream whose claim is being verified. */
function verifyTuple(subject: NoteSubject, forConnection: string | undefined): string {
  return tuple(forConnection === undefined ? subject : { ...subject, connection: forConnection }, 'in');
}

/** We have no UUIDs: the connection's handle stands in the last group, so that a search for either finds both. */
function uuidOf(connection: string | undefined): string {
  const digits = connection !== undefined && /^[0-9A-Fa-f]{1,12}$/.test(connection) ? connection : '';
  return `00000000-0000-0000-0000-${digits.toLowerCase().padStart(12, '0')}`;
}

/** A stream header as the reference system shows it: without the XML declaration, closed like an empty element. */
function emptyElement(header: string): string {
  const tag = header.replace(/^\s*<\?xml[^>]*\?>\s*/u, '');
  return tag.endsWith('>') && !tag.endsWith('/>') ? `${tag.slice(0, -1)}/>` : tag;
}

/** Fields inside `Detail`, which is escaped as a whole: values are in single quotes and have none themselves. */
function detailFields(fields: Fields): string {
  return joinedFields(fields, (text) => `'${text.replaceAll("'", '"')}'`);
}

function aLabelsOf(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => name.endsWith('_ascii')));
}
