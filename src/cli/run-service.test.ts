import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { edge, link } from '../../test/cli/stand-in-operations.ts';
import { bootFile } from '../../test/cli/stand-ins.ts';
import { Trial } from '../../test/cli/trial.ts';
import { AdminClient } from '../admin/client.ts';

/** What is told while this many milliseconds pass. */
async function toldWithin(trial: Trial, milliseconds: number): Promise<readonly string[]> {
  const before = trial.told.length;
  await vi.advanceTimersByTimeAsync(milliseconds);
  return trial.told.slice(before);
}

describe('fedway run: what the service manager is told', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  test('how the box is, as soon as that is different', async () => {
    const trial = new Trial(bootFile('coluc.com'));
    void trial.run();
    trial.start();
    expect(await toldWithin(trial, 60_000)).toEqual(['STATUS=Federating']);
    trial.box.operations.now = edge({ federation: { on: false, detail: 'federation is switched off' } });
    trial.box.operations.now = { ...trial.box.operations.now, role: 'single', links: [] };
    expect(await toldWithin(trial, 5_000)).toEqual(['STATUS=Federation is off']);
    trial.box.operations.now = edge({ links: [link({ state: 'down', because: 'connection reset' })] });
    expect(await toldWithin(trial, 5_000)).toEqual(['STATUS=The Link to core-1 is down: connection reset.']);
    trial.box.operations.status = () => Promise.reject(new Error('no idea'));
    expect(await toldWithin(trial, 10_000)).toEqual(['STATUS=Running; how it is could not be found out: no idea']);
  });

  test('that it lives, at half of the time, until the very end', async () => {
    const trial = new Trial(bootFile('coluc.com'));
    trial.watchdog = 20_000;
    void trial.run();
    trial.start();
    expect(await toldWithin(trial, 9_999)).not.toContain('WATCHDOG=1');
    expect(await toldWithin(trial, 30_002)).toEqual(Array(4).fill('WATCHDOG=1'));
    trial.box.steps.drain = () => new Promise(() => undefined);
    trial.signals.send('SIGTERM');
    expect(await toldWithin(trial, 10_000)).toEqual(['WATCHDOG=1']);
    trial.end(0);
    expect(await toldWithin(trial, 60_000)).toEqual([]);
  });

  test('nothing of its life when nobody watches', async () => {
    const trial = new Trial(bootFile('coluc.com'));
    void trial.run();
    trial.start();
    expect(await toldWithin(trial, 60_000)).toEqual(['STATUS=Federating']);
  });
});

describe('fedway run: the admin socket', () => {
  let folder = '';

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fedway-run-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  test('it is there before READY=1, and gone when the box has ended', async () => {
    const path = join(folder, 'admin.sock');
    const trial = new Trial(bootFile('coluc.com', `admin_socket: ${path}\nname: box-1`));
    const running = trial.run();
    trial.start();
    await vi.waitFor(() => expect(trial.told).toContain('READY=1'));
    const client = await AdminClient.connect(path, 'root@host');
    expect(client).toMatchObject({ hello: { name: 'box-1', role: 'single' } });
    if ('close' in client) client.close();
    expect(trial.box.notes).toContainEqual({ note: 'listening', what: 'administration', address: path });
    trial.end(0);
    expect(await running).toBe(0);
    expect(existsSync(path)).toBe(false);
  });

  test('a box whose socket cannot be opened runs all the same, and its log says why', async () => {
    writeFileSync(join(folder, 'file'), '');
    const path = join(folder, 'file', 'admin.sock');
    const trial = new Trial(bootFile('coluc.com', `admin_socket: ${path}`));
    const running = trial.run();
    trial.start();
    await vi.waitFor(() => expect(trial.told).toContain('READY=1'));
    expect(trial.box.notes).toEqual([
      { note: 'admin-unavailable', path, detail: expect.stringContaining('Choose another path') as string },
    ]);
    trial.end(0);
    expect(await running).toBe(0);
  });
});
