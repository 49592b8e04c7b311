import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { StreamEnd } from '../../protocol/end.ts';
import type { TlsFacts } from '../../protocol/identity/facts.ts';
import type { Domain } from '../../protocol/jid/domain.ts';
import type { AuthorizedBy, Note, NoteSink, NoteSubject } from '../../protocol/notes.ts';
import type {
  DialbackClaim,
  PureStream,
  StreamAction,
  StreamEvent,
  StreamPair,
  Verdict,
} from '../../protocol/stream/actions.ts';
import { failureInWords } from '../tls/failure.ts';
import { errorOf } from '../tls/handshake.ts';
import { Batch } from './batch.ts';
import { faultInWords, socketErrorInWords } from './in-words.ts';
import { STALL_MS, StallWatch } from './stall-watch.ts';
import { StreamTimers } from './stream-timers.ts';
import { WRITE_BUFFER_BYTES, WriteBuffers } from './write-buffers.ts';

/** Bytes that may wait for a peer before whoever sends is asked to hold. */
const HIGH_WATER = 256 * 1024;
/** Of all drivers. */
const writeBuffers = new WriteBuffers();
/** How long the peer may keep TCP open after we are done. */
const LINGER_MS = 5_000;

/** The outcome of a TLS handshake: the socket to go on with, or a reason in words. */
export type Upgrade =
  | {
      readonly secured: Socket;
      readonly facts: TlsFacts;
      /** As server: the domain of ours whose certificate the peer saw. */
      readonly served?: Domain;
    }
  | { readonly failed: string };

/** What the owner of a stream does for it, and hears of it. */
export interface StreamOwner {
  /** Performs the handshake; must give an outcome and never reject. */
  startTls(socket: Socket, action: Extract<StreamAction, { do: 'start-tls' }>): Promise<Upgrade>;
  verify(claim: DialbackClaim): void;
  answer(claim: DialbackClaim, verdict: Verdict): void;
  /** Only streams of clients ask; the answer comes back as a `password-checked`. */
  checkPassword?(question: Extract<StreamAction, { do: 'check-password' }>): void;
  authorized(pair: StreamPair, by: AuthorizedBy): void;
  refused(pair: StreamPair, because: StreamEnd): void;
  /** Called exactly once. */
  ended(end: StreamEnd): void;
  /** Who is on both ends, as far as it is known now. */
  subject(): NoteSubject;
}

/** Sees the bytes of a stream, decrypted, as they are read (`in`) and written (`out`). It must not keep or change them, and must not throw. */
export type StreamTap = (direction: 'in' | 'out', bytes: Uint8Array) => void;

/**
 * Runs a pure stream over a socket: bytes and events in, actions out, in order. It owns the socket and the timers and decides nothing.
 *
 * Stanzas that are sent in one turn of the event loop leave in one write, however many reads they came from. A sender that is told to
 * hold waits for `room()`; a source that must hold is not read until its outlets have room.
 */
export class StreamDriver {
  stanzasIn = 0;
  stanzasOut = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** Since when the connection is ours, in Unix milliseconds. */
  readonly since = Date.now();
  /** When a stanza last passed, in Unix milliseconds. */
  lastStanza = this.since;
  /** The same by a clock that is never set, to tell what is idle. */
  lastActive = performance.now();
  /** Whether the stream was told to close: nothing may follow its closing tag (RFC 6120 §4.4). */
  isLeaving = false;
  /** Resolves when the connection itself is gone: after the end of the stream, the last words may still be on their way. */
  readonly gone: Promise<void>;

  private readonly stream: PureStream;
  private readonly owner: StreamOwner;
  private readonly notes: NoteSink;
  private readonly tap: StreamTap | undefined;
  private readonly timers = new StreamTimers((timer) => this.handle({ type: 'timer', timer }));
  private socket: Duplex;
  private over = false;
  private upgrading = false;
  private readonly batch = new Batch();
  private flushing = false;
  private holds = 0;
  /** Answers of ours wait for a peer that goes on asking. */
  private answersWait = false;
  /** Bytes of answers written since the peer had last taken everything. Stanzas have their own way to hold their source. */
  private answerBytes = 0;
  /** What everybody waits for who wants room: one promise for all, since under load it is asked for each stanza. */
  private awaitedRoom: PromiseWithResolvers<void> | undefined;
  /** What this peer is not read for; the last of them, which most often comes again. */
  private lastHold: Promise<void> | undefined;
  private readonly stall = new StallWatch(
    () => this.socket.writableLength,
    () => {
      const detail = `the peer took nothing for ${STALL_MS / 1000} seconds while data waited for it`;
      this.handle({ type: 'disconnected', detail });
      this.socket.destroy();
    },
  );

  /** @param socket connected; what is no TCP socket, such as a WebSocket that carries a stream, cannot be handed to TLS */
  constructor(stream: PureStream, socket: Duplex, owner: StreamOwner, notes: NoteSink, tap?: StreamTap) {
    this.tap = tap;
    this.stream = stream;
    this.socket = socket;
    this.owner = owner;
    this.notes = notes;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gone = promise;
    // TLS runs over this socket and destroys it with itself.
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  }

