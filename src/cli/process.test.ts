import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { monotonicNow, systemdNotify } from './systemd.ts';

const MAIN = new URL('../main.ts', import.meta.url).pathname;
const CASES = new URL('../../test/config/', import.meta.url).pathname;

describe('fedway as a process', () => {
  test('check: results on standard output, nothing on standard error, status 2', async () => {
    const done = Promise.withResolvers<{ status: unknown; stdout: string; stderr: string }>();
    execFile(
      process.execPath,
      [MAIN, 'check', 'config', '--config', `${CASES}choice.yaml`],
      (error, stdout, stderr) => {
        done.resolve({ status: error?.code ?? 0, stdout, stderr });
      },
    );
    const { status, stdout, stderr } = await done.promise;
    expect({ status, stderr }).toEqual({ status: 2, stderr: '' });
    expect(stdout).toMatch(/^Checking the configuration in .*\n[^]*\nProblems found, see above: \d+ errors\.\n$/);
  });

  test('a reader that stops reading is no fault', async () => {
    const child = spawn(process.execPath, [MAIN, 'schema'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    const complaints: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk));
    const [status] = (await once(child, 'close')) as [number | null];
    expect({ status, complaints: Buffer.concat(complaints).toString() }).toEqual({ status: 0, complaints: '' });
  });
});

describe('systemdNotify', () => {
  let folder = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'fedway-notify-'));
    // The first call is slow: the second must not overtake it.
    const script = `#!/bin/sh\n[ "$1" = RELOADING=1 ] && sleep 0.2\necho "$NOTIFY_SOCKET $*" >>"${folder}/told"\n`;
    writeFileSync(join(folder, 'systemd-notify'), script);
    chmodSync(join(folder, 'systemd-notify'), 0o755);
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test('assignments reach systemd-notify in the order they were made', async () => {
    const complaints: string[] = [];
    const env = { PATH: `${folder}:${process.env['PATH'] ?? ''}`, NOTIFY_SOCKET: '/run/x' };
    const notify = systemdNotify((line) => complaints.push(line), env);
    notify('RELOADING=1', 'MONOTONIC_USEC=5');
    notify('READY=1', 'STATUS=Federating; see the log');
    await vi.waitFor(() => expect(readFileSync(join(folder, 'told'), 'utf8')).toContain('READY'), { timeout: 10_000 });
    expect(readFileSync(join(folder, 'told'), 'utf8')).toBe(
      '/run/x RELOADING=1 MONOTONIC_USEC=5\n/run/x READY=1 STATUS=Federating; see the log\n',
    );
    expect(complaints).toEqual([]);
  });

  test('without a socket nothing is run', () => {
    const complaints: string[] = [];
    systemdNotify((line) => complaints.push(line), { PATH: '/nowhere' })('READY=1');
    expect(complaints).toEqual([]);
  });

  test('what cannot be told is complained of once', async () => {
    const complaints: string[] = [];
    const notify = systemdNotify((line) => complaints.push(line), { PATH: '/nowhere', NOTIFY_SOCKET: '/run/x' });
    notify('READY=1');
    notify('STOPPING=1');
    await vi.waitFor(() => expect(complaints).toHaveLength(1));
    expect(complaints[0]).toMatch(
      /^fedway: systemd is not told how this service is: systemd-notify cannot be run \(.*ENOENT\)\.$/,
    );
  });

  test('the monotonic clock is in microseconds', () => {
    expect(monotonicNow()).toMatch(/^MONOTONIC_USEC=\d{6,}$/);
  });
});
