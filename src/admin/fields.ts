import type { Json } from '../protocol/link/messages.ts';

/** No value of a request is nested deeper; whoever walks through one does so by recursion. */
const DEEPEST = 16;

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The fields of one JSON object, read one by one. The first thing that is wrong is kept as a sentence; after it the answers mean nothing. What nobody
 * has read is unknown, and wrong as well: a slip in an optional field must not go unnoticed.
 */
export class Fields {
  readonly #object: Readonly<Record<string, unknown>>;
  /** Put before a field's name: `steps[2].`. */
  readonly #at: string;
  readonly #unread: Set<string>;
  #problem: string | undefined;

  constructor(object: Readonly<Record<string, unknown>>, at = '') {
    this.#object = object;
    this.#at = at;
    this.#unread = new Set(Object.keys(object));
  }

  /** What is wrong, when everything has been read. */
  get problem(): string | undefined {
    if (this.#problem !== undefined) return this.#problem;
    const [unknown] = this.#unread;
    return unknown === undefined
      ? undefined
      : `there is no field ${JSON.stringify(this.#at + unknown)} in this request`;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#object, name);
  }

  /** A text of at most `longest` UTF-16 units, in one line. */
  text(name: string, longest: number): string {
    const value = this.#take(name);
    if (typeof value !== 'string') return this.#wrong(name, 'is not a text', '');
    if (value.length > longest) return this.#wrong(name, `is longer than ${longest} characters`, '');
    if (/\p{Cc}/u.test(value)) return this.#wrong(name, 'has a control character in it', '');
    if (!value.isWellFormed()) return this.#wrong(name, 'has half a character in it', '');
    return value;
  }

  /** The same where the text may be left out. */
  textIfAny<N extends string>(name: N, longest: number): { readonly [K in N]?: string } {
    // The cast adds nothing: the object has this field or none.
    return this.has(name) ? ({ [name]: this.text(name, longest) } as { [K in N]?: string }) : {};
  }

  texts(name: string, most: number, longest: number): readonly string[] {
    const value = this.#take(name);
    if (!Array.isArray(value) || value.length > most) {
      return this.#wrong(name, `is not a list of at most ${most} texts`, []);
    }
    const each = new Fields(Object.fromEntries(value.entries()), `${this.#at}${name}.`);
    const texts = value.map((_, index) => each.text(String(index), longest));
    this.#problem ??= each.problem;
    return texts;
  }

  whole(name: string, least: number, most: number): number {
    const value = this.#take(name);
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most) return value;
    return this.#wrong(name, `is not a whole number from ${least} to ${most}`, least);
  }

  oneOf<T extends string>(name: string, words: readonly [T, ...T[]]): T {
    const value = this.#take(name);
    return words.find((word) => word === value) ?? this.#wrong(name, `is not one of ${words.join(', ')}`, words[0]);
  }

  json(name: string): Json {
    const value = this.#take(name);
    if (value === undefined) return this.#wrong(name, 'is missing', null);
    // Whatever JSON.parse makes is `Json`.
    return isShallow(value, DEEPEST) ? (value as Json) : this.#wrong(name, 'is nested too deep', null);
  }

  /** A list of at most `most` objects, each read by `read`. */
  objects<T>(name: string, most: number, read: (fields: Fields) => T): readonly T[] {
    const value = this.#take(name);
    if (!Array.isArray(value) || value.length > most) {
      return this.#wrong(name, `is not a list of at most ${most} objects`, []);
    }
    const all: T[] = [];
    for (const [index, each] of value.entries()) {
      if (!isObject(each)) return this.#wrong(`${name}[${index}]`, 'is not an object', []);
      const fields = new Fields(each, `${this.#at}${name}[${index}].`);
      all.push(read(fields));
      this.#problem ??= fields.problem;
    }
    return all;
  }

  /** Whole numbers from 0 by name. */
  wholes(name: string): Readonly<Record<string, number>> {
    const value = this.#take(name);
    if (!isObject(value)) return this.#wrong(name, 'is not an object', {});
    const fields = new Fields(value, `${this.#at}${name}.`);
    const read = Object.keys(value).map((key) => [key, fields.whole(key, 0, Number.MAX_SAFE_INTEGER)] as const);
    this.#problem ??= fields.problem;
    return Object.fromEntries(read);
  }

  #take(name: string): unknown {
    this.#unread.delete(name);
    return this.has(name) ? this.#object[name] : undefined;
  }

  #wrong<T>(name: string, how: string, instead: T): T {
    this.#problem ??= `${JSON.stringify(this.#at + name)} ${this.has(name) || name.includes('[') ? how : 'is missing'}`;
    return instead;
  }
}

function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((inner) => isShallow(inner, depth - 1));
}

/** The value that a line of JSON stands for; what is no JSON is `undefined`, and so no object. */
export function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** The answer to a request that cannot be read; `why` completes "is not understood: ...". */
export function refuse(why: string): { readonly refused: string } {
  return { refused: `The request is not understood: ${why}.` };
}
