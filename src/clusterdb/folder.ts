import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { faultSentence, isSystemFault } from './fault.ts';

/** Where the parts of one clusterdb lie. */
export interface DataFolder {
  readonly path: string;
  readonly database: string;
  /** What secrets are sealed with. Not in a copy of the database alone. */
  readonly key: string;
  /** Held by the box that runs, and who that is. */
  readonly lock: string;
  readonly holder: string;
}

/** Makes the folder if it is missing (0700), and says where the files in it are, or why there can be none. */
export function prepareFolder(folder: string): DataFolder | { readonly refused: string } {
  const path = resolve(folder);
  try {
    makeFolder(path);
    if ((statSync(path).mode & 0o002) !== 0) {
      return {
        refused: `${path} can be written to by every user of this machine, who could then replace what is in it. Take that right away (chmod o-w), or name another data folder.`,
      };
    }
  } catch (error) {
    return { refused: faultSentence(error, path) };
  }
  return {
    path,
    database: join(path, 'clusterdb.sqlite'),
    key: join(path, 'clusterdb.key'),
    lock: join(path, 'clusterdb.lock'),
    holder: join(path, 'clusterdb.pid'),
  };
}

/** With those above it. Where that fails, Node says of a file system that cannot be written to that the folder is missing: it is asked again. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (isSystemFault(error, 'ENOENT')) mkdirSync(path, { mode: 0o700 });
    throw error;
  }
}

/** Makes a file if it is missing, and takes it from everybody but its owner. SQLite gives the files that it makes beside it the same mode. */
export function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
    syncFolderOf(path);
  } catch (error) {
    if (!isSystemFault(error, 'EEXIST')) throw error;
    chmodSync(path, 0o600);
  }
}

/** Makes the names of new files in the folder of `file` survive a loss of power. */
export function syncFolderOf(file: string): void {
  const folder = openSync(dirname(file), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
