import type { StreamEnd } from '../end.ts';
import type { TlsFacts } from '../identity/facts.ts';
import type { Domain } from '../jid/domain.ts';
import type { Jid } from '../jid/jid.ts';
import { printJid } from '../jid/print.ts';
import { NS } from '../namespaces.ts';
import type { ChannelBindings } from '../sasl/scram-receiving.ts';
import type { ClientEvent, Closing, StreamAction, StreamTimer } from '../stream/actions.ts';
import { StreamMachine } from '../stream/machine.ts';
import { writeFailed } from '../stream/management.ts';
import type { StreamErrorCondition } from '../stream/stream-error.ts';
import type { Stanza, XmlElement, XmlRoot } from '../xml/types.ts';
import { writeElement, writeRoot } from '../xml/write.ts';
import { ClientAuthentication } from './authentication.ts';
import { isSessionRequest, readBind, refusalOf, resultFor, writeBound } from './binding.ts';
import { ClientAcknowledgements } from './client-acknowledgements.ts';
import { readClientHeader, writeClientHeader } from './client-header.ts';
import type { ClientContext } from './context.ts';
import { SESSION_FEATURES, TLS_REQUIRED, writeAuthenticationFeatures } from './features.ts';
import type { BoundSession } from './sessions.ts';
import { inLanguage, isAnswerable, isOwnAddress, stanzaFault } from './stanza-check.ts';

/** Elements of SASL by which a client proves who it is. */
const NOT_SHOWN: ReadonlySet<string> = new Set(['auth', 'response']);

/**
 * How far a client has come: `header` (one is due), `tls` (STARTTLS is due), `sasl`, `bind` (authenticated, a session is due), `session`.
 */
type Phase =
  | { readonly is: 'header' | 'tls' | 'sasl' }
  | { readonly is: 'bind'; readonly username: string }
  | { readonly is: 'session'; readonly username: string; readonly session: BoundSession };

/** What an administrator may know of the stream of a client. */
export interface ClientStreamFacts {
  /** `undefined`: nobody has proven to be anybody yet. */
  readonly username: string | undefined;
  readonly mechanism: string | undefined;
  readonly tls: TlsFacts | undefined;
}

/** The stream that a client opened to us: we are the server of RFC 6120 for `jabber:client`, with stream management (XEP-0198). */
export class ReceivingClient extends StreamMachine {
  private readonly context: ClientContext;
  private readonly authentication: ClientAuthentication;
  private readonly acknowledgements: ClientAcknowledgements;
  private phase: Phase = { is: 'header' };
  /** As the client wrote it in its header; what it sends is in this language unless it says otherwise. */
  private language: string | undefined;
  /** Who it said to be in its header. */
  private claimed: Jid | undefined;
  private streamId = '';
  private bindings: ChannelBindings | undefined;
  private username: string | undefined;
  private mechanism: string | undefined;

  constructor(context: ClientContext) {
    super(NS.client, context.timeouts.close);
    this.context = context;
    this.tls = context.tls;
    this.authentication = new ClientAuthentication(context, {
      bindings: () => this.bindings,
      send: (xml, shown) => this.send(xml, shown),
      note: (note) => this.note(note),
      checkPassword: (attempt, username, password) => this.act({ do: 'check-password', attempt, username, password }),
      wait: (milliseconds) => this.arm('penalty', milliseconds),
      succeeded: (username, mechanism) => this.authenticated(username, mechanism),
      fail: (condition, text) => this.fail(condition, text),
    });
    this.acknowledgements = new ClientAcknowledgements(context.timeouts, {
      send: (xml) => this.send(xml),
      arm: (timer, afterMs) => this.arm(timer, afterMs),
      fail: (condition, text, application) => this.fail(condition, text, application),
      end: (end) => this.drop(end),
    });
  }

  /** Our domain, and nobody: what is at the other end is a user (see `address`), not a domain. */
  override addresses(): { readonly local: Domain | undefined; readonly remote: Domain | undefined } {
    return { local: this.context.domain, remote: undefined };
  }

