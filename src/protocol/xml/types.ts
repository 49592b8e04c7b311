/**
 * The vocabulary of the XML layer: what the strict stream reader hands out.
 *
 * The reader owns framing and well-formedness. Nothing downstream parses bytes again: a stanza travels as an envelope over the
 * bytes that were checked, and a tree is built only where somebody must look inside.
 */

/** An element as a tree. Names are split; `namespace` is the resolved name, `''` for none. */
export interface XmlElement {
  readonly name: string;
  readonly namespace: string;
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly XmlNode[];
}

/** Text is unescaped and has no CDATA markers left. */
export type XmlNode = XmlElement | string;

/** An attribute; namespace declarations are not attributes. `namespace` is `''` for an unprefixed one. */
export interface XmlAttribute {
  readonly name: string;
  readonly namespace: string;
  readonly value: string;
}

/** The root start tag of a stream (RFC 6120 §4.7), as it was written. */
export interface XmlRoot extends Omit<XmlElement, 'children'> {
  /** The default namespace in scope: the stream's content namespace (RFC 6120 §4.8.2). */
  readonly contentNamespace: string;
  /** Every prefix declared on the root and its namespace; the default namespace is not among them. */
  readonly prefixes: ReadonlyMap<string, string>;
}

/** Why a stream cannot be read on; `condition` is the stream error that answers it (RFC 6120 §4.9.3). */
export interface XmlFault {
  readonly condition:
    | 'not-well-formed'
    | 'restricted-xml'
    | 'unsupported-encoding'
    | 'policy-violation'
    | 'bad-namespace-prefix'
    | 'invalid-namespace';
  /** One sentence for the log and the error text; contains nothing the peer wrote. */
  readonly detail: string;
  /** Set when a stanza was over the size limit (`<stanza-too-big xmlns='urn:xmpp:errors'/>`). */
  readonly tooBig?: true;
}

/** Bounds enforced while bytes arrive, before they are buffered. */
export interface XmlLimits {
  /** Bytes of the stream's root start tag, XML declaration included. */
  readonly header: number;
  /** Bytes of one first-level element, from `<` to the closing `>`. */
  readonly element: number;
  /** Elements open inside a first-level element, itself included. */
  readonly depth: number;
  /** Attributes and namespace declarations of one element. */
  readonly attributes: number;
  /** Bytes of one element or attribute name. */
  readonly name: number;
  /** Elements inside one first-level element. */
  readonly elements: number;
  /** Consecutive bytes of white space between first-level elements. */
  readonly whitespace: number;
  /** Prefixes declared in scope at one place, those of the stream header included. */
  readonly prefixes: number;
}

/** The content namespaces a stanza can be written for. */
export type ContentNamespace = 'jabber:server' | 'jabber:component:accept' | 'jabber:client';

/** How a stanza is to be written for the stream it leaves on. */
export interface StanzaScope {
  readonly contentNamespace: ContentNamespace;
  /** Replaces the address, when given. */
  readonly from?: string;
  readonly to?: string;
}

/**
 * A message, presence or iq in the stream's content namespace: an envelope over its checked bytes.
 *
 * The reader reuses one envelope for all stanzas: it is valid until the reader's next `next()`. Whoever keeps a stanza longer
 * (a queue) keeps a copy: `stanza.keep()`.
 */
export interface Stanza {
  readonly kind: 'message' | 'presence' | 'iq';
  /** Attribute values, unescaped; decoded when asked for. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly id: string | undefined;
  readonly type: string | undefined;
  readonly lang: string | undefined;
  /**
   * The part of `from` and of `to` between `@` and `/` (RFC 7622 §3.2), exactly as written, `undefined` without the attribute.
   * Asked once per stanza on the fast path: when the bytes equal those of the stanza before, the very same string comes back.
   */
  readonly fromDomain: string | undefined;
  readonly toDomain: string | undefined;
  /**
   * Whether localpart and resource of `from` and `to`, as far as they are there, are well-formed (RFC 7622 §3.3, §3.4). Says nothing of
   * the domains. Asked once per stanza on the fast path.
   */
  readonly wellAddressed: boolean;
  /** Bytes on the wire. */
  readonly size: number;
  /**
   * The bytes to write on another stream: declarations inherited from the stream header are copied in, the content namespace is
   * re-scoped (RFC 6120 §4.8.3), an inherited xml:lang is added. Without need for any of that it is a view of the bytes received, not a copy.
   */
  render(scope: StanzaScope): Uint8Array;
  /** The stanza as a tree, in the content namespace it was received in. */
  tree(): XmlElement;
  /** An independent copy. */
  keep(): Stanza;
}

/**
 * What `XmlReader.next()` returns. A footer and a fault are the last events of a stream; so is a second `root`, a stream header where
 * an element is due (RFC 6120 §4.3.3).
 */
export type XmlEvent =
  | { readonly type: 'root'; readonly root: XmlRoot }
  | { readonly type: 'stanza'; readonly stanza: Stanza }
  | { readonly type: 'element'; readonly element: XmlElement }
  | { readonly type: 'footer' }
  | { readonly type: 'fault'; readonly fault: XmlFault };
