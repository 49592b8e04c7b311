import { timingSafeEqual } from 'node:crypto';
import { inspect } from 'node:util';

const HIDDEN = '(secret)';

/**
 * A secret read from where the boot file points. It never shows itself: as text, as JSON and in the inspector it is `(secret)`;
 * only `reveal` gives it away, so that a search for that word finds every place where a secret is used.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
    Object.freeze(this);
  }

  /** The secret itself. For the computation or the wire that needs it; never for a message. */
  reveal(): string {
    return this.#value;
  }

  /** Whether both hold the same secret, in time that depends on their lengths alone. */
  equals(other: Secret): boolean {
    const mine = Buffer.from(this.#value);
    const theirs = Buffer.from(other.#value);
    return mine.length === theirs.length && timingSafeEqual(mine, theirs);
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [Symbol.toPrimitive](): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}
