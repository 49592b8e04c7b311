/** A place in the boot file; both count from 1, columns in UTF-16 units as editors do. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Something wrong, or doubtful, in the boot file. With an error fedway does not start; a warning is told and no more. */
export interface Problem extends Position {
  readonly severity: 'error' | 'warning';
  /** The boot file, as it was named to fedway. */
  readonly path: string;
  /** The key as in the file, from the top: `homes[0].server.s2s.address`; `''` when it concerns the file as a whole. */
  readonly key: string;
  /** What is wrong: completes the line, no full stop. Holds no secret. */
  readonly reason: string;
  /** What to do about it: sentences. */
  readonly cure: string;
}

/** One line: `fedway.yaml:12:5: s2s.tls: "requird" is not one of required, optional, none. Write "required" to insist on TLS.` */
export function printProblem(problem: Problem): string {
  const { path, line, column, key, reason, cure } = problem;
  const severity = problem.severity === 'warning' ? 'warning: ' : '';
  const subject = key === '' ? '' : `${key}: `;
  return `${path}:${line}:${column}: ${severity}${subject}${reason}. ${cure}`;
}

/** The order of the file, so that an administrator walks through it once. */
export function inFileOrder(problems: readonly Problem[]): readonly Problem[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
}

/** How much of a value is repeated in a message. */
const QUOTED = 60;

/**
 * A value of the file as a message may repeat it: strings in quotes and cut, with every control and format character escaped,
 * so that a message is one line and cannot drive a terminal.
 */
export function quote(value: string | number | boolean | null, most = QUOTED): string {
  if (typeof value !== 'string') return String(value);
  const cut = value.length > most ? `${value.slice(0, most)}…` : value;
  return JSON.stringify(cut).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}

/** A path, in full: nobody can do anything with half of one. */
export function quotePath(path: string): string {
  return quote(path, 4096);
}

/** A name for a key path: as it is when it is plain, else quoted. */
export function quoteName(name: string): string {
  return /^[\w-]{1,60}$/.test(name) ? name : quote(name);
}

/** `a`, `a or b`, `a, b or c`. */
export function either(names: readonly string[]): string {
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1) ?? ''}`;
}
