import { weaknessOfKey, weaknessOfSignature } from './algorithms.ts';
import type { Anchors } from './anchors.ts';
import type { Certificate } from './certificate.ts';
import { nameInWords, sameName } from './general-name.ts';
import { forbiddenName } from './name-constraints.ts';

/** More certificates than any real chain has. */
export const LONGEST_CHAIN = 10;

/**
 * Signatures checked for one chain before we give up. A peer that sends ten authorities of the same name which all signed each
 * other would otherwise have us walk through millions of paths.
 */
const SIGNATURE_BUDGET = 24;

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const ANY_PURPOSE = '2.5.29.37.0';

/**
 * Path validation (RFC 5280 §6.1) of the certificates a peer sent, end entity first, the others in any order.
 *
 * OpenSSL's own verdict is of no use for a TLS client's certificate: it is INVALID_PURPOSE for a good certificate with serverAuth
 * alone, and the very same for one that is self-signed or under an attacker's authority. So paths are built and judged here;
 * issuing (names, key identifiers, X509_check_issued) and signatures are checked by OpenSSL. Every certificate of the path,
 * the anchor too, has to be in its period, of acceptable strength, and its extended key usage has to admit TLS.
 *
 * @param now Unix milliseconds.
 * @returns why the end entity is not to be trusted, a sentence that names the failing certificate; `undefined` when it is.
 */
export function whyUntrusted(sent: readonly Certificate[], anchors: Anchors, now: number): string | undefined {
  const [leaf] = sent;
  if (leaf === undefined) return 'no certificate was sent';
  if (sent.length > LONGEST_CHAIN)
    return `${sent.length} certificates were sent; at most ${LONGEST_CHAIN} are accepted`;
  const pinned = anchors.pins(leaf);
  const fault = unfit(leaf, now) ?? unfitAsEndEntity(leaf, pinned);
  if (fault !== undefined || pinned) return fault;
  const search = new PathSearch(sent, anchors, now);
  return search.climb([], leaf) ? undefined : search.fault;
}

/** How telling a fault is, among those found equally far up. */
const TELLS = { noIssuer: 0, notThisIssuer: 1, selfSigned: 2, issuerUnfit: 3 } as const;

interface Fault {
  readonly tells: keyof typeof TELLS;
  readonly sentence: string;
}

/** Depth first, trust anchors before sent certificates. Of all faults, the one furthest up and most telling is kept. */
class PathSearch {
  readonly #sent: readonly Certificate[];
  readonly #anchors: Anchors;
  readonly #now: number;
  #signaturesLeft = SIGNATURE_BUDGET;
  #weight = -1;
  #worst = 'no path to a trusted authority was found';

  constructor(sent: readonly Certificate[], anchors: Anchors, now: number) {
    // What was sent twice would be looked at twice wherever it fits, at the cost of what comes after it.
    this.#sent = [...new Map(sent.map((each) => [each.fingerprint, each])).values()];
    this.#anchors = anchors;
    this.#now = now;
  }

  get fault(): string {
    return this.#worst;
  }

  /** Whether a trusted authority stands above `last`; `below` is the path from the end entity up to it. */
  climb(below: readonly Certificate[], last: Certificate): boolean {
    const path = [...below, last];
    const weakness = weaknessOfSignature(last.x509);
    if (weakness !== undefined) {
      return this.#fail(path, { tells: 'issuerUnfit', sentence: `${last.title} is ${weakness}` });
    }
    for (const anchor of this.#anchors.named(last.x509.issuer)) {
      const fault = this.#whyNot(anchor, path, last);
      if (fault === undefined) return true;
      this.#fail(path, fault);
    }
    for (const candidate of this.#sent) {
      if (!sameName(candidate.subject, last.issuer)) continue;
      if (path.some(({ fingerprint }) => fingerprint === candidate.fingerprint)) continue;
      const fault = this.#whyNot(candidate, path, last);
      if (fault !== undefined) this.#fail(path, fault);
      else if (this.climb(path, candidate)) return true;
    }
    return this.#fail(path, deadEnd(last));
  }

  /** Why this issuer cannot be the next one of the path. */
  #whyNot(issuer: Certificate, path: readonly Certificate[], last: Certificate): Fault | undefined {
    const unable = whyUnableToSign(issuer);
    if (unable !== undefined) return { tells: 'issuerUnfit', sentence: unable };
    if (!last.x509.checkIssued(issuer.x509)) {
      return {
        tells: 'notThisIssuer',
        sentence: `${last.title} names another key of its issuer than that of ${issuer.title}`,
      };
    }
    if (this.#signaturesLeft === 0) {
      return { tells: 'issuerUnfit', sentence: 'the certificates that were sent are too entangled to find a path' };
    }
    this.#signaturesLeft -= 1;
    if (issuer.key === undefined || !last.x509.verify(issuer.key)) {
      return { tells: 'notThisIssuer', sentence: `the signature on ${last.title} was not made by ${issuer.title}` };
    }
    const unfitness =
      unfit(issuer, this.#now) ?? tooLong(path, issuer) ?? crossPurposes(path, issuer) ?? outside(path, issuer);
    return unfitness === undefined ? undefined : { tells: 'issuerUnfit', sentence: unfitness };
  }

