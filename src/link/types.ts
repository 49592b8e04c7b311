import type { StreamEnd } from '../protocol/end.ts';
import type { LinkMessage } from '../protocol/link/messages.ts';
import type { NoteSink } from '../protocol/notes.ts';
import type { StreamPair } from '../protocol/stream/actions.ts';
import type { Stanza, XmlLimits } from '../protocol/xml/types.ts';

/** The box at the other end of a Link. It outlives the connections to it. */
export interface LinkPeer {
  /** Made at pairing, never changes. */
  readonly id: string;
  /** As the administrator calls it. */
  readonly name: string;
  /** On an Edge: the homes that this Core may announce; `undefined`: all of the Edge's. On a Core: `undefined`. */
  readonly mayServe: readonly string[] | undefined;
  /** Whether a connection is established now. */
  readonly isUp: boolean;
  /**
   * Takes a stanza for the other end: writes it, or keeps it as long as the Link is down and may still come back.
   * `held`: taken, and the source should wait for `room()`.
   */
  offer(stanza: Stanza, pair: StreamPair): 'taken' | 'held' | { readonly refused: StreamEnd };
  room(): Promise<void>;
  /** Returns what waits, was never sent, and may pass no more; but for errors, which somebody waits for. */
  withdraw(mayPass: (pair: StreamPair) => boolean, because: string): void;
  /** Whether a stanza would be taken now although the connection may be down for a moment. */
  readonly isUsable: boolean;
  /** `false`: the Link is down, nothing was sent. */
  tell(message: LinkMessage): boolean;
  readonly facts: LinkFacts;
}

/** For status. Times are Unix milliseconds. */
export interface LinkFacts {
  readonly state: 'up' | 'down' | 'never connected' | 'revoked';
  /** Of the last change of state. */
  readonly since: number;
  /** Why it is down; `undefined` when it is up. */
  readonly because: string | undefined;
  readonly peer: string | undefined;
  readonly tls: string | undefined;
  /** When the certificate of the Core ends. */
  readonly certificateUntil: number | undefined;
  /** Stanzas that wait for the Link, or for the other end to confirm them. */
  readonly queued: { readonly stanzas: number; readonly bytes: number };
  readonly resumed: number;
  readonly stanzasIn: number;
  readonly stanzasOut: number;
}

/** What the Link is given by the box, and tells it. */
export interface LinkContext {
  /** A stanza from the other end. Its addresses are well-formed and nothing more; a promise makes the Link wait. */
  deliver(peer: LinkPeer, stanza: Stanza, pair: StreamPair): Promise<void> | undefined;
  message(peer: LinkPeer, message: LinkMessage): void;
  /** A connection is established; `resumed`: nothing was lost on the way. */
  up(peer: LinkPeer, resumed: boolean): void;
  /** The connection is gone; what was offered waits. */
  down(peer: LinkPeer, end: StreamEnd): void;
  /** A stanza that was taken and cannot be sent any more, or nobody knows whether it arrived. */
  undeliverable(peer: LinkPeer, stanza: Stanza, pair: StreamPair, end: StreamEnd): void;
  /** The pairing has ended. */
  gone(peer: LinkPeer): void;
  readonly limits: XmlLimits;
  readonly timing: LinkTiming;
  readonly notes: NoteSink;
}

/** Milliseconds, stanzas, bytes. Asked anew each time. */
export interface LinkTiming {
  /** How long stanzas wait for a Link that is down, counted from its break. */
  readonly hold: number;
  /** Silence after which the other end is asked whether it lives; twice that, and the connection is dead. */
  readonly quiet: number;
  readonly connect: number;
  readonly handshake: number;
  readonly queueStanzas: number;
  readonly queueBytes: number;
}
