import type { Jid } from '../protocol/jid/jid.ts';
import type { StreamErrorCondition } from '../protocol/stream/stream-error.ts';
import type { XmlElement } from '../protocol/xml/types.ts';

/** A client that has authenticated and bound a resource, whatever it is connected by. */
export interface ClientSession {
  /** The full address; localpart and resource are there, and prepared. */
  readonly address: Jid;
  /** Sends a stanza in `jabber:client`. While the client is away and may resume (XEP-0198), it is kept for it. */
  send(stanza: XmlElement): void;
  /** Ends the session with a stream error. `SessionOwner.ended` follows. */
  end(condition: StreamErrorCondition, text: string): void;
}

/** Who serves the sessions: the messaging server. */
export interface SessionOwner {
  /** After resource binding (RFC 6120 §7). A former session of the same full address was ended before. */
  opened(session: ClientSession): void;
  /**
   * A stanza from the client, in order. Its `from` is absent or has been checked against the session (RFC 6120 §8.1.2.1); its `to` is as the client
   * wrote it, and may be absent.
   */
  stanza(session: ClientSession, stanza: XmlElement): void;
  /**
   * The session is over for good; without a final presence it becomes unavailable now. `undelivered`: stanzas that were sent and never acknowledged
   * (XEP-0198 §4), in order; without stream management there are none.
   */
  ended(session: ClientSession, undelivered: readonly XmlElement[]): void;
}
