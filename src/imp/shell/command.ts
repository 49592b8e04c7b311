import type { NoteSink } from '../../protocol/notes.ts';
import type { Captures } from '../capture/captures.ts';
import type { NodeOperations } from '../operations.ts';
import type { SqlAnswer, SqlKind } from '../sql/guard.ts';
import type { Machine } from './machine.ts';

/** What the commands of a node's shell work with. */
export interface ShellContext {
  readonly operations: NodeOperations;
  readonly sql: { run(sql: string, kind: SqlKind): Promise<SqlAnswer> };
  /** `xmpps2snodes` may have changed. */
  readonly tableChanged: () => void;
  readonly captures: Captures;
  /** What the node listens for, and at which `host:port`. */
  readonly listeners: () => readonly { readonly what: string; readonly address: string }[];
  readonly notes: NoteSink;
  /** Unix milliseconds. */
  readonly clock: () => number;
  /** In place of the machine that this process runs on. */
  readonly machine?: Machine;
}

/** Who types. */
export interface ShellSession {
  /** As `root@imp-1`; information, not proof. */
  readonly author: string;
}

/** What a command prints: lines separated by line breaks, without one at the end. `failed`: it did not do what was asked. */
export interface Told {
  readonly text: string;
  readonly failed?: true;
  /** The command goes on: what it prints at its end, and how it is ended before. */
  readonly goesOn?: { readonly done: Promise<string>; interrupt(): void };
}

/** One command: its words, and what stands behind them. */
export interface Command {
  readonly words: readonly string[];
  /** What may stand behind the words, for the help. */
  readonly usage?: string;
  readonly summary: string;
  /** More for the help of the command; lines. */
  readonly details?: readonly string[];
  /** For the log: the rest of the line as far as it may be told; without: the words alone. */
  readonly loggable?: (rest: string) => string;
  /** Whether anything may stand behind the words. */
  readonly takesRest: boolean;
  /** What can stand behind the words. */
  readonly completions?: (context: ShellContext) => readonly string[];
  run(rest: string, context: ShellContext, session: ShellSession): Promise<Told> | Told;
}

const UNSUCCESSFUL = 'Executed command unsuccessfully';

export function told(...lines: readonly string[]): Told {
  return { text: lines.join('\n') };
}

/** Why nothing was done, in the way of the reference system. */
export function unsuccessful(...lines: readonly string[]): Told {
  return { text: [UNSUCCESSFUL, ...lines].join('\n'), failed: true };
}
