import { createHmac, hash as digest, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ScramHash, ScramKeys } from '../../protocol/sasl/scram-keys.ts';
import type { ScramCrypto } from '../../protocol/sasl/scram-receiving.ts';

const NODE_NAMES = { 'sha-1': 'sha1', 'sha-256': 'sha256' } as const;

/** The cryptography of SCRAM by OpenSSL. */
export const SCRAM_CRYPTO: ScramCrypto = {
  hmac: (hash, key, data) => createHmac(NODE_NAMES[hash], key).update(data).digest(),
  digest: (hash, data) => digest(NODE_NAMES[hash], data, 'buffer'),
  equal: (one, other) => one.length === other.length && timingSafeEqual(one, other),
};

/** A nonce for an exchange: 144 bits, in characters that RFC 5802 §7 permits. */
export function newNonce(): string {
  return randomBytes(18).toString('base64url');
}

/**
 * Keys for users that do not exist, so that a stranger cannot tell who does (RFC 5802 §9): the same salt for the same name each time, and nothing that
 * satisfies them.
 */
export class DecoyKeys {
  private readonly secret: Uint8Array;
  private readonly iterations: number;

  /** @param secret must outlive the process, or a restart shows which salts are made up */
  constructor(secret: Uint8Array, iterations: number) {
    this.secret = secret;
    this.iterations = iterations;
  }

  keysFor(username: string, hash: ScramHash): ScramKeys {
    const derive = (what: string): Buffer =>
      createHmac('sha512', this.secret).update(`${what} ${hash} ${username}`).digest();
    const size = hash === 'sha-1' ? 20 : 32;
    return {
      salt: derive('salt').subarray(0, 16),
      iterations: this.iterations,
      storedKey: derive('stored').subarray(0, size),
      serverKey: derive('server').subarray(0, size),
    };
  }
}
