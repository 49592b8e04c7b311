import type { TlsFacts } from '../identity/facts.ts';
import { unprovenBecause } from '../identity/unproven.ts';
import type { Domain } from '../jid/domain.ts';
import type { AuthorizedBy, StreamState } from '../notes.ts';
import type { StreamPair } from './actions.ts';

/** A pair whose stanzas may travel on a stream, and what proved its sender. */
export interface AuthorizedPair extends StreamPair {
  readonly by: AuthorizedBy;
}

/** What a stream knows of itself: what was negotiated on it so far. */
export interface Negotiated {
  readonly state: StreamState;
  /** The domain we speak for, and the domain the peer speaks for, as far as they are known. */
  readonly local: string | undefined;
  readonly remote: string | undefined;
  /** `TLSv1.3 TLS_AES_256_GCM_SHA384`; `undefined`: plaintext. */
  readonly tls: string | undefined;
  /** What the peer's certificate proves, or why it proves nothing, as a clause; `undefined` without TLS. */
  readonly certificate: string | undefined;
  readonly authorized: readonly AuthorizedPair[];
}

/** TLS version and cipher suite, in the words of the specifications. */
export function tlsInWords(tls: TlsFacts | undefined): string | undefined {
  return tls === undefined ? undefined : `${tls.version} ${tls.cipher}`;
}

/** What the peer's certificate says of `domain` at the time `now` (Unix milliseconds). */
export function certificateInWords(
  tls: TlsFacts | undefined,
  domain: Domain | undefined,
  now: number,
): string | undefined {
  if (tls === undefined) return undefined;
  return unprovenBecause(tls, domain, now) ?? `the certificate proves ${domain ?? 'nobody'}`;
}
