import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { put, useDatabases, valuesIn } from '../../test/support/clusterdb.ts';
import { ReplicatedBoxes } from '../../test/support/replicated.ts';
import type { Clusterdb } from './store.ts';

/** The first schema, as it was, with a change of this box and a replica of another one. */
const SCHEMA_1 = `
PRAGMA journal_mode = WAL;
CREATE TABLE self (origin TEXT NOT NULL) STRICT;
CREATE TABLE origins (origin TEXT PRIMARY KEY, revision INTEGER NOT NULL, floor INTEGER NOT NULL) STRICT;
CREATE TABLE entries (
  origin TEXT NOT NULL REFERENCES origins ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT,
  sealed BLOB,
  revision INTEGER NOT NULL,
  PRIMARY KEY (origin, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE changes (
  origin TEXT NOT NULL REFERENCES origins ON DELETE CASCADE,
  revision INTEGER NOT NULL,
  time REAL NOT NULL,
  author TEXT NOT NULL,
  reason TEXT NOT NULL,
  steps TEXT NOT NULL,
  PRIMARY KEY (origin, revision)
) STRICT, WITHOUT ROWID;
CREATE TABLE peers (
  peer TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  origin TEXT NOT NULL UNIQUE REFERENCES origins ON DELETE CASCADE,
  complete INTEGER NOT NULL
) STRICT;
INSERT INTO self VALUES ('OWN');
INSERT INTO origins VALUES ('OWN', 1, 0), ('PEERS', 1, 0);
INSERT INTO entries VALUES ('OWN', 'OWNKEY', '"off"', NULL, 1), ('PEERS', 'PEERKEY', '"off"', NULL, 1);
INSERT INTO changes VALUES ('OWN', 1, 5, 'root', 'why', '[{"put":"OWNKEY","value":"off"}]');
INSERT INTO changes VALUES ('PEERS', 1, 5, 'root', 'why', '[{"put":"PEERKEY","value":"off"}]');
INSERT INTO peers VALUES ('PEERID', 'PEERNAME', 'PEERS', 1);
PRAGMA application_id = 0x66656477;
PRAGMA user_version = 1;
`;
const KEYS = { edge: 'federation', core: 'homes.a.lab.federation' } as const;

const databases = useDatabases();

/** Opens a database of the first schema: that of an Edge or of a Core, each of which has a replica of the other. */
function former(owns: 'edge' | 'core'): Clusterdb {
  const peer = owns === 'edge' ? 'core' : 'edge';
  const folder = join(databases.place, owns);
  mkdirSync(folder, { mode: 0o700 });
  const file = new DatabaseSync(join(folder, 'clusterdb.sqlite'));
  file.exec(
    SCHEMA_1.replaceAll('OWNKEY', KEYS[owns])
      .replaceAll('PEERKEY', KEYS[peer])
      .replaceAll('OWN', owns)
      .replaceAll('PEERS', peer)
      .replaceAll('PEERID', `id of ${peer}-1`)
      .replaceAll('PEERNAME', `${peer}-1`),
  );
  file.close();
  return databases.start({ folder, owns });
}

describe('a database of the first schema', () => {
  test('is brought up to date when it is opened, with all that is in it', () => {
    const db = former('edge');
    expect(db.origin).toBe('edge');
    expect(valuesIn(db.snapshot())).toEqual({ federation: 'off' });
    expect(valuesIn(db.snapshot('core'))).toEqual({ 'homes.a.lab.federation': 'off' });
    expect(db.log(10, 'edge')).toMatchObject([{ revision: 1, author: 'root', reason: 'why' }]);
    expect(db.digestOf('edge', 1)).toMatch(/^[0-9a-f]{64}$/);
    expect(db.digestOf('core', 1)).toBeUndefined();
    put(db, { federation: 'on' });
    const [begun, changed] = [db.digestOf('edge', 1), db.digestOf('edge', 2)];
    databases.stop(db);
    const again = databases.start({ folder: join(databases.place, 'edge'), owns: 'edge' });
    expect([again.digestOf('edge', 1), again.digestOf('edge', 2)]).toEqual([begun, changed]);
    expect(again.snapshot().revision).toBe(2);
  });

  test('has replicas that are filled anew once, and followed by changes from then on', () => {
    const both = new ReplicatedBoxes(former('edge'), former('core'));
    both.up();
    both.deliver(both.core);
    expect(both.edge.sent.map(({ is }) => is)).toContain('backfill');
    both.settle();
    expect(both.core.db.digestOf('edge', 1)).toBe(both.edge.db.digestOf('edge', 1));
    expect(both.edge.db.digestOf('core', 1)).toBe(both.core.db.digestOf('core', 1));
    put(both.edge.db, { federation: 'on' });
    both.down();
    both.up();
    both.deliver(both.core);
    expect(both.edge.sent.map(({ is }) => is)).toEqual(['follow', 'change']);
    both.settle();
    expect(valuesIn(both.core.db.snapshot('edge'))).toEqual({ federation: 'on' });
    expect([...both.edge.notes, ...both.core.notes]).toEqual([]);
  });
});
