import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { notTested } from '../../test/support/not-tested.ts';

const HERE = import.meta.dirname;
const missing =
  spawnSync('systemd-analyze', ['--version']).status === 0
    ? undefined
    : 'systemd-analyze cannot be run. Debian: apt-get install systemd';

interface Said {
  readonly status: number | null;
  readonly said: string;
}

function run(command: string, ...args: readonly string[]): Said {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return { status, said: `${stdout}${stderr}` };
}

/** Whether the exposure of a unit, in tenths, is at most this. */
function judged(unit: string, threshold: number): Said {
  return run('systemd-analyze', 'security', '--no-pager', '--offline=true', `--threshold=${threshold}`, unit);
}

describe.skipIf(notTested('the unit for systemd', missing))('the unit for systemd', () => {
  let folder: string;
  let unit: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'fedway-unit-'));
    unit = path.join(folder, 'fedway.service');
    mkdirSync(path.join(folder, 'bin'));
    writeFileSync(path.join(folder, 'bin/fedway'), '#!/bin/sh\n', { mode: 0o755 });
    writeFileSync(unit, readFileSync(path.join(HERE, 'fedway.service.in'), 'utf8').replaceAll('@PREFIX@', folder));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('is understood by systemd without a complaint', () => {
    expect(run('systemd-analyze', 'verify', '--man=no', unit)).toEqual({ status: 0, said: '' });
  });

  test('leaves little exposed, in the judgment of systemd-analyze security', () => {
    // Tenths: 10 is the best there is, 100 a unit without any sandbox.
    expect(judged(unit, 17)).toMatchObject({ status: 0 });
    // With much less it could not do its work: the network, the port 53, the JIT compiler.
    expect(judged(unit, 10).status).not.toBe(0);
  });

  test('its user and folders are made by systemd-sysusers and systemd-tmpfiles', () => {
    const root = path.join(folder, 'root');
    mkdirSync(path.join(root, 'etc'), { recursive: true });
    mkdirSync(path.join(root, 'usr/lib/sysusers.d'), { recursive: true });
    mkdirSync(path.join(root, 'usr/lib/tmpfiles.d'), { recursive: true });
    writeFileSync(path.join(root, 'usr/lib/sysusers.d/fedway.conf'), readFileSync(path.join(HERE, 'sysusers.conf')));
    writeFileSync(path.join(root, 'usr/lib/tmpfiles.d/fedway.conf'), readFileSync(path.join(HERE, 'tmpfiles.conf')));
    expect(run('systemd-sysusers', `--root=${root}`).status).toBe(0);
    const [, , , gid = ''] = readFileSync(path.join(root, 'etc/passwd'), 'utf8').split(':');
    expect(readFileSync(path.join(root, 'etc/passwd'), 'utf8')).toMatch(
      /^fedway:x:\d+:\d+:.*:\/var\/lib\/fedway:\/usr\/sbin\/nologin$/m,
    );
    if (process.getuid?.() !== 0) return;
    expect(run('systemd-tmpfiles', '--create', `--root=${root}`, 'fedway.conf').status).toBe(0);
    for (const made of ['etc/fedway', 'etc/fedway/certs']) {
      const { mode, uid, gid: group } = statSync(path.join(root, made));
      expect([mode & 0o777, uid, group]).toEqual([0o750, 0, Number(gid)]);
    }
  });
});
