import type { X509Certificate } from 'node:crypto';
import { Anchors } from '../net/tls/anchors.ts';
import { newKeyPair } from '../net/tls/issue.ts';
import { Trust } from '../net/tls/trust.ts';
import { holds, lapse, periodOf, proofOf, readChain } from './certificates.ts';
import { dialEdge, type Resolve } from './dial.ts';
import { isKeyOf, type PairedEdge } from './edges.ts';
import { type BoxIdentity, keyHash } from './identity.ts';
import { JOIN_BYTES, readJoinAnswer, writeJoinRequest } from './join-messages.ts';
import { readLine } from './line.ts';
import { ALPN, linkContext, type Secured, startLinkTls } from './tls.ts';
import type { Invitation } from './token.ts';

const ASK_AGAIN = 'Ask for a new invitation: fedway link invite, on the Edge.';

export interface JoinOptions {
  readonly self: BoxIdentity;
  readonly resolve: Resolve;
  /** Local addresses to leave from, at most one per family. */
  readonly dialFrom: readonly string[];
  /** Milliseconds. */
  readonly connectTimeout: number;
  readonly handshakeTimeout: number;
  readonly signal: AbortSignal;
  /** Unix milliseconds. */
  readonly now: () => number;
}

type Refused = { readonly refused: string };

/**
 * The Core's side of joining. Nothing is said to the other end before it has shown the authority that the invitation pins.
 *
 * @returns the pairing, to be stored; or why there is none, in sentences with the cure
 * @throws the signal's reason once it is aborted
 */
export async function joinEdge(invitation: Invitation, options: JoinOptions): Promise<PairedEdge | Refused> {
  const now = options.now();
  if (now >= invitation.expires)
    return {
      refused: `The invitation was valid until ${iso(invitation.expires)}, and the clock of this box says ${iso(now)}. ${ASK_AGAIN}`,
    };
  const dialed = await dialEdge(invitation.addresses, options);
  if ('failed' in dialed)
    return {
      refused: `The Edge cannot be reached: ${dialed.failed}. Check that the firewall lets this box connect to the Link port of the Edge, and that fedway runs there.`,
    };
  const secured = await startLinkTls(dialed.socket, linkContext(undefined), ALPN.join, {
    timeoutMs: options.handshakeTimeout,
    signal: options.signal,
  });
  if ('failed' in secured)
    return {
      refused: `No secure connection to ${dialed.peer}: ${secured.failed}. Check that this is the Link port of the Edge.`,
    };
  try {
    return await ask(secured, invitation, options);
  } finally {
    secured.socket.destroy();
  }
}

async function ask(secured: Secured, invitation: Invitation, options: JoinOptions): Promise<PairedEdge | Refused> {
  const authority = secured.chain.find((each) => isPinned(each, invitation.pin));
  if (authority === undefined)
    return {
      refused:
        'Whoever answers at the address of the invitation is not the Edge that made it; nothing was sent. Check the address, and that the token is of this Edge; somebody may be in between.',
    };
  const wrong = wrongEdge(secured, authority, invitation, options.now());
  if (wrong !== undefined) return { refused: wrong };
  const { privateKey, publicKey } = await newKeyPair();
  const { socket } = secured;
  socket.write(writeJoinRequest({ secret: invitation.secret, core: options.self, publicKey }));
  const line = await readLine(socket, { bytes: JOIN_BYTES.answer, timeoutMs: options.handshakeTimeout });
  const answer = line === undefined ? undefined : readJoinAnswer(line);
  if (answer === undefined)
    return {
      refused: `The Edge gave no answer, or none that can be read. The invitation may be used up. ${ASK_AGAIN}`,
    };
  if (answer === 'refused')
    return {
      refused: `The Edge refuses the invitation: it was used already, it has ended, or it was withdrawn. The log of the Edge says which. ${ASK_AGAIN}`,
    };
  const problem = wrongChain(answer.chain, privateKey, authority, options);
  if (problem !== undefined) return { refused: problem };
  const { addresses, edge } = invitation;
  return {
    ...edge,
    addresses,
    authority: authority.toString(),
    key: privateKey,
    chain: answer.chain,
    since: options.now(),
    revoked: undefined,
  };
}

function wrongEdge(
  secured: Secured,
  authority: X509Certificate,
  invitation: Invitation,
  now: number,
): string | undefined {
  const proof = proofOf(secured.chain, 'edge', trustIn(authority), now);
  if ('stranger' in proof) return `The certificate of the Edge does not hold: ${proof.stranger}. Nothing was sent.`;
  if ('lapsed' in proof)
    return `The certificate of the Edge does not hold: ${proof.lapsed}. Correct the clock of this box, or that of the Edge. Nothing was sent.`;
  return proof.id === invitation.edge.id
    ? undefined
    : `The box that answers is another one than the Edge ${invitation.edge.name} that made the invitation. Check the address. Nothing was sent.`;
}

/** What the Edge signed has to be ours, under its authority, and for this box: else every connection would fail later. */
function wrongChain(
  pem: string,
  privateKey: string,
  authority: X509Certificate,
  { self, now }: JoinOptions,
): string | undefined {
  const chain = readChain(pem);
  if (chain === undefined || !isKeyOf(privateKey, pem))
    return `The Edge sent no certificate for the key of this box. ${ASK_AGAIN}`;
  const period = periodOf(pem);
  if (!holds(period, now()))
    return `The certificate that the Edge made does not hold here: ${lapse(period, now())}. Correct the clock of this box or that of the Edge. ${ASK_AGAIN}`;
  const proof = proofOf(chain, 'core', trustIn(authority), now());
  if ('stranger' in proof || proof.id !== self.id)
    return `The certificate that the Edge made is not good for this box. ${ASK_AGAIN}`;
  return undefined;
}

/** The only authority of a Link is that of its Edge. */
export function trustIn(authority: X509Certificate): Trust {
  return new Trust(new Anchors([authority]));
}

function isPinned(certificate: X509Certificate, pin: string): boolean {
  try {
    return keyHash(certificate) === pin;
  } catch {
    // A kind of key that OpenSSL does not know is not ours.
    return false;
  }
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
