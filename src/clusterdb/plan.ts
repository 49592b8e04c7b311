import { isDeepStrictEqual } from 'node:util';
import type { ConfigChange, ConfigStep, Json } from '../protocol/link/messages.ts';
import { MOST, sizeOfAll, theFirst } from './bounds.ts';
import type { Catalog, ChangeRequest, ChangeStep, Entry, KeyOwner, Snapshot } from './types.ts';

/** Far above any real change; a change is applied, told and replicated in one piece. */
const MAX_STEPS = 10_000;
/** UTF-16 units of a key, an author and a reason, and of a value as JSON. */
const MAX_KEY = 1_000;
const MAX_WORDS = 1_000;
const MAX_VALUE = 32_768;
/** UTF-16 units of all steps as JSON: half of what one message on a Link may have. */
const MAX_CHANGE = 2 * 1024 * 1024;
/** Conflicts of which it is looked up who made them; each look goes back a part of the history. */
const LOOKED_UP = 10;
/** UTF-16 units of a value that is quoted in a sentence. */
const SHOWN_VALUE = 200;

/** A step that changes something, and the entry's place in the file. */
export type PlannedStep =
  | { readonly put: string; readonly value: Json; readonly secret: boolean }
  | { readonly remove: string };

/** What a request comes to. */
export type Plan =
  | { readonly plan: 'write'; readonly steps: readonly PlannedStep[] }
  | { readonly plan: 'unchanged' }
  | { readonly plan: 'conflict'; readonly problems: readonly string[] }
  | { readonly plan: 'refused'; readonly problems: readonly string[] };

/** What a request is judged against. */
export interface PlanContext {
  readonly present: Snapshot;
  readonly catalog: Catalog;
  /** The keys that may be changed here. */
  readonly owns: KeyOwner | 'both';
  /** The last change that touched a key, if the history still has it; `after` is a revision that is not of interest any more. */
  lastChange(key: string, after: number): ConfigChange | undefined;
}

/** Judges a request: first by itself, then against what others have changed, then the configuration that it would make. Pure. */
export function planOf(request: ChangeRequest, context: PlanContext): Plan {
  const read = readSteps(request, context);
  if (read.problems.length > 0) return { plan: 'refused', problems: theFirst(read.problems) };
  const conflicts = conflictsOf(request, context);
  if (conflicts.length > 0) return { plan: 'conflict', problems: theFirst(conflicts) };
  const { entries } = context.present;
  const steps = read.steps.filter((step) =>
    'put' in step ? !isDeepStrictEqual(entries.get(step.put)?.value, step.value) : entries.has(step.remove),
  );
  if (steps.length === 0) return { plan: 'unchanged' };
  const after = entriesAfter(entries, steps, 0);
  const excess = excessOf(entries, after);
  if (excess !== undefined) return { plan: 'refused', problems: [excess] };
  const problems = context.catalog.check(valuesIn(after));
  return problems.length === 0 ? { plan: 'write', steps } : { plan: 'refused', problems };
}

/** The steps of a plan as they are kept and shown: without secrets. */
export function publicSteps(steps: readonly PlannedStep[]): readonly ConfigStep[] {
  return steps.map((step) => {
    if ('remove' in step) return step;
    return step.secret ? { hide: step.put } : { put: step.put, value: step.value };
  });
}

/** A change as other boxes get it: without what stays on its own. */
export function replicatedChange(change: ConfigChange, catalog: Catalog): ConfigChange {
  return { ...change, steps: change.steps.map((step) => replicatedStep(step, catalog)) };
}

/** The same for one step. What is not known here could be a secret. */
export function replicatedStep<S extends ConfigStep>(step: S, catalog: Catalog): S | { readonly hide: string } {
  if (!('put' in step)) return step;
  const kind = catalog.kindOf(step.put);
  return 'refused' in kind || kind.secret || kind.stays === true ? { hide: step.put } : step;
}

/** Entries after a change, as a new map. */
export function entriesAfter(
  before: ReadonlyMap<string, Entry>,
  steps: readonly (PlannedStep | ConfigStep)[],
  revision: number,
): ReadonlyMap<string, Entry> {
  const after = new Map(before);
  for (const step of steps) {
    if ('remove' in step) after.delete(step.remove);
    else if ('hide' in step) after.set(step.hide, { key: step.hide, value: undefined, revision });
    else after.set(step.put, { key: step.put, value: step.value, revision });
  }
  return after;
}

/** The key that a step is about. */
export function keyOf(step: ConfigStep): string {
  if ('put' in step) return step.put;
  return 'remove' in step ? step.remove : step.hide;
}

