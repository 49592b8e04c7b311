import type { SchemaPart } from '../database/database.ts';

/**
 * Users and administrators. What a password can be checked with stands in tables of its own (`user_keys`, `administrator_keys`, `node_secrets`), so that
 * whoever may read the others needs no right to these.
 */
export const ACCOUNT_TABLES: SchemaPart = {
  name: 'accounts',
  steps: [
    `CREATE TABLE users (
       name TEXT NOT NULL PRIMARY KEY,
       active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
       created INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE user_keys (
       name TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
       hash TEXT NOT NULL,
       salt BLOB NOT NULL,
       iterations INTEGER NOT NULL,
       stored_key BLOB NOT NULL,
       server_key BLOB NOT NULL,
       PRIMARY KEY (name, hash)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE administrators (
       name TEXT NOT NULL PRIMARY KEY,
       role TEXT NOT NULL CHECK (role IN ('axl', 'none')),
       created INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE administrator_keys (
       name TEXT NOT NULL REFERENCES administrators (name) ON DELETE CASCADE,
       hash TEXT NOT NULL,
       salt BLOB NOT NULL,
       iterations INTEGER NOT NULL,
       stored_key BLOB NOT NULL,
       server_key BLOB NOT NULL,
       PRIMARY KEY (name, hash)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE node_secrets (
       name TEXT NOT NULL PRIMARY KEY,
       value BLOB NOT NULL
     ) STRICT, WITHOUT ROWID;`,
  ],
};
