import { nearest } from '../nearest.ts';
import { either, type Position, quote, quoteName } from '../problem.ts';
import type { ConfigNode } from '../yaml.ts';
import type { JsonSchema, Key, Kind } from './kind.ts';
import { keyUnder, type Place } from './place.ts';

/** `dial_from` in the file is `dialFrom` in the value. */
type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

export function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

type Keys = Readonly<Record<string, Key<unknown>>>;
type ValueOf<K> = K extends Key<infer T> ? T : never;
type Section<K extends Keys> = { readonly [Name in keyof K & string as CamelCase<Name>]: ValueOf<K[Name]> };

/** A group of keys. Unknown ones are refused, missing ones get their default. Without any value it is an empty group. */
export function section<const K extends Keys>(keys: K): Kind<Section<K>> {
  const names = Object.keys(keys);
  const must = names.filter((name) => keys[name]?.presence.must);
  return {
    words: 'section',
    json: objectSchema(keys, must),
    inside: { form: 'section', keys },
    read(node, place) {
      const entries = entriesOf(node, place, names);
      if (entries === undefined) return undefined;
      const unknown = entries.filter(({ name }) => !Object.hasOwn(keys, name));
      // A key that was meant is not missing as well.
      const meant = new Set(unknown.map(({ name, position }) => refuseUnknown(name, position, names, place)));
      for (const name of meant) if (name !== undefined) place.meant(name);
      const value: Record<string, unknown> = {};
      for (const [name, key] of Object.entries(keys)) {
        const entry = entries.find((candidate) => candidate.name === name);
        if (entry !== undefined) value[camelCase(name)] = present(entry, key, place);
        else value[camelCase(name)] = meant.has(name) ? undefined : absent(name, key, place);
      }
      return Object.freeze(value) as Section<K>;
    },
  };
}

function present(entry: Entry, key: Key<unknown>, place: Place): unknown {
  if (entry.value === undefined) {
    // It was refused as YAML, and is not missing as well.
    place.meant(entry.name);
    return undefined;
  }
  return key.kind.read(entry.value, place.under(entry.name, entry.position, entry.value));
}

function absent(name: string, key: Key<unknown>, place: Place): unknown {
  if (key.presence.must) {
    const { example } = key.presence;
    const shown = place.reading.context.example;
    const cure = example === '' ? `Add the section; ${shown} shows it.` : `Write "${name}: ${example}".`;
    place.reading.tell('error', place.named, keyUnder(place.key, name), 'is missing', cure);
    return undefined;
  }
  if (key.presence.standard === undefined) return key.presence.value;
  const written = nodeOf(key.presence.standard, place.named);
  return key.kind.read(written, place.unwritten(name, written));
}

/** A default as if it had been written at `position`. */
function nodeOf(value: unknown, position: Position): ConfigNode {
  if (Array.isArray(value)) return { kind: 'list', position, items: value.map((item) => nodeOf(item, position)) };
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([name, part]) => ({ name, position, value: nodeOf(part, position) }));
    return { kind: 'map', position, entries };
  }
  return { kind: 'scalar', position, value: value as string | number | boolean | null };
}

type Entry = Extract<ConfigNode, { kind: 'map' }>['entries'][number];

function entriesOf(node: ConfigNode, place: Place, names: readonly string[]): readonly Entry[] | undefined {
  if (node.kind === 'map') return node.entries;
  if (node.kind === 'scalar' && node.value === null) return [];
  const found = node.kind === 'list' ? 'a list' : 'a single value';
  return place.refuse(`is ${found}, expected keys`, `Write keys below it, indented; known here: ${names.join(', ')}.`);
}

/** Says where the key belongs, or what it was probably meant to be, or what there is. The answer is the key of here it was meant to be. */
function refuseUnknown(name: string, position: Position, here: readonly string[], place: Place): string | undefined {
  const where = place.key === '' ? 'at the top level' : `in ${place.key}`;
  const meant = nearest(name, here);
  const key = keyUnder(place.key, quoteName(name));
  place.reading.tell('error', position, key, `there is no such key ${where}`, unknownCure(name, meant, here, place));
  return meant;
}

function unknownCure(name: string, meant: string | undefined, here: readonly string[], place: Place): string {
  const index = place.reading.context.keys;
  if (name === '<<') return 'Merge keys are not part of YAML 1.2: write the keys out.';
  const elsewhere = index.get(name);
  if (elsewhere !== undefined) {
    const other = meant === undefined ? '' : ` Or did you mean "${meant}"?`;
    return `"${name}" belongs ${belongs(elsewhere)}.${other}`;
  }
  if (meant !== undefined) return `Did you mean "${meant}"?`;
  const far = nearest(name, [...index.keys()]);
  if (far !== undefined) return `Did you mean "${far}"? It belongs ${belongs(index.get(far) ?? [])}.`;
  return `Known here: ${here.join(', ')}.`;
}

function belongs(sections: readonly string[]): string {
  return either(sections.map((section) => (section === '' ? 'at the top level' : `under ${section}`)));
}

