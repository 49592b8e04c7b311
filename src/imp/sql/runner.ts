import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NoteSink } from '../../protocol/notes.ts';
import type { SqlOrder, SqlReport } from './child.ts';
import { CODE, fault } from './fault.ts';
import type { SqlAnswer, SqlKind } from './guard.ts';

/** What a statement may take. */
export interface SqlLimits {
  /** Milliseconds from its start to its end. */
  readonly time: number;
  /** Bytes of resident memory of the process that runs it. */
  readonly memory: number;
  /** Statements that wait for others. */
  readonly waiting: number;
}

export const SQL_LIMITS: SqlLimits = { time: 3_000, memory: 320 * 1024 ** 2, waiting: 32 };

/** How often the memory is looked at, in milliseconds. */
const LOOK_EVERY = 50;
/** How long a process may take to start. */
const START_LIMIT_MS = 15_000;
/** Of the heap of JavaScript in the process, MiB: the result of a statement fits many times. */
const HEAP_MB = 128;

export interface SqlRunnerContext {
  /** The database file. */
  readonly path: string;
  readonly notes: NoteSink;
  readonly limits?: SqlLimits;
}

interface Job {
  readonly order: SqlOrder;
  readonly done: (answer: SqlAnswer) => void;
}

/**
 * Runs administrators' statements, one after the other, in a process of its own: SQLite runs a statement to its end and cannot be interrupted from
 * JavaScript, so that the only sure way to stop one is to end its process. Ending it harms nothing: a statement reads the file, and what is written to
 * it is one transaction. The event loop of the node never waits for a statement.
 */
export class SqlRunner {
  readonly #context: SqlRunnerContext;
  readonly #limits: SqlLimits;
  readonly #waiting: Job[] = [];
  #process: ChildProcess | undefined;
  #busy = false;
  #closed = false;

  constructor(context: SqlRunnerContext) {
    this.#context = context;
    this.#limits = context.limits ?? SQL_LIMITS;
  }

  /** Never rejects: what goes wrong is a fault. */
  run(sql: string, kind: SqlKind): Promise<SqlAnswer> {
    if (this.#closed) return Promise.resolve(failed(CODE.internal, 'The node is stopping.'));
    if (this.#waiting.length >= this.#limits.waiting) {
      return Promise.resolve(failed(CODE.interrupted, 'Too many statements wait already. Try again later.'));
    }
    return new Promise((done) => {
      this.#waiting.push({ order: { path: this.#context.path, sql, kind }, done });
      if (!this.#busy) void this.#work();
    });
  }

  /** Ends the process, and what it does. */
  close(): void {
    this.#closed = true;
    for (const job of this.#waiting.splice(0)) job.done(failed(CODE.internal, 'The node is stopping.'));
    this.#end();
  }

  async #work(): Promise<void> {
    this.#busy = true;
    for (let job = this.#waiting.shift(); job !== undefined; job = this.#waiting.shift()) {
      job.done(await this.#runOne(job.order));
    }
    this.#busy = false;
  }

  async #runOne(order: SqlOrder): Promise<SqlAnswer> {
    const running = this.#process ?? (await this.#start());
    if (running === undefined) return failed(CODE.internal, 'The database does not answer. See the log of the node.');
    running.send(order);
    const report = await this.#reportOf(running, this.#limits.time);
    if (typeof report === 'object' && 'answer' in report) return report.answer;
    if (typeof report === 'object') {
      this.#context.notes({ note: 'bug', where: 'a statement of an administrator', detail: report.bug }, {});
      return failed(CODE.internal, 'A fault of fedway itself; the log of the node has more.');
    }
    this.#end();
    return failed(CODE.interrupted, INTERRUPTED[report](this.#limits));
  }

  /** What the process says next, or why it does not. */
  #reportOf(running: ChildProcess, time: number): Promise<Exclude<SqlReport, 'ready'> | Interruption> {
    return new Promise((resolve) => {
      const tell = (report: SqlReport | Interruption): void => {
        clearTimeout(timer);
        clearInterval(look);
        running.off('message', heard);
        running.off('exit', gone);
        resolve(report === 'ready' ? 'gone' : report);
      };
      // The channel carries what `child.ts` sends and nothing else.
      const heard = (report: unknown): void => tell(report as SqlReport);
      const gone = (): void => tell('gone');
      running.on('message', heard);
      running.on('exit', gone);
      const timer = setTimeout(() => tell('time'), time);
      const look = setInterval(() => {
        if (memoryOf(running) > this.#limits.memory) tell('memory');
      }, LOOK_EVERY);
    });
  }

  /** `undefined`: it does not start, and that was told. */
  async #start(): Promise<ChildProcess | undefined> {
    const started = fork(CHILD, {
      execArgv: [`--max-old-space-size=${HEAP_MB}`, '--disable-warning=ExperimentalWarning'],
      env: {},
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let words = '';
    started.stderr?.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(0, LONGEST_WORDS);
    });
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), START_LIMIT_MS);
    started.once('message', () => resolve(true));
    // Also what cannot be sent to a process that is just ending; its end is told next.
    started.on('error', (error) => {
      words ||= error.message;
      resolve(false);
    });
    started.once('exit', () => {
      if (this.#process === started) this.#process = undefined;
      resolve(false);
    });
    const ready = await promise;
    clearTimeout(timer);
    if (ready && !this.#closed) {
      this.#process = started;
      // It does not keep the node alive: the statements that run in it do.
      started.unref();
      started.channel?.unref();
      return started;
    }
    started.kill('SIGKILL');
    if (!this.#closed) this.#context.notes({ note: 'bug', where: 'the process for statements', detail: words }, {});
    return undefined;
  }

  #end(): void {
    this.#process?.kill('SIGKILL');
    this.#process = undefined;
  }
}

/** UTF-16 units of what a process says before it dies. */
const LONGEST_WORDS = 2_000;

/** The same folder and kind of file as this one: sources run as they are, and so does what is built of them. */
const CHILD = join(import.meta.dirname, import.meta.filename.endsWith('.ts') ? 'child.ts' : 'child.js');

type Interruption = 'time' | 'memory' | 'gone';

const INTERRUPTED: Readonly<Record<Interruption, (limits: SqlLimits) => string>> = {
  time: ({ time }) => `Statement interrupted: it took longer than ${time / 1000} seconds.`,
  memory: () => 'Statement interrupted: it takes more memory than a statement may have.',
  gone: () => 'Statement interrupted: its process ended.',
};

/** Resident bytes; 0 where the system does not say. */
function memoryOf({ pid }: ChildProcess): number {
  try {
    // proc(5): the second field of statm is resident pages.
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE;
  } catch {
    return 0;
  }
}

/** Bytes; x86-64 has no other, and where pages are larger the limit is only looser. */
const PAGE = 4096;

function failed(code: number, message: string): SqlAnswer {
  return { fault: fault(code, message) };
}
