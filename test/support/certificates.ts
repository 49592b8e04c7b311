/**
 * Certificates of every kind, made on the spot: authorities, intermediates, leaves, good ones and bad ones, for the tests and
 * for a lab on loopback addresses. Everything is synchronous; keys of slow kinds are made once per process.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import {
  bits,
  boolean,
  concat,
  element,
  explicit,
  ia5,
  implicit,
  integer,
  latin1,
  octets,
  oid,
  printableString,
  SET,
  sequence,
  time,
  utf8,
} from './der.ts';

/** An entry of subjectAltName, or the base of a name constraint. `der` is put in as it is. */
export type AltName =
  | { readonly dns: string }
  | { readonly srv: string }
  | { readonly xmpp: string }
  | { readonly email: string }
  | { readonly uri: string }
  /** Octets of the address; with the mask behind them in a constraint. */
  | { readonly ip: readonly number[] }
  | { readonly directory: Name }
  | { readonly otherName: { readonly oid: string; readonly value: Uint8Array } }
  | { readonly der: Uint8Array };

/** A common name, or pairs of attribute type and value. */
export type Name = string | readonly (readonly [attribute: keyof typeof ATTRIBUTES, value: string])[];

export type KeyKind = 'p256' | 'p384' | 'p521' | 'secp256k1' | 'rsa1024' | 'rsa2048' | 'rsa-pss' | 'ed25519';
export type Digest = 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512';

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export interface CertificateSpec {
  /** `''` is a certificate without a subject. Without: the first DNS name. */
  readonly subject?: Name;
  /** What the issuer field says; without: the issuer's subject. */
  readonly issuerName?: Name;
  readonly names?: readonly AltName[];
  /** The whole content of the subjectAltName extension. */
  readonly namesDer?: Uint8Array;
  /** Object identifiers, or `server`, `client`, `any`; without: no extension. */
  readonly extendedKeyUsage?: readonly string[];
  /** Bits by RFC 5280 §4.2.1.3; without: what the kind of certificate needs. `null`: no extension. */
  readonly keyUsage?: readonly (keyof typeof KEY_USAGE)[] | null;
  /** `undefined`: no basicConstraints at all. */
  readonly authority?: boolean;
  readonly pathLength?: number;
  readonly permitted?: readonly AltName[];
  readonly excluded?: readonly AltName[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly key?: KeyKind | KeyPair;
  readonly digest?: Digest;
  /** `null`: no key identifier. */
  readonly subjectKeyId?: Uint8Array | null;
  readonly authorityKeyId?: Uint8Array | null;
  readonly extensions?: readonly { readonly oid: string; readonly critical?: boolean; readonly value: Uint8Array }[];
  /** X.509 version; before 3 there are no extensions. */
  readonly version?: 1 | 3;
}

export interface Issued {
  readonly der: Buffer;
  readonly pem: string;
  readonly x509: X509Certificate;
  readonly keys: KeyPair;
  /** PKCS #8, PEM. */
  readonly keyPem: string;
  readonly subject: Uint8Array;
  readonly subjectKeyId: Uint8Array | undefined;
  /** This certificate and every issuer above it but the root, leaf first: what a server sends. */
  readonly chainPem: string;
  readonly issuer: Issued | undefined;
}

const ATTRIBUTES = {
  CN: '2.5.4.3',
  C: '2.5.4.6',
  L: '2.5.4.7',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  emailAddress: '1.2.840.113549.1.9.1',
} as const;
const KEY_USAGE = {
  digitalSignature: 0,
  nonRepudiation: 1,
  keyEncipherment: 2,
  dataEncipherment: 3,
  keyAgreement: 4,
  keyCertSign: 5,
  cRLSign: 6,
} as const;
const PURPOSES: Readonly<Record<string, string>> = {
  server: '1.3.6.1.5.5.7.3.1',
  client: '1.3.6.1.5.5.7.3.2',
  any: '2.5.29.37.0',
};
const NULL = Uint8Array.of(0x05, 0);
const DAY = 86_400_000;

/** Makes a certificate; without an issuer it is self-signed. */
export function issue(spec: CertificateSpec, issuer?: Issued): Issued {
  const keys = typeof spec.key === 'object' ? spec.key : keyPair(spec.key ?? 'p256');
  const signer = issuer?.keys ?? keys;
  const algorithm = signatureAlgorithm(signer.privateKey, spec.digest ?? 'sha256');
  const spki = keys.publicKey.export({ type: 'spki', format: 'der' });
  const subject = nameDer(spec.subject ?? defaultSubject(spec));
  const subjectKeyId = spec.subjectKeyId === null ? undefined : (spec.subjectKeyId ?? sha1(spki));
  const authorityKeyId = spec.authorityKeyId === null ? undefined : (spec.authorityKeyId ?? issuer?.subjectKeyId);
  const parts = [
    integer(concat([Uint8Array.of(1), randomBytes(12)])),
    algorithm.der,
    spec.issuerName === undefined ? (issuer?.subject ?? subject) : nameDer(spec.issuerName),
    sequence(
      time(spec.notBefore ?? new Date(Date.now() - DAY)),
      time(spec.notAfter ?? new Date(Date.now() + 90 * DAY)),
    ),
    subject,
    spki,
  ];
  const tbs =
    spec.version === 1
      ? sequence(...parts)
      : sequence(
          explicit(0, integer(2)),
          ...parts,
          explicit(3, sequence(...extensionsOf(spec, subjectKeyId, authorityKeyId))),
        );
  const signature = sign(algorithm.digest, tbs, { key: signer.privateKey, ...algorithm.options });
  const der = Buffer.from(sequence(tbs, algorithm.der, bits(signature)));
  const pem = pemOf(der);
  const above = issuer?.issuer === undefined ? '' : issuer.chainPem;
  return {
    der,
    pem,
    x509: new X509Certificate(der),
    keys,
    keyPem: String(keys.privateKey.export({ type: 'pkcs8', format: 'pem' })),
    subject,
    subjectKeyId,
    chainPem: pem + above,
    issuer,
  };
}

/** A root, or with an issuer an intermediate. */
export function authority(subject: Name, spec: CertificateSpec = {}, issuer?: Issued): Issued {
  return issue({ authority: true, subject, ...spec }, issuer);
}

/** A server's certificate for DNS names, as public authorities issue them: serverAuth only. */
export function leaf(domains: string | readonly string[], issuer?: Issued, spec: CertificateSpec = {}): Issued {
  const names = (typeof domains === 'string' ? [domains] : domains).map((name) =>
    isIPv4(name) ? { ip: name.split('.').map(Number) } : { dns: name },
  );
  return issue({ authority: false, extendedKeyUsage: ['server'], names, ...spec }, issuer);
}

const slowKeys = new Map<string, KeyPair>();

/** A key pair. RSA keys are shared by all who ask with the same label; the others are new each time. */
export function keyPair(kind: KeyKind, label = ''): KeyPair {
  const curve = { p256: 'P-256', p384: 'P-384', p521: 'P-521', secp256k1: 'secp256k1' } as const;
  if (kind === 'ed25519') return generateKeyPairSync('ed25519');
  if (kind in curve) return generateKeyPairSync('ec', { namedCurve: curve[kind as keyof typeof curve] });
  const known = slowKeys.get(`${kind} ${label}`);
  if (known !== undefined) return known;
  const modulusLength = kind === 'rsa1024' ? 1024 : 2048;
  const made =
    kind === 'rsa-pss'
      ? generateKeyPairSync('rsa-pss', { modulusLength })
      : generateKeyPairSync('rsa', { modulusLength });
  slowKeys.set(`${kind} ${label}`, made);
  return made;
}

export interface LabLeaf {
  /** Base of the file names: `name.pem` (chain, leaf first) and `name.key`. */
  readonly name: string;
  readonly domains: readonly string[];
  readonly spec?: CertificateSpec;
  /** Signed by its own key instead of the authority. */
  readonly selfSigned?: boolean;
}

/**
 * Writes `ca.pem` and for every leaf `name.pem` and `name.key` into a folder, which is made if need be.
 *
 * @param root the authority; without, a new one.
 */
export function writeLabCertificates(folder: string, leaves: readonly LabLeaf[], root = authority('Lab CA')): Issued {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'ca.pem'), root.pem);
  for (const { name, domains, spec, selfSigned } of leaves) {
    const made = leaf(domains, selfSigned === true ? undefined : root, spec);
    writeFileSync(join(folder, `${name}.pem`), made.chainPem);
    writeFileSync(join(folder, `${name}.key`), made.keyPem, { mode: 0o600 });
  }
  return root;
}

