import type { NoteSink } from '../protocol/notes.ts';
import type { NodeBoot } from './config/boot.ts';
import type { NodeOperations } from './operations.ts';
import type { Shell } from './shell/shell.ts';

/** A node while it runs, as the command line steers it. */
export interface RunningNode {
  /** The node's log. */
  readonly note: NoteSink;

  /** What an administrator can ask of it. */
  readonly operations: NodeOperations;

  /** Its command line. */
  readonly shell: Shell;

  /**
   * Reads the certificates again and takes over the log levels and what else of another boot file needs no restart; or, when this rejects, nothing. The
   * answer names the keys whose new values wait for a restart.
   */
  reload(next: NodeBoot): Promise<readonly string[]>;

  /** Ends in good order: clients and components are told, and what they say until `clients.timeouts.close` is over still counts. */
  drain(): Promise<void>;

  /** Ends at once: every socket is destroyed, also in the middle of `drain`. */
  stop(): Promise<void>;
}

/** What the command line lends to the node. */
export interface RunNodeOptions {
  /** fedway's version, for the log. */
  readonly version: string;
  /** Called once, when every listener is open: from now on signals reach the node. */
  readonly started: (node: RunningNode) => void;
}

/**
 * Runs an IM&P node until it has ended, and resolves with the exit status of the process: 0 after `drain` or `stop`, 1 when it could not start (an address
 * that cannot be listened on, a certificate or a database that cannot be used); the log says why.
 */
export type RunNode = (boot: NodeBoot, options: RunNodeOptions) => Promise<number>;
