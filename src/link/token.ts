import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { isBoxId, isBoxName } from './identity.ts';

const PREFIX = 'fedway-link-1.';
/** More than any invitation has. */
const LONGEST = 2048;
const ADDRESSES = 8;
const CHECK_BYTES = 4;

/** Where an Edge is dialed. */
export interface LinkAddress {
  /** A host name, or an IP address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** What an Edge hands to the administrator of a Core. */
export interface Invitation {
  readonly addresses: readonly LinkAddress[];
  /** Hex of SHA-256 over the SubjectPublicKeyInfo of the Edge's authority. */
  readonly pin: string;
  readonly edge: { readonly id: string; readonly name: string };
  /** Base64url, 256 bits; good once. */
  readonly secret: string;
  /** Unix milliseconds. */
  readonly expires: number;
}

/** The invitation as one word that can be copied. It has to be kept secret until it is used. */
export function writeToken(invitation: Invitation): string {
  const { addresses, pin, edge, secret, expires } = invitation;
  const body = Buffer.from(
    JSON.stringify({
      a: addresses.map(writeAddress),
      p: Buffer.from(pin, 'hex').toString('base64url'),
      i: edge.id,
      n: edge.name,
      s: secret,
      e: Math.floor(expires / 1000),
    }),
  );
  return PREFIX + Buffer.concat([body, checkOf(body)]).toString('base64url');
}

/** Reads a token; what is wrong with it is a sentence with the cure. Total. */
export function readToken(text: string): Invitation | { readonly refused: string } {
  const token = text.trim();
  if (!token.startsWith(PREFIX)) {
    const other = /^fedway-link-\d+\./.test(token);
    return {
      refused: other
        ? 'The token is of another version of fedway: use the same version on both boxes.'
        : `This is no token of a Link: one begins with "${PREFIX}". Copy what "fedway link invite" printed on the Edge.`,
    };
  }
  const encoded = token.slice(PREFIX.length);
  const bytes = Buffer.from(encoded, 'base64url');
  const body = bytes.subarray(0, -CHECK_BYTES);
  const whole =
    token.length <= LONGEST && /^[\w-]+$/.test(encoded) && checkOf(body).equals(bytes.subarray(body.length));
  const invitation = whole ? readBody(body.toString('utf8')) : undefined;
  return invitation ?? { refused: 'The token is damaged: copy it again, whole and in one line.' };
}

/** `edge.example:7400`, `192.0.2.1:7400`, `[2001:db8::1]:7400`. */
export function writeAddress({ host, port }: LinkAddress): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Reads `host:port`; `undefined` when it is none. Total. */
export function readAddress(text: string): LinkAddress | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([^\]\s]+)\]|([A-Za-z0-9._-]{1,253})):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  const host = bracketed ?? plain;
  if (host === undefined || !(port >= 1 && port <= 65_535)) return undefined;
  return bracketed !== undefined && !isIPv6(bracketed) ? undefined : { host, port };
}

function readBody(json: string): Invitation | undefined {
  const body = parse(json);
  if (body === undefined) return undefined;
  const { a, p, i, n, s, e } = body;
  if (!Array.isArray(a) || a.length === 0 || a.length > ADDRESSES) return undefined;
  const addresses = a.map((each) => (typeof each === 'string' ? readAddress(each) : undefined));
  if (!addresses.every((each) => each !== undefined)) return undefined;
  if (typeof p !== 'string' || !/^[\w-]{43}$/.test(p)) return undefined;
  if (typeof i !== 'string' || !isBoxId(i) || typeof n !== 'string' || !isBoxName(n)) return undefined;
  if (typeof s !== 'string' || !isSecret(s) || !Number.isSafeInteger(e)) return undefined;
  return {
    addresses,
    pin: Buffer.from(p, 'base64url').toString('hex'),
    edge: { id: i, name: n },
    secret: s,
    expires: Number(e) * 1000,
  };
}

/** Whether a text has the form of the secret of an invitation. */
export function isSecret(text: string): boolean {
  return /^[\w-]{43}$/.test(text);
}

function parse(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    // Not JSON: the token is damaged.
    return undefined;
  }
}

/** Finds a token that was not copied whole; it proves nothing. */
function checkOf(body: Uint8Array): Buffer {
  return createHash('sha256').update(body).digest().subarray(0, CHECK_BYTES);
}
