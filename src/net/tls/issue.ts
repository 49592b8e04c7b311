import { createPublicKey, randomBytes, webcrypto } from 'node:crypto';
import { Set as AsnSet, fromBER, Integer, OctetString, PrintableString, Sequence, Utf8String } from 'asn1js';
import {
  AttributeTypeAndValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  Extension,
  ExtKeyUsage,
  GeneralName,
  GeneralNames,
  RelativeDistinguishedNames,
  Time,
  TimeType,
} from 'pkijs';

const COMMON_NAME = '2.5.4.3';
const SERIAL_NUMBER = '2.5.4.5';
const PURPOSES = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const;
/** keyUsage (RFC 5280 §4.2.1.3) as BIT STRING contents: digitalSignature; keyCertSign and cRLSign. */
const DIGITAL_SIGNATURE = Uint8Array.of(3, 2, 7, 0x80);
const SIGNS_CERTIFICATES = Uint8Array.of(3, 2, 1, 0x06);
const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const;
/** A SubjectPublicKeyInfo on P-256 up to the coordinates (RFC 5480 §2). */
const P256_PREFIX = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex');
/** RFC 5280 §4.1.2.5: from this year on a time is a GeneralizedTime. */
const GENERALIZED = 2050;

/** A key pair in PEM: PKCS #8, and SubjectPublicKeyInfo. */
export interface KeyPairPem {
  readonly privateKey: string;
  readonly publicKey: string;
}

