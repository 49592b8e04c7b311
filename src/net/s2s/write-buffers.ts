/** Bytes of one buffer: as much as is joined into one write. */
export const WRITE_BUFFER_BYTES = 128 * 1024;
/** Buffers that are kept for the next write: 8 MB. */
const SPARE = 64;

/**
 * Memory that pieces are joined in, used again when a write is done. A new buffer for each write would be garbage that lies outside the
 * heap, and make the garbage collector run again and again under load.
 */
export class WriteBuffers {
  private readonly spare: Uint8Array[] = [];

  /** The pieces in one buffer; `release` is to be called when nobody reads it any more. They have at most `WRITE_BUFFER_BYTES`. */
  join(pieces: readonly Uint8Array[]): { readonly bytes: Uint8Array; readonly release: () => void } {
    const buffer = this.spare.pop() ?? new Uint8Array(WRITE_BUFFER_BYTES);
    let length = 0;
    for (const piece of pieces) {
      buffer.set(piece, length);
      length += piece.length;
    }
    return {
      bytes: buffer.subarray(0, length),
      release: () => {
        if (this.spare.length < SPARE) this.spare.push(buffer);
      },
    };
  }
}