function objectSchema(keys: Keys, must: readonly string[]): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  for (const [name, { kind, meaning, presence }] of Object.entries(keys)) {
    const standard = presence.must ? undefined : presence.standard;
    properties[name] = { description: meaning, ...kind.json, ...(isPlain(standard) ? { default: standard } : {}) };
  }
  return {
    type: must.length === 0 ? ['object', 'null'] : 'object',
    additionalProperties: false,
    ...(must.length === 0 ? {} : { required: must }),
    properties,
  };
}

/** Whether a default says something: that of a section is only that it may be left out. */
export function isPlain(standard: unknown): boolean {
  return standard !== undefined && (typeof standard !== 'object' || Array.isArray(standard));
}

/** What stands under a key of which exactly one must be written, and which one it is. */
type OneOf<K extends Keys> = {
  [Name in keyof K & string]: { readonly via: Name; readonly value: ValueOf<K[Name]> };
}[keyof K & string];

/** A group of which exactly one key must be written. */
export function oneKeyOf<const K extends Keys>(keys: K): Kind<OneOf<K>> {
  const names = Object.keys(keys);
  return {
    words: `one of ${names.join(', ')}`,
    json: {
      oneOf: Object.entries(keys).map(([name, key]) => ({
        ...objectSchema({ [name]: key }, [name]),
      })),
    },
    inside: { form: 'one of', keys },
    read(node, place) {
      const entries = entriesOf(node, place, names);
      if (entries === undefined) return undefined;
      const known = entries.filter(({ name }) => Object.hasOwn(keys, name));
      for (const entry of entries) if (!known.includes(entry)) refuseUnknown(entry.name, entry.position, names, place);
      const [first, second] = known;
      if (first === undefined) {
        if (entries.length > 0) return undefined;
        return place.refuse('is empty', `Write exactly one of ${names.join(', ')} below it.`);
      }
      const values = known.map((entry) => present(entry, keys[entry.name] ?? unreachable(entry.name), place));
      if (second !== undefined) {
        const cure = `Keep exactly one of ${names.join(', ')}.`;
        const key = keyUnder(place.key, second.name);
        place.reading.tell(
          'error',
          second.position,
          key,
          `cannot stand beside ${first.name} (line ${first.position.line})`,
          cure,
        );
        return undefined;
      }
      if (values[0] === undefined) return undefined;
      return Object.freeze({ via: first.name, value: values[0] }) as OneOf<K>;
    },
  };
}

function unreachable(name: string): never {
  throw new Error(`the key ${name} was known a moment ago`);
}

/** A list. `least` is how many entries it needs. */
export function list<T>(item: Kind<T>, { least = 0 }: { least?: number } = {}): Kind<readonly T[]> {
  const expects = `a list${least > 0 ? ' with at least one entry' : ''}`;
  return {
    words: `list of ${plural(item.words)}`,
    json: { type: 'array', items: item.json, ...(least > 0 ? { minItems: least } : {}) },
    inside: { form: 'list', item },
    read(node, place) {
      if (node.kind !== 'list') return refuseNoList(node, place, expects, least);
      if (node.items.length < least) return place.refuse('is empty', `Write ${expects}.`);
      const values = node.items.map((part, index) =>
        part === undefined ? undefined : item.read(part, place.item(index, part)),
      );
      return Object.freeze(values) as readonly T[];
    },
  };
}

function plural(words: string): string {
  if (!/^[A-Za-z ]+$/.test(words)) return words;
  return words.endsWith('s') ? `${words}es` : `${words}s`;
}

function refuseNoList(node: ConfigNode, place: Place, expects: string, least: number): undefined {
  if (node.kind === 'map')
    return place.refuse(`is a group of keys, expected ${expects}`, 'Start every entry with "- ".');
  if (node.kind === 'scalar' && node.value !== null) {
    return place.refuse(`is a single value, expected ${expects}`, `Put it in brackets: [${quote(node.value)}].`);
  }
  return place.refuse('has no value', least > 0 ? `Write ${expects}.` : 'Write [] for none, or remove the key.');
}

/** A group whose keys are names that are not known beforehand. */
export function names<T>(
  name: { readonly pattern: RegExp; readonly expects: string },
  item: Kind<T>,
): Kind<ReadonlyMap<string, T>> {
  return {
    words: `names, each with ${item.words}`,
    json: {
      type: ['object', 'null'],
      additionalProperties: item.json,
      propertyNames: { pattern: name.pattern.source },
    },
    inside: { form: 'names', item },
    read(node, place) {
      if (node.kind === 'scalar' && node.value === null) return new Map();
      if (node.kind !== 'map')
        return place.refuse('is not a group of keys', `Write "name: value" lines below it; a name is ${name.expects}.`);
      const values = new Map<string, T>();
      for (const entry of node.entries) {
        if (entry.value === undefined) continue;
        const part = place.under(quoteName(entry.name), entry.position, entry.value);
        if (!name.pattern.test(entry.name)) {
          place.reading.tell('error', entry.position, part.key, `is not ${name.expects}`, `Write ${name.expects}.`);
          continue;
        }
        const value = item.read(entry.value, part);
        if (value !== undefined) values.set(entry.name, value);
      }
      return values;
    },
  };
}
