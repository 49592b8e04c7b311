import { X509Certificate } from 'node:crypto';
import { faultInWords } from '../net/s2s/in-words.ts';
import type { StreamEnd } from '../protocol/end.ts';
import { DialingLink } from '../protocol/link/dialing-link.ts';
import { PAIRING_ENDED } from '../protocol/link/link-stream.ts';
import type { LinkMessage } from '../protocol/link/messages.ts';
import { holds, lapse, periodOf, proofOf } from './certificates.ts';
import type { ConnectionOutcome } from './connection.ts';
import { dialEdge, type Resolve } from './dial.ts';
import type { Edges, PairedEdge } from './edges.ts';
import { endInWords } from './end-in-words.ts';
import type { BoxIdentity } from './identity.ts';
import { trustIn } from './join.ts';
import { OwnCertificate } from './own-certificate.ts';
import { LinkedBox } from './peer.ts';
import { ALPN, linkContext, type Secured, startLinkTls } from './tls.ts';
import type { LinkContext } from './types.ts';

/** Milliseconds between attempts; each is spread between half of it and all of it. */
export interface BackOff {
  readonly first: number;
  readonly longest: number;
  /** After an answer that trying again does not change: somebody has to do something first. */
  readonly hopeless: number;
  /** After the Edge has revoked this Core. */
  readonly revoked: number;
}

export const BACK_OFF: BackOff = { first: 200, longest: 5_000, hopeless: 60_000, revoked: 900_000 };
/** A connection that broke sooner does not show that all is well. */
const SHORT_LIFE_MS = 1_000;

export interface EdgeDialerOptions {
  readonly self: BoxIdentity;
  readonly edges: Edges;
  readonly context: LinkContext;
  readonly resolve: Resolve;
  readonly dialFrom: readonly string[];
  readonly backOff: BackOff;
  readonly now: () => number;
}

/** Why an attempt came to nothing; `hopeless`: until somebody has done something about it. */
interface Failure {
  readonly failed: string;
  readonly hopeless?: true;
}

/** Keeps one Link of a Core: dials the Edge, runs the Link, and dials again when it breaks. */
export class EdgeDialer {
  readonly peer: LinkedBox;
  private readonly options: EdgeDialerOptions;
  private readonly id: string;
  private readonly own: OwnCertificate;
  private readonly stopping = new AbortController();
  /** Ends the pause before the next attempt. */
  private wake: () => void = () => undefined;
  private failures = 0;
  private lastTold: string | undefined;

  constructor(edge: PairedEdge, options: EdgeDialerOptions) {
    this.options = options;
    this.id = edge.id;
    this.own = new OwnCertificate(options.self, edge.id, options.edges);
    this.peer = new LinkedBox({
      own: options.self.id,
      id: edge.id,
      name: () => options.edges.byId(edge.id)?.name ?? edge.name,
      mayServe: () => undefined,
      context: options.context,
      now: options.now,
      message: (message) => this.message(message),
      established: () => this.established(),
    });
    this.peer.setCertificateUntil(periodOf(edge.chain).notAfter);
    if (edge.revoked !== undefined) this.peer.rememberRevoked(edge.revoked);
  }

