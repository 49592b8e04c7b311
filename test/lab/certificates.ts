import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { authority, type CertificateSpec, type Issued, leaf } from '../support/certificates.ts';

/** What is right or wrong with a server's certificate. `server-only` is right: what public authorities issue has no clientAuth any more. */
export type CertificateKind = 'good' | 'server-only' | 'expired' | 'wrong-name' | 'self-signed' | 'other-authority';

/** Files in PEM. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
  /** Key and certificate in one file. */
  readonly combined: string;
}

/** The certificate authority of a lab, and another one that nobody in the lab trusts. */
export interface CertificateAuthority {
  /** The root certificate that everybody trusts. */
  readonly root: string;
  /** A certificate for these domains; whoever asks again gets the same files. */
  issue(domains: readonly [string, ...string[]], kind?: CertificateKind): CertificateFiles;
}

const DAY = 86_400_000;

/** For both purposes, as servers are clients of each other (RFC 6120 §13.7.1.2). */
const BOTH: CertificateSpec = { extendedKeyUsage: ['server', 'client'] };

/** Creates the authority; its files go to `folder`. */
export function createAuthority(folder: string): CertificateAuthority {
  mkdirSync(folder, { recursive: true });
  const trusted = authority('Lab Authority');
  const stranger = authority('Stranger Authority');
  const root = path.join(folder, 'authority.pem');
  writeFileSync(root, trusted.pem);
  const issued = new Map<string, CertificateFiles>();
  return {
    root,
    issue(domains, kind = 'good') {
      const name = `${domains.join('+')}-${kind}`;
      const known = issued.get(name);
      if (known !== undefined) return known;
      const files = write(path.join(folder, name), MADE[kind](domains, trusted, stranger));
      issued.set(name, files);
      return files;
    },
  };
}

/** Trusted is the authority of the lab, the stranger the other one. */
const MADE: Readonly<
  Record<CertificateKind, (domains: readonly string[], trusted: Issued, stranger: Issued) => Issued>
> = {
  good: (domains, trusted) => leaf(domains, trusted, BOTH),
  'server-only': (domains, trusted) => leaf(domains, trusted),
  expired: (domains, trusted) => leaf(domains, trusted, { ...BOTH, notBefore: daysAgo(30), notAfter: daysAgo(1) }),
  'wrong-name': (_domains, trusted) => leaf('somewhere-else.example', trusted, BOTH),
  'self-signed': (domains) => leaf(domains, undefined, BOTH),
  'other-authority': (domains, _trusted, stranger) => leaf(domains, stranger, BOTH),
};

function daysAgo(days: number): Date {
  return new Date(Date.now() - days * DAY);
}

function write(base: string, { chainPem, keyPem }: Issued): CertificateFiles {
  const files = { certificate: `${base}.crt`, key: `${base}.key`, combined: `${base}.pem` };
  writeFileSync(files.certificate, chainPem);
  writeFileSync(files.key, keyPem, { mode: 0o600 });
  writeFileSync(files.combined, keyPem + chainPem, { mode: 0o600 });
  return files;
}
