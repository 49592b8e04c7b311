import { issueCertificate, newKeyPair } from './issue.ts';
import type { OwnCertificate } from './parameters.ts';

const DAY = 86_400_000;
const YEARS = 10;

/**
 * A self-signed certificate with an ECDSA P-256 key, for a listener whose peers do not verify us: the inside one.
 *
 * @param names DNS names, A-labels.
 * @param now Unix milliseconds; the certificate is valid from a day before.
 */
export async function selfSignedCertificate(names: readonly string[], now: number): Promise<OwnCertificate> {
  const { privateKey, publicKey } = await newKeyPair();
  const chain = await issueCertificate(
    {
      subject: { commonName: names[0] ?? 'fedway' },
      dnsNames: names,
      use: ['server', 'client'],
      notBefore: now - DAY,
      notAfter: now + YEARS * 365 * DAY,
    },
    publicKey,
    { privateKey },
  );
  return { chain, key: privateKey };
}
