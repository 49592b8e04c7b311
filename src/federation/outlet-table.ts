import type { StreamEnd } from '../protocol/end.ts';
import type { StreamPair } from '../protocol/stream/actions.ts';
import type { PairOutlet } from './pair-outlet.ts';

/** The way out for one pair of domains, as an administrator sees it. */
export interface PairFacts {
  readonly sender: string;
  readonly target: string;
  readonly state: PairOutlet['state'];
  /** Stanzas that wait. */
  readonly queued: number;
}

/** The outlets of one face of the box, one for each pair that was written to lately. */
export class OutletTable {
  private readonly make: (pair: StreamPair) => PairOutlet;
  private readonly outlets = new Map<string, { readonly pair: StreamPair; readonly outlet: PairOutlet }>();
  private lastPair: StreamPair | undefined;
  private lastOutlet: PairOutlet | undefined;

  constructor(make: (pair: StreamPair) => PairOutlet) {
    this.make = make;
  }

  get size(): number {
    return this.outlets.size;
  }

  outletFor(pair: StreamPair): PairOutlet {
    // Streams hand out the same object for the same pair: most stanzas find their outlet here.
    if (pair === this.lastPair && this.lastOutlet !== undefined) return this.lastOutlet;
    const key = `${pair.sender} ${pair.target}`;
    let entry = this.outlets.get(key);
    if (entry === undefined) {
      entry = { pair, outlet: this.make(pair) };
      this.outlets.set(key, entry);
    }
    this.lastPair = pair;
    this.lastOutlet = entry.outlet;
    return entry.outlet;
  }

  /** Closes streams that have carried nothing since `idleSince` (milliseconds of a clock that is never set), and forgets outlets that hold nothing. */
  sweep(idleSince: number): void {
    for (const [key, { outlet }] of this.outlets) {
      outlet.closeIfIdle(idleSince);
      if (outlet.isForgettable) this.forget(key);
    }
  }

  /** Shuts the outlets for which `reason` gives one. */
  shut(reason: (pair: StreamPair) => StreamEnd | undefined): void {
    for (const [key, { pair, outlet }] of this.outlets) {
      const end = reason(pair);
      if (end === undefined) continue;
      this.forget(key);
      outlet.shut(end);
    }
  }

  /** Ends streams and attempts of the pairs that `concerns` names, so that the next ones are made by the rules of now. */
  reopen(concerns: (pair: StreamPair) => boolean): void {
    for (const { pair, outlet } of this.outlets.values()) if (concerns(pair)) outlet.reopen();
  }

  /** Partners of the pairs that `concerns` names are worth a fresh attempt: after a change, it may come out differently. */
  forgetFailures(concerns: (pair: StreamPair) => boolean = () => true): void {
    for (const { pair, outlet } of this.outlets.values()) if (concerns(pair)) outlet.forgetFailures();
  }

  /** Every way out that exists now. */
  pairs(): readonly PairFacts[] {
    return [...this.outlets.values()].map(({ pair: { sender, target }, outlet: { state, queued } }) => {
      return { sender, target, state, queued };
    });
  }

  private forget(key: string): void {
    this.outlets.delete(key);
    this.lastPair = undefined;
    this.lastOutlet = undefined;
  }
}
