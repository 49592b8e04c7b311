import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { notTested } from '../../test/support/not-tested.ts';

const HERE = import.meta.dirname;
const UNITS = ['fedway', 'fedway-imp'];
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

/** What a unit says of rights: the settings of its last groups, and none of its own words. */
function rightsOf(name: string): readonly string[] {
  const lines = readFileSync(path.join(HERE, `${name}.service.in`), 'utf8').split('\n');
  return lines.slice(lines.indexOf('LimitCORE=0')).filter((line) => line !== '' && !line.startsWith('#'));
}

test('the unit of the IM&P node gives as little as that of a box', () => {
  expect(rightsOf('fedway').length).toBeGreaterThan(30);
  expect(rightsOf('fedway-imp')).toEqual(rightsOf('fedway'));
});

describe.skipIf(notTested('the units for systemd', missing))('the units for systemd', () => {
  let folder: string;
  const unit = (name: string): string => path.join(folder, `${name}.service`);
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'fedway-unit-'));
    mkdirSync(path.join(folder, 'bin'));
    writeFileSync(path.join(folder, 'bin/fedway'), '#!/bin/sh\n', { mode: 0o755 });
    for (const name of UNITS) {
      const text = readFileSync(path.join(HERE, `${name}.service.in`), 'utf8');
      writeFileSync(unit(name), text.replaceAll('@PREFIX@', folder));
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(UNITS)('%s is understood by systemd without a complaint', (name) => {
    expect(run('systemd-analyze', 'verify', '--man=no', unit(name))).toEqual({ status: 0, said: '' });
  });

  test.each(UNITS)('%s leaves little exposed, in the judgment of systemd-analyze security', (name) => {
    // Tenths: 10 is the best there is, 100 a unit without any sandbox.
    expect(judged(unit(name), 17)).toMatchObject({ status: 0 });
    // With much less it could not do its work: the network, ports below 1024, the JIT compiler.
    expect(judged(unit(name), 10).status).not.toBe(0);
  });

  test('their users and folders are made by systemd-sysusers and systemd-tmpfiles', () => {
    const root = path.join(folder, 'root');
    mkdirSync(path.join(root, 'etc'), { recursive: true });
    mkdirSync(path.join(root, 'usr/lib/sysusers.d'), { recursive: true });
    mkdirSync(path.join(root, 'usr/lib/tmpfiles.d'), { recursive: true });
    writeFileSync(path.join(root, 'usr/lib/sysusers.d/fedway.conf'), readFileSync(path.join(HERE, 'sysusers.conf')));
    writeFileSync(path.join(root, 'usr/lib/tmpfiles.d/fedway.conf'), readFileSync(path.join(HERE, 'tmpfiles.conf')));
    expect(run('systemd-sysusers', `--root=${root}`).status).toBe(0);
    const users = readFileSync(path.join(root, 'etc/passwd'), 'utf8');
    for (const name of UNITS)
      expect(users).toMatch(new RegExp(`^${name}:x:\\d+:\\d+:.*:/var/lib/${name}:/usr/sbin/nologin$`, 'm'));
    const group = /^fedway:x:(\d+):(.*)$/m.exec(readFileSync(path.join(root, 'etc/group'), 'utf8'));
    // The node reads what lies in /etc/fedway.
    expect(group?.[2]).toBe('fedway-imp');
    if (process.getuid?.() !== 0) return;
    expect(run('systemd-tmpfiles', '--create', `--root=${root}`, 'fedway.conf').status).toBe(0);
    for (const made of ['etc/fedway', 'etc/fedway/certs']) {
      const { mode, uid, gid } = statSync(path.join(root, made));
      expect([mode & 0o777, uid, gid]).toEqual([0o750, 0, Number(group?.[1])]);
    }
  });
});
