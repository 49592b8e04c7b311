import type { Note, NoteSubject, Severity } from '../protocol/notes.ts';
import { CLUSTERDB } from './describe/clusterdb.ts';
import { DIALBACK } from './describe/dialback.ts';
import { LINK } from './describe/link.ts';
import { PROCESS } from './describe/process.ts';
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
  return row.severityOf?.(note, subject) ?? row.severity;
}

/**
 * The row of a note, as one that takes any note. The assertion holds because each row stands under the name of the note it takes;
 * TypeScript cannot see that two uses of `note.note` are the same one.
 */
function rowOf(note: Note): Row<NoteName> {
  return ROWS[note.note] as Row<NoteName>;
}
