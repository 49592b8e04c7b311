import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { SecureContext } from 'node:tls';
import { matches } from '../../protocol/identity/presents.ts';
import type { Domain } from '../../protocol/jid/domain.ts';
import { weaknessOfKey, weaknessOfSignature } from './algorithms.ts';
import { certificatesIn } from './anchors.ts';
import { type Certificate, peerCertificate, readCertificate } from './certificate.ts';
import { fileProblem } from './files.ts';
import { secureContext } from './parameters.ts';

/** A certificate of ours: which domains it is for, and where its PEM files are. */
export interface HomeCertificate {
  readonly domains: readonly Domain[];
  /** The chain, leaf first. */
  readonly certificate: string;
  readonly key: string;
}

/** What one pair of files gave. */
export interface LoadedCertificate {
  readonly domains: readonly Domain[];
  /** The certificate file. */
  readonly path: string;
  /** Unix milliseconds. */
  readonly notAfter: number;
  /** What peers are shown, leaf first. */
  readonly chain: readonly X509Certificate[];
  readonly context: SecureContext;
  /** Sentences on what will not stop us but will stop some peers. */
  readonly warnings: readonly string[];
}

export type FilesRead = { readonly loaded: LoadedCertificate } | { readonly problems: readonly string[] };

/**
 * Reads and checks a certificate and its key (RFC 9325 §4.5): every problem names the file and the cure.
 *
 * @param now Unix milliseconds.
 */
export async function readCertificateFiles(files: HomeCertificate, now: number): Promise<FilesRead> {
  const [chain, key] = await Promise.all([readChain(files.certificate), readKey(files.key)]);
  const problems = [chain, key].flatMap((read) => ('problem' in read ? [read.problem] : []));
  if ('problem' in chain || 'problem' in key) return { problems };
  const [leaf] = chain.certificates;
  const misfit = whyKeyDoesNotFit(files, chain.certificates, key.key);
  if (leaf === undefined || misfit !== undefined)
    return { problems: [misfit ?? `certificate ${files.certificate}: empty`] };
  problems.push(...weaknesses(files.certificate, chain.certificates));
  if (problems.length > 0) return { problems };
  try {
    const context = secureContext({ chain: chain.pem, key: key.pem });
    const { domains, certificate: path } = files;
    const warnings = warningsAbout(files, chain.certificates, now);
    const x509 = chain.certificates.map((each) => each.x509);
    return { loaded: { domains, path, notAfter: leaf.notAfter, chain: x509, context, warnings } };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { problems: [`certificate ${files.certificate}: OpenSSL does not accept it with its key (${reason})`] };
  }
}

type Problem = { readonly problem: string };

async function readChain(path: string): Promise<{ pem: string; certificates: readonly Certificate[] } | Problem> {
  const pem = await readText('certificate', path);
  if (typeof pem !== 'string') return pem;
  let certificates: readonly X509Certificate[];
  try {
    certificates = certificatesIn(pem);
  } catch {
    return { problem: `certificate ${path}: a PEM block in it cannot be read; replace the damaged file` };
  }
  if (certificates.length > 0) return { pem, certificates: certificates.map(readCertificate) };
  return {
    problem: `certificate ${path}: no certificate in it; it must hold PEM blocks "BEGIN CERTIFICATE", leaf first`,
  };
}

async function readKey(path: string): Promise<{ pem: string; key: KeyObject } | Problem> {
  const pem = await readText('key', path);
  if (typeof pem !== 'string') return pem;
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(pem)) {
    return { problem: `key ${path}: it has a passphrase; take it off with "openssl pkey -in OLD -out NEW"` };
  }
  try {
    return { pem, key: createPrivateKey(pem) };
  } catch {
    return { problem: `key ${path}: no private key in it; it must hold one PEM block "BEGIN PRIVATE KEY"` };
  }
}

async function readText(what: string, path: string): Promise<string | Problem> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    return { problem: fileProblem(what, path, error) };
  }
}

function whyKeyDoesNotFit(files: HomeCertificate, chain: readonly Certificate[], key: KeyObject): string | undefined {
  const at = chain.findIndex(({ x509 }) => x509.checkPrivateKey(key));
  if (at === 0) return undefined;
  const [leaf] = chain;
  if (at > 0) {
    return `certificate ${files.certificate}: the key fits certificate ${at + 1} in it (${chain[at]?.title}); put that one first`;
  }
  return `key ${files.key}: it does not belong to ${leaf?.title} in ${files.certificate}; name the key that it was made with`;
}

function weaknesses(path: string, chain: readonly Certificate[]): readonly string[] {
  return chain.flatMap((certificate) => {
    const { title, key, malformed, selfIssued, x509 } = certificate;
    const faults: string[] = [];
    const weakKey = weaknessOfKey(key);
    // Nobody relies on the signature of a certificate on itself.
    const weakSignature = selfIssued ? undefined : weaknessOfSignature(x509);
    if (malformed !== undefined) faults.push(`certificate ${path}: ${title} is malformed (${malformed}); get another`);
    if (weakKey !== undefined)
      faults.push(`certificate ${path}: the key of ${title} ${weakKey}; get one with another key`);
    if (weakSignature !== undefined)
      faults.push(`certificate ${path}: ${title} is ${weakSignature}; have it issued again`);
    return faults;
  });
}

function warningsAbout(files: HomeCertificate, chain: readonly Certificate[], now: number): readonly string[] {
  const [leaf] = chain;
  if (leaf === undefined) return [];
  const { path, warnings } = { path: files.certificate, warnings: [] as string[] };
  const { names } = peerCertificate(leaf, undefined);
  const bare = files.domains.filter((domain) => !matches(names, domain));
  if (bare.length > 0) {
    warnings.push(
      `certificate ${path}: ${leaf.title} does not name ${bare.join(', ')}; peers will not accept it for that`,
    );
  }
  for (const { title, notAfter, notBefore } of chain) {
    if (now > notAfter)
      warnings.push(`certificate ${path}: ${title} expired on ${new Date(notAfter).toISOString()}; renew it`);
    if (now < notBefore) {
      warnings.push(
        `certificate ${path}: ${title} is not valid before ${new Date(notBefore).toISOString()}; check the clock`,
      );
    }
  }
  if (leaf.authority)
    warnings.push(`certificate ${path}: ${leaf.title} is that of an authority (CA:TRUE); strict peers refuse it`);
  return warnings;
}
