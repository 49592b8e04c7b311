import type { DialbackAuthority } from '../../protocol/dialback/authority.ts';
import { verifyFailure } from '../../protocol/dialback/verify-failure.ts';
import type { NetworkStage, StreamEnd } from '../../protocol/end.ts';
import type { Domain } from '../../protocol/jid/domain.ts';
import type { NoteSink, NoteSubject } from '../../protocol/notes.ts';
import type { Purpose } from '../../protocol/s2s/initiating-context.ts';
import { InitiatingStream } from '../../protocol/s2s/initiating-stream.ts';
import type { StreamRuling, StreamTimeouts } from '../../protocol/s2s/ruling.ts';
import type { Closing, DialbackClaim, StreamPair, Verdict } from '../../protocol/stream/actions.ts';
import type { Stanza, StanzaScope, XmlLimits } from '../../protocol/xml/types.ts';
import type { Dialed, DialFailure } from '../dial/dial.ts';
import { hostPort } from '../dns/records.ts';
import { StreamDriver, type StreamOwner } from './stream-driver.ts';
import { closeNamed, factsOf, type RunningStream, type StreamFacts } from './stream-facts.ts';

/** What the opener is given. One opener serves one face of the box: the partners, or a server inside. */
export interface OpenerContext {
  readonly side: 'foreign' | 'home';
  /** Connections to the servers of a domain, the best first, until one is good enough; `directTls`: whether they may be of direct TLS. */
  dial(
    domain: Domain,
    options: { signal: AbortSignal; subject: NoteSubject; directTls: boolean },
  ): AsyncGenerator<Dialed, DialFailure>;
  ruling(local: Domain, remote: Domain): StreamRuling;
  hasCertificate(local: Domain): boolean;
  /** Whether a certificate that proves `remote` is insisted on before anything is sent. */
  peerMustProve(local: Domain, remote: Domain): boolean;
  startTls: StreamOwner['startTls'];
  readonly authority: DialbackAuthority;
  readonly timeouts: StreamTimeouts & { readonly connect: number };
  readonly limits: XmlLimits;
  readonly notes: NoteSink;
  /** A handle for a connection, for the log. */
  newHandle(): string;
}

/** An authorized stream of ours, ready for stanzas. */
class OpenStream {
  private readonly driver: StreamDriver;

  constructor(driver: StreamDriver) {
    this.driver = driver;
  }

  get lastActive(): number {
    return this.driver.lastActive;
  }

  send(stanza: Stanza): boolean {
    return this.driver.send(stanza.render(SERVER_SCOPE));
  }

  room(): Promise<void> {
    return this.driver.room();
  }

  close(closing: Closing): void {
    this.driver.handle({ type: 'close', ...closing });
  }
}

/** Who asks an authoritative server waits for the verdict only. */
const NOBODY: OpeningEvents = {
  authorized: () => undefined,
  leaving: () => undefined,
  ended: () => undefined,
};

const SERVER_SCOPE: StanzaScope = { contentNamespace: 'jabber:server' };

/** What an opener tells of a stream. `authorized` is called at most once, `ended` exactly once and last. */
interface OpeningEvents {
  authorized(stream: OpenStream): void;
  /** An administrator ends the stream in good order: nothing may be sent on it any more. */
  leaving(): void;
  ended(end: StreamEnd): void;
}

/** A stream that is being opened. */
interface Attempt {
  /** Gives it up. What was opened so far ends without a word, or with the one that `closing` stands for. */
  abandon(closing?: Closing): void;
}

/** The reason of an attempt that was given up. */
class GivenUp extends Error {
  readonly closing: Closing | undefined;

  constructor(closing: Closing | undefined) {
    super('the attempt was given up');
    this.closing = closing;
  }
}

/** A stream of ours; `leave` tells whoever sends on it that nothing may be sent any more. */
interface Opened extends RunningStream {
  leave(): void;
}

/** What became of one connection. */
type Outcome = { readonly verdict: Verdict } | { readonly end: StreamEnd; readonly wasOpen: boolean };

/** Opens S2S streams: it dials, negotiates, and goes on to the next target when one is no good (RFC 6120 §3.2). */
export class S2sOpener {
  private readonly context: OpenerContext;
  private readonly live = new Set<Opened>();
  /** Streams that are over, whose connections are not. */
  private readonly lingering = new Set<StreamDriver>();
  /** Aborted when nothing is opened any more: what is still looking for a server gives up too. */
  private readonly stopping = new AbortController();

