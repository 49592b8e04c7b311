import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { put, useDatabases, valuesIn } from '../../test/support/clusterdb.ts';
import type { Note } from '../protocol/notes.ts';
import type { Advance } from './types.ts';

const databases = useDatabases();

describe('the data folder', () => {
  test('is made for its owner alone, and so is the database', () => {
    const db = databases.start();
    put(db, { tls: 'none' });
    expect(statSync(databases.folder).mode & 0o777).toBe(0o700);
    for (const name of ['clusterdb.sqlite', 'clusterdb.sqlite-wal', 'clusterdb.sqlite-shm']) {
      expect(statSync(join(databases.folder, name)).mode & 0o777).toBe(0o600);
    }
  });

  test('gets an origin of its own, which stays', () => {
    const one = databases.start();
    const other = databases.start({ folder: join(databases.place, 'other') });
    expect(one.origin).toMatch(/^[0-9a-f]{32}$/);
    expect(other.origin).not.toBe(one.origin);
    databases.stop(one);
    expect(databases.start().origin).toBe(one.origin);
    expect(databases.start({ folder: join(databases.place, 'third'), newId: () => 'third' }).origin).toBe('third');
  });

  test('keys of another role are not in force, told, and still there for that role', () => {
    const db = databases.start();
    put(db, { 'count.a': 1, 'homes.a.lab.federation': 'off' });
    databases.stop(db);
    const notes: Note[] = [];
    const edge = databases.start({ owns: 'edge', notes: (note) => notes.push(note) });
    expect(valuesIn(edge.snapshot())).toEqual({ 'count.a': 1 });
    expect(edge.leftOut()).toEqual([{ key: 'homes.a.lab.federation', because: 'it belongs to the Core.' }]);
    expect(notes).toEqual([
      { note: 'config-left-out', key: 'homes.a.lab.federation', because: 'it belongs to the Core.' },
    ]);
    databases.stop(edge);
    expect(databases.start().snapshot().entries.size).toBe(2);
  });

  test('that everybody may write to is refused', () => {
    mkdirSync(databases.folder);
    chmodSync(databases.folder, 0o777);
    expect(databases.refusal()).toMatch(/data can be written to by every user.*chmod o-w/);
  });
});

describe('a database that cannot be used is refused with its path and a cure', () => {
  test('a file that is none', () => {
    const path = lay('this is a text, and not a database at all. '.repeat(50));
    expect(databases.refusal()).toBe(
      `${path} is damaged or no database (file is not a database). Move it away together with the files beside it that begin with its name, and restore it from a backup or import an export.`,
    );
  });

  test('an empty file is a new one: the process that made it was killed', () => {
    lay('');
    expect(databases.start().snapshot().revision).toBe(0);
  });

  test('one that was damaged in the middle', () => {
    const db = databases.start();
    for (let n = 0; n < 200; n++) put(db, { [`list.a${n}`]: 'x'.repeat(500) });
    databases.stop(db);
    const path = join(databases.folder, 'clusterdb.sqlite');
    const bytes = readFileSync(path);
    bytes.fill(0xa5, 4096 * 3, 4096 * 20);
    writeFileSync(path, bytes);
    expect(databases.refusal()).toMatch(/clusterdb\.sqlite is damaged .*restore it from a backup or import an export/);
  });

  test('one of a newer fedway', () => {
    databases.stop(databases.start());
    const path = join(databases.folder, 'clusterdb.sqlite');
    const file = new DatabaseSync(path);
    file.exec('PRAGMA user_version = 7');
    file.close();
    expect(databases.refusal()).toBe(
      `${path} was written by a newer fedway (schema 7; this one knows 2). Run that version again, or restore the backup from before it.`,
    );
  });

  test('one of another program', () => {
    const path = lay('');
    const file = new DatabaseSync(path);
    file.exec('CREATE TABLE theirs (a)');
    file.close();
    expect(databases.refusal()).toMatch(/is an SQLite database of another program/);
  });

  test('a folder in the place of the file, and a file in the place of the folder', () => {
    mkdirSync(join(databases.folder, 'clusterdb.sqlite'), { recursive: true, mode: 0o700 });
    expect(databases.refusal()).toMatch(/clusterdb\.sqlite cannot be opened for writing/);
    writeFileSync(join(databases.place, 'file'), '');
    expect(databases.refusal({ folder: join(databases.place, 'file') })).toMatch(/a file is where a folder should be/);
    expect(databases.refusal({ folder: join(databases.place, 'file', 'below') })).toMatch(
      /a file is where a folder should be/,
    );
  });

  // Root may do everything: the rights of somebody else are taken on.
  test.runIf(process.getuid?.() === 0)('missing rights to the folder, and to the file', () => {
    databases.stop(databases.start());
    chmodSync(databases.place, 0o755);
    const path = join(databases.folder, 'clusterdb.sqlite');
    expect(asNobody(() => databases.refusal())).toMatch(
      /data\/clusterdb\.sqlite cannot be used: permission denied\. Give it to the user/,
    );
    chmodSync(databases.folder, 0o755);
    expect(asNobody(() => databases.refusal())).toBe(
      `${path} cannot be used: permission denied. Give it to the user that fedway runs as (chown), with mode 0700 for the folder and 0600 for the files.`,
    );
    expect(asNobody(() => databases.refusal({ folder: join(databases.place, 'new') }))).toMatch(
      /new cannot be used: permission denied/,
    );
  });
});

