import type { KeyObject, X509Certificate } from 'node:crypto';
import { type Asn1, isContext, readAsn1, sequenceOf } from './asn1.ts';

/** RFC 9325 §4.5; the upper bound keeps a hostile key from costing milliseconds per check. */
const RSA_BITS = { least: 2048, most: 8192 };
const CURVES: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

const RSASSA_PSS = '1.2.840.113549.1.1.10';
const STRONG_SIGNATURES: ReadonlySet<string> = new Set([
  '1.2.840.113549.1.1.11', // sha256WithRSAEncryption
  '1.2.840.113549.1.1.12', // sha384WithRSAEncryption
  '1.2.840.113549.1.1.13', // sha512WithRSAEncryption
  '1.2.840.10045.4.3.2', // ecdsa-with-SHA256
  '1.2.840.10045.4.3.3', // ecdsa-with-SHA384
  '1.2.840.10045.4.3.4', // ecdsa-with-SHA512
  '1.3.101.112', // Ed25519
  '1.3.101.113', // Ed448
]);
const STRONG_HASHES: ReadonlySet<string> = new Set([
  '2.16.840.1.101.3.4.2.1', // SHA-256
  '2.16.840.1.101.3.4.2.2', // SHA-384
  '2.16.840.1.101.3.4.2.3', // SHA-512
]);
const BROKEN_HASHES: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.2': 'MD2',
  '1.2.840.113549.1.1.4': 'MD5',
  '1.2.840.113549.1.1.5': 'SHA-1',
  '1.3.14.3.2.29': 'SHA-1',
  '1.2.840.10040.4.3': 'SHA-1',
  '1.2.840.10045.4.1': 'SHA-1',
};

/** What is wrong with a key, completing "its key ...", or `undefined` (RFC 9325 §4.5). */
export function weaknessOfKey(key: KeyObject | undefined): string | undefined {
  const { modulusLength = 0, namedCurve = 'without a name' } = key?.asymmetricKeyDetails ?? {};
  const type = key?.asymmetricKeyType;
  if (type === 'ed25519' || type === 'ed448') return undefined;
  if (type === 'ec') {
    if (CURVES.has(namedCurve)) return undefined;
    return `is on the elliptic curve ${namedCurve}; P-256, P-384 and P-521 are accepted`;
  }
  if (type !== 'rsa' && type !== 'rsa-pss') return 'is of a kind that is not accepted; RSA, ECDSA and EdDSA are';
  if (modulusLength < RSA_BITS.least) {
    return `is RSA with only ${modulusLength} bits; at least ${RSA_BITS.least} are needed`;
  }
  if (modulusLength > RSA_BITS.most) return `is RSA with ${modulusLength} bits; at most ${RSA_BITS.most} are accepted`;
  return undefined;
}

/** What is wrong with the algorithm a certificate was signed with, completing "it is ...", or `undefined` (RFC 9325 §4.5). */
export function weaknessOfSignature(x509: X509Certificate): string | undefined {
  const type = x509.signatureAlgorithmOid;
  if (STRONG_SIGNATURES.has(type)) return undefined;
  if (type === RSASSA_PSS) {
    const hash = pssHash(readAsn1(x509.raw));
    return hash !== undefined && STRONG_HASHES.has(hash) ? undefined : 'signed with RSASSA-PSS over a weak hash';
  }
  return `signed with ${BROKEN_HASHES[type] ?? `an algorithm that is not accepted (${type})`}`;
}

const HASHES: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/**
 * The hash function by which a certificate is bound to a channel (RFC 5929 §4.1): that of its signature, SHA-256 in place of weaker ones; `undefined` where
 * the signature has none of its own (EdDSA).
 */
export function bindingHash(x509: X509Certificate): string | undefined {
  const type = x509.signatureAlgorithmOid;
  if (type === '1.3.101.112' || type === '1.3.101.113') return undefined;
  const hash = type === RSASSA_PSS ? pssHash(readAsn1(x509.raw)) : type;
  return HASHES[hash ?? ''] ?? 'sha256';
}

/** RFC 4055 §3.1: the hash function among the parameters of RSASSA-PSS; none means SHA-1. */
function pssHash(certificate: Asn1 | undefined): string | undefined {
  const [, algorithm] = sequenceOf(certificate) ?? [];
  const [, parameters] = sequenceOf(algorithm) ?? [];
  const hash = sequenceOf(parameters)?.find((parameter) => isContext(parameter, 0));
  const [identifier] = sequenceOf(hash?.children?.[0]) ?? [];
  return identifier?.oid;
}
