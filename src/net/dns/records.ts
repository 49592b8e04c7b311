/** The record types that are needed to find a peer, and what one record of each says. Names are lower case, without a final dot. */
export interface DnsRecords {
  readonly SRV: SrvRecord;
  /** Addresses, as text. */
  readonly A: string;
  readonly AAAA: string;
}

export type RecordType = keyof DnsRecords;

/** RFC 2782. `target` is `''` for the root: the service is decidedly not available. */
export interface SrvRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

/** What a question came to. */
export type DnsResult<R> =
  | {
      readonly records: readonly R[];
      /** Seconds for which the records may still be used. */
      readonly ttl: number;
      /** The resolver says that DNSSEC proves the answer, and the resolver is on this machine, so that nobody else can have said it. */
      readonly authenticated: boolean;
    }
  /** The name does not exist, or has no record of this type. */
  | { readonly none: 'nxdomain' | 'nodata' }
  /** Nobody knows: time-out, SERVFAIL, REFUSED, a malformed answer, an alias loop. One clause for the log. */
  | { readonly failed: string };

/** A DNS server. */
export interface DnsServer {
  /** IP address. */
  readonly address: string;
  readonly port: number;
}

/** `192.0.2.1:53`, `[2001:db8::1]:53`, `xmpp.vngtp.lab:5269`. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
