import type { Readable } from 'node:stream';

/** A line of fedway's log in its JSON format. */
export interface LogRecord {
  readonly level: string;
  readonly module: string;
  readonly code: string;
  readonly message: string;
  readonly connection?: string;
  readonly direction?: 'in' | 'out';
  readonly side?: 'foreign' | 'home';
  readonly local?: string;
  readonly remote?: string;
  readonly peer?: string;
  readonly [field: string]: unknown;
}

/** Fedway's log while it runs: lines as written and, in the JSON format, as records. */
export class BoxLog {
  readonly lines: string[] = [];
  readonly records: LogRecord[] = [];
  readonly #watchers = new Set<() => void>();

  constructor(out: Readable) {
    let rest = '';
    out.setEncoding('utf8');
    out.on('data', (chunk: string) => {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) {
        this.lines.push(line);
        if (line.startsWith('{')) this.records.push(JSON.parse(line) as LogRecord);
      }
      for (const tell of this.#watchers) tell();
    });
  }

  /** Where to begin reading later. */
  mark(): number {
    return this.records.length;
  }

  since(mark: number): readonly LogRecord[] {
    return this.records.slice(mark);
  }

  /** The first record since `mark` that `is` what the test wants; rejects when none comes. */
  async wait(is: (record: LogRecord) => boolean, mark = 0, milliseconds = 5_000): Promise<LogRecord> {
    const deadline = performance.now() + milliseconds;
    let from = mark;
    for (;;) {
      for (; from < this.records.length; from++) {
        const record = this.records[from];
        if (record !== undefined && is(record)) return record;
      }
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`no such line in the log since then; its end:\n${this.tail(mark)}`);
      await this.#more(left);
    }
  }

  /** The last messages, for an assertion that failed. */
  tail(mark = 0): string {
    return this.since(mark)
      .slice(-15)
      .map(({ level, code, peer, message }) => `${level} ${code} ${peer ?? ''} ${message.slice(0, 300)}`)
      .join('\n');
  }

  async #more(milliseconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds);
    this.#watchers.add(resolve);
    await promise;
    clearTimeout(timer);
    this.#watchers.delete(resolve);
  }
}
