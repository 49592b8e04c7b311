/** Where the command line writes: results to `out`, messages to `err`. Both take whole lines without the line break. */
export interface Terminal {
  out(line: string): void;
  err(line: string): void;
  /** Columns, when `out` is a terminal that somebody looks at; otherwise lines may be of any length. */
  readonly width?: number | undefined;
  /** Whether `out` shows colors, and somebody wants them. */
  readonly colors?: boolean;
}

/** Exit statuses. They are apart so that scripts can tell a broken call from something that fedway does not accept. */
export const EXIT = {
  ok: 0,
  /** Could not run: wrong usage, a file that cannot be read, a fedway that does not answer. */
  failed: 1,
  /** The boot file has problems, or what was asked for is refused: nothing was changed. */
  problems: 2,
  /** `fedway status`: it runs, and something is wrong. */
  unwell: 3,
} as const;
