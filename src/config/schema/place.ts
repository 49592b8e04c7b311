import type { Position, Problem } from '../problem.ts';
import type { Surroundings } from '../surroundings.ts';
import type { ConfigNode } from '../yaml.ts';

/** Where the keys of a name are at home: `tls` is known in `s2s`, `inside`, ... The top level is `''`. */
export type KeyIndex = ReadonlyMap<string, readonly string[]>;

/** What a reading is given besides the text. */
export interface ReadingContext {
  /** The boot file, as messages name it. */
  readonly path: string;
  /** What relative paths in it are relative to; absolute. */
  readonly directory: string;
  readonly surroundings: Surroundings;
  /** Only checking: what exists for the service alone, its environment and credentials, is allowed to be absent. */
  readonly rehearsal: boolean;
  readonly keys: KeyIndex;
  /** A commented file to start from, as messages name it. */
  readonly example: string;
}

/** One pass over a boot file: everything that is found goes here. */
export class Reading {
  readonly problems: Problem[] = [];
  readonly context: ReadingContext;
  readonly #positions = new Map<string, Position>();
  readonly #meant = new Set<string>();

  constructor(context: ReadingContext) {
    this.context = context;
  }

  tell(severity: Problem['severity'], position: Position, key: string, reason: string, cure: string): void {
    const { line, column } = position;
    this.problems.push({ severity, path: this.context.path, line, column, key, reason, cure });
  }

  /** Remembers where the value of `key` stands, for the checks that look at several keys. */
  mark(key: string, position: Position): void {
    this.#positions.set(key, position);
  }

  /** Whether the key stands in the file, be it with a value that was refused. */
  isWritten(key: string): boolean {
    return this.#positions.has(key);
  }

  /** Remembers that an unknown key was probably meant to be `key`: it is not missing as well. */
  markMeant(key: string): void {
    this.#meant.add(key);
  }

  /** Whether the key does not stand in the file, and no other was probably meant to be it. */
  isMissing(key: string): boolean {
    return !this.isWritten(key) && !this.#meant.has(key);
  }

  /** Where the value of `key` stands; of a key that is not written, where the innermost part that is written stands. */
  positionOf(key: string): Position {
    for (let part = key; part !== ''; part = part.replace(/(?:^|\.)[^.[\]]+$|\[\d+\]$/, '')) {
      const position = this.#positions.get(part);
      if (position !== undefined) return position;
    }
    return this.#positions.get('') ?? { line: 1, column: 1 };
  }

  /** Takes back what was said of the value of a key: it should not be there at all. */
  forget(key: string): void {
    const isOf = (other: string): boolean =>
      other === key || other.startsWith(`${key}.`) || other.startsWith(`${key}[`);
    const kept = this.problems.filter((problem) => !isOf(problem.key));
    this.problems.splice(0, this.problems.length, ...kept);
  }

  /** For a check of several keys: an error, or a warning, at the value of `key`. */
  error(key: string, reason: string, cure: string): void {
    this.tell('error', this.positionOf(key), key, reason, cure);
  }

  warn(key: string, reason: string, cure: string): void {
    this.tell('warning', this.positionOf(key), key, reason, cure);
  }
}

/** Where one value is read: its key, and where its name and the value itself stand. */
export class Place {
  readonly key: string;
  /** Of the key's name, or of the list item. */
  readonly named: Position;
  readonly reading: Reading;
  readonly #value: Position;
  readonly #written: boolean;

  /** `written: false` for a default, which stands nowhere in the file. */
  constructor(reading: Reading, key: string, named: Position, node: ConfigNode, written = true) {
    this.reading = reading;
    this.key = key;
    this.named = named;
    this.#value = isEmpty(node) ? named : node.position;
    this.#written = written;
    // A group or a list is found at its name, where an administrator looks for it.
    if (written) reading.mark(key, node.kind === 'scalar' ? this.#value : named);
  }

  /** Says why the value cannot be used; the answer is what a reader of a refused value returns. */
  refuse(reason: string, cure: string): undefined {
    this.reading.tell('error', this.#value, this.key, reason, cure);
    return undefined;
  }

  warn(reason: string, cure: string): void {
    this.reading.tell('warning', this.#value, this.key, reason, cure);
  }

  /** The place of a part; `name` is as it stands in key paths. */
  under(name: string, named: Position, node: ConfigNode): Place {
    return new Place(this.reading, keyUnder(this.key, name), named, node, this.#written);
  }

  /** Says that an unknown key of this section was probably meant to be `name`. */
  meant(name: string): void {
    this.reading.markMeant(keyUnder(this.key, name));
  }

  /** The place of a part that is not in the file, for its default. */
  unwritten(name: string, node: ConfigNode): Place {
    return new Place(this.reading, keyUnder(this.key, name), this.named, node, false);
  }

  item(index: number, node: ConfigNode): Place {
    return new Place(this.reading, `${this.key}[${index}]`, node.position, node, this.#written);
  }
}

export function keyUnder(key: string, name: string): string {
  return key === '' ? name : `${key}.${name}`;
}

function isEmpty(node: ConfigNode): boolean {
  return node.kind === 'scalar' && node.value === null;
}
