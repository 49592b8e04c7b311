import { createServer, type Server, type Socket } from 'node:net';
import type { StreamEnd } from '../../protocol/end.ts';
import type { NoteSink, NoteSubject } from '../../protocol/notes.ts';
import type { DialbackClaim, PureStream, StreamPair, Verdict } from '../../protocol/stream/actions.ts';
import type { Stanza } from '../../protocol/xml/types.ts';
import { hostPort } from '../dns/records.ts';
import { PerSource, sourceOf } from './per-source.ts';
import { StreamDriver, type StreamOwner, type StreamTap } from './stream-driver.ts';
import { closeNamed, type FactualStream, factsOf, type RunningStream, type StreamFacts } from './stream-facts.ts';

/** Dialback verifications under way: for one source of connections, and for all. */
const VERIFICATIONS_PER_SOURCE = 64;
const VERIFICATIONS = 1024;

/** A stream that was accepted, as its owner sees it. */
export interface AcceptedStream extends PureStream, FactualStream {
  /** Our domain and the peer's, as far as the peer has said. */
  addresses(): { readonly local: string | undefined; readonly remote: string | undefined };
}

/** What a listener is given. */
export interface ListenerContext {
  /** For the log: `S2S`, `inside S2S`, `component`. */
  readonly what: string;
  readonly side: 'foreign' | 'home';
  readonly limits: { readonly connections: number; readonly perAddress: number };
  /** Whether a peer with this address may connect at all. */
  allows(address: string): boolean;
  /**
   * Makes the stream for a new connection. `deliver` is for its stanzas; `mayRead` says whether there is room for the next one; `directTls`: it came to a
   * port of direct TLS.
   */
  accept(
    deliver: (stanza: Stanza, pair: StreamPair) => void,
    mayRead: () => boolean,
    directTls: boolean,
  ): AcceptedStream;
  /** While there is no room for what a peer brings, as far as it is known who that is: a promise, until whose end its connection is not read. */
  crowded?(remote: string | undefined): Promise<void> | undefined;
  /** Where the stanzas that a stream brings go. A promise makes the connection wait. */
  deliver(stanza: Stanza, pair: StreamPair, from: AcceptedStream): Promise<void> | undefined;
  startTls: StreamOwner['startTls'];
  verify(claim: DialbackClaim, forConnection: string, signal: AbortSignal): Promise<Verdict>;
  authorized?(pair: StreamPair, driver: StreamDriver): void;
  ended?(driver: StreamDriver, end: StreamEnd): void;
  /** Who sees the bytes of a new connection; `undefined`: nobody. */
  tapOf?(socket: Socket): StreamTap | undefined;
  readonly notes: NoteSink;
  newHandle(): string;
}

/** A listener that runs. */
export class StreamListener {
  private readonly context: ListenerContext;
  private readonly servers: Server[] = [];
  private readonly running = new Set<RunningStream>();
  /** Streams that are over, whose connections are not. */
  private readonly lingering = new Set<StreamDriver>();
  private readonly perSource = new PerSource();
  private readonly verifications = new PerSource();

  constructor(context: ListenerContext) {
    this.context = context;
  }

  /** Streams that exist now, in whatever state. */
  get count(): number {
    return this.running.size;
  }

  /** Connections that exist now, those on which the last words are still on their way included. */
  get connections(): number {
    return this.perSource.total;
  }

