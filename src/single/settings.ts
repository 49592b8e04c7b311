import { networkInterfaces } from 'node:os';
import { printNetwork } from '../config/address.ts';
import type { BootConfig, HomeConfig } from '../config/boot.ts';
import { FederationPolicy } from '../federation/policy.ts';
import type { ComponentHome } from '../home/accepted-components.ts';
import type { ComponentTarget } from '../home/connecting-components.ts';
import { type Dialed, type DialFailure, dial } from '../net/dial/dial.ts';
import { contains, type Networks, networks } from '../net/dns/address.ts';
import { DnsClient } from '../net/dns/client.ts';
import { systemServers } from '../net/dns/resolv-conf.ts';
import { DomainResolver, type RouteTarget } from '../net/dns/targets.ts';
import { DialbackKeys } from '../net/keys/dialback-keys.ts';
import { type Domain, isBelow } from '../protocol/jid/domain.ts';
import type { NoteSink, NoteSubject } from '../protocol/notes.ts';
import type { TlsSide } from './tls-side.ts';

/** One snapshot of everything that a reload can change. It is built whole, and then swapped in whole. */
export interface Settings {
  readonly boot: BootConfig;
  readonly policy: FederationPolicy;
  readonly homes: readonly HomeConfig[];
  readonly authority: DialbackKeys;
  /** TLS towards partners, and towards the inside. */
  readonly tls: TlsSide;
  readonly insideTls: TlsSide;
  readonly insideTlsMode: BootConfig['inside']['tls'];
  readonly insideCertificateConfigured: boolean;
  readonly acceptedComponents: readonly ComponentHome[];
  readonly componentTargets: readonly ComponentTarget[];
  /** The home that serves a domain; `mustProve` when its server's certificate is verified. */
  homeOf(domain: Domain): (HomeConfig & { readonly mustProve: boolean }) | undefined;
  allowsInside(address: string): boolean;
  dialForeign(
    domain: Domain,
    options: { signal: AbortSignal; subject: NoteSubject },
  ): AsyncGenerator<Dialed, DialFailure>;
  dialHome(domain: Domain, options: { signal: AbortSignal; subject: NoteSubject }): AsyncGenerator<Dialed, DialFailure>;
}

/** Builds a snapshot from a checked boot file and the TLS material that belongs to it. */
export function settingsOf(
  boot: BootConfig,
  tls: { readonly foreign: TlsSide; readonly inside: TlsSide },
  notes: NoteSink,
): Settings {
  const homes = new Map<Domain, HomeConfig & { readonly mustProve: boolean }>();
  for (const home of boot.homes) {
    const mustProve = home.server.via === 's2s' && home.server.authorities !== undefined;
    for (const domain of home.domains) homes.set(domain, { ...home, mustProve });
  }
  const inside: Networks | undefined =
    boot.inside.allowFrom.length === 0 ? undefined : networks(boot.inside.allowFrom.map(printNetwork));
  const resolvers = resolversOf(boot, homes, notes);
  const dialWith =
    (resolver: DomainResolver, dialFrom: readonly string[]) =>
    (domain: Domain, options: { signal: AbortSignal; subject: NoteSubject }) =>
      dial(domain, { resolver, notes, dialFrom, connectTimeout: boot.s2s.timeouts.connect, ...options });
  return {
    boot,
    policy: policyOf(boot),
    homes: boot.homes,
    authority: new DialbackKeys(boot.s2s.dialbackSecret.reveal()),
    tls: tls.foreign,
    insideTls: tls.inside,
    insideTlsMode: boot.inside.tls,
    insideCertificateConfigured: boot.inside.certificate !== undefined,
    acceptedComponents: boot.homes.flatMap((home) =>
      home.server.via === 'accept_component' ? [{ domains: home.domains, secret: home.server.secret.reveal() }] : [],
    ),
    componentTargets: boot.homes.flatMap((home) => componentTargetOf(home)),
    homeOf: (domain) => homes.get(domain),
    allowsInside: (address) => inside === undefined || contains(inside, address),
    dialForeign: dialWith(resolvers.foreign, boot.s2s.dialFrom),
    dialHome: dialWith(resolvers.home, boot.inside.dialFrom),
  };
}

/** The policy of a boot file. */
function policyOf(boot: BootConfig): FederationPolicy {
  return new FederationPolicy({
    homes: boot.homes.flatMap((home) => home.domains),
    federation: boot.partners.default,
    tls: boot.s2s.tls,
    authentication: boot.s2s.authentication,
    rules: boot.partners.rules.map((rule) => ({
      domain: rule.domain.domain,
      below: rule.domain.match === 'below',
      ...(rule.federation === undefined ? {} : { federation: rule.federation }),
      ...(rule.tls === undefined ? {} : { tls: rule.tls }),
      ...(rule.authentication === undefined ? {} : { authentication: rule.authentication }),
    })),
  });
}

function resolversOf(
  boot: BootConfig,
  homes: ReadonlyMap<Domain, HomeConfig>,
  notes: NoteSink,
): { foreign: DomainResolver; home: DomainResolver } {
  const { resolver } = boot;
  const servers =
    resolver.servers.length === 0
      ? systemServers()
      : resolver.servers.map(({ host, port }) => ({ address: host, port }));
  const dns = new DnsClient({ servers, timeout: resolver.timeout, attempts: resolver.attempts });
  const own = boot.s2s.listen;
  const foreign = new DomainResolver({
    dns,
    notes,
    route: (domain) => routeOf(boot, domain),
    allowAddresses: resolver.allowAddresses.map(printNetwork),
    // A domain that leads back to us would have us talk to ourselves (checklist N-41).
    isOwnListener: (address, port) => own.some((each) => each.port === port && isAddressOf(each.host, address)),
  });
  // A server inside has no SRV record that counts: its address is in the boot file, and may be private.
  const home = new DomainResolver({
    dns,
    notes,
    route: (domain) => {
      const server = homes.get(domain)?.server;
      return server === undefined || server.via === 'accept_component' ? [] : [server.address];
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

/** The static route of a partner: that of the most specific rule which has one. */
function routeOf(boot: BootConfig, domain: Domain): readonly RouteTarget[] | undefined {
  const exact = boot.partners.rules.find((rule) => rule.domain.match === 'exact' && rule.domain.domain === domain);
  if (exact !== undefined) return exact.route.length > 0 ? exact.route : undefined;
  const below = boot.partners.rules
    .filter((rule) => rule.domain.match === 'below' && isBelow(domain, rule.domain.domain))
    .sort((a, b) => b.domain.domain.length - a.domain.domain.length)[0];
  return below !== undefined && below.route.length > 0 ? below.route : undefined;
}

function componentTargetOf(home: HomeConfig): ComponentTarget[] {
  const { server } = home;
  if (server.via !== 'component') return [];
  const { domains, shared, address } = server;
  return [{ homes: home.domains, address, secret: server.secret.reveal(), foreign: domains, shared }];
}
