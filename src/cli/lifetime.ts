import { constants } from 'node:os';
import type { RunningBox } from '../box/box.ts';
import type { LoadResult } from '../config/load.ts';
import { printProblem } from '../config/problem.ts';
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

export interface LifetimeOptions {
  /** The boot file, for messages. */
  readonly path: string;
  /** Reads the boot file anew. */
  readonly read: () => LoadResult;
  readonly terminal: Terminal;
  readonly signals: Signals;
  /** `undefined`: nobody wants to know how the service is. */
  readonly service: ServiceManager | undefined;
}

/** How long `stop` may take before the process ends without it. */
const STOP_LIMIT = 2000;

/**
 * A box from start to end, as signals steer it: SIGHUP reloads, SIGTERM and SIGINT drain, a second one of those ends at once.
 * Signals that come before the box runs are kept until it does.
 */
export class Lifetime {
  readonly #options: LifetimeOptions;
  readonly #detach: readonly (() => void)[];
  #box: RunningBox | undefined;
  #heartbeat: Heartbeat | undefined;
  #ending = false;
  #reloading = false;
  /** A SIGHUP came that no reload has read the file for. */
  #reloadWanted = false;

  constructor(options: LifetimeOptions) {
    this.#options = options;
    const { signals } = options;
    this.#detach = [
      signals.on('SIGHUP', () => this.#reload()),
      signals.on('SIGTERM', () => this.#end('SIGTERM')),
      signals.on('SIGINT', () => this.#end('SIGINT')),
    ];
  }

  /** The box runs: it gets the signals, those kept first. */
  started(box: RunningBox): void {
    this.#box = box;
    if (this.#ending) {
      void this.#drain(box);
      return;
    }
    const { service } = this.#options;
    service?.notify('READY=1');
    if (service !== undefined) this.#heartbeat = new Heartbeat(service, box.operations);
    if (this.#reloadWanted) this.#reload();
  }

  /** The box has ended: signals do again what they usually do. */
  over(): void {
    for (const detach of this.#detach) detach();
    this.#heartbeat?.stop();
  }

  /** Signals that come during a reload make one more after it. */
  #reload(): void {
    this.#reloadWanted = true;
    const box = this.#box;
    if (box === undefined || this.#reloading || this.#ending) return;
    this.#reloading = true;
    void this.#reloadWhileWanted(box).finally(() => {
      this.#reloading = false;
    });
  }

  async #reloadWhileWanted(box: RunningBox): Promise<void> {
    while (this.#reloadWanted && !this.#ending) {
      this.#reloadWanted = false;
      this.#options.service?.notify('RELOADING=1', monotonicNow());
      const refused = await this.#reloadOnce(box);
      if (this.#ending) return;
      this.#options.service?.notify('READY=1');
      this.#heartbeat?.remark(refused ? 'the last reload was refused, see the log' : '');
    }
  }

  /** Validates, then swaps. Whether the old configuration stays in force. */
  async #reloadOnce(box: RunningBox): Promise<boolean> {
    const { path, read, terminal } = this.#options;
    const refuse = (problems: readonly string[]): true => {
      box.note({ note: 'config-refused', path, problems }, {});
      return true;
    };
    try {
      const result = read();
      if (result.outcome === 'unreadable') return refuse([`${result.reason}. ${result.cure}`]);
      if (result.outcome === 'refused') return refuse(result.problems.map(printProblem));
      for (const warning of result.warnings) terminal.err(printProblem(warning));
      const waiting = await box.reload(result.config);
      if (waiting.length > 0)
        terminal.err(`fedway: reloaded; these changes wait for a restart: ${waiting.join(', ')}.`);
      return false;
    } catch (error) {
      return refuse([error instanceof Error ? error.message : String(error)]);
    }
  }

  #end(signal: Signal): void {
    const box = this.#box;
    if (this.#ending) {
      void this.#endAtOnce(box, signal);
      return;
    }
    this.#ending = true;
    this.#heartbeat?.quiet();
    this.#options.service?.notify('STOPPING=1', 'STATUS=Closing streams');
    if (box === undefined) {
      this.#options.terminal.err(`fedway: ends as soon as it has started; ${signal} once more ends it at once.`);
      return;
    }
    void this.#drain(box);
  }

  async #drain(box: RunningBox): Promise<void> {
    try {
      await box.drain();
    } catch (error) {
      this.#options.terminal.err(`fedway: could not end in good order: ${String(error)}`);
      await this.#stop(box);
    }
  }

  async #endAtOnce(box: RunningBox | undefined, signal: Signal): Promise<void> {
    if (box !== undefined) await this.#stop(box);
    // What a shell says of a process that a signal ended.
    this.#options.signals.exit(128 + constants.signals[signal]);
  }

  /** Never longer than the limit, and never fails: it is the last that is tried. */
  async #stop(box: RunningBox): Promise<void> {
    const limit = Promise.withResolvers<void>();
    const timer = setTimeout(limit.resolve, STOP_LIMIT);
    try {
      await Promise.race([box.stop(), limit.promise]);
    } catch (error) {
      this.#options.terminal.err(`fedway: could not stop: ${String(error)}`);
    } finally {
      clearTimeout(timer);
    }
  }
}
