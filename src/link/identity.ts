import { createHash, createPublicKey, type X509Certificate } from 'node:crypto';
import { readCertificate } from '../net/tls/certificate.ts';

/** A box as the other end of a Link knows it. */
export interface BoxIdentity {
  /** Made once and for all when the box was set up. */
  readonly id: string;
  /** As the administrator calls it. */
  readonly name: string;
}

const ID = /^[A-Za-z0-9-]{8,64}$/;
const NAME = /^[\p{L}\p{N}._-]{1,63}$/u;

/** Whether a text can be the id of a box: 8 to 64 letters, digits and hyphens. */
export function isBoxId(text: string): boolean {
  return ID.test(text);
}

/** Whether a text can be the name of a box: at most 63 letters, digits, dots, hyphens and underscores. */
export function isBoxName(text: string): boolean {
  return NAME.test(text);
}

/** What the sentence "... is no name" goes on with. */
export const NAME_RULE = 'at most 63 letters, digits, dots, hyphens and underscores';

/** Hex of SHA-256 over the SubjectPublicKeyInfo: it names a key, whichever certificate it is in. */
export function keyHash(certificate: X509Certificate): string {
  return sha256(certificate.publicKey.export({ type: 'spki', format: 'der' }));
}

/** The same of a public key in PEM, which must be one. */
export function keyHashOf(publicKey: string): string {
  return sha256(createPublicKey(publicKey).export({ type: 'spki', format: 'der' }));
}

/** The id of the box that a certificate of a Link was issued to: the attribute serialNumber of its subject. */
export function idIn(certificate: X509Certificate): string | undefined {
  for (const { text } of readCertificate(certificate).subject) {
    const found = /^serialNumber=([A-Za-z0-9-]+)$/.exec(text)?.[1];
    if (found !== undefined) return found;
  }
  return undefined;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
