import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

/** The client's part of SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677); messages are base64. */
export interface ScramPlus {
  readonly initial: string;
  respond(challenge: string): string;
}

/** Binds the exchange to a connection by what its own end knows of it. */
export function scramPlus(
  secured: TLSSocket,
  type: 'tls-exporter' | 'tls-server-end-point',
  user: string,
  password: string,
): ScramPlus {
  const gs2 = `p=${type},,`;
  const bare = `n=${user},r=client`;
  return {
    initial: Buffer.from(gs2 + bare).toString('base64'),
    respond(challenge) {
      const first = Buffer.from(/>([^<]+)<\/challenge>/.exec(challenge)?.[1] ?? '', 'base64').toString();
      const {
        nonce = '',
        salt = '',
        count,
      } = /^r=(?<nonce>[^,]+),s=(?<salt>[^,]+),i=(?<count>\d+)$/.exec(first)?.groups ?? {};
      const binding = Buffer.concat([Buffer.from(gs2), bindingOf(secured, type)]).toString('base64');
      const without = `c=${binding},r=${nonce}`;
      const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(count), 32, 'sha256');
      const clientKey = hmac(salted, 'Client Key');
      const signature = hmac(createHash('sha256').update(clientKey).digest(), `${bare},${first},${without}`);
      const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)));
      return Buffer.from(`${without},p=${proof.toString('base64')}`).toString('base64');
    },
  };
}

function bindingOf(secured: TLSSocket, type: 'tls-exporter' | 'tls-server-end-point'): Buffer {
  if (type === 'tls-exporter') return secured.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
  const certificate = secured.getPeerX509Certificate();
  return createHash('sha256')
    .update(certificate?.raw ?? Buffer.alloc(0))
    .digest();
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
