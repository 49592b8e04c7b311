import type { Flow } from './ledger.ts';

/** Who can send numbered messages of some flows. */
export interface Sender {
  readonly flows: readonly Flow[];
  /** Sends the next message of a flow. `false`: it is not connected, or its socket is full; nothing was sent. */
  send(flow: Flow): boolean;
}

const TICK_MS = 5;
/** After a pause of the machine no more is made up for. */
const MOST_BEHIND_MS = 100;

/** Sends over all flows in turn, so many messages a second altogether, as long as it runs. */
export class Load {
  private readonly turns: readonly { readonly sender: Sender; readonly flow: Flow }[];
  private readonly perMs: number;
  private timer: NodeJS.Timeout | undefined;
  private last = 0;
  private due = 0;
  private turn = 0;

  constructor(senders: readonly Sender[], perSecond: number) {
    this.turns = senders.flatMap((sender) => sender.flows.map((flow) => ({ sender, flow })));
    this.perMs = perSecond / 1000;
  }

  start(): this {
    this.last = performance.now();
    this.timer ??= setInterval(() => this.tick(), TICK_MS);
    return this;
  }

  /** Nothing is sent any more. It may be started again. */
  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  private tick(): void {
    const now = performance.now();
    this.due += Math.min(now - this.last, MOST_BEHIND_MS) * this.perMs;
    this.last = now;
    for (; this.due >= 1; this.due -= 1) {
      const next = this.turns[this.turn];
      this.turn = (this.turn + 1) % this.turns.length;
      next?.sender.send(next.flow);
    }
  }
}
