import { createPrivateKey, X509Certificate } from 'node:crypto';
import path from 'node:path';
import { Anchors } from '../net/tls/anchors.ts';
import { issueCertificate, newKeyPair } from '../net/tls/issue.ts';
import type { OwnCertificate } from '../net/tls/parameters.ts';
import { Trust } from '../net/tls/trust.ts';
import { holds, isDue, LIFETIME, type LinkEnd, type Period, periodOf, VALID_BEFORE } from './certificates.ts';
import { type BoxIdentity, idIn, keyHash } from './identity.ts';
import { makeFolder, readIfThere, replaceFile, storageFault } from './storage.ts';

const AUTHORITY_FILE = 'authority.pem';
const SERVER_FILE = 'server.pem';
const WHAT = { [AUTHORITY_FILE]: 'the Link authority', [SERVER_FILE]: 'the Link certificate' } as const;

/** A certificate and its key as one PEM file holds them. */
interface Held {
  readonly certificate: string;
  readonly key: string;
}

/**
 * The Edge's own authority, which signs for both ends of its Links and for nothing else, and the Edge's own certificate under it.
 * It is made at the first start and lasts ten years.
 */
export class LinkAuthority {
  /** In PEM. */
  readonly certificate: string;
  readonly period: Period;
  /** Hex of SHA-256 over the SubjectPublicKeyInfo: what an invitation pins. */
  readonly pin: string;
  /** In this authority alone. */
  readonly trust: Trust;
  private readonly key: string;
  private readonly folder: string;
  private readonly edge: BoxIdentity;
  private server: Held;

  private constructor(folder: string, edge: BoxIdentity, authority: Held, server: Held) {
    this.folder = folder;
    this.edge = edge;
    this.certificate = authority.certificate;
    this.key = authority.key;
    this.server = server;
    const x509 = new X509Certificate(authority.certificate);
    this.period = periodOf(authority.certificate);
    this.pin = keyHash(x509);
    this.trust = new Trust(new Anchors([x509]));
  }

  /**
   * Opens the authority in a folder, or makes it. The certificate of the Edge is made anew when it is due, or was made for another box.
   *
   * @param now Unix milliseconds
   * @returns a problem is a sentence with file and cure
   */
  static async open(
    folder: string,
    edge: BoxIdentity,
    now: number,
  ): Promise<LinkAuthority | { readonly problem: string }> {
    try {
      makeFolder(folder);
    } catch (error) {
      return { problem: storageFault('the folder of the Link', folder, error) };
    }
    const read = await readOr(folder, AUTHORITY_FILE, () => newAuthority(edge, now));
    if ('problem' in read) return read;
    const server = await readOr(folder, SERVER_FILE, () => serverUnder(read, edge, now));
    if ('problem' in server) return server;
    const authority = new LinkAuthority(folder, edge, read, server);
    if (!authority.fitsServer(now)) {
      const failed = await authority.renewServer(now);
      // An old certificate that still holds is better than none at all.
      if (failed !== undefined && !holds(authority.serverPeriod, now)) return { problem: failed };
    }
    return authority;
  }

  /** What the Edge shows: its certificate, and the authority, which a Core that joins knows by its pin. */
  get serverCertificate(): OwnCertificate {
    return { chain: this.server.certificate + this.certificate, key: this.server.key };
  }

  get serverPeriod(): Period {
    return periodOf(this.server.certificate);
  }

  /** Makes a new certificate of the Edge if it is due. `undefined`: it was not; else whether it is there, or why not. */
  async renewIfDue(now: number): Promise<'renewed' | { readonly problem: string } | undefined> {
    if (this.fitsServer(now)) return undefined;
    const problem = await this.renewServer(now);
    return problem === undefined ? 'renewed' : { problem };
  }

  /**
   * Signs for a Core.
   *
   * @param publicKey SPKI in PEM, a P-256 key
   * @returns the chain in PEM, leaf first, the authority last
   */
  async issueFor(core: BoxIdentity, publicKey: string, now: number): Promise<string> {
    return (await sign(this.holder, core, 'core', publicKey, now)) + this.certificate;
  }

  private get holder(): Held {
    return { certificate: this.certificate, key: this.key };
  }

  private fitsServer(now: number): boolean {
    const { certificate } = this.server;
    const x509 = new X509Certificate(certificate);
    const issuer = new X509Certificate(this.certificate);
    return !isDue(this.serverPeriod, now) && idIn(x509) === this.edge.id && x509.verify(issuer.publicKey);
  }

  private async renewServer(now: number): Promise<string | undefined> {
    const made = await serverUnder(this.holder, this.edge, now);
    const file = path.join(this.folder, SERVER_FILE);
    try {
      replaceFile(file, made.certificate + made.key);
    } catch (error) {
      return storageFault(WHAT[SERVER_FILE], file, error);
    }
    this.server = made;
    return undefined;
  }
}

async function newAuthority(edge: BoxIdentity, now: number): Promise<Held> {
  const { privateKey, publicKey } = await newKeyPair();
  const certificate = await issueCertificate(
    {
      subject: { commonName: `fedway Link ${edge.name}`.slice(0, 64), serialNumber: edge.id },
      use: 'authority',
      notBefore: now - VALID_BEFORE,
      notAfter: now + LIFETIME.authority,
    },
    publicKey,
    { privateKey },
  );
  return { certificate, key: privateKey };
}

async function serverUnder(authority: Held, edge: BoxIdentity, now: number): Promise<Held> {
  const { privateKey, publicKey } = await newKeyPair();
  return { certificate: await sign(authority, edge, 'edge', publicKey, now), key: privateKey };
}

function sign(authority: Held, box: BoxIdentity, end: LinkEnd, publicKey: string, now: number): Promise<string> {
  return issueCertificate(
    {
      subject: { commonName: box.name, serialNumber: box.id },
      use: [end === 'edge' ? 'server' : 'client'],
      notBefore: now - VALID_BEFORE,
      notAfter: now + LIFETIME.certificate,
    },
    publicKey,
    { certificate: authority.certificate, privateKey: authority.key },
  );
}

async function readOr(
  folder: string,
  name: keyof typeof WHAT,
  make: () => Promise<Held>,
): Promise<Held | { readonly problem: string }> {
  const file = path.join(folder, name);
  try {
    const text = readIfThere(file);
    if (text !== undefined) return heldIn(text) ?? { problem: damaged(name, file) };
    const made = await make();
    replaceFile(file, made.certificate + made.key);
    return made;
  } catch (error) {
    return { problem: storageFault(WHAT[name], file, error) };
  }
}

function heldIn(text: string): Held | undefined {
  const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/.exec(text)?.[0];
  const key = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n/.exec(text)?.[0];
  if (certificate === undefined || key === undefined) return undefined;
  try {
    if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) return undefined;
  } catch {
    // OpenSSL cannot read one of the two.
    return undefined;
  }
  return { certificate, key };
}

function damaged(name: keyof typeof WHAT, file: string): string {
  const cure =
    name === SERVER_FILE
      ? 'remove it: fedway makes a new one'
      : 'restore it from a backup; without one remove the folder of the Link, and invite every Core again';
  return `${WHAT[name]} ${file} is damaged: it must hold a certificate and the private key that belongs to it; ${cure}`;
}
