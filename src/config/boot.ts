import type { Domain } from '../protocol/jid/domain.ts';
import type { Severity } from '../protocol/notes.ts';
import type { Endpoint, Network } from './address.ts';
import type { RouteTarget } from './route.ts';
import type { Secret } from './secret.ts';

/**
 * The boot file as a value: checked, complete, frozen. Durations are milliseconds, sizes bytes, paths absolute, domains prepared;
 * every default is filled in, so `undefined` means what the key's comment says and never "not given".
 */
export interface BootConfig {
  /** The boot file, as an absolute path. */
  readonly path: string;
  readonly role: Role;
  /** How Link peers and status call this box: letters, digits and hyphens, at most 63. */
  readonly name: string;
  /**
   * The folder of clusterdb and of what fedway makes itself, as an absolute path; it need not exist yet. An Edge and a Core have
   * one. `undefined`: a single box that is governed by its boot file alone.
   */
  readonly data: string | undefined;
  /** The socket that the command line reaches a running fedway at, as an absolute path; `undefined`: none. */
  readonly adminSocket: string | undefined;
  readonly log: LogConfig;
  /** On a single box only the defaults. */
  readonly link: LinkConfig;
  readonly s2s: S2sConfig;
  readonly resolver: ResolverConfig;
  /** At least one. No domain is in two of them. */
  readonly homes: readonly HomeConfig[];
  /** On an Edge only the defaults. */
  readonly inside: InsideConfig;
  /** On an Edge only the defaults. */
  readonly publishers: PublishersConfig;
  /** `undefined`: no steering responder. */
  readonly dns: SteeringConfig | undefined;
  /** Means something only without `data`: otherwise partners are live settings. */
  readonly partners: PartnersConfig;
}

/** What a box is: one that does everything, or one of the two that a firewall stands between. */
export type Role = 'single' | 'edge' | 'core';

export type LogFormat = 'text' | 'json' | 'expressway';
/** TLS on a connection: insist on it, use it where the other side offers it, or never. */
export type TlsMode = 'required' | 'optional' | 'none';
/** How a partner proves its domain: SASL EXTERNAL, Server Dialback, or whichever works. */
export type Authentication = 'external' | 'dialback' | 'either';

export interface LogConfig {
  readonly format: LogFormat;
  readonly level: Severity;
  /** Dotted module names; a name also covers everything below it. */
  readonly modules: ReadonlyMap<string, Severity>;
}

/** The Link between an Edge and its Cores. Times are milliseconds, sizes bytes. */
export interface LinkConfig {
  /** At least one on an Edge, none on a Core. */
  readonly listen: readonly Endpoint[];
  /** What an invitation names, so that Cores find the Edge; `undefined`: it must be given with the invitation. */
  readonly address: Endpoint | undefined;
  /** At most one address per family; none: the operating system chooses. None on an Edge. */
  readonly dialFrom: readonly string[];
  /** How long stanzas wait for a Link that is down. */
  readonly hold: number;
  /** Silence after which the other end is asked whether it lives. */
  readonly quiet: number;
  /** TCP connect to the Edge. */
  readonly connect: number;
  /** Per Link, while it is down or until the other end has confirmed them. */
  readonly queueStanzas: number;
  readonly queueBytes: number;
}

interface S2sConfig {
  /** At least one on a single box and an Edge, none on a Core. A listener on `::` must not take IPv4 as well: `0.0.0.0` may stand beside it. */
  readonly listen: readonly Endpoint[];
  /** The same for partners that begin with TLS (XEP-0368); none: partners find STARTTLS only. */
  readonly tlsListen: readonly Endpoint[];
  /** At most one address per family; none: the operating system chooses. */
  readonly dialFrom: readonly string[];
  /** This and the next two mean something only without `data`: otherwise they are live settings. */
  readonly tls: TlsMode;
  readonly authentication: Authentication;
  /** Always there on a single box without `data`. */
  readonly dialbackSecret: Secret | undefined;
  readonly trust: {
    readonly system: boolean;
    /** PEM files. */
    readonly authorities: readonly string[];
  };
  /** Milliseconds. */
  readonly timeouts: {
    readonly connect: number;
    readonly tls: number;
    readonly header: number;
    readonly negotiation: number;
    readonly dialback: number;
    /** 0: an idle stream is never closed. */
    readonly idle: number;
    readonly close: number;
  };
  readonly limits: {
    /** Bytes. */
    readonly stanza: number;
    readonly queueStanzas: number;
    /** Bytes. */
    readonly queueBytes: number;
    readonly connections: number;
    readonly connectionsPerAddress: number;
  };
}

