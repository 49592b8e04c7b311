import type { NoteSink } from '../protocol/notes.ts';
import { mustWait, retryIn } from './back-off.ts';
import type { AxlAccess } from './client.ts';
import type { AxlFailure } from './failures.ts';
import { problemOf } from './failures.ts';
import type { Ledger } from './ledger.ts';
import type { PublisherRow, PublisherState, PublisherStatus } from './publisher-status.ts';
import type { RoundResult } from './round.ts';
import { runRound } from './round.ts';
import type { CpId } from './s2s-nodes.ts';
import type { AxlSettings } from './settings.ts';
import { axlUrl } from './settings.ts';

/** Milliseconds between two rounds when all is well. */
const RECHECK = 600_000;
/** The same of a server that says how its router is: what is wrong there shows in nothing else. */
const RECHECK_ROUTER = 60_000;
/** The same while the router on the server has to be restarted: somebody is about to do it, and waits for us to see it. */
const RECHECK_RESTART = 10_000;
/** Milliseconds from the start of a round to the start of the next, at least: changes in between are made together. */
const LEAST_GAP = 1_000;

/** Time, from outside: tests have one of their own. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /** Runs once after so many milliseconds; what it returns calls it off. */
  later(milliseconds: number, run: () => void): () => void;
}

export interface PublisherPorts {
  /** The publisher's own client: closed by `stop`. */
  readonly access: AxlAccess;
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** From 0 (included) to 1. */
  readonly random: () => number;
  readonly note: NoteSink;
  /** Called after every change of `status()`. */
  readonly changed: (status: PublisherStatus) => void;
}

/** Keeps the table `xmpps2snodes` of one IM&P publisher as it should be, in rounds. */
export class Publisher {
  readonly #settings: Pick<AxlSettings, 'name' | 'host' | 'port' | 'user'>;
  readonly #ports: PublisherPorts;
  #wanted: readonly CpId[] | undefined;
  /** What the table was made to be by the last round that succeeded. */
  #kept: readonly CpId[] | undefined;
  #told = false;
  #hasView = true;
  #last: RoundResult | undefined;
  /** Kept over rounds that could not read it. */
  #present: RoundResult['present'];
  #failures = 0;
  #lastAttempt: number | undefined;
  #lastSuccess: number | undefined;
  #next: { readonly at: number; readonly cancel: () => void } | undefined;
  #running = false;
  /** A refresh was asked for while a round was running. */
  #again = false;
  #routine = false;
  #waiting: ((status: PublisherStatus) => void)[] = [];
  #stopped = false;

  /** Does nothing before `want` is called. */
  constructor(settings: Pick<AxlSettings, 'name' | 'host' | 'port' | 'user'>, ports: PublisherPorts) {
    this.#settings = settings;
    this.#ports = ports;
  }

