import type { Socket } from 'node:net';
import { connect, type SecureContext, type TLSSocket } from 'node:tls';
import type { TlsFacts } from '../../protocol/identity/facts.ts';
import { printable } from '../../protocol/identity/printable.ts';
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
  /** The one application protocol that is spoken (ALPN, RFC 7301); a peer that chooses another is left. Without: none is named. */
  readonly protocol?: string;
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
 * The initiating side of a TLS handshake, after `<proceed/>` (RFC 6120 §5.4.3.3) or before any XML (XEP-0368). The peer's certificate is judged into
 * `facts.peer`; whether it suffices is for the caller to decide.
 *
 * Under TLS 1.3 a peer that does not accept our certificate says so only after the handshake: the socket then closes
 * before a byte of the stream arrived, and `errorOf` gives an error for which `isAlert` holds, or none.
 *
 * @param socket a connected socket that nobody reads any more. Bytes left in its buffer go to the TLS engine.
 */
export async function startTls(socket: Socket, options: StartOptions): Promise<Started> {
  const { domain, context, trust, protocol, clock = Date.now } = options;
  if (socket.destroyed) return { failed: 'the connection was closed before the handshake' };
  const secured = connect({
    socket,
    secureContext: context,
    servername: toAscii(domain),
    ...(protocol === undefined ? {} : { ALPNProtocols: [protocol] }),
    rejectUnauthorized: false,
    // Never asked while OpenSSL has no authorities; were it asked, its answer must not end the connection.
    checkServerIdentity: () => undefined,
  });
  const failed = await handshake(secured, socket, 'secureConnect', options);
  if (failed !== undefined) return { failed };
  const chosen = otherProtocol(secured.alpnProtocol, protocol);
  if (chosen !== undefined) {
    // The caller destroys the raw socket, which must not be before OpenSSL is done with it: see `handshake`.
    const { promise, resolve } = Promise.withResolvers<void>();
    secured.once('close', () => resolve());
    secured.destroy();
    await promise;
    return { failed: `the peer chose the application protocol ${chosen}` };
  }
  return { secured, facts: tlsFacts(secured, trust, clock()) };
}

/**
 * What a peer chose that is not what we named, fit for a log line (checklist T-31). A peer that knows nothing of ALPN chooses nothing, which
 * is good.
 *
 * @param chosen as Node has it: `false` or `null` for nothing
 */
export function otherProtocol(chosen: string | false | null, named: string | undefined): string | undefined {
  if (named === undefined || typeof chosen !== 'string' || chosen === named) return undefined;
  return printable(chosen, 40);
}
