import { createServer, type Server, type Socket } from 'node:net';
import { hostPort } from '../../net/dns/records.ts';
import { socketErrorInWords } from '../../net/s2s/in-words.ts';
import { PerSource, sourceOf } from '../../net/s2s/per-source.ts';
import type { NoteSink } from '../../protocol/notes.ts';

/** An address to listen on. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Connections that may exist: all of them, and those of one source. */
export interface ConnectionLimits {
  readonly connections: number;
  readonly perAddress: number;
}

/** A connection that was let in; the socket is paused. */
export interface Visitor {
  readonly socket: Socket;
  /** Address and port of the client. */
  readonly peer: string;
  /** What is counted as one: an IPv4 address, or the /64 of an IPv6 address. */
  readonly source: string;
}

export interface DoorwayContext {
  readonly limits: ConnectionLimits;
  readonly notes: NoteSink;
}

/** The ports for clients: TCP, and a bounded number of connections on all of them together. A connection counts as long as its socket exists. */
export class Doorway {
  private readonly context: DoorwayContext;
  private readonly servers = new Set<Server>();
  private readonly sockets = new Set<Socket>();
  private readonly perSource = new PerSource();

  constructor(context: DoorwayContext) {
    this.context = context;
  }

  /** Connections that exist now. */
  get connections(): number {
    return this.sockets.size;
  }

  /** Listens on an address. The answer is the port, or `undefined` when that is not possible: the log says why. */
  listen(
    what: string,
    { host, port }: ListenAddress,
    arrived: (visitor: Visitor) => void,
  ): Promise<number | undefined> {
    const { notes } = this.context;
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: false }, (socket) =>
      this.accept(socket, arrived),
    );
    return new Promise((resolve) => {
      server.once('error', (error) => {
        notes({ note: 'listen-failed', what, address: hostPort(host, port), detail: socketErrorInWords(error) }, {});
        resolve(undefined);
      });
      server.listen({ host, port, ipv6Only: host.includes(':') }, () => {
        server.removeAllListeners('error');
        server.on('error', (error) => notes({ note: 'bug', where: `${what} listener`, detail: error.message }, {}));
        this.servers.add(server);
        const bound = server.address();
        const actual = typeof bound === 'object' && bound !== null ? bound.port : port;
        notes({ note: 'listening', what, address: hostPort(host, actual) }, {});
        resolve(actual);
      });
    });
  }

  /** Accepts nobody any more. */
  close(): void {
    for (const server of this.servers) server.close();
    this.servers.clear();
  }

  /** Accepts nobody any more, and ends every connection. */
  destroy(): void {
    this.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private accept(socket: Socket, arrived: (visitor: Visitor) => void): void {
    const { remoteAddress: address, remotePort = 0 } = socket;
    if (address === undefined) {
      socket.destroy();
      return;
    }
    const { limits, notes } = this.context;
    const peer = hostPort(address, remotePort);
    const source = sourceOf(address);
    const because =
      this.connections >= limits.connections
        ? `all ${limits.connections} connections for clients are in use`
        : this.perSource.of(source) >= limits.perAddress
          ? `there are ${limits.perAddress} connections from this address already`
          : undefined;
    if (because !== undefined) {
      // XMPP has no error for this: nothing is said (checklist K-12).
      notes({ note: 'client-refused', because }, { direction: 'in', peer });
      socket.destroy();
      return;
    }
    this.sockets.add(socket);
    this.perSource.take(source);
    socket.once('close', () => {
      this.sockets.delete(socket);
      this.perSource.give(source);
    });
    arrived({ socket, peer, source });
  }
}