  /** The full address, once a session is bound. */
  get address(): Jid | undefined {
    return this.phase.is === 'session' ? this.phase.session.address : undefined;
  }

  get clientFacts(): ClientStreamFacts {
    return { username: this.username, mechanism: this.mechanism, tls: this.tls };
  }

  override receive(bytes: Uint8Array, now: number): readonly StreamAction[] {
    if (bytes.length > 0) this.acknowledgements.heard();
    return super.receive(bytes, now);
  }

  protected override onConnected(): void {
    this.note({ note: 'accepted' });
    if (this.tls !== undefined) {
      this.note({ note: 'secured', tls: this.tls });
      this.bindings = this.context.channelBindings();
    }
    this.arm('header', this.context.timeouts.header);
  }

  protected override onRoot(root: XmlRoot): void {
    this.note({ note: 'header-received', xml: writeRoot(root), streamId: undefined });
    const { context } = this;
    const read = readClientHeader(root);
    if ('refused' in read) {
      this.fail(read.refused, read.text);
      return;
    }
    this.disarm('header');
    this.language = read.lang;
    this.claimed = read.from;
    if (read.to !== context.domain) {
      // RFC 6120 §4.9.3.6; without `to` there is no domain that could be meant (§4.7.2).
      this.fail('host-unknown', 'This domain is not served here.');
      return;
    }
    if (!read.modern) {
      this.fail('unsupported-version', 'A client has to speak XMPP 1.0.');
      return;
    }
    if (this.username !== undefined && !this.isClaimTrue(this.username)) {
      this.fail('invalid-from', "The 'from' of the stream is not the user that has authenticated.");
      return;
    }
    const xml = this.responseHeader();
    this.note({ note: 'header-sent', xml, streamId: this.streamId });
    this.write(xml);
    this.headerSent = true;
    this.offer();
  }

  protected override mayRead(): boolean {
    const { phase } = this;
    return phase.is !== 'session' || this.context.mayRead(phase.username);
  }

  protected override onStanza(stanza: Stanza): void {
    const { phase } = this;
    switch (phase.is) {
      case 'session':
        this.sessionStanza(stanza, phase.session);
        break;
      case 'bind':
        this.bind(stanza, phase.username);
        break;
      default:
        // RFC 6120 §4.9.3.12; before authentication nothing of it is looked at.
        this.fail('not-authorized', 'Stanzas may be sent after authentication.');
    }
  }

  protected override onElement(element: XmlElement): void {
    const { phase } = this;
    if (element.namespace === NS.tls && element.name === 'starttls') this.startTls();
    else if (element.namespace === NS.sasl && (phase.is === 'sasl' || phase.is === 'tls'))
      this.authentication.handle(element);
    else if (element.namespace === NS.streamManagement) this.management(element);
    else if (phase.is === 'session') this.unknown(element, true);
    else if (phase.is === 'bind') this.fail('not-authorized', 'A resource has to be bound first.');
    else this.unknown(element, false);
  }

  protected override onSecured(): void {
    this.bindings = this.context.channelBindings();
    this.claimed = undefined;
    this.phase = { is: 'header' };
    this.arm('header', this.context.timeouts.header);
  }

  protected override onTimer(timer: Exclude<StreamTimer, 'close'>): void {
    if (timer === 'penalty') this.authentication.waited();
    else if (timer === 'quiet') this.acknowledgements.quiet();
    else if (timer === 'header' && this.username === undefined)
      this.drop({ by: 'timeout', waitingFor: 'the stream header of a client' });
    else this.fail('connection-timeout', 'The negotiation took too long.');
  }

  protected override onDecision(): void {
    // Clients are of our own domain: federation policy has no say.
  }

