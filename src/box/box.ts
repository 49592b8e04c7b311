import type { BootConfig } from '../config/boot.ts';
import type { LoadResult } from '../config/load.ts';
import type { NoteSink } from '../protocol/notes.ts';
import type { BoxOperations } from './operations.ts';

/** A box while it runs, as the command line steers it. */
export interface RunningBox {
  /** The box's log. What the command line has to tell while the box runs goes the same way as everything else. */
  readonly note: NoteSink;

  /** What an administrator can ask of it. */
  readonly operations: BoxOperations;

  /**
   * Takes over another boot file: whole, or, when this rejects, not at all. The answer names the keys whose new values wait
   * for a restart (`restartNeeded`); everything else is in force when the promise resolves.
   */
  reload(next: BootConfig): Promise<readonly string[]>;

  /**
   * Ends in good order: takes no new connections, closes every stream with `</stream:stream>`, and resolves when the last is gone
   * or `s2s.timeouts.close` is over. The promise of `RunBox` resolves soon after.
   */
  drain(): Promise<void>;

  /** Ends at once: every socket is destroyed, also in the middle of `drain`. */
  stop(): Promise<void>;
}

/** What the command line lends to the box. */
export interface RunOptions {
  /** fedway's version, for the log. */
  readonly version: string;
  /** Called once, when every listener is open: from now on signals reach the box. */
  readonly started: (box: RunningBox) => void;
  /** Reads the boot file anew, for whoever inside the box has a reason to; the same as a SIGHUP would read. */
  readonly reload: () => LoadResult;
}

/**
 * Runs a box, in the role of its boot file, until it has ended, and resolves with the exit status of the process: 0 after `drain` or
 * `stop`, 1 when it could not start (an address that cannot be listened on, a certificate or a database that cannot be used); the log
 * says why.
 */
export type RunBox = (boot: BootConfig, options: RunOptions) => Promise<number>;
