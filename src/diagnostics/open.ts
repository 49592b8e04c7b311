import { write, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { LogSettings } from './log.ts';
import { Log } from './log.ts';
import { Output } from './output.ts';
import { wantsColors } from './text.ts';

/** A log with its way out of the process. */
export interface OpenLog {
  readonly log: Log;
  /** Writes what waits; resolves when that is done, at the latest after `deadlineMs` milliseconds. For an orderly stop. */
  readonly flush: (deadlineMs: number) => Promise<void>;
  /** Writes what waits, blocking. For the `exit` event of the process. */
  readonly flushSync: () => void;
}

/** Opens a log that writes to a file descriptor, standard output unless told otherwise. */
export function openLog(settings: LogSettings, fd = 1): OpenLog {
  const output = new Output({
    write: (bytes, done) => write(fd, bytes, 0, bytes.length, null, done),
    writeSync: (bytes) => writePatiently(fd, bytes),
    lineAboutLoss: (lines) => log.lineAboutLoss(lines),
    later: (milliseconds, then) => setTimeout(then, milliseconds),
  });
  const log = new Log(settings, {
    write: (line) => output.line(line),
    now: Date.now,
    later: (milliseconds, then) => setTimeout(then, milliseconds).unref(),
    pid: process.pid,
    colors: wantsColors(isatty(fd), process.env),
  });
  return {
    log,
    flush: async (deadlineMs) => {
      log.flush();
      const deadline = Promise.withResolvers<void>();
      const timer = setTimeout(deadline.resolve, deadlineMs);
      await Promise.race([output.flush(), deadline.promise]);
      clearTimeout(timer);
    },
    flushSync: () => {
      log.flush();
      output.flushSync();
    },
  };
}

/** `writeSync` for a descriptor that another program may have made non-blocking: gives a full pipe 200 milliseconds to drain. */
function writePatiently(fd: number, bytes: Uint8Array): number {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let tries = 1; ; tries++) {
    try {
      return writeSync(fd, bytes);
    } catch (error) {
      const full = error instanceof Error && 'code' in error && error.code === 'EAGAIN';
      if (!full || tries > 20) throw error;
      Atomics.wait(pause, 0, 0, 10);
    }
  }
}
