import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';

/** Tells the service manager how the service is: assignments as in sd_notify(3), such as `READY=1`. Returns at once. */
export type Notify = (...assignments: readonly string[]) => void;

/** Whoever has started this process and wants to know how it is. */
export interface ServiceManager {
  readonly notify: Notify;
  /** Milliseconds after which silence is taken for a hang, and the service is restarted; `undefined`: silence is fine. */
  readonly watchdog: number | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * systemd, when it has started this process and waits for notifications; otherwise `undefined`.
 *
 * Node cannot open a datagram socket of the Unix kind, so systemd-notify(1) does; the unit therefore needs `NotifyAccess=all`. It is not started
 * from here each time: that stops the event loop for as long as the kernel copies the page tables of this process (7 ms at 300 MB, measured on
 * Linux 6.1), every few seconds with a watchdog. A small shell that stays starts it instead, and is told through a pipe (0.1 ms). What cannot
 * be told is complained of once, and stops nothing.
 */
export function serviceManager(
  complain: (line: string) => void,
  environment: Environment = process.env,
  pid = process.pid,
): ServiceManager | undefined {
  const socket = environment['NOTIFY_SOCKET'];
  if (socket === undefined || socket === '') return undefined;
  const messenger = new Messenger(environment, complain);
  return { notify: (...assignments) => messenger.send(assignments), watchdog: watchdogOf(environment, pid) };
}

/** sd_watchdog_enabled(3): the time is meant for the process with WATCHDOG_PID, or whoever reads it when there is none. */
function watchdogOf(environment: Environment, pid: number): number | undefined {
  const { WATCHDOG_USEC: microseconds = '', WATCHDOG_PID: meant = String(pid) } = environment;
  return /^[1-9]\d{0,15}$/.test(microseconds) && meant === String(pid) ? Number(microseconds) / 1000 : undefined;
}

/**
 * Takes one assignment per line, and an empty line as the end of a message; answers with the status of what failed. The messages leave in their
 * order: READY=1 must not overtake the RELOADING=1 before it. When the service is stopped, systemd signals every process of it: this one goes on
 * until its pipe ends, to take the last message.
 */
const LOOP = `trap '' HUP INT TERM
set --
while IFS= read -r line; do
  if [ -n "$line" ]; then set -- "$@" "$line"; continue; fi
  systemd-notify "$@" 2>/dev/null || echo "$?"
  set --
done`;

type Shell = ChildProcess & { readonly stdin: NonNullable<ChildProcess['stdin']> };

/** The shell that runs systemd-notify, started with the first message and again when it is gone. */
class Messenger {
  readonly #environment: Environment;
  readonly #complain: (line: string) => void;
  #shell: Shell | undefined;
  #complained = false;

  constructor(environment: Environment, complain: (line: string) => void) {
    this.#environment = environment;
    this.#complain = complain;
  }

  send(assignments: readonly string[]): void {
    // A line break would be another assignment, wherever the text came from.
    const lines = assignments.map((assignment) => assignment.replaceAll(/\p{Cc}/gu, ' '));
    this.#shell ??= this.#start();
    this.#shell.stdin.write(`${lines.join('\n')}\n\n`);
  }

  #start(): Shell {
    const shell = spawn('/bin/sh', ['-c', LOOP], { env: this.#environment, stdio: ['pipe', 'pipe', 'ignore'] });
    const gone = (why: string): void => {
      if (this.#shell === shell) this.#shell = undefined;
      this.#failed(why);
    };
    shell.once('error', (error) => gone(`/bin/sh cannot be run (${error.message})`));
    shell.once('exit', (status, signal) => gone(`its shell ended with ${signal ?? `status ${status}`}`));
    // Its end is told above.
    shell.stdin.on('error', () => undefined);
    shell.stdout.setEncoding('utf8').on('data', (told: string) => {
      const status = told.trim().split('\n')[0] ?? '';
      this.#failed(status === '127' ? 'it is not on the PATH' : `it ended with status ${status}`);
    });
    // None of this keeps the process from ending.
    shell.unref();
    for (const end of [shell.stdin, shell.stdout]) if (end instanceof Socket) end.unref();
    return shell;
  }

  #failed(why: string): void {
    if (!this.#complained) {
      this.#complain(`fedway: systemd is not told how this service is, for systemd-notify does not work: ${why}.`);
    }
    this.#complained = true;
  }
}

/** `MONOTONIC_USEC=...`, which systemd wants beside `RELOADING=1`. */
export function monotonicNow(): string {
  return `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`;
}
