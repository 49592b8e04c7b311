import type { Domain } from '../protocol/jid/domain.ts';
import type { Authentication, StreamRuling, TlsMode } from '../protocol/s2s/ruling.ts';

/** One domain, or every name below it and not itself: `vngtp.lab`, `*.lab`. */
export interface DomainPattern {
  readonly match: 'exact' | 'below';
  readonly domain: Domain;
}

/** What is different for the partners that a pattern names. `undefined`: as for everybody. */
export interface PartnerTerms {
  readonly domain: DomainPattern;
  readonly tls: TlsMode | undefined;
  readonly requireClientCertificates: boolean | undefined;
  readonly authentication: Authentication | undefined;
}

/** What a policy is made from: the homes of a box, and the settings of federation. */
export interface PolicySource {
  readonly homes: readonly Domain[];
  /** Homes whose federation is switched off. */
  readonly homesOff: ReadonlySet<Domain>;
  /** The main switch. */
  readonly federation: boolean;
  readonly tls: TlsMode;
  readonly requireClientCertificates: boolean;
  readonly authentication: Authentication;
  /** Who may federate: everybody, those on the allow list, or all but those on the deny list. */
  readonly privacy: 'off' | 'allow_list' | 'deny_list';
  readonly allow: readonly DomainPattern[];
  readonly deny: readonly DomainPattern[];
  /** Whether `routes` are used; partners that have one are then on the allow list. */
  readonly staticRoutes: boolean;
  readonly routes: readonly { readonly domain: DomainPattern }[];
  readonly partners: readonly PartnerTerms[];
}

/** A ruling names what decided it. */
export interface Ruling extends StreamRuling {
  /** The key of the setting that decided whether the pair is admitted. */
  readonly decidedBy: string;
  /** The same for a user inside whose stanza comes back: a sentence in general words. The lists are nobody's business. */
  readonly told: string;
}

/** Rulings that are remembered. Strangers can make us forget, not grow. */
const REMEMBERED = 4096;

/**
 * Who may federate, and how: an immutable snapshot. New settings make a new one; streams are judged again by it.
 */
export class FederationPolicy {
  private readonly source: PolicySource;
  private readonly homes: ReadonlySet<Domain>;
  private readonly partners: PatternTable<PartnerTerms>;
  private readonly listed: PatternTable<Entry>;
  /** Where the main switch is off: the one ruling for everybody. */
  private readonly off: Ruling | undefined;
  private readonly offByHome: ReadonlyMap<Domain, Ruling>;
  private readonly unnamed: Ruling;
  private rulings = new Map<Domain, Ruling>();
  private lastForeign: Domain | undefined;
  private lastRuling: Ruling | undefined;

  constructor(source: PolicySource) {
    this.source = source;
    this.homes = new Set(source.homes);
    this.partners = new PatternTable(source.partners.map((terms) => [terms.domain, terms]));
    this.listed = new PatternTable(entriesOf(source));
    const refusedBy = (key: string, told: string): Ruling => {
      return { ...termsOf(source, undefined), admitted: false, because: `${key} is off`, decidedBy: key, told };
    };
    this.off = source.federation ? undefined : refusedBy('federation', 'Federation is switched off.');
    this.offByHome = new Map(
      [...source.homesOff].map((home) => [
        home,
        refusedBy(`homes.${home}.federation`, 'Federation is switched off for your domain.'),
      ]),
    );
    const because = 'the peer has not said who it is';
    this.unnamed = { ...termsOf(source, undefined), admitted: true, because, decidedBy: 'federation', told: ADMITTED };
  }

  /** Whether a domain is one of our homes, whether it federates or not. */
  serves(domain: Domain): boolean {
    return this.homes.has(domain);
  }

