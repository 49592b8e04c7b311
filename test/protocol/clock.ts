interface Appointment {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Time that passes only when a test says so. What is due at one instant runs in the order in which it was asked for. */
export class VirtualClock {
  /** Unix milliseconds. */
  now = Date.UTC(2026, 10, 22, 12);
  private readonly appointments = new Set<Appointment>();
  private order = 0;

  /** Runs something later; the result calls it off. */
  after(milliseconds: number, run: () => void): () => void {
    const appointment = { at: this.now + milliseconds, order: this.order++, run };
    this.appointments.add(appointment);
    return () => this.appointments.delete(appointment);
  }

  /** Everything that is due without waiting, and what comes of it. */
  settle(): void {
    this.advance(0);
  }

  /** Lets time pass, with everything that happens meanwhile. */
  advance(milliseconds: number): void {
    const until = this.now + milliseconds;
    for (let steps = 0; ; steps++) {
      if (steps > 100_000) throw new Error('this never comes to rest');
      const next = this.next();
      if (next === undefined || next.at > until) break;
      this.appointments.delete(next);
      this.now = next.at;
      next.run();
    }
    this.now = until;
  }

  private next(): Appointment | undefined {
    let first: Appointment | undefined;
    for (const each of this.appointments) {
      if (first === undefined || each.at < first.at || (each.at === first.at && each.order < first.order)) first = each;
    }
    return first;
  }
}
