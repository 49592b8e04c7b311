import type { ConfigEntry, ConfigOperations } from '../box/operations.ts';
import { exportText, type ImportPlan, readImport } from '../clusterdb/export.ts';
import { type Entry, type KeyOwner, SECRET, type Snapshot } from '../clusterdb/types.ts';
import type { BootConfig } from '../config/boot.ts';
import { liveCatalog } from '../config/live/catalog.ts';
import { importOfBootFile } from '../config/live/from-boot-file.ts';
import type { LoadResult } from '../config/load.ts';
import { printProblem } from '../config/problem.ts';
import { visible } from '../diagnostics/escape.ts';
import type { ConfigChange } from '../protocol/link/messages.ts';
import { counted } from './check.ts';
import { type ChangeOptions, type ChangeWorld, change, keyOf } from './config-change.ts';
import { entryAt, isSecret, shownState, shownValue, typedKey } from './live-text.ts';
import { printJson } from './output.ts';
import { configOf, type DataDesk, type Desk, fail, type Place, refuse, withDesk } from './reach.ts';
import { EXIT, type Terminal } from './terminal.ts';

export interface TransferWorld extends ChangeWorld {
  readonly now: () => number;
  /** Reads a boot file with its secrets. */
  readonly loadWhole: (path: string) => LoadResult;
  /** Writes a file that only its owner reads; or says why not. */
  readonly write: (file: string, text: string) => Promise<{ readonly why: string } | undefined>;
}

export interface ExportOptions extends Place {
  /** `undefined`: standard output. */
  readonly file: string | undefined;
  readonly withSecrets: boolean;
}

/** `fedway config export`: what this box owns, as a document to read, keep, change and import. */
export async function exportConfig(options: ExportOptions, world: TransferWorld): Promise<number> {
  const { terminal } = world;
  return options.withSecrets
    ? exportSealed(options, world)
    : withDesk(options, world, async (desk) => {
        const config = configOf(desk, options, terminal);
        if (typeof config === 'number') return config;
        const { present } = await presentOf(config, desk.name);
        return handOut(present, desk.name, options, world);
      });
}

/** Secrets leave fedway only through the files: who may read those has them already. */
async function exportSealed(options: ExportOptions, world: TransferWorld): Promise<number> {
  const { terminal, load } = world;
  const result = load(options.config);
  if (result.outcome !== 'loaded' || result.config.data === undefined) {
    const why = 'secrets are read from the data folder, and no boot file says where that is. Name one with --config.';
    return fail(why, options, terminal);
  }
  const boot: BootConfig = result.config;
  const data = await world.openData(boot, 'shared');
  if ('refused' in data) return fail(data.refused, options, terminal);
  const present = snapshotOf(data);
  return handOut(present, boot.name, options, world);
}

function snapshotOf(data: DataDesk): Snapshot {
  try {
    return data.snapshot();
  } finally {
    data.close();
  }
}

async function handOut(present: Snapshot, box: string, options: ExportOptions, world: TransferWorld): Promise<number> {
  const { terminal, now } = world;
  const { file, withSecrets: secrets, json } = options;
  const text = json
    ? JSON.stringify(
        { box, origin: present.origin, revision: present.revision, keys: keysOf(present, secrets) },
        null,
        2,
      )
    : exportText(present, { catalog: liveCatalog, box, time: now(), secrets }).trimEnd();
  if (file === undefined) {
    for (const line of text.split('\n')) terminal.out(line);
    return EXIT.ok;
  }
  const failed = await world.write(file, `${text}\n`);
  if (failed !== undefined) return fail(`${file} cannot be written: ${failed.why}.`, options, terminal);
  terminal.err(`fedway: wrote the configuration of ${box}, revision ${present.revision}, to ${file}.`);
  return EXIT.ok;
}

function keysOf({ entries }: Snapshot, secrets: boolean): object {
  const shown = [...entries.values()].filter(({ key }) => secrets || !isSecret(key));
  return Object.fromEntries(shown.map(({ key, value }) => [key, value]));
}

export interface ImportOptions extends ChangeOptions {
  readonly file: string;
  /** The file is the boot file of a single box from before it had a data folder. */
  readonly boot: boolean;
  readonly replace: boolean;
  readonly dryRun: boolean;
}

