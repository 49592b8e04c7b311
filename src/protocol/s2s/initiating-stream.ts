import { dialbackName, readDialback, writeResult, writeVerify } from '../dialback/elements.ts';
import { verifyFailure } from '../dialback/verify-failure.ts';
import type { StreamEnd } from '../end.ts';
import { unprovenBecause } from '../identity/unproven.ts';
import type { Domain } from '../jid/domain.ts';
import { NS } from '../namespaces.ts';
import type { AuthorizedBy } from '../notes.ts';
import { ExternalInitiating } from '../sasl/external-initiating.ts';
import type { DialbackClaim, StreamEvent, StreamPair, StreamTimer, Verdict } from '../stream/actions.ts';
import { type ReceivedFeatures, readFeatures } from '../stream/features.ts';
import { readResponseHeader, type StreamHeader, writeHeader } from '../stream/header.ts';
import { OUR_LANGUAGE } from '../stream/language.ts';
import { StreamMachine } from '../stream/machine.ts';
import type { AuthorizedPair } from '../stream/negotiated.ts';
import type { XmlElement, XmlRoot } from '../xml/types.ts';
import { STREAM_PREFIXES, writeElement, writeRoot } from '../xml/write.ts';
import type { InitiatingContext } from './initiating-context.ts';
import { AWAITED, NO_DIRECT_TLS, PAST_TLS, type Phase } from './initiating-phase.ts';
import { isEnoughFromUs } from './proof.ts';
import { needsTls, type StreamRuling } from './ruling.ts';

/** The S2S stream we open to a peer: we are the initiating server, or the receiving one that asks the authoritative (RFC 6120, XEP-0178, XEP-0220). */
export class InitiatingStream extends StreamMachine {
  private readonly context: InitiatingContext;
  private readonly pair: StreamPair;
  private phase: Phase = 'header';
  private header: StreamHeader | undefined;
  private features: ReceivedFeatures | undefined;
  private externalTried = false;
  private authenticated = false;
  private authorizedBy: AuthorizedBy | undefined;
  private readonly external = new ExternalInitiating();

  constructor(context: InitiatingContext) {
    super(NS.server, context.timeouts.close);
    this.context = context;
    this.pair = { sender: context.local, target: context.remote };
  }

  protected override onConnected(): void {
    const { admitted, because, tls } = this.context.ruling();
    if (!admitted) this.drop({ by: 'policy', because });
    else if (!this.context.directTls) this.sendHeader();
    else if (tls === 'none') this.drop({ by: 'policy', because: NO_DIRECT_TLS });
    else this.upgrade('client', this.context.remote, this.context.local, true);
  }

  protected override onRoot(root: XmlRoot, now: number): void {
    const read = readResponseHeader(root, NS.server);
    this.note({
      note: 'header-received',
      xml: writeRoot(root),
      streamId: 'refused' in read ? undefined : read.id,
    });
    if ('refused' in read) {
      this.fail(read.refused, read.text);
      return;
    }
    this.header = read;
    this.disarm('header');
    this.arm('negotiation', this.context.timeouts.negotiation);
    if (read.modern) this.phase = 'features';
    else this.withoutFeatures(now);
  }

  protected override onStanza(): void {
    // RFC 6120 §4.5: on a stream of ours stanzas travel from us to the peer only.
    this.fail('not-authorized', 'Stanzas to us need a stream that you open.');
  }

  protected override onElement(element: XmlElement, now: number): void {
    if (element.namespace === NS.stream && element.name === 'features') this.featuresReceived(element, now);
    else if (element.namespace === NS.tls && this.phase === 'starttls') this.tlsAnswered(element);
    else if (element.namespace === NS.sasl && this.phase === 'sasl') this.saslAnswered(element, now);
    else if (dialbackName(element) !== undefined) this.dialbackReceived(element);
    else if (element.namespace === NS.sasl || element.namespace === NS.tls) {
      // RFC 6120 §6.4.6; checklist C-57: a success that we did not ask for proves nothing.
      this.fail('not-authorized', 'This answer belongs to nothing that was asked.');
    } else this.unknown(element, this.phase === 'open');
  }

  protected override onSecured(): void {
    this.header = undefined;
    this.features = undefined;
    this.sendHeader();
  }