describe('the exclusive hold', () => {
  test('is refused to a second box with the pid of the first, and free when that one ends', () => {
    const first = databases.start({ exclusive: true });
    expect(databases.refusal({ exclusive: true })).toBe(
      `Another fedway (pid ${process.pid}) runs on the data folder ${databases.folder}. One box has one data folder: stop the other one, or name another folder in this boot file (data).`,
    );
    databases.stop(first);
    databases.start({ exclusive: true });
  });

  test('is free after kill -9 of the process that had it, and names that process as long as it lives', () => {
    const script = `
      import { Clusterdb } from ${JSON.stringify(new URL('store.ts', import.meta.url).href)};
      import { CATALOG } from ${JSON.stringify(new URL('../../test/support/clusterdb-catalog.ts', import.meta.url).href)};
      import { spawnSync } from 'node:child_process';
      const options = { folder: process.argv[1], catalog: CATALOG, owns: 'both', exclusive: true };
      Clusterdb.open(options);
      const again = spawnSync(process.execPath, ['--input-type=module', '-e', process.argv[2], process.argv[1]], { encoding: 'utf8' });
      console.log(process.pid, again.stdout);
      process.kill(process.pid, 'SIGKILL');
    `;
    const second = `
      import { Clusterdb } from ${JSON.stringify(new URL('store.ts', import.meta.url).href)};
      import { CATALOG } from ${JSON.stringify(new URL('../../test/support/clusterdb-catalog.ts', import.meta.url).href)};
      console.log(Clusterdb.open({ folder: process.argv[1], catalog: CATALOG, owns: 'both', exclusive: true }).refused);
    `;
    const { stdout, signal } = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', script, databases.folder, second],
      { encoding: 'utf8' },
    );
    expect(signal).toBe('SIGKILL');
    const [pid] = stdout.split(' ', 1);
    expect(stdout).toContain(`Another fedway (pid ${pid}) runs on the data folder`);
    databases.start({ exclusive: true });
  });
});

describe('two that have the same file open', () => {
  test('see what the other has changed, and tell their watchers once, in order', () => {
    const one = databases.start();
    const other = databases.start();
    const told: Advance[] = [];
    other.watch((advance) => told.push(advance));
    put(one, { 'count.a': 1 });
    put(one, { 'count.a': 2, 'secret.a': 3 });
    expect(valuesIn(other.snapshot())).toEqual({ 'count.a': 2, 'secret.a': 3 });
    expect(put(other, { 'count.a': 3 }, { 'count.a': 1 }).outcome).toBe('conflict');
    expect(put(other, { 'count.a': 3 }, { 'count.a': 2 })).toMatchObject({ change: { revision: 3 } });
    expect(told.map(({ before, after, changes }) => [before.revision, after.revision, changes?.length])).toEqual([
      [0, 2, 2],
      [2, 3, 1],
    ]);
    expect(valuesIn(one.snapshot())).toEqual({ 'count.a': 3, 'secret.a': 3 });
  });

  test('a change is refused with a sentence while another process does not let go of the file', () => {
    const db = databases.start({ patience: 20 });
    const file = new DatabaseSync(join(databases.folder, 'clusterdb.sqlite'));
    file.exec('BEGIN IMMEDIATE');
    const outcome = put(db, { tls: 'none' });
    file.exec('ROLLBACK');
    file.close();
    expect(outcome).toEqual({
      outcome: 'refused',
      problems: [
        `Nothing was changed: ${join(databases.folder, 'clusterdb.sqlite')} is locked by another process, and did not become free in time. Let the other one finish, and try again.`,
      ],
    });
    expect(put(db, { tls: 'none' }).outcome).toBe('changed');
  });
});

describe('watchers', () => {
  test('are told after the commit, in order, also of what a watcher changes itself', () => {
    const db = databases.start();
    const told: string[] = [];
    db.watch(({ after }) => {
      if (after.revision === 1) put(db, { 'count.b': 1 });
    });
    const end = db.watch(({ before, after, changes }) =>
      told.push(`${before.revision}>${after.revision} ${changes?.[0]?.author}`),
    );
    put(db, { 'count.a': 1 });
    expect(told).toEqual(['0>1 root@edge-1', '1>2 root@edge-1']);
    end();
    put(db, { 'count.a': 2 });
    expect(told).toHaveLength(2);
  });

  test('are not told of what was refused', () => {
    const db = databases.start();
    db.watch(() => expect.unreachable());
    put(db, { tls: 'perhaps' });
    put(db, { tls: 'none' }, { tls: 5 });
  });
});

function lay(bytes: string): string {
  mkdirSync(databases.folder, { mode: 0o700 });
  const path = join(databases.folder, 'clusterdb.sqlite');
  writeFileSync(path, bytes);
  return path;
}

function asNobody<T>(run: () => T): T {
  process.seteuid?.(65_534);
  try {
    return run();
  } finally {
    process.seteuid?.(0);
  }
}
