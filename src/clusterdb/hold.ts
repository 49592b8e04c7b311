import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { faultSentence, isBusy, isSystemFault } from './fault.ts';
import type { DataFolder } from './folder.ts';
import { makePrivate } from './folder.ts';

/** A data folder that this process has for itself. */
export interface Hold {
  release(): void;
}

/**
 * Takes the data folder for this process, or says who has it.
 *
 * The lock is an open transaction of an empty SQLite file: a lock of the operating system, which goes with the process however it
 * ends, so that nothing is left behind by `kill -9` and nobody has to judge whether a pid in a file is still the same process. The pid beside it
 * is for the sentence only.
 */
export function holdFolder(folder: DataFolder): Hold | { readonly refused: string } {
  let lock: DatabaseSync;
  try {
    // Who could read it could lock it, and keep us from starting.
    makePrivate(folder.lock);
    lock = new DatabaseSync(folder.lock, { timeout: 0 });
  } catch (error) {
    return { refused: faultSentence(error, folder.lock) };
  }
  try {
    // A journal in a file would be made and removed for nothing.
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    tellHolder(folder.holder);
  } catch (error) {
    lock.close();
    return { refused: isBusy(error) ? heldSentence(folder) : faultSentence(error, folder.lock) };
  }
  return { release: () => lock.close() };
}

/** Written beside and renamed, so that who reads it finds the former pid or the new one and no half of it. */
function tellHolder(path: string): void {
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, `${process.pid}\n`, { mode: 0o600 });
  renameSync(fresh, path);
}

function heldSentence(folder: DataFolder): string {
  const pid = holderOf(folder.holder);
  const who = pid === undefined ? 'Another fedway' : `Another fedway (pid ${pid})`;
  return `${who} runs on the data folder ${folder.path}. One box has one data folder: stop the other one, or name another folder in this boot file (data).`;
}

function holderOf(path: string): string | undefined {
  try {
    return /^\d{1,10}(?=\n)/.exec(readFileSync(path, 'utf8'))?.[0];
  } catch (error) {
    if (isSystemFault(error, 'ENOENT') || isSystemFault(error, 'EACCES')) return undefined;
    throw error;
  }
}
