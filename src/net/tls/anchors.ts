import { X509Certificate } from 'node:crypto';
import { type Certificate, fingerprintOf, readCertificate } from './certificate.ts';

/** The authorities that a path may end at. Immutable; their details are read when a chain first asks for them. */
export class Anchors {
  readonly #bySubject = new Map<string, X509Certificate[]>();
  readonly #pins = new Set<string>();
  readonly #fingerprints = new Set<string>();

  /**
   * @param authorities may only sign for others.
   * @param pinned are trusted also as what they are: a server's own self-signed certificate, named by an administrator.
   */
  constructor(authorities: readonly X509Certificate[], pinned: readonly X509Certificate[] = []) {
    for (const x509 of pinned) {
      this.#pins.add(fingerprintOf(x509));
      this.#add(x509);
    }
    for (const x509 of authorities) this.#add(x509);
  }

  get size(): number {
    return this.#fingerprints.size;
  }

  /** Those whose subject may be this issuer, as OpenSSL prints it; whether one of them did sign is another question. */
  named(issuer: string | undefined): readonly Certificate[] {
    return (this.#bySubject.get(comparable(issuer)) ?? []).map(readCertificate);
  }

  /** Whether this very certificate was named as trusted. */
  pins(certificate: Certificate): boolean {
    return this.#pins.has(certificate.fingerprint);
  }

  #add(x509: X509Certificate): void {
    const fingerprint = fingerprintOf(x509);
    if (this.#fingerprints.has(fingerprint)) return;
    this.#fingerprints.add(fingerprint);
    const subject = comparable(x509.subject);
    const same = this.#bySubject.get(subject);
    if (same === undefined) this.#bySubject.set(subject, [x509]);
    else same.push(x509);
  }
}

/** Every certificate in a PEM text. */
export function certificatesIn(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(
    /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g,
  );
  return (blocks ?? []).map((block) => new X509Certificate(block));
}

/** Coarser than OpenSSL's comparison of names (RFC 5280 §7.1): case and white space do not count. */
function comparable(name: string | undefined): string {
  return (name ?? '').toLowerCase().replace(/\s+/g, ' ');
}
