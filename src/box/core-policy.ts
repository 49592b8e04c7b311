import type { FederationPolicy, Ruling } from '../federation/policy.ts';
import type { Domain } from '../protocol/jid/domain.ts';
import type { StreamPair } from '../protocol/stream/actions.ts';
import type { BoxPolicy } from './settings.ts';

/** An Edge's policy as its replica has it. */
export interface EdgePolicy {
  /** Of the Link peer. */
  readonly id: string;
  readonly policy: FederationPolicy;
}

/** The policy of a Core: a pair may pass when one of its Edges admits it. The Edges decide again, each for itself. */
export class CorePolicy implements BoxPolicy {
  private readonly homes: ReadonlySet<Domain>;
  private readonly edges: readonly EdgePolicy[];

  constructor(homes: readonly Domain[], edges: readonly EdgePolicy[]) {
    this.homes = new Set(homes);
    this.edges = edges;
  }

  serves(domain: Domain): boolean {
    return this.homes.has(domain);
  }

  ruling(foreign: Domain | undefined, home?: Domain): Ruling {
    let refusal: Ruling | undefined;
    for (const { policy } of this.edges) {
      const ruling = policy.ruling(foreign, home);
      if (ruling.admitted) return ruling;
      refusal ??= ruling;
    }
    return refusal ?? NO_EDGE;
  }

  /** Whether the Edge with this id admits the pair. */
  admitsAt(edge: string, { sender, target }: StreamPair): boolean {
    return this.edges.find(({ id }) => id === edge)?.policy.ruling(target, sender).admitted ?? false;
  }
}

const NO_EDGE: Ruling = {
  admitted: false,
  because: 'this Core has not had the settings of any Edge yet; pair it with `fedway link join`',
  decidedBy: 'no Edge',
  told: 'Federation is not set up yet.',
  tls: 'required',
  authentication: 'either',
  requireCertificate: false,
};
