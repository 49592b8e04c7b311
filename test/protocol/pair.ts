import type { StreamEnd } from '../../src/protocol/end.ts';
import type { TlsFacts } from '../../src/protocol/identity/facts.ts';
import type { Domain } from '../../src/protocol/jid/domain.ts';
import type { AuthorizedBy, Note } from '../../src/protocol/notes.ts';
import type {
  DialbackClaim,
  StreamAction,
  StreamEvent,
  StreamPair,
  StreamTimer,
  Verdict,
} from '../../src/protocol/stream/actions.ts';
import type { StreamMachine } from '../../src/protocol/stream/machine.ts';
import type { VirtualClock } from './clock.ts';
import type { Transcript } from './transcript.ts';
import type { Certificate, Direction, Wire, WireEnd } from './wire.ts';

/** What surrounds a stream on one end of a wire. */
export interface SideContext {
  readonly clock: VirtualClock;
  readonly transcript: Transcript;
  readonly wire: Wire;
  readonly side: Direction;
  /** The certificate it shows in a handshake. */
  readonly certificate: Certificate | undefined;
  /** Asks the authoritative server; the result comes back as a verdict. */
  verify?(claim: DialbackClaim, settle: (verdict: Verdict) => void): void;
  /** Checks a password for the stream of a client. */
  checkPassword?(username: string, password: string, settle: (correct: boolean) => void): void;
  /** Called when the stream is over. */
  ended?(end: StreamEnd): void;
  answered?(verdict: Verdict): void;
}

/**
 * Runs a pure stream on a wire as the driver of the box does, in virtual time, and watches over what every stream must keep: `ended` comes
 * once and last, and nothing is written after the closing tag or once TLS has been asked for.
 */
export class StreamSide implements WireEnd {
  readonly notes: Note[] = [];
  readonly authorized: { readonly pair: StreamPair; readonly by: AuthorizedBy }[] = [];
  readonly refused: { readonly pair: StreamPair; readonly because: StreamEnd }[] = [];
  readonly claims: DialbackClaim[] = [];
  readonly answers: Verdict[] = [];
  ended: StreamEnd | undefined;
  /** Of our domains the one that the peer names by SNI. */
  served: Domain | undefined;
  written = '';

  readonly stream: StreamMachine;
  private readonly context: SideContext;
  private readonly timers = new Map<StreamTimer, () => void>();
  private upgrading = false;

  constructor(stream: StreamMachine, context: SideContext) {
    this.stream = stream;
    this.context = context;
    context.wire.attach(context.side, this);
  }

  /** The time-outs that run. */
  get waitingFor(): readonly StreamTimer[] {
    return [...this.timers.keys()];
  }

  start(): void {
    this.handle({ type: 'connected' });
  }

  handle(event: StreamEvent): void {
    this.perform(this.stream.handle(event, this.context.clock.now));
  }

  bytes(chunk: Uint8Array): void {
    this.perform(this.stream.receive(chunk, this.context.clock.now));
  }

  secured(tls: TlsFacts): void {
    this.upgrading = false;
    this.handle({ type: 'secured', tls, ...(this.served === undefined ? {} : { served: this.served }) });
  }

  notSecured(detail: string): void {
    this.upgrading = false;
    this.handle({ type: 'not-secured', detail });
  }

  closed(): void {
    this.handle({ type: 'disconnected' });
  }

  private perform(actions: readonly StreamAction[]): void {
    for (const action of actions) {
      if (this.ended !== undefined) throw new Error(`after the end: ${JSON.stringify(action)}`);
      this.performOne(action);
    }
  }

  private performOne(action: StreamAction): void {
    const { clock, wire, side, transcript } = this.context;
    switch (action.do) {
      case 'write':
        this.write(action.xml);
        break;
      case 'send':
        this.write(Buffer.from(action.bytes).toString());
        break;
      case 'check-password':
        this.context.checkPassword?.(action.username, action.password, (correct) =>
          this.handle({ type: 'password-checked', attempt: action.attempt, correct }),
        );
        break;
      case 'note':
        this.notes.push(action.note);
        transcript.noted(wire.name, side, action.note);
        break;
      case 'start-tls':
        this.upgrading = true;
        wire.startTls(side, this.context.certificate);
        break;
      case 'arm':
        this.disarm(action.timer);
        this.timers.set(
          action.timer,
          clock.after(action.afterMs, () => {
            this.timers.delete(action.timer);
            this.handle({ type: 'timer', timer: action.timer });
          }),
        );
        break;
      case 'disarm':
        this.disarm(action.timer);
        break;
      case 'verify':
        this.claims.push(action.claim);
        this.context.verify?.(action.claim, (verdict) =>
          this.handle({ type: 'verdict', claim: action.claim, verdict }),
        );
        break;
      case 'answer':
        this.answers.push(action.verdict);
        this.context.answered?.(action.verdict);
        break;
      case 'authorized':
        this.authorized.push({ pair: action.pair, by: action.by });
        break;
      case 'refused':
        this.refused.push({ pair: action.pair, because: action.because });
        break;
      case 'hang-up':
        wire.close(side);
        break;
      case 'ended':
        this.over(action.end);
    }
  }

  private write(xml: string): void {
    if (this.upgrading) throw new Error(`plaintext where TLS should begin: ${xml}`);
    if (this.written.endsWith('</stream:stream>')) throw new Error(`after the closing tag: ${xml}`);
    this.written += xml;
    this.context.wire.send(this.context.side, xml);
  }

  private over(end: StreamEnd): void {
    this.ended = end;
    for (const cancel of this.timers.values()) cancel();
    this.timers.clear();
    this.context.wire.close(this.context.side);
    this.context.ended?.(end);
  }

  private disarm(timer: StreamTimer): void {
    this.timers.get(timer)?.();
    this.timers.delete(timer);
  }
}

/** A peer that says what the test tells it to say, byte for byte. */
export class RawSide implements WireEnd {
  facts: TlsFacts | undefined;
  isClosed = false;
  /** Whether the last handshake came to nothing. */
  handshakeFailed = false;
  /** One character for each byte: a piece may end within a character of UTF-8. */
  private octets = '';
  private read = 0;
  private readonly clock: VirtualClock;
  private readonly wire: Wire;
  private readonly side: Direction;

  constructor(clock: VirtualClock, wire: Wire, side: Direction) {
    this.clock = clock;
    this.wire = wire;
    this.side = side;
    wire.attach(side, this);
  }

  get received(): string {
    return fromOctets(this.octets);
  }

  /** Says something, and returns what the other side had to say about it. */
  say(xml: string | Uint8Array): string {
    this.wire.send(this.side, xml);
    return this.hear();
  }

  /** What came since the last time. */
  hear(): string {
    this.clock.settle();
    const heard = this.octets.slice(this.read);
    this.read = this.octets.length;
    return fromOctets(heard);
  }

  /** TLS from here on; the other side has been asked for it, or has asked. */
  startTls(show?: Certificate): void {
    this.wire.startTls(this.side, show);
    this.clock.settle();
  }

  close(): void {
    this.wire.close(this.side);
    this.clock.settle();
  }

  bytes(chunk: Uint8Array): void {
    this.octets += Buffer.from(chunk).toString('latin1');
  }

  secured(facts: TlsFacts): void {
    this.facts = facts;
  }

  notSecured(): void {
    this.handshakeFailed = true;
  }

  closed(): void {
    this.isClosed = true;
  }
}

function fromOctets(octets: string): string {
  return Buffer.from(octets, 'latin1').toString();
}
