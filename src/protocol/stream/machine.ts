import type { StreamEnd } from '../end.ts';
import type { TlsFacts } from '../identity/facts.ts';
import type { Domain } from '../jid/domain.ts';
import type { LinkMessage } from '../link/messages.ts';
import { NS } from '../namespaces.ts';
import type { Note, StreamState } from '../notes.ts';
import { UNAUTHENTICATED_LIMITS } from '../xml/limits.ts';
import { XmlReader } from '../xml/reader.ts';
import type { ContentNamespace, Stanza, XmlElement, XmlFault, XmlLimits, XmlRoot } from '../xml/types.ts';
import { STREAM_PREFIXES, writeElement } from '../xml/write.ts';
import type { ClientEvent, Closing, PureStream, StreamAction, StreamEvent, StreamTimer } from './actions.ts';
import { type AuthorizedPair, certificateInWords, type Negotiated, tlsInWords } from './negotiated.ts';
import { readStreamError, type StreamErrorCondition, writeStreamError } from './stream-error.ts';

const NOTHING: readonly StreamAction[] = [];
/** Elements that mean nothing to us and may follow authorization before the peer is told to stop (checklist X-18). */
const UNKNOWN_ELEMENTS = 10;
/** The first byte of a TLS handshake (RFC 8446 §5.1), which no XML begins with. */
const TLS_HANDSHAKE = 0x16;
/** Checklist S-54. Whoever does this has most often found the port in an SRV record for direct TLS. */
const TLS_FIRST =
  'the peer began with TLS; on this port TLS starts with STARTTLS, and a record for direct TLS (_xmpps) must name a port of tls_listen';
const COMPRESSION = 'http://jabber.org/protocol/compress';

/**
 * What every stream has in common, whichever role we play on it (RFC 6120 §4): reading, the closing handshake, stream errors, timers.
 * The life of a stream: `live` → (`upgrading` → `live`)* → `closing` → `over`; `over` is reached exactly once and emits `ended`.
 */
export abstract class StreamMachine implements PureStream {
  protected readonly reader: XmlReader;
  protected readonly contentNamespace: ContentNamespace;
  protected tls: TlsFacts | undefined;
  /** Whether our header of the current stream is out. */
  protected headerSent = false;

  private readonly closeTimeoutMs: number;
  private life: 'live' | 'upgrading' | 'closing' | 'over' = 'live';
  private state: StreamState = 'pending';
  private actions: StreamAction[] = [];
  private readonly armed = new Set<StreamTimer>();
  private began = false;
  /** Whether the peer's header of the current stream is in. */
  private rootSeen = false;
  private unknownElements = 0;

  constructor(contentNamespace: ContentNamespace, closeTimeoutMs: number) {
    this.contentNamespace = contentNamespace;
    this.closeTimeoutMs = closeTimeoutMs;
    this.reader = new XmlReader({ limits: UNAUTHENTICATED_LIMITS, contentNamespace });
  }

  receive(bytes: Uint8Array, now: number): readonly StreamAction[] {
    if (this.life === 'over') return NOTHING;
    // The driver hands the socket to TLS before it reads again: bytes here would be plaintext behind <proceed/> (checklist T-04, T-05).
    if (this.life === 'upgrading')
      this.drop({ by: 'network', stage: 'tls', detail: 'plaintext arrived where the TLS handshake should start' });
    else if (!this.began && this.tls === undefined && bytes[0] === TLS_HANDSHAKE)
      this.drop({ by: 'network', stage: 'tls', detail: TLS_FIRST });
    else {
      if (bytes.length > 0) this.began = true;
      this.reader.push(bytes);
      this.readOn(now);
    }
    return this.takeActions();
  }

