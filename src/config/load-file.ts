import { dirname, resolve } from 'node:path';
import type { Draft } from './checks/draft.ts';
import { inFileOrder, type Position, type Problem } from './problem.ts';
import type { Kind } from './schema/kind.ts';
import { type KeyIndex, Place, Reading, type ReadingContext } from './schema/place.ts';
import { machine, type Surroundings } from './surroundings.ts';
import { readYaml } from './yaml.ts';

/** What reading a file came to. Problems stand in the order of the file. */
export type FileResult<C> =
  | { readonly outcome: 'loaded'; readonly config: C; readonly warnings: readonly Problem[] }
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

/** A kind of boot file: `F` is what its text says, `C` the configuration that follows from it. */
export interface FileDescription<F, C> {
  readonly schema: Kind<F>;
  /** In which sections each name is a key. */
  readonly keys: KeyIndex;
  /** A commented file to start from, as messages name it. */
  readonly example: string;
  /** Everything that takes more than one key to see. */
  readonly check: (file: Draft<F>, reading: Reading) => void;
  /** With what follows from other keys, and from the machine. `path` is absolute. */
  readonly complete: (path: string, file: F, surroundings: Surroundings) => C;
}

/** No boot file is larger; whatever is, is something else. */
const LARGEST_FILE = 4 * 1024 ** 2;

/** Reads, checks and completes a boot file. `path` may be relative to the working directory; messages name it as it is given. Never throws. */
export function loadFile<F, C>(
  path: string,
  description: FileDescription<F, C>,
  options: LoadOptions = {},
): FileResult<C> {
  const { surroundings = machine, rehearsal = false } = options;
  const { keys, example } = description;
  const absolute = resolve(path);
  const bytes = surroundings.read(absolute, LARGEST_FILE);
  if (!(bytes instanceof Uint8Array)) {
    const where = absolute === path ? '' : ` (${absolute})`;
    return {
      outcome: 'unreadable',
      reason: `the boot file ${path}${where} cannot be read: ${bytes.why}`,
      cure: `Name another one with --config; ${example} is a commented one to start from.`,
    };
  }
  const context = { path, directory: dirname(absolute), surroundings, rehearsal, keys, example };
  return readBytes(bytes, absolute, description, context);
}

function readBytes<F, C>(
  bytes: Uint8Array,
  path: string,
  description: FileDescription<F, C>,
  context: ReadingContext,
): FileResult<C> {
  const reading = new Reading(context);
  const text = decode(bytes, reading);
  const file = text === undefined ? undefined : readText(text, description, reading);
  const problems = inFileOrder(reading.problems);
  if (file === undefined || problems.some(({ severity }) => severity === 'error'))
    return { outcome: 'refused', problems };
  // Without an error nothing was left out of the file's value.
  return { outcome: 'loaded', config: description.complete(path, file, context.surroundings), warnings: problems };
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

function readText<F, C>(
  text: string,
  { schema, check, example }: FileDescription<F, C>,
  reading: Reading,
): F | undefined {
  const { root, faults } = readYaml(text);
  for (const { position, key, reason, cure } of faults) reading.tell('error', position, key, reason, cure);
  const start = `${example} is a commented one to start from.`;
  if (root === undefined) {
    if (faults.length === 0) reading.tell('error', { line: 1, column: 1 }, '', 'the file is empty', start);
    return undefined;
  }
  if (root.kind !== 'map') {
    const found = root.kind === 'list' ? 'a list' : 'a single value';
    reading.tell('error', root.position, '', `the file is ${found}, expected keys`, start);
    return undefined;
  }
  const file = schema.read(root, new Place(reading, '', root.position, root));
  // A value with `undefined` in place of what was refused: that is what a draft is.
  if (file !== undefined) check(file as Draft<F>, reading);
  return file;
}
