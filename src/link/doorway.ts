import { createServer, type Server, type Socket } from 'node:net';
import { hostPort } from '../net/dns/records.ts';
import { PerSource, sourceOf } from '../net/s2s/per-source.ts';
import type { NoteSink } from '../protocol/notes.ts';

/** Connections of those who have not proven anything yet. Cores are few: more than this is a flood. */
export interface DoorwayLimits {
  readonly strangers: number;
  readonly perAddress: number;
}

/** Gives the place of a stranger back; to be called once. */
export type Leave = () => void;

export interface DoorwayContext {
  readonly limits: DoorwayLimits;
  readonly notes: NoteSink;
  /** The socket is paused. `leave` is called when its owner has proven who it is, or is gone. */
  arrived(socket: Socket, from: { readonly address: string; readonly peer: string }, leave: Leave): void;
}

/** The Link port: TCP, and a bounded number of strangers on it. */
export class Doorway {
  private readonly context: DoorwayContext;
  private readonly servers: Server[] = [];
  private readonly strangers = new PerSource();
  private readonly sockets = new Set<Socket>();

  constructor(context: DoorwayContext) {
    this.context = context;
  }

  /** Connections that exist now. */
  get connections(): number {
    return this.sockets.size;
  }

  /** Listens on an address; the promise is rejected with Node's error when that is not possible. Returns the port. */
  listen(host: string, port: number): Promise<number> {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: false }, (socket) => this.accept(socket));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, ipv6Only: host.includes(':') }, () => {
        server.off('error', reject);
        server.on('error', (error) =>
          this.context.notes({ note: 'bug', where: 'Link listener', detail: error.message }, {}),
        );
        this.servers.push(server);
        const bound = server.address();
        const actual = typeof bound === 'object' && bound !== null ? bound.port : port;
        this.context.notes({ note: 'listening', what: 'Link', address: hostPort(host, actual) }, {});
        resolve(actual);
      });
    });
  }

  /** Accepts nobody any more. */
  close(): void {
    for (const server of this.servers) server.close();
    this.servers.length = 0;
  }

  /** Accepts nobody any more, and ends every connection. */
  destroy(): void {
    this.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private accept(socket: Socket): void {
    const { remoteAddress: address, remotePort = 0 } = socket;
    if (address === undefined) {
      socket.destroy();
      return;
    }
    const peer = hostPort(address, remotePort);
    const source = sourceOf(address);
    const { limits, notes } = this.context;
    const because =
      this.strangers.total >= limits.strangers
        ? `${limits.strangers} connections are there already of which nobody has proven who it is`
        : this.strangers.of(source) >= limits.perAddress
          ? `${limits.perAddress} connections from this address are there already of which nobody has proven who it is`
          : undefined;
    if (because !== undefined) {
      notes({ note: 'link-refused', because }, { direction: 'in', peer });
      socket.destroy();
      return;
    }
    this.strangers.take(source);
    let isStranger = true;
    const leave: Leave = () => {
      if (!isStranger) return;
      isStranger = false;
      this.strangers.give(source);
    };
    this.sockets.add(socket);
    socket.once('close', () => {
      this.sockets.delete(socket);
      leave();
    });
    this.context.arrived(socket, { address, peer }, leave);
  }
}
