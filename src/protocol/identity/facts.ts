/** A name that a certificate presents in its subjectAltName, read from DER (RFC 6120 §13.7.1.2, RFC 9525 §6). */
export type PresentedName =
  | { readonly kind: 'dns'; readonly value: string }
  /** id-on-dnsSRV, e.g. `_xmpp-server.vngtp.lab`. */
  | { readonly kind: 'srv'; readonly value: string }
  /** id-on-xmppAddr. */
  | { readonly kind: 'xmpp'; readonly value: string };

/** The certificate a peer showed, judged. Whether its names fit a domain is asked later, per claim: `presents()`. */
export interface PeerCertificate {
  readonly names: readonly PresentedName[];
  /** Why the path to a trust anchor does not hold; `undefined` when it does. A sentence that names the failing certificate. */
  readonly untrusted: string | undefined;
  readonly subject: string;
  readonly issuer: string;
  /** Hex of SHA-256 over the DER, lower case, without colons. */
  readonly fingerprint: string;
  /** Unix milliseconds. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** What is known of a TLS session once the handshake is complete. */
export interface TlsFacts {
  /** e.g. `TLSv1.3`. */
  readonly version: string;
  /** e.g. `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
  /** What the peer showed; `undefined` when it showed none. */
  readonly peer: PeerCertificate | undefined;
}
