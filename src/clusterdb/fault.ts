/** Faults of the file system and of SQLite, in sentences with a cure. What is none of them is our own bug, and is thrown on. */

/** Primary result codes of SQLite (https://sqlite.org/rescode.html). */
const SQLITE = {
  perm: 3,
  busy: 5,
  readOnly: 8,
  input: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
} as const;

/** What is wrong with `path`, and the cure, as one or two sentences. Throws what is not a fault of the surroundings. */
export function faultSentence(error: unknown, path: string): string {
  const code = sqliteCode(error);
  if (code !== undefined) return sqliteSentence(code, error, path);
  const system = systemCode(error);
  if (system === undefined) throw error;
  return systemSentence(system, path);
}

/** The sentence about a file that is damaged. */
export function damagedSentence(path: string, how: string): string {
  return `${path} is damaged (${how}). Move it away together with the files beside it that begin with its name, and restore it from a backup or import an export.`;
}

/** Whether another connection holds the lock that this one waited for. */
export function isBusy(error: unknown): boolean {
  return sqliteCode(error) === SQLITE.busy;
}

/** Whether a file system call failed with this code, e.g. `EEXIST`. */
export function isSystemFault(error: unknown, code: string): boolean {
  return systemCode(error) === code;
}

function sqliteSentence(code: number, error: unknown, path: string): string {
  const detail = error instanceof Error ? error.message : String(error);
  switch (code) {
    case SQLITE.busy:
      return `${path} is locked by another process, and did not become free in time. Let the other one finish, and try again.`;
    case SQLITE.perm:
    case SQLITE.readOnly:
    case SQLITE.cannotOpen:
      return `${path} cannot be opened for writing (${detail}). Give the user that fedway runs as the file, the files beside it that begin with its name, and the right to write to the folder.`;
    case SQLITE.corrupt:
    case SQLITE.notADatabase:
      return `${path} is damaged or no database (${detail}). Move it away together with the files beside it that begin with its name, and restore it from a backup or import an export.`;
    case SQLITE.full:
      return `${path} cannot be written: the disk is full. Make room, and try again.`;
    case SQLITE.input:
      return `${path} cannot be read or written (${detail}). Check the disk and the system's log.`;
    default:
      return `${path} cannot be used: SQLite says ${detail} (code ${code}). Check the disk, and restore the file from a backup if it is damaged.`;
  }
}

function systemSentence(code: string, path: string): string {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return `${path} cannot be used: permission denied. Give it to the user that fedway runs as (chown), with mode 0700 for the folder and 0600 for the files.`;
    case 'ENOTDIR':
    case 'EEXIST':
      return `${path} cannot be used: a file is where a folder should be. Name another folder, or move the file away.`;
    case 'EISDIR':
      return `${path} is a folder, and should be a file. Move it away, or name another data folder.`;
    case 'ENOENT':
      return `${path} does not exist, and neither does the folder it should be in. Make it, or name another one.`;
    case 'EROFS':
      return `${path} is on a file system that cannot be written to. Name a data folder on one that can.`;
    case 'ENOSPC':
    case 'EDQUOT':
      return `${path} cannot be written: the disk is full. Make room, and try again.`;
    default:
      return `${path} cannot be used: ${code}. Check the disk and the rights.`;
  }
}

/** The primary result code of an error of `node:sqlite`. */
function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_SQLITE_ERROR') return undefined;
  return 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}

function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
