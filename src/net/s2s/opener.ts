import type { DialbackAuthority } from '../../protocol/dialback/authority.ts';
import { verifyFailure } from '../../protocol/dialback/verify-failure.ts';
import type { NetworkStage, StreamEnd } from '../../protocol/end.ts';
import type { Domain } from '../../protocol/jid/domain.ts';
import type { NoteSink, NoteSubject } from '../../protocol/notes.ts';
import type { Purpose } from '../../protocol/s2s/initiating-context.ts';
import { InitiatingStream } from '../../protocol/s2s/initiating-stream.ts';
import type { StreamRuling, StreamTimeouts } from '../../protocol/s2s/ruling.ts';
import type { DialbackClaim, StreamPair, Verdict } from '../../protocol/stream/actions.ts';
import type { Stanza, StanzaScope, XmlLimits } from '../../protocol/xml/types.ts';
import type { Dialed, DialFailure } from '../dial/dial.ts';
import { hostPort } from '../dns/records.ts';
import { StreamDriver, type StreamOwner } from './stream-driver.ts';

/** What the opener is given. One opener serves one face of the box: the partners, or a server inside. */
export interface OpenerContext {
  readonly side: 'foreign' | 'home';
  /** Connections to the servers of a domain, the best first, until one is good enough. */
  dial(domain: Domain, options: { signal: AbortSignal; subject: NoteSubject }): AsyncGenerator<Dialed, DialFailure>;
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
export class OpenStream {
  private readonly driver: StreamDriver;

  constructor(driver: StreamDriver) {
    this.driver = driver;
  }

  get lastStanza(): number {
    return this.driver.lastStanza;
  }

  send(stanza: Stanza): boolean {
    return this.driver.send(stanza.render(SERVER_SCOPE));
  }

  room(): Promise<void> {
    return this.driver.room();
  }

  close(why: 'idle' | 'shutdown' | 'unused'): void {
    this.driver.handle({ type: 'close', why });
  }
}

const SERVER_SCOPE: StanzaScope = { contentNamespace: 'jabber:server' };

/** What became of one connection. */
type Outcome = { readonly verdict: Verdict } | { readonly end: StreamEnd; readonly wasOpen: boolean };

/** Opens S2S streams: it dials, negotiates, and goes on to the next target when one is no good (RFC 6120 §3.2). */
export class S2sOpener {
  private readonly context: OpenerContext;
  private readonly live = new Set<StreamDriver>();
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

  /** Opens a stream that may carry stanzas of the pair. `authorized` is called at most once, `ended` exactly once and last. */
  open(
    pair: StreamPair,
    events: { authorized(stream: OpenStream): void; ended(end: StreamEnd): void },
    demand: { readonly tls?: 'required' } = {},
  ): { abandon(): void } {
    const abort = new AbortController();
    // Longer than one negotiation, so that the time-out of a stage, which says more, comes first.
    const { connect, negotiation } = this.context.timeouts;
    const deadline = setTimeout(() => abort.abort(), connect + negotiation);
    const authorized = (stream: OpenStream): void => {
      clearTimeout(deadline);
      events.authorized(stream);
    };
    const signal = AbortSignal.any([abort.signal, this.stopping.signal]);
    void this.run(pair, { for: 'stanzas' }, signal, authorized, demand).then((outcome) => {
      clearTimeout(deadline);
      if ('end' in outcome) events.ended(outcome.end);
      return undefined;
    });
    return { abandon: () => abort.abort() };
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
    const outcome = await this.run(pair, { for: 'verify', claim, forConnection }, bounded, () => undefined, {});
    return 'verdict' in outcome ? outcome.verdict : { verdict: 'error', condition: verifyFailure(outcome.end) };
  }

  /** Says goodbye on every stream, and opens no other. */
  shutdown(): void {
    for (const driver of this.live) driver.handle({ type: 'close', why: 'shutdown' });
    this.stopping.abort();
  }

  /** Ends every stream now, without a word, and opens no other. */
  destroy(): void {
    this.stopping.abort();
    for (const driver of [...this.live, ...this.lingering]) driver.destroy();
  }

  private async run(
    pair: StreamPair,
    purpose: Purpose,
    signal: AbortSignal,
    authorized: (stream: OpenStream) => void,
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
    const dialing = this.context.dial(pair.target, { signal, subject });
    let last: StreamEnd | undefined;
    try {
      for (;;) {
        const next = await dialing.next();
        if (next.done === true) return { end: last ?? networkEnd(next.value), wasOpen: false };
        const outcome = await this.negotiate(pair, purpose, next.value, signal, authorized, demand);
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
    authorized: (stream: OpenStream) => void,
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
        ruling: { ...context.ruling(pair.sender, pair.target), ...demand },
        hasCertificate: context.hasCertificate(pair.sender),
        peerMustProve: context.peerMustProve(pair.sender, pair.target),
        authority: context.authority,
        timeouts: context.timeouts,
        limits: context.limits,
      });
      let wasOpen = false;
      const onAbort = (): void => driver.destroy('fedway gave up: no stream was ready in the time for it');
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
            authorized(new OpenStream(driver));
          },
          refused: () => undefined,
          ended: (end) => {
            this.live.delete(driver);
            this.lingering.add(driver);
            void driver.gone.then(() => this.lingering.delete(driver));
            signal.removeEventListener('abort', onAbort);
            resolve({
              end: signal.aborted && !wasOpen ? { by: 'timeout', waitingFor: 'a stream that works' } : end,
              wasOpen,
            });
          },
          subject: () => subject,
        },
        context.notes,
      );
      this.live.add(driver);
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
