import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import type { TlsFacts } from '../../protocol/identity/facts.ts';
import { type Domain, parseDomain } from '../../protocol/jid/domain.ts';
import { tlsFacts } from './facts.ts';
import { type HandshakeLimits, handshake } from './handshake.ts';
import type { ChainJudge } from './trust.ts';

/** Which certificate of ours answers for a domain; `undefined` when the domain is not ours. */
export interface OwnCertificates {
  contextFor(domain: Domain): SecureContext | undefined;
}

export interface AcceptOptions extends HandshakeLimits {
  readonly certificates: OwnCertificates;
  /** The domain the peer addressed before TLS (`to` of its stream header), if it could; it decides when SNI does not. Must be one of ours. */
  readonly domain: Domain;
  readonly trust: ChainJudge;
  /** Whether the peer is asked for a certificate; unless told otherwise it is. Clients are not: a person would be asked to choose one. */
  readonly requestCertificate?: boolean;
  /** The application protocols (ALPN, RFC 7301) of which a peer that names any must name one. */
  readonly protocols?: readonly string[];
  /** Unix milliseconds. */
  readonly clock?: () => number;
}

export type Accepted =
  | {
      /** Paused: nothing is lost if reading starts later. */
      readonly secured: TLSSocket;
      readonly facts: TlsFacts;
      /** The domain whose certificate the peer saw: that of its SNI when it is ours, else `options.domain`. */
      readonly served: Domain;
    }
  | { readonly failed: string };

/**
 * The receiving side of a TLS handshake, after `<proceed/>` (RFC 6120 §5.4.3.3) or before any XML (XEP-0368). The peer is asked for a certificate, with
 * an empty list of authorities; that it has none, or a bad one, does not fail the handshake but shows in `facts.peer`.
 *
 * @param socket a connected socket that nobody reads any more. Bytes left in its buffer go to the TLS engine.
 */
export async function acceptTls(socket: Socket, options: AcceptOptions): Promise<Accepted> {
  const { certificates, domain, trust, requestCertificate = true, protocols, clock = Date.now } = options;
  if (socket.destroyed) return { failed: 'the connection was closed before the handshake' };
  const context = certificates.contextFor(domain);
  if (context === undefined) {
    socket.destroy();
    return { failed: `there is no certificate for ${domain}` };
  }
  let served = domain;
  // A TLSSocket of its own rather than a tls.Server: the context of a server cannot depend on what the peer said before TLS.
  const secured = new TLSSocket(socket, {
    isServer: true,
    secureContext: context,
    requestCert: requestCertificate,
    ...(protocols === undefined ? {} : { ALPNProtocols: [...protocols] }),
    rejectUnauthorized: false,
    SNICallback: (name, choose) => {
      const asked = parseDomain(name);
      const own = asked === undefined ? undefined : certificates.contextFor(asked);
      if (asked !== undefined && own !== undefined) served = asked;
      // A name that is not ours gets the certificate of the domain it addressed: RFC 6066 §3 lets us go on.
      choose(null, own);
    },
  });
  const failed = await handshake(secured, socket, 'secure', options);
  if (failed !== undefined) return { failed };
  return { secured, facts: tlsFacts(secured, trust, clock()), served };
}
