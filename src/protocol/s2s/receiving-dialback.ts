import type { DialbackAuthority } from '../dialback/authority.ts';
import {
  type MalformedDialback,
  readDialback,
  writeComplaint,
  writeResultAnswer,
  writeVerifyAnswer,
} from '../dialback/elements.ts';
import type { StreamEnd } from '../end.ts';
import type { Domain } from '../jid/domain.ts';
import { NS } from '../namespaces.ts';
import type { Note } from '../notes.ts';
import type { DialbackClaim, StreamPair, StreamTimer, Verdict } from '../stream/actions.ts';
import type { StanzaErrorCondition } from '../stream/stanza-error.ts';
import type { StreamErrorCondition } from '../stream/stream-error.ts';
import type { XmlElement } from '../xml/types.ts';
import { STREAM_PREFIXES, writeElement } from '../xml/write.ts';
import { pairKey } from './proof.ts';
import { needsTls, type StreamRuling } from './ruling.ts';

/** Limits of one stream (checklist D-52). */
const PAIRS = 256;
const PENDING = 16;
const EXCESSES = 3;
/** Requests on a stream on which nobody is authorized; servers that only verify keys make a few (checklist X-27). */
const UNAUTHORIZED_REQUESTS = 256;

/** What the receiving side of dialback asks of the stream it works on. */
export interface DialbackSurroundings {
  readonly authority: DialbackAuthority;
  readonly timeoutMs: number;
  readonly secure: boolean;
  /** The id of the response header we sent last. */
  readonly streamId: string;
  readonly authorizedPairs: number;
  isAuthorized(pair: StreamPair): boolean;
  serves(domain: Domain): boolean;
  /** Whether a domain is one of ours on the other side of the box: nobody outside may claim it. */
  isOurs(domain: Domain): boolean;
  ruling(local: Domain, remote: Domain): StreamRuling;
  /** Whether the certificate of this connection proves the domain, now; and the reason why not, as a clause. */
  proves(domain: Domain): boolean;
  unprovenBecause(domain: Domain): string;
  write(xml: string): void;
  note(note: Note): void;
  verify(claim: DialbackClaim): void;
  authorize(pair: StreamPair): void;
  refuse(pair: StreamPair, because: StreamEnd): void;
  arm(timer: StreamTimer, afterMs: number): void;
  disarm(timer: StreamTimer): void;
  fail(condition: StreamErrorCondition, text: string): void;
  /** Ends the stream in good order after an `invalid` (XEP-0220 §2.2.1). */
  end(pair: StreamPair): void;
  /** A db:verify was answered: the stream is of use although nobody is authorized on it. */
  answeredVerify(): void;
}

interface PendingClaim {
  readonly claim: DialbackClaim;
  readonly timer: StreamTimer;
}

/**
 * Server Dialback on a stream that a peer opened (XEP-0220): the receiving role for db:result and the authoritative role for db:verify.
 * Refusals are decided in an order that lets a refused pair cause no outgoing traffic (checklist D-30).
 */
export class ReceivingDialback {
  private readonly here: DialbackSurroundings;
  private readonly pending = new Map<string, PendingClaim>();
  /** Questions to authoritative servers that have had no verdict yet, whether somebody still waits for it or not. */
  private running = 0;
  private timers = 0;
  private excesses = 0;
  private unauthorizedRequests = 0;
  private malformed = 0;
  private plaintextRequests = 0;

  constructor(here: DialbackSurroundings) {
    this.here = here;
  }

  /** Claims whose verification still runs. */
  get waiting(): number {
    return this.pending.size;
  }

  /** XEP-0220 §2.2.1: `<db:result/>` arrived. */
  result(element: XmlElement): void {
    if (this.isTooMuch()) return;
    const read = readDialback(element);
    if (read.is === 'answer' || (read.is === 'malformed' && !read.asked)) {
      // XEP-0220 §3.1: on a stream that the peer opened we asked nothing (CVE-2012-4670 and others).
      this.here.note({ note: 'ignored', what: 'a db:result answer on a stream where we asked nothing' });
      return;
    }
    this.here.note({ note: 'dialback-requested', xml: writeElement(element, NS.server, STREAM_PREFIXES) });
    if (read.is === 'malformed') {
      this.complain('result', read);
      return;
    }
    const pair: StreamPair = { sender: read.from, target: read.to };
    const refusal = this.refusal(pair);
    if (refusal !== undefined) {
      this.refuseRequest(pair, refusal);
      return;
    }
    const ruling = this.here.ruling(pair.target, pair.sender);
    const proven = this.here.proves(pair.sender);
    // XEP-0344 §2.4: a certificate that proves the very domain makes dialing back unnecessary; judged now, for this domain (CVE-2021-32919).
    if (ruling.authentication !== 'dialback' && proven) {
      this.forget(pair);
      this.here.authorize(pair);
      this.answer(pair, VALID);
    } else if (isCertificateNeeded(ruling) && !proven) {
      // XEP-0220 §2.5; checklist T-37, D-70.
      this.here.refuse(pair, { by: 'authentication', because: this.here.unprovenBecause(pair.sender) });
      this.answer(pair, error('not-authorized'), 'A certificate that proves your domain is required.');
    } else this.ask({ ...pair, streamId: this.here.streamId, key: read.key });
  }

