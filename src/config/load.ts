import { dirname, resolve } from 'node:path';
import type { BootConfig } from './boot.ts';
import { type BootFile, bootSchema } from './boot-schema.ts';
import { checkBoot } from './checks/check.ts';
import { adminSocketIn } from './checks/link.ts';
import { isEvery } from './checks/listeners.ts';
import { inFileOrder, type Position, type Problem } from './problem.ts';
import { Place, Reading, type ReadingContext } from './schema/place.ts';
import { indexOf } from './schema/walk.ts';
import { machine, type Surroundings } from './surroundings.ts';
import { readYaml } from './yaml.ts';

/** What reading a boot file came to. Problems stand in the order of the file. */
export type LoadResult =
  | { readonly outcome: 'loaded'; readonly config: BootConfig; readonly warnings: readonly Problem[] }
  /** At least one problem is an error. */
  | { readonly outcome: 'refused'; readonly problems: readonly Problem[] }
  /** There is no text to find problems in. `reason` is a sentence without its full stop, `cure` sentences. */
  | { readonly outcome: 'unreadable'; readonly reason: string; readonly cure: string };

export interface LoadOptions {
  /** Where the files and variables are that the boot file points to; default: this machine. */
  readonly surroundings?: Surroundings;
  /**
   * The configuration is checked and not run: environment variables and credentials that only the service has may be absent.
   * Their secrets are empty in the value.
   */
  readonly rehearsal?: boolean;
}

/** No boot file is larger; whatever is, is something else. */
const LARGEST_FILE = 4 * 1024 ** 2;

const KEYS = indexOf(bootSchema);

/** Reads, checks and completes a boot file. `path` may be relative to the working directory; messages name it as it is given. */
export function loadBootFile(path: string, options: LoadOptions = {}): LoadResult {
  const { surroundings = machine, rehearsal = false } = options;
  const absolute = resolve(path);
  const bytes = surroundings.read(absolute, LARGEST_FILE);
  if (!(bytes instanceof Uint8Array)) {
    const where = absolute === path ? '' : ` (${absolute})`;
    return {
      outcome: 'unreadable',
      reason: `the boot file ${path}${where} cannot be read: ${bytes.why}`,
      cure: 'Name another one with --config; fedway.example.yaml is a commented one to start from.',
    };
  }
  const context = { path, directory: dirname(absolute), surroundings, rehearsal, keys: KEYS };
  return readBootFile(bytes, absolute, context);
}

/** The same without the reading: `bytes` are the boot file's. Never throws, whatever they are. */
function readBootFile(bytes: Uint8Array, path: string, context: ReadingContext): LoadResult {
  const reading = new Reading(context);
  const text = decode(bytes, reading);
  const file = text === undefined ? undefined : readBootText(text, reading);
  const problems = inFileOrder(reading.problems);
  if (file === undefined || problems.some(({ severity }) => severity === 'error'))
    return { outcome: 'refused', problems };
  // Without an error nothing was left out of the file's value.
  return { outcome: 'loaded', config: complete(path, file, context.surroundings), warnings: problems };
}

/** With what follows from other keys, and from the machine. */
function complete(path: string, file: BootFile, surroundings: Surroundings): BootConfig {
  const { data, link } = file;
  const [first] = link.listen;
  const address = link.address ?? (first === undefined || isEvery(first.host) ? undefined : first);
  return Object.freeze({
    path,
    ...file,
    name: file.name ?? boxName(surroundings.hostName()),
    adminSocket: file.adminSocket ?? (data === undefined ? undefined : adminSocketIn(data)),
    link: Object.freeze({ ...link, address }),
  });
}

/** The first label of a host name, with what a box name may not have as hyphens. */
function boxName(hostName: string): string {
  const label = hostName.split('.')[0] ?? '';
  return label.replaceAll(/[^A-Za-z0-9-]/g, '-').slice(0, 63) || 'fedway';
}

function decode(bytes: Uint8Array, reading: Reading): string | undefined {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    return decoder.decode(bytes);
  } catch {
    reading.tell(
      'error',
      firstBadLine(bytes),
      '',
      'the file is not UTF-8 from this line on',
      'Save it in the encoding UTF-8.',
    );
    return undefined;
  }
}

function firstBadLine(bytes: Uint8Array): Position {
  const lenient = new TextDecoder('utf-8', { ignoreBOM: true });
  let line = 1;
  for (let start = 0; start < bytes.length; line += 1) {
    const found = bytes.indexOf(0x0a, start);
    const end = found === -1 ? bytes.length : found;
    const part = bytes.subarray(start, end);
    // What is not UTF-8 comes back as U+FFFD, which is other bytes.
    if (!Buffer.from(lenient.decode(part)).equals(part)) break;
    start = end + 1;
  }
  return { line, column: 1 };
}

const EXAMPLE = 'fedway.example.yaml is a commented one to start from.';

function readBootText(text: string, reading: Reading): BootFile | undefined {
  const { root, faults } = readYaml(text);
  for (const { position, key, reason, cure } of faults) reading.tell('error', position, key, reason, cure);
  if (root === undefined) {
    if (faults.length === 0) reading.tell('error', { line: 1, column: 1 }, '', 'the file is empty', EXAMPLE);
    return undefined;
  }
  if (root.kind !== 'map') {
    const found = root.kind === 'list' ? 'a list' : 'a single value';
    reading.tell('error', root.position, '', `the file is ${found}, expected keys`, EXAMPLE);
    return undefined;
  }
  const file = bootSchema.read(root, new Place(reading, '', root.position, root));
  if (file !== undefined) checkBoot(file, reading);
  return file;
}
