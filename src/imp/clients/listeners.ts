import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { newStreamId } from '../../net/keys/identifiers.ts';
import type { Upgrade } from '../../net/s2s/stream-driver.ts';
import { acceptTls, type OwnCertificates } from '../../net/tls/accept.ts';
import type { ChainJudge } from '../../net/tls/trust.ts';
import type { ClientTimeouts } from '../../protocol/c2s/context.ts';
import { type Domain, toAscii } from '../../protocol/jid/domain.ts';
import type { NoteSink } from '../../protocol/notes.ts';
import { AUTHENTICATED_LIMITS } from '../../protocol/xml/limits.ts';
import type { XmlLimits } from '../../protocol/xml/types.ts';
import { keysOfNobody } from '../accounts/scram.ts';
import { NO_TAP, type Tap } from '../capture/tap.ts';
import type { Credentials } from '../credentials.ts';
import type { SessionOwner } from '../sessions.ts';
import { BRAKE_LIMITS, type BrakeLimits, Brakes } from './brakes.ts';
import { type ArrivedConnection, ClientConnection, type ConnectionContext } from './connection.ts';
import { type ConnectionLimits, Doorway, type ListenAddress, type Visitor } from './doorway.ts';
import { NO_LOAD, type NodeLoad } from './node-load.ts';
import { ClientRegistry, SESSION_LIMITS, type SessionLimits } from './registry.ts';
import { type ClientSessionFacts, factsOfSession } from './session-facts.ts';
import { Shares } from './shares.ts';
import { streamTap } from './tapped.ts';
import { ClientWeb, WEBSOCKET_PATH } from './web.ts';
import { WebSocketTransport } from './web-socket-transport.ts';

/** What clients may use, and how much of it. */
export interface ClientLimits extends ConnectionLimits {
  readonly sessions: SessionLimits;
  readonly brakes: BrakeLimits;
  /** Of stanzas. */
  readonly xml: XmlLimits;
}

export const CLIENT_LIMITS: ClientLimits = {
  connections: 2_000,
  perAddress: 100,
  sessions: SESSION_LIMITS,
  brakes: BRAKE_LIMITS,
  xml: AUTHENTICATED_LIMITS,
};

/** Milliseconds. */
export const CLIENT_TIMEOUTS: ClientTimeouts & { readonly tls: number } = {
  header: 20_000,
  negotiation: 60_000,
  close: 5_000,
  quiet: 300_000,
  answer: 30_000,
  tls: 10_000,
};

export interface ClientListenersOptions {
  /** The domain whose users the clients are of. */
  readonly domain: Domain;
  /** TCP with STARTTLS (RFC 6120), direct TLS (XEP-0368), WebSocket over TLS (RFC 7395). */
  readonly listen: readonly ListenAddress[];
  readonly tlsListen: readonly ListenAddress[];
  readonly websocketListen: readonly ListenAddress[];
  readonly credentials: Credentials;
  readonly owner: SessionOwner;
  /** Asked for each handshake: a certificate that was renewed is used from then on, and no connection is dropped. */
  readonly certificates: OwnCertificates;
  /**
   * What the salts of users that do not exist are made from. To be kept over restarts; without it a restart shows which of them are made up.
   * `iterations`: those of the real keys.
   */
  readonly decoys: { readonly secret?: Uint8Array; readonly iterations: number };
  readonly load?: NodeLoad;
  readonly limits?: Partial<ClientLimits>;
  readonly timeouts?: Partial<typeof CLIENT_TIMEOUTS>;
  readonly notes: NoteSink;
  readonly tap?: Tap;
  /** Unix milliseconds. */
  readonly now?: () => number;
}

/** Clients are not asked for certificates. */
const NOBODY: ChainJudge = { judge: () => undefined };
/** ALPN of direct TLS (XEP-0368 §2), and of HTTP below a WebSocket. */
const XMPP_CLIENT = ['xmpp-client'];
const HTTP = ['http/1.1'];

