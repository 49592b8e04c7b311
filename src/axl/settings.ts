/** How an IM&P publisher is reached over AXL. */
export interface AxlSettings {
  /** What the publisher is called here, in the log and in commands. */
  readonly name: string;
  /** A host name or an IP address. */
  readonly host: string;
  /** 8443 in the reference system. */
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** `none`: any certificate is taken, for a lab. */
  readonly tls: 'verify' | 'none';
  /**
   * PEM texts of certificates, readable ones. With any, these and no others are trusted, a server's own self-signed certificate among them; without,
   * the authorities of the operating system are.
   */
  readonly authorities: readonly string[];
  /** Of the AXL schema, such as `14.0`; `auto` finds it out. */
  readonly version: string;
}

/** Where AXL is on a publisher. */
export function axlUrl({ host, port }: Pick<AxlSettings, 'host' | 'port'>): string {
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}/axl/`;
}
