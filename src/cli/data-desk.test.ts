import { chownSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { standIn } from '../../test/config/stand-in.ts';
import type { BootConfig } from '../config/boot.ts';
import { loadBootFile } from '../config/load.ts';
import { openData } from './data-desk.ts';
import type { DataDesk } from './reach.ts';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fedway-data-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function boot(role: 'edge' | 'core'): BootConfig {
  const homes =
    role === 'edge'
      ? `s2s: { listen: ["192.0.2.2:5269"] }
link: { listen: ["192.0.2.2:7400"] }
homes: [{ domains: [coluc.com], certificate: a.pem, key: a.key }]`
      : `homes: [{ domains: [coluc.com], server: { s2s: { address: "10.0.0.10:5269" } } }]
inside: { listen: ["10.0.0.2:5269"] }`;
  const text = `role: ${role}\nname: box-1\ndata: ${folder}/data\n${homes}\n`;
  const result = loadBootFile('/etc/fedway/fedway.yaml', {
    surroundings: standIn('/etc/fedway', { 'fedway.yaml': text, 'a.pem': '', 'a.key': '' }),
  });
  if (result.outcome !== 'loaded') throw new Error(JSON.stringify(result));
  return result.config;
}

async function open(role: 'edge' | 'core', how: 'alone' | 'shared' = 'alone'): Promise<DataDesk> {
  const desk = await openData(boot(role), how);
  if ('refused' in desk) throw new Error(desk.refused);
  return desk;
}

const change = { steps: [{ put: 'dialback_secret', value: 's'.repeat(32) }], author: 'root@host', reason: 'first' };

describe('the data folder of a box that does not run', () => {
  test('is made, changed, and read again; a secret shows itself only in the snapshot', async () => {
    const first = await open('edge');
    expect(await first.config.change(change, undefined)).toMatchObject([{ box: 'box-1', outcome: 'changed' }]);
    first.close();
    const second = await open('edge', 'shared');
    expect(await second.config.list()).toEqual([
      { box: 'box-1', key: 'dialback_secret', value: '(secret)', revision: 1 },
    ]);
    expect(await second.config.log(5)).toMatchObject([{ box: 'box-1', author: 'root@host', reason: 'first' }]);
    expect(second.snapshot().entries.get('dialback_secret')?.value).toBe('s'.repeat(32));
    second.close();
    expect(statSync(join(folder, 'data')).mode & 0o777).toBe(0o700);
  });

  test('belongs to one at a time, to read it apart', async () => {
    const first = await open('edge');
    expect(await openData(boot('edge'), 'alone')).toEqual({
      refused: expect.stringContaining('Another fedway (pid ') as string,
    });
    (await open('edge', 'shared')).close();
    first.close();
  });

  test('what the other half owns cannot be changed here', async () => {
    const desk = await open('core');
    expect(await desk.config.change({ ...change, steps: [{ put: 'tls', value: 'none' }] }, undefined)).toMatchObject([
      { outcome: 'refused' },
    ]);
    expect(await desk.config.list()).toEqual([]);
    desk.close();
  });

  test('a Core reads its pairings, refuses a token that is none, and invites nobody', async () => {
    const desk = await open('core');
    const { link } = desk;
    expect(await link?.list()).toEqual([]);
    expect(await link?.join('nonsense')).toMatchObject({ refused: expect.stringContaining('token') as string });
    expect(await link?.revoke('edge-9')).toMatchObject({ refused: expect.stringContaining('edge-9') as string });
    const invitation = { name: 'a', domains: [], validForMs: 1, address: undefined };
    expect(await link?.invite(invitation)).toMatchObject({
      refused: expect.stringContaining('the Edge invites') as string,
    });
    desk.close();
  });

  test('an Edge invites and is joined only while it runs', async () => {
    const desk = await open('edge');
    const { link } = desk;
    expect(await link?.list()).toEqual([]);
    const invitation = { name: 'a', domains: [], validForMs: 1, address: undefined };
    expect(await link?.invite(invitation)).toMatchObject({
      refused: expect.stringContaining('start this one') as string,
    });
    expect(await link?.join('x')).toMatchObject({ refused: expect.stringContaining('on the Core') as string });
    expect(await link?.revoke('core-9')).toMatchObject({ refused: expect.stringContaining('core-9') as string });
    desk.close();
  });

  test.runIf(process.getuid?.() === 0)(
    'of another user is worked on by root as that user, and root is root again',
    async () => {
      (await open('edge')).close();
      for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
        chownSync(join(folder, name), 65_534, 65_534);
      }
      chownSync(folder, 65_534, 65_534);
      const desk = await open('edge');
      expect([process.geteuid?.(), process.getegid?.()]).toEqual([65_534, 65_534]);
      expect(await desk.config.change(change, undefined)).toMatchObject([{ outcome: 'changed' }]);
      desk.close();
      expect([process.geteuid?.(), process.getegid?.()]).toEqual([0, 0]);
      expect(statSync(join(folder, 'data', 'clusterdb.sqlite')).uid).toBe(65_534);
    },
  );
});
