/** Octets of an id that nobody can guess; whoever sees one id must not be able to name another. */
const SECRET_OCTETS = 8;

/**
 * Ids of archived messages: milliseconds, a number within the millisecond, and a random part. They sort in the order they were made, and none is ever
 * made twice (XEP-0313, "IDs").
 */
export class ArchiveIds {
  private readonly random: (octets: number) => Uint8Array;
  private last = 0;
  private number = 0;

  constructor(random: (octets: number) => Uint8Array) {
    this.random = random;
  }

  /** `now`: Unix milliseconds; a clock that was set back does not change the order. */
  next(now: number): string {
    if (now > this.last) {
      this.last = now;
      this.number = 0;
    } else {
      this.number += 1;
    }
    const secret = Buffer.from(this.random(SECRET_OCTETS)).toString('hex');
    return `${hex(this.last, 12)}-${hex(this.number, 6)}-${secret}`;
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
