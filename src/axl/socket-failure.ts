import { ConnectTimeout } from './agent.ts';
import type { AxlFailure } from './failures.ts';

/** What OpenSSL calls the faults of a certificate that an administrator meets. */
const CERTIFICATE: Readonly<
  Record<string, 'tls-expired' | 'tls-not-yet-valid' | 'tls-self-signed' | 'tls-unknown-authority'>
> = {
  CERT_HAS_EXPIRED: 'tls-expired',
  CERT_NOT_YET_VALID: 'tls-not-yet-valid',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls-self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls-unknown-authority',
  UNABLE_TO_GET_ISSUER_CERT: 'tls-unknown-authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls-unknown-authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls-unknown-authority',
  CERT_UNTRUSTED: 'tls-unknown-authority',
};

const UNREACHABLE: Readonly<Record<string, string>> = {
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  EHOSTDOWN: 'the host is down',
  ENETDOWN: 'the network is down',
  EACCES: 'this machine does not permit the connection',
  EPERM: 'this machine does not permit the connection',
  EADDRNOTAVAIL: 'this machine has no address to connect from',
  ETIMEDOUT: 'the connection timed out',
};

const LOST = 'it was closed';

/** The failure that an error of a socket, of TLS or of HTTP is. */
export function failureOfError(error: unknown): AxlFailure {
  if (error instanceof ConnectTimeout) return { code: 'connect-timeout', milliseconds: error.milliseconds };
  const { code = '', reason, message, names } = fieldsOf(error);
  const certificate = CERTIFICATE[code];
  if (certificate !== undefined) return { code: certificate };
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return { code: 'tls-wrong-name', detail: names ?? 'no name at all' };
  if (code === 'ECONNREFUSED') return { code: 'refused' };
  if (code === 'ENOTFOUND') return { code: 'name-not-found' };
  if (code.startsWith('EAI_')) return { code: 'name-lookup' };
  const unreachable = UNREACHABLE[code];
  if (unreachable !== undefined) return { code: 'unreachable', detail: unreachable };
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO' || isVerification(code)) {
    return { code: 'tls-failed', detail: reason ?? message };
  }
  if (code.startsWith('HPE_')) return { code: 'not-axl', detail: 'The answer is not HTTP.' };
  return { code: 'connection-lost', detail: code === 'ECONNRESET' || code === 'EPIPE' ? LOST : message };
}

/** The other names of X509_V_ERR_ that Node passes on. */
function isVerification(code: string): boolean {
  return /^(?:CERT_|CRL_|UNABLE_TO_|ERROR_IN_CERT_|INVALID_|PATH_LENGTH_|HOSTNAME_MISMATCH)/.test(code);
}

function fieldsOf(error: unknown): {
  readonly code: string | undefined;
  readonly reason: string | undefined;
  readonly message: string;
  /** Those of a certificate that is for another host. */
  readonly names: string | undefined;
} {
  if (!(error instanceof Error)) return { code: undefined, reason: undefined, message: LOST, names: undefined };
  const text = (name: string): string | undefined => {
    const value: unknown = Reflect.get(error, name);
    return typeof value === 'string' ? value : undefined;
  };
  const certificate: unknown = Reflect.get(error, 'cert');
  const names: unknown =
    typeof certificate === 'object' && certificate !== null ? Reflect.get(certificate, 'subjectaltname') : undefined;
  return {
    code: text('code'),
    reason: text('reason'),
    message: error.message,
    names: typeof names === 'string' ? names.replaceAll('DNS:', '').replaceAll('IP Address:', '') : undefined,
  };
}
