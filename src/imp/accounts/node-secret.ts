import { randomBytes } from 'node:crypto';
import type { NodeDatabase } from '../database/database.ts';

const SECRET_BYTES = 32;

/** A secret of this node alone, made when it is asked for the first time and kept in the database. */
export function nodeSecret(database: NodeDatabase, name: string): Uint8Array {
  database.sql
    .prepare('INSERT INTO node_secrets (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING')
    .run(name, randomBytes(SECRET_BYTES));
  const value = database.sql.prepare('SELECT value FROM node_secrets WHERE name = ?').get(name)?.['value'];
  if (value instanceof Uint8Array) return value;
  throw new TypeError(`the secret ${name} of this node is no BLOB`);
}