/** The ports of the node for clients, with everything that lives on them: connections and sessions. */
export class ClientListeners {
  private readonly options: ClientListenersOptions;
  private readonly timeouts: typeof CLIENT_TIMEOUTS;
  private readonly doorway: Doorway;
  private readonly brakes: Brakes;
  private readonly registry: ClientRegistry;
  private readonly web: ClientWeb;
  private readonly tap: Tap;
  private readonly shared: ConnectionContext;
  private readonly running = new Set<ClientConnection>();
  /** Streams that are over, whose last words are on their way. */
  private readonly lingering = new Set<ClientConnection>();
  private readonly addresses: { listen: number[]; tlsListen: number[]; websocketListen: number[] } = {
    listen: [],
    tlsListen: [],
    websocketListen: [],
  };
  private isStopping = false;

  constructor(options: ClientListenersOptions) {
    this.options = options;
    const { domain, owner, credentials, decoys, notes, now = Date.now } = options;
    const limits = { ...CLIENT_LIMITS, ...options.limits };
    const { secret = randomBytes(32) } = decoys;
    this.timeouts = { ...CLIENT_TIMEOUTS, ...options.timeouts };
    this.tap = options.tap ?? NO_TAP;
    this.doorway = new Doorway({ limits, notes });
    this.brakes = new Brakes(limits.brakes, notes, now);
    this.registry = new ClientRegistry({
      domain,
      owner,
      limits: limits.sessions,
      notes,
      now,
      after,
      newId: newStreamId,
    });
    this.web = new ClientWeb({
      address: () => this.websocketAddress,
      opened: (socket, peer) => this.webSocketOpened(socket, new WebSocketTransport(peer)),
      refused: (socket, because) =>
        notes(
          { note: 'client-websocket-refused', because },
          { direction: 'in', peer: VISITORS.get(socket)?.peer ?? '' },
        ),
    });
    this.shared = {
      domain,
      credentials,
      keysOfNobody: (username, hash) => keysOfNobody(secret, username, hash, decoys.iterations),
      timeouts: this.timeouts,
      limits: limits.xml,
      shares: new Shares(),
      load: options.load ?? NO_LOAD,
      notes,
      startTls: (socket) => this.secure(socket),
      deskFor: (stream) => this.registry.deskFor(stream),
      ended: (connection) => this.ended(connection),
    };
  }

  /** Listens on every address. `false`: one of them cannot be listened on; the log says which. */
  async start(): Promise<boolean> {
    const ways = [
      ['listen', 'client', (visitor: Visitor) => this.arrived(visitor)],
      ['tlsListen', 'client TLS', (visitor: Visitor) => void this.arrivedForTls(visitor)],
      ['websocketListen', 'client WebSocket', (visitor: Visitor) => void this.arrivedForWeb(visitor)],
    ] as const;
    for (const [key, what, arrived] of ways) {
      for (const address of this.options[key]) {
        const port = await this.doorway.listen(what, address, arrived);
        if (port === undefined) return false;
        this.addresses[key].push(port);
      }
    }
    return true;
  }

  /** The ports that are listened on, in the order of the addresses: of use where the system was asked to choose. */
  get ports(): {
    readonly listen: readonly number[];
    readonly tlsListen: readonly number[];
    readonly websocketListen: readonly number[];
  } {
    return this.addresses;
  }

  /** Connections that exist now, those on which the last words are still on their way included. */
  get connections(): number {
    return this.doorway.connections;
  }

  /** The sessions, those included whose clients are away. */
  get sessions(): readonly ClientSessionFacts[] {
    return [...this.registry.sessions()].map(factsOfSession);
  }

  /** Accepts nobody any more. */
  stopListening(): void {
    this.isStopping = true;
    this.doorway.close();
  }

