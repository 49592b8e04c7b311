import type { ScramHash, ScramKeys } from '../protocol/sasl/scram-keys.ts';

/** What the authentication of clients and administrators asks of the accounts. */
export interface Credentials {
  /** The keys of an active user, by prepared localpart. */
  keysOf(username: string, hash: ScramHash): ScramKeys | undefined;
  /**
   * Whether the password is the user's, in constant time and about the same time for a user that does not exist. The key derivation runs off the event
   * loop; the promise never rejects.
   */
  isPassword(username: string, password: string): Promise<boolean>;
}