  /** XEP-0220 §2.2.2: `<db:verify/>` arrived: are we the authoritative server, and is the key ours? It needs no authorization. */
  verify(element: XmlElement): void {
    if (this.isTooMuch()) return;
    const read = readDialback(element);
    if (read.is === 'answer' || (read.is === 'malformed' && !read.asked)) {
      this.here.note({ note: 'ignored', what: 'a db:verify answer on a stream where we asked nothing' });
      return;
    }
    this.here.note({ note: 'verify-requested', xml: writeElement(element, NS.server, STREAM_PREFIXES) });
    if (read.is === 'malformed') {
      this.complain('verify', read);
      return;
    }
    const [verdict, because] = this.judge(read);
    const xml = writeVerifyAnswer(read, verdict);
    this.here.note({ note: 'verify-answered', xml, because });
    this.here.write(xml);
    if (this.here.serves(read.to) && this.needsTls({ sender: read.from, target: read.to })) this.plaintextRequest();
    else this.here.answeredVerify();
  }

  /** The authoritative server has spoken, or could not be asked. */
  verdict(claim: DialbackClaim, verdict: Verdict): void {
    this.running = Math.max(0, this.running - 1);
    const pending = this.pending.get(pairKey(claim));
    // A newer key for the same pair, or a time-out, has made this answer meaningless.
    if (pending === undefined || pending.claim.key !== claim.key || pending.claim.streamId !== claim.streamId) {
      this.here.note({ note: 'ignored', what: 'a verdict on a dialback request that is no longer waiting' });
      return;
    }
    this.settle(pending, verdict);
  }

  /** A dialback timer went off: the authoritative server did not answer in time. */
  timedOut(timer: StreamTimer): void {
    for (const pending of this.pending.values()) {
      if (pending.timer === timer) this.settle(pending, error('remote-server-timeout'));
    }
  }

  /** The policy was replaced: who waits for a verification that is of no use any more is told at once. */
  policyChanged(): void {
    for (const pending of this.pending.values())
      if (this.stillPermitted(pending.claim).verdict !== 'valid') this.settle(pending, VALID);
  }

  /** The stream starts anew, with another id: a key that was made for the old one proves nothing any more (XEP-0220 §2.1.2). */
  restarted(): void {
    for (const { claim } of this.pending.values()) this.forget(claim);
  }

  /** Whether a peer that has proven nothing asks without end; the stream has then been ended. */
  private isTooMuch(): boolean {
    if (this.here.authorizedPairs > 0) return false;
    this.unauthorizedRequests += 1;
    if (this.unauthorizedRequests <= UNAUTHORIZED_REQUESTS) return false;
    this.here.fail('policy-violation', 'Too many dialback requests on a stream on which no domain is authorized.');
    return true;
  }

  private refusal(pair: StreamPair): StanzaErrorCondition | undefined {
    const { here } = this;
    if (!here.serves(pair.target)) return 'item-not-found';
    if (here.isOurs(pair.sender)) return 'not-acceptable';
    const ruling = here.ruling(pair.target, pair.sender);
    if (!ruling.admitted) return 'policy-violation';
    if (this.needsTls(pair)) return 'policy-violation';
    const known = here.isAuthorized(pair) || this.pending.has(pairKey(pair));
    if (!known && here.authorizedPairs + this.pending.size >= PAIRS) return 'resource-constraint';
    if (this.running >= PENDING) return 'resource-constraint';
    return undefined;
  }

  private refuseRequest(pair: StreamPair, condition: StanzaErrorCondition): void {
    const { admitted, because } = this.here.ruling(pair.target, pair.sender);
    if (condition === 'policy-violation' && !admitted) this.here.refuse(pair, { by: 'policy', because });
    this.answer(pair, error(condition));
    if (condition === 'resource-constraint' && ++this.excesses >= EXCESSES) {
      this.here.fail('policy-violation', 'Too many domain pairs on one stream.');
    } else if (condition === 'policy-violation' && this.needsTls(pair)) this.plaintextRequest();
  }

