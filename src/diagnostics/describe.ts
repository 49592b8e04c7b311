import type { Note, NoteSubject, Severity } from '../protocol/notes.ts';
import { AXL } from './describe/axl.ts';
import { CLIENTS } from './describe/clients.ts';
import { CLUSTERDB } from './describe/clusterdb.ts';
import { DIALBACK } from './describe/dialback.ts';
import { IMP_AXL } from './describe/imp-axl.ts';
import { IMP_NODE } from './describe/imp-node.ts';
import { LINK } from './describe/link.ts';
import { MESSAGING } from './describe/messaging.ts';
import { PROCESS } from './describe/process.ts';
import { PUBLISHERS } from './describe/publishers.ts';
import { REACHING } from './describe/reaching.ts';
import { ROUTING } from './describe/routing.ts';
import { STREAM } from './describe/stream.ts';
import type { Fields, Module, NoteName, Row, Rows } from './row.ts';

/** The one table of all notes. It is complete by its type: a new note does not compile until a row describes it. */
export const ROWS: Rows<NoteName> = {
  ...STREAM,
  ...DIALBACK,
  ...REACHING,
  ...ROUTING,
  ...LINK,
  ...CLUSTERDB,
  ...PROCESS,
  ...AXL,
  ...PUBLISHERS,
  ...IMP_NODE,
  ...IMP_AXL,
  ...CLIENTS,
  ...MESSAGING,
};

export const NOTE_NAMES = Object.keys(ROWS) as readonly NoteName[];

/** A note in words and values, ready for any format; nothing is escaped or shortened yet. */
export interface Description {
  readonly severity: Severity;
  readonly module: Module;
  /** Where the reference system says such a line comes from. */
  readonly codeLocation: string;
  readonly sentence: string;
  readonly fields: Fields;
}

/** Describes a note. Pure; `severity` is never more urgent than that of the note's row. */
export function describe(note: Note, subject: NoteSubject): Description {
  const row = rowOf(note);
  const { sentence, fields = {} } = row.wording(note, subject);
  return {
    severity: severityOf(note, subject),
    module: row.module,
    codeLocation: row.codeLocation.replace('*', subject.direction ?? 'out'),
    sentence,
    fields,
  };
}

/** The severity of a note, without building its words. */
export function severityOf(note: Note, subject: NoteSubject): Severity {
  const row = rowOf(note);
  const severity = row.severityOf?.(note, subject) ?? row.severity;
  return subject.repeats === true && (severity === 'info' || severity === 'warning') ? 'debug' : severity;
}

/** The attributes of the reference system's line at this step, in their order; `undefined` where it has none but the usual ones. */
export function referenceAttributes(note: Note, subject: NoteSubject): Readonly<Record<string, string>> | undefined {
  return rowOf(note).reference?.(note, subject);
}

/**
 * The row of a note, as one that takes any note. The assertion holds because each row stands under the name of the note it takes;
 * TypeScript cannot see that two uses of `note.note` are the same one.
 */
function rowOf(note: Note): Row<NoteName> {
  return ROWS[note.note] as Row<NoteName>;
}
