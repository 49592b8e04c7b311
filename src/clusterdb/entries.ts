import type { ConfigStep, Json } from '../protocol/link/messages.ts';
import type { PlannedStep } from './plan.ts';
import { keyOf } from './plan.ts';
import type { Seal } from './seal.ts';
import type { StoredEntry, StoredOrigin, Tables } from './tables.ts';
import type { Catalog, Entry, KeyOwner, Snapshot } from './types.ts';

/** An entry that is in the file and not in force, and why: a sentence. It stays in the file, for the fedway that can use it. */
export interface LeftOut {
  readonly key: string;
  readonly because: string;
}

/** An origin as it was read from the file. */
export interface Loaded {
  readonly snapshot: Snapshot;
  readonly leftOut: readonly LeftOut[];
  /** Of the snapshot's revision, if it is known: another history that came to the same revision has another one. */
  readonly digest: string | undefined;
  /** The first secret that does not open, in a sentence. */
  readonly sealedFault: string | undefined;
}

/** Reads one origin. `owns` bounds what is taken of it: the keys of this box, or all of a replica. */
export function load({ origin, revision }: StoredOrigin, { tables, seal, catalog, owns }: LoadContext): Loaded {
  const entries = new Map<string, Entry>();
  const leftOut: LeftOut[] = [];
  let sealedFault: string | undefined;
  for (const stored of tables.entries(origin)) {
    const opened = valueOf(stored, origin, seal);
    if ('refused' in opened) sealedFault ??= opened.refused;
    const judged = 'refused' in opened ? opened : judge(stored.key, opened.value, catalog, owns);
    if ('refused' in judged) leftOut.push({ key: stored.key, because: judged.refused });
    else entries.set(stored.key, { key: stored.key, value: judged.value, revision: stored.revision });
  }
  return { snapshot: { origin, revision, entries }, leftOut, digest: tables.digest(origin, revision), sealedFault };
}

/** An origin that nothing is there of. */
export function emptyOf(origin: string): Snapshot {
  return { origin, revision: 0, entries: new Map() };
}

export interface LoadContext {
  readonly tables: Tables;
  readonly seal: Seal;
  readonly catalog: Catalog;
  readonly owns: KeyOwner | 'both';
}

/** Writes what a plan changes. A sentence when there is a secret and no key to seal it with; then the transaction is to be rolled back. */
export function writePlanned(
  steps: readonly PlannedStep[],
  origin: string,
  revision: number,
  { tables, seal }: { readonly tables: Tables; readonly seal: Seal },
): { readonly refused: string } | undefined {
  for (const step of steps) {
    if ('remove' in step) {
      tables.removeEntry(origin, step.remove);
      continue;
    }
    const key = step.put;
    const value = JSON.stringify(step.value);
    if (step.secret) {
      const locked = seal.unlockOrMake();
      if (locked !== undefined) return locked;
      tables.putEntry(origin, { key, value: null, sealed: seal.seal(value, { origin, key }), revision });
    } else {
      tables.putEntry(origin, { key, value, sealed: null, revision });
    }
  }
  return undefined;
}

/** Writes what the owner of a replica has changed. */
export function writeReplicated(steps: readonly ConfigStep[], origin: string, revision: number, tables: Tables): void {
  for (const step of steps) {
    if ('remove' in step) tables.removeEntry(origin, step.remove);
    else writeReplica({ key: keyOf(step), value: 'put' in step ? step.value : undefined, revision }, origin, tables);
  }
}

/** Writes one entry of a replica; a secret has no value there. */
export function writeReplica({ key, value, revision }: Entry, origin: string, tables: Tables): void {
  tables.putEntry(origin, {
    key,
    value: value === undefined ? null : JSON.stringify(value),
    sealed: null,
    revision,
  });
}

/** Whether a key and its value are any for this catalog and this owner, and the value in its normal form; `undefined` is a hidden secret. */
export function judge(
  key: string,
  value: Json | undefined,
  catalog: Catalog,
  owner: KeyOwner | 'both',
): { readonly value: Json | undefined } | { readonly refused: string } {
  const kind = catalog.kindOf(key);
  if ('refused' in kind) return kind;
  if (owner !== 'both' && kind.owner !== owner) {
    return { refused: `it belongs to the ${kind.owner === 'edge' ? 'Edge' : 'Core'}.` };
  }
  if (value !== undefined) return kind.read(value);
  return kind.secret || kind.stays === true ? { value } : { refused: 'its value is missing.' };
}

function valueOf(
  { key, value, sealed }: StoredEntry,
  origin: string,
  seal: Seal,
): { readonly value: Json | undefined } | { readonly refused: string } {
  if (sealed === null) return { value: value === null ? undefined : (JSON.parse(value) as Json) };
  const opened = seal.open(sealed, { origin, key });
  return 'refused' in opened ? opened : { value: JSON.parse(opened.plaintext) as Json };
}
