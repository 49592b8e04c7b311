/** Bytes that a client may send at once, and on average each second: far more than a person writes, and less than keeps the node from serving others. */
const BURST = 2 * 1024 ** 2;
const PER_SECOND = 256 * 1024;

/** How fast a client may send: a bucket of bytes that fills again with time. */
export class Pace {
  private left = BURST;
  private bytes = 0;
  private at: number | undefined;

  /**
   * The client has sent so many bytes altogether.
   *
   * @param now milliseconds of a clock that is never set
   * @returns for how long it should not be read, in milliseconds; 0 for most
   */
  spent(bytes: number, now: number): number {
    const seconds = this.at === undefined ? 0 : (now - this.at) / 1000;
    this.left = Math.min(BURST, this.left + seconds * PER_SECOND) - (bytes - this.bytes);
    this.bytes = bytes;
    this.at = now;
    return this.left >= 0 ? 0 : Math.ceil((-this.left / PER_SECOND) * 1000);
  }
}
