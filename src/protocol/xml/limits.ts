import type { ContentNamespace, XmlLimits } from './types.ts';

/** Every namespace that stanzas can be in (RFC 6120 §4.8.2, XEP-0114 §2). */
export const CONTENT_NAMESPACES: readonly ContentNamespace[] = [
  'jabber:server',
  'jabber:component:accept',
  'jabber:client',
];

/** Before the peer is authenticated: what negotiation needs, with room (RFC 6120 §13.12). */
export const UNAUTHENTICATED_LIMITS: XmlLimits = {
  header: 10_000,
  element: 10_000,
  depth: 64,
  attributes: 64,
  name: 1024,
  elements: 32,
  whitespace: 10_000,
};

/** After authentication. RFC 6120 §13.12 forbids an element limit below 10 000 bytes. */
export const AUTHENTICATED_LIMITS: XmlLimits = {
  header: 10_000,
  element: 262_144,
  depth: 256,
  attributes: 64,
  name: 1024,
  elements: 25_000,
  whitespace: 10_000,
};

/** For bytes that a reader with limits has already passed, and for what we wrote ourselves. */
export const NO_LIMITS: XmlLimits = {
  header: Number.MAX_SAFE_INTEGER,
  element: Number.MAX_SAFE_INTEGER,
  depth: Number.MAX_SAFE_INTEGER,
  attributes: Number.MAX_SAFE_INTEGER,
  name: Number.MAX_SAFE_INTEGER,
  elements: Number.MAX_SAFE_INTEGER,
  whitespace: Number.MAX_SAFE_INTEGER,
};

/** Prefix declarations in scope at one place, those of the stream header included; a property of the scanner, not of a stream. */
export const PREFIXES_IN_SCOPE = 128;
