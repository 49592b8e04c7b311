import { type Document, isMap, parseDocument, stringify, type YAMLMap } from 'yaml';
import type { ConfigChange, Json } from '../protocol/link/messages.ts';
import { keyOf } from './plan.ts';
import type { Catalog, ChangeRequest, ChangeStep, Snapshot } from './types.ts';

/** The form of the document. One that an older fedway would misread has a higher number. */
const FORM = 1;
/** UTF-16 units of a document that is read. */
const MAX_TEXT = 16 * 1024 * 1024;
/** Aliases multiply, and depth is recursion. */
const MAX_ALIASES = 100;
const MAX_DEPTH = 32;

export interface ExportOptions {
  readonly catalog: Catalog;
  /** The name of the box, for people. */
  readonly box: string;
  /** Unix milliseconds. */
  readonly time: number;
  /** Whether secrets are written into it as they are. */
  readonly secrets: boolean;
}

/** A configuration as a YAML document that people read, keep, change and import again. */
export function exportText({ origin, revision, entries }: Snapshot, options: ExportOptions): string {
  const { catalog, box, time, secrets } = options;
  const sorted = [...entries.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const written = sorted.filter(({ key, value }) => value !== undefined && (secrets || !isSecret(key, catalog)));
  const leftOut = sorted.filter((entry) => !written.includes(entry)).map(({ key }) => key);
  const remarks = [
    `The configuration of ${oneLine(box)}, exported at ${new Date(time).toISOString()}.`,
    'An import of this file changes what is different in it. What somebody else has changed since this revision is',
    'told as a conflict, and then nothing is changed.',
    ...(secrets ? ['IT CONTAINS SECRETS: keep it where nobody else can read it.'] : []),
    ...(leftOut.length > 0
      ? [`Secrets that are set and left out, and stay as they are: ${leftOut.map(oneLine).join(', ')}`]
      : []),
  ];
  const document = {
    fedway_configuration: FORM,
    box,
    origin,
    revision,
    keys: Object.fromEntries(written.map(({ key, value }) => [key, value])),
  };
  return `${remarks.map((line) => `# ${line}`).join('\n')}\n${stringify(document, { lineWidth: 0 })}`;
}

export interface ImportOptions {
  readonly catalog: Catalog;
  /** What is in force where the file is imported to. */
  readonly present: Snapshot;
  /** What was changed after a revision of the present's origin; `undefined`: nobody remembers. See `Clusterdb.changesSince`. */
  changesSince(revision: number): readonly ConfigChange[] | undefined;
  /** Whether keys that are not in the file are removed; secrets are not. */
  readonly replace: boolean;
}

/** What an import would change. */
export interface ImportPlan {
  readonly steps: readonly ChangeStep[];
  readonly expect: NonNullable<ChangeRequest['expect']>;
}

/**
 * What makes the present what an exported file says, as steps of one change. When the file is of the same database, a key that was changed after
 * the export makes a conflict of it; a file of another database overwrites what is here. Problems are sentences that name the key or the line.
 */
export function readImport(text: string, options: ImportOptions): ImportPlan | { readonly refused: readonly string[] } {
  const file = readFile(text);
  if ('refused' in file) return file;
  const problems: string[] = [];
  const { catalog, present, replace } = options;
  const steps: ChangeStep[] = [];
  for (const [key, value] of file.keys) {
    const kind = catalog.kindOf(key);
    const read = 'refused' in kind ? kind : kind.read(value);
    if ('refused' in read) problems.push(`${key}: ${read.refused}`);
    else if (JSON.stringify(present.entries.get(key)?.value) !== JSON.stringify(read.value))
      steps.push({ put: key, value: read.value });
  }
  if (replace) {
    for (const key of present.entries.keys()) {
      if (!file.keys.has(key) && !isSecret(key, catalog)) steps.push({ remove: key });
    }
  }
  return problems.length > 0 ? { refused: problems } : { steps, expect: expectationsOf(steps, file, options) };
}

/** For each key the revision that the author of the file has seen. */
function expectationsOf(steps: readonly ChangeStep[], file: ConfigFile, options: ImportOptions): ImportPlan['expect'] {
  const { present } = options;
  const isOfHere = file.origin === present.origin && file.revision <= present.revision;
  const since = isOfHere ? (options.changesSince(file.revision) ?? []) : [];
  const removed = new Set(
    since.flatMap(({ steps }) => steps.flatMap((step) => ('remove' in step ? [step.remove] : []))),
  );
  return Object.fromEntries(
    steps.map((step) => {
      const key = keyOf(step);
      const now = present.entries.get(key)?.revision ?? 0;
      const isChangedSince = isOfHere && (now > file.revision || (now === 0 && removed.has(key)));
      return [key, isChangedSince ? file.revision : now];
    }),
  );
}

/** What a document says. `revision` is of `origin`; a document without them was written by hand. */
interface ConfigFile {
  readonly origin: string | undefined;
  readonly revision: number;
  readonly keys: ReadonlyMap<string, Json>;
}

function readFile(text: string): ConfigFile | { readonly refused: readonly string[] } {
  if (text.length > MAX_TEXT) return refused(`The file has more than ${MAX_TEXT} characters. Divide it.`);
  const document = parseDocument(text, { version: '1.2', logLevel: 'error', prettyErrors: true });
  if (document.errors.length > 0) {
    return { refused: document.errors.slice(0, 5).map(({ message }) => `The file is no YAML: ${firstLine(message)}`) };
  }
  const keys = document.get('keys');
  if (!isMap(document.contents) || document.get('fedway_configuration') === undefined || !isMap(keys)) {
    return refused(
      'The file is no export of a configuration: it begins with "fedway_configuration: 1" and has "keys:". Export one to see the form.',
    );
  }
  if (document.get('fedway_configuration') !== FORM) {
    return refused(
      `The file is of the form ${String(document.get('fedway_configuration'))}, and this fedway knows ${FORM}. Import it with the fedway that exported it.`,
    );
  }
  const origin = document.get('origin');
  const revision = document.get('revision');
  const values = valuesOf(keys, document);
  if (values === undefined)
    return refused(
      'The file has a value that refers to others too often, or one that is no text, number, list or the like.',
    );
  return {
    origin: typeof origin === 'string' ? origin : undefined,
    revision: typeof revision === 'number' && Number.isSafeInteger(revision) && revision >= 0 ? revision : 0,
    keys: values,
  };
}

/** The values under the keys, if all of them are such as JSON can have. */
function valuesOf(keys: YAMLMap, document: Document.Parsed): ReadonlyMap<string, Json> | undefined {
  let values: unknown;
  try {
    values = keys.toJS(document, { mapAsMap: true, maxAliasCount: MAX_ALIASES });
  } catch (error) {
    // What `yaml` throws for an alias without an anchor, and for aliases that multiply.
    if (error instanceof ReferenceError) return undefined;
    throw error;
  }
  const members = values instanceof Map ? jsonMembers(values, 0) : undefined;
  return members === undefined ? undefined : new Map(members);
}

function jsonOf(value: unknown, depth: number): Json | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (depth > MAX_DEPTH) return undefined;
  if (Array.isArray(value)) {
    const items = value.map((item) => jsonOf(item, depth + 1));
    return items.includes(undefined) ? undefined : (items as Json[]);
  }
  const members = value instanceof Map ? jsonMembers(value, depth + 1) : undefined;
  return members === undefined ? undefined : Object.fromEntries(members);
}

function jsonMembers(map: ReadonlyMap<unknown, unknown>, depth: number): readonly [string, Json][] | undefined {
  const members: [string, Json][] = [];
  for (const [name, value] of map) {
    const json = jsonOf(value, depth);
    if (json === undefined || (typeof name !== 'string' && typeof name !== 'number')) return undefined;
    members.push([String(name), json]);
  }
  return members;
}

function isSecret(key: string, catalog: Catalog): boolean {
  const kind = catalog.kindOf(key);
  return !('refused' in kind) && kind.secret;
}

function refused(problem: string): { readonly refused: readonly string[] } {
  return { refused: [problem] };
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.replace(/:$/, '.') ?? text;
}

/** A name in a comment does not leave its line. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
}
