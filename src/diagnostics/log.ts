import type { Note, NoteSink, NoteSubject, Severity } from '../protocol/notes.ts';
import { NOTE_NAMES, ROWS, severityOf } from './describe.ts';
import { expresswayLines } from './expressway.ts';
import { jsonRecord } from './json.ts';
import type { LogLevels } from './levels.ts';
import { isWithin, levelsByNote } from './levels.ts';
import type { LogRecord } from './record.ts';
import { recordOf } from './record.ts';
import { counted, type NoteName, named } from './row.ts';
import type { FoldedLines } from './storm.ts';
import { LINES_PER_SECOND, Storm } from './storm.ts';
import { textLine } from './text.ts';

export const LOG_FORMATS = ['text', 'json', 'expressway'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** What the configuration says of the log. */
export interface LogSettings extends LogLevels {
  readonly format: LogFormat;
}

/** What a log needs of the world. */
export interface LogSurroundings {
  /** Takes one line, without its line end. */
  readonly write: (line: string) => void;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Calls back once after so many milliseconds. */
  readonly later: (milliseconds: number, then: () => void) => void;
  readonly pid: number;
  /** Whether the format `text` is colored. */
  readonly colors: boolean;
}

/**
 * The log an administrator reads: a subscriber of notes that writes lines.
 *
 * A note whose level is off costs one look into a table. A note that is written is described, bounded, stripped of secrets and
 * escaped, whatever it holds: nothing that a peer sends can start a line or reach the terminal.
 */
export class Log {
  readonly #surroundings: LogSurroundings;
  readonly #storm = new Storm();
  #settings: LogSettings;
  #levels: Readonly<Record<NoteName, Severity>>;
  #possible: Readonly<Record<NoteName, boolean>>;
  #turnScheduled = false;

  constructor(settings: LogSettings, surroundings: LogSurroundings) {
    this.#surroundings = surroundings;
    this.#settings = settings;
    this.#levels = levelsByNote(settings);
    this.#possible = possibleNotes(this.#levels);
  }

  /** Where the notes come in. Can be handed around by itself. */
  readonly note: NoteSink = (note, subject) => {
    if (this.#possible[note.note]) this.#consider(note, subject);
  };

  get settings(): LogSettings {
    return this.#settings;
  }

  /** New settings, in force for the next note. */
  configure(settings: LogSettings): void {
    this.#settings = settings;
    this.#levels = levelsByNote(settings);
    this.#possible = possibleNotes(this.#levels);
  }

  /** Sets the level of one module, or of all below a dotted name; `undefined` gives it back to the names above. */
  setLevel(module: string, severity: Severity | undefined): void {
    const modules = new Map(this.#settings.modules);
    if (severity === undefined) modules.delete(module);
    else modules.set(module, severity);
    this.configure({ ...this.#settings, modules });
  }

  /** Writes what is still being counted. To be called before the process ends. */
  flush(): void {
    this.#turnStorm(this.#surroundings.now());
  }

  /** The line that stands for lines which the output had to leave out. */
  lineAboutLoss(lines: number): string {
    const record = {
      severity: 'warning',
      module: 'process',
      code: 'lines-lost',
      sentence: `${counted(lines, 'log line')} left out here: whatever reads the log was too slow or could not take them.`,
      fields: { lines },
    } as const;
    return this.#format(this.#ownRecord(record)).join('\n');
  }

  #consider(note: Note, subject: NoteSubject): void {
    const severity = severityOf(note, subject);
    if (!isWithin(severity, this.#levels[note.note])) return;
    const now = this.#surroundings.now();
    if (this.#storm.windowOver(now)) this.#turnStorm(now);
    const row = ROWS[note.note];
    if (row.folds === true && severity === row.severity && this.#storm.count(note.note, subject) === 'fold') {
      this.#scheduleTurn();
      return;
    }
    this.#write(recordOf(note, subject, now));
  }

  /** Without it, the count of a storm that stops would wait for the next note. */
  #scheduleTurn(): void {
    if (this.#turnScheduled) return;
    this.#turnScheduled = true;
    this.#surroundings.later(1000, () => {
      this.#turnScheduled = false;
      this.#turnStorm(this.#surroundings.now());
    });
  }

  #turnStorm(now: number): void {
    for (const folded of this.#storm.turn(now)) this.#write(this.#foldedRecord(folded));
  }

  #foldedRecord({ note, remote, count }: FoldedLines): LogRecord {
    const { severity, module } = ROWS[note];
    const about = remote === undefined ? 'many peers' : named(remote);
    return this.#ownRecord({
      severity,
      module,
      code: note,
      sentence: `Repeated ${count.toLocaleString('en-US')} times: "${note}" about ${about}; only the first ${LINES_PER_SECOND} of a second are written.`,
      fields: { repeated: count, about: remote },
    });
  }

  #ownRecord(said: Pick<LogRecord, 'severity' | 'module' | 'code' | 'sentence' | 'fields'>): LogRecord {
    return { ...said, time: this.#surroundings.now(), codeLocation: 'log', subject: {} };
  }

  #write(record: LogRecord): void {
    for (const line of this.#format(record)) this.#surroundings.write(line);
  }

  #format(record: LogRecord): readonly string[] {
    return FORMATS[this.#settings.format](record, this.#surroundings);
  }
}

const FORMATS: Readonly<Record<LogFormat, (record: LogRecord, surroundings: LogSurroundings) => readonly string[]>> = {
  text: (record, { colors }) => [textLine(record, colors)],
  json: (record) => [jsonRecord(record)],
  expressway: (record, { pid }) => expresswayLines(record, pid),
};

/** Which notes can be written at all at these levels: the one table that a note which is off costs a look into. */
function possibleNotes(levels: Readonly<Record<NoteName, Severity>>): Readonly<Record<NoteName, boolean>> {
  const entries = NOTE_NAMES.map((name) => [name, isWithin(ROWS[name].severity, levels[name])] as const);
  return Object.fromEntries(entries) as Record<NoteName, boolean>;
}
