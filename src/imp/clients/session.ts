import type { BoundSession } from '../../protocol/c2s/sessions.ts';
import type { StreamManagement } from '../../protocol/c2s/stream-management.ts';
import type { Jid } from '../../protocol/jid/jid.ts';
import { NS } from '../../protocol/namespaces.ts';
import type { StreamErrorCondition } from '../../protocol/stream/stream-error.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { writeElement } from '../../protocol/xml/write.ts';
import type { ClientSession } from '../sessions.ts';

/** The connection that a session is on. */
export interface SessionStream {
  /** Bytes that wait for the client to take them. */
  readonly waiting: number;
  send(stanza: XmlElement): void;
  end(condition: StreamErrorCondition, text: string): void;
  /** Another connection has resumed the session. */
  replaced(): void;
}

/** What becomes of a session. */
export interface SessionEvents {
  overflowed(session: LiveSession): void;
  /** A session without a connection is to end. */
  endAway(session: LiveSession): void;
}

/** A session of a client: on a connection, or away and kept for as long as it may resume. */
export class LiveSession implements ClientSession, BoundSession {
  readonly address: Jid;
  /** The prepared localpart. */
  readonly username: string;
  /** Unix milliseconds. */
  readonly since: number;
  management: StreamManagement | undefined;
  /** `undefined`: the client is away. */
  stream: SessionStream | undefined;
  /** While the client is away, the session is about to end. */
  callOffEnd: () => void = () => undefined;
  isOver = false;
  isOverflowing = false;
  /** Bytes. */
  private readonly longestWaiting: number;
  private readonly events: SessionEvents;

  constructor(
    facts: Pick<LiveSession, 'address' | 'username' | 'stream' | 'since'> & { readonly longestWaiting: number },
    events: SessionEvents,
  ) {
    this.address = facts.address;
    this.username = facts.username;
    this.stream = facts.stream;
    this.since = facts.since;
    this.longestWaiting = facts.longestWaiting;
    this.events = events;
  }

  send(stanza: XmlElement): void {
    if (this.isOver) return;
    if (this.stream !== undefined) {
      this.stream.send(stanza);
      if (this.stream !== undefined && this.stream.waiting > this.longestWaiting) this.events.overflowed(this);
    } else if (this.management?.keep(stanza, Buffer.from(writeElement(stanza, NS.client))) === false)
      this.events.overflowed(this);
  }

  end(condition: StreamErrorCondition, text: string): void {
    if (this.isOver) return;
    if (this.stream === undefined) this.events.endAway(this);
    else this.stream.end(condition, text);
  }
}
