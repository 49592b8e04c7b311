import type { XmlElement } from '../xml/types.ts';

/** What is kept for a client that has not acknowledged it. */
export interface KeptBounds {
  readonly stanzas: number;
  readonly bytes: number;
}

interface Kept {
  readonly stanza: XmlElement;
  /** As it is written on the stream. */
  readonly bytes: Uint8Array;
}

/**
 * Stream management of one session (XEP-0198), at the server: how many stanzas of the client were handled, and what it has not acknowledged. It outlives the
 * connections of the session. Counts are modulo 2^32, as on the wire.
 */
export class StreamManagement {
  /** By which the session can be resumed; `undefined`: it cannot. */
  readonly id: string | undefined;
  /** For how long the session is kept without a connection, in milliseconds. */
  readonly holdMs: number;
  private readonly bounds: KeptBounds;
  private handledCount = 0;
  private acknowledged = 0;
  private readonly kept: Kept[] = [];
  private keptBytes = 0;
  /** So many at the front have been written on some connection. */
  private written = 0;

  constructor(options: { readonly id: string | undefined; readonly holdMs: number; readonly bounds: KeptBounds }) {
    this.id = options.id;
    this.holdMs = options.holdMs;
    this.bounds = options.bounds;
  }

  /** Stanzas of the client that were handled: our `h`. */
  get handled(): number {
    return this.handledCount;
  }

  /** The count that the client can have reached at most. */
  get sent(): number {
    return (this.acknowledged + this.written) >>> 0;
  }

  get waiting(): KeptBounds {
    return { stanzas: this.kept.length, bytes: this.keptBytes };
  }

  /** A stanza of the client is handled. */
  count(): void {
    this.handledCount = (this.handledCount + 1) >>> 0;
  }

  /** Keeps a stanza until it is acknowledged. `false`: it is kept, and it is more than is kept for one session. */
  keep(stanza: XmlElement, bytes: Uint8Array): boolean {
    this.kept.push({ stanza, bytes });
    this.keptBytes += bytes.length;
    return this.kept.length <= this.bounds.stanzas && this.keptBytes <= this.bounds.bytes;
  }

  /** What was kept so far is written on the present connection, in order. */
  *write(): Generator<Uint8Array, void> {
    for (const { bytes } of this.kept) yield bytes;
    this.written = this.kept.length;
  }

  /** The stanza that was kept last was written. */
  wroteLast(): void {
    this.written = this.kept.length;
  }

  /** Forgets what the client has handled. `false`: it says that it has handled more than it was sent, and nothing is changed (XEP-0198 §4). */
  acknowledge(h: number): boolean {
    const count = (h - this.acknowledged) >>> 0;
    if (count > this.written) return false;
    for (const { bytes } of this.kept.splice(0, count)) this.keptBytes -= bytes.length;
    this.acknowledged = h;
    this.written -= count;
    return true;
  }

  /** The session is over: what was never acknowledged, in order. */
  giveUp(): readonly XmlElement[] {
    this.keptBytes = 0;
    this.written = 0;
    return this.kept.splice(0).map(({ stanza }) => stanza);
  }
}