interface ResolverConfig {
  /** None: those of /etc/resolv.conf. */
  readonly servers: readonly Endpoint[];
  /** Milliseconds for one question to one server. */
  readonly timeout: number;
  readonly attempts: number;
  readonly allowAddresses: readonly Network[];
}

export interface HomeConfig {
  /** At least one. */
  readonly domains: readonly Domain[];
  /** PEM files: the chain, leaf first, and its private key; both `undefined` on a Core, both there otherwise. */
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** `undefined` on an Edge, there otherwise. */
  readonly server: HomeServer | undefined;
}

/** How fedway and the server inside that serves a home talk with each other. */
export type HomeServer =
  | {
      readonly via: 's2s';
      readonly address: Endpoint;
      readonly tls: TlsMode;
      /** PEM files; `undefined`: the certificate of the server inside is not verified. */
      readonly authorities: readonly string[] | undefined;
    }
  | {
      readonly via: 'component';
      readonly address: Endpoint;
      readonly secret: Secret;
      /** Foreign domains; at least one. */
      readonly domains: readonly Domain[];
      readonly shared: boolean;
    }
  | { readonly via: 'accept_component'; readonly secret: Secret }
  /** fedway connects to the XCP Router of an IM&P cluster, once for each Edge that federates. */
  | { readonly via: 'imp'; readonly address: Endpoint; readonly secret: Secret };

interface InsideConfig {
  readonly listen: readonly Endpoint[];
  /** At most one address per family. */
  readonly dialFrom: readonly string[];
  readonly tls: TlsMode;
  /** PEM files, both or neither; `undefined`: a self-signed certificate made at start. */
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  readonly componentListen: readonly Endpoint[];
  /** None: any. */
  readonly allowFrom: readonly Network[];
}

/** What belongs to the machine of the IM&P servers that are told of the Edges; the rest of them are live settings. */
interface PublishersConfig {
  /** PEM files, besides the authorities of the system. */
  readonly authorities: readonly string[];
}

interface SteeringConfig {
  /** UDP and TCP; at least one. */
  readonly listen: readonly Endpoint[];
  /** IP addresses; at least one. */
  readonly answer: readonly string[];
  readonly port: number;
  /** Milliseconds, whole seconds. */
  readonly ttl: number;
  readonly keep: readonly Domain[];
  readonly rest: 'refuse' | 'forward';
  /** At least one when `rest` is `forward`. */
  readonly forwardTo: readonly Endpoint[];
}

interface PartnersConfig {
  readonly default: 'allow' | 'deny';
  /** No two of them have the same `domain`. */
  readonly rules: readonly PartnerRule[];
}

/** What is different for one partner domain, or for all below one; the most specific rule wins as a whole. */
export interface PartnerRule {
  readonly domain: DomainPattern;
  /** `undefined`: as `partners.default`. */
  readonly federation: 'allow' | 'deny' | undefined;
  /** `undefined`: as `s2s.tls`. */
  readonly tls: TlsMode | undefined;
  /** `undefined`: as `s2s.authentication`. */
  readonly authentication: Authentication | undefined;
  /** Where the partner is reached, tried in order; none: DNS tells. */
  readonly route: readonly RouteTarget[];
}

/** `exact`: the domain itself, `vngtp.lab`. `below`: every name below it and not itself, `*.lab`. */
export interface DomainPattern {
  readonly match: 'exact' | 'below';
  readonly domain: Domain;
}