  protected override onClientEvent(event: ClientEvent): void {
    switch (event.type) {
      case 'password-checked':
        this.authentication.passwordChecked(event.attempt, event.correct);
        break;
      case 'stanza':
        this.outgoing(event.stanza);
        break;
      case 'end':
        this.fail(event.condition, event.text);
        break;
    }
  }

  protected override onClose(why: Closing['why'], closing: Closing): void {
    // XEP-0198 §5: the stream that a resumption leaves behind.
    if (why === 'replaced') this.fail('conflict', 'The session goes on on another stream.');
    else super.onClose(why, closing);
  }

  /** Before our last words the client learns what has arrived: it sends the rest again. */
  protected override failAs(end: StreamEnd, condition: StreamErrorCondition, text: string, application = ''): void {
    this.acknowledgements.tell();
    super.failAs(end, condition, text, application);
  }

  protected override close(): void {
    this.acknowledgements.tell();
    super.close();
  }

  protected override onOver(end: StreamEnd): void {
    if (this.phase.is !== 'session') return;
    const { session } = this.phase;
    // What ended by mistake may go on; a stream error and a closing tag are meant (XEP-0198 §5).
    const mayResume = end.by === 'disconnect' || end.by === 'timeout' || end.by === 'network';
    this.phase = { is: 'header' };
    this.context.desk.left(session, mayResume);
  }

  protected override writeErrorHeader(): string {
    return this.responseHeader();
  }

  /** What proves who somebody is, or is a part of it, is not written to a log. */
  protected override shown(element: XmlElement): XmlElement {
    return element.namespace === NS.sasl && NOT_SHOWN.has(element.name) && element.children.length > 0
      ? { ...element, children: ['(not shown)'] }
      : element;
  }

  private offer(): void {
    const { context } = this;
    if (this.username !== undefined) {
      this.phase = { is: 'bind', username: this.username };
      this.send(SESSION_FEATURES);
    } else if (this.bindings === undefined) {
      this.phase = { is: 'tls' };
      this.send(TLS_REQUIRED);
    } else {
      this.phase = { is: 'sasl' };
      this.send(writeAuthenticationFeatures(this.authentication.offer(this.bindings)));
    }
    this.arm('negotiation', context.timeouts.negotiation);
  }

  private responseHeader(): string {
    this.streamId = this.context.newStreamId();
    return writeClientHeader(this.context.domain, this.claimed, this.streamId, this.language);
  }

  private isClaimTrue(username: string): boolean {
    const { claimed } = this;
    return claimed === undefined || (claimed.local === username && claimed.domain === this.context.domain);
  }

  private startTls(): void {
    if (this.phase.is !== 'tls') {
      // RFC 6120 §5.4.2.2
      this.send(`<failure xmlns='${NS.tls}'/>`);
      this.closeNow({ by: 'us', condition: 'policy-violation', text: 'STARTTLS where it was not offered' });
      return;
    }
    this.disarm('negotiation');
    this.send(`<proceed xmlns='${NS.tls}'/>`);
    // COMPAT(go-xmpp): writes a line feed behind <starttls/>, which it must not (RFC 6120 §5.3.3). Whatever means anything still ends the connection.
    this.reader.dropWhitespace();
    this.upgrade('server', this.context.domain, undefined);
  }

  private authenticated(username: string, mechanism: string): void {
    this.username = username;
    this.mechanism = mechanism;
    this.note({ note: 'client-authenticated', username, mechanism });
    this.phase = { is: 'header' };
    this.claimed = undefined;
    this.disarm('negotiation');
    this.restart();
    this.setLimits(this.context.limits);
    this.arm('header', this.context.timeouts.header);
  }

  /** RFC 6120 §7: until a resource is bound, nothing else may be sent. */
  private bind(stanza: Stanza, username: string): void {
    const request = readBind(stanza);
    if (request === undefined) {
      this.fail('not-authorized', 'A resource has to be bound first.');
      return;
    }
    const bound = this.context.desk.bind(username, request.resource);
    if ('refused' in bound) {
      const text =
        bound.refused === 'bad-request'
          ? 'This is not a resource.'
          : 'This account has as many sessions as it may have.';
      this.send(writeElement(refusalOf(stanza, bound.refused, text), NS.client));
      return;
    }
    this.send(writeBound(request.id, bound.address));
    this.begin(bound, username);
    this.note({ note: 'client-bound', address: printJid(bound.address) });
    this.context.desk.opened(bound);
  }