  #fail(path: readonly Certificate[], { tells, sentence }: Fault): false {
    const weight = path.length * 4 + TELLS[tells];
    if (weight > this.#weight) {
      this.#weight = weight;
      this.#worst = sentence;
    }
    return false;
  }
}

function deadEnd(last: Certificate): Fault {
  if (last.selfIssued) {
    return { tells: 'selfSigned', sentence: `${last.title} is self-signed and not among the trusted authorities` };
  }
  const issuer = `"${nameInWords(last.issuer)}"`;
  return {
    tells: 'noIssuer',
    sentence: `the issuer of ${last.title}, ${issuer}, is not among the trusted authorities, and no certificate of it was sent`,
  };
}

/** RFC 5280 §6.1.4 (k), (n). What is malformed is told first: OpenSSL takes such a certificate for nobody's issuer. */
function whyUnableToSign(issuer: Certificate): string | undefined {
  if (issuer.malformed !== undefined) return malformed(issuer, issuer.malformed);
  if (!issuer.authority) return `${issuer.title} signs certificates but is not an authority`;
  const permitted = issuer.keyUsage?.has('keyCertSign') ?? true;
  return permitted ? undefined : `the key usage of ${issuer.title} does not admit signing certificates`;
}

/** What any certificate of a path is refused for. */
function unfit(certificate: Certificate, now: number): string | undefined {
  const { title, key, unknownCritical, purposes, notBefore, notAfter } = certificate;
  if (certificate.malformed !== undefined) return malformed(certificate, certificate.malformed);
  const weakness = weaknessOfKey(key);
  if (weakness !== undefined) return `${title}: its key ${weakness}`;
  if (now < notBefore) return `${title} is not valid before ${new Date(notBefore).toISOString()}`;
  if (now > notAfter) return `${title} expired on ${new Date(notAfter).toISOString()}`;
  if (unknownCritical.length > 0) return `${title} has a critical extension that is not known (${unknownCritical[0]})`;
  // Public authorities issue no clientAuth any more: serverAuth has to do for a connecting peer too.
  if (tlsPurposes(purposes).length === 0) {
    return `the extended key usage of ${title} admits neither TLS servers nor clients`;
  }
  return undefined;
}

function malformed(certificate: Certificate, detail: string): string {
  return `${certificate.title} is malformed: ${detail}`;
}

/** Those TLS purposes that an extended key usage (RFC 5280 §4.2.1.12) admits. */
function tlsPurposes(purposes: readonly string[] | undefined): readonly string[] {
  const all = [SERVER_AUTH, CLIENT_AUTH];
  return purposes === undefined || purposes.includes(ANY_PURPOSE) ? all : all.filter((one) => purposes.includes(one));
}

/** An authority for TLS clients alone cannot issue for servers: as OpenSSL has it, one purpose holds for the whole path. */
function crossPurposes(path: readonly Certificate[], issuer: Certificate): string | undefined {
  const shared = [...path, issuer].reduce<readonly string[]>(
    (left, { purposes }) => left.filter((one) => tlsPurposes(purposes).includes(one)),
    [SERVER_AUTH, CLIENT_AUTH],
  );
  return shared.length > 0
    ? undefined
    : `the extended key usage of ${issuer.title} does not admit what ${path[0]?.title ?? ''} is for`;
}

/** RFC 6120 §13.7.1.1; an administrator who names a self-signed certificate as trusted may name one with CA:TRUE. */
function unfitAsEndEntity(leaf: Certificate, pinned: boolean): string | undefined {
  if (leaf.authority && !pinned) return `${leaf.title} is the certificate of an authority (CA:TRUE), not of a server`;
  const usage = leaf.keyUsage;
  const fits =
    usage === undefined || usage.has('digitalSignature') || usage.has('keyAgreement') || usage.has('keyEncipherment');
  return fits || pinned ? undefined : `the key usage of ${leaf.title} does not admit TLS`;
}

/** RFC 5280 §6.1.4 (l), (m): self-issued certificates do not count, nor does the end entity. */
function tooLong(path: readonly Certificate[], issuer: Certificate): string | undefined {
  const below = path.slice(1).filter(({ selfIssued }) => !selfIssued).length;
  if (issuer.pathLength === undefined || below <= issuer.pathLength) return undefined;
  return `${issuer.title} permits ${issuer.pathLength} authorities below it; there are ${below}`;
}

/** RFC 5280 §6.1.4 (g), §6.1.3 (b), (c): the names of all below, but not of self-issued authorities. */
function outside(path: readonly Certificate[], issuer: Certificate): string | undefined {
  if (issuer.constraints === undefined) return undefined;
  for (const [at, certificate] of path.entries()) {
    if (at > 0 && certificate.selfIssued) continue;
    const forbidden = forbiddenName(issuer.constraints, certificate);
    if (forbidden !== undefined) return `${issuer.title} does not permit ${forbidden} in ${certificate.title}`;
  }
  return undefined;
}
