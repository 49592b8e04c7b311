import { dialbackName } from '../dialback/elements.ts';
import type { StreamEnd } from '../end.ts';
import { unprovenBecause } from '../identity/unproven.ts';
import type { Domain } from '../jid/domain.ts';
import { NS } from '../namespaces.ts';
import type { AuthorizedBy } from '../notes.ts';
import { ExternalReceiving, writeSaslStep } from '../sasl/external-receiving.ts';
import type { DialbackClaim, StreamEvent, StreamPair, StreamTimer } from '../stream/actions.ts';
import { AuthorizedPairs } from '../stream/authorized-pairs.ts';
import { writeFeatures } from '../stream/features.ts';
import { readInitialHeader, type StreamHeader, writeHeader } from '../stream/header.ts';
import { answerLanguage } from '../stream/language.ts';
import { StreamMachine } from '../stream/machine.ts';
import type { AuthorizedPair } from '../stream/negotiated.ts';
import type { Stanza, XmlElement, XmlRoot } from '../xml/types.ts';
import { writeRoot } from '../xml/write.ts';
import { type HeaderRefusal, refusalOf, type Settled } from './header-judgment.ts';
import { isEnoughFromPeer, offerOf, pairKey } from './proof.ts';
import type { ReceivingContext } from './receiving-context.ts';
import { type DialbackSurroundings, ReceivingDialback } from './receiving-dialback.ts';
import type { StreamRuling } from './ruling.ts';

/** Failures of SASL before the stream ends (RFC 6120 §6.4.5; checklist C-47). */
const SASL_ATTEMPTS = 3;
/** How long a stream that only asked us as authoritative server may stay (checklist D-61). */
const AFTER_VERIFY_MS = 30_000;

/** The S2S stream a peer opened to us: we are the receiving server, and for db:verify the authoritative one (RFC 6120, XEP-0178, XEP-0220). */
export class ReceivingStream extends StreamMachine {
  private readonly context: ReceivingContext;
  private readonly pairs: AuthorizedPairs;
  private readonly dialback: ReceivingDialback;
  private readonly external = new ExternalReceiving();

  private header: StreamHeader | undefined;
  private streamId = '';
  private offered = { startTls: false, external: false };
  /** Set by TLS and by SASL EXTERNAL; the header after them must name the same domains. */
  private securedFor: Domain | undefined;
  private proven: StreamPair | undefined;
  /** Pairs on this stream that the policy does not admit any more. */
  private withdrawn = new Set<string>();
  private saslFailures = 0;
  /** Whether the peer has asked us as authoritative server. */
  private servedVerify = false;
  /** The time of the event being handled: certificates are judged by it. */
  private now = 0;

  constructor(context: ReceivingContext) {
    super(NS.server, context.timeouts.close);
    this.context = context;
    this.pairs = new AuthorizedPairs({
      serves: (domain) => context.serves(domain),
      admits: (pair) => {
        const ruling = context.ruling(pair.target, pair.sender);
        return ruling.admitted ? true : ruling.because;
      },
    });
    this.dialback = new ReceivingDialback(this.dialbackSurroundings());
  }

  /** Our domain and the peer's, as the current header names them. */
  override addresses(): { readonly local: Domain | undefined; readonly remote: Domain | undefined } {
    return { local: this.header?.to, remote: this.header?.from ?? this.proven?.sender };
  }

  protected override onConnected(): void {
    this.note({ note: 'accepted' });
    const { directTls, timeouts } = this.context;
    if (directTls === undefined) this.arm('header', timeouts.header);
    else this.upgrade('server', directTls.domain, undefined, true);
  }

  protected override onRoot(root: XmlRoot, now: number): void {
    this.now = now;
    const read = readInitialHeader(root, NS.server);
    this.note({ note: 'header-received', xml: writeRoot(root), streamId: undefined });
    if (this.isRestartSkipped(root)) return;
    if ('refused' in read) {
      const { from, to } = read;
      this.header = { from, to, id: undefined, modern: true, lang: undefined };
      this.fail(read.refused, read.text);
      return;
    }
    this.disarm('header');
    this.header = read;
    const refusal = refusalOf(read, this.settled(), this.context);
    if (refusal !== undefined) {
      this.refuseHeader(read, refusal);
      return;
    }
    this.answerHeader();
    if (read.modern) this.offerFeatures(read);
    this.arm('negotiation', this.context.timeouts.negotiation);
    // XEP-0178 §3, checklist C-48: exactly the pair of the header is authorized.
    if (this.proven !== undefined) this.authorize(this.proven, 'external');
  }

