/** How long a peer may take nothing at all while bytes wait for it (checklist K-19). */
export const STALL_MS = 60_000;

/** Watches a peer that does not take what is written: a slow one is given time as long as it takes something; one that takes nothing is not (K-19). */
export class StallWatch {
  private timer: NodeJS.Timeout | undefined;
  private readonly waiting: () => number;
  private readonly stalled: () => void;

  /**
   * @param waiting bytes that wait for the peer now
   * @param stalled it has taken nothing
   */
  constructor(waiting: () => number, stalled: () => void) {
    this.waiting = waiting;
    this.stalled = stalled;
  }

  /** Bytes wait for the peer: from now on, or still. */
  begin(): void {
    if (this.timer !== undefined) return;
    const before = this.waiting();
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.waiting() < before) this.begin();
      else this.stalled();
    }, STALL_MS);
  }

  /** It has taken what there was. */
  end(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
