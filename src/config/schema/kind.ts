import type { ConfigNode } from '../yaml.ts';
import type { Place } from './place.ts';

/** As much of JSON Schema (draft-07, which editors know best) as is needed. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/**
 * A kind of value: how it is read, and what is said of it in the reference and to editors. The configuration is described once, in
 * kinds; validation, defaults, JSON Schema and reference page come from the same description.
 */
export interface Kind<T> {
  /** For the reference's type column: `duration`, `list of domains`. */
  readonly words: string;
  readonly json: JsonSchema;
  /** What is inside, for those who walk through the description. */
  readonly inside: Inside;
  /**
   * The value, or `undefined` after `place.refuse` said why there is none. A section with refused parts is still given, with
   * `undefined` in their place: the reading as a whole has failed then, but the checks can look at the rest.
   */
  read(node: ConfigNode, place: Place): T | undefined;
}

type Inside =
  | { readonly form: 'nothing' }
  | { readonly form: 'section' | 'one of'; readonly keys: Readonly<Record<string, Key<unknown>>> }
  | { readonly form: 'list' | 'names'; readonly item: Kind<unknown> };

/** A key of a section. */
export interface Key<T> {
  readonly kind: Kind<T>;
  /** One sentence or two for the reference and the editor. */
  readonly meaning: string;
  readonly presence:
    | { readonly must: true /** As it could be written: the cure when it is missing. */; readonly example: string }
    | {
        readonly must: false;
        /** As written. */
        readonly standard?: unknown;
        /** Without a `standard`: the value itself, which need not be writable. */
        readonly value?: unknown;
      };
  /** Whether a change takes a restart; all others take effect on reload. */
  readonly restart: boolean;
}

interface KeyOptions {
  readonly restart?: true;
}

/** A key that must be written. `example` is what to write, in YAML; `''` for a section, which needs more than a line. */
export function required<T>(kind: Kind<T>, example: string, meaning: string, options: KeyOptions = {}): Key<T> {
  return { kind, meaning, presence: { must: true, example }, restart: options.restart ?? false };
}

/** A key whose absence has a meaning of its own. */
export function optional<T>(kind: Kind<T>, meaning: string, options: KeyOptions = {}): Key<T | undefined> {
  return { kind, meaning, presence: { must: false }, restart: options.restart ?? false };
}

/** A key with a default, given as it would be written. */
export function standard<T>(kind: Kind<T>, value: unknown, meaning: string, options: KeyOptions = {}): Key<T> {
  return { kind, meaning, presence: { must: false, standard: value }, restart: options.restart ?? false };
}

/** A key that only some boxes may have. `value` is what the others are given, and need not be writable. */
export function otherwise<T, V>(kind: Kind<T>, value: V, meaning: string, options: KeyOptions = {}): Key<T | V> {
  return { kind, meaning, presence: { must: false, value }, restart: options.restart ?? false };
}

/** The kind with another value behind it: `change` gets what was read without fault, and may refuse it. */
export function mapped<A, B>(kind: Kind<A>, change: (value: A, place: Place) => B | undefined): Kind<B> {
  return {
    ...kind,
    read(node, place) {
      const value = kind.read(node, place);
      return value === undefined ? undefined : change(value, place);
    },
  };
}

/** A kind under another name in the reference. */
export function named<T>(words: string, kind: Kind<T>): Kind<T> {
  return { ...kind, words };
}
