import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { newConnectionHandle, newStreamId } from '../../net/keys/identifiers.ts';
import { StreamDriver, type StreamTap, type Upgrade } from '../../net/s2s/stream-driver.ts';
import type { Brake, ClientTimeouts } from '../../protocol/c2s/context.ts';
import { ReceivingClient } from '../../protocol/c2s/receiving-client.ts';
import type { SessionDesk } from '../../protocol/c2s/sessions.ts';
import type { TlsFacts } from '../../protocol/identity/facts.ts';
import type { Domain } from '../../protocol/jid/domain.ts';
import { printJid } from '../../protocol/jid/print.ts';
import type { ClientTransport } from '../../protocol/notes/clients.ts';
import type { Note, NoteSink, NoteSubject } from '../../protocol/notes.ts';
import type { StreamErrorCondition } from '../../protocol/stream/stream-error.ts';
import type { XmlElement, XmlLimits } from '../../protocol/xml/types.ts';
import type { Credentials } from '../credentials.ts';
import { channelBindingsOf } from './channel-bindings.ts';
import { Pace } from './pace.ts';
import { type DecoyKeys, newNonce, SCRAM_CRYPTO } from './scram-crypto.ts';
import type { SessionStream } from './session.ts';

/** What all connections of clients are given. */
export interface ConnectionContext {
  readonly domain: Domain;
  readonly credentials: Credentials;
  readonly decoys: DecoyKeys;
  readonly timeouts: ClientTimeouts;
  readonly limits: XmlLimits;
  readonly notes: NoteSink;
  /** TLS as server, after STARTTLS. */
  startTls(socket: Socket): Promise<Upgrade>;
  deskFor(stream: SessionStream): SessionDesk;
  /** Exactly once, when the stream is over. */
  ended(connection: ClientConnection): void;
}

/** One connection as it arrived. */
export interface ArrivedConnection {
  readonly transport: ClientTransport;
  /** What carries the stream. */
  readonly socket: Duplex;
  /** TLS that is there already, below a WebSocket too. */
  readonly secured: { readonly socket: TLSSocket; readonly facts: TlsFacts } | undefined;
  /** Address and port of the client. */
  readonly peer: string;
  readonly brake: Brake;
  readonly tap: StreamTap | undefined;
}

/** The connection of a client, with the stream on it. */
export class ClientConnection implements SessionStream {
  readonly handle = newConnectionHandle();
  readonly transport: ClientTransport;
  readonly peer: string;
  readonly stream: ReceivingClient;
  readonly driver: StreamDriver;
  private readonly context: ConnectionContext;
  private readonly pace = new Pace();
  private secured: TLSSocket | undefined;

  constructor(context: ConnectionContext, arrived: ArrivedConnection) {
    this.context = context;
    this.transport = arrived.transport;
    this.peer = arrived.peer;
    this.secured = arrived.secured?.socket;
    this.stream = this.newStream(arrived);
    this.driver = new StreamDriver(
      this.stream,
      arrived.socket,
      {
        startTls: (socket) => this.startTls(socket),
        verify: () => undefined,
        answer: () => undefined,
        authorized: () => undefined,
        refused: () => undefined,
        checkPassword: ({ attempt, username, password }) =>
          void context.credentials
            .isPassword(username, password)
            .then((correct) => this.driver.handle({ type: 'password-checked', attempt, correct })),
        ended: () => context.ended(this),
        subject: () => this.subject,
      },
      (note, subject) => this.tell(note, subject),
      arrived.tap,
    );
  }

  get subject(): NoteSubject {
    const { address } = this.stream;
    return {
      connection: this.handle,
      direction: 'in',
      local: this.context.domain,
      ...(address === undefined ? {} : { remote: printJid(address) }),
      peer: this.peer,
    };
  }

  get waiting(): number {
    return this.driver.waiting;
  }

  start(): void {
    this.driver.start();
  }

  send(stanza: XmlElement): void {
    this.driver.handle({ type: 'stanza', stanza });
  }

  end(condition: StreamErrorCondition, text: string): void {
    this.driver.handle({ type: 'end', condition, text });
  }

  replaced(): void {
    this.driver.handle({ type: 'close', why: 'replaced' });
  }

  private newStream({ secured, brake }: ArrivedConnection): ReceivingClient {
    const { domain, credentials, decoys, timeouts, limits } = this.context;
    const desk = this.context.deskFor(this);
    return new ReceivingClient({
      domain,
      timeouts,
      limits,
      brake,
      tls: secured?.facts,
      crypto: SCRAM_CRYPTO,
      desk: {
        ...desk,
        stanza: (session, stanza) => {
          this.driver.stanzasIn += 1;
          desk.stanza(session, stanza);
          const rest = this.pace.spent(this.driver.bytesIn, performance.now());
          if (rest > 0 && !this.driver.isHeld) this.driver.hold(pause(rest));
        },
      },
      newNonce,
      newStreamId,
      keysOf: (username, hash) => {
        const keys = credentials.keysOf(username, hash);
        return { keys: keys ?? decoys.keysFor(username, hash), exists: keys !== undefined };
      },
      channelBindings: () => (this.secured === undefined ? {} : channelBindingsOf(this.secured)),
    });
  }

  private async startTls(socket: Socket): Promise<Upgrade> {
    const outcome = await this.context.startTls(socket);
    if ('secured' in outcome && outcome.secured instanceof TLSSocket) this.secured = outcome.secured;
    return outcome;
  }

  /** What the stream tells, in the words for clients: what it shares with streams of servers is told of those in other words. */
  private tell(note: Note, subject: NoteSubject): void {
    const { notes } = this.context;
    switch (note.note) {
      case 'accepted':
        notes({ note: 'client-connected', transport: this.transport }, subject);
        break;
      case 'secured':
        notes({ note: 'client-secured', version: note.tls.version, cipher: note.tls.cipher }, subject);
        break;
      case 'element-received':
      case 'element-sent':
        notes({ note: 'client-element', sent: note.note === 'element-sent', xml: note.xml }, subject);
        break;
      case 'ended':
        notes({ note: 'client-gone', end: note.end, stanzasIn: note.stanzasIn, stanzasOut: note.stanzasOut }, subject);
        break;
      case 'ignored':
        notes({ note: 'client-ignored', what: note.what }, subject);
        break;
      // How it ended says as much.
      case 'not-secured':
      case 'stream-error-sent':
      case 'stream-error-received':
      case 'header-received':
      case 'header-sent':
      case 'state-changed':
        break;
      default:
        notes(note, subject);
    }
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
