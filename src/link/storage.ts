import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';

/** For the owner alone. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** Makes the folder, and those above it, if they are not there. Throws what the file system says. */
export function makeFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
}

/** The text of a file; `undefined` when there is none. Throws what else the file system says. */
export function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Replaces a file so that after a crash it holds the former text or the new one, whole, and survives once this returns: written beside,
 * synced, renamed, and the folder synced. Synchronous on purpose: it is rare, and whoever changes a pairing goes on only when the
 * change is on disk. Throws what the file system says; the former file is then still there.
 */
export function replaceFile(file: string, text: string): void {
  const beside = `${file}.new`;
  // What a crash left there may have another mode, be open elsewhere, or be a link that somebody has put there.
  rmSync(beside, { force: true });
  const handle = openSync(beside, 'wx', FILE_MODE);
  try {
    const bytes = Buffer.from(text, 'utf8');
    for (let written = 0; written < bytes.length; ) written += writeSync(handle, bytes, written);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(beside, file);
  const folder = openSync(path.dirname(file), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** What the file system said, in words. */
export function storageFault(what: string, file: string, error: unknown): string {
  const detail = error instanceof Error ? error.message : String(error);
  return `${what} ${file}: ${detail}; check that the data folder is there, has room, and belongs to the user that fedway runs as`;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
