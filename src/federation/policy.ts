import { type Domain, isBelow } from '../protocol/jid/domain.ts';
import type { Authentication, StreamRuling, TlsMode } from '../protocol/s2s/ruling.ts';

/** What the administrator says of a partner, or of all below a domain. What is left out is as for everybody. */
export interface PartnerRule {
  readonly domain: Domain;
  /** The rule is for every name below `domain`, not for `domain` itself. */
  readonly below: boolean;
  readonly federation?: 'allow' | 'deny';
  readonly tls?: TlsMode;
  readonly authentication?: Authentication;
}

/** What a policy is made from. */
export interface PolicySource {
  readonly homes: readonly Domain[];
  readonly federation: 'allow' | 'deny';
  readonly tls: TlsMode;
  readonly authentication: Authentication;
  readonly rules: readonly PartnerRule[];
}

/** A ruling names what decided it. */
export interface Ruling extends StreamRuling {
  readonly decidedBy: string;
}

/**
 * Who may federate, and how: an immutable snapshot. A new configuration makes a new one; streams are judged again by it.
 */
export class FederationPolicy {
  private readonly homes: ReadonlySet<Domain>;
  private readonly exact: ReadonlyMap<Domain, PartnerRule>;
  private readonly below: ReadonlyMap<Domain, PartnerRule>;
  private readonly source: PolicySource;
  private readonly everybody: Ruling;
  private readonly rulings = new Map<Domain, Ruling>();

  constructor(source: PolicySource) {
    this.source = source;
    this.homes = new Set(source.homes);
    this.exact = new Map(source.rules.filter((rule) => !rule.below).map((rule) => [rule.domain, rule]));
    this.below = new Map(source.rules.filter((rule) => rule.below).map((rule) => [rule.domain, rule]));
    this.everybody = ruleFor(source, undefined, 'partners.default');
  }

  /** Whether a domain is one of our homes. */
  serves(domain: Domain): boolean {
    return this.homes.has(domain);
  }

  /** The ruling for a partner; without one, for a peer that has not said who it is. */
  ruling(foreign: Domain | undefined): Ruling {
    if (foreign === undefined) return { ...this.everybody, admitted: true };
    const known = this.rulings.get(foreign);
    if (known !== undefined) return known;
    const rule = this.ruleOf(foreign);
    const ruling =
      rule === undefined
        ? this.everybody
        : ruleFor(this.source, rule, `partners.rules: ${rule.below ? '*.' : ''}${rule.domain}`);
    // Only partners with a rule of their own are remembered: strangers cannot make this map grow.
    if (rule !== undefined && !rule.below) this.rulings.set(foreign, ruling);
    return ruling;
  }

  /** The most specific rule: the domain's own, then that of the nearest parent. */
  private ruleOf(domain: Domain): PartnerRule | undefined {
    const own = this.exact.get(domain);
    if (own !== undefined || this.below.size === 0) return own;
    for (let dot = domain.indexOf('.'); dot !== -1; dot = domain.indexOf('.', dot + 1)) {
      const rule = this.below.get(domain.slice(dot + 1) as Domain);
      if (rule !== undefined && isBelow(domain, rule.domain)) return rule;
    }
    return undefined;
  }
}

function ruleFor(source: PolicySource, rule: PartnerRule | undefined, decidedBy: string): Ruling {
  const admitted = (rule?.federation ?? source.federation) === 'allow';
  return {
    admitted,
    because: admitted ? `${decidedBy} allows it` : `${decidedBy} does not allow federation with this domain`,
    tls: rule?.tls ?? source.tls,
    authentication: rule?.authentication ?? source.authentication,
    decidedBy,
  };
}
