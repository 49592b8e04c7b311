/** Nothing was returned for so long: what was wrong is over. */
const QUIET_MS = 300_000;

interface Seen {
  readonly bounces: number;
  /** When the number was read, and when it had last grown: Unix milliseconds. */
  readonly at: number;
  readonly grownAt: number | undefined;
}

/** Which routers return foreign stanzas: a counter on the server that grows between two looks at it. */
export class BounceWatch {
  private readonly seen = new Map<string, Seen>();

  /** The counter as it was read at a time. What was counted before the first look is nobody's concern. */
  look(publisher: string, bounces: number, at: number): void {
    const former = this.seen.get(publisher);
    // A restart begins at 0 again, and is the cure: what was before is over.
    const known = former === undefined || bounces < former.bounces ? undefined : former;
    const hasGrown = known !== undefined && bounces > known.bounces;
    this.seen.set(publisher, { bounces, at, grownAt: hasGrown ? at : known?.grownAt });
  }

  /** What was returned until now, and until the next look, is nobody's concern: nobody federates, or it is another server. */
  forget(publisher: string): void {
    this.seen.delete(publisher);
  }

  /** Publishers whose counter has grown, and not been quiet since. */
  bouncing(): ReadonlySet<string> {
    const growing = [...this.seen].filter(([, { at, grownAt }]) => grownAt !== undefined && at - grownAt < QUIET_MS);
    return new Set(growing.map(([publisher]) => publisher));
  }

  /** Only these publishers are left. */
  keep(publishers: ReadonlySet<string>): void {
    for (const publisher of this.seen.keys()) if (!publishers.has(publisher)) this.seen.delete(publisher);
  }
}
