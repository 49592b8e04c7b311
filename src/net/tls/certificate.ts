import type { KeyObject, X509Certificate } from 'node:crypto';
import type { PeerCertificate, PresentedName } from '../../protocol/identity/facts.ts';
import { printable } from '../../protocol/identity/printable.ts';
import { type Asn1, booleanOf, isContext, isUniversal, readAsn1, sequenceOf, smallIntegerOf, TAG } from './asn1.ts';
import {
  type DistinguishedName,
  type GeneralName,
  nameInWords,
  presentedNames,
  readDistinguishedName,
  readGeneralNames,
  sameName,
} from './general-name.ts';
import { type NameConstraints, readNameConstraints } from './name-constraints.ts';

/** A certificate with everything that path validation (RFC 5280 §6) and identity (RFC 9525) ask of it, read from DER once. */
export interface Certificate {
  readonly x509: X509Certificate;
  /** Hex of SHA-256 over the DER, lower case, without colons. */
  readonly fingerprint: string;
  /** For sentences: `"CN=vngtp.lab"`. */
  readonly title: string;
  /** What cannot be read, completing "it is malformed: ..."; the fields it concerns are empty then. */
  readonly malformed: string | undefined;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  readonly selfIssued: boolean;
  /** All of subjectAltName. */
  readonly altNames: readonly GeneralName[];
  /** basicConstraints: CA:TRUE. */
  readonly authority: boolean;
  readonly pathLength: number | undefined;
  /** `undefined` without the extension, which permits every use. */
  readonly keyUsage: ReadonlySet<KeyUsage> | undefined;
  /** extendedKeyUsage, dotted. */
  readonly purposes: readonly string[] | undefined;
  readonly constraints: NameConstraints | undefined;
  /** Critical extensions that nobody here understands (RFC 5280 §4.2). */
  readonly unknownCritical: readonly string[];
  /** Unix milliseconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly key: KeyObject | undefined;
}

/** RFC 5280 §4.2.1.3, those that matter here. */
export type KeyUsage = 'digitalSignature' | 'keyEncipherment' | 'keyAgreement' | 'keyCertSign';

const KEY_USAGE_BITS: readonly (readonly [bit: number, usage: KeyUsage])[] = [
  [0, 'digitalSignature'],
  [2, 'keyEncipherment'],
  [4, 'keyAgreement'],
  [5, 'keyCertSign'],
];

const EXTENSION = {
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  extendedKeyUsage: '2.5.29.37',
} as const;

/**
 * Extensions that may be critical. Policies (`2.5.29.32`, `33`, `36`, `54`) are among them although they are not evaluated:
 * every policy is acceptable to us, and OpenSSL treats them alike unless asked to check policies. Key identifiers are
 * compared by OpenSSL.
 */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  ...Object.values(EXTENSION),
  '2.5.29.14',
  '2.5.29.35',
  '2.5.29.32',
  '2.5.29.33',
  '2.5.29.36',
  '2.5.29.54',
]);

const read = new WeakMap<X509Certificate, Certificate>();

/** Reads a certificate. Total: what is malformed is told in the result. The result is remembered with the object. */
export function readCertificate(x509: X509Certificate): Certificate {
  const known = read.get(x509);
  if (known !== undefined) return known;
  const made = readParts(x509);
  read.set(x509, made);
  return made;
}

/** The judged form of a peer's certificate; `untrusted` is the verdict on its chain. */
export function peerCertificate(certificate: Certificate, untrusted: string | undefined): PeerCertificate {
  const names: readonly PresentedName[] = presentedNames(certificate.altNames);
  return {
    names,
    untrusted,
    subject: nameInWords(certificate.subject),
    issuer: nameInWords(certificate.issuer),
    fingerprint: certificate.fingerprint,
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
  };
}

