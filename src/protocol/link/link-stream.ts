import type { StreamEnd } from '../end.ts';
import { NS } from '../namespaces.ts';
import type { Closing, StreamAction, StreamPair, StreamTimer } from '../stream/actions.ts';
import { StreamMachine } from '../stream/machine.ts';
import { handledIn, REQUEST, writeAcknowledgement, writeHandledTooHigh } from '../stream/management.ts';
import { isTransient, type StreamErrorCondition } from '../stream/stream-error.ts';
import type { Stanza, XmlElement, XmlLimits } from '../xml/types.ts';
import { LinkMessageReader, writeLinkMessage } from './elements.ts';
import { LinkPairs } from './link-pairs.ts';
import type { LinkMessage } from './messages.ts';
import type { LinkSession } from './session.ts';
import type { Waiting } from './waiting-queue.ts';

/** Stanzas are acknowledged after so many, and after so many milliseconds, unasked. */
const ACKNOWLEDGE_EVERY = 1024;
const ACKNOWLEDGE_AFTER_MS = 20;
/** The text of the stream error that says so; a box that was away when it happened knows by it. */
export const PAIRING_ENDED = 'The pairing of the two boxes has ended.';
/** What may be a secret, or a part of one, is not shown in a log. */
const NOT_SHOWN: ReadonlySet<string> = new Set(['part', 'entry', 'change', 'propose']);

/** Time-outs of a Link, in milliseconds. Asked for anew each time. */
export interface LinkTimeouts {
  readonly header: number;
  /** Until the session is agreed upon. */
  readonly negotiation: number;
  readonly close: number;
  /** Silence after which the peer is asked whether it lives; twice that, and the connection is dead. */
  readonly quiet: number;
  /** How long our side keeps a session without a connection; the peer is told. */
  readonly hold: number;
}

/** What both ends of a Link are given. */
export interface LinkStreamContext {
  /** The ids of this box and of the one that TLS has proven to be at the other end. */
  readonly own: string;
  readonly peer: string;
  /** The one session with this peer. */
  readonly session: LinkSession;
  /** Of stanzas and other elements, once the session is agreed upon. */
  readonly limits: XmlLimits;
  readonly timeouts: LinkTimeouts;
  /** A stanza of the peer, with a pair that is the same object for the same domains. It is valid during the call only. */
  deliver(stanza: Stanza, pair: StreamPair): void;
  message(message: LinkMessage): void;
  /**
   * Both ends know of the session: from now on `session.next()` gives what to write on this connection, at once all that waits. `resumed`: it is that of a
   * former connection, and nothing was lost. Another connection of the session, if there is one still, is deaf now and is to be closed as `replaced`.
   */
  established(resumed: boolean): void;
  /** A new session begins, and the peer may or may not have these of the former: they must not be sent again. In order. */
  inDoubt(stanzas: readonly Waiting[]): void;
  /** The peer has acknowledged stanzas: there may be room in the session. */
  acknowledged(): void;
  /** Whether the peer is not being read at the moment, so that its silence says nothing. */
  isHeld(): boolean;
}

/**
 * What the two ends of a Link share: an XML stream with stream management (XEP-0198) over TLS that has proven who is at either end, so that there is no
 * STARTTLS and no SASL. Stanzas are written by the owner, from the session; everything else is written here.
 */
export abstract class LinkStream extends StreamMachine {
  protected readonly session: LinkSession;
  /** `granted`: the accepting end has agreed to a session, and does not know yet whether the dialing end has heard of it. */
  protected phase: 'header' | 'negotiation' | 'granted' | 'open' | 'closed' = 'header';
  protected readonly common: LinkStreamContext;
  private readonly pairs = new LinkPairs();
  private readonly messages = new LinkMessageReader();
  private isResumed = false;
  private unacknowledged = 0;
  private hasAsked = false;

  constructor(common: LinkStreamContext) {
    super(NS.server, common.timeouts.close);
    this.common = common;
    this.session = common.session;
  }

