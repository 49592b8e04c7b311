import type { Packet } from '../packet.ts';

/** Packets that leave in one turn of the event loop, and milliseconds that may take; then sockets and timers have theirs. */
const PER_TURN = 256;
const TURN_MS = 10;
/** What has left is let go in large steps: moving the rest each time would cost more than it frees. */
const LET_GO = 4_096;

export interface FifoContext {
  /** Packets that may wait. */
  readonly most: number;
  /** Whether a packet makes many others, such as whatever is said in a room. It must be the same for all packets to one address. */
  readonly multiplies: (packet: Packet) => boolean;
  /** Takes a packet out. Never throws. */
  readonly deliver: (packet: Packet) => void;
  /** Calls `work` soon, outside of the caller's stack. */
  readonly later: (work: () => void) => void;
}

/** The two lines of the queue. */
type LineName = 'plain' | 'multiplying';

/**
 * The one queue of the router: what is put in for an address comes out in the same order, never before the caller has returned. A packet that makes many
 * others is taken out when nothing else waits: a hundred of them at once would fill the queue with what they make, and everybody would wait behind it.
 */
export class PacketFifo {
  private readonly context: FifoContext;
  private readonly lines = { plain: new Line(), multiplying: new Line() } as const;
  private scheduled = false;

  constructor(context: FifoContext) {
    this.context = context;
  }

  get length(): number {
    return this.lines.plain.length + this.lines.multiplying.length;
  }

  lengthOf(line: LineName): number {
    return this.lines[line].length;
  }

  /** `false`: it is full, and the packet is not taken. */
  push(packet: Packet): boolean {
    if (this.length >= this.context.most) return false;
    this.lines[this.context.multiplies(packet) ? 'multiplying' : 'plain'].push(packet);
    this.schedule();
    return true;
  }

  /** Resolves when nothing waits in a line. */
  empty(line: LineName): Promise<void> {
    return this.lines[line].empty();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.context.later(() => this.turn());
  }

  private turn(): void {
    this.scheduled = false;
    const { plain, multiplying } = this.lines;
    const most = Math.min(PER_TURN, this.length);
    const deadline = performance.now() + TURN_MS;
    for (let taken = 0; taken < most && performance.now() < deadline; taken += 1) {
      const line = plain.length > 0 ? plain : multiplying;
      const packet = line.shift();
      if (packet !== undefined) this.context.deliver(packet);
      // Whoever waits for room has his turn before the next packet takes it.
      if (line.tellIfEmpty()) break;
    }
    if (this.length > 0) this.schedule();
  }
}

class Line {
  private waiting: Packet[] = [];
  /** Where the next packet stands: what is before it has left. */
  private next = 0;
  private awaitedEmpty: PromiseWithResolvers<void> | undefined;

  get length(): number {
    return this.waiting.length - this.next;
  }

  push(packet: Packet): void {
    this.waiting.push(packet);
  }

  shift(): Packet | undefined {
    const packet = this.waiting[this.next];
    if (packet === undefined) return undefined;
    this.next += 1;
    if (this.next === this.waiting.length || this.next >= LET_GO) {
      this.waiting = this.waiting.slice(this.next);
      this.next = 0;
    }
    return packet;
  }
  /** Resolves when nothing waits. */
  empty(): Promise<void> {
    if (this.length === 0) return Promise.resolve();
    this.awaitedEmpty ??= Promise.withResolvers();
    return this.awaitedEmpty.promise;
  }

  /** Whether it is empty and somebody waited for that. */
  tellIfEmpty(): boolean {
    const { awaitedEmpty } = this;
    if (this.length > 0 || awaitedEmpty === undefined) return false;
    this.awaitedEmpty = undefined;
    awaitedEmpty.resolve();
    return true;
  }
}
