/**
 * Bytes that leave together. Pieces that lie one behind the other in memory become one again: stanzas that are relayed as they came
 * need no copy, and no write of their own.
 */
export class Batch {
  /** Bytes in the batch. */
  size = 0;
  private pieces: Uint8Array[] = [];
  /** The piece being put together: a part of `memory`, from `start` to `end`. */
  private memory: ArrayBufferLike | undefined;
  private start = 0;
  private end = 0;

  /** The bytes must not change any more. */
  add(bytes: Uint8Array): void {
    this.size += bytes.length;
    if (bytes.buffer === this.memory && bytes.byteOffset === this.end) {
      this.end += bytes.length;
      return;
    }
    this.cut();
    this.memory = bytes.buffer;
    this.start = bytes.byteOffset;
    this.end = bytes.byteOffset + bytes.length;
  }

  /** What was added since the last time, in order. */
  take(): readonly Uint8Array[] {
    this.cut();
    const taken = this.pieces;
    this.pieces = [];
    this.memory = undefined;
    this.size = 0;
    return taken;
  }

  private cut(): void {
    if (this.memory !== undefined) this.pieces.push(new Uint8Array(this.memory, this.start, this.end - this.start));
  }
}
