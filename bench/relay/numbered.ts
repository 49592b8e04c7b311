import type { Writable } from 'node:stream';

/** Bytes of every stanza the benchmark sends. */
export const STANZA_BYTES = 300;
/** In front of each number, and nowhere else in a stanza. */
const MARKER = 'No. ';
const DIGITS = 10;
const SPAN = MARKER.length + DIGITS;
const STANZAS_PER_WRITE = 200;
/** Writes on their way at a time: enough that the system under test never waits for the source. */
const WRITES = 4;
const ZERO = 0x30;
const TEXT = 'The meeting moved to three because of the train from Bern, so please bring the draft and ask Jan. ';

/** Who writes to whom. */
export interface Addresses {
  readonly from: string;
  readonly to: string;
}

/**
 * Sends messages numbered from 1 as fast as the socket takes them. The bytes are prepared once; only the digits change, and a buffer is
 * used again when its write is done, so that the back-pressure of the socket holds the source.
 */
export class NumberedSource {
  /** The number of the last message handed to the socket. */
  sent = 0;
  private readonly socket: Writable;
  private readonly one: Buffer;
  private readonly free: Buffer[] = [];
  private readonly digitsAt: number;
  private running = false;

  constructor(socket: Writable, addresses: Addresses) {
    this.socket = socket;
    const stanza = stanzaOf(addresses);
    this.one = Buffer.from(stanza);
    this.digitsAt = stanza.indexOf(MARKER) + MARKER.length;
    for (let i = 0; i < WRITES; i++) this.free.push(Buffer.from(stanza.repeat(STANZAS_PER_WRITE)));
  }

  /** A single message, to see the way open before the load comes. */
  sendOne(): void {
    this.number(this.one);
    this.socket.write(this.one);
  }

  start(): void {
    this.running = true;
    this.pump();
  }

  /** Nothing more is handed to the socket; what was, still goes out. */
  stop(): void {
    this.running = false;
  }

  private pump(): void {
    while (this.running) {
      const buffer = this.free.pop();
      if (buffer === undefined) return;
      this.number(buffer);
      this.socket.write(buffer, (error) => {
        this.free.push(buffer);
        if (error === null || error === undefined) this.pump();
        else this.running = false;
      });
    }
  }

  private number(buffer: Buffer): void {
    for (let at = this.digitsAt; at < buffer.length; at += STANZA_BYTES) {
      let rest = ++this.sent;
      for (let digit = at + DIGITS - 1; digit >= at; digit--) {
        const tenth = Math.trunc(rest / 10);
        buffer[digit] = ZERO + rest - 10 * tenth;
        rest = tenth;
      }
    }
  }
}

/**
 * Counts numbered messages in a stream of bytes and checks that each number arrives once and in order. What a system changes around
 * the body (order of attributes, namespaces, framing) does not matter.
 */
export class NumberedSink {
  received = 0;
  bytes = 0;
  /** The first thing that was wrong, in words. */
  fault: string | undefined;
  private expected = 1;
  /** The end of the chunk before, where a marker may have begun. */
  private tail: Buffer = Buffer.alloc(0);
  /** Stanzas have one length, so the next marker is usually this far from the last; it is looked for when it is not. */
  private stride = STANZA_BYTES;
  private last = -STANZA_BYTES;

  take(piece: Buffer): void {
    this.bytes += piece.length;
    // Joining is only needed across a boundary, and there a whole chunk need not be copied.
    const seamLength = this.tail.length;
    let at = 0;
    if (seamLength > 0) {
      const seam = Buffer.concat([this.tail, piece.subarray(0, SPAN - 1)]);
      const found = seam.indexOf(MARKER);
      if (found >= 0 && found + SPAN <= seam.length) {
        this.count(seam, found);
        this.last = found - seamLength;
        at = Math.max(0, found + SPAN - seamLength);
      } else if (piece.length < SPAN) {
        this.tail = Buffer.from(seam.subarray(Math.max(0, seam.length - SPAN + 1)));
        this.last -= piece.length;
        return;
      }
    }
    at = this.scan(piece, at);
    this.tail = Buffer.from(piece.subarray(Math.max(at, piece.length - SPAN + 1)));
    this.last -= piece.length;
  }

  /** Counts the markers from `at` on that are complete; the offset behind the last. */
  private scan(piece: Buffer, at: number): number {
    let from = at;
    for (;;) {
      const guess = this.last + this.stride;
      const found = guess >= from && isMarker(piece, guess) ? guess : piece.indexOf(MARKER, from);
      if (found < 0 || found + SPAN > piece.length) return from;
      this.count(piece, found);
      this.stride = found - this.last;
      this.last = found;
      from = found + SPAN;
    }
  }

  private count(bytes: Buffer, marker: number): void {
    let number = 0;
    for (let at = marker + MARKER.length; at < marker + SPAN; at++) number = number * 10 + (bytes[at] ?? 0) - ZERO;
    this.received += 1;
    if (number !== this.expected)
      this.fault ??= `stanza ${number} arrived where ${this.expected} was due (${kindOf(number, this.expected)})`;
    this.expected = number + 1;
  }
}

function isMarker(bytes: Buffer, at: number): boolean {
  for (let i = 0; i < MARKER.length; i++) if (bytes[at + i] !== MARKER.charCodeAt(i)) return false;
  return true;
}

function kindOf(number: number, expected: number): string {
  return number > expected ? 'lost, or overtaken' : 'twice, or too late';
}

function stanzaOf({ from, to }: Addresses): string {
  const start = `<message from='${from}' to='${to}' type='chat' id='a7c1d0e9'><body>${MARKER}${'0'.repeat(DIGITS)} `;
  const end = `</body><active xmlns='http://jabber.org/protocol/chatstates'/></message>`;
  const room = STANZA_BYTES - start.length - end.length;
  return start + TEXT.repeat(4).slice(0, room) + end;
}
