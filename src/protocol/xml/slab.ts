import { NOT_ASCII } from './bytes.ts';

const SLAB = 65_536;
/** Up to here, copying byte by byte is quicker than making a view to copy from. */
const SHORT = 32;

/**
 * Room for what is written, cut from larger pieces: allocating each stanza by itself costs more than filling it. What was given
 * out is never given out again.
 */
export class Slab {
  private bytes: Uint8Array = new Uint8Array(0);
  private used = 0;

  /** Zeroed bytes for the caller alone. */
  take(length: number): Uint8Array {
    if (length > SLAB >> 3) return new Uint8Array(length);
    if (this.used + length > this.bytes.length) {
      this.bytes = new Uint8Array(SLAB);
      this.used = 0;
    }
    const start = this.used;
    this.used += length;
    return this.bytes.subarray(start, this.used);
  }
}

/** Bytes written one after the other. */
export class ByteWriter {
  private bytes: Uint8Array;
  private length = 0;
  private readonly encoder = new TextEncoder();

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
  }

  text(text: string): void {
    this.reserve(3 * text.length);
    const { bytes } = this;
    let at = this.length;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit >= NOT_ASCII) {
        at += this.encoder.encodeInto(text.slice(i), bytes.subarray(at)).written;
        break;
      }
      bytes[at++] = unit;
    }
    this.length = at;
  }

  copy(source: Uint8Array, start: number, end: number): void {
    this.reserve(end - start);
    if (end - start > SHORT) {
      this.bytes.set(source.subarray(start, end), this.length);
      this.length += end - start;
      return;
    }
    const { bytes } = this;
    let at = this.length;
    for (let i = start; i < end; i++) bytes[at++] = source[i] as number;
    this.length = at;
  }

  /** What was written; the writer is done. */
  finish(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const larger = new Uint8Array(2 * (this.length + more));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
}
