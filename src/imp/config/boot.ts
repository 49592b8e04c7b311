import type { Endpoint } from '../../config/address.ts';
import type { LogConfig } from '../../config/boot.ts';
import type { Secret } from '../../config/secret.ts';
import type { Domain } from '../../protocol/jid/domain.ts';

/**
 * The boot file of an IM&P node as a value: checked, complete, frozen. Durations are milliseconds, sizes bytes, paths absolute, domains prepared; every
 * default is filled in.
 */
export interface NodeBoot {
  /** The boot file, as an absolute path. */
  readonly path: string;
  /** The users' domain. */
  readonly domain: Domain;
  /** The alias of the chat rooms; `undefined`: there are no rooms. */
  readonly rooms: Domain | undefined;
  /** How status, log and the table `enterprisenode` call this node. */
  readonly name: string;
  /** The folder of the database, as an absolute path; it need not exist yet. */
  readonly data: string;
  /** PEM files: the chain, leaf first, and its private key. */
  readonly certificate: string;
  readonly key: string;
  readonly clients: ClientsConfig;
  readonly axl: AxlConfig;
  readonly router: RouterConfig;
  readonly archive: ArchiveConfig;
  readonly offline: OfflineConfig;
  /** The socket that the command line reaches a running node at, as an absolute path. */
  readonly adminSocket: string;
  readonly log: LogConfig;
}

export interface ClientsConfig {
  /** Plain TCP with STARTTLS, which is required. */
  readonly listen: readonly Endpoint[];
  /** TLS from the first byte (XEP-0368). */
  readonly tlsListen: readonly Endpoint[];
  /** WebSocket over TLS (RFC 7395). */
  readonly websocketListen: readonly Endpoint[];
  readonly timeouts: {
    readonly tls: number;
    readonly header: number;
    readonly negotiation: number;
    readonly quiet: number;
    readonly answer: number;
    /** How long a session without a connection is kept, when the client does not say, and at most. */
    readonly resume: number;
    readonly resumeMost: number;
    readonly close: number;
  };
  readonly limits: {
    readonly stanza: number;
    readonly connections: number;
    readonly connectionsPerAddress: number;
    readonly sessionsPerUser: number;
    readonly queueStanzas: number;
    readonly queueBytes: number;
  };
}

export interface AxlConfig {
  readonly listen: readonly Endpoint[];
  /** Of one account; more are answered with 503. */
  readonly requestsPerMinute: number;
}

export interface RouterConfig {
  readonly listen: readonly Endpoint[];
  /** There when something listens. */
  readonly secret: Secret | undefined;
  readonly changes: 'live' | 'restart';
  readonly queueStanzas: number;
  readonly queueBytes: number;
}

export interface ArchiveConfig {
  /** Milliseconds; `undefined`: for ever. */
  readonly keep: number | undefined;
  /** Messages of one account or room, and their bytes; the oldest go first. */
  readonly messages: number;
  readonly bytes: number;
}

export interface OfflineConfig {
  /** Of one account. */
  readonly messages: number;
}
