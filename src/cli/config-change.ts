import { randomBytes } from 'node:crypto';
import type { BoxChangeOutcome, ConfigEntry, ConfigOperations, LinkStatus } from '../box/operations.ts';
import type { ChangeRequest, ChangeStep } from '../clusterdb/types.ts';
import { HIDDEN } from '../config/live/kinds.ts';
import { visible } from '../diagnostics/escape.ts';
import {
  entryAt,
  isSecret,
  shownState,
  shownValue,
  staysHere,
  type TypedKey,
  typedKey,
  typedValue,
} from './live-text.ts';
import { printJson } from './output.ts';
import { configOf, type Desk, fail, type Place, type ReachWorld, refuse, withDesk } from './reach.ts';
import { EXIT, type Terminal } from './terminal.ts';

/** What is the same for every change. */
export interface ChangeOptions extends Place {
  readonly reason: string;
  /** The revision of the keys that the author has seen; 0: they were not set. `undefined`: whatever it is. */
  readonly expect: number | undefined;
  /** Of several Edges the one that is changed. */
  readonly edge: string | undefined;
}

export interface ChangeWorld extends ReachWorld {
  /** Who changes things, such as `root@edge-1`. */
  readonly author: string;
  /** The text of a file, or of standard input for `-`; or why there is none. */
  readonly read: (file: string) => Promise<string | { readonly why: string }>;
}

export interface SetOptions extends ChangeOptions {
  /** `KEY VALUE`, or `KEY=VALUE` any number of times. */
  readonly words: readonly string[];
  readonly fromFile: string | undefined;
  readonly generate: boolean;
}

/** `fedway config set`. */
export async function setConfig(options: SetOptions, world: ChangeWorld): Promise<number> {
  const { terminal } = world;
  const assigned = await assignments(options, world);
  if ('usage' in assigned) return fail(assigned.usage, options, terminal);
  if ('refused' in assigned) return refuse(assigned.refused, options, terminal);
  return changeConfig(assigned.steps, options, world);
}

/** `fedway config unset`. */
export async function unsetConfig(
  keys: readonly string[],
  options: ChangeOptions,
  world: ChangeWorld,
): Promise<number> {
  const typed = keys.map(typedKey);
  const refused = typed.flatMap((each) => ('refused' in each ? [each.refused] : []));
  if (refused.length > 0) return refuse(refused, options, world.terminal);
  const steps = typed.flatMap((each) => ('key' in each ? [{ remove: each.key }] : []));
  return changeConfig(steps, options, world);
}

type Assignments =
  | { readonly steps: readonly ChangeStep[] }
  /** What is wrong with the command line. */
  | { readonly usage: string }
  | { readonly refused: readonly string[] };

async function assignments(options: SetOptions, world: ChangeWorld): Promise<Assignments> {
  const { words, fromFile, generate } = options;
  const [first = '', second] = words;
  const pairs = first.includes('=');
  const elsewhere = fromFile !== undefined || generate;
  if (pairs && elsewhere)
    return { usage: '--from-file and --generate are for one key: fedway config set KEY --generate' };
  if (pairs) return eachOf(words);
  const typed = typedKey(first);
  if ('refused' in typed) return { refused: [typed.refused] };
  if (generate && fromFile !== undefined) return { usage: 'choose one of --from-file and --generate.' };
  if (words.length > (elsewhere ? 1 : 2)) {
    return {
      usage: `${visible(words.slice(elsewhere ? 1 : 2).join(' '))} is one word too many. Put a value with spaces in quotes; several keys are written KEY=VALUE.`,
    };
  }
  const text = await valueText(typed, second, options, world);
  if (typeof text !== 'string') return text;
  return one(typed.key, text);
}

async function valueText(
  { key, secret }: TypedKey,
  written: string | undefined,
  { fromFile, generate }: SetOptions,
  world: ChangeWorld,
): Promise<string | Assignments> {
  if (generate) {
    // 256 bits; XEP-0185 asks for a secret that cannot be guessed.
    return secret ? randomBytes(32).toString('hex') : { usage: `${key} is no secret: write its value.` };
  }
  const file = fromFile ?? (written === '-' ? written : undefined);
  if (file !== undefined) {
    const text = await world.read(file);
    // The line break at the end of a file is not part of what it says.
    if (typeof text === 'string') return text.replace(/\r?\n$/, '');
    return { usage: `${file === '-' ? 'standard input' : file} cannot be read: ${text.why}.` };
  }
  if (written === undefined) {
    const how = secret ? '--generate, or --from-file FILE' : 'VALUE';
    return { usage: `${key} needs a value: fedway config set ${key} ${how}` };
  }
  return secret ? { usage: notHere(key) } : written;
}

/** A command line is seen by every process of the machine, and kept by the shell. */
function notHere(key: string): string {
  return `${key} is a secret, and a command line is no place for it. Use --generate, --from-file FILE, or - for standard input.`;
}