  private begin(session: BoundSession, username: string): void {
    this.disarm('negotiation');
    this.phase = { is: 'session', username, session };
    this.become('connected');
  }

  private sessionStanza(stanza: Stanza, session: BoundSession): void {
    // Counted before it is handled: were handling it what breaks us, it is not to come again and again.
    session.management?.count();
    if (!isOwnAddress(stanza.from, session.address)) {
      this.fail('invalid-from', "The 'from' of a stanza is not the address of the session.");
      return;
    }
    if (readBind(stanza) !== undefined) {
      this.refuseStanza(stanza, 'not-allowed', 'A resource is bound already.');
      return;
    }
    if (isSessionRequest(stanza)) {
      this.outgoing(resultFor(stanza));
      return;
    }
    const tree = stanza.tree();
    const fault = stanzaFault(stanza, tree);
    if (fault !== undefined) this.refuseStanza(stanza, 'bad-request', fault);
    else this.context.desk.stanza(session, inLanguage(tree, this.language));
  }

  /** The answer is a stanza itself, and counts as one. */
  private refuseStanza(stanza: Stanza, condition: 'bad-request' | 'not-allowed', text: string): void {
    if (isAnswerable(stanza)) this.outgoing(refusalOf(stanza, condition, text));
  }

  /** A stanza for the client. */
  private outgoing(stanza: XmlElement): void {
    if (this.phase.is !== 'session') return;
    const { session } = this.phase;
    const bytes = new TextEncoder().encode(writeElement(stanza, NS.client));
    const fits = session.management?.keep(stanza, bytes) ?? true;
    if (this.sendStanza(bytes)) this.acknowledgements.sent();
    if (!fits) this.context.desk.overflowed(session);
  }

  /** XEP-0198. */
  private management(element: XmlElement): void {
    const { phase } = this;
    const { name } = element;
    if (phase.is === 'session') {
      if (name === 'enable') this.enable(element, phase.session);
      else if (name === 'resume') this.send(writeFailed(undefined, 'unexpected-request'));
      else if (!this.acknowledgements.handle(element)) this.unknown(element, true);
    } else if (phase.is === 'bind' && name === 'resume') this.resume(element, phase.username);
    // XEP-0198 §3: nothing of it before authentication and binding.
    else if (phase.is === 'bind' && name === 'enable') this.send(writeFailed(undefined, 'unexpected-request'));
    else this.fail('not-authorized', 'Stream management is for sessions.');
  }

  private enable(element: XmlElement, session: BoundSession): void {
    if (session.management !== undefined) {
      this.send(writeFailed(undefined, 'unexpected-request'));
      return;
    }
    const management = this.context.desk.manage(session, this.acknowledgements.wantedHold(element));
    this.acknowledgements.enabled(management);
  }

  private resume(element: XmlElement, username: string): void {
    const previous = this.acknowledgements.readResume(element);
    if (previous === undefined) {
      this.fail('bad-format', 'A resumption lacks the session or the count.');
      return;
    }
    const found = this.context.desk.resume(username, previous.id);
    if (!('address' in found) || found.management === undefined) {
      // XEP-0198 §5: the client may bind a resource instead.
      this.send(writeFailed('handled' in found ? found.handled : undefined));
      return;
    }
    this.begin(found, username);
    const { management } = found;
    if (!this.acknowledgements.resumed(management, previous)) return;
    const again = management.waiting.stanzas;
    for (const bytes of management.write()) this.sendStanza(bytes);
    this.note({ note: 'client-resumed', address: printJid(found.address), again });
    this.acknowledgements.ask();
  }
}
