import { constants } from 'node:os';
import type { FileResult } from '../config/load-file.ts';
import { printProblem } from '../config/problem.ts';
import type { NoteSink } from '../protocol/notes.ts';
import { Heartbeat } from './heartbeat.ts';
import { monotonicNow, type ServiceManager } from './systemd.ts';
import type { Terminal } from './terminal.ts';

export type Signal = 'SIGHUP' | 'SIGTERM' | 'SIGINT';

/** The signals of this process, and its end. */
export interface Signals {
  /** Calls `listener` from now on instead of what the operating system would do; the answer takes that back. */
  on(signal: Signal, listener: () => void): () => void;
  /** Ends the process now. */
  exit(status: number): void;
}

/** What runs until it is told to stop, a box or an IM&P node, with a boot file that says `C`. */
export interface RunningService<C> {
  /** The log of the service. */
  readonly note: NoteSink;
  /** Takes over another boot file: whole, or, when this rejects, not at all. The answer names the keys that wait for a restart. */
  reload(next: C): Promise<readonly string[]>;
  /** Ends in good order. */
  drain(): Promise<void>;
  /** Ends at once. */
  stop(): Promise<void>;
}

export interface LifetimeOptions<C, S extends RunningService<C>> {
  /** The boot file, for messages. */
  readonly path: string;
  /** Reads the boot file anew. */
  readonly read: () => FileResult<C>;
  /** How it is, in a line. */
  readonly inAWord: (running: S) => Promise<string>;
  readonly terminal: Terminal;
  readonly signals: Signals;
  /** `undefined`: nobody wants to know how the service is. */
  readonly service: ServiceManager | undefined;
}

/** How long `stop` may take before the process ends without it. */
const STOP_LIMIT = 2000;

/**
 * A service from start to end, as signals steer it: SIGHUP reloads, SIGTERM and SIGINT drain, a second one of those ends at once.
 * Signals that come before it runs are kept until it does.
 */
export class Lifetime<C, S extends RunningService<C>> {
  readonly #options: LifetimeOptions<C, S>;
  readonly #detach: readonly (() => void)[];
  #running: S | undefined;
  #heartbeat: Heartbeat | undefined;
  #ending = false;
  #reloading = false;
  /** A SIGHUP came that no reload has read the file for. */
  #reloadWanted = false;

  constructor(options: LifetimeOptions<C, S>) {
    this.#options = options;
    const { signals } = options;
    this.#detach = [
      signals.on('SIGHUP', () => this.#reload()),
      signals.on('SIGTERM', () => this.#end('SIGTERM')),
      signals.on('SIGINT', () => this.#end('SIGINT')),
    ];
  }

  /** The service runs: it gets the signals, those kept first. */
  started(running: S): void {
    this.#running = running;
    if (this.#ending) {
      void this.#drain(running);
      return;
    }
    const { service, inAWord } = this.#options;
    service?.notify('READY=1');
    if (service !== undefined) this.#heartbeat = new Heartbeat(service, () => inAWord(running));
    if (this.#reloadWanted) this.#reload();
  }

  /** It has ended: signals do again what they usually do. */
  over(): void {
    for (const detach of this.#detach) detach();
    this.#heartbeat?.stop();
  }

  /** Signals that come during a reload make one more after it. */
  #reload(): void {
    this.#reloadWanted = true;
    const running = this.#running;
    if (running === undefined || this.#reloading || this.#ending) return;
    this.#reloading = true;
    void this.#reloadWhileWanted(running).finally(() => {
      this.#reloading = false;
    });
  }

  async #reloadWhileWanted(running: S): Promise<void> {
    while (this.#reloadWanted && !this.#ending) {
      this.#reloadWanted = false;
      this.#options.service?.notify('RELOADING=1', monotonicNow());
      const refused = await this.#reloadOnce(running);
      if (this.#ending) return;
      this.#options.service?.notify('READY=1');
      this.#heartbeat?.remark(refused ? 'the last reload was refused, see the log' : '');
    }
  }

  /** Validates, then swaps. Whether the old configuration stays in force. */
  async #reloadOnce(running: S): Promise<boolean> {
    const { path, read, terminal } = this.#options;
    const refuse = (problems: readonly string[]): true => {
      running.note({ note: 'config-refused', path, problems }, {});
      return true;
    };
    try {
      const result = read();
      if (result.outcome === 'unreadable') return refuse([`${result.reason}. ${result.cure}`]);
      if (result.outcome === 'refused') return refuse(result.problems.map(printProblem));
      for (const warning of result.warnings) terminal.err(printProblem(warning));
      const waiting = await running.reload(result.config);
      if (waiting.length > 0)
        terminal.err(`fedway: reloaded; these changes wait for a restart: ${waiting.join(', ')}.`);
      return false;
    } catch (error) {
      return refuse([error instanceof Error ? error.message : String(error)]);
    }
  }

  #end(signal: Signal): void {
    const running = this.#running;
    if (this.#ending) {
      void this.#endAtOnce(running, signal);
      return;
    }
    this.#ending = true;
    this.#heartbeat?.quiet();
    this.#options.service?.notify('STOPPING=1', 'STATUS=Closing streams');
    if (running === undefined) {
      this.#options.terminal.err(`fedway: ends as soon as it has started; ${signal} once more ends it at once.`);
      return;
    }
    void this.#drain(running);
  }

  async #drain(running: S): Promise<void> {
    try {
      await running.drain();
    } catch (error) {
      this.#options.terminal.err(`fedway: could not end in good order: ${String(error)}`);
      await this.#stop(running);
    }
  }

  async #endAtOnce(running: S | undefined, signal: Signal): Promise<void> {
    if (running !== undefined) await this.#stop(running);
    // What a shell says of a process that a signal ended.
    this.#options.signals.exit(128 + constants.signals[signal]);
  }

  /** Never longer than the limit, and never fails: it is the last that is tried. */
  async #stop(running: S): Promise<void> {
    const limit = Promise.withResolvers<void>();
    const timer = setTimeout(limit.resolve, STOP_LIMIT);
    try {
      await Promise.race([running.stop(), limit.promise]);
    } catch (error) {
      this.#options.terminal.err(`fedway: could not stop: ${String(error)}`);
    } finally {
      clearTimeout(timer);
    }
  }
}
