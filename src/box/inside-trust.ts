import type { X509Certificate } from 'node:crypto';
import type { ChainJudge } from '../net/tls/trust.ts';
import type { PeerCertificate } from '../protocol/identity/facts.ts';
import { matches } from '../protocol/identity/presents.ts';
import type { Domain } from '../protocol/jid/domain.ts';

/** The authorities of one home, and the domains they vouch for. */
export interface HomeTrust {
  readonly domains: readonly Domain[];
  readonly trust: ChainJudge;
}

/**
 * Trust towards the inside: the authorities of a home vouch for the domains of that home and for no others, so that who issues
 * certificates for one server inside cannot pass for another.
 */
export class InsideTrust implements ChainJudge {
  private readonly homes: readonly HomeTrust[];
  private readonly nobody: ChainJudge;

  /** `nobody` judges where no home names authorities: it trusts none. */
  constructor(homes: readonly HomeTrust[], nobody: ChainJudge) {
    this.homes = homes;
    this.nobody = nobody;
  }

  /** As `Trust.judge`; of the names of a trusted certificate those are left that its authorities vouch for. */
  judge(chain: readonly X509Certificate[], now: number): PeerCertificate | undefined {
    const judged = this.homes.map(({ domains, trust }) => ({ domains, certificate: trust.judge(chain, now) }));
    const trusted = judged.filter(({ certificate }) => certificate !== undefined && !isUntrusted(certificate));
    const [first] = trusted;
    if (first?.certificate === undefined) return judged[0]?.certificate ?? this.nobody.judge(chain, now);
    const { certificate } = first;
    const vouchedFor = trusted.flatMap(({ domains }) => domains);
    const names = vouchedFor.filter((domain) => matches(certificate.names, domain));
    return names.length > 0
      ? { ...certificate, names: names.map((value) => ({ kind: 'xmpp', value })) }
      : { ...certificate, untrusted: `its authority vouches for no other domains than ${vouchedFor.join(', ')}` };
  }
}

function isUntrusted(certificate: PeerCertificate): boolean {
  return certificate.untrusted !== undefined;
}
