import type { StanzaErrorCondition } from './stream/stanza-error.ts';
import type { StreamErrorCondition } from './stream/stream-error.ts';

/** Why dialback did not authorize a pair (XEP-0220 §2.1.1): the answer was `invalid`, `error`, or never came. */
export type DialbackFailure =
  | { readonly answer: 'invalid' }
  | { readonly answer: 'error'; readonly condition: StanzaErrorCondition | undefined }
  | { readonly answer: 'none' };

/**
 * Where, below XML, an attempt to reach a peer failed. `idna`: the name cannot be looked up at all; `dns`: nobody knows, and it may be
 * better later; `no-service`: DNS is clear that there is no server, or none that we go to.
 */
export type NetworkStage = 'idna' | 'dns' | 'no-service' | 'tcp' | 'tls';

/**
 * Why a stream, or an attempt to have one, is over. One closed list: `sentenceOf` puts it in words, `bounceFor` turns it into the
 * stanza error that a waiting sender gets.
 */
export type StreamEnd =
  /** A stream error, sent by us or by them (RFC 6120 §4.9). */
  | { readonly by: 'us' | 'them'; readonly condition: StreamErrorCondition; readonly text?: string }
  /** The pair was not authorized by dialback. `plaintext`: the stream was not encrypted, although our policy lets it be. */
  | { readonly by: 'dialback'; readonly failure: DialbackFailure; readonly plaintext?: true }
  /** DNS, TCP or TLS failed; `detail` is a short reason in words. */
  | { readonly by: 'network'; readonly stage: NetworkStage; readonly detail: string }
  /** Our own policy does not permit it. */
  | { readonly by: 'policy'; readonly because: string }
  /** The peer cannot prove who it is, or we cannot prove it to the peer; retrying does not cure it. */
  | { readonly by: 'authentication'; readonly because: string }
  /** A time-out of ours; `waitingFor` completes the sentence "nothing came while waiting for ...". */
  | { readonly by: 'timeout'; readonly waitingFor: string }
  /** The Link between our two boxes is down, or was when it mattered. `inDoubt`: nobody here knows whether the stanza got through. */
  | { readonly by: 'link'; readonly detail: string; readonly inDoubt?: true }
  /** Closed in good order, or the TCP connection went away without a word. */
  | { readonly by: 'close' }
  | { readonly by: 'disconnect'; readonly detail?: string };
