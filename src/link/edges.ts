import { createPrivateKey, X509Certificate } from 'node:crypto';
import { type BoxIdentity, isBoxId, isBoxName } from './identity.ts';
import { readIfThere, replaceFile, storageFault } from './storage.ts';
import { arrayIn, isTime, numberIn, objectIn, parseVersion1, textIn, textsIn } from './stored.ts';
import { type LinkAddress, readAddress, writeAddress } from './token.ts';

const WHAT = 'the pairings of the Link';

/** An Edge that this Core dials, and what it needs for that. */
export interface PairedEdge extends BoxIdentity {
  readonly addresses: readonly LinkAddress[];
  /** The certificate of the Edge's authority, PEM. */
  readonly authority: string;
  /** Our key and its certificate chain, PEM. */
  readonly key: string;
  readonly chain: string;
  /** Unix milliseconds. */
  readonly since: number;
  /** Unix milliseconds: the Edge said then that it has revoked us. */
  readonly revoked: number | undefined;
}

/** The Edges of a Core, in one file. Every change is on disk when the method returns; a method that throws changed nothing. */
export class Edges {
  private readonly file: string;
  private edges: readonly PairedEdge[];

  private constructor(file: string, edges: readonly PairedEdge[]) {
    this.file = file;
    this.edges = edges;
  }

  /** Reads the file, or begins with none. A problem is a sentence with file and cure. */
  static open(file: string): Edges | { readonly problem: string } {
    try {
      const text = readIfThere(file);
      const edges = text === undefined ? [] : arrayIn(parseVersion1(text), 'edges')?.map(readEdge);
      if (edges?.every((each) => each !== undefined) === true) return new Edges(file, edges);
    } catch (error) {
      return { problem: storageFault(WHAT, file, error) };
    }
    return {
      problem: `${WHAT} ${file}: the file is damaged or of a newer fedway; restore it from a backup, or remove it and join every Edge again with a new invitation`,
    };
  }

  get all(): readonly PairedEdge[] {
    return this.edges;
  }

  byName(name: string): PairedEdge | undefined {
    return this.edges.find((edge) => edge.name === name);
  }

  byId(id: string): PairedEdge | undefined {
    return this.edges.find((edge) => edge.id === id);
  }

  /** A new pairing, or one that takes the place of the former with this Edge. */
  set(edge: PairedEdge): void {
    this.put([...this.edges.filter(({ id }) => id !== edge.id), edge]);
  }

  remove(id: string): void {
    this.put(this.edges.filter((edge) => edge.id !== id));
  }

  private put(edges: readonly PairedEdge[]): void {
    const stored = edges.map((edge) => ({ ...edge, addresses: edge.addresses.map(writeAddress) }));
    replaceFile(this.file, `${JSON.stringify({ version: 1, edges: stored }, undefined, 2)}\n`);
    this.edges = edges;
  }
}

function readEdge(value: unknown): PairedEdge | undefined {
  const from = objectIn(value);
  const id = textIn(from, 'id', isBoxId);
  const name = textIn(from, 'name', isBoxName);
  const addresses = textsIn(from, 'addresses')?.map(readAddress);
  const authority = textIn(from, 'authority', isCertificate);
  const key = textIn(from, 'key');
  const chain = textIn(from, 'chain', isCertificate);
  const since = numberIn(from, 'since', isTime);
  const revoked = numberIn(from, 'revoked', isTime);
  if (id === undefined || name === undefined || authority === undefined || since === undefined) return undefined;
  if (key === undefined || chain === undefined || !isKeyOf(key, chain)) return undefined;
  if (addresses?.every((each) => each !== undefined) !== true || addresses.length === 0) return undefined;
  return { id, name, addresses, authority, key, chain, since, revoked };
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== '';
  } catch {
    // OpenSSL cannot read it.
    return false;
  }
}

/** Whether a private key belongs to the first certificate of a chain. Total. */
export function isKeyOf(key: string, chain: string): boolean {
  try {
    return new X509Certificate(chain).checkPrivateKey(createPrivateKey(key));
  } catch {
    // OpenSSL cannot read one of the two.
    return false;
  }
}
