import type { StreamPair } from '../stream/actions.ts';

/**
 * Makes and judges dialback keys (XEP-0185). Any box with the same secret is an authoritative server for the same domains.
 * The protocol layer has no cryptography: the implementation is handed in.
 */
export interface DialbackAuthority {
  /** The key that proves the pair on the stream with this id. */
  key(pair: StreamPair, streamId: string): string;
  /** Whether the key is ours; compared in constant time. */
  vouches(pair: StreamPair, streamId: string, key: string): boolean;
}