  protected override onTimer(timer: Exclude<StreamTimer, 'close'>): void {
    if (timer === 'header') this.giveUp('the stream header of the peer');
    else if (timer === 'negotiation') this.giveUp(AWAITED[this.phase] ?? 'the end of the negotiation');
    else this.dialbackTimedOut();
  }

  protected override onDecision(
    event: Extract<StreamEvent, { type: 'verdict' | 'policy-changed' }>,
    now: number,
  ): void {
    if (event.type === 'policy-changed') this.policyChanged(now);
    // A verdict is never asked for on a stream of ours.
    else this.note({ note: 'ignored', what: 'a verdict for a stream that asked for none' });
  }

  override addresses(): { readonly local: Domain; readonly remote: Domain } {
    return { local: this.context.local, remote: this.context.remote };
  }

  protected override authorizedPairs(): readonly AuthorizedPair[] {
    return this.authorizedBy === undefined ? [] : [{ ...this.pair, by: this.authorizedBy }];
  }

  protected override onOver(end: StreamEnd): void {
    const { purpose } = this.context;
    if (purpose.for === 'verify' && this.phase !== 'open') {
      this.act({ do: 'answer', claim: purpose.claim, verdict: { verdict: 'error', condition: verifyFailure(end) } });
    }
    if (purpose.for === 'stanzas' && this.phase !== 'open') {
      this.act({ do: 'refused', pair: this.pair, because: end });
      this.note({ note: 'refused', ...this.pair, because: end });
    }
  }

  /** Checklist T-12, T-33: STARTTLS was asked of a peer that does not offer it; whatever it did then, this is the reason. */
  protected override explained(end: StreamEnd): StreamEnd {
    if (this.phase !== 'starttls' || this.features?.startTls !== 'no') return end;
    return end.by === 'them' || end.by === 'close' || end.by === 'disconnect'
      ? { by: 'policy', because: 'TLS is required, and the peer does not offer it' }
      : end;
  }

  /** The pair is judged again: it may not be admitted any more, or the way that was taken may not be good enough. */
  private policyChanged(now: number): void {
    const ruling = this.context.ruling();
    if (!ruling.admitted) this.withdraw(ruling.because);
    // RFC 6120 §4.9.3.16: the next stream is made as is wanted now.
    else if (!this.isStillRight(ruling, now)) this.fail('reset', 'The security policy for this domain has changed.');
  }

  /** Whether the stream, as far as it has come, is what this ruling would have made of it. */
  private isStillRight(ruling: StreamRuling, now: number): boolean {
    if (!PAST_TLS.has(this.phase) && !this.authenticated) return true;
    const isQuestion = this.context.purpose.for === 'verify';
    return isEnoughFromUs(isQuestion ? { ...ruling, authentication: 'either' } : ruling, {
      secure: this.tls !== undefined,
      certificate: unprovenBecause(this.tls, this.context.remote, now) === undefined,
      way: this.authenticated || this.phase === 'sasl' ? 'external' : 'dialback',
    });
  }

  private sendHeader(): void {
    const xml = this.writeErrorHeader();
    this.note({ note: 'header-sent', xml, streamId: undefined });
    this.write(xml);
    this.headerSent = true;
    this.phase = 'header';
    this.arm('header', this.context.timeouts.header);
  }

  protected override writeErrorHeader(): string {
    const { local, remote } = this.context;
    return writeHeader({ contentNamespace: NS.server, from: local, to: remote, lang: OUR_LANGUAGE, modern: true });
  }

  /** RFC 6120 §4.7.5: a server from before XMPP 1.0 sends no features; dialback is all it can do. */
  private withoutFeatures(now: number): void {
    if (this.tls === undefined && needsTls(this.context.ruling())) {
      this.refuseAsPolicy('TLS is required, and the peer speaks a version of XMPP that has none');
    } else this.authenticate(now);
  }

  private featuresReceived(element: XmlElement, now: number): void {
    if (this.phase !== 'features') {
      // RFC 6120 §4.3.5: a complete negotiation has no further features.
      this.unknown(element, this.phase === 'open');
      return;
    }
    const features = readFeatures(element);
    this.features = features;
    if (this.tls === undefined && this.startTls(features)) return;
    // RFC 6120 §4.9.3.23; EXTERNAL and dialback are ways on that we do know.
    if (features.unknownRequired !== undefined && !features.external && !features.dialback)
      this.fail('unsupported-feature', 'A feature is required here that we do not have.');
    else this.authenticate(now);
  }

