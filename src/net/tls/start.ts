import type { Socket } from 'node:net';
import { connect, type SecureContext, type TLSSocket } from 'node:tls';
import type { TlsFacts } from '../../protocol/identity/facts.ts';
import { type Domain, toAscii } from '../../protocol/jid/domain.ts';
import { tlsFacts } from './facts.ts';
import { type HandshakeLimits, handshake } from './handshake.ts';
import type { ChainJudge } from './trust.ts';

export interface StartOptions extends HandshakeLimits {
  /** The domain we want to reach (`to` of our stream header): sent as SNI, in A-label form. */
  readonly domain: Domain;
  /** With the certificate of the domain we speak for; see `Credentials.contextFor`. */
  readonly context: SecureContext;
  readonly trust: ChainJudge;
  /** Unix milliseconds. */
  readonly clock?: () => number;
}

export type Started =
  | {
      /** Paused: nothing is lost if reading starts later. */
      readonly secured: TLSSocket;
      readonly facts: TlsFacts;
    }
  | { readonly failed: string };

/**
 * The initiating side of a TLS handshake, after `<proceed/>` (RFC 6120 §5.4.3.3). The peer's certificate is judged into
 * `facts.peer`; whether it suffices is for the caller to decide.
 *
 * Under TLS 1.3 a peer that does not accept our certificate says so only after the handshake: the socket then closes
 * before a byte of the stream arrived, and `errorOf` gives an error for which `isAlert` holds, or none.
 *
 * @param socket a connected socket that nobody reads any more. Bytes left in its buffer go to the TLS engine.
 */
export async function startTls(socket: Socket, options: StartOptions): Promise<Started> {
  const { domain, context, trust, clock = Date.now } = options;
  if (socket.destroyed) return { failed: 'the connection was closed before the handshake' };
  const secured = connect({
    socket,
    secureContext: context,
    servername: toAscii(domain),
    rejectUnauthorized: false,
    // Never asked while OpenSSL has no authorities; were it asked, its answer must not end the connection.
    checkServerIdentity: () => undefined,
  });
  const failed = await handshake(secured, socket, 'secureConnect', options);
  if (failed !== undefined) return { failed };
  return { secured, facts: tlsFacts(secured, trust, clock()) };
}
