import type { Brake } from '../../protocol/c2s/context.ts';
import type { NoteSink } from '../../protocol/notes.ts';

/** When guessing is turned away. */
export interface BrakeLimits {
  /** Failures from one source of connections, and at one account, within `windowMs`. */
  readonly perSource: number;
  readonly perAccount: number;
  readonly windowMs: number;
  /** For how long. */
  readonly refusalMs: number;
}

export const BRAKE_LIMITS: BrakeLimits = { perSource: 20, perAccount: 50, windowMs: 300_000, refusalMs: 600_000 };

/** The first failure is answered so much later, each further one twice as late, none later than the longest. */
const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 8_000;
/** Names and sources that are remembered; the oldest are forgotten. */
const REMEMBERED = 10_000;

interface Failures {
  count: number;
  /** Unix milliseconds: when the first one was, and until when attempts are refused. */
  readonly since: number;
  refusedUntil: number;
}

/**
 * Brakes for who guesses passwords: answers come later and later, then attempts are refused for a while. What is counted at an account does not lock its owner
 * out: whoever has authenticated from a source is judged by what failed for that account from that source.
 */
export class Brakes {
  private readonly limits: BrakeLimits;
  private readonly notes: NoteSink;
  private readonly now: () => number;
  private readonly sources = new Map<string, Failures>();
  private readonly accounts = new Map<string, Failures>();
  /** Of one account from one source. */
  private readonly pairs = new Map<string, Failures>();
  private readonly acquainted = new Set<string>();

  /** @param now Unix milliseconds */
  constructor(limits: BrakeLimits, notes: NoteSink, now: () => number) {
    this.limits = limits;
    this.notes = notes;
    this.now = now;
  }

  /** The brake of a connection from this source. */
  forSource(source: string): Brake {
    return {
      admits: (username) => this.admits(source, username),
      failed: (username) => this.failed(source, username),
      succeeded: (username) => this.succeeded(source, username),
    };
  }

  private admits(source: string, username: string): boolean {
    if (this.acquainted.has(pairOf(source, username))) return !this.isRefused(this.pairs, pairOf(source, username));
    return !this.isRefused(this.sources, source) && !this.isRefused(this.accounts, username);
  }

  private failed(source: string, username: string | undefined): number {
    const { perSource, perAccount } = this.limits;
    const bySource = this.count(this.sources, source, perSource);
    if (bySource.isFirstRefusal) this.tell('source', source, bySource.count);
    let { count } = bySource;
    if (username !== undefined) {
      const byAccount = this.count(this.accounts, username, perAccount);
      if (byAccount.isFirstRefusal) this.tell('account', username, byAccount.count);
      this.count(this.pairs, pairOf(source, username), perSource);
      count = Math.max(count, byAccount.count);
    }
    return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(count - 1, 16));
  }

  private succeeded(source: string, username: string): void {
    const pair = pairOf(source, username);
    // The latest to succeed is the last to be forgotten.
    this.acquainted.delete(pair);
    this.acquainted.add(pair);
    forgetOldest(this.acquainted);
  }

  private isRefused(among: ReadonlyMap<string, Failures>, name: string): boolean {
    return (among.get(name)?.refusedUntil ?? 0) > this.now();
  }

  private count(among: Map<string, Failures>, name: string, limit: number): { count: number; isFirstRefusal: boolean } {
    const now = this.now();
    const former = among.get(name);
    const isRecent = former !== undefined && (now - former.since < this.limits.windowMs || former.refusedUntil > now);
    const failures = isRecent ? former : { count: 0, since: now, refusedUntil: 0 };
    failures.count += 1;
    const isFirstRefusal = failures.count >= limit && failures.refusedUntil <= now;
    if (isFirstRefusal) failures.refusedUntil = now + this.limits.refusalMs;
    among.delete(name);
    among.set(name, failures);
    forgetOldest(among);
    return { count: failures.count, isFirstRefusal };
  }

  private tell(what: 'source' | 'account', name: string, failures: number): void {
    this.notes({ note: 'client-braked', what, name, failures, seconds: this.limits.refusalMs / 1000 }, {});
  }
}

/** A source has no line feed. */
function pairOf(source: string, username: string): string {
  return `${source}\n${username}`;
}

function forgetOldest(names: Map<string, unknown> | Set<string>): void {
  if (names.size <= REMEMBERED) return;
  for (const oldest of names.keys()) {
    names.delete(oldest);
    return;
  }
}