  /**
   * Whether STARTTLS decides what comes next. Where TLS is required it is attempted even if the features, which anybody on the way can
   * change, do not offer it (RFC 7590 §3.1); where it is optional, only if they do.
   */
  private startTls(features: ReceivedFeatures): boolean {
    const ruling = this.context.ruling();
    const { tls } = ruling;
    if (tls === 'none' && features.startTls === 'required') {
      const because = 'the peer requires TLS, and TLS is switched off for it';
      this.failAs({ by: 'policy', because }, 'unsupported-feature', 'TLS is not used here.');
      return true;
    }
    if (tls === 'none' || (!needsTls(ruling) && features.startTls === 'no')) return false;
    this.phase = 'starttls';
    this.send(`<starttls xmlns='${NS.tls}'/>`);
    return true;
  }

  private tlsAnswered(element: XmlElement): void {
    if (element.name === 'proceed') {
      this.disarm('negotiation');
      this.upgrade('client', this.context.remote, this.context.local);
    } else if (needsTls(this.context.ruling())) {
      this.refuseAsPolicy('TLS is required, and the peer refused STARTTLS');
    } else {
      // RFC 6120 §5.4.2.2: the peer closes the connection; there is no way on in plaintext.
      this.closeNow({ by: 'network', stage: 'tls', detail: 'the peer refused STARTTLS' });
    }
  }

  private authenticate(now: number): void {
    const { purpose } = this.context;
    const ruling = this.context.ruling();
    if (this.authenticated) {
      this.open('external');
      return;
    }
    // RFC 6120 §13.7.2: who insists on certificates does not send to a peer that has not proven itself with one.
    const unproven = unprovenBecause(this.tls, this.context.remote, now);
    if ((this.context.peerMustProve || ruling.requireCertificate) && unproven !== undefined) {
      this.refuseAsAuthentication(unproven);
      return;
    }
    if (purpose.for === 'verify') {
      this.askAuthoritative(purpose.claim, purpose.forConnection);
      return;
    }
    if (this.canUseExternal()) this.sendExternal();
    else if (ruling.authentication === 'external') {
      this.refuseAsAuthentication(
        this.features?.external === true
          ? 'we have no certificate to show'
          : 'the peer does not offer EXTERNAL: it does not accept our certificate, or saw none',
      );
    } else this.sendResult();
  }

  private canUseExternal(): boolean {
    return (
      this.tls !== undefined &&
      this.context.hasCertificate &&
      this.context.ruling().authentication !== 'dialback' &&
      this.features?.external === true &&
      !this.externalTried
    );
  }

  private sendExternal(): void {
    this.externalTried = true;
    this.phase = 'sasl';
    this.send(this.external.begin(this.context.local));
  }

  private saslAnswered(element: XmlElement, now: number): void {
    const answer = this.external.handle(element);
    switch (answer.answer) {
      case 'success':
        this.note({ note: 'external-succeeded' });
        this.authenticated = true;
        this.restart();
        this.sendHeader();
        break;
      case 'challenge':
        this.send(answer.xml);
        break;
      case 'challenged-again':
        this.send(answer.xml);
        this.closeNow({
          by: 'authentication',
          because: 'the peer went on asking where EXTERNAL has nothing to answer',
        });
        break;
      case 'failure':
        this.note({ note: 'external-failed', condition: answer.condition, text: answer.text });
        // RFC 6120 §6.4.5, checklist C-54: dialback is left, where it is permitted.
        if (this.context.ruling().authentication === 'external')
          this.refuseAsAuthentication('the peer refused our certificate');
        else this.authenticate(now);
        break;
      case 'unknown':
        this.fail('unsupported-stanza-type', 'This element is no part of SASL EXTERNAL.');
    }
  }

  /** XEP-0220 §2.1.1 step 1. The key is bound to the id of the current response header (RFC 6120 §5.4.3.3). */
  private sendResult(): void {
    const id = this.header?.id;
    if (id === undefined) {
      this.fail('bad-format', 'The stream header has no id, so dialback is not possible.');
      return;
    }
    this.phase = 'dialback';
    const xml = writeResult(this.pair, this.context.authority.key(this.pair, id));
    this.note({ note: 'dialback-sent', xml, timeoutSeconds: Math.round(this.context.timeouts.dialback / 1000) });
    this.write(xml);
    this.disarm('negotiation');
    this.arm('dialback 1', this.context.timeouts.dialback);
  }

