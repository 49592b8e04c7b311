import type { Ledger } from '../axl/ledger.ts';
import { readIfThere, replaceFile, storageFault } from '../link/storage.ts';
import type { NoteSink } from '../protocol/notes.ts';

/** The form of the file. */
const VERSION = 1;

/**
 * What this box has inserted into the tables of publishers, in one small file. What is recorded is on disk when `record` returns; where it cannot be
 * written it is told, and holds as long as the process runs.
 */
export class PublisherLedger implements Ledger {
  private readonly file: string | undefined;
  private readonly notes: NoteSink;
  private readonly recorded: Map<string, readonly string[]>;

  /** @param file `undefined`: a box without data folder, which records nothing that outlives it */
  constructor(file: string | undefined, notes: NoteSink) {
    this.file = file;
    this.notes = notes;
    this.recorded = this.read();
  }

  ours(publisher: string): readonly string[] {
    return this.recorded.get(publisher) ?? [];
  }

  record(publisher: string, cpIds: readonly string[]): void {
    const former = this.ours(publisher);
    if (former.length === cpIds.length && cpIds.every((cpId, index) => cpId === former[index])) return;
    if (cpIds.length === 0) this.recorded.delete(publisher);
    else this.recorded.set(publisher, [...cpIds]);
    if (this.file === undefined) return;
    const text = JSON.stringify({ version: VERSION, publishers: Object.fromEntries(this.recorded) });
    try {
      replaceFile(this.file, `${text}\n`);
    } catch (error) {
      const fault = storageFault('the record of rows at IM&P publishers', this.file, error);
      this.notes({ note: 'publisher-ledger', problem: `Cannot write ${fault}` }, {});
    }
  }

  private read(): Map<string, readonly string[]> {
    if (this.file === undefined) return new Map();
    try {
      const text = readIfThere(this.file);
      const read = text === undefined ? new Map<string, readonly string[]>() : recordedIn(text);
      if (read !== undefined) return read;
      const problem = `The record of rows at IM&P publishers ${this.file} is damaged and counts as empty: rows that are there already are taken for somebody else's and stay until they are removed by hand (delete from xmpps2snodes)`;
      this.notes({ note: 'publisher-ledger', problem }, {});
    } catch (error) {
      const fault = storageFault('the record of rows at IM&P publishers', this.file, error);
      this.notes({ note: 'publisher-ledger', problem: `Cannot read ${fault}` }, {});
    }
    return new Map();
  }
}

/** `undefined`: the text is not what we have written. */
function recordedIn(text: string): Map<string, readonly string[]> | undefined {
  const stored = parsed(text);
  if (!isObject(stored) || stored['version'] !== VERSION) return undefined;
  const { publishers } = stored;
  if (!isObject(publishers)) return undefined;
  const recorded = new Map<string, readonly string[]>();
  for (const [name, cpIds] of Object.entries(publishers)) {
    if (!Array.isArray(cpIds)) return undefined;
    const texts = cpIds.filter((cpId): cpId is string => typeof cpId === 'string');
    if (texts.length < cpIds.length) return undefined;
    recorded.set(name, texts);
  }
  return recorded;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is no JSON is no record either, which is told as damage.
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