  protected override onStanza(stanza: Stanza): void {
    const judgment = this.pairs.judge(stanza);
    switch (judgment.may) {
      case 'pass':
        this.context.deliver(stanza, judgment.pair);
        break;
      case 'end':
        this.fail(judgment.condition, judgment.text);
        break;
      case 'drop':
        this.note({ note: 'dropped', kind: stanza.kind, because: judgment.because });
        break;
    }
  }

  protected override onElement(element: XmlElement, now: number): void {
    this.now = now;
    const dialback = dialbackName(element);
    if (dialback === 'result') this.dialback.result(element);
    else if (dialback === 'verify') this.dialback.verify(element);
    else if (element.namespace === NS.tls && element.name === 'starttls') this.startTls();
    else if (element.namespace === NS.sasl) this.sasl(element);
    else this.unknown(element, this.pairs.size > 0);
  }

  protected override authorizedPairs(): readonly AuthorizedPair[] {
    return this.pairs.all().filter((pair) => !this.withdrawn.has(pairKey(pair)));
  }

  protected override onSecured(_now: number, served: Domain | undefined): void {
    const { directTls } = this.context;
    if (directTls !== undefined) this.securedFor = served ?? directTls.domain;
    this.header = undefined;
    this.offered = { startTls: false, external: false };
    this.arm('header', this.context.timeouts.header);
  }

  protected override onTimer(timer: Exclude<StreamTimer, 'close'>, now: number): void {
    this.now = now;
    if (timer === 'header') {
      if (this.headerSent || this.header !== undefined)
        this.fail('connection-timeout', 'The stream header did not arrive in time.');
      else this.drop({ by: 'timeout', waitingFor: 'the stream header' });
    } else if (timer === 'negotiation') this.negotiationTimedOut();
    else this.dialback.timedOut(timer);
  }

  protected override onDecision(
    event: Extract<StreamEvent, { type: 'verdict' | 'policy-changed' }>,
    now: number,
  ): void {
    this.now = now;
    if (event.type === 'verdict') this.dialback.verdict(event.claim, event.verdict);
    else this.policyChanged();
  }

  protected override writeErrorHeader(): string {
    // RFC 6120 §4.9.1.3: never echo as ours a domain that is not.
    const asked = this.header?.to;
    const from = asked !== undefined && this.context.serves(asked) ? asked : (this.context.defaultDomain ?? '');
    return this.responseHeader(from);
  }

  private settled(): Settled {
    const { securedFor, proven } = this;
    const { directTls } = this.context;
    const secure = this.tls !== undefined;
    if (directTls === undefined || securedFor === undefined)
      return { secure, direct: false, fits: (to) => securedFor === undefined || to === securedFor, proven };
    return { secure, direct: true, fits: (to) => directTls.isSameCertificate(securedFor, to), proven };
  }

  /** RFC 6120 §4.3.3, checklist S-41: after TLS and after SASL a header is due; whatever stands in its place is not processed. */
  private isRestartSkipped(root: XmlRoot): boolean {
    if (this.tls === undefined || root.namespace === NS.stream || root.name === 'stream') return false;
    if (this.proven !== undefined) this.fail('not-authorized', 'After authentication a new stream header is due.');
    else this.fail('bad-format', 'After TLS negotiation a new stream header is due.');
    return true;
  }

  private refuseHeader(header: StreamHeader, { end, condition, text }: HeaderRefusal): void {
    const sender = header.from ?? this.proven?.sender;
    if (end.by === 'policy' && sender !== undefined && header.to !== undefined)
      this.refuse({ sender, target: header.to }, end);
    this.failAs(end, condition, text);
  }

  /** Every pair is judged again, and so is a peer that has none yet. */
  private policyChanged(): void {
    const { context, header } = this;
    this.pairs.reconsider();
    this.dialback.policyChanged();
    const pairs = this.pairs.carried();
    if (pairs.length === 0) {
      const refusal = header === undefined ? undefined : refusalOf(header, this.settled(), context);
      if (header !== undefined && refusal !== undefined) this.refuseHeader(header, refusal);
      return;
    }
    const served = pairs.filter((pair) => context.serves(pair.target));
    const because = this.withdrawPairs(served);
    if (served.length === 0) this.fail('host-gone', 'This domain is no longer served here.');
    else if (this.withdrawn.size === served.length) this.withdraw(because);
    // RFC 6120 §4.9.3.16: the peer comes back and proves itself in the way that is wanted now.
    else if (!served.every((pair) => this.withdrawn.has(pairKey(pair)) || this.isProven(pair)))
      this.fail('reset', 'The security policy for this domain has changed.');
  }

