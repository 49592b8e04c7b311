import type { Domain } from '../jid/domain.ts';
import type { TlsFacts } from './facts.ts';
import { presents } from './presents.ts';

/**
 * Why the certificate of a connection does not prove that the peer is `domain` at the time `now` (Unix milliseconds), as a clause;
 * `undefined` when it does. To a peer that has not said who it is (`domain` is `undefined`) nothing is proven.
 */
export function unprovenBecause(
  tls: TlsFacts | undefined,
  domain: Domain | undefined,
  now: number,
): string | undefined {
  if (tls === undefined) return 'the connection is not encrypted';
  if (tls.peer === undefined) return 'the peer showed no certificate';
  if (domain === undefined) return tls.peer.untrusted ?? 'the peer did not say which domain it is';
  const result = presents(tls.peer, domain, now);
  return result.proven ? undefined : result.because;
}
