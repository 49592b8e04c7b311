import { visible } from '../diagnostics/escape.ts';
import type { ConfigStep } from '../protocol/link/messages.ts';
import { shownValue, typedKey } from './live-text.ts';
import { printJson, printTable, shownTime } from './output.ts';
import { configOf, type Place, type ReachWorld, refuse, withDesk } from './reach.ts';
import { EXIT, type Terminal } from './terminal.ts';

/** `fedway config list`: every key that is set, or those that begin with `prefix`. */
export function listConfig(place: Place, prefix: string, world: ReachWorld): Promise<number> {
  const { terminal } = world;
  return withDesk(place, world, async (desk) => {
    const config = configOf(desk, place, terminal);
    if (typeof config === 'number') return config;
    const entries = (await config.list())
      .filter(({ key }) => key.startsWith(prefix))
      .toSorted((a, b) => compare(a.key, b.key) || compare(a.box, b.box));
    if (place.json) printJson(terminal, entries);
    else if (entries.length === 0) {
      terminal.err(
        'fedway: no such key is set; what is not set has its default. fedway schema --format settings explains every key.',
      );
    } else {
      printTable(
        terminal,
        ['KEY', 'VALUE', 'BOX', 'REVISION'],
        entries.map(({ key, value, box, revision }) => [key, shownValue(key, value), box, String(revision)]),
      );
    }
    return EXIT.ok;
  });
}

/** `fedway config get`: the value alone; of several boxes that do not have the same one, each. */
export function getConfig(place: Place, written: string, world: ReachWorld): Promise<number> {
  const { terminal } = world;
  const typed = typedKey(written);
  if ('refused' in typed) return Promise.resolve(refuse([typed.refused], place, terminal));
  const { key, standard } = typed;
  return withDesk(place, world, async (desk) => {
    const config = configOf(desk, place, terminal);
    if (typeof config === 'number') return config;
    const entries = (await config.list()).filter((entry) => entry.key === key);
    if (place.json) printJson(terminal, { key, entries, ...(standard === undefined ? {} : { default: standard }) });
    else if (entries.length === 0 && standard !== undefined) {
      terminal.out(shownValue(key, standard));
      terminal.err(`fedway: ${key} is not set; this is its default.`);
    } else {
      const texts = entries.map(({ box, value }) => ({ box, text: visible(shownValue(key, value)) }));
      const isOne = new Set(texts.map(({ text }) => text)).size === 1;
      for (const { box, text } of isOne ? texts.slice(0, 1) : texts) {
        terminal.out(isOne ? text : `${visible(box)}: ${text}`);
      }
    }
    if (entries.length > 0 || standard !== undefined) return EXIT.ok;
    if (!place.json) terminal.err(`fedway: ${key} is not set.`);
    return EXIT.problems;
  });
}

/** `fedway config log`: the newest changes first. */
export function logConfig(place: Place, limit: number, world: ReachWorld): Promise<number> {
  const { terminal } = world;
  return withDesk(place, world, async (desk) => {
    const config = configOf(desk, place, terminal);
    if (typeof config === 'number') return config;
    const changes = await config.log(limit);
    if (place.json) printJson(terminal, changes);
    else if (changes.length === 0) terminal.err('fedway: nothing was ever changed.');
    else {
      for (const { time, box, revision, author, reason, steps } of changes) {
        const why = reason === '' ? '' : `: ${reason}`;
        terminal.out(visible(`${shownTime(time)}  ${box}  revision ${revision}  ${author}${why}`));
        printSteps(steps, terminal);
      }
    }
    return EXIT.ok;
  });
}

function printSteps(steps: readonly ConfigStep[], terminal: Terminal): void {
  for (const step of steps) {
    if ('put' in step) terminal.out(visible(`    ${step.put} = ${shownValue(step.put, step.value)}`));
    else if ('remove' in step) terminal.out(visible(`    ${step.remove} removed`));
    else terminal.out(visible(`    ${step.hide} = (secret)`));
  }
}

/** By code units: the same order everywhere. */
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
