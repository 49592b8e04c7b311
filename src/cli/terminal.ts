/** Where the command line writes: results to `out`, messages to `err`. Both take whole lines without the line break. */
export interface Terminal {
  out(line: string): void;
  err(line: string): void;
}

/** Exit statuses. The last two are apart so that scripts can tell a broken call from a broken boot file. */
export const EXIT = {
  ok: 0,
  /** Could not run: wrong usage, a file that cannot be read. */
  failed: 1,
  /** The boot file has problems. */
  problems: 2,
} as const;
