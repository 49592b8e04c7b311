import type { DialbackAuthority } from '../dialback/authority.ts';
import { dialbackName, readDialback, writeResult, writeVerify } from '../dialback/elements.ts';
import type { StreamEnd } from '../end.ts';
import { presents } from '../identity/presents.ts';
import type { Domain } from '../jid/domain.ts';
import { NS } from '../namespaces.ts';
import type { AuthorizedBy } from '../notes.ts';
import { encodeBase64 } from '../sasl/base64.ts';
import type { DialbackClaim, StreamEvent, StreamPair, StreamTimer } from '../stream/actions.ts';
import { type ReceivedFeatures, readFeatures } from '../stream/features.ts';
import { readResponseHeader, type StreamHeader, writeHeader } from '../stream/header.ts';
import { OUR_LANGUAGE } from '../stream/language.ts';
import { StreamMachine } from '../stream/machine.ts';
import type { XmlElement, XmlLimits, XmlRoot } from '../xml/types.ts';
import { childOf, STREAM_PREFIXES, textOf, writeElement, writeRoot } from '../xml/write.ts';
import type { StreamRuling, StreamTimeouts } from './ruling.ts';

/** What the stream is opened for. */
export type Purpose =
  /** To send stanzas of the pair. */
  | { readonly for: 'stanzas' }
  /** To ask the peer, as authoritative server, about a key (XEP-0220 §2.1.2). Nothing is authorized. */
  | { readonly for: 'verify'; readonly claim: DialbackClaim; readonly forConnection: string | undefined };

/** What an initiating stream is given. */
export interface InitiatingContext {
  /** Our domain, and the domain to reach: the reference identity whatever host was dialed (RFC 6120 §13.7.2.1). */
  readonly local: Domain;
  readonly remote: Domain;
  readonly purpose: Purpose;
  readonly ruling: StreamRuling;
  /** Whether we have a certificate to show for EXTERNAL. */
  readonly hasCertificate: boolean;
  /** Nothing is sent to a peer whose certificate does not prove the remote domain (RFC 6120 §13.7.2). */
  readonly peerMustProve: boolean;
  readonly authority: DialbackAuthority;
  readonly timeouts: StreamTimeouts;
  readonly limits: XmlLimits;
}

type Phase = 'header' | 'features' | 'starttls' | 'sasl' | 'restart' | 'dialback' | 'verify' | 'open';

/** The S2S stream we open to a peer: we are the initiating server, or the receiving one that asks the authoritative (RFC 6120, XEP-0178, XEP-0220). */
export class InitiatingStream extends StreamMachine {
  private readonly context: InitiatingContext;
  private readonly pair: StreamPair;
  private phase: Phase = 'header';
  private header: StreamHeader | undefined;
  private features: ReceivedFeatures | undefined;
  private externalTried = false;
  private authenticated = false;
  private challenged = false;

  constructor(context: InitiatingContext) {
    super(NS.server, context.timeouts.close);
    this.context = context;
    this.pair = { sender: context.local, target: context.remote };
  }

  protected override onConnected(): void {
    this.sendHeader();
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
    else if (timer === 'negotiation') this.giveUp(this.waitingFor());
    else this.dialbackTimedOut();
  }

  protected override onDecision(event: Extract<StreamEvent, { type: 'verdict' | 'policy-changed' }>): void {
    // The owner of the stream judges its pair again and closes it; a verdict is never asked for on a stream of ours.
    if (event.type === 'verdict') this.note({ note: 'ignored', what: 'a verdict for a stream that asked for none' });
  }

