import type { DatabaseSync, SQLInputValue } from 'node:sqlite';

/** Rows of the table after a change. */
const MOST_ROWS = 1_000;
/** UTF-16 units of one row of it; a name and a key are far below. */
const LONGEST_ROW = 10_000;

type Row = readonly SQLInputValue[];

/**
 * A copy of one table of the file, in memory, under its own name: statements change the copy, and `writeBack` makes the table what the copy is. The
 * table has a primary key, `pkid`, as its first column.
 */
export class TableCopy {
  readonly #db: DatabaseSync;
  readonly #table: string;
  readonly #columns: readonly string[];
  readonly #before: readonly Row[];

  /** @param db a connection that reads the file; `newid()` is known to it */
  constructor(db: DatabaseSync, table: string) {
    this.#db = db;
    this.#table = table;
    const definition = db
      .prepare("SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND name = ?")
      .get(table) as unknown as readonly [string];
    // The definition is ours: SQLite keeps it as it was written.
    db.exec(definition[0].replace(/^CREATE TABLE/, 'CREATE TEMP TABLE'));
    this.#columns = db
      .prepare(`SELECT * FROM main.${table}`)
      .columns()
      .map(({ name }) => name);
    this.#before = rowsOf(db, 'main', table);
    const insert = db.prepare(`INSERT INTO temp.${table} VALUES (${this.#places})`);
    for (const row of this.#before) insert.run(...row);
  }

  /**
   * `changed`: the table is not any more what was copied, and nothing was written. `too many`: rows, or units of one. Constraints that only the table
   * itself has throw as they do in SQLite.
   *
   * @param connect opens a connection that writes
   */
  writeBack(connect: () => DatabaseSync): 'written' | 'changed' | 'too many' {
    const after = rowsOf(this.#db, 'temp', this.#table);
    if (after.length > MOST_ROWS || after.some((row) => digest([row]).length > LONGEST_ROW)) return 'too many';
    using db = connect();
    db.exec('BEGIN IMMEDIATE');
    try {
      if (digest(rowsOf(db, 'main', this.#table)) !== digest(this.#before)) {
        db.exec('ROLLBACK');
        return 'changed';
      }
      this.#apply(db, after);
      db.exec('COMMIT');
      return 'written';
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }

  #apply(db: DatabaseSync, after: readonly Row[]): void {
    const remaining = new Map(after.map((row) => [row[0], row]));
    const former = new Map(this.#before.map((row) => [row[0], row]));
    const remove = db.prepare(`DELETE FROM main.${this.#table} WHERE ${this.#columns[0]} = ?`);
    for (const key of former.keys()) if (key !== undefined && !remaining.has(key)) remove.run(key);
    const change = db.prepare(
      `UPDATE main.${this.#table} SET ${this.#columns.map((name) => `${name} = ?`).join(', ')} WHERE ${this.#columns[0]} = ?`,
    );
    const insert = db.prepare(`INSERT INTO main.${this.#table} VALUES (${this.#places})`);
    for (const [key, row] of remaining) {
      const was = former.get(key);
      if (was === undefined) insert.run(...row);
      else if (key !== undefined && digest([was]) !== digest([row])) change.run(...row, key);
    }
  }

  get #places(): string {
    return this.#columns.map(() => '?').join(', ');
  }
}

function rowsOf(db: DatabaseSync, schema: 'main' | 'temp', table: string): readonly Row[] {
  const all = db.prepare(`SELECT * FROM ${schema}.${table} ORDER BY rowid LIMIT ${MOST_ROWS + 1}`);
  all.setReturnArrays(true);
  // With `setReturnArrays` a row is an array; the types do not follow.
  return all.all() as unknown as readonly Row[];
}

function digest(rows: readonly Row[]): string {
  // Integers come as BigInt from one connection and as numbers from the other.
  return JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value));
}