function readParts(x509: X509Certificate): Certificate {
  const faults: string[] = [];
  const body = readBody(readAsn1(x509.raw));
  if (body === undefined) faults.push('it is not a certificate by RFC 5280');
  const subject = body === undefined ? undefined : readDistinguishedName(body.subject);
  const issuer = body === undefined ? undefined : readDistinguishedName(body.issuer);
  if (body !== undefined && (subject === undefined || issuer === undefined)) faults.push('a name cannot be read');
  const extensions = body === undefined ? undefined : readExtensions(body.extensions);
  if (body !== undefined && extensions === undefined)
    faults.push('its extensions cannot be read, or one is there twice');

  function extension<T>(type: string, label: string, reader: (value: Asn1) => T | undefined): T | undefined {
    const found = extensions?.get(type);
    if (found === undefined) return undefined;
    const value = readAsn1(found.value);
    const result = value === undefined ? undefined : reader(value);
    if (result === undefined) faults.push(`its extension ${label} cannot be read`);
    return result;
  }

  const altNames = extension(EXTENSION.subjectAltName, 'subjectAltName', readGeneralNames) ?? [];
  const basic = extension(EXTENSION.basicConstraints, 'basicConstraints', readBasicConstraints);
  const keyUsage = extension(EXTENSION.keyUsage, 'keyUsage', readKeyUsage);
  const purposes = extension(EXTENSION.extendedKeyUsage, 'extendedKeyUsage', readPurposes);
  const constraints = extension(EXTENSION.nameConstraints, 'nameConstraints', readNameConstraints);
  const critical = [...(extensions ?? [])].filter(([type, { critical }]) => critical && !UNDERSTOOD.has(type));
  const notBefore = x509.validFromDate.getTime();
  const notAfter = x509.validToDate.getTime();
  if (Number.isNaN(notBefore) || Number.isNaN(notAfter)) faults.push('its dates cannot be read');
  return {
    x509,
    fingerprint: fingerprintOf(x509),
    title: titleOf(x509, subject ?? [], altNames),
    malformed: faults.length === 0 ? undefined : faults.join('; '),
    subject: subject ?? [],
    issuer: issuer ?? [],
    selfIssued: subject !== undefined && issuer !== undefined && sameName(subject, issuer),
    altNames,
    authority: basic?.authority ?? false,
    pathLength: basic?.pathLength,
    keyUsage,
    purposes,
    constraints,
    unknownCritical: critical.map(([type]) => type),
    notBefore,
    notAfter,
    key: keyOf(x509),
  };
}

/** Hex of SHA-256 over the DER, lower case, without colons. */
export function fingerprintOf(x509: X509Certificate): string {
  return x509.fingerprint256.replaceAll(':', '').toLowerCase();
}

interface Body {
  readonly issuer: Asn1;
  readonly subject: Asn1;
  readonly extensions: Asn1 | undefined;
}

/** RFC 5280 §4.1. */
function readBody(certificate: Asn1 | undefined): Body | undefined {
  const fields = sequenceOf(sequenceOf(certificate)?.[0]);
  if (fields === undefined) return undefined;
  const first = isContext(fields[0], 0) ? 1 : 0;
  const [issuer, subject] = [fields[first + 2], fields[first + 4]];
  if (issuer === undefined || subject === undefined) return undefined;
  return { issuer, subject, extensions: fields.slice(first + 6).find((field) => isContext(field, 3)) };
}

interface Extension {
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/** RFC 5280 §4.2: no extension may appear twice. */
function readExtensions(field: Asn1 | undefined): ReadonlyMap<string, Extension> | undefined {
  const extensions = new Map<string, Extension>();
  if (field === undefined) return extensions;
  for (const child of sequenceOf(field.children?.[0]) ?? [undefined]) {
    const parts = sequenceOf(child);
    const [type, second] = parts ?? [];
    const value = parts?.at(-1);
    const critical = parts?.length === 3 ? booleanOf(second) : false;
    if (type?.oid === undefined || value === undefined || !isUniversal(value, TAG.octetString)) return undefined;
    if (critical === undefined || extensions.has(type.oid)) return undefined;
    extensions.set(type.oid, { critical, value: value.content });
  }
  return extensions;
}

/** RFC 5280 §4.2.1.9. */
function readBasicConstraints(value: Asn1): { authority: boolean; pathLength: number | undefined } | undefined {
  const parts = sequenceOf(value);
  if (parts === undefined || parts.length > 2) return undefined;
  const [first, second] = parts;
  if (first === undefined) return { authority: false, pathLength: undefined };
  const authority = booleanOf(first);
  const pathLength = second === undefined ? undefined : smallIntegerOf(second);
  if (authority === undefined || (second !== undefined && pathLength === undefined)) return undefined;
  return { authority, pathLength };
}

/** RFC 5280 §4.2.1.3; bit 0 is the highest of the first octet. */
function readKeyUsage(value: Asn1): ReadonlySet<KeyUsage> | undefined {
  if (!isUniversal(value, TAG.bitString) || value.content.length < 1) return undefined;
  const octet = value.content[1] ?? 0;
  return new Set(KEY_USAGE_BITS.filter(([bit]) => (octet & (0x80 >> bit)) !== 0).map(([, usage]) => usage));
}

function readPurposes(value: Asn1): readonly string[] | undefined {
  const purposes = sequenceOf(value)?.map(({ oid }) => oid);
  return purposes?.every((oid) => oid !== undefined) === true ? purposes : undefined;
}

function titleOf(x509: X509Certificate, subject: DistinguishedName, altNames: readonly GeneralName[]): string {
  if (subject.length > 0) return `"${nameInWords(subject)}"`;
  const [name] = presentedNames(altNames);
  return name === undefined ? `"SHA-256 ${fingerprintOf(x509).slice(0, 16)}..."` : `"${printable(name.value)}"`;
}

function keyOf(x509: X509Certificate): KeyObject | undefined {
  try {
    return x509.publicKey;
  } catch {
    // A kind of key that OpenSSL does not know; the chain is refused for it.
    return undefined;
  }
}
