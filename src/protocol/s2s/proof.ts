import type { StreamPair } from '../stream/actions.ts';
import type { OfferedFeatures } from '../stream/features.ts';
import { needsTls, type StreamRuling } from './ruling.ts';

/**
 * What is offered to a peer that has proven nothing yet. TLS comes first where it is required, and nothing beside it; a way of
 * authentication is offered to whom it can succeed for (checklist C-31).
 *
 * @param certificateCounts whether the peer's certificate proves its domain, or may do so once the peer has said which it is.
 */
export function offerOf(ruling: StreamRuling, secure: boolean, certificateCounts: boolean): OfferedFeatures {
  const startTls = secure || ruling.tls === 'none' ? 'no' : needsTls(ruling) ? 'required' : 'offered';
  return {
    startTls,
    external: certificateCounts && ruling.authentication !== 'dialback',
    dialback:
      startTls !== 'required' &&
      ruling.authentication !== 'external' &&
      (certificateCounts || !ruling.requireCertificate),
  };
}

/** What was proven on a stream, under a policy that has been replaced since. */
export interface Proof {
  readonly secure: boolean;
  /** Whether the certificate of the connection proves the peer's domain, now. */
  readonly certificate: boolean;
  /** How the initiating server authenticated itself; EXTERNAL may be under way. */
  readonly way: 'external' | 'dialback';
}

/** Whether the receiving server would authorize a sender by this ruling too. */
export function isEnoughFromPeer(ruling: StreamRuling, proof: Proof): boolean {
  if (!isEnough(ruling, proof)) return false;
  // XEP-0344 §2.4: a certificate beside a dialback key is as good as EXTERNAL.
  if (ruling.authentication === 'external') return proof.certificate;
  return ruling.authentication === 'either' || proof.way === 'dialback';
}

/** Whether the initiating server would go the same way by this ruling too. Who relies on certificates alone does so both ways. */
export function isEnoughFromUs(ruling: StreamRuling, proof: Proof): boolean {
  if (!isEnough(ruling, proof)) return false;
  if (ruling.authentication === 'external') return proof.certificate && proof.way === 'external';
  return ruling.authentication === 'either' || proof.way === 'dialback';
}

function isEnough(ruling: StreamRuling, { secure, certificate }: Proof): boolean {
  return (secure || !needsTls(ruling)) && (certificate || !ruling.requireCertificate);
}

/** A pair as the key of a set: no domain contains a space. */
export function pairKey({ sender, target }: StreamPair): string {
  return `${sender} ${target}`;
}
