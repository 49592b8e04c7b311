import type { StreamEnd } from '../end.ts';
import type { TlsFacts } from '../identity/facts.ts';
import type { Domain } from '../jid/domain.ts';
import type { LinkMessage } from '../link/messages.ts';
import type { AuthorizedBy, Note } from '../notes.ts';
import type { XmlElement } from '../xml/types.ts';
import type { StanzaErrorCondition } from './stanza-error.ts';
import type { StreamErrorCondition } from './stream-error.ts';

/** Sender and target domain of the stanzas that may travel on a stream (XEP-0220 §1.1). Authorization is per pair. */
export interface StreamPair {
  readonly sender: Domain;
  readonly target: Domain;
}

/** What the authoritative server is asked: did `sender` make the key for `target` and the stream `streamId`? (XEP-0220 §2.1.2) */
export interface DialbackClaim extends StreamPair {
  readonly streamId: string;
  /** Relayed verbatim: to anybody but the authoritative server a key is opaque (XEP-0220 §2.1.1). */
  readonly key: string;
}

/** What became of a claim. An `error` is the condition that goes back to the initiating server (XEP-0220 §2.5). */
export type Verdict =
  | { readonly verdict: 'valid' }
  | { readonly verdict: 'invalid' }
  | { readonly verdict: 'error'; readonly condition: StanzaErrorCondition };

/** Timers a stream may ask for. Each reads "when ..."; the number tells concurrent dialback requests apart. */
export type StreamTimer =
  /** ... the peer's stream header is late (checklist S-52). */
  | 'header'
  /** ... nobody has been authorized in time (S-58). */
  | 'negotiation'
  /** ... the peer does not answer our `</stream:stream>` (S-42). */
  | 'close'
  /** ... a db:result or db:verify has had no answer (D-46). */
  | `dialback ${number}`
  /** ... stanzas that were handled are to be acknowledged, or the peer to be asked what it has handled (XEP-0198 §4). */
  | 'acknowledge'
  /** ... nothing has come for a while: is the peer still there? */
  | 'quiet'
  /** ... a client may hear that its authentication failed: guessing is slow (RFC 6120 §13.12). */
  | 'penalty';

/** Why somebody on our side wants a stream gone. */
export type Closing =
  /** `shutdown` is told to the peer as a stream error, the others as a plain end. */
  | { readonly why: 'idle' | 'replaced' | 'shutdown' | 'unused' }
  /** The pair is not admitted any more. The peer is told so, and not `because`, which is for our log. */
  | { readonly why: 'policy'; readonly because: string }
  /** An administrator's word; `reason` is what the administrator said, for our log. */
  | { readonly why: 'administrator'; readonly reason: string };

/** What happened outside; bytes come in separately, by `receive`. */
export type StreamEvent =
  | { readonly type: 'connected' }
  /** `served`: as server, the domain of ours whose certificate the peer saw. */
  | { readonly type: 'secured'; readonly tls: TlsFacts; readonly served?: Domain }
  | { readonly type: 'not-secured'; readonly detail: string }
  | { readonly type: 'verdict'; readonly claim: DialbackClaim; readonly verdict: Verdict }
  | { readonly type: 'timer'; readonly timer: StreamTimer }
  | { readonly type: 'disconnected'; readonly detail?: string }
  | ({ readonly type: 'close' } & Closing)
  /** What has come already, and was not looked at yet, may be. */
  | { readonly type: 'go-on' }
  /** The policy snapshot changed: pairs are judged again. */
  | { readonly type: 'policy-changed' }
  /** A Link carries more than stanzas; on any other stream this means nothing. */
  | { readonly type: 'link-message'; readonly message: LinkMessage }
  | ClientEvent;

/** What happens outside of the stream of a client; on any other stream this means nothing. */
export type ClientEvent =
  /** The answer to `check-password`. */
  | { readonly type: 'password-checked'; readonly attempt: number; readonly correct: boolean }
  /** A stanza for the client, in `jabber:client`. */
  | { readonly type: 'stanza'; readonly stanza: XmlElement }
  /** The session on this stream ends, with this stream error. */
  | { readonly type: 'end'; readonly condition: StreamErrorCondition; readonly text: string };

/** What the driver must do now, in this order. */
export type StreamAction =
  | { readonly do: 'write'; readonly xml: string }
  /** The bytes of a stanza, which may leave together with others; they never change. */
  | { readonly do: 'send'; readonly bytes: Uint8Array }
  /**
   * As server: with the certificate of `domain` unless SNI says better. As client: SNI is `domain`. `direct`: before any XML, and for the
   * application protocol `xmpp-server` (XEP-0368 §3).
   */
  | {
      readonly do: 'start-tls';
      readonly as: 'client' | 'server';
      readonly direct: boolean;
      readonly domain: Domain;
      readonly local: Domain | undefined;
    }
  | { readonly do: 'arm'; readonly timer: StreamTimer; readonly afterMs: number }
  | { readonly do: 'disarm'; readonly timer: StreamTimer }
  | { readonly do: 'verify'; readonly claim: DialbackClaim }
  /** Is this the password of the user, whose name is a prepared localpart? The answer is a `password-checked` with the same number. */
  | {
      readonly do: 'check-password';
      readonly attempt: number;
      readonly username: string;
      readonly password: string;
    }
  | { readonly do: 'answer'; readonly claim: DialbackClaim; readonly verdict: Verdict }
  | { readonly do: 'authorized'; readonly pair: StreamPair; readonly by: AuthorizedBy }
  | { readonly do: 'refused'; readonly pair: StreamPair; readonly because: StreamEnd }
  /** Flush what was written, then end TLS and TCP. */
  | { readonly do: 'hang-up' }
  /** The stream is over; always the last action, exactly once in a stream's life. */
  | { readonly do: 'ended'; readonly end: StreamEnd }
  | { readonly do: 'note'; readonly note: Note };

/**
 * A stream as pure code: bytes and events in, actions out. It never throws for what a peer did, and handles every event in every phase.
 * `now` is in Unix milliseconds.
 */
export interface PureStream {
  receive(bytes: Uint8Array, now: number): readonly StreamAction[];
  handle(event: StreamEvent, now: number): readonly StreamAction[];
}