  constructor(context: OpenerContext) {
    this.context = context;
  }

  /** Streams that exist now, in whatever state. */
  get count(): number {
    return this.live.size;
  }

  /** Connections that exist now, those on which the last words are still on their way included. */
  get connections(): number {
    return this.live.size + this.lingering.size;
  }

  /** Opens a stream that may carry stanzas of the pair. */
  open(pair: StreamPair, events: OpeningEvents, demand: { readonly tls?: 'required' } = {}): Attempt {
    const abort = new AbortController();
    // Longer than one negotiation, so that the time-out of a stage, which says more, comes first.
    const { connect, negotiation } = this.context.timeouts;
    const deadline = setTimeout(() => abort.abort(), connect + negotiation);
    const once: OpeningEvents = {
      authorized: (stream) => {
        clearTimeout(deadline);
        events.authorized(stream);
      },
      leaving: () => events.leaving(),
      ended: (end) => {
        clearTimeout(deadline);
        events.ended(end);
      },
    };
    const signal = AbortSignal.any([abort.signal, this.stopping.signal]);
    void this.run(pair, { for: 'stanzas' }, signal, once, demand).then((outcome) => {
      if ('end' in outcome && !outcome.wasOpen) once.ended(outcome.end);
      return undefined;
    });
    return { abandon: (closing) => abort.abort(new GivenUp(closing)) };
  }

  /** Asks the authoritative server of the claim's sender about a key. Always answers; an aborted question answers with an error. */
  async verify(claim: DialbackClaim, forConnection: string | undefined, signal: AbortSignal): Promise<Verdict> {
    const bounded = AbortSignal.any([
      signal,
      this.stopping.signal,
      AbortSignal.timeout(this.context.timeouts.dialback),
    ]);
    // The receiving server asks, so the roles on this connection are the other way round (XEP-0220 §2.1.2).
    const pair: StreamPair = { sender: claim.target, target: claim.sender };
    const outcome = await this.run(pair, { for: 'verify', claim, forConnection }, bounded, NOBODY, {});
    return 'verdict' in outcome ? outcome.verdict : { verdict: 'error', condition: verifyFailure(outcome.end) };
  }

  /** Says goodbye on every stream, and opens no other. */
  shutdown(): void {
    for (const { driver } of this.live) driver.handle({ type: 'close', why: 'shutdown' });
    this.stopping.abort();
  }

  /** Ends every stream now, without a word, and opens no other. */
  destroy(): void {
    this.stopping.abort();
    for (const { driver } of this.live) driver.destroy();
    for (const driver of this.lingering) driver.destroy();
  }

  /** Every stream is judged by the new policy; those that it does not permit end before this returns. */
  policyChanged(): void {
    for (const { driver } of this.live) driver.handle({ type: 'policy-changed' });
  }

  /** The streams that live now. */
  streams(): readonly StreamFacts[] {
    const now = Date.now();
    return [...this.live].map((each) => factsOf(each, this.context.side, now));
  }

  /** Ends a stream in good order on an administrator's word; `false`: there is none with this connection handle. */
  close(connection: string, reason: string): boolean {
    for (const each of this.live) {
      // First nobody sends on it any more, then it closes: nothing may follow our closing tag (RFC 6120 §4.4).
      if (each.subject.connection === connection) each.leave();
    }
    return closeNamed(this.live, connection, reason);
  }

