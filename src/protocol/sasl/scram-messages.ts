import { decodeBase64Bytes, encodeBase64Bytes } from './base64.ts';
import type { ScramKeys } from './scram-keys.ts';

/** What the client says of channel binding (RFC 5802 §7): not able, able and believing that we are not, or the type it binds by. */
export type ChannelBindingFlag = 'n' | 'y' | { readonly type: string };

/** client-first-message (RFC 5802 §7). */
export interface ClientFirst {
  readonly flag: ChannelBindingFlag;
  /** `''`: none. */
  readonly authzid: string;
  readonly username: string;
  readonly nonce: string;
  /** The GS2 header exactly as it was written, commas included. */
  readonly gs2Header: string;
  /** client-first-message-bare. */
  readonly bare: string;
}

/** client-final-message (RFC 5802 §7). */
export interface ClientFinal {
  /** What `c=` holds: the GS2 header, then the channel binding data. */
  readonly binding: Uint8Array;
  readonly nonce: string;
  readonly proof: Uint8Array;
  /** client-final-message-without-proof. */
  readonly withoutProof: string;
}

// RFC 5802 §7. A saslname has no comma, and `=` only to write a comma or itself; it is prepared later. NUL is in no message.
const CLIENT_FIRST =
  /^(?<gs2>(?:(?<able>[ny])|p=(?<type>[A-Za-z0-9.-]+)),(?:a=(?<authzid>(?:[^\0=,]|=2C|=3D)+))?,)(?<bare>n=(?<username>(?:[^\0=,]|=2C|=3D)+),r=(?<nonce>[!-+\--~]+)(?:,[A-Za-z]=[^\0,]+)*)$/u;
const CLIENT_FINAL =
  /^(?<without>c=(?<binding>[A-Za-z0-9+/]+={0,2}),r=(?<nonce>[!-+\--~]+)(?:,[A-Za-z]=[^\0,]+)*),p=(?<proof>[A-Za-z0-9+/]+={0,2})$/u;

/** Reads a client-first-message; `undefined`: it is none. An extension that must be understood (`m=`) is not known here, and is refused with the rest. */
export function readClientFirst(message: string): ClientFirst | undefined {
  const groups = CLIENT_FIRST.exec(message)?.groups;
  const { able, type, authzid = '', username, nonce, gs2, bare } = groups ?? {};
  if (username === undefined || nonce === undefined || gs2 === undefined || bare === undefined) return undefined;
  const flag = type === undefined ? (able === 'y' ? 'y' : 'n') : { type };
  return { flag, authzid: unescapeName(authzid), username: unescapeName(username), nonce, gs2Header: gs2, bare };
}

/** Reads a client-final-message; `undefined`: it is none. */
export function readClientFinal(message: string): ClientFinal | undefined {
  const groups = CLIENT_FINAL.exec(message)?.groups;
  const { without, binding, nonce, proof } = groups ?? {};
  if (without === undefined || binding === undefined || nonce === undefined || proof === undefined) return undefined;
  const bindingBytes = decodeBase64Bytes(binding);
  const proofBytes = decodeBase64Bytes(proof);
  if (bindingBytes === undefined || proofBytes === undefined) return undefined;
  return { binding: bindingBytes, nonce, proof: proofBytes, withoutProof: without };
}

/** server-first-message. */
export function writeServerFirst(nonce: string, { salt, iterations }: ScramKeys): string {
  return `r=${nonce},s=${encodeBase64Bytes(salt)},i=${iterations}`;
}

/** server-final-message of an exchange that succeeded. */
export function writeServerFinal(signature: Uint8Array): string {
  return `v=${encodeBase64Bytes(signature)}`;
}

function unescapeName(name: string): string {
  return name.replaceAll('=2C', ',').replaceAll('=3D', '=');
}
