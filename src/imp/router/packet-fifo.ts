import type { Packet } from '../packet.ts';

/** Packets that leave in one turn of the event loop; then sockets and timers have theirs. */
const PER_TURN = 256;

export interface FifoContext {
  /** Packets that may wait. */
  readonly most: number;
  /** Takes a packet out. Never throws. */
  readonly deliver: (packet: Packet) => void;
  /** Calls `work` soon, outside of the caller's stack. */
  readonly later: (work: () => void) => void;
}

/** The one queue of the router: what is put in comes out in the same order, never before the caller has returned. */
export class PacketFifo {
  private readonly context: FifoContext;
  private waiting: Packet[] = [];
  /** Where the next packet stands: what is before it has left. */
  private next = 0;
  private scheduled = false;
  private awaitedEmpty: PromiseWithResolvers<void> | undefined;

  constructor(context: FifoContext) {
    this.context = context;
  }

  get length(): number {
    return this.waiting.length - this.next;
  }

  /** `false`: it is full, and the packet is not taken. */
  push(packet: Packet): boolean {
    if (this.length >= this.context.most) return false;
    this.waiting.push(packet);
    this.schedule();
    return true;
  }

  /** Resolves when nothing waits. */
  empty(): Promise<void> {
    if (this.length === 0) return Promise.resolve();
    this.awaitedEmpty ??= Promise.withResolvers();
    return this.awaitedEmpty.promise;
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.context.later(() => this.turn());
  }

  private turn(): void {
    this.scheduled = false;
    const end = Math.min(this.next + PER_TURN, this.waiting.length);
    while (this.next < end) {
      const packet = this.waiting[this.next];
      this.next += 1;
      if (packet !== undefined) this.context.deliver(packet);
    }
    // What has left is let go in large steps: moving the rest each time would cost more than it frees.
    if (this.next === this.waiting.length || this.next >= PER_TURN * 16) {
      this.waiting = this.waiting.slice(this.next);
      this.next = 0;
    }
    if (this.length > 0) this.schedule();
    else {
      this.awaitedEmpty?.resolve();
      this.awaitedEmpty = undefined;
    }
  }
}
