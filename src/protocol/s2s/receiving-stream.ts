import type { DialbackAuthority } from '../dialback/authority.ts';
import { dialbackName } from '../dialback/elements.ts';
import type { StreamEnd } from '../end.ts';
import { presents } from '../identity/presents.ts';
import type { Domain } from '../jid/domain.ts';
import { NS } from '../namespaces.ts';
import type { AuthorizedBy } from '../notes.ts';
import { ExternalReceiving, writeSaslStep } from '../sasl/external-receiving.ts';
import type { DialbackClaim, StreamEvent, StreamPair, StreamTimer, Verdict } from '../stream/actions.ts';
import { AuthorizedPairs } from '../stream/authorized-pairs.ts';
import { writeFeatures } from '../stream/features.ts';
import { readInitialHeader, type StreamHeader, writeHeader } from '../stream/header.ts';
import { answerLanguage, OUR_LANGUAGE } from '../stream/language.ts';
import { StreamMachine } from '../stream/machine.ts';
import type { Stanza, XmlElement, XmlLimits, XmlRoot } from '../xml/types.ts';
import { writeRoot } from '../xml/write.ts';
import { type DialbackSurroundings, ReceivingDialback } from './receiving-dialback.ts';
import type { StreamRuling, StreamTimeouts } from './ruling.ts';

/** Failures of SASL before the stream ends (RFC 6120 §6.4.5; checklist C-47). */
const SASL_ATTEMPTS = 3;
/** How long a stream that only asked us as authoritative server may stay (checklist D-61). */
const AFTER_VERIFY_MS = 30_000;

/** What a receiving stream knows of the box it belongs to. All functions answer at once and from one snapshot of the configuration. */
export interface ReceivingContext {
  readonly authority: DialbackAuthority;
  readonly timeouts: StreamTimeouts;
  /** Limits once a domain is authorized. */
  readonly limits: XmlLimits;
  /** A domain we can name ourselves by when the peer asked for one that is not ours (RFC 6120 §4.9.1.3). */
  readonly defaultDomain: Domain | undefined;
  /** Whether we speak for a domain on this side of the box. */
  serves(domain: Domain): boolean;
  /** Whether we speak for it on the other side: then nobody here may claim it. */
  isOurs(domain: Domain): boolean;
  /** The ruling for a pair; `remote` is unknown as long as the peer has not said who it is. */
  ruling(local: Domain, remote: Domain | undefined): StreamRuling;
  /** Unpredictable, 128 bits at least, never used twice (checklist S-23). */
  newStreamId(): string;
  /** A stanza that passed every check of the stream. It is valid during the call only. */
  deliver(stanza: Stanza, pair: StreamPair): void;
}

/** The S2S stream a peer opened to us: we are the receiving server, and for db:verify the authoritative one (RFC 6120, XEP-0178, XEP-0220). */
export class ReceivingStream extends StreamMachine {
  private readonly context: ReceivingContext;
  private readonly pairs: AuthorizedPairs;
  private readonly dialback: ReceivingDialback;
  private readonly external = new ExternalReceiving();

  private header: StreamHeader | undefined;
  private streamId = '';
  private offered = { startTls: false, external: false };
  /** Set by SASL EXTERNAL; the header after it must name the same domain. */
  private proven: Domain | undefined;
  private provenFor: Domain | undefined;
  private saslFailures = 0;
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
  addresses(): { readonly local: string | undefined; readonly remote: string | undefined } {
    return { local: this.header?.to, remote: this.header?.from };
  }

  protected override onConnected(): void {
    this.note({ note: 'accepted' });
    this.arm('header', this.context.timeouts.header);
  }

  protected override onRoot(root: XmlRoot, now: number): void {
    this.now = now;
    const read = readInitialHeader(root, NS.server);
    this.note({ note: 'header-received', xml: writeRoot(root), streamId: undefined });
    if ('refused' in read) {
      this.fail(read.refused, read.text);
      return;
    }
    this.disarm('header');
    this.header = read;
    if (!this.acceptHeader(read)) return;
    this.answerHeader(read);
    if (read.modern) this.offerFeatures(read);
    if (this.proven === undefined) this.arm('negotiation', this.context.timeouts.negotiation);
    else this.readyAfterExternal(read, this.proven);
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
    else if (element.namespace === NS.sasl && this.proven === undefined) this.sasl(element);
    else this.unknown(element, this.pairs.size > 0);
  }

