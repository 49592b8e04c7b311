import { X509Certificate } from 'node:crypto';
import { certificatesIn } from '../net/tls/anchors.ts';
import { readCertificate } from '../net/tls/certificate.ts';
import type { Trust } from '../net/tls/trust.ts';
import { idIn } from './identity.ts';

const DAY = 86_400_000;
/** Of certificates that take part in a Link. The authority lasts as long as anybody will want to keep a pairing. */
export const LIFETIME = { certificate: 90 * DAY, authority: 3650 * DAY } as const;
/** A certificate is valid from so long before it was made: clocks differ. */
export const VALID_BEFORE = DAY;

/** Which end of a Link a certificate is for. */
export type LinkEnd = 'edge' | 'core';

const PURPOSES = { edge: '1.3.6.1.5.5.7.3.1', core: '1.3.6.1.5.5.7.3.2' } as const;

/** The period of a certificate, in Unix milliseconds. */
export interface Period {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** The period of the first certificate of a PEM text, which must have one. */
export function periodOf(chain: string): Period {
  const { notBefore, notAfter } = readCertificate(new X509Certificate(chain));
  return { notBefore, notAfter };
}

/**
 * When a certificate is to be replaced: after two thirds of its life. Also when the clock says that it is not valid yet, which happens
 * after the clock was set back.
 */
export function isDue({ notBefore, notAfter }: Period, now: number): boolean {
  return now < notBefore || now >= notBefore + VALID_BEFORE + ((notAfter - notBefore - VALID_BEFORE) * 2) / 3;
}

/** What the certificate at the other end comes to. */
export type PeerProof =
  | { readonly id: string; readonly leaf: X509Certificate }
  /** The authority did sign it for this kind of box, and it does not hold now. */
  | { readonly id: string; readonly leaf: X509Certificate; readonly lapsed: string }
  /** Nobody we know. */
  | { readonly stranger: string };

/**
 * Judges the certificate that the other end of a Link showed: under our authority, for that end, in its period.
 *
 * @param chain as it was sent, the end entity first
 * @param trust in the one authority
 */
export function proofOf(chain: readonly X509Certificate[], end: LinkEnd, trust: Trust, now: number): PeerProof {
  const [leaf] = chain;
  if (leaf === undefined) return { stranger: 'it showed no certificate' };
  const { notBefore, notAfter, purposes, malformed } = readCertificate(leaf);
  if (malformed !== undefined) return { stranger: `its certificate is malformed: ${malformed}` };
  const untrusted = trust.judge(chain, now)?.untrusted;
  if (untrusted !== undefined) {
    // Whether only the clock speaks against it: the same path at a time when the end entity was valid.
    const atItsTime = trust.judge(chain, Math.min(Math.max(now, notBefore), notAfter))?.untrusted;
    const id = idIn(leaf);
    if (atItsTime === undefined && id !== undefined && purposes?.includes(PURPOSES[end]) === true)
      return { id, leaf, lapsed: lapse({ notBefore, notAfter }, now) };
    return { stranger: `${untrusted} (the clock here says ${iso(now)})` };
  }
  if (purposes?.includes(PURPOSES[end]) !== true)
    return { stranger: `its certificate is not for ${end === 'core' ? 'a Core' : 'an Edge'}` };
  const id = idIn(leaf);
  return id === undefined ? { stranger: 'its certificate names no box' } : { id, leaf };
}

/** Why a certificate does not hold at `now`, with both times. */
export function lapse({ notBefore, notAfter }: Period, now: number): string {
  return now < notBefore
    ? `the certificate is valid from ${iso(notBefore)}, and the clock that judged it says ${iso(now)}`
    : `the certificate was valid until ${iso(notAfter)}, and the clock that judged it says ${iso(now)}`;
}

/** Whether the leaf of a PEM chain is in its period. */
export function holds({ notBefore, notAfter }: Period, now: number): boolean {
  return notBefore <= now && now <= notAfter;
}

/** A chain in PEM as certificates; `undefined` when it is none. Total. */
export function readChain(pem: string): readonly X509Certificate[] | undefined {
  try {
    const chain = certificatesIn(pem);
    return chain.length === 0 ? undefined : chain;
  } catch {
    // Whatever OpenSSL has against it: it is no chain.
    return undefined;
  }
}

function iso(time: number): string {
  return Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : 'an impossible time';
}
