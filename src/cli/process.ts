import { readFile, writeFile } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { text } from 'node:stream/consumers';
import { AdminClient } from '../admin/client.ts';
import { loadBootFile } from '../config/load.ts';
import type { TransferWorld } from './config-transfer.ts';
import type { Signals } from './lifetime.ts';
import { EXIT, type Terminal } from './terminal.ts';

// `fedway schema | head`: who stops reading is done, and that is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
});

export const processTerminal: Terminal = {
  out(line) {
    process.stdout.write(`${line}\n`);
  },
  err(line) {
    process.stderr.write(`${line}\n`);
  },
  get width() {
    return process.stdout.isTTY ? process.stdout.columns : undefined;
  },
  get colors() {
    return process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
  },
};

export const processSignals: Signals = {
  on(signal, listener) {
    process.on(signal, listener);
    return () => process.off(signal, listener);
  },
  exit(status) {
    process.exit(status);
  },
};

/** What commands that speak with a box find on this machine. */
export const processWorld: Omit<TransferWorld, 'terminal' | 'openData'> = {
  author: `${userName()}@${hostname()}`,
  // Only the service may have what the secrets of the boot file point to.
  load: (path) => loadBootFile(path, { rehearsal: true }),
  loadWhole: (path) => loadBootFile(path),
  connect: (path) => AdminClient.connect(path, processWorld.author),
  now: Date.now,
  read: async (file) => {
    try {
      return await (file === '-' ? text(process.stdin) : readFile(file, 'utf8'));
    } catch (error) {
      return { why: messageOf(error) };
    }
  },
  write: async (file, content) => {
    try {
      // Only for a file that is new: of one that is there, somebody has decided.
      await writeFile(file, content, { mode: 0o600 });
      return undefined;
    } catch (error) {
      return { why: messageOf(error) };
    }
  },
};

/** Containers run as users that have no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
