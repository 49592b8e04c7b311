import type { DomainPattern } from '../config/boot.ts';
import type { LiveSettings } from '../config/live/settings.ts';
import { FederationPolicy, type Ruling } from '../federation/policy.ts';
import type { RouteTarget } from '../net/dns/targets.ts';
import { DialbackKeys } from '../net/keys/dialback-keys.ts';
import type { DialbackAuthority } from '../protocol/dialback/authority.ts';
import { type Domain, isBelow } from '../protocol/jid/domain.ts';
import type { BootParts } from './boot-parts.ts';

/** Who may federate, as the router and the faces ask. */
export interface BoxPolicy {
  /** Whether a domain is one of our homes. */
  serves(domain: Domain): boolean;
  /** What is demanded of a partner, for one home or in general; without a partner, of a peer that has not said who it is. */
  ruling(foreign: Domain | undefined, home?: Domain): Ruling;
}

/** One snapshot of everything that can change while a box runs. It is built whole, and then swapped in whole. */
export interface Settings {
  readonly parts: BootParts;
  readonly policy: BoxPolicy;
  readonly authority: DialbackAuthority;
  /** The static route to a partner, if there is one. */
  routeOf(domain: Domain): readonly RouteTarget[] | undefined;
}

/**
 * The snapshot of a box that decides by its own settings: a single box and an Edge.
 *
 * @param ownSecret makes the dialback keys while no secret is configured.
 */
export function settingsOf(parts: BootParts, live: LiveSettings, ownSecret: string): Settings {
  return {
    parts,
    policy: policyOf(parts, live),
    authority: new DialbackKeys(live.dialbackSecret?.reveal() ?? ownSecret),
    routeOf: (domain) => (live.staticRoutes ? routeIn(live.routes, domain) : undefined),
  };
}

/** While a box is put together: it serves nothing and admits nobody. */
export function nobodySettings(parts: BootParts): Settings {
  const ruling: Ruling = {
    admitted: false,
    because: 'fedway is starting',
    decidedBy: 'the start',
    told: 'Try again in a moment.',
    tls: 'required',
    authentication: 'either',
    requireCertificate: false,
  };
  return {
    parts,
    policy: { serves: () => false, ruling: () => ruling },
    authority: { key: () => '', vouches: () => false },
    routeOf: () => undefined,
  };
}

/** The policy that live settings make for the homes of a boot file. */
export function policyOf({ boot }: Pick<BootParts, 'boot'>, live: LiveSettings): FederationPolicy {
  // "By DNS" is no route, and puts nobody on the allow list.
  const routes = live.routes.filter(({ targets }) => targets.length > 0);
  return new FederationPolicy({ ...live, routes, homes: boot.homes.flatMap(({ domains }) => domains) });
}

/** The static route of a partner: that of the most specific pattern. An empty one says: by DNS, whatever is said of its parents. */
function routeIn(routes: LiveSettings['routes'], domain: Domain): readonly RouteTarget[] | undefined {
  let best: (typeof routes)[number] | undefined;
  for (const route of routes) {
    if (covers(route.domain, domain) && (best === undefined || isMoreSpecific(route.domain, best.domain))) best = route;
  }
  return best === undefined || best.targets.length === 0 ? undefined : best.targets;
}

function covers({ match, domain: named }: DomainPattern, domain: Domain): boolean {
  return match === 'exact' ? named === domain : isBelow(domain, named);
}

function isMoreSpecific(a: DomainPattern, b: DomainPattern): boolean {
  if (a.match !== b.match) return a.match === 'exact';
  return a.domain.length > b.domain.length;
}
