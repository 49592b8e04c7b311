import type { DnsResult } from './records.ts';

/** Seconds that data, and the absence of data, are remembered at most. */
const LONGEST = { data: 3600, absence: 300 } as const;

interface Entry {
  readonly result: DnsResult<unknown>;
  /** Milliseconds of the clock. */
  readonly until: number;
}

/**
 * What DNS answered, for as long as it may be believed: records for their TTL, absence for the SOA record's MINIMUM (RFC 2308 §5).
 * Failures are not remembered.
 */
export class DnsCache {
  readonly #entries = new Map<string, Entry>();
  readonly #capacity: number;
  readonly #now: () => number;

  /** @param now milliseconds of a clock that never goes back */
  constructor(capacity: number, now: () => number) {
    this.#capacity = capacity;
    this.#now = now;
  }

  get(key: string): DnsResult<unknown> | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const left = entry.until - this.#now();
    if (left <= 0) {
      this.#entries.delete(key);
      return undefined;
    }
    return 'records' in entry.result ? { ...entry.result, ttl: Math.ceil(left / 1000) } : entry.result;
  }

  /** @param absence seconds for which `none` may be remembered; 0 is not at all */
  put(key: string, result: DnsResult<unknown>, absence: number): void {
    const seconds = this.#seconds(result, absence);
    if (seconds <= 0) return;
    this.#entries.delete(key);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size < this.#capacity) break;
      this.#entries.delete(oldest);
    }
    this.#entries.set(key, { result, until: this.#now() + seconds * 1000 });
  }

  #seconds(result: DnsResult<unknown>, absence: number): number {
    if ('failed' in result) return 0;
    return 'records' in result ? Math.min(result.ttl, LONGEST.data) : Math.min(absence, LONGEST.absence);
  }
}