/** `fedway config import`: makes the configuration what a file says, in one change. */
export async function importConfig(options: ImportOptions, world: TransferWorld): Promise<number> {
  const { terminal, author } = world;
  const text = options.boot ? bootText(options.file, world) : await world.read(options.file);
  if (typeof text !== 'string') {
    if ('refused' in text) return refuse(text.refused, options, terminal);
    return fail(`${options.file} cannot be read: ${text.why}.`, options, terminal);
  }
  return withDesk(options, world, async (desk) => {
    const config = configOf(desk, options, terminal);
    if (typeof config === 'number') return config;
    const entries = await config.list();
    const box = targetOf(text, desk, entries, options);
    if (typeof box !== 'string') return refuse(box.refused, options, terminal);
    const { present, changes } = await presentOf(config, box);
    const plan = readImport(text, {
      catalog: liveCatalog,
      present,
      changesSince: (revision) => changes.filter((each) => each.revision > revision),
      replace: options.replace,
    });
    if ('refused' in plan) return refuse(plan.refused, options, terminal);
    if (options.dryRun) return tellPlan(plan, box, entries, options, terminal);
    if (plan.steps.length === 0 && !options.json) {
      terminal.out(`${visible(box)}: nothing to change, it is so already.`);
      return EXIT.ok;
    }
    const reason = options.reason === '' ? `import of ${options.file}` : options.reason;
    const edge = box === desk.name ? undefined : box;
    return change({ ...plan, author, reason }, { desk, config, edge }, options, terminal);
  });
}

type Refused = { readonly refused: readonly string[] };

/** A boot file as if it had been exported. */
function bootText(file: string, { loadWhole }: TransferWorld): string | Refused {
  const result = loadWhole(file);
  if (result.outcome === 'unreadable') return { refused: [`${result.reason}. ${result.cure}`] };
  if (result.outcome === 'refused') return { refused: result.problems.map(printProblem) };
  const imported = importOfBootFile(result.config);
  if ('refused' in imported) return { refused: [imported.refused] };
  return JSON.stringify({ fedway_configuration: 1, keys: Object.fromEntries(imported.values) });
}

/** The box whose keys a file has: this one, or the one it is linked with. */
function targetOf(
  text: string,
  desk: Desk,
  entries: readonly ConfigEntry[],
  { edge }: ImportOptions,
): string | Refused {
  const empty: Snapshot = { origin: '', revision: 0, entries: new Map() };
  const read = readImport(text, {
    catalog: liveCatalog,
    present: empty,
    changesSince: () => undefined,
    replace: false,
  });
  if ('refused' in read) return read;
  const owners = new Set(read.steps.map((step) => ownerOf(keyOf(step))));
  if (desk.role === 'single' || owners.size === 0 || (owners.size === 1 && owners.has(desk.role))) return desk.name;
  if (owners.size > 1) {
    return {
      refused: [
        'the file has keys of an Edge and of a Core (homes.*). A change is made on one box: divide the file, and import each part.',
      ],
    };
  }
  const others = [...new Set(entries.map(({ box }) => box))].filter((box) => box !== desk.name);
  const [only] = others;
  if (edge !== undefined) return edge;
  if (only !== undefined && others.length === 1) return only;
  return {
    refused: [
      others.length === 0
        ? `the keys of the file belong to the other half, and ${desk.name} knows none that is linked. Import it there.`
        : `the keys of the file belong to another box. Say which with --edge: ${others.join(', ')}.`,
    ],
  };
}

function ownerOf(key: string): KeyOwner | undefined {
  const typed = typedKey(key);
  return 'key' in typed ? typed.owner : undefined;
}

/** More changes than a box remembers. */
const WHOLE_LOG = 100_000;

/** What a box has, as far as an administrator sees it: a secret is there, and its value is not. */
async function presentOf(
  config: ConfigOperations,
  box: string,
): Promise<{ readonly present: Snapshot; readonly changes: readonly ConfigChange[] }> {
  const entries = (await config.list()).filter((entry) => entry.box === box);
  const changes = (await config.log(WHOLE_LOG)).filter((each) => each.box === box);
  const revisions = [...entries, ...changes].map(({ revision }) => revision);
  const present: Snapshot = {
    origin: changes[0]?.origin ?? '',
    // One by one: there may be more than a call takes arguments.
    revision: revisions.reduce((most, each) => Math.max(most, each), 0),
    entries: new Map(entries.map(({ key, value, revision }): [string, Entry] => [key, { key, value, revision }])),
  };
  return { present, changes };
}

/** What an import would do. */
function tellPlan(
  { steps }: ImportPlan,
  box: string,
  entries: readonly ConfigEntry[],
  place: Place,
  terminal: Terminal,
): number {
  if (place.json) {
    printJson(terminal, {
      box,
      steps: steps.map((step) => (isSecret(keyOf(step)) ? { ...step, value: SECRET } : step)),
    });
    return EXIT.ok;
  }
  for (const step of steps) {
    const key = keyOf(step);
    const after = 'put' in step ? shownValue(key, isSecret(key) ? SECRET : step.value) : shownState(key, undefined);
    terminal.out(visible(`${box}: ${key}: ${shownState(key, entryAt(entries, box, key))} -> ${after}`));
  }
  terminal.err(`fedway: ${counted(steps.length, 'change') || 'no change'}; nothing was done (--dry-run).`);
  return EXIT.ok;
}
