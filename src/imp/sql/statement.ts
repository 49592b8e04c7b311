import { CODE, fault, NOT_PERMITTED, type SqlFault } from './fault.ts';

/** One statement, as far as its first word tells. What it may do is decided by whoever compiles it. */
export interface Statement {
  readonly kind: 'query' | 'update';
  /** The first word, in lower case. */
  readonly verb: string;
  /** Without what stands behind it. */
  readonly sql: string;
}

/** UTF-16 units of a statement. */
export const LONGEST_STATEMENT = 32 * 1024;

const QUERIES = new Set(['select', 'values']);
const UPDATES = new Set(['insert', 'update', 'delete']);
/** Words that begin a statement which the guard never runs. With anything else it is no SQL. */
const OTHERS =
  /^(?:alter|analyze|attach|begin|call|commit|connect|create|database|detach|drop|end|execute|explain|grant|load|lock|merge|pragma|reindex|release|rename|replace|revoke|rollback|savepoint|set|truncate|unload|unlock|vacuum)$/;

/**
 * Reads the text of one statement. SQLite compiles the first statement of a text and ignores the rest; here a rest is a fault, so that nobody believes
 * that it was done.
 */
export function readStatement(text: string): Statement | SqlFault {
  if (text.length > LONGEST_STATEMENT) {
    return fault(
      CODE.syntax,
      `A syntax error has occurred: the statement is longer than ${LONGEST_STATEMENT} characters.`,
    );
  }
  if (text.includes('\0') || !text.isWellFormed()) {
    return fault(CODE.syntax, 'A syntax error has occurred: the statement has a character in it that no text has.');
  }
  const tokens = topLevel(text);
  if (tokens === undefined) return fault(CODE.syntax, 'A syntax error has occurred: a quote or a comment has no end.');
  const { first, end, rest } = tokens;
  if (first === '') return fault(CODE.syntax, 'A syntax error has occurred: there is no statement.');
  if (rest) return fault(CODE.syntax, 'A syntax error has occurred: write one statement, not several.');
  const verb = first.toLowerCase();
  const sql = text.slice(0, end);
  if (QUERIES.has(verb)) return { kind: 'query', verb, sql };
  if (UPDATES.has(verb)) return { kind: 'update', verb, sql };
  if (verb === 'with') return { kind: 'query', verb, sql };
  if (OTHERS.test(verb)) return fault(CODE.notPermitted, `${NOT_PERMITTED} ${verb.toUpperCase()}. ${MAY}`);
  return fault(CODE.syntax, 'A syntax error has occurred: a statement begins with select, insert, update or delete.');
}

/** What an administrator may do, for faults. */
export const MAY = 'Administrators may read, and insert, update and delete rows of xmpps2snodes.';

/** Everything that hides a semicolon: strings, quoted names, comments (https://sqlite.org/lang_comment.html). */
const HIDDEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|\/\*[^]*?(?:\*\/|$)/y;
const WORD = /[A-Za-z_][\w$]*/y;

/** The first word, where the first statement ends, and whether another one follows; `undefined`: a quote is not closed. */
function topLevel(text: string): { first: string; end: number; rest: boolean } | undefined {
  let first = '';
  let end: number | undefined;
  let index = 0;
  while (index < text.length) {
    const hidden = matchAt(HIDDEN, text, index);
    if (hidden !== undefined) {
      // A comment is nothing; quoted text behind the end is.
      if (end !== undefined && !/^(?:--|\/\*)/.test(hidden)) return { first, end, rest: true };
      index += hidden.length;
      continue;
    }
    const character = text.charAt(index);
    if (/['"`[]/.test(character)) return undefined;
    if (character === ';') end ??= index;
    else if (/\S/.test(character)) {
      if (end !== undefined) return { first, end, rest: true };
      if (first === '') {
        first = matchAt(WORD, text, index) ?? character;
        index += first.length;
        continue;
      }
    }
    index += 1;
  }
  return { first, end: end ?? text.length, rest: false };
}

function matchAt(pattern: RegExp, text: string, index: number): string | undefined {
  pattern.lastIndex = index;
  return pattern.exec(text)?.[0];
}
