import type { Endpoint, Network } from '../address.ts';
import type { DomainPattern } from '../boot.ts';
import type { Secret } from '../secret.ts';

/** Values that are there as a whole or not at all. */
type Whole =
  | string
  | number
  | boolean
  | undefined
  | Endpoint
  | Network
  | DomainPattern
  | Secret
  | ReadonlyMap<string, unknown>;

/** A configuration while it is being checked: whatever was refused is `undefined`. */
export type Draft<T> = T extends Whole
  ? T
  : T extends readonly (infer Item)[]
    ? readonly (Draft<Item> | undefined)[]
    : { readonly [Name in keyof T]: Name extends 'via' ? T[Name] : Draft<T[Name]> | undefined };

/** The items of a list that are there, each with the key it has in the file. */
export function present<T>(key: string, items: readonly (T | undefined)[] | undefined): { key: string; value: T }[] {
  return (items ?? []).flatMap((value, index) => (value === undefined ? [] : [{ key: `${key}[${index}]`, value }]));
}
