/** Why a statement was not done, as a client of an Informix database knows it: the number and the words. */
export interface SqlFault {
  /** Informix's, with the sign that AXL gives it: 201, 206 and 217 without, others as they are. */
  readonly code: number;
  /** A sentence for the administrator who wrote the statement. */
  readonly message: string;
}

/** The codes that the guard gives by itself. */
export const CODE = {
  syntax: 201,
  noSuchTable: 206,
  noSuchColumn: 217,
  ambiguousColumn: -324,
  noSuchFunction: -674,
  duplicate: -239,
  notNull: -391,
  check: -530,
  valuesCount: -236,
  noSelect: -272,
  noUpdate: -273,
  noDelete: -274,
  noInsert: -275,
  notPermitted: -389,
  /** Took too long, or too much memory. */
  interrupted: -213,
  /** Somebody else writes. */
  locked: -107,
  internal: -1,
} as const;

export function fault(code: number, message: string): SqlFault {
  return { code, message };
}

export const NOT_PERMITTED = 'Not permitted:';

interface Translation {
  readonly pattern: RegExp;
  readonly code: number;
  readonly words: (what: string) => string;
}

const TRANSLATIONS: readonly Translation[] = [
  {
    pattern: /^no such table: (?:main\.|temp\.)?(.+)$/s,
    code: CODE.noSuchTable,
    words: (table) => `The specified table (${table}) is not in the database.`,
  },
  {
    pattern: /^(?:no such column: |table \S+ has no column named )(.+?)(?: - should this be .*)?$/s,
    code: CODE.noSuchColumn,
    words: (column) => `Column (${column}) not found in any table in the query (or SLV is undefined).`,
  },
  {
    pattern: /^ambiguous column name: (.+)$/s,
    code: CODE.ambiguousColumn,
    words: (column) => `Ambiguous column (${column}).`,
  },
  {
    pattern: /^(?:no such function: |wrong number of arguments to function )([^()]+)/s,
    code: CODE.noSuchFunction,
    words: (name) => `Routine (${name}) can not be resolved.`,
  },
  {
    pattern: /^UNIQUE constraint failed: (.+)$/s,
    code: CODE.duplicate,
    words: (index) =>
      `Could not insert new row - duplicate value in a UNIQUE INDEX column (Unique Index: ${index.replaceAll('temp.', '')}).`,
  },
  {
    pattern: /^NOT NULL constraint failed: (.+)$/s,
    code: CODE.notNull,
    words: (column) => `Cannot insert a null into column (${column}).`,
  },
  {
    pattern: /^CHECK constraint failed: (.+)$/s,
    code: CODE.check,
    words: (constraint) => `Check constraint (${constraint}) failed.`,
  },
  {
    pattern: /^(?:table \S+ has \d+ columns but \d+ values were supplied|\d+ values for \d+ columns)$/,
    code: CODE.valuesCount,
    words: () => 'Number of columns in INSERT does not match number of VALUES.',
  },
];

/** SQLite's primary result codes (https://sqlite.org/rescode.html) that are neither the statement's nor ours. */
const SQLITE = {
  error: 1,
  busy: 5,
  locked: 6,
  noMemory: 7,
  tooBig: 18,
  full: 13,
  constraint: 19,
  mismatch: 20,
} as const;

/** Longest part of SQLite's own words that a fault repeats; it can hold what the client wrote. */
const LONGEST_WORDS = 200;

/** What SQLite threw, as a fault; `undefined`: it is no complaint of SQLite about the statement, but a fault of ours or of the disk. */
export function faultOf(error: unknown): SqlFault | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  const message = error.message.replaceAll(/\s+/g, ' ').slice(0, LONGEST_WORDS);
  for (const { pattern, code, words } of TRANSLATIONS) {
    const match = pattern.exec(message);
    if (match !== null) return fault(code, words(match[1] ?? ''));
  }
  switch (error.errcode & 0xff) {
    case SQLITE.busy:
    case SQLITE.locked:
      return fault(CODE.locked, 'The table is locked by another change. Try again.');
    case SQLITE.noMemory:
    case SQLITE.tooBig:
    case SQLITE.full:
      return fault(CODE.interrupted, 'Statement interrupted: it takes more memory than a statement may have.');
    case SQLITE.error:
    case SQLITE.constraint:
    case SQLITE.mismatch:
      return fault(CODE.syntax, `A syntax error has occurred. (${message})`);
    default:
      return undefined;
  }
}
