import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { put, useDatabases, valuesIn } from '../../test/support/clusterdb.ts';
import type { Note } from '../protocol/notes.ts';

const databases = useDatabases();

describe('secrets', () => {
  const SECRET = 'correct horse battery staple';

  test('are given to the box, after a restart too, and are in no file, answer, change or note', () => {
    const notes: Note[] = [];
    const db = databases.start({ notes: (note) => notes.push(note) });
    const outcome = put(db, { dialback_secret: SECRET });
    expect(valuesIn(db.snapshot())).toEqual({ dialback_secret: SECRET });
    const told = JSON.stringify([outcome, db.log(10), db.changesSince(db.origin, 0), notes]);
    expect(told).toContain('dialback_secret');
    expect(told).not.toContain(SECRET);
    databases.stop(db);
    expect(readdirSync(databases.folder)).toEqual(['clusterdb.key', 'clusterdb.sqlite']);
    for (const name of readdirSync(databases.folder)) expect(bytesIn(name)).not.toContain(SECRET);
    expect(valuesIn(databases.start().snapshot())).toEqual({ dialback_secret: SECRET });
  });

  test('that were replaced or removed are not in the database any more, not even sealed', () => {
    const db = databases.start();
    put(db, { 'secret.a': 1 });
    databases.stop(db);
    const file = new DatabaseSync(join(databases.folder, 'clusterdb.sqlite'), { readOnly: true });
    const sealed = file.prepare('SELECT sealed FROM entries').get()?.['sealed'];
    file.close();
    expect(sealed).toBeInstanceOf(Uint8Array);
    const bytes = Buffer.from(sealed as Uint8Array).toString('latin1');
    expect(bytesIn('clusterdb.sqlite')).toContain(bytes);
    const again = databases.start();
    put(again, { 'secret.a': 2 });
    databases.stop(again);
    expect(bytesIn('clusterdb.sqlite')).not.toContain(bytes);
  });

  test('do not open in the place of another one', () => {
    const db = databases.start();
    put(db, { 'secret.a': 1, 'secret.b': 2 });
    databases.stop(db);
    const file = new DatabaseSync(join(databases.folder, 'clusterdb.sqlite'));
    file.exec(`UPDATE entries SET sealed = (SELECT sealed FROM entries WHERE key = 'secret.a') WHERE key = 'secret.b'`);
    file.close();
    expect(databases.refusal()).toMatch(
      /clusterdb\.key is not the key that secret\.b was sealed with, or the sealed value was altered/,
    );
  });

  test('need their key: missing, another one, none, or open to others is a sentence with the cure', () => {
    const db = databases.start();
    put(db, { 'secret.a': 1 });
    databases.stop(db);
    const key = join(databases.folder, 'clusterdb.key');
    expect(statSync(key).mode & 0o777).toBe(0o600);
    const right = readFileSync(key);
    writeFileSync(key, `${'0'.repeat(64)}\n`);
    expect(databases.refusal()).toMatch(
      /is not the key that secret\.a was sealed with.*Put the right file back from the backup/,
    );
    writeFileSync(key, 'garbage');
    expect(databases.refusal()).toMatch(/clusterdb\.key is no key \(64 hexadecimal digits\).*Put the right file back/);
    chmodSync(key, 0o640);
    expect(databases.refusal()).toMatch(/clusterdb\.key is open to other users.*chmod 0600/);
    rmSync(key);
    expect(databases.refusal()).toMatch(
      /clusterdb\.key is missing, and the database beside it has secrets.*Put the right file back/,
    );
    expect(existsSync(key)).toBe(false);
    writeFileSync(key, right, { mode: 0o600 });
    expect(valuesIn(databases.start().snapshot())).toEqual({ 'secret.a': 1 });
  });
});

function bytesIn(name: string): string {
  return readFileSync(join(databases.folder, name), 'latin1');
}