  protected override writeErrorHeader(): string {
    return this.ourHeader();
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

  private sendHeader(): void {
    const xml = this.ourHeader();
    this.note({ note: 'header-sent', xml, streamId: undefined });
    this.write(xml);
    this.headerSent = true;
    this.phase = 'header';
    this.arm('header', this.context.timeouts.header);
  }

  private ourHeader(): string {
    const { local, remote } = this.context;
    return writeHeader({ contentNamespace: NS.server, from: local, to: remote, lang: OUR_LANGUAGE, modern: true });
  }

  /** RFC 6120 §4.7.5: a server from before XMPP 1.0 sends no features; dialback is all it can do. */
  private withoutFeatures(now: number): void {
    if (this.tls === undefined && this.context.ruling.tls === 'required') {
      this.refuseAsPolicy('TLS is required, and the peer speaks a version of XMPP that has none');
    } else this.authenticate(now);
  }

  private featuresReceived(element: XmlElement, now: number): void {
    if (this.phase !== 'features') {
      // RFC 6120 §4.3.5: a complete negotiation has no further features.
      this.unknown(element, this.phase === 'open');
      return;
    }
    this.features = readFeatures(element);
    if (this.tls === undefined && this.startTls(this.features)) return;
    this.authenticate(now);
  }

  /**
   * Whether STARTTLS decides what comes next. Where TLS is required it is attempted even if the features, which anybody on the way can
   * change, do not offer it (RFC 7590 §3.1); where it is optional, only if they do.
   */
  private startTls(features: ReceivedFeatures): boolean {
    const { tls } = this.context.ruling;
    if (tls === 'none' || (tls === 'optional' && !features.startTls)) return false;
    this.phase = 'starttls';
    this.send(`<starttls xmlns='${NS.tls}'/>`);
    return true;
  }

  private tlsAnswered(element: XmlElement): void {
    if (element.name === 'proceed') {
      this.disarm('negotiation');
      this.upgrade('client', this.context.remote, this.context.local);
    } else {
      // RFC 6120 §5.4.2.2: the peer closes the connection; there is no way on in plaintext.
      this.closeNow({ by: 'network', stage: 'tls', detail: 'the peer refused STARTTLS' });
    }
  }

  private authenticate(now: number): void {
    const { purpose, ruling } = this.context;
    if (this.authenticated) {
      this.open('external');
      return;
    }
    // RFC 6120 §13.7.2: who insists on certificates does not send to a peer that has not proven itself with one.
    if (this.context.peerMustProve && !this.peerProven(now)) return;
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
    const { ruling, hasCertificate } = this.context;
    return (
      this.tls !== undefined &&
      hasCertificate &&
      ruling.authentication !== 'dialback' &&
      this.features?.external === true &&
      !this.externalTried
    );
  }

  private peerProven(now: number): boolean {
    if (this.tls?.peer === undefined) {
      this.refuseAsAuthentication('the peer showed no certificate');
      return false;
    }
    const result = presents(this.tls.peer, this.context.remote, now);
    if (result.proven) return true;
    this.refuseAsAuthentication(result.because);
    return false;
  }

  private sendExternal(): void {
    this.externalTried = true;
    this.phase = 'sasl';
    // XEP-0178 §3: with our domain as authorization identity; COMPAT(Prosody): without an initial response it answers malformed-request.
    this.send(`<auth xmlns='${NS.sasl}' mechanism='EXTERNAL'>${encodeBase64(this.context.local)}</auth>`);
  }

  private saslAnswered(element: XmlElement, now: number): void {
    switch (element.name) {
      case 'success':
        this.note({ note: 'external-succeeded' });
        this.authenticated = true;
        this.restart();
        this.sendHeader();
        return;
      case 'challenge':
        this.answerChallenge();
        return;
      case 'failure':
        this.externalFailed(element, now);
        return;
      default:
        this.fail('unsupported-stanza-type', 'This element is no part of SASL EXTERNAL.');
    }
  }

  /** EXTERNAL has nothing to say to a challenge but an empty response; a second one is a peer that does not know it (checklist C-55). */
  private answerChallenge(): void {
    if (this.challenged) {
      this.send(`<abort xmlns='${NS.sasl}'/>`);
      this.closeNow({ by: 'authentication', because: 'the peer went on asking where EXTERNAL has nothing to answer' });
      return;
    }
    this.challenged = true;
    this.send(`<response xmlns='${NS.sasl}'>=</response>`);
  }

  private externalFailed(element: XmlElement, now: number): void {
    const condition = element.children.find((each) => typeof each !== 'string' && each.name !== 'text');
    const text = childOf(element, 'text', NS.sasl);
    this.note({
      note: 'external-failed',
      condition: condition === undefined || typeof condition === 'string' ? 'not-authorized' : condition.name,
      text: text === undefined ? undefined : textOf(text),
    });
    if (this.context.ruling.authentication === 'external')
      this.refuseAsAuthentication('the peer refused our certificate');
    else this.authenticate(now);
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
      this.note({ note: 'verify-answer-received', xml: writeElement(element, NS.server, STREAM_PREFIXES) });
      this.verifyAnswered(read);
    } else {
      // XEP-0220 §3.1: only an answer to what was asked on this very stream counts, once.
      this.note({ note: 'ignored', what: `a db:${element.name} answer that nobody asked for here` });
    }
  }

  private resultAnswered(verdict: Extract<ReturnType<typeof readDialback>, { is: 'answer' }>['verdict']): void {
    this.disarm('dialback 1');
    if (verdict.verdict === 'valid') {
      this.open('dialback');
      return;
    }
    const end: StreamEnd = {
      by: 'dialback',
      failure:
        verdict.verdict === 'invalid' ? { answer: 'invalid' } : { answer: 'error', condition: verdict.condition },
    };
    this.closeNow(end);
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
    this.phase = 'open';
    // XEP-0220 §2.5: an error of the authoritative server means, for the initiating one, that its server was not found.
    const verdict =
      read.verdict.verdict === 'error'
        ? ({ verdict: 'error', condition: 'remote-server-not-found' } as const)
        : read.verdict;
    this.act({ do: 'answer', claim, verdict });
    this.note({ note: 'verify-stream-closing' });
    this.close();
  }

  private open(by: AuthorizedBy): void {
    this.disarm('negotiation');
    this.phase = 'open';
    this.setLimits(this.context.limits);
    this.act({ do: 'authorized', pair: this.pair, by });
    this.note({ note: 'authorized', ...this.pair, by });
    this.become('connected');
  }

  private dialbackTimedOut(): void {
    if (this.phase === 'dialback') this.closeNow({ by: 'dialback', failure: { answer: 'none' } });
    else this.closeNow({ by: 'timeout', waitingFor: 'the answer of the authoritative server' });
  }

  private giveUp(waitingFor: string): void {
    const end: StreamEnd = { by: 'timeout', waitingFor };
    if (this.headerSent) this.failAs(end, 'connection-timeout', 'The negotiation took too long.');
    else this.drop(end);
  }

  private waitingFor(): string {
    switch (this.phase) {
      case 'features':
        return 'the stream features of the peer';
      case 'starttls':
        return "the peer's answer to STARTTLS";
      case 'sasl':
        return "the peer's answer to SASL EXTERNAL";
      default:
        return 'the end of the negotiation';
    }
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

/** What the initiating server is told when its authoritative server could not be asked (XEP-0220 §2.5; checklist D-44). */
function verifyFailure(
  end: StreamEnd,
): 'remote-connection-failed' | 'remote-server-not-found' | 'remote-server-timeout' {
  if (end.by === 'network') {
    if (end.stage === 'dns') return 'remote-server-timeout';
    return end.stage === 'tcp' || end.stage === 'tls' ? 'remote-connection-failed' : 'remote-server-not-found';
  }
  if (end.by === 'them' && (end.condition === 'host-unknown' || end.condition === 'host-gone'))
    return 'remote-server-not-found';
  return 'remote-server-timeout';
}
