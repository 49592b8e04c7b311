import { constants, type X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { connect, createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import { sentBy } from '../net/tls/facts.ts';
import { type HandshakeLimits, handshake } from '../net/tls/handshake.ts';
import type { OwnCertificate } from '../net/tls/parameters.ts';

/** What is spoken on a connection to the Link's port (RFC 7301). */
export const ALPN = { link: 'fedway-link/1', join: 'fedway-join/1' } as const;
export type LinkProtocol = (typeof ALPN)[keyof typeof ALPN];

/** A connection after the handshake. Nobody has judged the other end yet. */
export interface Secured {
  /** Paused: nothing is lost if reading starts later. */
  readonly socket: TLSSocket;
  readonly protocol: LinkProtocol;
  /** What the other end showed, the end entity first. */
  readonly chain: readonly X509Certificate[];
  readonly version: string;
  readonly cipher: string;
}

/**
 * TLS 1.3 alone, every handshake a full one, so that an identity is never older than its connection. `ca` is empty on purpose: chains are
 * judged by our own code, against the one authority of the Link, and never against those of the system.
 */
export function linkContext(own: OwnCertificate | undefined): SecureContext {
  return createSecureContext({
    ...(own === undefined ? {} : { cert: own.chain, key: own.key }),
    ca: [],
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    secureOptions: constants.SSL_OP_NO_TICKET,
  });
}

/** The Edge's side of a handshake. The peer is asked for a certificate; that it has none does not fail the handshake. */
export async function acceptLinkTls(
  raw: Socket,
  secureContext: SecureContext,
  limits: HandshakeLimits,
): Promise<Secured | { readonly failed: string }> {
  const socket = new TLSSocket(raw, {
    isServer: true,
    secureContext,
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: [ALPN.link, ALPN.join],
  });
  const failed = await handshake(socket, raw, 'secure', limits);
  return failed === undefined ? securedBy(socket) : { failed };
}

/** The Core's side. No name is sent: what the Edge is called does not identify it. */
export async function startLinkTls(
  raw: Socket,
  secureContext: SecureContext,
  protocol: LinkProtocol,
  limits: HandshakeLimits,
): Promise<Secured | { readonly failed: string }> {
  const socket = connect({
    socket: raw,
    secureContext,
    servername: '',
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ALPNProtocols: [protocol],
  });
  const failed = await handshake(socket, raw, 'secureConnect', limits);
  return failed === undefined ? securedBy(socket) : { failed };
}

function securedBy(socket: TLSSocket): Secured | { readonly failed: string } {
  const protocol = Object.values(ALPN).find((one) => one === socket.alpnProtocol);
  if (protocol === undefined) {
    socket.destroy();
    return { failed: 'the other end does not speak the protocol of a Link' };
  }
  return {
    socket,
    protocol,
    chain: sentBy(socket),
    version: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().standardName,
  };
}