function eachOf(words: readonly string[]): Assignments {
  const steps: ChangeStep[] = [];
  const refused: string[] = [];
  for (const word of words) {
    const at = word.indexOf('=');
    if (at === -1) return { usage: `${visible(word)} is not KEY=VALUE.` };
    const typed = typedKey(word.slice(0, at));
    if ('key' in typed && typed.secret) return { usage: notHere(typed.key) };
    const read = 'key' in typed ? one(typed.key, word.slice(at + 1)) : { refused: [typed.refused] };
    if ('refused' in read) refused.push(...read.refused);
    else steps.push(...read.steps);
  }
  return refused.length > 0 ? { refused } : { steps };
}

function one(
  key: string,
  text: string,
): { readonly steps: readonly ChangeStep[] } | { readonly refused: readonly string[] } {
  const read = typedValue(key, text);
  return 'value' in read ? { steps: [{ put: key, value: read.value }] } : { refused: [read.refused] };
}

function changeConfig(steps: readonly ChangeStep[], options: ChangeOptions, world: ChangeWorld): Promise<number> {
  const { terminal, author } = world;
  const { reason, expect, edge } = options;
  return withDesk(options, world, async (desk) => {
    const config = configOf(desk, options, terminal);
    if (typeof config === 'number') return config;
    const request: ChangeRequest = {
      steps,
      author,
      reason,
      ...(expect === undefined ? {} : { expect: Object.fromEntries(steps.map((step) => [keyOf(step), expect])) }),
    };
    return change(request, { desk, config, edge }, options, terminal);
  });
}

/** Where a change is asked for. */
export interface ChangePlace {
  readonly desk: Desk;
  readonly config: ConfigOperations;
  readonly edge: string | undefined;
}

/** Asks for a change, and tells what became of it at each box: what was before and is now, the revision, and where it goes. */
export async function change(
  request: ChangeRequest,
  { desk, config, edge }: ChangePlace,
  place: Place,
  terminal: Terminal,
): Promise<number> {
  const before = await config.list();
  const outcomes = await config.change(request, edge);
  const done = outcomes.every(({ outcome }) => outcome === 'changed' || outcome === 'unchanged');
  if (place.json) printJson(terminal, outcomes);
  else {
    for (const outcome of outcomes) tellOutcome(outcome, request, before, terminal);
    if (!done && desk.folder !== undefined && desk.role !== 'single') {
      terminal.err('fedway: what the other half owns is changed there, or here while both run.');
    }
    if (outcomes.some(({ outcome }) => outcome === 'changed')) await tellFollowers(outcomes, request, desk, terminal);
  }
  return done ? EXIT.ok : EXIT.problems;
}

function tellOutcome(
  outcome: BoxChangeOutcome,
  { steps }: ChangeRequest,
  before: readonly ConfigEntry[],
  terminal: Terminal,
): void {
  const box = visible(outcome.box);
  switch (outcome.outcome) {
    case 'changed':
      terminal.out(`${box}, revision ${outcome.change.revision}:`);
      for (const step of steps) {
        const former = shownState(keyOf(step), entryAt(before, outcome.box, keyOf(step)));
        terminal.out(visible(`  ${keyOf(step)}: ${former} -> ${shownStep(step)}`));
      }
      return;
    case 'unchanged':
      terminal.out(`${box}, revision ${outcome.revision}: nothing to change, it is so already.`);
      return;
    case 'conflict':
    case 'refused':
    case 'unreachable':
      for (const problem of outcome.problems)
        terminal.err(`fedway: ${WORDS[outcome.outcome](box)}: ${visible(problem)}`);
  }
}

const WORDS = {
  conflict: (box: string) => `${box} was changed meanwhile`,
  refused: (box: string) => `${box} refuses`,
  unreachable: (box: string) => `${box} cannot be reached`,
} as const;

/** A change of this box goes over its Links; one of another box comes back over one. */
async function tellFollowers(
  outcomes: readonly BoxChangeOutcome[],
  { steps }: ChangeRequest,
  desk: Desk,
  terminal: Terminal,
): Promise<void> {
  const { link, name, folder } = desk;
  if (link === undefined) return;
  if (!outcomes.some(({ box }) => box === name)) {
    terminal.out(`The replica on ${visible(name)} follows over the Link.`);
    return;
  }
  const links = folder === undefined ? await link.list() : [];
  const up = links.filter(({ state }) => state === 'up');
  const away = links.filter(({ state }) => state === 'down' || state === 'never connected');
  const stays = steps.every((step) => staysHere(keyOf(step)));
  if (up.length > 0) {
    terminal.out(
      stays ? `${named(up)} learns that it is set, and nothing more.` : `Replicated over the Link to ${named(up)}.`,
    );
  }
  if (away.length > 0) terminal.out(`Not connected, and told when they are back: ${named(away)}.`);
  if (folder !== undefined) terminal.out('The other boxes are told when this one runs.');
}

function named(links: readonly LinkStatus[]): string {
  return links.map(({ name }) => visible(name)).join(', ');
}

function shownStep(step: ChangeStep): string {
  if ('remove' in step) return shownState(step.remove, undefined);
  return isSecret(step.put) ? `${HIDDEN}, new` : shownValue(step.put, step.value);
}

/** The key that a step is about. */
export function keyOf(step: ChangeStep): string {
  return 'put' in step ? step.put : step.remove;
}