  override receive(bytes: Uint8Array, now: number): readonly StreamAction[] {
    if (this.phase === 'open') {
      this.hasAsked = false;
      this.arm('quiet', this.common.timeouts.quiet);
    }
    return super.receive(bytes, now);
  }

  /** A new session, on this connection. */
  protected begin(id: string): void {
    const inDoubt = this.session.begin(id, this);
    if (inDoubt.length > 0) this.common.inDoubt(inDoubt);
  }

  /** The session is agreed upon as far as we are concerned; what comes from here on belongs to it. */
  protected agree(resumed: boolean): void {
    this.phase = 'granted';
    this.isResumed = resumed;
    this.setLimits(this.common.limits);
  }

  /** Both ends know of the session. */
  protected establish(): void {
    this.disarm('negotiation');
    // Since we agreed to it, another connection may have come for the session.
    if (!this.session.open(this)) {
      this.replaced();
      return;
    }
    this.phase = 'open';
    this.note({ note: 'stream-ready' });
    this.become('connected');
    this.arm('quiet', this.common.timeouts.quiet);
    this.common.established(this.isResumed);
  }

  /** Elements of stream management that agree upon a session. */
  protected abstract onAgreement(element: XmlElement): void;
  protected abstract onFeatures(element: XmlElement): void;

  protected override onStanza(stanza: Stanza): void {
    if (!this.isUsable()) {
      this.fail('not-authorized', 'Stanzas may be sent once a session is agreed upon.');
      return;
    }
    const pair = this.pairs.of(stanza);
    if (pair === undefined) {
      this.fail('improper-addressing', "A stanza's 'from' or 'to' is missing, or is not an address.");
      return;
    }
    // Counted before it is delivered: should delivering it be what breaks us, it is not to come again and again.
    if (!this.session.handle(this)) {
      this.replaced();
      return;
    }
    this.unacknowledged += 1;
    if (this.unacknowledged === 1) this.arm('acknowledge', ACKNOWLEDGE_AFTER_MS);
    else if (this.unacknowledged >= ACKNOWLEDGE_EVERY) this.acknowledge();
    this.common.deliver(stanza, pair);
  }

  protected override onElement(element: XmlElement): void {
    if (element.namespace === NS.stream && element.name === 'features') this.onFeatures(element);
    else if (element.namespace === NS.streamManagement) this.onManagement(element);
    else if (!this.isUsable()) this.unknown(element, false);
    else if (element.namespace === NS.link) this.onLinkElement(element);
    else this.unknown(element, true);
  }

  protected override onLinkMessage(message: LinkMessage): void {
    // While the session is not agreed upon there is nobody to tell: everything but stanzas is said again when it is.
    if (this.phase !== 'open') return;
    const written = writeLinkMessage(message);
    if (written === undefined) {
      this.note({ note: 'bug', where: 'link', detail: `a "${message.is}" is too long or too deep for a Link` });
      return;
    }
    for (const xml of written) {
      this.note({
        note: 'element-sent',
        xml: NOT_SHOWN.has(message.is) ? `<${message.is}>(not shown)</${message.is}>` : xml,
      });
      this.write(xml);
    }
  }

  protected override onTimer(timer: Exclude<StreamTimer, 'close'>): void {
    if (timer === 'acknowledge') {
      if (this.unacknowledged > 0) this.acknowledge();
    } else if (timer === 'quiet') this.onQuiet();
    else if (timer === 'header' && !this.headerSent)
      this.drop({ by: 'timeout', waitingFor: 'the stream header of the other end of the Link' });
    else
      this.failAs(
        { by: 'timeout', waitingFor: 'the other end of the Link to agree upon a session' },
        'connection-timeout',
        'The negotiation took too long.',
      );
  }

  protected override onClose(why: Closing['why'], closing: Closing): void {
    // XEP-0198 §5: the connection that a resumption leaves behind gets a conflict.
    if (why === 'replaced') this.replaced();
    else if (closing.why === 'policy')
      this.failAs({ by: 'policy', because: closing.because }, 'not-authorized', PAIRING_ENDED);
    else super.onClose(why, closing);
  }

