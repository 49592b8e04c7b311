import type { DialbackAuthority } from '../dialback/authority.ts';
import type { Domain } from '../jid/domain.ts';
import type { StreamPair } from '../stream/actions.ts';
import type { Stanza, XmlLimits } from '../xml/types.ts';
import type { HeaderContext } from './header-judgment.ts';
import type { StreamTimeouts } from './ruling.ts';

/** A stream on a port of direct TLS (XEP-0368): which certificate is shown, and for whom it is good. */
export interface DirectTls {
  /** Whose certificate a peer sees that names none of our domains by SNI. */
  readonly domain: Domain;
  /** Whether the certificate of `shown`, a domain of ours, is that of `asked` too. */
  isSameCertificate(shown: Domain, asked: Domain): boolean;
}

/** What a receiving stream knows of the box it belongs to. All functions answer at once and from one snapshot of the configuration. */
export interface ReceivingContext extends HeaderContext {
  readonly authority: DialbackAuthority;
  readonly timeouts: StreamTimeouts;
  /** A domain we can name ourselves by when the peer asked for one that is not ours (RFC 6120 §4.9.1.3). */
  readonly defaultDomain: Domain | undefined;
  /** Without: TLS starts with STARTTLS. */
  readonly directTls?: DirectTls;
  /** Limits once a domain is authorized. */
  readonly limits: XmlLimits;
  /** Unpredictable, 128 bits at least, never used twice (checklist S-23). */
  newStreamId(): string;
  /** A stanza that passed every check of the stream. It is valid during the call only. */
  deliver(stanza: Stanza, pair: StreamPair): void;
}