  /** Takes over the connected socket and starts the conversation. */
  start(): void {
    if (this.socket instanceof Socket) {
      this.socket.setNoDelay(true);
      // RFC 6120 §4.6.1: TCP's own keepalive finds what is dead without a word.
      this.socket.setKeepAlive(true, 60_000);
    }
    this.listen();
    // A connection that broke before anybody listened tells nobody any more.
    if (this.socket.destroyed) {
      this.onClose();
      return;
    }
    this.handle({ type: 'connected' });
    if (!this.upgrading) this.socket.resume();
  }

  /** Tells the stream what happened outside. */
  handle(event: StreamEvent): void {
    if (this.over) return;
    this.isLeaving ||= event.type === 'close';
    this.guarded(() => this.stream.handle(event, Date.now()));
  }

  /** Sends the bytes of a stanza. `false`: they are taken, and the sender should wait for `room()` before it sends more. */
  send(bytes: Uint8Array): boolean {
    if (this.over) return true;
    this.stanzasOut += 1;
    this.batch.add(bytes);
    if (!this.flushing) {
      this.flushing = true;
      setImmediate(this.flush);
    }
    return !this.isFull;
  }

  /** Bytes that wait for the peer to take them. */
  get waiting(): number {
    return this.batch.size + this.socket.writableLength;
  }

  /** Whether so much waits for the peer that whoever sends should wait for `room()`. */
  get isFull(): boolean {
    return this.waiting >= HIGH_WATER;
  }

  /** Resolves when the peer has taken enough, and at once when the stream is over. */
  room(): Promise<void> {
    if (this.over) return Promise.resolve();
    this.awaitedRoom ??= Promise.withResolvers();
    return this.awaitedRoom.promise;
  }

  /** Does not read from the peer until the promise is settled; several holds add up. */
  hold(room: Promise<void>): void {
    if (room === this.lastHold) return;
    this.lastHold = room;
    this.holds += 1;
    this.socket.pause();
    void room.finally(() => {
      this.holds -= 1;
      if (this.lastHold === room) this.lastHold = undefined;
      if (!this.isReadable) return;
      // The stream may have left something of what came before.
      this.handle({ type: 'go-on' });
      if (this.isReadable) this.socket.resume();
    });
  }

  private get isReadable(): boolean {
    return this.holds === 0 && !this.over && !this.upgrading;
  }

  /** Whether the peer is not read at the moment. */
  get isHeld(): boolean {
    return this.holds > 0;
  }

  /** Ends everything now, without a word to the peer; also what is left of a stream that is over. */
  destroy(detail = 'ended here'): void {
    this.socket.destroy();
    this.handle({ type: 'disconnected', detail });
  }

  private readonly flush = (): void => {
    this.flushing = false;
    const total = this.batch.size;
    if (total === 0) return;
    const pieces = this.batch.take();
    this.bytesOut += total;
    if (this.socket.destroyed) return;
    if (this.tap !== undefined) for (const piece of pieces) this.tap('out', piece);
    this.stanzaPassed();
    const [only] = pieces;
    if (pieces.length === 1 && only !== undefined) this.socket.write(only);
    else if (total <= WRITE_BUFFER_BYTES) {
      const { bytes, release } = writeBuffers.join(pieces);
      this.socket.write(bytes, release);
    } else {
      this.socket.cork();
      for (const piece of pieces) this.socket.write(piece);
      this.socket.uncork();
    }
    if (this.socket.writableNeedDrain) this.stall.begin();
    else this.giveRoom();
  };

  private listen(): void {
    this.socket
      .on('data', this.onData)
      .on('drain', this.onDrain)
      .on('error', this.onError)
      .on('end', this.onEnd)
      .on('close', this.onClose);
  }

  private unlisten(): void {
    this.socket
      .off('data', this.onData)
      .off('drain', this.onDrain)
      .off('error', this.onError)
      .off('end', this.onEnd)
      .off('close', this.onClose);
  }

  private readonly onData = (chunk: Buffer): void => {
    if (this.over) return;
    this.bytesIn += chunk.length;
    this.tap?.('in', chunk);
    const now = Date.now();
    const before = this.stanzasIn;
    this.guarded(() => this.stream.receive(chunk, now));
    if (this.stanzasIn !== before) this.stanzaPassed();
  };

  private readonly onDrain = (): void => {
    this.answerBytes = 0;
    this.stall.end();
    this.giveRoom();
  };

  private readonly onEnd = (): void => this.handle({ type: 'disconnected' });

  private readonly onClose = (): void => {
    const error = this.socket instanceof TLSSocket ? errorOf(this.socket) : undefined;
    this.handle({ type: 'disconnected', ...(error === undefined ? {} : { detail: failureInWords(error) }) });
  };

  private readonly onError = (error: Error): void => {
    this.handle({ type: 'disconnected', detail: socketErrorInWords(error) });
    this.socket.destroy();
  };

