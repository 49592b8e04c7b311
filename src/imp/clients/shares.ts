/** Milliseconds of the node's time that one account may take at once, and on average of each millisecond: four that do their worst are needed to keep it busy. */
const BURST = 200;
const SHARE = 0.25;
/** What the delivery of one packet takes, roughly: it is done later, when nobody knows any more for whom. */
const PER_PACKET = 0.05;
/** Accounts of which it is known what they took; who took something longest ago is forgotten, and has everything again. */
const REMEMBERED = 10_000;

/** How much of the node's time each account takes, all of its sessions together: a stanza of a hundred bytes can make thousands of packets. */
export class Shares {
  private readonly accounts = new Map<string, { readonly left: number; readonly at: number }>();

  /**
   * @param worked milliseconds
   * @param packets that it made, which are still to be delivered
   * @param now milliseconds of a clock that is never set
   */
  took(account: string, worked: number, packets: number, now: number): void {
    const left = this.leftOf(account, now) - worked - packets * PER_PACKET;
    this.accounts.delete(account);
    this.accounts.set(account, { left, at: now });
    const [oldest] = this.accounts.keys();
    if (this.accounts.size > REMEMBERED && oldest !== undefined) this.accounts.delete(oldest);
  }

  /** For how long the sessions of an account should not be read, in milliseconds; 0 for most. */
  restOf(account: string, now: number): number {
    const left = this.leftOf(account, now);
    return left >= 0 ? 0 : Math.ceil(-left / SHARE);
  }

  private leftOf(account: string, now: number): number {
    const { left, at } = this.accounts.get(account) ?? { left: BURST, at: now };
    return Math.min(BURST, left + (now - at) * SHARE);
  }
}
