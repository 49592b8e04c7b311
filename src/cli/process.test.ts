import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { edge, KeptOperations } from '../../test/cli/stand-in-operations.ts';
import { AdminServer } from '../admin/server.ts';
import { monotonicNow, serviceManager } from './systemd.ts';

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

describe('fedway as a process: a running box', () => {
  let folder = '';
  let server: AdminServer | undefined;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'fedway-box-'));
    const opened = await AdminServer.open(join(folder, 'admin.sock'), {
      operations,
      facts: { version: '0', name: 'edge-1', role: 'edge' },
      notes: () => undefined,
    });
    if ('refused' in opened) throw new Error(opened.refused);
    server = opened.server;
  });

  afterAll(async () => {
    await server?.close();
    rmSync(folder, { recursive: true });
  });

  const operations = new KeptOperations();

  async function command(
    input: string,
    ...args: string[]
  ): Promise<{ status: unknown; stdout: string; stderr: string }> {
    const done = Promise.withResolvers<{ status: unknown; stdout: string; stderr: string }>();
    const child = execFile(
      process.execPath,
      [MAIN, ...args, '--socket', join(folder, 'admin.sock')],
      (error, stdout, stderr) => done.resolve({ status: error?.code ?? 0, stdout, stderr }),
    );
    child.stdin?.end(input);
    return done.promise;
  }

  test('a command reaches it, with the name of whoever calls and what stands on standard input, and ends', async () => {
    operations.now = edge({ role: 'single', links: [] });
    expect(await command('', 'status', '--check')).toEqual({
      status: 0,
      stdout: 'ok: edge-1: Federating\n',
      stderr: '',
    });
    const { status } = await command(`${'5'.repeat(32)}\n`, 'config', 'set', 'dialback_secret', '-');
    expect(status).toBe(0);
    expect(operations.asked).toContainEqual([
      'config change',
      {
        author: expect.stringMatching(/^[^@]+@[^@]+$/) as string,
        reason: '',
        steps: [{ put: 'dialback_secret', value: '5'.repeat(32) }],
      },
      undefined,
    ]);
  });
});

describe('systemd', () => {
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
    const service = serviceManager((line) => complaints.push(line), env);
    service?.notify('RELOADING=1', 'MONOTONIC_USEC=5');
    service?.notify('READY=1', "STATUS=Federating; $(see) 'the' \\log");
    service?.notify('STATUS=one\nREADY=0\rline');
    await vi.waitFor(() => expect(readFileSync(join(folder, 'told'), 'utf8')).toContain('line'), { timeout: 10_000 });
    expect(readFileSync(join(folder, 'told'), 'utf8')).toBe(
      "/run/x RELOADING=1 MONOTONIC_USEC=5\n/run/x READY=1 STATUS=Federating; $(see) 'the' \\log\n/run/x STATUS=one READY=0 line\n",
    );
    expect(complaints).toEqual([]);
  });

  test('what is said last is told, although this process ends and systemd signals everything in its group', async () => {
    const code = `
      import { serviceManager } from ${JSON.stringify(new URL('systemd.ts', import.meta.url).pathname)};
      const service = serviceManager(console.error);
      process.on('SIGTERM', () => {
        service.notify('RELOADING=1');
        service.notify('STOPPING=1');
        process.exit(0);
      });
      service.notify('READY=1');
      setInterval(() => undefined, 1000);`;
    const env = { PATH: `${folder}:${process.env['PATH'] ?? ''}`, NOTIFY_SOCKET: '/run/y' };
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
      env,
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const told = (what: string) =>
      vi.waitFor(() => expect(readFileSync(join(folder, 'told'), 'utf8')).toContain(`/run/y ${what}`), {
        timeout: 10_000,
      });
    await told('READY=1');
    // The group that `detached` has made: the process and its shell.
    process.kill(-(child.pid ?? Number.NaN), 'SIGTERM');
    await once(child, 'exit');
    await told('STOPPING=1');
  });

  test('without a socket there is nobody to tell', () => {
    expect(serviceManager(() => undefined, {})).toBeUndefined();
    expect(serviceManager(() => undefined, { NOTIFY_SOCKET: '' })).toBeUndefined();
  });

  test.each([
    [{}, undefined],
    [{ WATCHDOG_USEC: '30000000' }, 30_000],
    [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '17' }, 30_000],
    [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '18' }, undefined],
    [{ WATCHDOG_USEC: '0' }, undefined],
    [{ WATCHDOG_USEC: 'soon' }, undefined],
  ])('the watchdog of %j is %s milliseconds for process 17', (environment, expected) => {
    const service = serviceManager(() => undefined, { NOTIFY_SOCKET: '/run/x', ...environment }, 17);
    expect(service?.watchdog).toBe(expected);
  });

  test('what cannot be told is complained of once', async () => {
    const complaints: string[] = [];
    const service = serviceManager((line) => complaints.push(line), { PATH: '/nowhere', NOTIFY_SOCKET: '/run/x' });
    service?.notify('READY=1');
    service?.notify('STOPPING=1');
    await vi.waitFor(() => expect(complaints).toHaveLength(1));
    expect(complaints[0]).toBe(
      'fedway: systemd is not told how this service is, for systemd-notify does not work: it is not on the PATH.',
    );
  });

  test('the monotonic clock is in microseconds', () => {
    expect(monotonicNow()).toMatch(/^MONOTONIC_USEC=\d{6,}$/);
  });
});
