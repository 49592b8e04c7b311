import { printable } from '../../protocol/identity/printable.ts';

/** What OpenSSL calls the faults that an administrator meets, in words. */
const REASONS: Readonly<Record<string, string>> = {
  'unsupported protocol': 'the peer offers only TLS versions that are too old; TLS 1.2 is the least',
  'no shared cipher': 'the peer offers no cipher suite that we accept',
  'wrong version number': 'the peer sent something that is not TLS',
  'http request': 'the peer sent an HTTP request instead of TLS',
  'packet length too long': 'the peer sent something that is not TLS',
  'excessive message size': 'the peer sent a handshake message that is too long',
  'certificate verify failed': 'the certificate of the peer was not accepted',
  'no application protocol': 'the peer asked for other application protocols (ALPN) than the one that is spoken here',
  'no renegotiation': 'the peer tried to renegotiate',
  'dh key too small': 'the peer uses a key that is too weak',
  'ee key too small': 'the peer uses a key that is too weak',
};

const CLOSED = 'the peer closed the connection during the handshake';

const CODES: Readonly<Record<string, string>> = {
  ECONNRESET: CLOSED,
  EPIPE: CLOSED,
  ETIMEDOUT: 'the connection to the peer was lost during the handshake',
  EHOSTUNREACH: 'the connection to the peer was lost during the handshake',
};

/**
 * A TLS error in words, for the log: an alert of the peer, a fault found by OpenSSL, or a broken connection. `undefined` as
 * input stands for a connection that was closed without an error.
 *
 * Also for errors after the handshake: under TLS 1.3 a peer refuses our certificate only then (RFC 8446 §4.4).
 */
export function failureInWords(error: unknown): string {
  if (!(error instanceof Error)) return CLOSED;
  const alert = alertOf(error);
  if (alert !== undefined) return `the peer refused the handshake: alert ${alert}`;
  const { code, reason } = fieldsOf(error);
  const known = REASONS[reason ?? ''] ?? CODES[code ?? ''];
  if (known !== undefined) return known;
  return `the handshake failed: ${printable(reason ?? error.message, 200)}`;
}

/** Whether an error on a TLS socket is an alert that the peer sent (RFC 8446 §6), e.g. because it does not accept our certificate. */
export function isAlert(error: unknown): boolean {
  return error instanceof Error && alertOf(error) !== undefined;
}

/** OpenSSL says `tlsv1 alert unknown ca`, `sslv3 alert handshake failure`, `tlsv13 alert certificate required`, `ssl/tls alert ...`. */
function alertOf(error: Error): string | undefined {
  const { code, reason } = fieldsOf(error);
  if (code?.startsWith('ERR_SSL_') !== true) return undefined;
  return /^(?:tlsv1|tlsv1[13]|sslv3|ssl\/tls) alert (.+)$/.exec(reason ?? '')?.[1];
}

function fieldsOf(error: Error): { readonly code: string | undefined; readonly reason: string | undefined } {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const reason = 'reason' in error && typeof error.reason === 'string' ? error.reason : undefined;
  return { code, reason };
}
