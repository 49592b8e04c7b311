import type { StreamTimer } from '../../protocol/stream/actions.ts';

/** The timers that a stream has asked for. One that is armed again begins anew. */
export class StreamTimers {
  private readonly running = new Map<StreamTimer, NodeJS.Timeout>();
  private readonly fired: (timer: StreamTimer) => void;

  constructor(fired: (timer: StreamTimer) => void) {
    this.fired = fired;
  }

  arm(timer: StreamTimer, afterMs: number): void {
    this.disarm(timer);
    const timeout = setTimeout(() => {
      this.running.delete(timer);
      this.fired(timer);
    }, afterMs);
    this.running.set(timer, timeout);
  }

  disarm(timer: StreamTimer): void {
    clearTimeout(this.running.get(timer));
    this.running.delete(timer);
  }

  disarmAll(): void {
    for (const timeout of this.running.values()) clearTimeout(timeout);
    this.running.clear();
  }
}
