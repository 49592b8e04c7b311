import type { StreamPair } from '../stream/actions.ts';
import { type Waiting, WaitingQueue, type WaitingSize } from './waiting-queue.ts';

/** One connection of a session; only its identity matters. */
export type SessionConnection = object;

/** What is left when a session ends, in the order in which it was sent: those in doubt came first. */
export interface Remains {
  /** Written and not acknowledged: nobody here knows whether they arrived. */
  readonly inDoubt: readonly Waiting[];
  /** Never written on any connection. */
  readonly never: readonly Waiting[];
}

/** Counts to go on with. Of a new session both are 0 (XEP-0198 §4). */
export interface SessionCounts {
  readonly id: string;
  readonly handled: number;
  readonly acknowledged: number;
}

/**
 * What one end of a Link knows of the stanzas that pass: which of its own are not acknowledged, and how many of the peer's it has handled
 * (XEP-0198 §4). There is one for each peer, and it outlives the connections to it: `send` at any time, and write what `next` gives while there is a
 * connection.
 *
 * At most one connection counts. The moment our count is told on a new one (`claim`, `begin`), what comes on the former counts no more:
 * the peer sends it again.
 *
 * Counts are kept modulo 2^32, as they are on the wire.
 */
export class LinkSession {
  private sessionId: string | undefined;
  private connection: SessionConnection | undefined;
  private isWritable = false;
  private handledCount: number;
  /** The peer has acknowledged so many; the first in the queue is the next one. */
  private acknowledged: number;
  private readonly queue = new WaitingQueue();
  /** So many at the front of the queue have been written on some connection of this session, and on the present one. */
  private everWritten = 0;
  private written = 0;
  /** The session before this one: what we handled of it is settled. */
  private former: { readonly id: string; readonly handled: number } | undefined;

  constructor(counts?: SessionCounts) {
    this.sessionId = counts?.id;
    this.handledCount = counts?.handled ?? 0;
    this.acknowledged = counts?.acknowledged ?? 0;
  }

  /** By which a connection resumes it; `undefined`: there is nothing to resume. */
  get id(): string | undefined {
    return this.sessionId;
  }

  /** Stanzas of the peer that we have handled: our `h`. */
  get handled(): number {
    return this.handledCount;
  }

  /** What the peer has not acknowledged, written or not. Always the same object: it is asked for each stanza. */
  get waiting(): WaitingSize {
    return this.queue;
  }

  /** Stanzas that nothing has been written of yet. */
  get neverWritten(): number {
    return this.queue.stanzas - this.everWritten;
  }

  /** Whether a connection is there that `next` may be written on. */
  get isOpen(): boolean {
    return this.isWritable;
  }

  /** Puts a copy of a stanza behind those that wait. */
  send(bytes: Uint8Array, pair: StreamPair): void {
    this.queue.add(bytes, pair);
  }

  /** Takes out what nothing has been written of yet and nobody wants sent any more, in order. */
  withdraw(isGone: (waiting: Waiting) => boolean): readonly Waiting[] {
    return this.queue.withdraw(this.everWritten, isGone);
  }

  /** The next stanza to write on the open connection, which counts as written from here on; `undefined` when there is none, or no connection. */
  next(): Uint8Array | undefined {
    if (!this.isWritable) return undefined;
    const bytes = this.queue.bytesAt(this.written);
    if (bytes !== undefined) this.count();
    return bytes;
  }

  /**
   * Forgets what the peer has handled. `false`: it claims more than it was sent, and nothing was changed (XEP-0198 §4). While a connection is open, only what was
   * written on it can be new to the peer.
   */
  acknowledge(h: number): boolean {
    const count = (h - this.acknowledged) >>> 0;
    if (count > (this.isWritable ? this.written : this.everWritten)) return false;
    this.queue.drop(count);
    this.acknowledged = h;
    this.everWritten -= count;
    this.written = Math.max(0, this.written - count);
    return true;
  }

  /** The count that `acknowledge` would take at most. */
  get sent(): number {
    return (this.acknowledged + this.everWritten) >>> 0;
  }

  /** Counts a stanza of the peer. `false`: the connection has been replaced, and the stanza must be left alone. */
  handle(connection: SessionConnection): boolean {
    if (connection !== this.connection) return false;
    this.handledCount = (this.handledCount + 1) >>> 0;
    return true;
  }

  belongsTo(connection: SessionConnection): boolean {
    return connection === this.connection;
  }

  /** The session goes on on this connection, which is about to tell the peer `handled`. */
  claim(connection: SessionConnection): void {
    this.connection = connection;
    this.isWritable = false;
    this.written = 0;
  }

  /**
   * The peer knows of the session on this connection: what waits may be written, from the first that is not acknowledged. `false`: another connection has
   * taken its place.
   */
  open(connection: SessionConnection): boolean {
    if (connection !== this.connection) return false;
    this.isWritable = true;
    return true;
  }

  /** Nothing more is written on the connection; what comes on it still counts. */
  shut(connection: SessionConnection): void {
    if (connection === this.connection) this.isWritable = false;
  }

  /** The connection is gone. Without effect when another one has taken its place. */
  release(connection: SessionConnection): void {
    if (connection !== this.connection) return;
    this.connection = undefined;
    this.isWritable = false;
  }

  /** A new session: what was never written is carried over; what is in doubt is handed out, for nobody may send it again. */
  begin(id: string, connection: SessionConnection): readonly Waiting[] {
    this.remember();
    const inDoubt = this.queue.take(this.everWritten);
    this.everWritten = 0;
    this.acknowledged = 0;
    this.handledCount = 0;
    this.sessionId = id;
    this.claim(connection);
    return inDoubt;
  }

  /** The peer has told the final count of a session that it will not resume: what it has not handled was as good as never written. */
  settle(h: number): boolean {
    if (!this.acknowledge(h)) return false;
    this.everWritten = 0;
    return true;
  }

  /** How many we handled of a session that is over, if that is known still (XEP-0198 §5, `<failed/>`). */
  finallyHandled(id: string): number | undefined {
    return this.former?.id === id ? this.former.handled : undefined;
  }

  /**
   * The counts cannot be relied upon, or resuming would bring the same stanza that ended the connection: nobody resumes this session. What was sent
   * waits for `begin`.
   */
  disown(): void {
    this.sessionId = undefined;
    this.former = undefined;
  }

  /** The session ends, and so does its connection. */
  giveUp(): Remains {
    this.remember();
    const inDoubt = this.queue.take(this.everWritten);
    const never = this.queue.take(this.queue.stanzas);
    this.everWritten = 0;
    this.sessionId = undefined;
    this.connection = undefined;
    this.isWritable = false;
    return { inDoubt, never };
  }

  private count(): void {
    this.written += 1;
    if (this.written > this.everWritten) this.everWritten = this.written;
  }

  private remember(): void {
    if (this.sessionId !== undefined) this.former = { id: this.sessionId, handled: this.handledCount };
  }
}
