import type { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { getCACertificates, rootCertificates } from 'node:tls';
import type { PeerCertificate } from '../../protocol/identity/facts.ts';
import { Anchors, certificatesIn } from './anchors.ts';
import { fingerprintOf, peerCertificate, readCertificate } from './certificate.ts';
import { LONGEST_CHAIN, whyUntrusted } from './chain.ts';
import { fileProblem } from './files.ts';

/** Where trusted authorities come from. What is not named is not consulted (RFC 6120 §13.6). */
export interface TrustSources {
  /** The operating system's authorities; on a system that has none, those that came with Node. */
  readonly system: boolean;
  /** PEM files. A certificate in them is trusted as an authority and as what it is (pinned). */
  readonly files: readonly string[];
}

/** A verdict is used again for so long: a partner that opens many streams is judged once. */
const VERDICT_MS = 60_000;
const VERDICTS = 2000;

interface Verdict {
  readonly certificate: PeerCertificate;
  /** Unix milliseconds; it holds from `since` until before `until`. */
  readonly since: number;
  readonly until: number;
}

/** Judges the chain that a peer sent. */
export type ChainJudge = Pick<Trust, 'judge'>;

/** What is trusted, and the recent verdicts under it. */
export class Trust {
  readonly #anchors: Anchors;
  readonly #verdicts = new Map<string, Verdict>();

  constructor(anchors: Anchors) {
    this.#anchors = anchors;
  }

  /** The number of trusted certificates. */
  get size(): number {
    return this.#anchors.size;
  }

  /**
   * Judges the chain a peer sent, end entity first (RFC 5280 §6.1).
   *
   * @param now Unix milliseconds.
   * @returns `undefined` for an empty chain; else the end entity, with `untrusted` set unless the path holds.
   */
  judge(chain: readonly X509Certificate[], now: number): PeerCertificate | undefined {
    const [leaf] = chain;
    if (leaf === undefined) return undefined;
    // One more than is accepted shows that there are too many; a peer cannot make us hash and read the rest.
    const sent = chain.slice(0, LONGEST_CHAIN + 1);
    const key = sent.map(fingerprintOf).join(' ');
    const known = this.#verdicts.get(key);
    if (known !== undefined && known.since <= now && now < known.until) return known.certificate;
    const certificates = sent.map(readCertificate);
    const certificate = peerCertificate(readCertificate(leaf), whyUntrusted(certificates, this.#anchors, now));
    // No verdict outlives a date of the chain.
    const dates = certificates.flatMap(({ notBefore, notAfter }) => [notBefore, notAfter + 1]);
    const until = Math.min(now + VERDICT_MS, ...dates.filter((date) => date > now));
    this.#remember(key, { certificate, since: now, until });
    return certificate;
  }

  #remember(key: string, verdict: Verdict): void {
    this.#verdicts.delete(key);
    for (const oldest of this.#verdicts.keys()) {
      if (this.#verdicts.size < VERDICTS) break;
      this.#verdicts.delete(oldest);
    }
    this.#verdicts.set(key, verdict);
  }
}

/** Reads the trusted authorities; all problems are told at once, each naming the file and the cure. */
export async function loadTrust(sources: TrustSources): Promise<{ trust: Trust } | { problems: readonly string[] }> {
  const problems: string[] = [];
  const pinned: X509Certificate[] = [];
  for (const path of sources.files) {
    const read = await authoritiesIn(path);
    if ('problem' in read) problems.push(read.problem);
    else pinned.push(...read.certificates);
  }
  if (problems.length > 0) return { problems };
  return { trust: new Trust(new Anchors(sources.system ? systemAuthorities() : [], pinned)) };
}

type Read = { readonly certificates: readonly X509Certificate[] } | { readonly problem: string };

/** The certificates of a PEM file, at least one. A problem names the file and the cure. */
export async function authoritiesIn(path: string): Promise<Read> {
  let pem: string;
  try {
    pem = await readFile(path, 'utf8');
  } catch (error) {
    return { problem: fileProblem('trusted authorities', path, error) };
  }
  try {
    const certificates = certificatesIn(pem);
    if (certificates.length > 0) return { certificates };
    return {
      problem: `trusted authorities ${path}: no certificate in it; it must hold PEM blocks "BEGIN CERTIFICATE"`,
    };
  } catch {
    return {
      problem: `trusted authorities ${path}: a certificate in it cannot be read; replace the damaged PEM block`,
    };
  }
}

/** The authorities of the operating system; on a system that has none, those that came with Node. Its list holds the same certificate several times, and may hold what OpenSSL cannot read. */
export function systemAuthorities(): readonly X509Certificate[] {
  const listed = getCACertificates('system');
  const pems = new Set(listed.length > 0 ? listed : rootCertificates);
  return [...pems].flatMap((pem) => {
    try {
      return certificatesIn(pem);
    } catch {
      return [];
    }
  });
}