  protected replaced(): void {
    this.fail('conflict', 'Another connection has taken the place of this one.');
  }

  /** Before our last words the peer learns what has arrived: it may never be able to ask. */
  protected override failAs(end: StreamEnd, condition: StreamErrorCondition, text: string, application = ''): void {
    if (this.unacknowledged > 0) this.acknowledge();
    super.failAs(end, condition, text, application);
  }

  protected override close(): void {
    if (this.unacknowledged > 0) this.acknowledge();
    if (this.phase === 'open' || this.phase === 'granted') this.phase = 'closed';
    // Nothing may follow our closing tag (RFC 6120 §4.4); what comes before the peer's still counts.
    this.session.shut(this);
    super.close();
  }

  /** What the peer sent was no good, and after a resumption it would send the same again. */
  protected override onOver(end: StreamEnd): void {
    const { session } = this;
    if (!session.belongsTo(this)) return;
    if (end.by === 'us' && !isTransient(end.condition)) session.disown();
    session.release(this);
  }

  /** A value may be a secret on its way to the box that owns it. */
  protected override shown(element: XmlElement): XmlElement {
    return element.namespace === NS.link && NOT_SHOWN.has(element.name)
      ? { ...element, children: ['(not shown)'] }
      : element;
  }

  protected override onSecured(): void {
    throw new Error('a Link has no STARTTLS, so nothing can have secured it');
  }

  protected override onDecision(): void {
    // A Link is not subject to the policy: the router judges each pair.
  }

  /** Whether elements of the session may come now. The first ones tell the accepting end that the dialing end has heard of it. */
  private isUsable(): boolean {
    if (this.phase === 'granted') this.establish();
    return this.phase === 'open' || this.phase === 'closed';
  }

  private onManagement(element: XmlElement): void {
    if (element.name !== 'r' && element.name !== 'a') this.onAgreement(element);
    else if (!this.isUsable()) this.fail('not-authorized', 'No session is agreed upon yet.');
    else if (!this.session.belongsTo(this)) this.replaced();
    else if (element.name === 'r') this.acknowledge();
    else this.acknowledged(element);
  }

  private acknowledged(element: XmlElement): void {
    const h = handledIn(element);
    if (h === undefined || h === 'malformed') this.fail('bad-format', 'An acknowledgement lacks its count.');
    else if (this.accept(h)) this.common.acknowledged();
  }

  /** Takes the count of the peer, or ends the stream with what XEP-0198 §4 has for one that is too high. */
  protected accept(h: number, take: 'acknowledge' | 'settle' = 'acknowledge'): boolean {
    if (this.session[take](h)) return true;
    this.fail(
      'undefined-condition',
      'More stanzas were acknowledged than were sent.',
      writeHandledTooHigh(h, this.session.sent),
    );
    return false;
  }

  private onLinkElement(element: XmlElement): void {
    if (!this.session.belongsTo(this)) {
      this.replaced();
      return;
    }
    const reading = this.messages.read(element);
    if (reading.is === 'message') this.common.message(reading.message);
    else if (reading.is === 'malformed') this.fail('invalid-xml', reading.because);
    else if (reading.is === 'unknown')
      this.note({ note: 'ignored', what: 'a message of a kind that this release of fedway does not know' });
  }

  private acknowledge(): void {
    this.unacknowledged = 0;
    // Of a connection that was replaced the count is not ours any more.
    if (this.session.belongsTo(this)) this.send(writeAcknowledgement(this.session.handled));
  }

  /** Nothing has come for a while. */
  private onQuiet(): void {
    const { quiet } = this.common.timeouts;
    // Whoever does not read hears no answer, and gives none: a sign of life keeps the peer from giving us up.
    if (this.common.isHeld()) this.acknowledge();
    else if (this.hasAsked) {
      this.drop({ by: 'timeout', waitingFor: 'a sign of life from the other end of the Link' });
      return;
    } else {
      this.hasAsked = true;
      this.send(REQUEST);
    }
    this.arm('quiet', quiet);
  }
}
