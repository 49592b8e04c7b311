import type { ConfigChange, ConfigStep, Json } from '../protocol/link/messages.ts';
import type { Note } from '../protocol/notes.ts';
import { entriesAfter, keyOf } from './plan.ts';
import { type Advance, type Catalog, type Entry, SECRET } from './types.ts';

type ChangedNote = Extract<Note, { readonly note: 'config-changed' }>;

/** What is told of a step of an origin: each key that is another one now. `box` is the name of the box it belongs to, none for this one. */
export function notesOf(advance: Advance, catalog: Catalog, box: string | undefined): readonly Note[] {
  return advance.changes === undefined ? ofReplaced(advance, catalog, box) : ofChanges(advance, catalog, box);
}

/** A change as people read it in the history. */
export function shownChange(change: ConfigChange): ConfigChange {
  return {
    ...change,
    steps: change.steps.map((step) => ('hide' in step ? { put: step.hide, value: SECRET } : step)),
  };
}

function ofChanges({ before, changes = [] }: Advance, catalog: Catalog, box: string | undefined): readonly Note[] {
  let { entries } = before;
  return changes.flatMap(({ steps, revision, author, reason }) => {
    const former = entries;
    entries = entriesAfter(entries, steps, revision);
    const by = { revision, author, reason };
    return steps.map((step) => changed(keyOf(step), former, afterStep(step), { catalog, by, box }));
  });
}

/**
 * A whole replica says what is, not what was changed. What differs from the former copy is told; a first copy is told in one line, with those keys
 * beside it that the reference system would have logged.
 */
function ofReplaced({ before, after }: Advance, catalog: Catalog, box: string | undefined): readonly Note[] {
  const summary: readonly Note[] =
    box === undefined ? [] : [{ note: 'replica-replaced', box, revision: after.revision, entries: after.entries.size }];
  const isFirst = before.entries.size === 0;
  const keys = new Set([...before.entries.keys(), ...after.entries.keys()]);
  const notes = [...keys].flatMap((key) => {
    const entry = after.entries.get(key);
    const former = before.entries.get(key);
    // Of a secret that another box holds, the revision is all that is known.
    const isSame = entry?.value === undefined ? entry?.revision === former?.revision : shown(entry) === shown(former);
    if (isSame) return [];
    const note = changed(key, before.entries, entry, { catalog, by: undefined, box });
    return isFirst && note.reference === undefined ? [] : [note];
  });
  return [...summary, ...notes];
}

interface Telling {
  readonly catalog: Catalog;
  readonly by: ChangedNote['by'];
  readonly box: string | undefined;
}

function changed(
  key: string,
  former: ReadonlyMap<string, Entry>,
  now: { readonly value: Json | undefined } | undefined,
  { catalog, by, box }: Telling,
): ChangedNote {
  const kind = catalog.kindOf(key);
  const was = former.get(key);
  const hidden = 'refused' in kind || kind.secret;
  const reference = hidden ? undefined : referenceOf(kind.told?.(was?.value), kind.told?.(now?.value));
  const show = (entry: { readonly value: Json | undefined } | undefined): string | undefined =>
    entry !== undefined && hidden ? SECRET : shown(entry);
  return { note: 'config-changed', key, from: show(was), to: show(now), by, box, reference };
}

function referenceOf(
  from: { readonly name: string; readonly value: string } | undefined,
  to: { readonly name: string; readonly value: string } | undefined,
): ChangedNote['reference'] {
  if (from === undefined || to === undefined || from.value === to.value) return undefined;
  return { name: to.name, from: from.value, to: to.value };
}

function afterStep(step: ConfigStep): { readonly value: Json | undefined } | undefined {
  if ('remove' in step) return undefined;
  return { value: 'put' in step ? step.value : undefined };
}

function shown(entry: { readonly value: Json | undefined } | undefined): string | undefined {
  if (entry === undefined) return undefined;
  if (entry.value === undefined) return SECRET;
  return typeof entry.value === 'string' ? entry.value : JSON.stringify(entry.value);
}