  /** Says goodbye on every stream, and ends the sessions whose clients are away. */
  shutdown(): void {
    this.stopListening();
    for (const { driver } of this.running) driver.handle({ type: 'close', why: 'shutdown' });
    this.registry.endAway();
  }

  /** Ends every connection and every session now. */
  destroy(): void {
    this.stopListening();
    for (const { driver } of this.running) driver.destroy();
    for (const { driver } of this.lingering) driver.destroy();
    this.registry.endAway();
    this.doorway.destroy();
  }

  /** The address of the WebSocket that clients are told: the domain and the first port listened on. */
  private get websocketAddress(): string {
    const { domain } = this.options;
    const [port = 443] = this.addresses.websocketListen;
    return `wss://${toAscii(domain)}${port === 443 ? '' : `:${port}`}${WEBSOCKET_PATH}`;
  }

  private arrived(visitor: Visitor): void {
    this.run(visitor, { transport: 'STARTTLS', socket: visitor.socket, secured: undefined });
  }

  private async arrivedForTls(visitor: Visitor): Promise<void> {
    const secured = await this.securedVisitor(visitor, XMPP_CLIENT);
    if (secured !== undefined) this.run(visitor, { transport: 'direct TLS', socket: secured.socket, secured });
  }

  private async arrivedForWeb(visitor: Visitor): Promise<void> {
    const secured = await this.securedVisitor(visitor, HTTP);
    if (secured === undefined) return;
    VISITORS.set(secured.socket, { ...visitor, secured });
    this.web.serve(secured.socket);
  }

  private webSocketOpened(socket: TLSSocket, transport: WebSocketTransport): void {
    const visitor = VISITORS.get(socket);
    if (visitor === undefined || this.isStopping) {
      transport.destroy();
      return;
    }
    // RFC 6120 §4.6.1, as the driver does for TCP.
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    this.run(visitor, { transport: 'WebSocket', socket: transport, secured: visitor.secured });
  }

  private run(visitor: Visitor, arrived: Pick<ArrivedConnection, 'transport' | 'socket' | 'secured'>): void {
    const connection = new ClientConnection(this.shared, {
      ...arrived,
      peer: visitor.peer,
      brake: this.brakes.forSource(visitor.source),
      tap: streamTap(this.tap, visitor.socket),
    });
    this.running.add(connection);
    connection.start();
  }

  private ended(connection: ClientConnection): void {
    this.running.delete(connection);
    this.lingering.add(connection);
    void connection.driver.gone.then(() => this.lingering.delete(connection));
  }

  private async securedVisitor(
    { socket, peer }: Visitor,
    protocols: readonly string[],
  ): Promise<ArrivedConnection['secured']> {
    const outcome = await this.secure(socket, protocols);
    if ('secured' in outcome && outcome.secured instanceof TLSSocket && !this.isStopping)
      return { socket: outcome.secured, facts: outcome.facts };
    // Not the plain socket below a secured one: see `handshake`.
    ('secured' in outcome ? outcome.secured : socket).destroy();
    const detail = 'failed' in outcome ? outcome.failed : 'the node is stopping';
    const end = { by: 'network', stage: 'tls', detail } as const;
    this.options.notes({ note: 'client-gone', end, stanzasIn: 0, stanzasOut: 0 }, { direction: 'in', peer });
    return undefined;
  }

  private secure(socket: Socket, protocols?: readonly string[]): Promise<Upgrade> {
    const { domain, certificates } = this.options;
    return acceptTls(socket, {
      certificates,
      domain,
      trust: NOBODY,
      requestCertificate: false,
      timeoutMs: this.timeouts.tls,
      ...(protocols === undefined ? {} : { protocols }),
    });
  }
}

function after(milliseconds: number, run: () => void): () => void {
  const timer = setTimeout(run, milliseconds);
  return () => clearTimeout(timer);
}

/** Who is at the other end of a connection that speaks HTTP. */
const VISITORS = new WeakMap<object, Visitor & { readonly secured: NonNullable<ArrivedConnection['secured']> }>();
