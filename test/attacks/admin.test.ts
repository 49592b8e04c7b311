import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AdminServer } from '../../src/admin/server.ts';
import type { BoxOperations } from '../../src/box/operations.ts';
import { Clusterdb } from '../../src/clusterdb/store.ts';
import { liveCatalog } from '../../src/config/live/catalog.ts';
import { Deployment } from '../support/deployment.ts';
import { until } from '../support/until.ts';

const SECRET = 'a-dialback-secret-of-mine-0123456789';

let ground: Deployment;
const umask = process.umask();

beforeAll(async () => {
  // The worst that an administrator's shell or a unit may have.
  process.umask(0);
  ground = await Deployment.start({ network: 143, partners: 1, homesAway: true, logLevel: 'debug' });
}, 40_000);

afterAll(async () => {
  process.umask(umask);
  await ground[Symbol.asyncDispose]();
});

/** A box that nobody asks. */
const NOBODY = {
  operations: {} as BoxOperations,
  facts: { version: '', name: '', role: 'edge' },
  notes: () => undefined,
} as const;

/** Everything below a folder. */
function below(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
}

/** Files and folders that others than the owner may do anything with, links aside. */
function open(folder: string): readonly string[] {
  return [folder, ...below(folder)].filter((path) => (lstatSync(path).mode & 0o077) !== 0);
}

function socketOf(box: { readonly dataFolder: string }): string {
  return join(box.dataFolder, 'admin.sock');
}

/** What is answered to these bytes; `half`: our half is closed behind them. */
async function said(path: string, bytes: string | Uint8Array, half = true): Promise<string> {
  const socket = connect(path);
  let answer = '';
  socket.on('data', (chunk) => (answer += String(chunk)));
  socket.on('error', () => undefined);
  socket.write(bytes);
  if (half) socket.end();
  await once(socket, 'close');
  return answer;
}

describe('files with umask 000', () => {
  it('are for the owner alone, in every moment of their life', async () => {
    const { edge, core } = ground;
    const seen: string[] = [];
    const folders = [edge, core].flatMap(({ box }) => [box.dataFolder, join(box.dataFolder, 'link')]);
    const watches = folders.map((folder) =>
      watch(folder, (_event, name) => {
        const path = join(folder, name ?? '');
        const facts = lstatSync(path, { throwIfNoEntry: false });
        if (facts !== undefined && (facts.mode & 0o077) !== 0) seen.push(`${path} ${facts.mode.toString(8)}`);
      }),
    );
    for (let n = 0; n < 20; n++) {
      await edge.box.set({ dialback_secret: `${SECRET}${n}`, [`allow.p${n}.lab`]: '' });
      await edge.box.ask((desk) =>
        Promise.resolve(desk.link?.invite({ name: `c${n}`, domains: [], validForMs: 60_000, address: undefined })),
      );
    }
    await edge.box.set({ dialback_secret: SECRET });
    await core.box.command('link', 'revoke', 'edge-1');
    await core.box.command('link', 'join', (await edge.box.command('link', 'invite', 'core-1')).trim());
    for (const each of watches) each.close();
    expect(seen).toEqual([]);
    for (const { box } of [edge, core]) {
      expect(open(box.dataFolder)).toEqual([]);
      expect(below(box.dataFolder).map((path) => path.slice(box.dataFolder.length + 1))).toContain('clusterdb.sqlite');
    }
    const file = join(ground.folder, 'export.yaml');
    await edge.box.command('config', 'export', '--with-secrets', file);
    expect(readFileSync(file, 'utf8')).toContain(SECRET);
    expect(statSync(file).mode & 0o077).toBe(0);
  }, 20_000);

  it('that somebody has planted are not written into, and leftovers of a crash not taken over', async () => {
    const { box } = ground.edge;
    const bait = join(ground.folder, 'bait');
    writeFileSync(bait, 'bait', { mode: 0o644 });
    const folder = join(box.dataFolder, 'link');
    symlinkSync(bait, join(folder, 'cores.json.new'));
    await box.command('link', 'invite', 'planted');
    expect(readFileSync(bait, 'utf8')).toBe('bait');
    expect(lstatSync(join(folder, 'cores.json')).isFile()).toBe(true);
    writeFileSync(join(folder, 'cores.json.new'), '', { mode: 0o666 });
    await box.command('link', 'invite', 'planted');
    expect(open(box.dataFolder)).toEqual([]);
  });

  it('a link at the place of the socket is left alone, and so is what it points to', async () => {
    const bait = join(ground.folder, 'bait2');
    const path = join(ground.edge.box.dataFolder, 'other.sock');
    writeFileSync(bait, 'bait', { mode: 0o644 });
    for (const target of [bait, join(ground.folder, 'nothing'), socketOf(ground.edge.box)]) {
      symlinkSync(target, path);
      expect(await AdminServer.open(path, NOBODY)).toMatchObject({
        refused: expect.stringContaining('no socket') as string,
      });
      expect(lstatSync(path).isSymbolicLink()).toBe(true);
      rmSync(path);
    }
    expect(readFileSync(bait, 'utf8')).toBe('bait');
    expect(existsSync(join(ground.folder, 'nothing'))).toBe(false);
    await ground.edge.box.status();
  });
});