  handle(event: StreamEvent, now: number): readonly StreamAction[] {
    if (this.life === 'over') return NOTHING;
    switch (event.type) {
      case 'connected':
        this.onConnected(now);
        break;
      case 'secured':
        this.secured(event, now);
        break;
      case 'not-secured':
        this.notSecured(event.detail);
        break;
      case 'timer':
        this.timerFired(event.timer, now);
        break;
      case 'disconnected':
        this.over(event.detail === undefined ? { by: 'disconnect' } : { by: 'disconnect', detail: event.detail });
        break;
      case 'close':
        this.onClose(event.why, event);
        break;
      case 'go-on':
        this.readOn(now);
        break;
      case 'verdict':
      case 'policy-changed':
        this.onDecision(event, now);
        break;
      case 'link-message':
        this.onLinkMessage(event.message, now);
        break;
      case 'password-checked':
      case 'stanza':
      case 'end':
        this.onClientEvent(event, now);
        break;
    }
    return this.takeActions();
  }

  /** What was negotiated so far; `now` in Unix milliseconds: certificates are judged by it. */
  facts(now: number): Negotiated {
    const { local, remote } = this.addresses();
    return {
      state: this.state,
      local,
      remote,
      tls: tlsInWords(this.tls),
      certificate: certificateInWords(this.tls, remote, now),
      authorized: this.authorizedPairs(),
    };
  }

  /** The domain we speak for, and the domain the peer speaks for, as far as they are known. */
  addresses(): { readonly local: Domain | undefined; readonly remote: Domain | undefined } {
    return { local: undefined, remote: undefined };
  }

  // What a role adds

  protected abstract onConnected(now: number): void;
  protected abstract onRoot(root: XmlRoot, now: number): void;
  protected abstract onStanza(stanza: Stanza, now: number): void;
  /** Any first-level element but a stanza and a stream error. Whoever does not know it calls `unknown`. */
  protected abstract onElement(element: XmlElement, now: number): void;
  /** `served`: as server, the domain of ours whose certificate the peer saw. */
  protected abstract onSecured(now: number, served: Domain | undefined): void;
  protected abstract onTimer(timer: Exclude<StreamTimer, 'close'>, now: number): void;
  protected abstract onDecision(event: Extract<StreamEvent, { type: 'verdict' | 'policy-changed' }>, now: number): void;
  /** Our header for an error that comes before any header of ours (RFC 6120 §4.9.1.2). */
  protected abstract writeErrorHeader(): string;
  /** The pairs whose stanzas may travel now. */
  protected authorizedPairs(): readonly AuthorizedPair[] {
    return [];
  }
  /** The element as it may be shown in a log; a role that receives something secret puts a mask on it. */
  protected shown(element: XmlElement): XmlElement {
    return element;
  }
  /** Somebody on our side wants the stream gone; `closing` says more where there is more to say. */
  protected onClose(why: Closing['why'], closing: Closing): void {
    if (why === 'shutdown') this.fail('system-shutdown', 'The server is going down.');
    else if (closing.why === 'policy') this.withdraw(closing.because);
    else {
      if (closing.why === 'administrator') this.note({ note: 'closed-by-administrator', reason: closing.reason });
      this.close();
    }
  }
  /** What a Link is asked to say; other streams have no words for it. */
  protected onLinkMessage(_message: LinkMessage, _now: number): void {}
  /** What the stream of a client is told; other streams have no use for it. */
  protected onClientEvent(_event: ClientEvent, _now: number): void {}
  /** Called once, before `ended`. */
  protected onOver(_end: StreamEnd): void {}
  /** Whether what has come already is looked at now; else a `go-on` comes when it is time. */
  protected mayRead(): boolean {
    return true;
  }
  /** A role that knows better why the stream is over says so. */
  protected explained(end: StreamEnd): StreamEnd {
    return end;
  }

  // What a role uses

  /** Nothing follows `ended`. */
  protected act(action: StreamAction): void {
    if (this.life !== 'over') this.actions.push(action);
  }

  protected note(note: Note): void {
    this.act({ do: 'note', note });
  }

  /**
   * Writes without a note. Nothing follows our closing tag (RFC 6120 §4.4). Writes with nothing but words to the owner between them become one, so that an
   * error travels in one segment with its header (checklist E-02).
   */
  protected write(xml: string): void {
    if (this.life !== 'live') return;
    const at = this.actions.findLastIndex((action) => action.do !== 'note' && action.do !== 'refused');
    const last = this.actions[at];
    if (last?.do === 'write') this.actions[at] = { do: 'write', xml: last.xml + xml };
    else this.act({ do: 'write', xml });
  }

