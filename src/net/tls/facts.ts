import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { TlsFacts } from '../../protocol/identity/facts.ts';
import { LONGEST_CHAIN } from './chain.ts';
import type { ChainJudge } from './trust.ts';

/**
 * What is known of a TLS session, its peer judged. To be called once per connection: on the receiving side Node hands the chain
 * out only the first time, afterwards the end entity alone.
 *
 * @param now Unix milliseconds.
 */
export function tlsFacts(secured: TLSSocket, trust: ChainJudge, now: number): TlsFacts {
  return {
    version: secured.getProtocol() ?? 'unknown',
    cipher: secured.getCipher().standardName,
    peer: trust.judge(sentBy(secured), now),
  };
}

/** The certificates as the peer sent them, once per connection too: `issuerCertificate` is the next one in the message, not the issuer. */
export function sentBy(secured: TLSSocket): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next = secured.getPeerX509Certificate();
  while (next !== undefined && chain.length <= LONGEST_CHAIN) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}
