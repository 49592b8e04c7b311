import type { Domain } from '../../protocol/jid/domain.ts';
import type { Authentication, TlsMode } from '../../protocol/s2s/ruling.ts';
import type { Endpoint } from '../address.ts';
import type { DomainPattern } from '../boot.ts';
import type { RouteTarget } from '../route.ts';
import type { Secret } from '../secret.ts';

/** Who may federate: everybody, those on the allow list, or all but those on the deny list. */
export type PrivacyMode = 'off' | 'allow_list' | 'deny_list';

/**
 * What is different for one partner, or for all below a domain; the most specific pattern wins, and its settings as a whole.
 * `undefined`: as for everybody.
 */
export interface PartnerSettings {
  readonly domain: DomainPattern;
  readonly tls: TlsMode | undefined;
  readonly requireClientCertificates: boolean | undefined;
  readonly authentication: Authentication | undefined;
}

/** An IM&P cluster that is told of the Edges, as far as it is configured. */
export interface PublisherSettings {
  readonly name: string;
  readonly address: Endpoint | undefined;
  readonly user: string | undefined;
  /** `undefined` as well where another box holds it. */
  readonly password: Secret | undefined;
  readonly tls: 'verify' | 'none';
  readonly version: 'auto' | '15.0' | '14.0' | '12.5' | '11.5';
}

/** The settings of federation: one immutable snapshot, complete, whether it came from clusterdb or from a boot file. */
export interface LiveSettings {
  /** XMPP federation support: the main switch. */
  readonly federation: boolean;
  readonly tls: TlsMode;
  /** A partner must show a certificate that proves its domain, whichever way it authenticates. */
  readonly requireClientCertificates: boolean;
  readonly authentication: Authentication;
  readonly privacy: PrivacyMode;
  /** Both lists count in both modes. The most specific entry decides; of two for the same pattern, `deny`. */
  readonly allow: readonly DomainPattern[];
  readonly deny: readonly DomainPattern[];
  /** Whether `routes` are used. */
  readonly staticRoutes: boolean;
  /** The most specific pattern decides. Without targets: there is no route, although a wider pattern has one. */
  readonly routes: readonly { readonly domain: DomainPattern; readonly targets: readonly RouteTarget[] }[];
  readonly partners: readonly PartnerSettings[];
  /** `undefined`: none is configured, or another box holds it. */
  readonly dialbackSecret: Secret | undefined;
  /** Homes whose federation is switched off. */
  readonly homesOff: ReadonlySet<Domain>;
  /** The fully qualified name of the Edge; `undefined`: none is configured. */
  readonly hostName: string | undefined;
  /** By name, in the order of the names. */
  readonly publishers: readonly PublisherSettings[];
}
