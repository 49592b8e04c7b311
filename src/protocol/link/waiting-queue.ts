import type { StreamPair } from '../stream/actions.ts';

/** A stanza that the other end of a Link has not acknowledged. The bytes are those of a stream in `jabber:server` and never change. */
export interface Waiting {
  readonly bytes: Uint8Array;
  readonly pair: StreamPair;
}

/** How much waits. */
export interface WaitingSize {
  readonly stanzas: number;
  readonly bytes: number;
}

/** A power of two: the place of a stanza is its number, cut to as many bits. */
const SMALLEST = 64;
/** Places that are kept although nothing waits: 400 KB. */
const USUAL = 16_384;
const SLAB_BYTES = 256 * 1024;
/** Slabs that are kept for use again. */
const SPARE_SLABS = 8;

/**
 * Stanzas in order: in at the back, out at the front, both in constant time, for it is done for each of them.
 *
 * The bytes are copied into memory that is used again and again, and what is known of a stanza lies in columns. Were the buffers kept that were read into, they
 * and an object for each stanza would live just long enough to cost the garbage collector more than everything else here: under load a third of the time.
 */
export class WaitingQueue implements WaitingSize {
  stanzas = 0;
  bytes = 0;
  private columns = new Columns(SMALLEST);
  private front = 0;
  private slab = new Slab(SLAB_BYTES);
  private readonly spare: Slab[] = [];

  /** Copies the bytes. */
  add(bytes: Uint8Array, pair: StreamPair): void {
    if (this.stanzas === this.columns.size) this.resize(2 * this.stanzas);
    const slab = this.slabFor(bytes.length);
    this.columns.put((this.front + this.stanzas) & (this.columns.size - 1), slab, slab.add(bytes), bytes.length, pair);
    this.stanzas += 1;
    this.bytes += bytes.length;
  }

  /** The bytes of the stanza with so many before it; valid until it is dropped. */
  bytesAt(index: number): Uint8Array | undefined {
    return index < this.stanzas ? this.columns.bytesAt(this.placeOf(index)) : undefined;
  }

  /** Lets go of the first `count`, which must be there. */
  drop(count: number): void {
    for (let index = 0; index < count; index++) this.clear(this.placeOf(index));
    this.front = this.placeOf(count);
    this.stanzas -= count;
    // After a break there may have been very many. Under load the queue is empty again and again: growing anew each time would cost more than the room.
    if (this.stanzas === 0 && this.columns.size > USUAL) this.resize(SMALLEST);
  }

  /** The first `count`, which leave the queue; their bytes are copies. */
  take(count: number): readonly Waiting[] {
    const taken = this.copies(0, count);
    this.drop(count);
    return taken;
  }

  /** Takes out those for which it is asked for, behind the first `from`; their bytes are copies. What is left stays in order. */
  withdraw(from: number, isGone: (waiting: Waiting) => boolean): readonly Waiting[] {
    const behind = this.copies(from, this.stanzas);
    for (let index = from; index < from + behind.length; index++) this.clear(this.placeOf(index));
    this.stanzas -= behind.length;
    const gone: Waiting[] = [];
    for (const waiting of behind) {
      if (isGone(waiting)) gone.push(waiting);
      else this.add(waiting.bytes, waiting.pair);
    }
    return gone;
  }

  private copies(from: number, to: number): readonly Waiting[] {
    const copies: Waiting[] = [];
    for (let index = from; index < Math.min(to, this.stanzas); index++) {
      const place = this.placeOf(index);
      const pair = this.columns.pairs[place];
      if (pair !== undefined) copies.push({ bytes: this.columns.bytesAt(place).slice(), pair });
    }
    return copies;
  }

  private clear(place: number): void {
    const slab = this.columns.clear(place);
    this.bytes -= this.columns.lengths[place] ?? 0;
    if (slab?.give() === true) this.recycle(slab);
  }

  private placeOf(index: number): number {
    return (this.front + index) & (this.columns.size - 1);
  }

  /** A slab with room for so many bytes: that of now, one that was used before, or a new one. */
  private slabFor(length: number): Slab {
    if (this.slab.room >= length) return this.slab;
    if (length > SLAB_BYTES) return new Slab(length);
    this.slab = this.spare.pop() ?? new Slab(SLAB_BYTES);
    return this.slab;
  }

  private recycle(slab: Slab): void {
    if (slab !== this.slab && slab.size === SLAB_BYTES && this.spare.length < SPARE_SLABS) this.spare.push(slab);
  }

  private resize(size: number): void {
    const columns = new Columns(size);
    for (let index = 0; index < this.stanzas; index++) columns.copy(index, this.columns, this.placeOf(index));
    this.columns = columns;
    this.front = 0;
  }
}

/** Memory for the bytes of several stanzas. */
class Slab {
  readonly memory: Uint8Array;
  private used = 0;
  private stanzas = 0;

  constructor(size: number) {
    this.memory = new Uint8Array(size);
  }

  get size(): number {
    return this.memory.length;
  }

  get room(): number {
    return this.memory.length - this.used;
  }

  /** Where the bytes are now. */
  add(bytes: Uint8Array): number {
    const start = this.used;
    this.memory.set(bytes, start);
    this.used += bytes.length;
    this.stanzas += 1;
    return start;
  }

  /** A stanza is let go of. Whether it was the last one, so that all of the memory is free again. */
  give(): boolean {
    this.stanzas -= 1;
    if (this.stanzas > 0) return false;
    this.used = 0;
    return true;
  }
}

/** A fixed number of places for stanzas. */
class Columns {
  readonly size: number;
  readonly pairs: (StreamPair | undefined)[];
  readonly lengths: Uint32Array;
  private readonly slabs: (Slab | undefined)[];
  private readonly starts: Uint32Array;

  constructor(size: number) {
    this.size = size;
    this.pairs = Array.from({ length: size }, () => undefined);
    this.slabs = Array.from({ length: size }, () => undefined);
    this.starts = new Uint32Array(size);
    this.lengths = new Uint32Array(size);
  }

  put(place: number, slab: Slab, start: number, length: number, pair: StreamPair): void {
    this.pairs[place] = pair;
    this.slabs[place] = slab;
    this.starts[place] = start;
    this.lengths[place] = length;
  }

  bytesAt(place: number): Uint8Array {
    const start = this.starts[place] ?? 0;
    const memory = this.slabs[place]?.memory;
    if (memory === undefined) throw new RangeError(`no stanza is at place ${place}`);
    return memory.subarray(start, start + (this.lengths[place] ?? 0));
  }

  /** Lets go of a stanza; the slab that its bytes were in. */
  clear(place: number): Slab | undefined {
    const slab = this.slabs[place];
    this.pairs[place] = undefined;
    this.slabs[place] = undefined;
    return slab;
  }

  copy(place: number, from: Columns, at: number): void {
    this.pairs[place] = from.pairs[at];
    this.slabs[place] = from.slabs[at];
    this.starts[place] = from.starts[at] ?? 0;
    this.lengths[place] = from.lengths[at] ?? 0;
  }
}
