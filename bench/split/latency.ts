import type { Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { Addresses } from '../relay/numbered.ts';

const MARKER = 'Sent ';
const DIGITS = 8;

/** Milliseconds from the write at one end to the read at the other, sorted. */
export type Latencies = readonly number[];

/** Sends one message every `1000 / perSecond` milliseconds, and measures how long each takes. */
export class PacedSource {
  private readonly socket: Writable;
  private readonly addresses: Addresses;
  private readonly sentAt: number[] = [];
  private readonly taken: number[] = [];
  private tail = '';

  constructor(socket: Writable, addresses: Addresses) {
    this.socket = socket;
    this.addresses = addresses;
  }

  /** What arrives at the other end. */
  take(piece: Buffer): void {
    const now = performance.now();
    const text = this.tail + piece.toString('latin1');
    let end = 0;
    for (const match of text.matchAll(PATTERN)) {
      const sent = this.sentAt[Number(match[1])];
      if (sent !== undefined) this.taken.push(now - sent);
      end = match.index + match[0].length;
    }
    this.tail = text.slice(Math.max(end, text.length - MARKER.length - DIGITS));
  }

  /** Sends for `seconds`; the first second does not count. Throws when a message does not arrive. */
  async run(perSecond: number, seconds: number): Promise<Latencies> {
    const began = performance.now();
    const total = perSecond * seconds;
    while (this.sentAt.length < total) {
      const due = Math.min(total, Math.ceil(((performance.now() - began) / 1000) * perSecond));
      while (this.sentAt.length < due) this.send();
      await pause(1);
    }
    const deadline = performance.now() + 10_000;
    while (this.taken.length < total) {
      if (performance.now() > deadline)
        throw new Error(`${total - this.taken.length} of ${total} messages never arrived`);
      await pause(5);
    }
    return this.taken.slice(perSecond).toSorted((a, b) => a - b);
  }

  private send(): void {
    const { from, to } = this.addresses;
    const number = String(this.sentAt.length).padStart(DIGITS, '0');
    this.sentAt.push(performance.now());
    this.socket.write(
      `<message from='${from}' to='${to}' type='chat' id='a7c1d0e9'><body>${MARKER}${number} ${'.'.repeat(120)}</body></message>`,
    );
  }
}

const PATTERN = new RegExp(`${MARKER}(\\d{${DIGITS}})`, 'g');

/** The value that `share` of them do not exceed; NaN of none. */
export function percentile(sorted: Latencies, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
