import type { Severity } from '../protocol/notes.ts';
import { SEVERITIES } from '../protocol/notes.ts';
import { NOTE_NAMES, ROWS } from './describe.ts';
import type { Module, NoteName } from './row.ts';
import { MODULES } from './row.ts';

/** What is written: everything at least as urgent as `level`, other levels for modules and whatever is below their names. */
export interface LogLevels {
  readonly level: Severity;
  /** By dotted name; the most specific name that is a module, or is above it, wins. */
  readonly modules: ReadonlyMap<string, Severity>;
}

/** The name that administrators of the reference system know for what is here `s2s`, `dns`, `routing` and `component`. */
const FEDERATION = 'developer.xcp.federation';

const RANKS = Object.fromEntries(SEVERITIES.map((severity, rank) => [severity, rank])) as Readonly<
  Record<Severity, number>
>;

/** Whether `severity` is written where `level` is set. */
export function isWithin(severity: Severity, level: Severity): boolean {
  return RANKS[severity] <= RANKS[level];
}

/** Every name that `modules` may use: modules, the names above them, and the reference system's name for federation. */
export const MODULE_NAMES: readonly string[] = [...new Set([...MODULES.flatMap(namesAbove), FEDERATION])];

/** The level that holds for a module. */
export function levelOf(module: Module, levels: LogLevels): Severity {
  const name = namesAbove(module).find((name) => levels.modules.has(name));
  return (name === undefined ? undefined : levels.modules.get(name)) ?? federationLevel(module, levels) ?? levels.level;
}

function federationLevel(module: Module, levels: LogLevels): Severity | undefined {
  return /^(?:s2s\.|dns$|routing$|component$)/.test(module) ? levels.modules.get(FEDERATION) : undefined;
}

/** The level that holds for each kind of note. */
export function levelsByNote(levels: LogLevels): Readonly<Record<NoteName, Severity>> {
  const entries = NOTE_NAMES.map((name) => [name, levelOf(ROWS[name].module, levels)] as const);
  return Object.fromEntries(entries) as Record<NoteName, Severity>;
}

/** `a.b.c` → `a.b.c`, `a.b`, `a`. */
function namesAbove(module: string): readonly string[] {
  const parts = module.split('.');
  return parts.map((_part, index) => parts.slice(0, parts.length - index).join('.'));
}