  /** Dials until `stop`; never rejects. */
  async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const pause = await this.attempt().catch((error: unknown) => {
        this.bug(error);
        return this.options.backOff.longest;
      });
      if (pause > 0 && !signal.aborted) await this.pause(pause);
    }
  }

  /** Dials no more; what is connected stays. */
  stop(): void {
    this.stopping.abort();
    this.wake();
  }

  /** The pairing was made anew: it counts from the next connection on, which is made at once. */
  renewed(): void {
    const edge = this.options.edges.byId(this.id);
    if (edge !== undefined) this.peer.setCertificateUntil(periodOf(edge.chain).notAfter);
    this.peer.forgive();
    this.failures = 0;
    this.peer.reconnect();
    this.wake();
  }

  /** Looks whether a new certificate is due, and asks the Edge for it. */
  check(): void {
    if (!this.peer.isUp) return;
    const asking = this.own.renewIfDue(
      this.options.now(),
      (publicKey) => void this.peer.tell({ is: 'renew', publicKey }),
    );
    asking.catch((error: unknown) => this.bug(error));
  }

  /** One attempt, and if it succeeds the life of the connection. Returns how long to wait before the next. */
  private async attempt(): Promise<number> {
    const edge = this.options.edges.byId(this.id);
    const outcome = edge === undefined ? STOPPED : await this.connect(edge);
    if (this.stopping.signal.aborted) return 0;
    const { backOff } = this.options;
    if ('failed' in outcome) {
      this.tellUnreachable(outcome.failed);
      return this.spread(outcome.hopeless === true ? backOff.hopeless : this.growing());
    }
    this.own.forgetQuestion();
    if (outcome.lasted === undefined) return this.afterRefusal(outcome.end);
    this.lastTold = undefined;
    this.failures = 0;
    if (this.peer.facts.state === 'revoked') return this.spread(backOff.revoked);
    return outcome.lasted >= SHORT_LIFE_MS ? 0 : this.spread(backOff.first);
  }

  private async connect(edge: PairedEdge): Promise<ConnectionOutcome | Failure> {
    const { options } = this;
    const period = periodOf(edge.chain);
    const now = options.now();
    if (!holds(period, now))
      return {
        failed: `${lapse(period, now)}; correct the clock of this box if that is wrong, else join ${edge.name} again with a new invitation`,
        hopeless: true,
      };
    try {
      const dialed = await dialEdge(edge.addresses, {
        resolve: options.resolve,
        dialFrom: options.dialFrom,
        connectTimeout: options.context.timing.connect,
        signal: this.stopping.signal,
      });
      if ('failed' in dialed) return dialed;
      const secured = await startLinkTls(dialed.socket, linkContext(edge), ALPN.link, {
        timeoutMs: options.context.timing.handshake,
        signal: this.stopping.signal,
      });
      if ('failed' in secured) return { failed: `${dialed.peer}: ${secured.failed}` };
      const wrong = this.wrongEdge(secured, edge);
      if (wrong !== undefined) {
        secured.socket.destroy();
        return { failed: `${dialed.peer}: ${wrong}`, hopeless: true };
      }
      return await this.peer.connect({
        secured,
        peer: dialed.peer,
        direction: 'out',
        certificateUntil: period.notAfter,
        make: (context) => new DialingLink(context),
      });
    } catch (error) {
      // Dialing throws for one reason only: it was given up.
      if (this.stopping.signal.aborted) return STOPPED;
      throw error;
    }
  }

  /** The Edge is who is under the authority it was paired with, and has its id; its address says nothing. */
  private wrongEdge(secured: Secured, edge: PairedEdge): string | undefined {
    const authority = new X509Certificate(edge.authority);
    const proof = proofOf(secured.chain, 'edge', trustIn(authority), this.options.now());
    if ('stranger' in proof)
      return `whoever answers there is not the Edge that this Core is paired with: ${proof.stranger}; if the Edge was set up anew, join it again with a new invitation`;
    if ('lapsed' in proof) return `${proof.lapsed}; correct the clock of this box or that of the Edge`;
    return proof.id === edge.id
      ? undefined
      : 'the Edge that answers there is another one than this Core is paired with';
  }

  /** The Edge has ended the stream before there was a session. */
  private afterRefusal(end: StreamEnd): number {
    const { backOff } = this.options;
    if (end.by === 'them' && end.condition === 'not-authorized' && end.text === PAIRING_ENDED) {
      this.revokedByEdge();
      return this.spread(backOff.revoked);
    }
    const silent = end.by === 'disconnect' || end.by === 'close';
    this.tellUnreachable(
      silent
        ? `the Edge closed the connection before the Link was established (${endInWords(end)}); its log says why, if it turned this Core away`
        : endInWords(end),
    );
    // What the Edge says of a certificate that does not hold cannot change soon.
    const hopeless = end.by === 'them' && end.condition === 'policy-violation';
    return this.spread(hopeless ? backOff.hopeless : this.growing());
  }

  private message(message: LinkMessage): boolean {
    if (message.is === 'revoked') {
      this.revokedByEdge();
      return true;
    }
    if (message.is === 'renew') return true;
    if (message.is !== 'renewed') return false;
    const renewal = this.own.take(message.chain, this.options.now());
    if (renewal === undefined) return true;
    const subject = { remote: this.peer.name };
    const box = this.options.self.name;
    if ('until' in renewal) {
      this.peer.setCertificateUntil(renewal.until);
      this.options.context.notes({ note: 'link-certificate-renewed', box, until: renewal.until }, subject);
    } else {
      const until = this.peer.facts.certificateUntil ?? 0;
      this.options.context.notes(
        { note: 'link-certificate-not-renewed', box, detail: renewal.refused, until },
        subject,
      );
    }
    return true;
  }

  private established(): void {
    const { edges } = this.options;
    const edge = edges.byId(this.id);
    // It lets us in again after all.
    if (edge?.revoked !== undefined) this.keep(() => edges.set({ ...edge, revoked: undefined }));
    this.check();
  }

  private revokedByEdge(): void {
    const { edges, now } = this.options;
    const edge = edges.byId(this.id);
    if (this.peer.facts.state === 'revoked' || edge === undefined) return;
    this.peer.revoke('them');
    this.keep(() => edges.set({ ...edge, revoked: now() }));
  }

  /** What cannot be written counts all the same; after a restart the Edge says it again. */
  private keep(change: () => void): void {
    try {
      change();
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      this.options.context.notes({ note: 'link-storage', detail }, { remote: this.peer.name });
    }
  }

  private bug(error: unknown): void {
    this.options.context.notes({ note: 'bug', where: 'link', detail: faultInWords(error) }, {});
  }

  private tellUnreachable(detail: string): void {
    this.peer.unreachable(detail);
    if (detail === this.lastTold) return;
    this.lastTold = detail;
    this.options.context.notes({ note: 'link-unreachable', box: this.peer.name, detail }, { remote: this.peer.name });
  }

  private growing(): number {
    const { first, longest } = this.options.backOff;
    const wait = Math.min(longest, first * 2 ** this.failures);
    this.failures += 1;
    return wait;
  }

  private spread(milliseconds: number): number {
    return milliseconds * (0.5 + Math.random() / 2);
  }

  private pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

const STOPPED: Failure = { failed: 'stopped' };