function pemOf(der: Uint8Array): string {
  const lines = Buffer.from(der).toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

/** A GeneralName (RFC 5280 §4.2.1.6). */
export function altName(name: AltName): Uint8Array {
  if ('dns' in name) return implicit(2, latin1(name.dns));
  if ('email' in name) return implicit(1, latin1(name.email));
  if ('uri' in name) return implicit(6, latin1(name.uri));
  if ('ip' in name) return implicit(7, Uint8Array.from(name.ip));
  if ('directory' in name) return explicit(4, nameDer(name.directory));
  if ('srv' in name) return otherName('1.3.6.1.5.5.7.8.7', ia5(name.srv));
  if ('xmpp' in name) return otherName('1.3.6.1.5.5.7.8.5', utf8(name.xmpp));
  if ('otherName' in name) return otherName(name.otherName.oid, name.otherName.value);
  return name.der;
}

function otherName(type: string, value: Uint8Array): Uint8Array {
  return explicit(0, oid(type), explicit(0, value));
}

function extensionsOf(
  spec: CertificateSpec,
  subjectKeyId: Uint8Array | undefined,
  authorityKeyId: Uint8Array | undefined,
): Uint8Array[] {
  const made: Uint8Array[] = [];
  const add = (type: string, critical: boolean, value: Uint8Array): void => {
    made.push(sequence(oid(type), ...(critical ? [boolean(true)] : []), octets(value)));
  };
  if (spec.authority !== undefined) {
    const length = spec.pathLength === undefined ? [] : [integer(spec.pathLength)];
    add('2.5.29.19', true, spec.authority ? sequence(boolean(true), ...length) : sequence(...length));
  }
  const standard = spec.authority === true ? (['keyCertSign', 'cRLSign'] as const) : (['digitalSignature'] as const);
  const usage = spec.keyUsage === undefined ? standard : spec.keyUsage;
  if (usage !== null) add('2.5.29.15', true, keyUsageBits(usage));
  if (spec.extendedKeyUsage !== undefined) {
    add('2.5.29.37', false, sequence(...spec.extendedKeyUsage.map((purpose) => oid(PURPOSES[purpose] ?? purpose))));
  }
  if (spec.namesDer !== undefined) add('2.5.29.17', false, spec.namesDer);
  else if (spec.names !== undefined) add('2.5.29.17', false, sequence(...spec.names.map(altName)));
  if (spec.permitted !== undefined || spec.excluded !== undefined) {
    const subtrees = (number: number, names: readonly AltName[] = []): Uint8Array[] =>
      names.length === 0 ? [] : [explicit(number, ...names.map((name) => sequence(altName(name))))];
    add('2.5.29.30', true, sequence(...subtrees(0, spec.permitted), ...subtrees(1, spec.excluded)));
  }
  if (subjectKeyId !== undefined) add('2.5.29.14', false, octets(subjectKeyId));
  if (authorityKeyId !== undefined) add('2.5.29.35', false, sequence(implicit(0, authorityKeyId)));
  for (const extra of spec.extensions ?? []) add(extra.oid, extra.critical ?? false, extra.value);
  return made;
}

function keyUsageBits(usage: readonly (keyof typeof KEY_USAGE)[]): Uint8Array {
  const octet = usage.reduce((sum, bit) => sum | (0x80 >> KEY_USAGE[bit]), 0);
  const unused = octet === 0 ? 0 : Math.log2(octet & -octet);
  return bits(Uint8Array.of(octet), unused);
}

function nameDer(name: Name): Uint8Array {
  const pairs = typeof name === 'string' ? (name === '' ? [] : ([['CN', name]] as const)) : name;
  return sequence(
    ...pairs.map(([attribute, value]) => {
      const text = attribute === 'C' ? printableString(value) : attribute === 'emailAddress' ? ia5(value) : utf8(value);
      return element(SET, sequence(oid(ATTRIBUTES[attribute]), text));
    }),
  );
}

function defaultSubject(spec: CertificateSpec): Name {
  const first = spec.names?.find((name) => 'dns' in name);
  return first !== undefined && 'dns' in first ? first.dns : '';
}

function signatureAlgorithm(
  key: KeyObject,
  digest: Digest,
): { readonly der: Uint8Array; readonly digest: string | null; readonly options: Record<string, number> } {
  const type = key.asymmetricKeyType;
  if (type === 'rsa') {
    const arc = { md5: 4, sha1: 5, sha256: 11, sha384: 12, sha512: 13 }[digest];
    return { der: sequence(oid(`1.2.840.113549.1.1.${arc}`), NULL), digest, options: {} };
  }
  if (type === 'rsa-pss') return { der: pssAlgorithm(digest), digest, options: { saltLength: 32 } };
  if (type === 'ec') {
    const arcs = { md5: '3.0', sha1: '1', sha256: '3.2', sha384: '3.3', sha512: '3.4' }[digest];
    return { der: sequence(oid(`1.2.840.10045.4.${arcs}`)), digest, options: {} };
  }
  if (type === 'ed25519') return { der: sequence(oid('1.3.101.112')), digest: null, options: {} };
  throw new TypeError(`no signature algorithm for keys of type ${type}`);
}

/** RFC 4055 §3.1. */
function pssAlgorithm(digest: Digest): Uint8Array {
  const type = {
    md5: '1.2.840.113549.2.5',
    sha1: '1.3.14.3.2.26',
    sha256: '2.16.840.1.101.3.4.2.1',
    sha384: '2.16.840.1.101.3.4.2.2',
    sha512: '2.16.840.1.101.3.4.2.3',
  }[digest];
  const hash = sequence(oid(type), NULL);
  const mask = sequence(oid('1.2.840.113549.1.1.8'), hash);
  return sequence(
    oid('1.2.840.113549.1.1.10'),
    sequence(explicit(0, hash), explicit(1, mask), explicit(2, integer(32))),
  );
}

function sha1(data: Uint8Array): Uint8Array {
  return createHash('sha1').update(data).digest();
}
