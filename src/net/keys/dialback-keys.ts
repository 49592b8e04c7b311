import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { DialbackAuthority } from '../../protocol/dialback/authority.ts';
import type { StreamPair } from '../../protocol/stream/actions.ts';

/**
 * Dialback keys made from a shared secret (XEP-0185 §2): any box that holds the secret can vouch for keys that another made.
 * A previous secret, while it is being replaced, is accepted for judging and never used for making.
 */
export class DialbackKeys implements DialbackAuthority {
  private readonly current: string;
  private readonly accepted: readonly string[];

  /** @param previous secrets that were in use before and are still accepted. */
  constructor(secret: string, previous: readonly string[] = []) {
    this.current = hashed(secret);
    this.accepted = [this.current, ...previous.map(hashed)];
  }

  key(pair: StreamPair, streamId: string): string {
    return keyWith(this.current, pair, streamId);
  }

  vouches(pair: StreamPair, streamId: string, key: string): boolean {
    let vouched = false;
    // No early exit: the time taken says nothing about which secret fits.
    for (const secret of this.accepted) vouched = equal(keyWith(secret, pair, streamId), key) || vouched;
    return vouched;
  }
}

/** The HMAC key is the hex text of the secret's hash, not its bytes (XEP-0185 §2). */
function hashed(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

function keyWith(hashedSecret: string, pair: StreamPair, streamId: string): string {
  return createHmac('sha256', hashedSecret).update(`${pair.target} ${pair.sender} ${streamId}`).digest('hex');
}

/** Constant time for texts of one length; the length of a key is no secret (CVE-2021-32921). */
function equal(ours: string, theirs: string): boolean {
  const a = Buffer.from(ours);
  const b = Buffer.from(theirs);
  return a.length === b.length && timingSafeEqual(a, b);
}