describe('the admin socket', () => {
  it('takes no request that is too big, half, not one, or never ends, and answers the next', async () => {
    const path = socketOf(ground.edge.box);
    expect(await said(path, 'x'.repeat(5 * 1024 * 1024), false)).toContain('too long');
    expect(await said(path, '{"wire":1,"do":"hello"}')).toBe('');
    expect(await said(path, '{"wire":1,"do":"hel')).toBe('');
    expect(await said(path, `{"wire":1,"do":"config-change","steps":${'['.repeat(1_000_000)}`)).toBe('');
    for (const bad of [
      'null',
      '[]',
      '{"wire":1}',
      '{"wire":1,"do":"__proto__"}',
      '{"wire":2,"do":"hello"}',
      '{"wire":1,"do":"link-list","x":1}',
    ])
      expect(await said(path, `${bad}\n`)).toContain('"error"');
    expect(await said(path, new Uint8Array([0xff, 0x0a]))).toContain('UTF-8');
    expect(await said(path, '{"wire":1,"do":"hello"}\n'.repeat(1_000))).toMatch(/^(\{"ok":\{"wire":1[^\n]*\n){1000}$/);
  });

  it('serves two at once, and others while many hang', async () => {
    const { box } = ground.edge;
    const sockets: Socket[] = Array.from({ length: 20 }, () => connect(socketOf(box)).on('error', () => undefined));
    for (const socket of sockets) socket.pause().write('{"wire":1,"do":"config-list"}\n'.repeat(2_000));
    const both = await Promise.all([box.status(), box.change([{ put: 'allow.two.lab', value: '1' }]), box.status()]);
    expect(both[1]).toMatchObject([{ outcome: 'changed' }]);
    const [one, other] = await Promise.all([
      box.change([{ put: 'allow.two.lab', value: '2' }], { expect: { 'allow.two.lab': 0 } }),
      box.change([{ put: 'allow.two.lab', value: '3' }], { expect: { 'allow.two.lab': 0 } }),
    ]);
    expect([one, other].map(([outcome]) => outcome?.outcome)).toEqual(['conflict', 'conflict']);
    for (const socket of sockets) socket.destroy();
  });

  it('lets go of who asks and never reads the answers', async () => {
    const path = join(ground.folder, 'unread', 'admin.sock');
    const opened = await AdminServer.open(path, { ...NOBODY, silence: 200 });
    if ('refused' in opened) throw new Error(opened.refused);
    const socket = connect(path).on('error', () => undefined);
    socket.pause().write('{"wire":1,"do":"hello"}\n'.repeat(40_000));
    await until(() => opened.server.connections === 1, 'it is connected');
    await until(() => opened.server.connections === 0, 'it is let go');
    expect(socket.bytesRead).toBeLessThan(1_000_000);
    socket.destroy();
    await opened.server.close();
  });

  it('refuses what is the other role’s, in a sentence', async () => {
    const { edge, core } = ground;
    for (const [box, words] of [
      [core.box, ['link', 'invite', 'x']],
      [edge.box, ['link', 'join', 'x']],
      [edge.box, ['link', 'revoke', 'nobody']],
      [core.box, ['link', 'revoke', 'nobody']],
      [edge.box, ['streams', 'close', 'fffffffff']],
    ] as const) {
      const { status, err } = await box.tryCommand(...words);
      expect([status > 0, err]).toEqual([true, expect.stringMatching(/^fedway: .+\.\n/) as string]);
    }
  }, 20_000);
});

describe('secrets', () => {
  it('are in no log, answer, history, export, error or core of --json, and not taken from the command line', async () => {
    const { edge, core } = ground;
    await edge.box.set({ dialback_secret: SECRET });
    const token = (await edge.box.command('link', 'invite', 'shown')).trim();
    const refused = await edge.box.tryCommand('config', 'set', 'dialback_secret', SECRET);
    expect(refused.status).not.toBe(0);
    const outputs: string[] = [refused.out, refused.err];
    for (const words of [
      ['config', 'list'],
      ['config', 'get', 'dialback_secret'],
      ['config', 'log'],
      ['config', 'log', '--json'],
      ['config', 'export'],
      ['config', 'export', '--json'],
      ['status', '--json'],
      ['link', 'list', '--json'],
    ]) {
      for (const { box } of [edge, core]) {
        const { out, err } = await box.tryCommand(...words);
        outputs.push(out, err);
      }
    }
    const logs = [edge, core].flatMap(({ box }) => box.everyLine).join('\n');
    const everything = [...outputs, logs].join('\n');
    expect(everything).not.toContain(SECRET);
    expect(logs).not.toContain(token.slice(20));
    expect(everything).not.toContain('PRIVATE KEY');
    const files = below(edge.box.dataFolder).filter((path) => lstatSync(path).isFile());
    for (const path of files) expect([path, readFileSync(path).includes(SECRET)]).toEqual([path, false]);
    const command =
      readFileSync(`/proc/${edge.box.pid}/cmdline`, 'latin1') + readFileSync(`/proc/${edge.box.pid}/environ`, 'latin1');
    expect(command).not.toContain(SECRET);
  }, 60_000);
});

const opened = (data: string, exclusive = true): Clusterdb | { readonly refused: string } =>
  Clusterdb.open({ folder: data, catalog: liveCatalog, owns: 'edge', exclusive });
const start = (data: string): Clusterdb => {
  const db = opened(data);
  if ('refused' in db) throw new Error(db.refused);
  return db;
};
const refusal = (data: string): string => {
  const db = opened(data);
  if ('refused' in db) return db.refused;
  db.close();
  throw new Error('it opened');
};
const set = (db: Clusterdb, n: number, words: string) =>
  db.change({
    steps: Array.from({ length: n }, (_, index) => ({ put: `allow.p${index}.lab`, value: words })),
    author: 'root',
    reason: '',
  });

describe('clusterdb', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fedway-attack-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is one box’s: a second process is refused with the pid of the first', async () => {
    const { status, out, err } = await new Promise<{ status: number | null; out: string; err: string }>((resolve) => {
      const { box } = ground.edge;
      const child = spawn(process.execPath, [
        join(import.meta.dirname, '../../src/main.ts'),
        'run',
        '--config',
        box.configFile,
      ]);
      let out = '';
      let err = '';
      child.stdout.on('data', (bytes) => (out += String(bytes)));
      child.stderr.on('data', (bytes) => (err += String(bytes)));
      child.on('close', (status) => resolve({ status, out, err }));
    });
    expect(status).toBe(1);
    expect(out + err).toContain(`Another fedway (pid ${ground.edge.box.pid}) runs on the data folder`);
  });

  it('on a disk that is full: a sentence, nothing half, and it goes on when there is room', () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1400k,mode=0700', 'fedway-test', folder]);
    try {
      const db = start(folder);
      expect(set(db, 50, 'first')).toMatchObject({ outcome: 'changed' });
      const filler = join(folder, 'filler');
      let refused: readonly string[] = [];
      writeFileSync(filler, Buffer.alloc(500_000));
      for (let n = 0; n < 200 && refused.length === 0; n++) {
        const outcome = set(db, 300, `${n}`.padEnd(400, 'x'));
        if (outcome.outcome === 'refused') refused = outcome.problems;
      }
      expect(refused.join()).toMatch(/^Nothing was changed: .*the disk is full\. Make room, and try again\.$/);
      const before = [...db.snapshot().entries];
      expect(db.change({ steps: [{ put: 'dialback_secret', value: SECRET }], author: 'a', reason: '' })).toBeDefined();
      rmSync(filler);
      expect(set(db, 50, 'last')).toMatchObject({ outcome: 'changed' });
      expect(before.length).toBeGreaterThanOrEqual(50);
      const kept = new Map(db.snapshot().entries);
      db.close();
      const again = start(folder);
      expect(new Map(again.snapshot().entries)).toEqual(kept);
      again.close();
    } finally {
      execFileSync('umount', ['--lazy', folder]);
    }
  });

  it('in a folder that cannot be written, or that others can write: a sentence', () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'fedway-test', folder]);
    try {
      start(folder).close();
      execFileSync('mount', ['-o', 'remount,ro', folder]);
      expect(refusal(folder)).toMatch(/cannot be (used|opened|written)|file system/);
      expect(refusal(join(folder, 'deeper'))).toMatch(/file system that cannot be written to/);
    } finally {
      execFileSync('umount', ['--lazy', folder]);
    }
    for (const mode of [0o777, 0o703, 0o1777]) {
      const data = join(folder, `data${mode}`);
      mkdirSync(data);
      chmodSync(data, mode);
      expect(refusal(data)).toContain('can be written to by every user');
    }
  });

  it('that is no database, a damaged one, or one of the future: a sentence, and the file is left as it is', () => {
    const path = join(folder, 'clusterdb.sqlite');
    writeFileSync(path, 'this is no database, however long it is. '.repeat(100), { mode: 0o600 });
    expect(refusal(folder)).toContain('Move it away');
    expect(readFileSync(path, 'utf8')).toContain('this is no database');
    rmSync(path);
    const db = start(folder);
    for (let n = 0; n < 5; n++) set(db, 300, `${n}`.repeat(100));
    db.close();
    const whole = readFileSync(path);
    for (const at of [100, 4_096 + 3]) {
      const broken = Buffer.from(whole);
      broken.fill(0x5a, at, at + 600);
      writeFileSync(path, broken);
      expect(refusal(folder)).toMatch(/damaged|no database|Move it away|newer/);
      expect(readFileSync(path).equals(broken)).toBe(true);
    }
    writeFileSync(path, whole.subarray(0, 5_000));
    expect(refusal(folder)).toMatch(/damaged|Move it away/);
    for (const sql of ["UPDATE entries SET value = '{'", "UPDATE changes SET steps = 'x'", 'DELETE FROM self']) {
      writeFileSync(path, whole);
      const altered = new DatabaseSync(path);
      altered.exec(sql);
      altered.close();
      expect(refusal(folder)).toContain('is damaged');
    }
    writeFileSync(path, whole);
    const future = new DatabaseSync(path);
    future.exec('PRAGMA user_version = 1000000');
    future.close();
    expect(refusal(folder)).toContain('newer fedway');
  });
});
