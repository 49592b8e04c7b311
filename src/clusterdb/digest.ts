import { createHash, randomBytes } from 'node:crypto';
import type { ConfigChange } from '../protocol/link/messages.ts';

/**
 * The digest that a chain begins with: random, so that two copies of one file that begin a chain each have two chains. The rest follows from what
 * is changed.
 */
export function beginning(): string {
  return randomBytes(32).toString('hex');
}

/**
 * The digest of a revision, which stands for the whole history up to it: SHA-256, in hexadecimal digits, over the digest of the revision before and
 * over the change as replicas get it. A step that sets a secret is in it, the secret is not, so nothing can be guessed from it.
 */
export function digestAfter(former: string, change: ConfigChange): string {
  const { origin, revision, time, author, reason, steps } = change;
  // As a JSON array it has one reading only; two histories do not run into the same bytes.
  const history = JSON.stringify([former, origin, revision, time, author, reason, steps]);
  return createHash('sha256').update(history).digest('hex');
}