  protected override onSecured(): void {
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
    else if (this.pairs.size > 0) {
      this.pairs.reconsider();
      if (this.pairs.size === 0) this.fail('policy-violation', 'Federation with this domain is no longer permitted.');
    }
  }

  protected override writeErrorHeader(): string {
    // RFC 6120 §4.9.1.3: never echo as ours a domain that is not.
    const asked = this.header?.to;
    const from = asked !== undefined && this.context.serves(asked) ? asked : (this.context.defaultDomain ?? '');
    this.streamId = this.context.newStreamId();
    const header = {
      contentNamespace: NS.server,
      from,
      to: this.header?.from,
      id: this.streamId,
      lang: OUR_LANGUAGE,
      modern: this.header?.modern ?? true,
    };
    return writeHeader(header);
  }

  /** Whether the stream may go on with this header; otherwise it has been ended. */
  private acceptHeader(header: StreamHeader): boolean {
    const { context } = this;
    if (this.proven !== undefined && header.from !== undefined && header.from !== this.proven) {
      // RFC 6120 §4.3.6, CVE-2018-10847: what was proven before the restart cannot be changed by it.
      this.fail('invalid-from', "The stream's 'from' is not the domain that was authenticated.");
    } else if (this.proven !== undefined && header.to !== this.provenFor) {
      this.fail('improper-addressing', "The stream's 'to' is not the one that was authenticated for.");
    } else if (header.to === undefined) {
      // Checklist S-14: a server from before XMPP 1.0 names the domains in db:result.
      if (!header.modern && this.plaintextDialbackPossible()) return true;
      this.fail('improper-addressing', "The stream header lacks 'to'.");
    } else if (!context.serves(header.to)) {
      this.fail('host-unknown', 'This domain is not served here.');
    } else if (header.from !== undefined && context.isOurs(header.from)) {
      this.fail('invalid-from', 'This domain is served here and nowhere else.');
    } else {
      return this.acceptRuling(header, context.ruling(header.to, header.from));
    }
    return false;
  }

  private acceptRuling(header: StreamHeader, ruling: StreamRuling): boolean {
    if (!ruling.admitted) {
      const because: StreamEnd = { by: 'policy', because: ruling.because };
      if (header.from !== undefined && header.to !== undefined)
        this.refuse({ sender: header.from, target: header.to }, because);
      this.failAs(because, 'policy-violation', 'Federation with this domain is not permitted.');
      return false;
    }
    if (!header.modern && ruling.tls === 'required' && this.tls === undefined) {
      this.fail('policy-violation', 'TLS is required, and it needs version 1.0 of the stream.');
      return false;
    }
    return true;
  }

  /** COMPAT(jabberd2): without a certificate it opens streams with neither addresses nor version. */
  private plaintextDialbackPossible(): boolean {
    const { defaultDomain } = this.context;
    if (defaultDomain === undefined) return true;
    return this.context.ruling(defaultDomain, undefined).tls !== 'required' || this.tls !== undefined;
  }

  private answerHeader(header: StreamHeader): void {
    this.streamId = this.context.newStreamId();
    const xml = writeHeader({
      contentNamespace: NS.server,
      from: header.to ?? '',
      to: header.from ?? (header.modern ? undefined : ''),
      id: this.streamId,
      lang: header.modern ? answerLanguage(header.lang) : undefined,
      modern: header.modern,
    });
    this.note({ note: 'header-sent', xml, streamId: this.streamId });
    this.write(xml);
    this.headerSent = true;
  }

  private offerFeatures(header: StreamHeader): void {
    if (this.proven !== undefined || header.to === undefined) {
      this.send(writeFeatures({ startTls: 'no', external: false, dialback: this.dialbackPossible(header) }));
      return;
    }
    const ruling = this.context.ruling(header.to, header.from);
    const startTls =
      this.tls !== undefined || ruling.tls === 'none' ? 'no' : ruling.tls === 'required' ? 'required' : 'offered';
    const external = this.externalPossible(header, ruling);
    this.offered = { startTls: startTls !== 'no', external };
    const dialback = startTls !== 'required' && ruling.authentication !== 'external';
    this.send(writeFeatures({ startTls, external, dialback }));
    // RFC 6120 §6.4.5: a peer that can prove nothing is told so instead of being left to time out.
    if (startTls === 'no' && !external && !dialback) {
      const because = this.unprovenBecause(header);
      const end: StreamEnd = { by: 'authentication', because };
      if (header.from !== undefined) this.refuse({ sender: header.from, target: header.to }, end);
      this.failAs(end, 'policy-violation', 'A certificate that proves your domain is required.');
    }
  }

