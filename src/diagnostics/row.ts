import type { Note, NoteSubject, Severity } from '../protocol/notes.ts';
import { cut, TEXT_LIMIT } from './escape.ts';

export type NoteName = Note['note'];
export type NoteOf<N extends NoteName> = Extract<Note, { readonly note: N }>;

/** Values of a note as they are logged: flat, so that every format can show them. Names are lower case with underscores. */
export type Fields = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** What one note says, in words and as values. Nothing here is escaped: that is the formats' work. */
export interface Wording {
  /** Plain English for an administrator: what happened, with whom, why, and for failures what to do. */
  readonly sentence: string;
  readonly fields?: Fields;
}

/** All that the log knows of one kind of note. Everything but the wording can be read without building anything. */
export interface Row<N extends NoteName> {
  /** The most urgent severity that this kind of note can have. */
  readonly severity: Severity;
  readonly module: Module;
  /** Where the reference system says such a line comes from; `.*` stands for `.in` or `.out`, the direction of the stream. */
  readonly codeLocation: string;
  /** A peer can make this note appear any number of times, so that a storm of it is folded (see `storm.ts`). */
  readonly folds?: true;
  /** The severity of this one note, where it depends on what it says. */
  readonly severityOf?: (note: NoteOf<N>, subject: NoteSubject) => Severity;
  readonly wording: (note: NoteOf<N>, subject: NoteSubject) => Wording;
  /** Where the reference system's line has attributes of its own instead of CodeLocation and Detail: those, in their order. Names are letters; values are escaped later. */
  readonly reference?: (note: NoteOf<N>, subject: NoteSubject) => Readonly<Record<string, string>>;
}

/** Rows for some kinds of notes, all of them present. */
export type Rows<N extends NoteName> = { readonly [K in N]: Row<K> };

/** The dotted names that the log levels of the configuration speak of. */
export const MODULES = [
  's2s.stream',
  's2s.tls',
  's2s.sasl',
  's2s.dialback',
  's2s.connect',
  'dns',
  'routing',
  'steering',
  'component',
  'link',
  'config',
  'developer.clusterdb.restapi',
  'network.axl',
  'alarm',
  'imp.node',
  'imp.router',
  'imp.axl',
  'imp.shell',
  'imp.client',
  'imp.messaging',
  'imp.rooms',
  'process',
] as const;
export type Module = (typeof MODULES)[number];

/** The peer of a stream in a sentence: its domain, else its address. */
export function peerOf(subject: NoteSubject): string {
  const name = subject.remote ?? subject.peer;
  if (subject.side === 'home') return name === undefined ? 'the server inside' : `the server inside (${named(name)})`;
  return name === undefined ? 'the peer' : named(name);
}

/** A name in a sentence: as it is when it looks like one, in quotes when it could be mistaken for something else. */
export function named(name: string): string {
  return /^[^\s"'=(),;<>]{1,300}$/u.test(name) ? name : quoted(name);
}

/** Words that somebody else wrote, in a sentence of ours: cut, and unable to leave their quotes. */
export function quoted(text: string): string {
  return `"${cut(text, TEXT_LIMIT).replaceAll('"', "'")}"`;
}

/** A changed setting in the words of the reference system. */
export function referenceChange({
  name,
  from,
  to,
}: {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}): string {
  return `xconfiguration xcpConfiguration ${name} - changed from: ${from} to: ${to}`;
}

/** At most `limit` members of a list in a sentence. */
export function listed(names: readonly string[], limit = 20): string {
  if (names.length === 0) return 'none';
  const shown = names.slice(0, limit).map(named).join(', ');
  return names.length > limit ? `${shown} and ${names.length - limit} more` : shown;
}

/** `1,234 stanzas`, `1 stanza`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}

/** A time in Unix milliseconds as ISO 8601; a certificate can also hold what is no time. */
export function isoTime(time: number): string {
  return Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : 'an unknown time';
}

/** Our own words at the end of a sentence, wherever they came from: one full stop, no more. */
export function ended(clause: string): string {
  return /[.!?]$/u.test(clause) ? clause : `${clause}.`;
}

/** Sentences one after the other; what is missing is left out. */
export function joined(...sentences: readonly (string | undefined)[]): string {
  return sentences.filter((sentence) => sentence !== undefined).join(' ');
}
