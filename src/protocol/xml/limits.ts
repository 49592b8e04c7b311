import type { ContentNamespace, XmlLimits } from './types.ts';

/** Every namespace that stanzas can be in (RFC 6120 §4.8.2, XEP-0114 §2). */
export const CONTENT_NAMESPACES: readonly ContentNamespace[] = [
  'jabber:server',
  'jabber:component:accept',
  'jabber:client',
];

/** The largest stanza that a configuration may permit. */
export const LARGEST_STANZA = 16 * 1024 ** 2;

/** Before the peer is authenticated: what negotiation needs, with room (RFC 6120 §13.12). */
export const UNAUTHENTICATED_LIMITS: XmlLimits = {
  header: 10_000,
  element: 10_000,
  depth: 64,
  attributes: 64,
  name: 1024,
  elements: 32,
  whitespace: 10_000,
  prefixes: 128,
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
  prefixes: 128,
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
  prefixes: Number.MAX_SAFE_INTEGER,
};

/**
 * On a Link: whatever another box has accepted under limits like `AUTHENTICATED_LIMITS` must be readable, or one stanza of a stranger would break the Link for
 * everybody. Forwarding copies into a stanza what it has from the header of its stream: declarations, and the language. The receiving box judges the size by its
 * own limit, stanza by stanza.
 */
export const LINK_LIMITS: XmlLimits = {
  ...AUTHENTICATED_LIMITS,
  element: LARGEST_STANZA + 65_536,
  attributes: 256,
  prefixes: 256,
};
