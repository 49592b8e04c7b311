import type { Json } from './messages.ts';

/** Arrays and objects inside each other. What fedway says needs a dozen; a validator that follows the value must have a bound. */
const DEEPEST = 64;

/** What is not of the expected form. */
export const MALFORMED: unique symbol = Symbol('malformed');

/** Takes a JSON value as a `T`, or says that it is none. `undefined` stands for a member that is missing. */
export type Take<T> = (value: Json | undefined) => T | typeof MALFORMED;

/** The value that a JSON text stands for, or `MALFORMED`. Never throws, and the value is not deeper than a recursion can follow. */
export function parseJson(text: string): Json | typeof MALFORMED {
  if (!isShallow(text)) return MALFORMED;
  try {
    // JSON.parse gives `any`; what it gives is exactly this.
    return JSON.parse(text) as Json;
  } catch {
    return MALFORMED;
  }
}

/** JSON text in which nothing is that XML cannot carry (XML 1.0 §2.2): controls and lone surrogates are escaped by JSON, these two are not. */
export function writeJson(value: object): string {
  return JSON.stringify(value).replace(/[\uFFFE\uFFFF]/g, (unit) => (unit === '\uFFFE' ? '\\ufffe' : '\\uffff'));
}

/** Whether nothing in a JSON text is nested too deeply; looked at before it is parsed. */
export function isShallow(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const unit = text[i];
    if (quoted) {
      if (unit === '\\') i++;
      else if (unit === '"') quoted = false;
    } else if (unit === '"') quoted = true;
    else if (unit === '[' || unit === '{') {
      depth += 1;
      if (depth > DEEPEST) return false;
    } else if (unit === ']' || unit === '}') depth -= 1;
  }
  return true;
}

export const text: Take<string> = (value) => (typeof value === 'string' ? value : MALFORMED);

export const flag: Take<boolean> = (value) => (typeof value === 'boolean' ? value : MALFORMED);

export const integer: Take<number> = (value) => (Number.isSafeInteger(value) ? (value as number) : MALFORMED);

/** A digest in the one form that it is written in. */
export const sha256: Take<string> = (value) => {
  const digits = text(value);
  return digits !== MALFORMED && /^[0-9a-f]{64}$/.test(digits) ? digits : MALFORMED;
};

/** A revision or a number of things. */
export const count: Take<number> = (value) => {
  const number = integer(value);
  return number === MALFORMED || number < 0 ? MALFORMED : number;
};

/** Any value, but there must be one. */
export const anything: Take<Json> = (value) => (value === undefined ? MALFORMED : value);

export function optional<T>(take: Take<T>): Take<T | undefined> {
  return (value) => (value === undefined ? undefined : take(value));
}

export function list<T>(take: Take<T>): Take<readonly T[]> {
  return (value) => {
    if (!Array.isArray(value)) return MALFORMED;
    const taken: T[] = [];
    // Array.isArray makes it `any[]`.
    for (const each of value as readonly Json[]) {
      const one = take(each);
      if (one === MALFORMED) return MALFORMED;
      taken.push(one);
    }
    return taken;
  };
}

/** An object by whose names something is looked up. */
export function record<T>(take: Take<T>): Take<Readonly<Record<string, T>>> {
  return (value) => {
    if (!isObject(value)) return MALFORMED;
    const taken: [string, T][] = [];
    for (const [name, each] of Object.entries(value)) {
      const one = take(each);
      if (one === MALFORMED) return MALFORMED;
      taken.push([name, one]);
    }
    // Unlike an assignment, this makes a member even of "__proto__".
    return Object.fromEntries(taken);
  };
}

/** An object with these members; others, which a newer peer may have, are left out. */
export function members<T extends object>(takes: { readonly [K in keyof T]-?: Take<T[K]> }): Take<T> {
  return (value) => {
    if (!isObject(value)) return MALFORMED;
    const taken: Partial<T> = {};
    for (const name of Object.keys(takes) as (keyof T & string)[]) {
      const one = takes[name](Object.hasOwn(value, name) ? value[name] : undefined);
      if (one === MALFORMED) return MALFORMED;
      taken[name] = one;
    }
    // Every member of `takes` is there now.
    return taken as T;
  };
}

/** The first form that fits. */
export function either<T>(...takes: readonly Take<T>[]): Take<T> {
  return (value) => {
    for (const take of takes) {
      const one = take(value);
      if (one !== MALFORMED) return one;
    }
    return MALFORMED;
  };
}

function isObject(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
