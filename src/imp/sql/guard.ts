import { randomUUID } from 'node:crypto';
import { constants, DatabaseSync, type DatabaseSyncOptions } from 'node:sqlite';
import { CODE, fault, faultOf, NOT_PERMITTED, type SqlFault } from './fault.ts';
import { MAY, readStatement, type Statement } from './statement.ts';
import { TableCopy } from './table-copy.ts';
import { FUNCTIONS, VIEWS, WRITABLE } from './visible.ts';

/** What a statement came to. Names are in lower case, as Informix gives them. */
export type SqlAnswer =
  | { readonly columns: readonly string[]; readonly rows: readonly (readonly (string | null)[])[] }
  | { readonly updated: number }
  | { readonly fault: SqlFault };

export type SqlKind = Statement['kind'];

/** Rows and UTF-16 units of a result. */
export const MOST_ROWS = 10_000;
const LARGEST_RESULT = 2 * 1024 ** 2;
/** Milliseconds to wait for another writer. */
const PATIENCE_MS = 1_000;

const OPTIONS = {
  timeout: PATIENCE_MS,
  allowExtension: false,
  defensive: true,
  // The copy of the table stands in another schema than what its foreign keys name.
  enableForeignKeyConstraints: false,
  enableDoubleQuotedStringLiterals: false,
  returnArrays: true,
  readBigInts: true,
  limits: {
    length: 1024 ** 2,
    sqlLength: 64 * 1024,
    column: 100,
    exprDepth: 100,
    compoundSelect: 20,
    functionArg: 20,
    attach: 0,
    likePatternLength: 200,
    triggerDepth: 10,
  },
} satisfies DatabaseSyncOptions;

type Action = readonly [code: number, first: string | null, second: string | null, schema: string | null];

/**
 * Runs one statement of an administrator on the database file, with the least rights that do.
 *
 * Two walls, each sufficient by itself to keep secrets:
 * 1. The statement is compiled in an empty database that has nothing but the columns administrators see. What does not compile there is never
 *    compiled elsewhere. (The authorizer of the real database alone would not do: for a common table expression it names the expression where it
 *    names a view, so that `WITH enduser AS (SELECT password FROM ...)` looks like the view `enduser`.)
 * 2. The connection to the file is read-only, and its authorizer admits what the views read, and no more. A change is made to a copy of the table in
 *    memory; what differs is then written by statements of ours. So the file is never locked for as long as a statement of somebody takes.
 *
 * The result is bounded here; time and memory by whoever runs this process (`SqlRunner`), since SQLite does not stop by itself.
 */
export function runStatement(path: string, text: string, kind: SqlKind): SqlAnswer {
  const statement = readStatement(text);
  if ('code' in statement) return { fault: statement };
  if (statement.kind !== kind) return { fault: otherFunction(kind) };
  try {
    return kind === 'query' ? query(path, statement) : update(path, statement);
  } catch (error) {
    const known = faultOf(error);
    if (known !== undefined) return { fault: known };
    throw error;
  }
}

function otherFunction(kind: SqlKind): SqlFault {
  const words =
    kind === 'query'
      ? 'a change goes through executeSQLUpdate, not executeSQLQuery.'
      : 'a query goes through executeSQLQuery, not executeSQLUpdate.';
  return fault(CODE.notPermitted, `${NOT_PERMITTED} ${words}`);
}

function query(path: string, { sql }: Statement): SqlAnswer {
  using db = open(path);
  const views = showViews(db);
  const refused = rehearse(views, sql, 'query');
  if (refused !== undefined) return { fault: refused };
  admitOnly(db, views);
  const prepared = db.prepare(sql);
  const columns = prepared.columns().map(({ name }) => name.toLowerCase());
  const rows: (string | null)[][] = [];
  let size = 0;
  // With `returnArrays` a row is an array; the types do not follow the option.
  for (const row of prepared.iterate() as Iterable<unknown> as Iterable<readonly unknown[]>) {
    const shown = row.map(shownValue);
    for (const value of shown) size += value?.length ?? 0;
    if (rows.length >= MOST_ROWS || size > LARGEST_RESULT) {
      return {
        fault: fault(
          CODE.interrupted,
          `Query request too large: more than ${MOST_ROWS} rows or ${LARGEST_RESULT / 1024 ** 2} MiB. Ask for less with WHERE or LIMIT.`,
        ),
      };
    }
    rows.push(shown);
  }
  return { columns, rows };
}

/** How often a change is made anew because the table has changed meanwhile. */
const ATTEMPTS = 3;

function update(path: string, { sql }: Statement): SqlAnswer {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    using db = open(path);
    const views = showViews(db);
    const refused = rehearse(views, sql, 'update');
    if (refused !== undefined) return { fault: refused };
    db.exec(`DROP VIEW temp.${WRITABLE}`);
    const copy = new TableCopy(db, WRITABLE);
    admitOnly(db, views);
    const { changes } = db.prepare(sql).run();
    db.setAuthorizer(null);
    const written = copy.writeBack(() => new DatabaseSync(path, { timeout: PATIENCE_MS }));
    if (written === 'too many') {
      return { fault: fault(CODE.interrupted, `Statement interrupted: ${WRITABLE} would have too many rows.`) };
    }
    if (written === 'written') return { updated: Number(changes) };
  }
  return { fault: fault(CODE.locked, `The table ${WRITABLE} is changed by somebody else all the time. Try again.`) };
}

/** Empty, or with the real file; never a connection that can write to it. */
function open(path: string | undefined): DatabaseSync {
  const db = new DatabaseSync(path ?? ':memory:', { ...OPTIONS, readOnly: path !== undefined });
  // What a statement sorts or copies takes the memory of this process, which is watched, and not room on the disk, which is not.
  db.exec('PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF');
  db.function('newid', () => randomUUID());
  return db;
}