  private askAuthoritative(claim: DialbackClaim, forConnection: string | undefined): void {
    this.phase = 'verify';
    const xml = writeVerify(claim);
    this.note({ note: 'verify-sent', xml, forConnection });
    this.write(xml);
    this.disarm('negotiation');
    this.arm('dialback 1', this.context.timeouts.dialback);
  }

  private dialbackReceived(element: XmlElement): void {
    const name = dialbackName(element);
    const read = readDialback(element);
    if (read.is !== 'answer') {
      this.note({ note: 'ignored', what: `a db:${element.name} request on a stream that we opened` });
    } else if (
      name === 'result' &&
      this.phase === 'dialback' &&
      read.from === this.pair.target &&
      read.to === this.pair.sender
    ) {
      this.note({ note: 'dialback-answer-received', xml: writeElement(element, NS.server, STREAM_PREFIXES) });
      this.resultAnswered(read.verdict);
    } else if (name === 'verify' && this.phase === 'verify') {
      const { purpose } = this.context;
      const forConnection = purpose.for === 'verify' ? purpose.forConnection : undefined;
      const xml = writeElement(element, NS.server, STREAM_PREFIXES);
      this.note({ note: 'verify-answer-received', xml, forConnection });
      this.verifyAnswered(read);
    } else {
      // XEP-0220 §3.1: only an answer to what was asked on this very stream counts, once.
      this.note({ note: 'ignored', what: `a db:${element.name} answer that nobody asked for here` });
    }
  }

  private resultAnswered(verdict: Verdict): void {
    this.disarm('dialback 1');
    if (verdict.verdict === 'valid') this.open('dialback');
    else if (verdict.verdict === 'invalid') this.closeNow({ by: 'dialback', failure: { answer: 'invalid' } });
    else {
      const end: StreamEnd = { by: 'dialback', failure: { answer: 'error', condition: verdict.condition } };
      const tlsMayHelp = this.tls === undefined && this.context.ruling().tls !== 'none';
      this.closeNow(tlsMayHelp ? { ...end, plaintext: true } : end);
    }
  }

  private verifyAnswered(read: Extract<ReturnType<typeof readDialback>, { is: 'answer' }>): void {
    const { purpose } = this.context;
    if (purpose.for !== 'verify') return;
    const { claim } = purpose;
    if (read.from !== claim.sender || read.to !== claim.target || read.id !== claim.streamId) {
      this.note({ note: 'ignored', what: 'a db:verify answer with other domains or another id than we asked for' });
      return;
    }
    this.disarm('dialback 1');
    this.note({ note: 'verify-stream-closing' });
    if (read.verdict.verdict === 'error') {
      this.closeNow({ by: 'dialback', failure: { answer: 'error', condition: read.verdict.condition } });
      return;
    }
    this.phase = 'open';
    this.act({ do: 'answer', claim, verdict: read.verdict });
    this.close();
  }

  private open(by: AuthorizedBy): void {
    this.disarm('negotiation');
    this.phase = 'open';
    this.authorizedBy = by;
    this.setLimits(this.context.limits);
    this.act({ do: 'authorized', pair: this.pair, by });
    this.note({ note: 'authorized', ...this.pair, by });
    this.become('connected');
  }

  private dialbackTimedOut(): void {
    const waitingFor = 'the answer of the authoritative server';
    this.closeNow(
      this.phase === 'verify' ? { by: 'timeout', waitingFor } : { by: 'dialback', failure: { answer: 'none' } },
    );
  }

  private giveUp(waitingFor: string): void {
    this.failAs({ by: 'timeout', waitingFor }, 'connection-timeout', 'The negotiation took too long.');
  }

  private refuseAsPolicy(because: string): void {
    this.failAs({ by: 'policy', because }, 'policy-violation', 'TLS is required.');
  }

  private refuseAsAuthentication(because: string): void {
    this.failAs(
      { by: 'authentication', because },
      'not-authorized',
      'A certificate that proves the domain is required.',
    );
  }
}