function readSteps(
  { steps, author, reason, expect }: ChangeRequest,
  { catalog, owns }: PlanContext,
): { readonly steps: readonly PlannedStep[]; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const expected = Object.entries(expect ?? {});
  if (steps.length > MAX_STEPS || expected.length > MAX_STEPS) {
    const what = steps.length > MAX_STEPS ? `steps at most, this one has ${steps.length}` : 'expectations at most';
    return { steps: [], problems: [`A change has ${MAX_STEPS} ${what}. Divide it.`] };
  }
  if (author === '' || author.length > MAX_WORDS) problems.push(`An author is named in 1 to ${MAX_WORDS} characters.`);
  if (reason.length > MAX_WORDS) problems.push(`A reason has ${MAX_WORDS} characters at most. Shorten it.`);
  for (const [key, revision] of expected) {
    if (!Number.isSafeInteger(revision) || revision < 0)
      problems.push(`${key.slice(0, MAX_KEY)}: an expected revision is a number from 0 on.`);
  }
  const seen = new Set<string>();
  const planned: PlannedStep[] = [];
  for (const step of steps) {
    const key = keyOf(step);
    const result = seen.has(key)
      ? { refused: 'it is in the change twice. Name it once.' }
      : readStep(step, catalog, owns);
    seen.add(key);
    if ('refused' in result) problems.push(`${key.slice(0, MAX_KEY)}: ${result.refused}`);
    else planned.push(result);
  }
  if (problems.length === 0 && JSON.stringify(planned).length > MAX_CHANGE) {
    problems.push(`A change has ${MAX_CHANGE} characters at most, written as JSON. Divide it.`);
  }
  return { steps: planned, problems };
}

function readStep(
  step: ChangeStep,
  catalog: Catalog,
  owns: KeyOwner | 'both',
): PlannedStep | { readonly refused: string } {
  const key = keyOf(step);
  if (key.length > MAX_KEY) return { refused: `a key has ${MAX_KEY} characters at most.` };
  const kind = catalog.kindOf(key);
  if ('refused' in kind) return kind;
  if (owns !== 'both' && kind.owner !== owns) {
    return {
      refused: `it belongs to the ${nameOf(kind.owner)}, and this box is the ${nameOf(owns)}. Change it there.`,
    };
  }
  if ('remove' in step) return step;
  const read = kind.read(step.value);
  if ('refused' in read) return read;
  if (JSON.stringify(read.value).length > MAX_VALUE) {
    return { refused: `a value has ${MAX_VALUE} characters at most, written as JSON.` };
  }
  return { put: key, value: read.value, secret: kind.secret };
}

function conflictsOf({ expect }: ChangeRequest, context: PlanContext): readonly string[] {
  const { entries } = context.present;
  const conflicts = Object.entries(expect ?? {}).flatMap(([key, seen]) => {
    const now = entries.get(key)?.revision ?? 0;
    return now === seen ? [] : [{ key, seen, now }];
  });
  return conflicts.map((conflict, index) => conflictSentence(conflict, index < LOOKED_UP ? context : undefined));
}

/** `context`: with it, it is looked up who made the conflict. */
function conflictSentence(
  { key: whole, seen, now }: { readonly key: string; readonly seen: number; readonly now: number },
  context: PlanContext | undefined,
): string {
  const key = whole.slice(0, MAX_KEY);
  const yours = seen === 0 ? 'you saw it unset' : `you saw revision ${seen}`;
  const change = context?.lastChange(whole, now === 0 ? Math.min(seen, context.present.revision) : now - 1);
  if (change === undefined) {
    return `${key}: ${yours}, and now it is ${now === 0 ? 'not set' : `at revision ${now}`}. Look at it again before you change it.`;
  }
  const { revision, author, time, reason } = change;
  const step = change.steps.find((each) => keyOf(each) === whole);
  const why = reason === '' ? '' : `, because: ${reason}`;
  return `${key}: ${yours}, and ${author} ${deedOf(step)} at ${isoTime(time)} (revision ${revision}${why}). Look at it again before you change it.`;
}

function deedOf(step: ConfigStep | undefined): string {
  if (step === undefined || 'remove' in step) return 'removed it';
  if ('hide' in step) return 'set it to another secret';
  const value = JSON.stringify(step.value);
  return `set it to ${value.length > SHOWN_VALUE ? `${value.slice(0, SHOWN_VALUE).toWellFormed()}...` : value}`;
}

/** Why there would be too much; a change that makes it less is welcome, however much there is. */
function excessOf(before: ReadonlyMap<string, Entry>, after: ReadonlyMap<string, Entry>): string | undefined {
  if (after.size > MOST.keys && after.size > before.size)
    return `A configuration has ${MOST.keys.toLocaleString('en-US')} keys at most. Remove some first, or write patterns.`;
  // Each value is bounded, so that few cannot be too much.
  if (after.size * (MAX_KEY + MAX_VALUE) <= MOST.size) return undefined;
  const size = sizeOfAll(after.values());
  return size <= MOST.size || size <= sizeOfAll(before.values())
    ? undefined
    : `A configuration has ${MOST.size.toLocaleString('en-US')} characters at most, written as JSON. Remove some keys first.`;
}

function valuesIn(entries: ReadonlyMap<string, Entry>): ReadonlyMap<string, Json> {
  const values = new Map<string, Json>();
  for (const { key, value } of entries.values()) {
    if (value !== undefined) values.set(key, value);
  }
  return values;
}

function nameOf(owner: KeyOwner): string {
  return owner === 'edge' ? 'Edge' : 'Core';
}

function isoTime(time: number): string {
  return Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : 'an unknown time';
}
