import { Buffer } from 'node:buffer';
import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';

/** The client's part of one SASL exchange. Payloads are the decoded ones. */
export interface SaslExchange {
  readonly mechanism: string;
  readonly initial: Buffer;
  respond(challenge: Buffer): Buffer;
  /** Throws when the server does not prove that it knows the password. */
  finish(additionalData: Buffer): void;
}

/** The best mechanism we share with the server, `undefined` if there is none. */
export function chooseSasl(offered: readonly string[], user: string, password: string): SaslExchange | undefined {
  if (offered.includes('SCRAM-SHA-256')) return scram('SCRAM-SHA-256', 'sha256', user, password);
  if (offered.includes('SCRAM-SHA-1')) return scram('SCRAM-SHA-1', 'sha1', user, password);
  if (offered.includes('PLAIN')) return plain(user, password);
  return undefined;
}

/** SCRAM without channel binding, with a nonce of the caller's choice. */
export function scramExchange(
  mechanism: 'SCRAM-SHA-1' | 'SCRAM-SHA-256',
  user: string,
  password: string,
  nonce: string,
): SaslExchange {
  return scram(mechanism, mechanism === 'SCRAM-SHA-1' ? 'sha1' : 'sha256', user, password, nonce);
}

/** RFC 4616 */
function plain(user: string, password: string): SaslExchange {
  return {
    mechanism: 'PLAIN',
    initial: Buffer.from(`\0${user}\0${password}`),
    respond: () => Buffer.alloc(0),
    finish: () => undefined,
  };
}

/** RFC 5802, without channel binding. */
function scram(
  mechanism: string,
  hash: 'sha1' | 'sha256',
  user: string,
  password: string,
  ownNonce = randomBytes(18).toString('base64'),
): SaslExchange {
  const bare = `n=${user.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${ownNonce}`;
  let expected: Buffer | undefined;
  const hmac = (key: Buffer, text: string): Buffer => createHmac(hash, key).update(text).digest();
  return {
    mechanism,
    initial: Buffer.from(`n,,${bare}`),
    respond(challenge) {
      const first = challenge.toString();
      const fields = parsed(first);
      const { r: nonce, s: salt, i: iterations } = fields;
      if (nonce === undefined || salt === undefined || iterations === undefined)
        throw new Error(`bad ${mechanism} challenge`);
      const size = hash === 'sha1' ? 20 : 32;
      const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations), size, hash);
      const clientKey = hmac(salted, 'Client Key');
      const withoutProof = `c=biws,r=${nonce}`;
      const transcript = `${bare},${first},${withoutProof}`;
      const signature = hmac(createHash(hash).update(clientKey).digest(), transcript);
      const proof = clientKey.map((byte, n) => byte ^ (signature[n] ?? 0));
      expected = hmac(hmac(salted, 'Server Key'), transcript);
      return Buffer.from(`${withoutProof},p=${Buffer.from(proof).toString('base64')}`);
    },
    finish(additionalData) {
      const signature = Buffer.from(parsed(additionalData.toString())['v'] ?? '', 'base64');
      if (expected === undefined || signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
        throw new Error(`the server's ${mechanism} signature is wrong`);
      }
    },
  };
}

function parsed(message: string): Record<string, string | undefined> {
  return Object.fromEntries(message.split(',').map((field) => [field.slice(0, 1), field.slice(2)]));
}