/** What a certificate is to say. */
export interface CertificateSpec {
  readonly subject: {
    readonly commonName: string;
    /** The attribute serialNumber (X.520): an identifier of the subject; letters, digits and hyphens. */
    readonly serialNumber?: string;
  };
  /** DNS names, A-labels. */
  readonly dnsNames?: readonly string[];
  /** An end entity for these purposes, or an authority with no other authority below it. */
  readonly use: readonly ('server' | 'client')[] | 'authority';
  /** Unix milliseconds; seconds are what a certificate has. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Who signs, in PEM; without a certificate the new one is self-signed. */
export interface Signer {
  readonly certificate?: string;
  readonly privateKey: string;
}

/** A new ECDSA key on P-256. */
export async function newKeyPair(): Promise<KeyPairPem> {
  const { privateKey, publicKey } = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  return {
    privateKey: pem('PRIVATE KEY', await webcrypto.subtle.exportKey('pkcs8', privateKey)),
    publicKey: pem('PUBLIC KEY', await webcrypto.subtle.exportKey('spki', publicKey)),
  };
}

/**
 * Makes a certificate (RFC 5280) over a P-256 key, signed with ECDSA and SHA-256. In PEM.
 *
 * @param publicKey SubjectPublicKeyInfo in PEM; to be checked by `isP256` when it is not our own.
 */
export async function issueCertificate(spec: CertificateSpec, publicKey: string, signer: Signer): Promise<string> {
  const certificate = new Certificate({ version: 2, serialNumber: serialNumber() });
  certificate.subject = distinguishedName(spec.subject);
  const issuer = signer.certificate === undefined ? undefined : readPem(signer.certificate);
  certificate.issuer = issuer?.subject ?? certificate.subject;
  certificate.notBefore = timeOf(spec.notBefore);
  certificate.notAfter = timeOf(spec.notAfter);
  await certificate.subjectPublicKeyInfo.importKey(await importPublic(publicKey));
  const subjectKeyId = await keyIdentifier(certificate);
  const issuerKeyId = issuer === undefined ? subjectKeyId : await keyIdentifier(issuer);
  certificate.extensions = [
    ...usage(spec),
    extension('2.5.29.14', false, new OctetString({ valueHex: subjectKeyId })),
    extension(
      '2.5.29.35',
      false,
      new AuthorityKeyIdentifier({ keyIdentifier: new OctetString({ valueHex: issuerKeyId }) }).toSchema(),
    ),
    ...altNames(spec.dnsNames ?? []),
  ];
  const key = await webcrypto.subtle.importKey('pkcs8', derOf(signer.privateKey), P256, false, ['sign']);
  await certificate.sign(key, 'SHA-256');
  return pem('CERTIFICATE', certificate.toSchema(true).toBER());
}

/**
 * Whether a text is the PEM of a public key that `issueCertificate` takes: on P-256, the point not compressed. Total.
 *
 * OpenSSL would also find a public key in a private one, or in a certificate.
 */
export function isP256(publicKey: string): boolean {
  if (!/^-----BEGIN PUBLIC KEY-----\n[A-Za-z0-9+/=\n]+-----END PUBLIC KEY-----\n?$/.test(publicKey)) return false;
  const der = Buffer.from(derOf(publicKey));
  if (der.length !== P256_PREFIX.length + 64 || !der.subarray(0, P256_PREFIX.length).equals(P256_PREFIX)) return false;
  try {
    return createPublicKey(publicKey).asymmetricKeyType === 'ec';
  } catch {
    // The point is not on the curve.
    return false;
  }
}

function usage({ use }: CertificateSpec): readonly Extension[] {
  if (use === 'authority') {
    return [
      extension('2.5.29.19', true, new BasicConstraints({ cA: true, pathLenConstraint: 0 }).toSchema()),
      new Extension({ extnID: '2.5.29.15', critical: true, extnValue: SIGNS_CERTIFICATES.buffer }),
    ];
  }
  return [
    extension('2.5.29.19', true, new BasicConstraints({ cA: false }).toSchema()),
    new Extension({ extnID: '2.5.29.15', critical: true, extnValue: DIGITAL_SIGNATURE.buffer }),
    extension('2.5.29.37', false, new ExtKeyUsage({ keyPurposes: use.map((one) => PURPOSES[one]) }).toSchema()),
  ];
}

function altNames(names: readonly string[]): readonly Extension[] {
  if (names.length === 0) return [];
  const all = new GeneralNames({ names: names.map((value) => new GeneralName({ type: 2, value })) });
  return [extension('2.5.29.17', false, all.toSchema())];
}

/** One attribute per RDN. Made as DER and read again: by itself pkijs puts all attributes into one RDN, without the order that DER demands. */
function distinguishedName({ commonName, serialNumber }: CertificateSpec['subject']): RelativeDistinguishedNames {
  const attributes = [new AttributeTypeAndValue({ type: COMMON_NAME, value: new Utf8String({ value: commonName }) })];
  if (serialNumber !== undefined) {
    const value = new PrintableString({ value: serialNumber });
    attributes.push(new AttributeTypeAndValue({ type: SERIAL_NUMBER, value }));
  }
  const rdns = attributes.map((attribute) => new AsnSet({ value: [attribute.toSchema()] }));
  const schema = fromBER(new Sequence({ value: rdns }).toBER()).result;
  return new RelativeDistinguishedNames({ schema });
}

/** RFC 5280 §4.2.1.2, method 1. */
async function keyIdentifier(certificate: Certificate): Promise<ArrayBuffer> {
  const { valueHexView } = certificate.subjectPublicKeyInfo.subjectPublicKey.valueBlock;
  return webcrypto.subtle.digest('SHA-1', Uint8Array.from(valueHexView));
}

/** RFC 5280 §4.1.2.2: positive, unpredictable. */
function serialNumber(): Integer {
  return new Integer({ valueHex: Uint8Array.from([1, ...randomBytes(15)]).buffer });
}

function timeOf(time: number): Time {
  const value = new Date(time);
  return new Time({
    type: value.getUTCFullYear() >= GENERALIZED ? TimeType.GeneralizedTime : TimeType.UTCTime,
    value,
  });
}

function extension(extnID: string, critical: boolean, value: { toBER(): ArrayBuffer }): Extension {
  return new Extension({ extnID, critical, extnValue: value.toBER() });
}

function importPublic(publicKey: string): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('spki', derOf(publicKey), P256, true, ['verify']);
}

function readPem(text: string): Certificate {
  return new Certificate({ schema: fromBER(derOf(text)).result });
}

function derOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(text.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64'));
}

function pem(label: string, der: ArrayBuffer): string {
  const lines = Buffer.from(der).toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