  /**
   * Listens on an address; the promise is rejected with Node's error when that is not possible.
   *
   * @param directTls whether TLS comes first there (XEP-0368); all addresses share the limits
   */
  listen(host: string, port: number, directTls = false): Promise<number> {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: false }, (socket) =>
      this.accept(socket, directTls),
    );
    const what = directTls ? `${this.context.what} direct TLS` : this.context.what;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, ipv6Only: host.includes(':') }, () => {
        server.off('error', reject);
        server.on('error', (error) => {
          this.context.notes({ note: 'bug', where: `${what} listener`, detail: error.message }, {});
        });
        this.servers.push(server);
        const bound = server.address();
        const actual = typeof bound === 'object' && bound !== null ? bound.port : port;
        const address = hostPort(host, actual);
        this.context.notes({ note: 'listening', what, address }, {});
        resolve(actual);
      });
    });
  }

  /** Accepts nobody any more. */
  stopListening(): void {
    for (const server of this.servers) server.close();
    this.servers.length = 0;
  }

  /** Says goodbye on every stream. */
  shutdown(): void {
    for (const { driver } of this.running) driver.handle({ type: 'close', why: 'shutdown' });
  }

  /** Ends every connection now, and accepts nobody any more. */
  destroy(): void {
    this.stopListening();
    for (const { driver } of this.running) driver.destroy();
    for (const driver of this.lingering) driver.destroy();
  }

  /** Every stream judges its pairs by the new policy; those that it does not permit end before this returns. */
  policyChanged(): void {
    for (const { driver } of this.running) driver.handle({ type: 'policy-changed' });
  }

  /** The streams that live now. */
  streams(): readonly StreamFacts[] {
    const now = Date.now();
    return [...this.running].map((each) => factsOf(each, this.context.side, now));
  }

  /** Ends a stream in good order on an administrator's word; `false`: there is none with this connection handle. */
  close(connection: string, reason: string): boolean {
    return closeNamed(this.running, connection, reason);
  }

  private accept(socket: Socket, directTls: boolean): void {
    const { context } = this;
    const address = socket.remoteAddress;
    if (address === undefined) {
      socket.destroy();
      return;
    }
    const source = sourceOf(address);
    const refused = this.refusal(address, source);
    if (refused !== undefined) {
      // XMPP has no error for this: nothing is said (checklist K-12).
      context.notes(
        { note: 'connection-refused', because: refused },
        { direction: 'in', side: context.side, peer: peerOf(socket) },
      );
      socket.destroy();
      return;
    }
    this.perSource.take(source);
    this.drive(socket, source, directTls);
  }

  private refusal(address: string, source: string): string | undefined {
    const { limits } = this.context;
    if (!this.context.allows(address)) return 'this address may not connect here';
    if (this.connections >= limits.connections) return `all ${limits.connections} connections are in use`;
    if (this.perSource.of(source) >= limits.perAddress)
      return `more than ${limits.perAddress} connections from one address`;
    return undefined;
  }

  /**
   * Asks the authoritative server. Each question makes us look up a domain and connect to it, so a source may have only so many under
   * way, and so may all together (XEP-0220 §2.5; checklist D-52, D-53).
   */
  private async verify(
    claim: DialbackClaim,
    connection: string,
    source: string,
    signal: AbortSignal,
  ): Promise<Verdict> {
    const { verifications } = this;
    if (verifications.of(source) >= VERIFICATIONS_PER_SOURCE || verifications.total >= VERIFICATIONS) {
      return { verdict: 'error', condition: 'resource-constraint' };
    }
    verifications.take(source);
    try {
      return await this.context.verify(claim, connection, signal);
    } finally {
      verifications.give(source);
    }
  }

  private drive(socket: Socket, source: string, directTls: boolean): void {
    const { context } = this;
    const connection = context.newHandle();
    const peer = peerOf(socket);
    const abort = new AbortController();
    const mayRead = (): boolean => {
      const room = context.crowded?.(accepted.addresses().remote);
      if (room !== undefined) driver.hold(room);
      return room === undefined;
    };
    const accepted = context.accept(
      (stanza, pair) => {
        driver.stanzasIn += 1;
        const room = context.deliver(stanza, pair, accepted);
        if (room !== undefined) driver.hold(room);
      },
      mayRead,
      directTls,
    );
    const subject = (): NoteSubject => {
      const { local, remote } = accepted.addresses();
      return {
        connection,
        direction: 'in',
        side: context.side,
        peer,
        ...(local === undefined ? {} : { local }),
        ...(remote === undefined ? {} : { remote }),
      };
    };
    const driver: StreamDriver = new StreamDriver(
      accepted,
      socket,
      {
        startTls: context.startTls,
        verify: (claim) => {
          void this.verify(claim, connection, source, abort.signal).then((verdict) =>
            driver.handle({ type: 'verdict', claim, verdict }),
          );
        },
        answer: () => undefined,
        authorized: (pair) => context.authorized?.(pair, driver),
        refused: () => undefined,
        ended: (end) => {
          abort.abort();
          this.running.delete(self);
          this.lingering.add(driver);
          // A connection counts as long as it exists, whatever has become of its stream (checklist K-12).
          void driver.gone.then(() => {
            this.lingering.delete(driver);
            this.perSource.give(source);
            return undefined;
          });
          context.ended?.(driver, end);
        },
        subject,
      },
      context.notes,
      context.tapOf?.(socket),
    );
    const self: RunningStream = { stream: accepted, driver, subject: subject() };
    this.running.add(self);
    driver.start();
  }
}

function peerOf(socket: Socket): string {
  return hostPort(socket.remoteAddress ?? 'unknown', socket.remotePort ?? 0);
}
