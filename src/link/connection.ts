import { newConnectionHandle } from '../net/keys/identifiers.ts';
import { StreamDriver } from '../net/s2s/stream-driver.ts';
import type { StreamEnd } from '../protocol/end.ts';
import type { LinkStreamContext } from '../protocol/link/link-stream.ts';
import type { NoteSink, NoteSubject } from '../protocol/notes.ts';
import type { PureStream, StreamPair } from '../protocol/stream/actions.ts';
import type { Stanza } from '../protocol/xml/types.ts';
import type { Secured } from './tls.ts';

/** Notes of a stream that the Link tells in words of its own, or that would count as those of a partner's stream. */
const TOLD_OTHERWISE: ReadonlySet<string> = new Set([
  'accepted',
  'header-received',
  'header-sent',
  'stream-ready',
  'state-changed',
  'ended',
]);

/** A connection as it is handed to a box that it has been proven to belong to. */
export interface ProvenConnection {
  readonly secured: Secured;
  readonly peer: string;
  readonly direction: 'in' | 'out';
  /** Unix milliseconds: the end of the certificate of the Core on it. */
  readonly certificateUntil: number;
  make(context: LinkStreamContext): PureStream;
}

/** What became of a connection. */
export interface ConnectionOutcome {
  readonly end: StreamEnd;
  /** Milliseconds for which it was established; `undefined`: never. */
  readonly lasted: number | undefined;
}

/** What the owner of a connection hears of it. */
export interface ConnectionEvents {
  /** A promise makes the connection wait. */
  deliver(stanza: Stanza, pair: StreamPair): Promise<void> | undefined;
  established(connection: LinkConnection, resumed: boolean): void;
  /** Exactly once. */
  ended(connection: LinkConnection, end: StreamEnd): void;
}

/** The parts of a stream's context that a connection provides. */
export type OwnPart = Pick<LinkStreamContext, 'deliver' | 'established' | 'isHeld'>;

/** One TLS connection of a Link with the stream on it. */
export class LinkConnection {
  readonly handle = newConnectionHandle();
  /** Address and port of the other end. */
  readonly peer: string;
  readonly tls: { readonly version: string; readonly cipher: string };
  readonly direction: 'in' | 'out';
  readonly driver: StreamDriver;
  private readonly box: string;

  /** @param make the stream, from what it hears of this connection */
  constructor(
    secured: Secured,
    options: {
      readonly peer: string;
      readonly box: string;
      readonly direction: 'in' | 'out';
      readonly notes: NoteSink;
      readonly events: ConnectionEvents;
      make(own: OwnPart): PureStream;
    },
  ) {
    const { events, notes } = options;
    this.peer = options.peer;
    this.box = options.box;
    this.direction = options.direction;
    this.tls = { version: secured.version, cipher: secured.cipher };
    const stream = options.make({
      deliver: (stanza, pair) => {
        this.driver.stanzasIn += 1;
        const room = events.deliver(stanza, pair);
        if (room !== undefined) this.driver.hold(room);
      },
      established: (resumed) => events.established(this, resumed),
      isHeld: () => this.driver.isHeld,
    });
    this.driver = new StreamDriver(
      stream,
      secured.socket,
      {
        startTls: () => Promise.resolve({ failed: 'a Link has no STARTTLS' }),
        verify: () => undefined,
        answer: () => undefined,
        authorized: () => undefined,
        refused: () => undefined,
        ended: (end) => events.ended(this, end),
        subject: () => this.subject,
      },
      (note, subject) => {
        if (!TOLD_OTHERWISE.has(note.note)) notes(note, subject);
      },
    );
  }

  get subject(): NoteSubject {
    return { connection: this.handle, direction: this.direction, remote: this.box, peer: this.peer };
  }

  start(): void {
    this.driver.start();
  }
}
