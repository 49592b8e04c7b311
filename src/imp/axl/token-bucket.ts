/** A rate: how many at once, and how fast more are allowed. */
export interface Rate {
  readonly burst: number;
  /** Milliseconds for one more. */
  readonly every: number;
}

/** Sources or accounts that are told apart. When there are more, those that have been quiet longest are forgotten. */
const MOST_NAMES = 10_000;

interface Bucket {
  tokens: number;
  at: number;
  told: boolean;
}

/** Limits how often something may be done in a name: a token bucket for each. A name that has all its tokens takes no memory for long. */
export class TokenBuckets {
  readonly #rate: Rate;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /** Takes a token. Otherwise the milliseconds until there is one; `first`: nobody was refused since the bucket was full last. */
  take(name: string, now: number): { readonly wait: number; readonly first: boolean } | undefined {
    const bucket = this.#bucket(name, now);
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return undefined;
    }
    const first = !bucket.told;
    bucket.told = true;
    return { wait: Math.ceil((1 - bucket.tokens) * this.#rate.every), first };
  }

  /** Puts a token back that was taken for nothing. */
  give(name: string, now: number): void {
    const bucket = this.#bucket(name, now);
    bucket.tokens = Math.min(this.#rate.burst, bucket.tokens + 1);
  }

  /** Tokens taken and not yet back. */
  used(name: string, now: number): number {
    return this.#buckets.has(name) ? this.#rate.burst - Math.floor(this.#bucket(name, now).tokens) : 0;
  }

  #bucket(name: string, now: number): Bucket {
    const { burst, every } = this.#rate;
    const known = this.#buckets.get(name);
    const bucket = known ?? { tokens: burst, at: now, told: false };
    bucket.tokens = Math.min(burst, bucket.tokens + Math.max(0, now - bucket.at) / every);
    bucket.at = now;
    if (bucket.tokens >= burst) bucket.told = false;
    // Behind the others: the first of the map has been quiet longest.
    this.#buckets.delete(name);
    this.#buckets.set(name, bucket);
    if (this.#buckets.size > MOST_NAMES) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return bucket;
  }
}
