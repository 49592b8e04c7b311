import { type Domain, parseDomain } from './domain.ts';

/** An address (RFC 7622 §3). `local` and `resource` are as written, without the preparation by PRECIS. */
export interface Jid {
  readonly local: string | undefined;
  readonly domain: Domain;
  readonly resource: string | undefined;
}

/** Octets in UTF-8 of each part (RFC 7622 §3.1). Three parts and two separators then stay within 3071. */
const PART_OCTETS = 1023;

/** RFC 7622 §3.3.1, and what RFC 3920's nodeprep prohibited as well: control characters. */
const NOT_IN_LOCAL = /["&'/:<>@\s\0-\x1F\x7F]/;

/** What XML 1.0 §2.2 does not allow. */
const NOT_XML = /[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

const utf8 = new TextEncoder();

/**
 * Splits and checks an address (RFC 7622 §3.2): everything behind the first `/` is the resource, everything before the first `@`
 * of the rest the localpart.
 *
 * The domain is prepared, since it decides routing and authorization. The other two parts belong to the servers behind: they are
 * checked for separators, lengths and XML, and stay as they were written, so that an address that is valid for RFC 3920 passes.
 *
 * @returns `undefined` for a malformed address. Never throws.
 */
export function parseJid(text: string): Jid | undefined {
  const { start, end } = domainBounds(text);
  const local = start === 0 ? undefined : text.slice(0, start - 1);
  const resource = end === text.length ? undefined : text.slice(end + 1);
  if (local !== undefined && !isLocal(local)) return undefined;
  if (resource !== undefined && !isPart(resource)) return undefined;
  const domain = parseDomain(text.slice(start, end));
  return domain === undefined ? undefined : { local, domain, resource };
}

/** The domain part exactly as it was written, unchecked; `''` when there is none. */
export function domainPart(text: string): string {
  const { start, end } = domainBounds(text);
  return text.slice(start, end);
}

function domainBounds(text: string): { readonly start: number; readonly end: number } {
  const slash = text.indexOf('/');
  const end = slash === -1 ? text.length : slash;
  const at = text.indexOf('@');
  return { start: at === -1 || at > end ? 0 : at + 1, end };
}

function isLocal(local: string): boolean {
  if (!isPart(local) || NOT_IN_LOCAL.test(local)) return false;
  // A peer that normalizes before it splits (RFC 3920's NFKC) would take U+FF20 for an `@` and find another domain behind it.
  return !NOT_IN_LOCAL.test(local.normalize('NFKC'));
}

function isPart(part: string): boolean {
  if (part === '' || part.length > PART_OCTETS || NOT_XML.test(part)) return false;
  return part.length * 3 <= PART_OCTETS || utf8.encode(part).length <= PART_OCTETS;
}
