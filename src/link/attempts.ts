/** Sources that are remembered at once; the one that was quiet for longest is forgotten first. */
const SOURCES = 4096;

/** How often each source may try something: `most` times in `perMs`. */
export class Attempts {
  private readonly most: number;
  private readonly perMs: number;
  private readonly bySource = new Map<string, { count: number; readonly since: number }>();

  constructor(most: number, perMs: number) {
    this.most = most;
    this.perMs = perMs;
  }

  /** Counts an attempt; `false`: it is one too many. `now` must not be a clock that is set. */
  take(source: string, now: number): boolean {
    const known = this.bySource.get(source);
    const current = known !== undefined && now - known.since < this.perMs ? known : { count: 0, since: now };
    this.bySource.delete(source);
    for (const oldest of this.bySource.keys()) {
      if (this.bySource.size < SOURCES) break;
      this.bySource.delete(oldest);
    }
    current.count += 1;
    this.bySource.set(source, current);
    return current.count <= this.most;
  }
}
