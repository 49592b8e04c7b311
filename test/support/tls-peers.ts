/** Peers for tests of TLS: our two sides over real sockets, and strangers with a configuration of their own. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, type SecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { type Accepted, acceptTls, type OwnCertificates } from '../../src/net/tls/accept.ts';
import { Anchors } from '../../src/net/tls/anchors.ts';
import { secureContext } from '../../src/net/tls/parameters.ts';
import { startTls } from '../../src/net/tls/start.ts';
import { Trust } from '../../src/net/tls/trust.ts';
import { type Domain, parseDomain } from '../../src/protocol/jid/domain.ts';
import { authority, type Issued, leaf } from './certificates.ts';
import { socketPair } from './socket-pair.ts';

export const root = authority('Good CA');
export const mid = authority('Good Intermediate', {}, root);
export const trust = new Trust(new Anchors([root.x509]));
export const coluc = domain('coluc.com');
export const vngtp = domain('vngtp.lab');
export const ours = contextOf(leaf('coluc.com', mid));
export const theirs = contextOf(leaf('vngtp.lab', mid));
export const limits = { timeoutMs: 10_000 };

export function domain(text: string): Domain {
  const parsed = parseDomain(text);
  if (parsed === undefined) throw new TypeError(`not a domain: ${text}`);
  return parsed;
}

export function contextOf(issued: Issued, ...others: readonly Issued[]): SecureContext {
  const chain = [issued.chainPem, ...others.map(({ pem }) => pem)].join('');
  return secureContext({ chain, key: issued.keyPem });
}

export function accepting(socket: Socket, certificates: OwnCertificates = sameForAll(ours)): Promise<Accepted> {
  return acceptTls(socket, { ...limits, certificates, domain: coluc, trust });
}

/** A peer with a TLS configuration of its own, as client. */
export function strangeClient(
  socket: Socket,
  options: SecureContextOptions & { session?: Buffer; servername?: string; ALPNProtocols?: string[] },
): TLSSocket {
  const client = connect({ socket, rejectUnauthorized: false, ...options });
  client.on('error', () => {});
  return client;
}

export async function handshakeWith(client: SecureContext) {
  const pair = await socketPair();
  const [accepted, started] = await Promise.all([
    accepting(pair.receiving),
    startTls(pair.initiating, { ...limits, domain: coluc, context: client, trust }),
  ]);
  if ('failed' in accepted) throw new Error(accepted.failed);
  if ('failed' in started) throw new Error(started.failed);
  return { pair, accepted, started };
}

/** What the receiving side says when the peer is a client with these options. */
export async function acceptFrom(options: SecureContextOptions): Promise<Accepted> {
  await using pair = await socketPair();
  strangeClient(pair.initiating, options);
  return await accepting(pair.receiving);
}

export function failureOf(result: object): string {
  return 'failed' in result ? String(result.failed) : 'secured';
}

/** A TLS 1.2 client and our receiving side, with somebody in between who sees and may send bytes. */
export async function relayed() {
  const [pair, relay] = [await socketPair(), await socketPair()];
  const seen: Buffer[] = [];
  relay.receiving.on('data', (chunk: Buffer) => pair.initiating.write(chunk));
  pair.initiating.on('data', (chunk: Buffer) => {
    seen.push(chunk);
    relay.receiving.write(chunk);
  });
  for (const socket of [relay.receiving, pair.initiating]) socket.on('error', () => {});
  const client = strangeClient(relay.initiating, { maxVersion: 'TLSv1.2' });
  const [accepted] = await Promise.all([accepting(pair.receiving), once(client, 'secureConnect')]);
  if ('failed' in accepted) throw new Error(accepted.failed);
  return {
    accepted,
    between: pair.initiating,
    fromServer: Buffer.concat(seen),
    [Symbol.asyncDispose]: async () => {
      await relay[Symbol.asyncDispose]();
      await pair[Symbol.asyncDispose]();
    },
  };
}

/** One certificate for every domain. */
export function sameForAll(context: SecureContext): OwnCertificates {
  return { contextFor: () => context };
}
