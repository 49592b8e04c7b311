import type { ConfigEntry } from '../box/operations.ts';
import type { KeyOwner } from '../clusterdb/types.ts';
import { findKey, LIVE_KEYS, type LiveKey } from '../config/live/keys.ts';
import { HIDDEN } from '../config/live/kinds.ts';
import type { Json } from '../protocol/link/messages.ts';

/** A live key that somebody has typed. */
export interface TypedKey {
  /** In its one normal form. */
  readonly key: string;
  readonly secret: boolean;
  readonly owner: KeyOwner;
  /** What holds while it is not set; `undefined`: nothing does. */
  readonly standard: Json | undefined;
}

/** Reads a key; or says what is wrong with it, and what was probably meant. */
export function typedKey(written: string): TypedKey | { readonly refused: string } {
  const found = findKey(written);
  if ('refused' in found) return { refused: `${written}: ${found.refused}` };
  const { kind, owner, standard }: LiveKey = LIVE_KEYS[found.form];
  return { key: found.key, secret: kind.secret === true, owner, standard };
}

export function isSecret(key: string): boolean {
  const typed = typedKey(key);
  return 'key' in typed && typed.secret;
}

/** Whether another box learns only that the key is set: it is a secret, or says where something inside is. */
export function staysHere(key: string): boolean {
  const found = findKey(key);
  if ('refused' in found) return true;
  const { kind, stays }: LiveKey = LIVE_KEYS[found.form];
  return kind.secret === true || stays === true;
}

/** Reads the value of a key that there is. */
export function typedValue(key: string, text: string): { readonly value: Json } | { readonly refused: string } {
  const found = findKey(key);
  if ('refused' in found) return { refused: `${key}: ${found.refused}` };
  const { kind }: LiveKey = LIVE_KEYS[found.form];
  const parsed = kind.parse(text);
  return 'value' in parsed ? { value: parsed.value } : { refused: `${found.key}: ${parsed.reason}. ${parsed.cure}` };
}

/** A value as people write it; of a key that this version does not know, as it is stored. An empty text is shown as such. */
export function shownValue(key: string, value: Json): string {
  if (value === HIDDEN) return HIDDEN;
  const found = findKey(key);
  if ('refused' in found) return JSON.stringify(value);
  const { kind }: LiveKey = LIVE_KEYS[found.form];
  const text = kind.print(value);
  return text === '' ? '""' : text;
}

/** The entry of a key at a box; `undefined`: it is not set there. */
export function entryAt(entries: readonly ConfigEntry[], box: string, key: string): ConfigEntry | undefined {
  return entries.find((entry) => entry.box === box && entry.key === key);
}

/** What holds at a box for a key, and whether somebody has set it: `off`, `not set (off)`, `not set`. */
export function shownState(key: string, entry: ConfigEntry | undefined): string {
  if (entry !== undefined) return shownValue(key, entry.value);
  const typed = typedKey(key);
  const standard = 'refused' in typed ? undefined : typed.standard;
  return standard === undefined ? 'not set' : `not set (${shownValue(key, standard)})`;
}
