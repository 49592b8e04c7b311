import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { newConnectionHandle, newStreamId } from '../../net/keys/identifiers.ts';
import { faultInWords } from '../../net/s2s/in-words.ts';
import { StreamDriver, type StreamTap, type Upgrade } from '../../net/s2s/stream-driver.ts';
import type { Brake, ClientTimeouts } from '../../protocol/c2s/context.ts';
import { ReceivingClient } from '../../protocol/c2s/receiving-client.ts';
import type { BoundSession, SessionDesk } from '../../protocol/c2s/sessions.ts';
import type { TlsFacts } from '../../protocol/identity/facts.ts';
import type { Domain } from '../../protocol/jid/domain.ts';
import { printJid } from '../../protocol/jid/print.ts';
import type { ClientTransport } from '../../protocol/notes/clients.ts';
import type { Note, NoteSink, NoteSubject } from '../../protocol/notes.ts';
import type { ScramHash, ScramKeys } from '../../protocol/sasl/scram-keys.ts';
import type { StreamAction } from '../../protocol/stream/actions.ts';
import type { StreamErrorCondition } from '../../protocol/stream/stream-error.ts';
import type { XmlElement, XmlLimits } from '../../protocol/xml/types.ts';
import type { Credentials } from '../credentials.ts';
import { channelBindingsOf } from './channel-bindings.ts';
import type { NodeLoad } from './node-load.ts';
import { Pace } from './pace.ts';
import { newNonce, SCRAM_CRYPTO } from './scram-crypto.ts';
import type { SessionStream } from './session.ts';
import type { Shares } from './shares.ts';

/** Milliseconds that the node works for one client before others have their turn. */
const AT_A_STRETCH = 10;

/** What all connections of clients are given. */
export interface ConnectionContext {
  readonly domain: Domain;
  readonly credentials: Credentials;
  /** Keys for a name that no active user has, which nothing satisfies: a stranger cannot tell who exists (RFC 5802 §9). */
  readonly keysOfNobody: (username: string, hash: ScramHash) => ScramKeys;
  readonly timeouts: ClientTimeouts;
  readonly limits: XmlLimits;
  readonly shares: Shares;
  readonly load: NodeLoad;
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

type PasswordQuestion = Extract<StreamAction, { do: 'check-password' }>;

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
  /** Milliseconds that the node has worked for this client since others had their turn. */
  private worked = 0;
  private isResting = false;
  /** Whether the last stanza went to where one makes many. */
  private multiplies = false;

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
        checkPassword: (question) => void this.checkPassword(question),
        ended: () => {
          // After a fault of ours the stream has not heard that it is over: its session would stay, and swallow what is sent to it.
          this.stream.handle({ type: 'disconnected' }, Date.now());
          context.ended(this);
        },
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
    const { domain, credentials, keysOfNobody, timeouts, limits } = this.context;
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
          this.working(session, () => desk.stanza(session, stanza));
        },
      },
      mayRead: (username) => this.mayRead(username),
      newNonce,
      newStreamId,
      keysOf: (username, hash) => {
        const keys = credentials.keysOf(username, hash);
        return { keys: keys ?? keysOfNobody(username, hash), exists: keys !== undefined };
      },
      channelBindings: () => (this.secured === undefined ? {} : channelBindingsOf(this.secured)),
    });
  }

  /** Takes the time, and counts the packets, that a stanza costs. */
  private working({ address }: BoundSession, work: () => void): void {
    const { shares, load } = this.context;
    const began = performance.now();
    const before = load.packets();
    const multiplied = load.multiplied();
    work();
    this.multiplies = load.multiplied() !== multiplied;
    const now = performance.now();
    this.worked += now - began;
    shares.took(address.local ?? '', now - began, load.packets() - before, now);
  }

  /** Nobody can keep the node from serving others: not by much, not by what takes long to answer, and not by leaving the answers unread. */
  private mayRead(username: string): boolean {
    if (this.isResting) return false;
    const rested = this.restDue(username);
    if (rested === undefined) return true;
    this.isResting = true;
    this.driver.hold(
      rested.then(() => {
        this.isResting = false;
        this.worked = 0;
        return undefined;
      }),
    );
    return false;
  }

  private restDue(username: string): Promise<void> | undefined {
    const { driver, pace, context } = this;
    if (driver.isFull) return driver.room();
    const now = performance.now();
    const rest = Math.max(pace.spent(driver.bytesIn, now), context.shares.restOf(username, now));
    if (rest > 0) return pause(rest);
    return this.worked >= AT_A_STRETCH ? pause(0) : context.load.crowded(this.multiplies);
  }

  /** Never rejects: a password that cannot be checked is a wrong one, and the fault is told. */
  private async checkPassword({ attempt, username, password }: PasswordQuestion): Promise<void> {
    const { credentials, notes } = this.context;
    let correct = false;
    try {
      correct = await credentials.isPassword(username, password);
    } catch (error) {
      notes({ note: 'bug', where: 'the check of a password', detail: faultInWords(error) }, this.subject);
    }
    this.driver.handle({ type: 'password-checked', attempt, correct });
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