  /**
   * Of several pairs on a stream those that are no longer admitted lose their way: XMPP has no word for that, so their stanzas are
   * dropped from now on, until they are admitted again (checklist R-29). The answer is why the last of them is not admitted.
   */
  private withdrawPairs(served: readonly StreamPair[]): string {
    const former = this.withdrawn;
    this.withdrawn = new Set();
    let because = '';
    for (const pair of served) {
      const ruling = this.context.ruling(pair.target, pair.sender);
      if (ruling.admitted) continue;
      because = ruling.because;
      this.withdrawn.add(pairKey(pair));
      if (!former.has(pairKey(pair))) this.refuse(pair, { by: 'policy', because });
    }
    return because;
  }

  private isProven({ sender, target }: StreamPair): boolean {
    return isEnoughFromPeer(this.context.ruling(target, sender), {
      secure: this.tls !== undefined,
      certificate: this.proves(sender),
      way: this.proven?.sender === sender ? 'external' : 'dialback',
    });
  }

  private answerHeader(): void {
    const xml = this.responseHeader(this.header?.to ?? '');
    this.note({ note: 'header-sent', xml, streamId: this.streamId });
    this.write(xml);
    this.headerSent = true;
  }

  private responseHeader(from: string): string {
    this.streamId = this.context.newStreamId();
    const modern = this.header?.modern ?? true;
    return writeHeader({
      contentNamespace: NS.server,
      from,
      to: this.header?.from ?? (modern ? undefined : ''),
      id: this.streamId,
      lang: modern ? answerLanguage(this.header?.lang) : undefined,
      modern,
    });
  }

  private offerFeatures(header: StreamHeader): void {
    if (this.proven !== undefined || header.to === undefined) {
      this.send(writeFeatures({ startTls: 'no', external: false, dialback: this.dialbackPossible(header) }));
      return;
    }
    const ruling = this.context.ruling(header.to, header.from);
    const offer = offerOf(ruling, this.tls !== undefined, this.certificateCounts(header, ruling));
    this.offered = { startTls: offer.startTls !== 'no', external: offer.external };
    this.send(writeFeatures(offer));
    // RFC 6120 §6.4.5: a peer that can prove nothing is told so instead of being left to time out (checklist C-34).
    if (offer.startTls === 'no' && !offer.external && !offer.dialback) {
      const because = this.unprovenBecause(header.from);
      const end: StreamEnd = { by: 'authentication', because };
      if (header.from !== undefined) this.refuse({ sender: header.from, target: header.to }, end);
      this.failAs(end, 'policy-violation', 'A certificate that proves your domain is required.');
    }
  }

  private dialbackPossible(header: StreamHeader): boolean {
    if (header.to === undefined) return true;
    return this.context.ruling(header.to, header.from).authentication !== 'external';
  }

  /** Whether the certificate proves the peer's domain, or may (checklist C-31, C-33); the log says why not. */
  private certificateCounts({ from }: StreamHeader, ruling: StreamRuling): boolean {
    if (this.tls === undefined) return false;
    const counts =
      from === undefined ? this.tls.peer !== undefined && this.tls.peer.untrusted === undefined : this.proves(from);
    const matters = ruling.authentication !== 'dialback' || ruling.requireCertificate;
    if (!counts && matters) this.note({ note: 'external-not-offered', because: this.unprovenBecause(from) });
    if (counts && ruling.authentication !== 'dialback') this.note({ note: 'external-offered' });
    return counts;
  }

  private unprovenBecause(domain: Domain | undefined): string {
    return unprovenBecause(this.tls, domain, this.now) ?? '';
  }

  private proves(domain: Domain): boolean {
    return unprovenBecause(this.tls, domain, this.now) === undefined;
  }