  /**
   * The ruling for a partner and a home.
   *
   * @param foreign without one, the ruling for a peer that has not said who it is: it is heard.
   * @param home without one, what holds for every home that is not switched off.
   */
  ruling(foreign: Domain | undefined, home?: Domain): Ruling {
    if (this.off !== undefined) return this.off;
    if (this.offByHome.size > 0 && home !== undefined) {
      const off = this.offByHome.get(home);
      if (off !== undefined) return off;
    }
    if (foreign === undefined) return this.unnamed;
    if (foreign === this.lastForeign && this.lastRuling !== undefined) return this.lastRuling;
    let ruling = this.rulings.get(foreign);
    if (ruling === undefined) {
      ruling = this.judge(foreign);
      if (this.rulings.size >= REMEMBERED) this.rulings = new Map();
      this.rulings.set(foreign, ruling);
    }
    this.lastForeign = foreign;
    this.lastRuling = ruling;
    return ruling;
  }

  /** Partners whose ruling is remembered: a bounded number. */
  get remembered(): number {
    return this.rulings.size;
  }

  private judge(foreign: Domain): Ruling {
    return { ...termsOf(this.source, this.partners.find(foreign)), ...this.admission(foreign) };
  }

  private admission(foreign: Domain): Omit<Ruling, keyof Terms> {
    const { privacy } = this.source;
    if (privacy === 'off') return admitted('privacy', 'privacy is off');
    const entry = this.listed.find(foreign);
    if (entry !== undefined)
      return entry.allows
        ? admitted(entry.key, `${entry.key} allows it`)
        : refused(entry.key, `${entry.key} denies it`);
    return privacy === 'allow_list'
      ? refused('privacy', `privacy is allow_list and no allow entry names ${foreign}`)
      : admitted('privacy', `privacy is deny_list and no deny entry names ${foreign}`);
  }
}

/** What is said of a domain by a table of patterns: the most specific one decides, as a whole. */
class PatternTable<T> {
  private readonly exact = new Map<Domain, T>();
  private readonly below = new Map<Domain, T>();

  /** Of two entries with one pattern the later counts. */
  constructor(entries: Iterable<readonly [DomainPattern, T]>) {
    for (const [{ match, domain }, value] of entries) this[match].set(domain, value);
  }

  /** The domain's own entry, or that of the nearest parent. */
  find(domain: Domain): T | undefined {
    const own = this.exact.get(domain);
    if (own !== undefined || this.below.size === 0) return own;
    for (let dot = domain.indexOf('.'); dot !== -1; dot = domain.indexOf('.', dot + 1)) {
      const found = this.below.get(domain.slice(dot + 1) as Domain);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** An entry of the allow list or the deny list. */
interface Entry {
  readonly allows: boolean;
  readonly key: string;
}

/** Routes that are in use count as allowed. What comes later counts more: deny over allow. */
function* entriesOf(source: PolicySource): Generator<readonly [DomainPattern, Entry]> {
  const entry = (list: string, pattern: DomainPattern): readonly [DomainPattern, Entry] => {
    return [pattern, { allows: list !== 'deny', key: `${list}.${written(pattern)}` }];
  };
  if (source.staticRoutes && source.privacy === 'allow_list')
    for (const { domain } of source.routes) yield entry('routes', domain);
  for (const pattern of source.allow) yield entry('allow', pattern);
  for (const pattern of source.deny) yield entry('deny', pattern);
}

type Terms = Pick<Ruling, 'tls' | 'authentication' | 'requireCertificate'>;

/** How a partner must secure and prove itself. Without TLS there is no certificate to require: "not applicable with No TLS". */
function termsOf(source: PolicySource, partner: PartnerTerms | undefined): Terms {
  const tls = partner?.tls ?? source.tls;
  const required = partner?.requireClientCertificates ?? source.requireClientCertificates;
  return {
    tls,
    authentication: partner?.authentication ?? source.authentication,
    requireCertificate: required && tls !== 'none',
  };
}

const ADMITTED = 'Federation with this domain is permitted.';
const REFUSED = 'Federation with this domain is not permitted.';

function admitted(decidedBy: string, because: string): Omit<Ruling, keyof Terms> {
  return { admitted: true, because, decidedBy, told: ADMITTED };
}

function refused(decidedBy: string, because: string): Omit<Ruling, keyof Terms> {
  return { admitted: false, because, decidedBy, told: REFUSED };
}

function written({ match, domain }: DomainPattern): string {
  return match === 'below' ? `*.${domain}` : domain;
}