  /** A throw is a fault of ours: it is told, and ends this one connection. */
  private guarded(step: () => readonly StreamAction[]): void {
    try {
      this.perform(step());
    } catch (error) {
      this.note({ note: 'bug', where: 'stream', detail: faultInWords(error) });
      if (!this.over) this.finish({ by: 'us', condition: 'internal-server-error' });
      this.socket.destroy();
    }
  }

  private perform(actions: readonly StreamAction[]): void {
    for (const action of actions) {
      switch (action.do) {
        case 'write':
          this.write(action.xml);
          break;
        case 'send':
          this.send(action.bytes);
          break;
        case 'note':
          this.note(action.note);
          break;
        case 'start-tls':
          void this.upgrade(action);
          break;
        case 'arm':
          this.timers.arm(action.timer, action.afterMs);
          break;
        case 'disarm':
          this.timers.disarm(action.timer);
          break;
        case 'verify':
          this.owner.verify(action.claim);
          break;
        case 'check-password':
          this.owner.checkPassword?.(action);
          break;
        case 'answer':
          this.owner.answer(action.claim, action.verdict);
          break;
        case 'authorized':
          this.owner.authorized(action.pair, action.by);
          break;
        case 'refused':
          this.owner.refused(action.pair, action.because);
          break;
        case 'hang-up':
          this.hangUp();
          break;
        case 'ended':
          this.finish(action.end);
          break;
      }
    }
  }

  /** Elements of the negotiation keep their place among the stanzas. */
  private write(xml: string): void {
    this.flush();
    if (this.socket.destroyed || !this.socket.writable) return;
    this.bytesOut += Buffer.byteLength(xml);
    this.tap?.('out', Buffer.from(xml));
    this.answerBytes = this.socket.write(xml) ? 0 : this.answerBytes + xml.length;
    if (this.answerBytes >= HIGH_WATER) this.holdUntilAnswersAreTaken();
  }

  /** Who asks and asks, and does not read our answers, is not read either: they would pile up here (checklist K-20). */
  private holdUntilAnswersAreTaken(): void {
    if (this.answersWait) return;
    this.answersWait = true;
    this.stall.begin();
    const taken = this.room().finally(() => {
      this.answersWait = false;
    });
    this.hold(taken);
  }

  private async upgrade(action: Extract<StreamAction, { do: 'start-tls' }>): Promise<void> {
    this.upgrading = true;
    this.unlisten();
    const plain = this.socket;
    // Between two listeners an error must not become an uncaught exception.
    plain.on('error', ignore);
    const outcome = await this.secure(plain, action);
    this.upgrading = false;
    if (this.over) {
      // Not the plain socket below a secured one: see `handshake`.
      ('secured' in outcome ? outcome.secured : plain).destroy();
      return;
    }
    if ('failed' in outcome) {
      this.handle({ type: 'not-secured', detail: outcome.failed });
      plain.destroy();
      return;
    }
    this.socket = outcome.secured;
    this.listen();
    const { facts: tls, served } = outcome;
    this.handle({ type: 'secured', tls, ...(served === undefined ? {} : { served }) });
    // What was taken in the meantime, nobody told of: who waits for room asks the new socket.
    if (!outcome.secured.writableNeedDrain) this.onDrain();
    // The peer may have gone while the handshake ended; nobody tells of it any more.
    if (outcome.secured.destroyed) this.onClose();
    if (this.holds === 0) this.socket.resume();
  }

  /** A certificate that our reading of it stumbles over must cost no more than its own connection. */
  private async secure(plain: Duplex, action: Extract<StreamAction, { do: 'start-tls' }>): Promise<Upgrade> {
    if (!(plain instanceof Socket)) return { failed: 'TLS is asked for on what is no TCP connection' };
    try {
      return await this.owner.startTls(plain, action);
    } catch (error) {
      this.note({ note: 'bug', where: 'TLS', detail: faultInWords(error) });
      return { failed: 'a fault of our own in the handshake' };
    }
  }

  private stanzaPassed(): void {
    this.lastStanza = Date.now();
    this.lastActive = performance.now();
  }

  /** Flushes, sends FIN, and waits a little for the peer's: closing at once could turn our last words into a reset. */
  private hangUp(): void {
    this.flush();
    const { socket } = this;
    if (socket.destroyed) return;
    socket.off('data', this.onData);
    socket.on('data', ignore);
    socket.resume();
    socket.end();
    const linger = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(linger));
  }

  private finish(end: StreamEnd): void {
    if (this.over) return;
    this.over = true;
    this.timers.disarmAll();
    this.stall.end();
    this.note({ note: 'ended', end, stanzasIn: this.stanzasIn, stanzasOut: this.stanzasOut });
    this.giveRoom();
    // After a clean hang-up the socket ends by itself; without one nothing would ever end it.
    if (!this.socket.writableEnded && !this.upgrading) this.socket.destroy();
    this.owner.ended(end);
  }

  private giveRoom(): void {
    this.awaitedRoom?.resolve();
    this.awaitedRoom = undefined;
  }

  private note(note: Note): void {
    this.notes(note, this.owner.subject());
  }
}

function ignore(): void {
  // Deliberately nothing: the stream is over, or TLS reports the error itself.
}