  private async run(
    pair: StreamPair,
    purpose: Purpose,
    signal: AbortSignal,
    events: OpeningEvents,
    demand: Partial<StreamRuling>,
  ): Promise<Outcome> {
    // Looking for the authoritative server is a step in the life of the stream on which the key arrived.
    const subject: NoteSubject = {
      direction: purpose.for === 'verify' ? 'in' : 'out',
      side: this.context.side,
      local: pair.sender,
      remote: pair.target,
      ...(purpose.for === 'verify' && purpose.forConnection !== undefined ? { connection: purpose.forConnection } : {}),
    };
    const { tls } = { ...this.context.ruling(pair.sender, pair.target), ...demand };
    const dialing = this.context.dial(pair.target, { signal, subject, directTls: tls !== 'none' });
    let last: StreamEnd | undefined;
    try {
      for (;;) {
        const next = await dialing.next();
        if (next.done === true) return { end: last ?? networkEnd(next.value), wasOpen: false };
        const outcome = await this.negotiate(pair, purpose, next.value, signal, events, demand);
        if ('verdict' in outcome || outcome.wasOpen || signal.aborted || !nextTargetMayHelp(outcome.end))
          return outcome;
        last = outcome.end;
      }
    } catch (error) {
      // Dialing throws for one reason only: it was given up. Anything else is a fault of ours, which ends this attempt and no more.
      if (!signal.aborted) {
        const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.context.notes({ note: 'bug', where: 'dialing', detail }, subject);
        return { end: { by: 'us', condition: 'internal-server-error' }, wasOpen: false };
      }
      if (this.stopping.signal.aborted) return { end: { by: 'us', condition: 'system-shutdown' }, wasOpen: false };
      return { end: last ?? { by: 'timeout', waitingFor: 'a connection to a server of the domain' }, wasOpen: false };
    } finally {
      await dialing.return({ stage: 'tcp', detail: 'given up' });
    }
  }

  private negotiate(
    pair: StreamPair,
    purpose: Purpose,
    dialed: Dialed,
    signal: AbortSignal,
    events: OpeningEvents,
    demand: Partial<StreamRuling>,
  ): Promise<Outcome> {
    const { context } = this;
    return new Promise((resolve) => {
      const subject: NoteSubject = {
        connection: context.newHandle(),
        direction: 'out',
        side: context.side,
        local: pair.sender,
        remote: pair.target,
        peer: hostPort(dialed.address, dialed.endpoint.port),
      };
      const stream = new InitiatingStream({
        local: pair.sender,
        remote: pair.target,
        purpose,
        directTls: dialed.endpoint.directTls,
        ruling: () => ({ ...context.ruling(pair.sender, pair.target), ...demand }),
        hasCertificate: context.hasCertificate(pair.sender),
        peerMustProve: context.peerMustProve(pair.sender, pair.target),
        authority: context.authority,
        timeouts: context.timeouts,
        limits: context.limits,
      });
      let wasOpen = false;
      const onAbort = (): void => {
        const closing = signal.reason instanceof GivenUp ? signal.reason.closing : undefined;
        if (closing === undefined) driver.destroy('fedway gave up: no stream was ready in the time for it');
        else driver.handle({ type: 'close', ...closing });
      };
      const driver = new StreamDriver(
        stream,
        dialed.socket,
        {
          startTls: context.startTls,
          verify: () => undefined,
          answer: (_claim, verdict) => {
            // An error may only be this one server's: the stream's end decides whether the next is asked.
            if (verdict.verdict !== 'error') resolve({ verdict });
          },
          authorized: () => {
            wasOpen = true;
            signal.removeEventListener('abort', onAbort);
            events.authorized(new OpenStream(driver));
          },
          refused: () => undefined,
          ended: (end) => {
            this.live.delete(self);
            this.lingering.add(driver);
            void driver.gone.then(() => this.lingering.delete(driver));
            signal.removeEventListener('abort', onAbort);
            // At once: a stanza that is offered in the same turn must not be sent into nothing.
            if (wasOpen) events.ended(end);
            resolve({
              end: signal.aborted && !wasOpen ? { by: 'timeout', waitingFor: 'a stream that works' } : end,
              wasOpen,
            });
          },
          subject: () => subject,
        },
        context.notes,
      );
      const leave = (): void => {
        if (wasOpen) events.leaving();
      };
      const self: Opened = { stream, driver, subject, leave };
      this.live.add(self);
      if (signal.aborted) driver.destroy();
      else {
        signal.addEventListener('abort', onAbort, { once: true });
        driver.start();
      }
    });
  }
}

/** Whether another server of the same domain may do better (checklist N-19, N-22, E-25). */
function nextTargetMayHelp(end: StreamEnd): boolean {
  switch (end.by) {
    case 'network':
    case 'disconnect':
    case 'close':
    case 'timeout':
    case 'them':
    case 'authentication':
    case 'policy':
      return true;
    default:
      return false;
  }
}

function networkEnd(failure: DialFailure): StreamEnd {
  const stage: NetworkStage = failure.stage;
  return { by: 'network', stage, detail: failure.detail };
}
