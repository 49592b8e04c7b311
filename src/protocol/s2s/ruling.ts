/** How much TLS a pair needs: the reference system's security modes. */
export type TlsMode = 'required' | 'optional' | 'none';

/** How a partner may prove its domain. */
export type Authentication = 'external' | 'dialback' | 'either';

/** What the policy says of one pair of domains, as far as a stream needs it. */
export interface StreamRuling {
  readonly admitted: boolean;
  /** A sentence without a full stop that names the setting which decided. For our log: no peer is told it. */
  readonly because: string;
  readonly tls: TlsMode;
  readonly authentication: Authentication;
  /** The peer's certificate must prove its domain, whichever way it authenticates: "require client-side security certificates". */
  readonly requireCertificate: boolean;
}

/** Whether a pair needs TLS: it is required as such, or for the certificate that only TLS can show. */
export function needsTls(ruling: StreamRuling): boolean {
  return ruling.tls === 'required' || ruling.requireCertificate;
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
