import type { DialbackAuthority } from '../dialback/authority.ts';
import type { Domain } from '../jid/domain.ts';
import type { DialbackClaim } from '../stream/actions.ts';
import type { XmlLimits } from '../xml/types.ts';
import type { StreamRuling, StreamTimeouts } from './ruling.ts';

/** What the stream is opened for. */
export type Purpose =
  /** To send stanzas of the pair. */
  | { readonly for: 'stanzas' }
  /** To ask the peer, as authoritative server, about a key (XEP-0220 §2.1.2). Nothing is authorized. */
  | { readonly for: 'verify'; readonly claim: DialbackClaim; readonly forConnection: string | undefined };

/** What an initiating stream is given. */
export interface InitiatingContext {
  /** Our domain, and the domain to reach: the reference identity whatever host was dialed (RFC 6120 §13.7.2.1). */
  readonly local: Domain;
  readonly remote: Domain;
  readonly purpose: Purpose;
  /** TLS comes first, because the endpoint was found by `_xmpps-server` or is said to be such (XEP-0368 §3; checklist N-16). */
  readonly directTls: boolean;
  /** What holds now: the policy may be replaced while the stream is negotiated or in use. */
  ruling(): StreamRuling;
  /** Whether we have a certificate to show for EXTERNAL. */
  readonly hasCertificate: boolean;
  /**
   * Nothing is sent to a peer whose certificate does not prove the remote domain (RFC 6120 §13.7.2), although the ruling does not
   * require certificates.
   */
  readonly peerMustProve: boolean;
  readonly authority: DialbackAuthority;
  readonly timeouts: StreamTimeouts;
  readonly limits: XmlLimits;
}