  /**
   * Says which components the table is to have; the first call begins the work. `undefined`: nobody knows yet, and the table is only read. `[]` removes what is
   * ours. A change is made at once, unless the server has to be left alone for a while (wrong password, missing role, throttled).
   */
  want(cpIds: readonly CpId[] | undefined): void {
    if (this.#stopped || (this.#told && isSame(cpIds, this.#wanted))) return;
    this.#told = true;
    this.#wanted = cpIds;
    const failure = this.#last?.failure;
    // A round that is running sees at its end that something else is wanted.
    if (!this.#running && (failure === undefined || !mustWait(failure))) this.#soon();
    this.#changed();
  }

  /**
   * "Refresh servers" of the reference system: finds out the version of AXL and what the server is anew, and makes a round at once, whatever failed before.
   *
   * @returns the status after that round
   */
  refresh(): Promise<PublisherStatus> {
    if (this.#stopped) return Promise.resolve(this.status());
    this.#told = true;
    this.#ports.access.forget();
    this.#hasView = true;
    this.#failures = 0;
    if (this.#running) this.#again = true;
    else this.#soon();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  status(): PublisherStatus {
    const { name, user } = this.#settings;
    const failure = this.#last?.failure;
    return {
      name,
      url: axlUrl(this.#settings),
      user,
      state: this.#state(),
      version: this.#ports.access.version,
      lastSuccess: this.#lastSuccess,
      lastAttempt: this.#lastAttempt,
      nextAttempt: this.#next?.at,
      failure: failure === undefined ? undefined : problemOf(failure, this.#settings),
      rows: this.#rows(),
      router: this.#last?.router,
    };
  }

  /** Ends everything, a request under way included. The table stays as it is. */
  stop(): void {
    this.#stopped = true;
    this.#next?.cancel();
    this.#next = undefined;
    this.#ports.access.close();
    this.#release(this.#waiting);
  }

  #state(): PublisherState {
    if (this.#last === undefined) return 'unknown';
    if (this.#last.failure !== undefined) return 'failed';
    return this.#wanted !== undefined && isSame(this.#wanted, this.#kept) ? 'ok' : 'waiting';
  }

  #rows(): readonly PublisherRow[] {
    const ours = new Set(this.#ports.ledger.ours(this.#settings.name));
    const wanted = new Set<string>(this.#wanted);
    const present = new Set(this.#present?.map(({ cpId }) => cpId));
    return [...present.union(wanted)].map((cpId) => ({
      cpId,
      ours: ours.has(cpId),
      wanted: wanted.has(cpId),
      present: present.has(cpId),
    }));
  }

  /** A round as soon as one may be. */
  #soon(): void {
    this.#routine = false;
    const left = this.#lastAttempt === undefined ? 0 : this.#lastAttempt + LEAST_GAP - this.#ports.clock.now();
    // Not longer, when the clock of the machine was set back.
    this.#plan(Math.min(Math.max(0, left), LEAST_GAP));
  }

  #plan(milliseconds: number): void {
    const { clock } = this.#ports;
    this.#next?.cancel();
    this.#next = {
      at: clock.now() + milliseconds,
      cancel: clock.later(milliseconds, () => void this.#round()),
    };
  }

  async #round(): Promise<void> {
    const { access, ledger, note, clock } = this.#ports;
    const wanted = this.#wanted;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#next = undefined;
    this.#running = true;
    this.#lastAttempt = clock.now();
    const result = await runRound({
      name: this.#settings.name,
      access,
      ledger,
      note,
      wanted,
      hasView: this.#hasView,
      routine: this.#routine,
    }).catch((error: unknown) => this.#bug(error));
    this.#running = false;
    if (this.#stopped) return this.#release(waiting);
    this.#take(result, wanted);
    this.#changed();
    this.#release(waiting);
  }

  #take(result: RoundResult, wanted: readonly CpId[] | undefined): void {
    const { clock, random } = this.#ports;
    const { failure } = result;
    const before = this.#last?.failure;
    this.#last = result;
    this.#present = result.present ?? this.#present;
    // A refresh in the meantime wants to know it anew.
    if (!this.#again) this.#hasView = result.hasView;
    if (failure === undefined) {
      this.#failures = 0;
      this.#lastSuccess = clock.now();
      this.#kept = wanted;
    } else {
      const isSameKind = (before?.code === 'credentials') === (failure.code === 'credentials');
      this.#failures = isSameKind ? this.#failures + 1 : 1;
    }
    const isChanged = !isSame(wanted, this.#wanted) && (failure === undefined || !mustWait(failure));
    const again = this.#again || isChanged;
    this.#again = false;
    if (again) return this.#soon();
    this.#routine = failure === undefined;
    this.#plan(this.#pause(failure, random()));
  }

  #pause(failure: AxlFailure | undefined, random: number): number {
    if (failure !== undefined) return retryIn(failure, this.#failures, random);
    const router = this.#last?.router;
    if (router === undefined) return RECHECK;
    return router.restartNeeded ? RECHECK_RESTART : RECHECK_ROUTER;
  }

  #bug(error: unknown): RoundResult {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#ports.note({ note: 'bug', where: `the table of ${this.#settings.name}`, detail }, {});
    return { present: undefined, router: undefined, hasView: this.#hasView, failure: { code: 'internal' } };
  }

  #changed(): void {
    this.#ports.changed(this.status());
  }

  #release(waiting: readonly ((status: PublisherStatus) => void)[]): void {
    for (const resolve of waiting) resolve(this.status());
  }
}

/** The same components in any order. */
function isSame(a: readonly CpId[] | undefined, b: readonly CpId[] | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const [some, others] = [new Set<string>(a), new Set<string>(b)];
  return some.size === others.size && some.isSubsetOf(others);
}