  /** Writes an element and notes it; `shown` instead where it has something secret. */
  protected send(xml: string, shown: string = xml): void {
    if (this.life !== 'live') return;
    this.note({ note: 'element-sent', xml: shown });
    this.write(xml);
  }

  /** Sends the bytes of a stanza without a note. `false`: nothing may be sent any more. */
  protected sendStanza(bytes: Uint8Array): boolean {
    if (this.life !== 'live') return false;
    this.act({ do: 'send', bytes });
    return true;
  }

  protected arm(timer: StreamTimer, afterMs: number): void {
    this.armed.add(timer);
    this.act({ do: 'arm', timer, afterMs });
  }

  protected disarm(timer: StreamTimer): void {
    if (this.armed.delete(timer)) this.act({ do: 'disarm', timer });
  }

  protected become(state: StreamState): void {
    if (state === this.state) return;
    this.note({ note: 'state-changed', from: this.state, to: state });
    this.state = state;
  }

  /** The next bytes belong to a new stream on the same connection (RFC 6120 §4.3.3). */
  protected restart(): void {
    this.reader.restart();
    this.headerSent = false;
    this.rootSeen = false;
  }

  protected setLimits(limits: XmlLimits): void {
    this.reader.setLimits(limits);
  }

  /**
   * Hands the connection to TLS; `direct`: before any XML. Plaintext that the peer sent ahead ends it (RFC 6120 §5.4.3.3, checklist T-04, T-05).
   */
  protected upgrade(as: 'client' | 'server', domain: Domain, local: Domain | undefined, direct = false): void {
    if (this.reader.pending > 0) {
      this.drop({ by: 'network', stage: 'tls', detail: 'plaintext arrived where the TLS handshake should start' });
      return;
    }
    this.life = 'upgrading';
    this.act({ do: 'start-tls', as, direct, domain, local });
  }

  /** Ends the stream with a stream error (RFC 6120 §4.9.1.1); the peer reads it after a complete header of ours. */
  protected fail(condition: StreamErrorCondition, text: string, application = ''): void {
    this.failAs({ by: 'us', condition, text }, condition, text, application);
  }

  /** The same, where the reason we keep says more than the condition the peer is told. */
  protected failAs(end: StreamEnd, condition: StreamErrorCondition, text: string, application = ''): void {
    if (this.life === 'over') return;
    // Nothing may follow our own closing tag (RFC 6120 §4.4).
    if (this.life === 'live') {
      this.note({ note: 'stream-error-sent', condition, text });
      if (!this.headerSent) this.write(this.writeErrorHeader());
      this.write(writeStreamError({ condition, text }, application));
    }
    this.act({ do: 'hang-up' });
    this.over(end);
  }

  /** Ends a stream whose pairs the policy no longer admits. Which setting says so is not the peer's concern. */
  protected withdraw(because: string): void {
    this.failAs({ by: 'policy', because }, 'policy-violation', 'Federation with this domain is no longer permitted.');
  }

  /** Ends the connection without another byte of XML. */
  protected drop(end: StreamEnd): void {
    if (this.life === 'over') return;
    this.act({ do: 'hang-up' });
    this.over(end);
  }

  /** Closes in good order: our closing tag, then the peer's, or the time-out (RFC 6120 §4.4). */
  protected close(): void {
    if (this.life === 'closing') return;
    if (!this.headerSent || this.life === 'upgrading') {
      this.drop({ by: 'close' });
      return;
    }
    this.write('</stream:stream>');
    this.life = 'closing';
    for (const timer of this.armed) this.disarm(timer);
    this.arm('close', this.closeTimeoutMs);
  }

  /** Says our goodbye and ends at once, for a stream of which nothing more is expected. */
  protected closeNow(end: StreamEnd): void {
    if (this.life === 'live' && this.headerSent) this.write('</stream:stream>');
    this.drop(end);
  }

