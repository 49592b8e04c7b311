import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { getSystemErrorMap, getSystemErrorMessage } from 'node:util';

/** A file that a boot file names, looked at without opening it for good. */
export type FileFacts =
  | {
      readonly usable: true;
      /** Permission bits, as of chmod. */
      readonly mode: number;
      readonly ownedByRoot: boolean;
    }
  /** `why` completes "the file cannot be read: ...". */
  | { readonly usable: false; readonly why: string };

/** What a boot file may point to outside of itself. Paths are absolute. */
export interface Surroundings {
  look(path: string): FileFacts;
  /** The bytes of a small file, or why not. */
  read(path: string, limit: number): Uint8Array | { readonly why: string };
  env(name: string): string | undefined;
  hostName(): string;
}

/** The machine fedway runs on. */
export const machine: Surroundings = {
  look(path) {
    try {
      const facts = statSync(path);
      if (!facts.isFile())
        return { usable: false, why: facts.isDirectory() ? 'it is a directory' : 'it is not a file' };
      accessSync(path, constants.R_OK);
      return { usable: true, mode: facts.mode & 0o777, ownedByRoot: facts.uid === 0 };
    } catch (error) {
      return { usable: false, why: whyNot(error) };
    }
  },
  read(path, limit) {
    try {
      const facts = statSync(path);
      // Devices and pipes have no end, or make whoever opens them wait.
      if (!facts.isFile()) return { why: facts.isDirectory() ? 'it is a directory' : 'it is not a file' };
      return readUpTo(path, limit) ?? { why: `it is larger than ${limit} bytes` };
    } catch (error) {
      return { why: whyNot(error) };
    }
  },
  env(name) {
    return process.env[name];
  },
  hostName() {
    return hostname();
  },
};

/** The whole file, or `undefined` when there is more than `limit`. The size a file claims is not believed: that of /proc lies. */
function readUpTo(path: string, limit: number): Uint8Array | undefined {
  const file = openSync(path, 'r');
  try {
    const buffer = new Uint8Array(limit + 1);
    let filled = 0;
    for (let taken = -1; taken !== 0 && filled < buffer.length; filled += taken) {
      taken = readSync(file, buffer, filled, buffer.length - filled, null);
    }
    return filled > limit ? undefined : buffer.slice(0, filled);
  } finally {
    closeSync(file);
  }
}

/** A system error in words, without the call and the path that Node puts into its message. */
function whyNot(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { errno, code } = error as NodeJS.ErrnoException;
  if (errno !== undefined && getSystemErrorMap().has(errno)) return getSystemErrorMessage(errno);
  return code ?? error.message;
}
