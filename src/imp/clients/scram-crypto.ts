import { createHmac, hash as digest, randomBytes, timingSafeEqual } from 'node:crypto';
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
