/** Below this, a buffer of our own is not worth allocating. */
const SMALLEST = 512;

/**
 * The bytes of a connection that are not dealt with yet.
 *
 * As long as every first-level element ends in the chunk it began in, chunks are used as they came. An element cut by the end of a
 * chunk is put together in a buffer of our own that doubles when it is full, so that no byte is copied more than a few times.
 * That buffer only ever grows at its end: bytes that were handed out as a view never change.
 */
export class Input {
  bytes: Uint8Array = new Uint8Array(0);
  /** Where the current first-level element (or the stream's header) begins. Every stored offset is relative to it. */
  base = 0;
  /** The next byte to look at. */
  at = 0;
  /** The end of the bytes received. */
  end = 0;
  /** Bytes copied so far: the price of elements that came in pieces. */
  copied = 0;

  /** Whether `bytes` is our own buffer, with room behind `end`. */
  private owned = false;

  push(chunk: Uint8Array): void {
    const retained = this.end - this.base;
    if (retained === 0) {
      // One kind of array everywhere: a subclass (Node's Buffer) would make the loops over bytes polymorphic.
      this.bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      this.owned = false;
      this.base = 0;
      this.at = 0;
      this.end = chunk.length;
      return;
    }
    if (!this.owned || this.end + chunk.length > this.bytes.length) this.move(retained, chunk.length);
    this.bytes.set(chunk, this.end);
    this.end += chunk.length;
    this.copied += chunk.length;
  }

  /** Lets go of everything before `at`. */
  consume(): void {
    this.base = this.at;
  }

  /** Lets go of everything. */
  discard(): void {
    this.bytes = new Uint8Array(0);
    this.owned = false;
    this.base = 0;
    this.at = 0;
    this.end = 0;
  }

  private move(retained: number, more: number): void {
    const needed = retained + more;
    // The first piece is usually the last one too; whoever comes in many pieces gets room to grow.
    const bytes = new Uint8Array(Math.max(SMALLEST, this.owned ? 2 * needed : needed));
    bytes.set(this.bytes.subarray(this.base, this.end));
    this.copied += retained;
    this.bytes = bytes;
    this.owned = true;
    this.at -= this.base;
    this.base = 0;
    this.end = retained;
  }
}
