import type { Jid } from '../jid/jid.ts';
import type { XmlElement } from '../xml/types.ts';
import type { StreamManagement } from './stream-management.ts';

/** A bound resource, as its stream sees it. It may outlive the stream (XEP-0198 §5). */
export interface BoundSession {
  /** The full address; every part is prepared. */
  readonly address: Jid;
  /** Once the client has enabled it. */
  readonly management: StreamManagement | undefined;
}

/** Why a resource is not bound (RFC 6120 §7.6.2, §7.7.2). */
export type BindRefusal = 'bad-request' | 'resource-constraint';

/** Where the sessions of one stream, of which there is at most one at a time, are made, found again and given up. All functions answer at once. */
export interface SessionDesk {
  /**
   * Binds a resource for a user. A session that has it already is ended with `conflict` first (RFC 6120 §7.7.2.2).
   *
   * @param resource as the client wrote it; `undefined`: the server is to choose
   */
  bind(username: string, resource: string | undefined): BoundSession | { readonly refused: BindRefusal };
  /** The client knows of its session: whatever is for it may come. */
  opened(session: BoundSession): void;
  /** Enables stream management. `wantedMs`: for how long the client would like to be able to resume; `undefined`: it does not want to. */
  manage(session: BoundSession, wantedMs: number | undefined): StreamManagement;
  /**
   * Finds a session to resume. A stream that it still has is ended with `conflict`; the session is on this stream from here on.
   *
   * @returns else how many stanzas were handled of a session of this user that is over, as far as that is known
   */
  resume(username: string, id: string): BoundSession | { readonly handled: number | undefined };
  /** A stanza of the client, in order and checked. */
  stanza(session: BoundSession, stanza: XmlElement): void;
  /** More waits for the client than is kept for it: the session is to end soon, not at once. */
  overflowed(session: BoundSession): void;
  /** The stream is over. `mayResume`: nobody meant the session to end. */
  left(session: BoundSession, mayResume: boolean): void;
}
