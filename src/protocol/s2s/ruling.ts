/** How much TLS a pair needs: the reference system's security modes. */
export type TlsMode = 'required' | 'optional' | 'none';

/** How a partner may prove its domain. */
export type Authentication = 'external' | 'dialback' | 'either';

/** What the policy says of one pair of domains, as far as a stream needs it. */
export interface StreamRuling {
  /** `because` is a sentence for the log and, where it is shown to the peer, says nothing of the inside. */
  readonly admitted: boolean;
  readonly because: string;
  readonly tls: TlsMode;
  readonly authentication: Authentication;
}

/** Time-outs of a stream, in milliseconds. The numbers in brackets are the lines of the protocol checklist. */
export interface StreamTimeouts {
  /** TCP accepted to complete header (S-52). */
  readonly header: number;
  /** Header to the first authorized pair (S-58). */
  readonly negotiation: number;
  /** db:result or db:verify without an answer (D-46). */
  readonly dialback: number;
  /** Our closing tag to theirs (S-42). */
  readonly close: number;
}