  private needsTls(pair: StreamPair): boolean {
    const ruling = this.here.ruling(pair.target, pair.sender);
    return ruling.admitted && needsTls(ruling) && !this.here.secure;
  }

  private judge(request: { from: Domain; to: Domain; id: string; key: string }): readonly [Verdict, string] {
    const { here } = this;
    if (!here.serves(request.to)) return [error('item-not-found'), `${request.to} is not served here`];
    const ruling = here.ruling(request.to, request.from);
    if (!ruling.admitted) return [error('policy-violation'), ruling.because];
    if (this.needsTls({ sender: request.from, target: request.to }))
      return [error('policy-violation'), 'TLS is required before dialback'];
    // The asking server received the key from `to` for itself (XEP-0220 §2.2.2); white space around it is layout.
    const vouched = here.authority.vouches(
      { sender: request.to, target: request.from },
      request.id,
      request.key.trim(),
    );
    return vouched
      ? [VALID, 'the key was made with our dialback secret']
      : [{ verdict: 'invalid' }, 'the key was not made with our dialback secret for these domains and this stream'];
  }

  private ask(claim: DialbackClaim): void {
    this.forget(claim);
    this.running += 1;
    this.timers += 1;
    const timer: StreamTimer = `dialback ${this.timers}`;
    this.pending.set(pairKey(claim), { claim, timer });
    this.here.arm(timer, this.here.timeoutMs);
    this.here.verify(claim);
  }

  private settle({ claim }: PendingClaim, outcome: Verdict): void {
    this.forget(claim);
    const verdict = outcome.verdict === 'valid' ? this.stillPermitted(claim) : outcome;
    if (verdict.verdict === 'valid') {
      this.here.authorize(claim);
      this.answer(claim, verdict);
      return;
    }
    const failure =
      verdict.verdict === 'error'
        ? ({ answer: 'error', condition: verdict.condition } as const)
        : ({ answer: 'invalid' } as const);
    const ruling = this.here.ruling(claim.target, claim.sender);
    this.here.refuse(claim, ruling.admitted ? { by: 'dialback', failure } : { by: 'policy', because: ruling.because });
    // XEP-0220 §2.2.1: a wrong key ends the stream, unless others use it (§2.5: forbidden).
    if (verdict.verdict === 'invalid' && this.here.authorizedPairs > 0) {
      this.answer(claim, error('forbidden'));
    } else {
      this.answer(claim, verdict);
      if (verdict.verdict === 'invalid') this.here.end(claim);
    }
  }

  /** The policy may have been replaced while the authoritative server was asked. */
  private stillPermitted(pair: StreamPair): Verdict {
    if (!this.here.serves(pair.target)) return error('item-not-found');
    const ruling = this.here.ruling(pair.target, pair.sender);
    if (!ruling.admitted || this.needsTls(pair)) return error('policy-violation');
    if (isCertificateNeeded(ruling) && !this.here.proves(pair.sender)) return error('not-authorized');
    return VALID;
  }

  private forget(pair: StreamPair): void {
    const pending = this.pending.get(pairKey(pair));
    if (pending === undefined) return;
    this.pending.delete(pairKey(pair));
    this.here.disarm(pending.timer);
  }

  private answer(pair: StreamPair, verdict: Verdict, text?: string): void {
    const xml = writeResultAnswer(pair, verdict, text);
    this.here.note({ note: 'dialback-answered', xml });
    this.here.write(xml);
  }

  /** Checklist D-11: an error that echoes only what could be read; silence when there is nobody to answer to. */
  private complain(name: 'result' | 'verify', read: MalformedDialback): void {
    this.malformed += 1;
    this.here.note({ note: 'ignored', what: `a db:${name} in which ${read.what}` });
    const xml = writeComplaint(name, read);
    if (xml !== undefined) this.here.write(xml);
    if (this.malformed >= EXCESSES)
      this.here.fail('improper-addressing', 'Several dialback elements could not be read.');
  }

  /** Checklist T-32: the first is answered, so that the peer learns the reason; one that goes on is cut off. */
  private plaintextRequest(): void {
    this.plaintextRequests += 1;
    if (this.plaintextRequests > 1) this.here.fail('policy-violation', 'TLS is required before dialback.');
  }
}

const VALID: Verdict = { verdict: 'valid' };

function error(condition: StanzaErrorCondition): Verdict {
  return { verdict: 'error', condition };
}

function isCertificateNeeded(ruling: StreamRuling): boolean {
  return ruling.requireCertificate || ruling.authentication === 'external';
}