/** The views that exist here, by name: their columns, and what reading them takes. */
interface Views {
  readonly columns: ReadonlyMap<string, readonly string[]>;
  readonly reads: ReadonlySet<string>;
}

/** Makes the views of which this database has the tables. */
function showViews(db: DatabaseSync): Views {
  const columns = new Map<string, readonly string[]>();
  const reads = new Set<string>();
  db.setAuthorizer((...[code, first, second, schema]) => {
    if (code === constants.SQLITE_READ || code === constants.SQLITE_FUNCTION)
      reads.add(keyOf([code, first, second, schema]));
    return constants.SQLITE_OK;
  });
  for (const [name, select] of Object.entries(VIEWS)) {
    try {
      db.exec(`CREATE TEMP VIEW ${name} AS ${select}`);
      columns.set(
        name,
        db
          .prepare(`SELECT * FROM temp.${name}`)
          .columns()
          .map((column) => column.name),
      );
    } catch (error) {
      // A part of the node that this one does not have, such as rosters without messaging.
      if (faultOf(error)?.code !== CODE.noSuchTable) throw error;
      db.exec(`DROP VIEW IF EXISTS temp.${name}`);
    }
  }
  db.setAuthorizer(null);
  return { columns, reads };
}

/** Compiles the statement where there is nothing to steal. What is wrong with it. */
function rehearse({ columns }: Views, sql: string, kind: SqlKind): SqlFault | undefined {
  using db = open(undefined);
  for (const [name, names] of columns) db.exec(`CREATE TEMP TABLE ${name} (${names.map(quotedName).join(', ')})`);
  let refused: SqlFault | undefined;
  db.setAuthorizer((...[code, first, second, schema]) => {
    const because = whyNot([code, first, second, schema], columns, kind);
    if (because === undefined) return constants.SQLITE_OK;
    refused ??= because;
    return constants.SQLITE_DENY;
  });
  try {
    db.prepare(sql);
    return refused;
  } catch (error) {
    if (refused !== undefined) return refused;
    const known = faultOf(error);
    if (known === undefined) throw error;
    return known;
  }
}

function whyNot([code, first, second, schema]: Action, columns: Views['columns'], kind: SqlKind): SqlFault | undefined {
  const name = (first ?? '').toLowerCase();
  switch (code) {
    case constants.SQLITE_SELECT:
      return undefined;
    case constants.SQLITE_READ:
      // Where no column is read, as in count(*), none is named, nor a schema; and then a common table expression is named like a table.
      if (second === '' && !/^(?:sqlite|pragma)_/.test(name)) return undefined;
      return columns.has(name) && schema !== 'main'
        ? undefined
        : fault(CODE.noSelect, `No SELECT permission for ${name}. ${MAY}`);
    case constants.SQLITE_FUNCTION:
      return FUNCTIONS.has((second ?? '').toLowerCase())
        ? undefined
        : fault(CODE.noSuchFunction, `Routine (${second ?? ''}) can not be resolved.`);
    case constants.SQLITE_INSERT:
      return mayWrite(name, schema, kind, 'INSERT', CODE.noInsert);
    case constants.SQLITE_UPDATE:
      return mayWrite(name, schema, kind, 'UPDATE', CODE.noUpdate);
    case constants.SQLITE_DELETE:
      return mayWrite(name, schema, kind, 'DELETE', CODE.noDelete);
    case constants.SQLITE_RECURSIVE:
      return fault(CODE.notPermitted, `${NOT_PERMITTED} a recursive query. ${MAY}`);
    default:
      return fault(CODE.notPermitted, `${NOT_PERMITTED} this kind of statement. ${MAY}`);
  }
}

function mayWrite(
  table: string,
  schema: string | null,
  kind: SqlKind,
  what: string,
  code: number,
): SqlFault | undefined {
  if (kind === 'query') return otherFunction('query');
  if (table === WRITABLE && schema === 'temp') return undefined;
  return fault(code, `No ${what} permission for ${table}. ${MAY}`);
}

/** The second wall: from now on this connection reads what the views read, calls functions, and writes the copy of the table. */
function admitOnly(db: DatabaseSync, { columns, reads }: Views): void {
  db.setAuthorizer((...[code, first, second, schema]) => {
    switch (code) {
      case constants.SQLITE_SELECT:
        return constants.SQLITE_OK;
      case constants.SQLITE_READ:
        // A view, or the copy, is read as a whole; of a table no more than what the views take from it.
        return second === '' ||
          (schema === 'temp' && columns.has(first ?? '')) ||
          reads.has(keyOf([code, first, second, schema]))
          ? constants.SQLITE_OK
          : constants.SQLITE_DENY;
      case constants.SQLITE_FUNCTION:
        return FUNCTIONS.has((second ?? '').toLowerCase()) || reads.has(keyOf([code, first, second, schema]))
          ? constants.SQLITE_OK
          : constants.SQLITE_DENY;
      case constants.SQLITE_INSERT:
      case constants.SQLITE_UPDATE:
      case constants.SQLITE_DELETE:
        return schema === 'temp' && first === WRITABLE ? constants.SQLITE_OK : constants.SQLITE_DENY;
      default:
        return constants.SQLITE_DENY;
    }
  });
}

function keyOf([code, first, second, schema]: Action): string {
  return JSON.stringify([code, first, second, schema]);
}

function quotedName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** As text, which is all that AXL has. */
function shownValue(value: unknown): string | null {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' ? String(value) : null;
}
