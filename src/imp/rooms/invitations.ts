/** Users whose invitations a room remembers. */
const REMEMBERED = 500;
/** Inviters of one user that it remembers. */
const INVITERS = 10;

/** Who was invited by whom: only they may decline, and only to those (XEP-0045 §7.8.2), or the room would carry anybody's messages to anybody. */
export class Invitations {
  private readonly inviters = new Map<string, readonly string[]>();

  /** Both by bare address. */
  add(invited: string, by: string): void {
    const before = this.inviters.get(invited) ?? [];
    this.inviters.delete(invited);
    this.inviters.set(invited, [...before.filter((each) => each !== by), by].slice(-INVITERS));
    if (this.inviters.size <= REMEMBERED) return;
    for (const oldest of this.inviters.keys()) {
      this.inviters.delete(oldest);
      return;
    }
  }

  /** Takes an invitation back out; `false`: there was none. */
  take(invited: string, by: string): boolean {
    const inviters = this.inviters.get(invited) ?? [];
    if (!inviters.includes(by)) return false;
    const left = inviters.filter((each) => each !== by);
    if (left.length === 0) this.inviters.delete(invited);
    else this.inviters.set(invited, left);
    return true;
  }
}