  /** A first-level element that means nothing here: ignored a few times once the peer is authorized, an error before (checklist X-18). */
  protected unknown(element: XmlElement, authorized: boolean): void {
    this.unknownElements += 1;
    // XEP-0138 is obsolete for good reasons (checklist T-14, CVE-2014-2744): it is refused at any time.
    if (!authorized || this.unknownElements > UNKNOWN_ELEMENTS || element.namespace === COMPRESSION) {
      this.fail('unsupported-stanza-type', 'This element is not understood here.');
    } else {
      this.note({ note: 'ignored', what: 'an element that means nothing here' });
    }
  }

  private readOn(now: number): void {
    while ((this.life === 'live' || this.life === 'closing') && this.mayRead()) {
      const event = this.reader.next();
      if (event === undefined) return;
      switch (event.type) {
        case 'stanza':
          this.onStanza(event.stanza, now);
          break;
        case 'root':
          this.rootReceived(event.root, now);
          break;
        case 'element':
          this.elementReceived(event.element, now);
          break;
        case 'footer':
          this.footer();
          return;
        case 'fault':
          this.fault(event.fault);
          return;
      }
    }
  }

  /** A header begins a connection, and follows TLS and SASL; anywhere else it is one too many (checklist S-44). */
  private rootReceived(root: XmlRoot, now: number): void {
    if (this.rootSeen) this.fail('bad-format', 'A stream header stands where none is due.');
    else {
      this.rootSeen = true;
      this.onRoot(root, now);
    }
  }

  private elementReceived(element: XmlElement, now: number): void {
    // Dialback elements have notes of their own, which say what they are in the walk of the roles.
    if (element.namespace !== NS.dialback) {
      this.note({
        note: 'element-received',
        xml: writeElement(this.shown(element), this.contentNamespace, STREAM_PREFIXES),
      });
    }
    if (element.namespace !== NS.stream || element.name !== 'error') {
      // Once we have said goodbye only stanzas still count (RFC 6120 §4.4): an element may want an answer, and there is none any more.
      if (this.life === 'live') this.onElement(element, now);
      else this.note({ note: 'ignored', what: `<${element.name}/> after our closing tag` });
      return;
    }
    const { condition, text } = readStreamError(element);
    this.note({ note: 'stream-error-received', condition, text });
    // RFC 6120 §4.9.1.1: answered by the closing tag only, never by another error.
    this.closeNow(text === undefined ? { by: 'them', condition } : { by: 'them', condition, text });
  }

  private footer(): void {
    this.closeNow({ by: 'close' });
  }

  private fault(fault: XmlFault): void {
    this.fail(fault.condition, fault.detail, fault.tooBig === true ? `<stanza-too-big xmlns='${NS.errors}'/>` : '');
  }

  private secured({ tls, served }: Extract<StreamEvent, { type: 'secured' }>, now: number): void {
    if (this.life !== 'upgrading') return;
    this.life = 'live';
    this.tls = tls;
    this.note({ note: 'secured', tls });
    this.restart();
    this.onSecured(now, served);
  }

  private notSecured(detail: string): void {
    if (this.life !== 'upgrading') return;
    // RFC 6120 §5.4.3.2: after a failed handshake nothing is sent, only TCP ends.
    this.note({ note: 'not-secured', detail });
    this.drop({ by: 'network', stage: 'tls', detail });
  }

  /** A timer that was disarmed when it had already gone off means nothing any more. */
  private timerFired(timer: StreamTimer, now: number): void {
    if (!this.armed.delete(timer)) return;
    if (timer === 'close') this.drop({ by: 'close' });
    else this.onTimer(timer, now);
  }

  private over(seen: StreamEnd): void {
    if (this.life === 'over') return;
    const end = this.explained(seen);
    this.onOver(end);
    this.become('closed');
    this.act({ do: 'ended', end });
    this.life = 'over';
  }

  private takeActions(): readonly StreamAction[] {
    if (this.actions.length === 0) return NOTHING;
    const taken = this.actions;
    this.actions = [];
    return taken;
  }
}