  private dialbackPossible(header: StreamHeader): boolean {
    if (header.to === undefined) return true;
    return this.context.ruling(header.to, header.from).authentication !== 'external';
  }

  /** Checklist C-31, C-33: offered to whom it can succeed for, and says in the log why not. */
  private externalPossible(header: StreamHeader, ruling: StreamRuling): boolean {
    if (this.tls === undefined || ruling.authentication === 'dialback') return false;
    const possible =
      header.from === undefined
        ? this.tls.peer?.untrusted === undefined && this.tls.peer !== undefined
        : this.proves(header.from);
    if (possible) this.note({ note: 'external-offered' });
    else this.note({ note: 'external-not-offered', because: this.unprovenBecause(header) });
    return possible;
  }

  private unprovenBecause(header: StreamHeader): string {
    if (this.tls === undefined) return 'the connection is not encrypted';
    if (this.tls.peer === undefined) return 'the peer showed no certificate';
    if (header.from === undefined) return this.tls.peer.untrusted ?? 'the peer did not say which domain it is';
    const result = presents(this.tls.peer, header.from, this.now);
    return result.proven ? '' : result.because;
  }

  private proves(domain: Domain): boolean {
    return this.tls?.peer !== undefined && presents(this.tls.peer, domain, this.now).proven;
  }

  private startTls(): void {
    // RFC 6120 §5.4.2.2; checklist T-07, T-08.
    if (!this.offered.startTls || this.header?.to === undefined || this.pairs.size > 0) {
      this.send(`<failure xmlns='${NS.tls}'/>`);
      this.closeNow({ by: 'us', condition: 'policy-violation', text: 'STARTTLS where it was not offered' });
      return;
    }
    this.disarm('negotiation');
    this.send(`<proceed xmlns='${NS.tls}'/>`);
    this.upgrade('server', this.header.to, undefined);
  }

  private sasl(element: XmlElement): void {
    const step = this.external.handle(element, {
      secure: this.tls !== undefined,
      offered: this.offered.external,
      from: this.header?.from,
      proves: (domain) => this.proves(domain),
    });
    this.send(writeSaslStep(step));
    if (step.step === 'failure') {
      this.note({ note: 'external-failed', condition: step.condition, text: step.why });
      this.saslFailures += 1;
      if (this.saslFailures >= SASL_ATTEMPTS)
        this.fail('policy-violation', 'Too many failed attempts to authenticate.');
    } else if (step.step === 'success') {
      this.note({ note: 'external-succeeded' });
      this.proven = step.domain;
      this.provenFor = this.header?.to;
      this.restart();
      this.arm('header', this.context.timeouts.header);
    }
  }

  /** After EXTERNAL and the restart: exactly the pair of the header is authorized (XEP-0178 §3; checklist C-48). */
  private readyAfterExternal(header: StreamHeader, sender: Domain): void {
    if (header.to !== undefined) this.authorize({ sender, target: header.to }, 'external');
  }

  private authorize(pair: StreamPair, by: AuthorizedBy): void {
    this.disarm('negotiation');
    this.setLimits(this.context.limits);
    this.pairs.add({ sender: pair.sender, target: pair.target });
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
      refuse: (pair, verdict: Verdict) =>
        stream.refuse(pair, {
          by: 'dialback',
          failure:
            verdict.verdict === 'error' ? { answer: 'error', condition: verdict.condition } : { answer: 'invalid' },
        }),
      arm: (timer, afterMs) => stream.arm(timer, afterMs),
      disarm: (timer) => stream.disarm(timer),
      fail: (condition, text) => stream.fail(condition, text),
      end: () => stream.closeNow({ by: 'dialback', failure: { answer: 'invalid' } }),
      answeredVerify: () => {
        if (stream.pairs.size === 0) stream.arm('negotiation', Math.max(AFTER_VERIFY_MS, context.timeouts.negotiation));
      },
    };
  }
}
