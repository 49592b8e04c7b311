import { readFileSync, statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { tail } from './processes.ts';

/** A log that a program of the lab writes, and what is waited for in it. */
export class LogFile {
  readonly path: string;
  readonly #assertRunning: () => void;

  /** `assertRunning` is asked between tries and throws when waiting is pointless. */
  constructor(path: string, assertRunning: () => void) {
    this.path = path;
    this.#assertRunning = assertRunning;
  }

  /** The size of the log now: where to begin reading later. */
  mark(): number {
    return statSync(this.path, { throwIfNoEntry: false })?.size ?? 0;
  }

  since(mark: number): string {
    return this.mark() === 0 ? '' : readFileSync(this.path).subarray(mark).toString();
  }

  /** Resolves with the first line since `mark` that matches; throws when none comes. */
  async waitFor(pattern: RegExp, mark: number, milliseconds = 10_000): Promise<string> {
    const deadline = performance.now() + milliseconds;
    for (;;) {
      const line = this.since(mark)
        .split('\n')
        .find((one) => pattern.test(one));
      if (line !== undefined) return line;
      this.#assertRunning();
      if (performance.now() > deadline)
        throw new Error(`${this.path} has no line like ${pattern}. Its end:\n${tail(this.path, 25)}`);
      await pause(40);
    }
  }
}
