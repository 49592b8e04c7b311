import { SCRAM_HASHES, type ScramHash, type ScramKeys } from '../../protocol/sasl/scram-keys.ts';
import type { NodeDatabase } from '../database/database.ts';

/** The keys of accounts, by name and hash, in one of the two tables for them. */
export class KeyTable {
  private readonly database: NodeDatabase;
  private readonly table: 'user_keys' | 'administrator_keys';

  constructor(database: NodeDatabase, table: 'user_keys' | 'administrator_keys') {
    this.database = database;
    this.table = table;
  }

  get(name: string, hash: ScramHash): ScramKeys | undefined {
    const row = this.database.sql
      .prepare(`SELECT salt, iterations, stored_key, server_key FROM ${this.table} WHERE name = ? AND hash = ?`)
      .get(name, hash);
    if (row === undefined) return undefined;
    return {
      salt: bytesOf(row['salt']),
      iterations: Number(row['iterations']),
      storedKey: bytesOf(row['stored_key']),
      serverKey: bytesOf(row['server_key']),
    };
  }

  /** Puts these keys in place of all that the account had. */
  replace(name: string, keys: Readonly<Partial<Record<ScramHash, ScramKeys>>>): void {
    this.database.transaction(() => {
      this.database.sql.prepare(`DELETE FROM ${this.table} WHERE name = ?`).run(name);
      const insert = this.database.sql.prepare(
        `INSERT INTO ${this.table} (name, hash, salt, iterations, stored_key, server_key) VALUES (?, ?, ?, ?, ?, ?)`,
      );
      for (const hash of SCRAM_HASHES) {
        const own = keys[hash];
        if (own !== undefined) insert.run(name, hash, own.salt, own.iterations, own.storedKey, own.serverKey);
      }
    });
  }
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new TypeError('a key in the database is no BLOB');
}
