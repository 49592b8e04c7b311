/** Writes bytes somewhere without blocking; calls back, later, with how many were taken, which may be fewer than given. */
export type WriteSome = (bytes: Uint8Array, done: (error: Error | null, written: number) => void) => void;

export interface OutputSettings {
  readonly write: WriteSome;
  /** The same for the last moment of the process, when nothing can call back any more. */
  readonly writeSync: (bytes: Uint8Array) => number;
  /** The line that stands for lines left out. */
  readonly lineAboutLoss: (lines: number) => string;
  /** Calls back once after so many milliseconds; keeps the process alive until then. */
  readonly later: (milliseconds: number, then: () => void) => void;
  /** Characters that may wait for a slow reader; then the older half of the lines is left out. */
  readonly limit?: number;
}

/** Lines on their way out together. */
interface Batch {
  rest: Uint8Array;
  /** The lines in it, and those that its line about loss stands for. */
  readonly standsFor: number;
}

const DEFAULT_LIMIT = 4 * 1024 * 1024;
const RETRY_MS = 10;

/**
 * Where log lines leave the process. It never blocks: while a write is under way, lines wait and go out together in the next one.
 * When a reader is so slow that too many wait, the older half is left out and a line in their place says how many; what is kept
 * is the end of the story.
 *
 * `process.stdout` does not do for this: on a pipe it writes synchronously, and a stopped reader stops the whole process.
 */
export class Output {
  readonly #settings: OutputSettings;
  readonly #limit: number;
  #waiting: string[] = [];
  #waitingSize = 0;
  #lost = 0;
  #writing: Batch | undefined;
  #whenIdle: (() => void)[] = [];

  constructor(settings: OutputSettings) {
    this.#settings = settings;
    this.#limit = settings.limit ?? DEFAULT_LIMIT;
  }

  /** Takes a line without its line end. */
  line(text: string): void {
    this.#waiting.push(text);
    this.#waitingSize += text.length + 1;
    if (this.#waitingSize > this.#limit) this.#leaveOutOlderHalf();
    if (this.#writing === undefined) this.#writeWaiting();
  }

  /** Resolves when everything taken so far is written, or could not be. A reader that has stopped can make this wait for ever. */
  flush(): Promise<void> {
    if (this.#writing === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenIdle.push(resolve);
    });
  }

  /**
   * Writes the waiting lines now, blocking: for the `exit` event of the process. A write that is under way is left to finish by
   * itself. Lines that cannot be written are gone: there is nobody left to tell.
   */
  flushSync(): void {
    let { rest } = this.#takeWaiting();
    try {
      while (rest.length > 0) rest = rest.subarray(this.#settings.writeSync(rest));
    } catch {
      // The reader is gone or does not read, and the process ends.
    }
  }

  #leaveOutOlderHalf(): void {
    const leftOut = this.#waiting.splice(0, Math.ceil(this.#waiting.length / 2));
    this.#lost += leftOut.length;
    this.#waitingSize = this.#waiting.reduce((size, line) => size + line.length + 1, 0);
  }

  #takeWaiting(): Batch {
    const lines = this.#waiting;
    const standsFor = lines.length + this.#lost;
    if (this.#lost > 0) lines.unshift(this.#settings.lineAboutLoss(this.#lost));
    this.#waiting = [];
    this.#waitingSize = 0;
    this.#lost = 0;
    return { rest: Buffer.from(lines.map((line) => `${line}\n`).join('')), standsFor };
  }

  #writeWaiting(): void {
    this.#writing = this.#takeWaiting();
    this.#writeRest(this.#writing);
  }

  #writeRest(batch: Batch): void {
    this.#settings.write(batch.rest, (error, written) => {
      if (isTryAgain(error)) {
        this.#settings.later(RETRY_MS, () => this.#writeRest(batch));
        return;
      }
      batch.rest = batch.rest.subarray(written);
      if (error === null && batch.rest.length > 0) this.#writeRest(batch);
      else this.#written(error === null ? 0 : batch.standsFor);
    });
  }

  /** One batch is done; lines that a failed write did not take (a full disk, a reader that is gone) count as left out. */
  #written(lost: number): void {
    this.#lost += lost;
    this.#writing = undefined;
    if (this.#waiting.length > 0) {
      this.#writeWaiting();
      return;
    }
    const idle = this.#whenIdle;
    this.#whenIdle = [];
    for (const resolve of idle) resolve();
  }
}

/** Standard output shared with a program that made it non-blocking. */
function isTryAgain(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN';
}
