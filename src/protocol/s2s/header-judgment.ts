import type { StreamEnd } from '../end.ts';
import type { Domain } from '../jid/domain.ts';
import type { StreamPair } from '../stream/actions.ts';
import type { StreamHeader } from '../stream/header.ts';
import type { StreamErrorCondition } from '../stream/stream-error.ts';
import { needsTls, type StreamRuling } from './ruling.ts';

/** What a receiving stream asks about the domains in a header. */
export interface HeaderContext {
  /** Whether we speak for a domain on this side of the box. */
  serves(domain: Domain): boolean;
  /** Whether we speak for it on the other side: then nobody here may claim it. */
  isOurs(domain: Domain): boolean;
  /** The ruling for a pair; a domain is unknown as long as the peer has not said who it is, or whom it wants. */
  ruling(local: Domain | undefined, remote: Domain | undefined): StreamRuling;
}

/** What was settled on the connection before the header came. */
export interface Settled {
  readonly secure: boolean;
  /** TLS came before any XML (XEP-0368). */
  readonly direct: boolean;
  /** Whether the TLS that was negotiated is good for a domain of ours. */
  fits(domain: Domain): boolean;
  /** Authenticated by EXTERNAL. */
  readonly proven: StreamPair | undefined;
}

/** Why the stream cannot go on with a header: what we keep as the reason, and what the peer is told. */
export interface HeaderRefusal {
  readonly end: StreamEnd;
  readonly condition: StreamErrorCondition;
  readonly text: string;
}

/** Whether a receiving server goes on with the header of a peer (RFC 6120 §4.7, §4.9.3): `undefined` when it does. */
export function refusalOf(header: StreamHeader, settled: Settled, context: HeaderContext): HeaderRefusal | undefined {
  const { proven } = settled;
  // RFC 6120 §4.3.6, CVE-2018-10847: what was proven before the restart cannot be changed by it.
  if (proven !== undefined && header.from !== undefined && header.from !== proven.sender)
    return refusal('invalid-from', "The stream's 'from' is not the domain that was authenticated.");
  if (proven !== undefined && header.to !== proven.target)
    return refusal('improper-addressing', "The stream's 'to' is not the one that was authenticated for.");
  if (header.to === undefined) return refusalWithoutTo(header, settled, context);
  if (!context.serves(header.to)) return refusal('host-unknown', 'This domain is not served here.');
  // Checklist T-28: the peer has verified a certificate for one domain and now asks for another.
  if (!settled.fits(header.to))
    return refusal('policy-violation', "The stream's 'to' is not the domain that TLS was negotiated for.");
  const from = header.from ?? proven?.sender;
  if (from !== undefined && context.isOurs(from))
    return refusal('invalid-from', 'This domain is served here and nowhere else.');
  const ruling = context.ruling(header.to, from);
  if (!ruling.admitted) return notAdmitted(ruling, 'Federation with this domain is not permitted.');
  // Whom TLS is switched off for gets none, on whichever port.
  if (settled.direct && ruling.tls === 'none') return noTls();
  if (!header.modern && needsTls(ruling) && !settled.secure) return refusal('policy-violation', TLS_NEEDS_1_0);
  return undefined;
}

const TLS_NEEDS_1_0 = 'TLS is required, and it needs version 1.0 of the stream.';

/**
 * Checklist S-14: a server from before XMPP 1.0 names the domains in db:result.
 * COMPAT(jabberd2): without a certificate it opens streams with neither addresses nor version.
 */
function refusalWithoutTo(header: StreamHeader, settled: Settled, context: HeaderContext): HeaderRefusal | undefined {
  if (header.modern) return refusal('improper-addressing', "The stream header lacks 'to'.");
  const ruling = context.ruling(undefined, undefined);
  if (!ruling.admitted) return notAdmitted(ruling, 'Federation is not permitted.');
  return needsTls(ruling) && !settled.secure ? refusal('policy-violation', TLS_NEEDS_1_0) : undefined;
}

function noTls(): HeaderRefusal {
  const because = 'the peer came by direct TLS, and TLS is switched off for it';
  return { end: { by: 'policy', because }, condition: 'policy-violation', text: 'TLS is not used here.' };
}

/** What the peer is told does not say which setting decided. */
function notAdmitted({ because }: StreamRuling, text: string): HeaderRefusal {
  return { end: { by: 'policy', because }, condition: 'policy-violation', text };
}

function refusal(condition: StreamErrorCondition, text: string): HeaderRefusal {
  return { end: { by: 'us', condition, text }, condition, text };
}
