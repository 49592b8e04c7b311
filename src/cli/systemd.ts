import { spawn } from 'node:child_process';

/** Tells systemd how the service is: assignments as in sd_notify(3), such as `READY=1`. Returns at once. */
export type Notify = (...assignments: readonly string[]) => void;

/**
 * systemd's notifications through systemd-notify(1), because Node cannot open the datagram socket; the unit therefore needs
 * `NotifyAccess=all`. Without NOTIFY_SOCKET nothing happens. What goes wrong is told once, and stops nothing.
 */
export function systemdNotify(complain: (line: string) => void, environment = process.env): Notify {
  const socket = environment['NOTIFY_SOCKET'];
  if (socket === undefined || socket === '') return () => undefined;
  let working = true;
  let last: Promise<void> = Promise.resolve();
  const failed = (why: string): void => {
    if (working) complain(`fedway: systemd is not told how this service is: systemd-notify ${why}.`);
    working = false;
  };
  return (...assignments) => {
    // One after the other: READY=1 must not overtake the RELOADING=1 before it.
    last = last.then(() => (working ? send(assignments, environment, failed) : undefined));
  };
}

function send(assignments: readonly string[], env: NodeJS.ProcessEnv, failed: (why: string) => void): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn('systemd-notify', assignments, { env, stdio: 'ignore' });
    child.once('error', (error) => {
      failed(`cannot be run (${error.message})`);
      resolve();
    });
    child.once('exit', (status, signal) => {
      if (status !== 0) failed(`ended with ${signal ?? `status ${status}`}`);
      resolve();
    });
  });
}

/** `MONOTONIC_USEC=...`, which systemd wants beside `RELOADING=1`. */
export function monotonicNow(): string {
  return `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`;
}