  private startTls(): void {
    // RFC 6120 §5.4.2.2; checklist T-07, T-08.
    if (!this.offered.startTls || this.header?.to === undefined || this.pairs.size > 0) {
      this.send(`<failure xmlns='${NS.tls}'/>`);
      this.closeNow({ by: 'us', condition: 'policy-violation', text: 'STARTTLS where it was not offered' });
      return;
    }
    this.disarm('negotiation');
    this.dialback.restarted();
    this.securedFor = this.header.to;
    this.send(`<proceed xmlns='${NS.tls}'/>`);
    this.upgrade('server', this.header.to, undefined);
  }

  private sasl(element: XmlElement): void {
    // RFC 6120 §6.3.2; checklist C-45. Authentication that comes after dialback would restart a stream in use.
    if (this.proven !== undefined || this.pairs.size > 0) {
      this.fail('unsupported-stanza-type', 'Authentication is complete.');
      return;
    }
    const target = this.header?.to;
    const step = this.external.handle(element, {
      secure: this.tls !== undefined,
      offered: this.offered.external,
      from: this.header?.from,
      proves: (domain) => target !== undefined && this.maySend({ sender: domain, target }) && this.proves(domain),
    });
    this.send(writeSaslStep(step));
    if (step.step === 'failure') {
      this.note({ note: 'external-failed', condition: step.condition, text: step.why });
      this.saslFailures += 1;
      if (this.saslFailures >= SASL_ATTEMPTS)
        this.fail('policy-violation', 'Too many failed attempts to authenticate.');
    } else if (step.step === 'success' && target !== undefined) {
      this.note({ note: 'external-succeeded' });
      this.proven = { sender: step.domain, target };
      this.dialback.restarted();
      this.restart();
      this.arm('header', this.context.timeouts.header);
    }
  }

  /** A peer without a `from` names its domain only now: policy has had no say yet. */
  private maySend({ sender, target }: StreamPair): boolean {
    const ruling = this.context.ruling(target, sender);
    return ruling.admitted && ruling.authentication !== 'dialback' && !this.context.isOurs(sender);
  }

  private authorize(pair: StreamPair, by: AuthorizedBy): void {
    if (this.pairs.has(pair)) return;
    this.disarm('negotiation');
    this.setLimits(this.context.limits);
    this.pairs.add({ sender: pair.sender, target: pair.target }, by);
    this.act({ do: 'authorized', pair: { sender: pair.sender, target: pair.target }, by });
    this.note({ note: 'authorized', sender: pair.sender, target: pair.target, by });
    this.become('connected');
  }

  private refuse(pair: StreamPair, because: StreamEnd): void {
    this.act({ do: 'refused', pair: { sender: pair.sender, target: pair.target }, because });
    this.note({ note: 'refused', sender: pair.sender, target: pair.target, because });
  }

  private negotiationTimedOut(): void {
    if (this.pairs.size > 0) return;
    if (this.dialback.waiting > 0) this.arm('negotiation', this.context.timeouts.negotiation);
    else if (this.servedVerify) this.close();
    else this.fail('connection-timeout', 'No domain was authorized in time.');
  }

  private dialbackSurroundings(): DialbackSurroundings {
    const stream = this;
    const { context } = this;
    return {
      authority: context.authority,
      timeoutMs: context.timeouts.dialback,
      get secure() {
        return stream.tls !== undefined;
      },
      get streamId() {
        return stream.streamId;
      },
      get authorizedPairs() {
        return stream.pairs.size;
      },
      isAuthorized: (pair) => stream.pairs.has(pair),
      serves: (domain) => context.serves(domain),
      isOurs: (domain) => context.isOurs(domain),
      ruling: (local, remote) => context.ruling(local, remote),
      proves: (domain) => stream.proves(domain),
      write: (xml) => stream.write(xml),
      note: (note) => stream.note(note),
      verify: (claim: DialbackClaim) => stream.act({ do: 'verify', claim }),
      authorize: (pair) => stream.authorize(pair, 'dialback'),
      unprovenBecause: (domain) => stream.unprovenBecause(domain),
      refuse: (pair, because) => stream.refuse(pair, because),
      arm: (timer, afterMs) => stream.arm(timer, afterMs),
      disarm: (timer) => stream.disarm(timer),
      fail: (condition, text) => stream.fail(condition, text),
      end: () => stream.closeNow({ by: 'dialback', failure: { answer: 'invalid' } }),
      answeredVerify: () => {
        stream.servedVerify = true;
        if (stream.pairs.size === 0) stream.arm('negotiation', AFTER_VERIFY_MS);
      },
    };
  }
}
