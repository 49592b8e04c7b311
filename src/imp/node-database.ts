import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Domain } from '../protocol/jid/domain.ts';
import { NodeDatabase, type SchemaPart } from './database/database.ts';

const DATABASE = 'imp.db';

/** The file of the database below the data folder. */
export function databasePath(data: string): string {
  return join(data, DATABASE);
}

/** Opens the database of a node; or says what is in the way, in a sentence with the cure. */
export function openNodeDatabase(
  data: string,
  parts: readonly SchemaPart[],
): { readonly database: NodeDatabase } | { readonly refused: string } {
  const path = databasePath(data);
  try {
    // What is in it is for the service alone: messages, and what passwords are checked with.
    mkdirSync(data, { recursive: true, mode: 0o700 });
    // The folder may be an old one that others look into. SQLite gives what it puts beside the file the rights of the file.
    closeSync(openSync(path, 'a', 0o600));
    chmodSync(path, 0o600);
    return { database: new NodeDatabase(path, parts) };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return {
      refused: `the database ${path} cannot be opened: ${detail}. The user that runs fedway must be able to write to the folder, and its disk must not be full.`,
    };
  }
}

/** Writes what this node is into `enterprisenode`, as whoever asks over AXL finds it. */
export function enterNode(
  database: NodeDatabase,
  node: { readonly name: string; readonly domain: Domain; readonly version: string },
  newId: () => string,
): void {
  const { name, domain, version } = node;
  database.transaction(() => {
    database.sql.prepare('DELETE FROM enterprisenode WHERE name <> ?').run(name);
    database.sql
      .prepare(
        `INSERT INTO enterprisenode (pkid, name, domain, version) VALUES (?, ?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET domain = excluded.domain, version = excluded.version`,
      )
      .run(newId(), name, domain, version);
  });
}
