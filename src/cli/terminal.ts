/** Where the command line writes: results to `out`, messages to `err`. Both take whole lines without the line break. */
export interface Terminal {
  out(line: string): void;
  err(line: string): void;
}

/** Exit statuses. `check` gives the last two different meanings on purpose: scripts tell "broken file" from "broken call". */
export const EXIT = {
  ok: 0,
  /** Could not run: wrong usage, a file that cannot be read. */
  failed: 1,
  /** The boot file has problems. */
  problems: 2,
} as const;
