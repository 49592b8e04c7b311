import type { Key, Kind } from './kind.ts';
import type { KeyIndex } from './place.ts';

/** A key of the description and where it stands. Lists add `[]` to the path: `homes[].server.s2s.address`. */
export interface DescribedKey {
  readonly section: string;
  readonly name: string;
  readonly path: string;
  readonly key: Key<unknown>;
}

/** Every key below a kind, each section before what is inside it. */
export function* keysOf(kind: Kind<unknown>, section = ''): Generator<DescribedKey> {
  const { inside } = kind;
  if (inside.form === 'list') yield* keysOf(inside.item, `${section}[]`);
  if (inside.form === 'section' || inside.form === 'one of') {
    for (const [name, key] of Object.entries(inside.keys)) {
      const path = section === '' ? name : `${section}.${name}`;
      yield { section, name, path, key };
      yield* keysOf(key.kind, path);
    }
  }
}

/** In which sections each name is a key. */
export function indexOf(kind: Kind<unknown>): KeyIndex {
  const index = new Map<string, string[]>();
  for (const { section, name } of keysOf(kind)) {
    const sections = index.get(name) ?? [];
    sections.push(section);
    index.set(name, sections);
  }
  return index;
}
