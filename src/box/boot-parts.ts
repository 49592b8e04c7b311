import { networkInterfaces } from 'node:os';
import { printNetwork } from '../config/address.ts';
import type { BootConfig, HomeConfig } from '../config/boot.ts';
import type { ComponentHome } from '../home/accepted-components.ts';
import type { ComponentTarget } from '../home/connecting-components.ts';
import type { RouterTarget } from '../home/router-connections.ts';
import type { LinkTiming } from '../link/types.ts';
import { type Dialed, type DialFailure, dial } from '../net/dial/dial.ts';
import { contains, type Networks, networks } from '../net/dns/address.ts';
import { DnsClient } from '../net/dns/client.ts';
import { systemServers } from '../net/dns/resolv-conf.ts';
import { DomainResolver, type RouteTarget } from '../net/dns/targets.ts';
import type { Domain } from '../protocol/jid/domain.ts';
import type { NoteSink, NoteSubject } from '../protocol/notes.ts';
import { linkTimingOf } from './link-facts.ts';
import type { TlsMaterials } from './material.ts';
import type { TlsSide } from './tls-side.ts';

/** A way to the servers of a domain, the best first. */
export type Dial = (
  domain: Domain,
  options: { signal: AbortSignal; subject: NoteSubject; directTls: boolean },
) => AsyncGenerator<Dialed, DialFailure>;

/** A home, and whether its server must prove itself by certificate. */
export type ServedHome = HomeConfig & { readonly mustProve: boolean };

/** What a box has from its boot file: built whole at the start and by a reload; live settings leave it alone. */
export interface BootParts {
  readonly boot: BootConfig;
  /** TLS towards partners, and towards the inside. */
  readonly tls: TlsSide;
  readonly insideTls: TlsSide;
  /** Who may sign the certificates of IM&P publishers, as PEM texts; none: the authorities of the system. */
  readonly publisherAuthorities: readonly string[];
  readonly acceptedComponents: readonly ComponentHome[];
  readonly componentTargets: readonly ComponentTarget[];
  readonly routerTargets: readonly RouterTarget[];
  homeOf(domain: Domain): ServedHome | undefined;
  allowsInside(address: string): boolean;
  readonly dialForeign: Dial;
  readonly dialHome: Dial;
  readonly linkTiming: LinkTiming;
}

/**
 * Builds the parts from a checked boot file and the TLS material that belongs to it.
 *
 * @param routeOf the static route to a partner, asked for every attempt: it is a live setting.
 */
export function bootPartsOf(
  boot: BootConfig,
  tls: Pick<TlsMaterials, 'foreign' | 'inside' | 'publisherAuthorities'>,
  notes: NoteSink,
  routeOf: (domain: Domain) => readonly RouteTarget[] | undefined,
): BootParts {
  const homes = new Map<Domain, ServedHome>();
  for (const home of boot.homes) {
    const mustProve = home.server?.via === 's2s' && home.server.authorities !== undefined;
    for (const domain of home.domains) homes.set(domain, { ...home, mustProve });
  }
  const inside: Networks | undefined =
    boot.inside.allowFrom.length === 0 ? undefined : networks(boot.inside.allowFrom.map(printNetwork));
  const resolvers = resolversOf(boot, homes, notes, routeOf);
  const dialWith =
    (resolver: DomainResolver, dialFrom: readonly string[]): Dial =>
    (domain, options) =>
      dial(domain, { resolver, notes, dialFrom, connectTimeout: boot.s2s.timeouts.connect, ...options });
  return {
    boot,
    tls: tls.foreign,
    insideTls: tls.inside,
    publisherAuthorities: tls.publisherAuthorities,
    acceptedComponents: boot.homes.flatMap(({ domains, server }) =>
      server?.via === 'accept_component' ? [{ domains, secret: server.secret.reveal() }] : [],
    ),
    componentTargets: boot.homes.flatMap((home) => componentTargetOf(home)),
    routerTargets: boot.homes.flatMap(({ domains, server }) =>
      server?.via === 'imp' ? [{ homes: domains, address: server.address, secret: server.secret.reveal() }] : [],
    ),
    homeOf: (domain) => homes.get(domain),
    allowsInside: (address) => inside === undefined || contains(inside, address),
    dialForeign: dialWith(resolvers.foreign, boot.s2s.dialFrom),
    dialHome: dialWith(resolvers.home, boot.inside.dialFrom),
    linkTiming: linkTimingOf(boot),
  };
}

function dnsOf({ resolver }: BootConfig): DnsClient {
  const servers =
    resolver.servers.length === 0
      ? systemServers()
      : resolver.servers.map(({ host, port }) => ({ address: host, port }));
  return new DnsClient({ servers, timeout: resolver.timeout, attempts: resolver.attempts });
}

function resolversOf(
  boot: BootConfig,
  homes: ReadonlyMap<Domain, HomeConfig>,
  notes: NoteSink,
  routeOf: (domain: Domain) => readonly RouteTarget[] | undefined,
): { foreign: DomainResolver; home: DomainResolver } {
  const dns = dnsOf(boot);
  const own = [...boot.s2s.listen, ...boot.s2s.tlsListen];
  const foreign = new DomainResolver({
    dns,
    notes,
    route: routeOf,
    allowAddresses: boot.resolver.allowAddresses.map(printNetwork),
    // A domain that leads back to us would have us talk to ourselves (checklist N-41).
    isOwnListener: (address, port) => own.some((each) => each.port === port && isAddressOf(each.host, address)),
  });
  // A server inside has no SRV record that counts: its address is in the boot file, and may be private.
  const home = new DomainResolver({
    dns,
    notes,
    route: (domain) => {
      const server = homes.get(domain)?.server;
      return server === undefined || server.via === 'accept_component' ? [] : [{ ...server.address, directTls: false }];
    },
  });
  return { foreign, home };
}

/** Whether a listener on `host` is reached by `address`; a wildcard is reached by every address of the machine. */
function isAddressOf(host: string, address: string): boolean {
  if (host !== '0.0.0.0' && host !== '::') return host === address;
  const family = host === '::' ? 'IPv6' : 'IPv4';
  return Object.values(networkInterfaces()).some(
    (list) => list?.some((each) => each.family === family && each.address === address) ?? false,
  );
}

function componentTargetOf({ domains: homes, server }: HomeConfig): ComponentTarget[] {
  if (server?.via !== 'component') return [];
  const { domains, shared, address } = server;
  return [{ homes, address, secret: server.secret.reveal(), foreign: domains, shared }];
}
