import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { ScramHash, ScramKeys } from '../../protocol/sasl/scram-keys.ts';

const derive = promisify(pbkdf2);

/** Node's names of the hashes, and the bytes that each makes. */
const DIGESTS = { 'sha-1': { name: 'sha1', bytes: 20 }, 'sha-256': { name: 'sha256', bytes: 32 } } as const;

const SALT_BYTES = 16;

/** The keys of a prepared password under a new random salt (RFC 5802 §3). Derived off the event loop. */
export function scramKeysOf(password: string, hash: ScramHash, iterations: number): Promise<ScramKeys> {
  return keysWith(password, hash, randomBytes(SALT_BYTES), iterations);
}

/** Whether the keys are those of a prepared password, compared in constant time. Takes the same time for keys that no password fits. */
export async function fits(password: string, hash: ScramHash, keys: ScramKeys): Promise<boolean> {
  const { storedKey } = await keysWith(password, hash, keys.salt, keys.iterations);
  return storedKey.length === keys.storedKey.length && timingSafeEqual(storedKey, keys.storedKey);
}

/**
 * Keys for a name that has none: no password fits them, and nobody who asks can tell them from others, since they are the same each time for the same
 * name (RFC 5802 §9: a challenge must not tell who exists).
 */
export function keysOfNobody(secret: Uint8Array, name: string, hash: ScramHash, iterations: number): ScramKeys {
  const part = (what: string, bytes: number): Uint8Array =>
    createHmac('sha256', secret).update(`${what} ${hash} ${name}`).digest().subarray(0, bytes);
  const { bytes } = DIGESTS[hash];
  return {
    salt: part('salt', SALT_BYTES),
    iterations,
    storedKey: part('stored key', bytes),
    serverKey: part('server key', bytes),
  };
}

async function keysWith(password: string, hash: ScramHash, salt: Uint8Array, iterations: number): Promise<ScramKeys> {
  const { name, bytes } = DIGESTS[hash];
  const salted = await derive(password, salt, iterations, bytes, name);
  const clientKey = createHmac(name, salted).update('Client Key').digest();
  return {
    salt,
    iterations,
    storedKey: createHash(name).update(clientKey).digest(),
    serverKey: createHmac(name, salted).update('Server Key').digest(),
  };
}
