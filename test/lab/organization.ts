import type { CertificateKind } from './certificates.ts';

/** The server software of an organization. */
export type ServerSoftware = 'prosody' | 'ejabberd' | 'jabberd2';

/**
 * How an organization's server secures and authenticates S2S.
 *
 * - `ca`: TLS required, a certificate of the lab's authority, SASL EXTERNAL and dialback offered (jabberd2: dialback only);
 * - `dbtls`: TLS required, a self-signed certificate, dialback;
 * - `dbplain`: no TLS, dialback.
 */
type Profile = 'ca' | 'dbtls' | 'dbplain';

/** An organization with an XMPP server of its own: everything about it is data. */
export interface Organization {
  readonly domain: string;
  readonly server: ServerSoftware;
  readonly profile: Profile;
  /** Local parts; every password is {@link PASSWORD}. */
  readonly users: readonly string[];
  /** Instead of the one that goes with the profile. */
  readonly certificate?: CertificateKind;
  /** Partners find it by `_xmpps-server` alone, and it dials by what it finds. */
  readonly directTls?: true;
  /** The organization's server is inside, and fedway federates for it. */
  readonly behind?: 'fedway';
  /** How fedway reaches the server inside. */
  readonly by?: 's2s' | 'component';
  /** Foreign domains that reach the server inside as components (`by: 'component'`). */
  readonly componentDomains?: readonly string[];
}

/** Where servers of a lab take direct TLS. */
export const DIRECT_TLS_PORT = 5270;

/** Of every user of a lab. */
export const PASSWORD = 'wonderland';

/** Of every component connection of a lab. */
export const COMPONENT_SECRET = 'component-secret';

/** Whether the server has a multi-user chat service, at `conference.<domain>`. jabberd2 has none. */
export function hasRooms({ server }: Organization): boolean {
  return server !== 'jabberd2';
}

/** The domains of an organization: its own, and its chat rooms'. */
export function domainsOf(organization: Organization): readonly [string, ...string[]] {
  const { domain } = organization;
  return hasRooms(organization) ? [domain, `conference.${domain}`] : [domain];
}

export const SERVER_NAMES: Readonly<Record<ServerSoftware, string>> = {
  prosody: 'Prosody',
  ejabberd: 'ejabberd',
  jabberd2: 'jabberd2',
};
