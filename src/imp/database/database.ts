import { DatabaseSync } from 'node:sqlite';

/** The tables of one part of the node. Each step is a script that raises the version of the part by one; a step that was released never changes. */
export interface SchemaPart {
  readonly name: string;
  readonly steps: readonly string[];
}

/** Milliseconds to wait for another process that writes. */
const PATIENCE_MS = 5_000;

/**
 * The node's SQLite database. Everything of the node is in this one file: a commit is on disk when it returns, so that what was acknowledged survives
 * any end of the process.
 */
export class NodeDatabase implements Disposable {
  readonly sql: DatabaseSync;
  private depth = 0;

  /** Opens the file, makes it when it is missing, and brings every part to its last step. Throws Node's error when it cannot. */
  constructor(path: string, parts: readonly SchemaPart[]) {
    this.sql = new DatabaseSync(path, { timeout: PATIENCE_MS });
    this.sql.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON',
    );
    this.transaction(() => {
      this.sql.exec('CREATE TABLE IF NOT EXISTS schema_parts (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT');
      for (const part of parts) this.upgrade(part);
    });
  }

  /** Runs `work` as a whole or not at all; a transaction inside another belongs to it. */
  transaction<T>(work: () => T): T {
    if (this.depth > 0) return work();
    this.sql.exec('BEGIN IMMEDIATE');
    this.depth += 1;
    try {
      const result = work();
      this.sql.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.sql.isTransaction) this.sql.exec('ROLLBACK');
      throw error;
    } finally {
      this.depth -= 1;
    }
  }

  [Symbol.dispose](): void {
    this.sql.close();
  }

  private upgrade({ name, steps }: SchemaPart): void {
    const row = this.sql.prepare('SELECT version FROM schema_parts WHERE name = ?').get(name);
    const version = Number(row?.['version'] ?? 0);
    if (version > steps.length)
      throw new Error(
        `the tables of ${name} were made by a newer fedway (version ${version}, this one knows ${steps.length})`,
      );
    for (const step of steps.slice(version)) this.sql.exec(step);
    this.sql
      .prepare('INSERT INTO schema_parts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET version = excluded.version')
      .run(name, steps.length);
  }
}
