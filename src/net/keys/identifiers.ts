import { randomBytes } from 'node:crypto';

/** A stream id: 144 bits from the operating system (RFC 6120 §4.7.3; checklist S-23). */
export function newStreamId(): string {
  return randomBytes(18).toString('base64url');
}

/** A handle for a connection in the log: 9 hex digits, as the reference system writes its `xcoder`. Nothing depends on it. */
export function newConnectionHandle(): string {
  return randomBytes(5).toString('hex').slice(0, 9).toUpperCase();
}
