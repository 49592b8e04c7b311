import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** How a connection is broken: closed in good order, or reset. */
export type Cut = 'fin' | 'rst';

/** Where bytes come from: the side that connected, or the side it was connected to. */
export type From = 'client' | 'server';

/** A host and a port. */
export interface Place {
  readonly address: string;
  readonly port: number;
}

/** One connection through the proxy, both of its halves. */
class Relay {
  readonly client: Socket;
  readonly server: Socket;
  /** Bytes that went through, by where they came from. */
  readonly bytes: Record<From, number> = { client: 0, server: 0 };
  private readonly delayMs: () => number;
  /** The cut that is to come: when so many more bytes have passed from that side. */
  private fate: { readonly from: From; left: number; readonly how: Cut } | undefined;
  private isFrozen = false;
  private isOver = false;

  constructor(client: Socket, server: Socket, delayMs: () => number) {
    this.client = client;
    this.server = server;
    this.delayMs = delayMs;
    this.pump('client');
    this.pump('server');
  }

  cut(how: Cut): void {
    this.isOver = true;
    for (const socket of [this.client, this.server]) {
      if (how === 'rst') socket.resetAndDestroy();
      else {
        socket.end();
        // What still comes is nobody's any more; without reading it, the FIN of the other side is not seen.
        socket.resume();
      }
    }
  }

  cutAfter(from: From, bytes: number, how: Cut): void {
    this.fate = { from, left: bytes, how };
  }

  freeze(): void {
    this.isFrozen = true;
    for (const socket of [this.client, this.server]) socket.pause();
  }

  /** What was stuck goes on; where one side has gone meanwhile, the other learns it now. */
  thaw(): void {
    this.isFrozen = false;
    for (const socket of [this.client, this.server]) {
      if (socket.destroyed) this.other(socket).destroy();
      else socket.resume();
    }
  }

  destroy(): void {
    this.isOver = true;
    this.client.destroy();
    this.server.destroy();
  }

  private pump(from: From): void {
    const source = this[from];
    const target = this.other(source);
    source.on('data', (chunk: Buffer) => {
      if (this.isOver) return;
      const delay = this.delayMs();
      if (delay === 0) this.pass(from, chunk);
      else setTimeout(() => this.pass(from, chunk), delay);
    });
    target.on('drain', () => {
      if (!this.isFrozen) source.resume();
    });
    source.on('end', () => {
      if (!this.isFrozen && this.delayMs() === 0) target.end();
      else if (!this.isFrozen) setTimeout(() => target.end(), this.delayMs());
    });
    source.on('error', () => undefined);
    source.on('close', () => {
      // Of a half-open connection the other side learns nothing.
      if (!this.isFrozen && source.errored !== null) target.resetAndDestroy();
    });
    source.resume();
  }

  private pass(from: From, chunk: Buffer): void {
    const source = this[from];
    const target = this.other(source);
    if (this.isOver || target.destroyed) return;
    const { fate } = this;
    const isLast = fate !== undefined && fate.from === from && chunk.length >= fate.left;
    const piece = isLast ? chunk.subarray(0, fate.left) : chunk;
    if (fate !== undefined && fate.from === from) fate.left -= piece.length;
    this.bytes[from] += piece.length;
    const hasRoom = target.write(piece);
    // A reset would overtake what was just written.
    if (isLast && fate.how === 'rst' && piece.length > 0) setTimeout(() => this.cut('rst'), 1);
    else if (isLast) this.cut(fate.how);
    else if (!hasRoom) source.pause();
    if (isLast) this.isOver = true;
  }

  private other(socket: Socket): Socket {
    return socket === this.client ? this.server : this.client;
  }
}

/** A TCP proxy that does what networks do: cuts in good order or with a reset, at any byte; falls silent; delays; lets nobody in. */
export class FaultyNetwork implements AsyncDisposable {
  readonly address: string;
  readonly port: number;
  /** Connections so far. */
  accepted = 0;
  /** Milliseconds that every byte takes longer. */
  delayMs = 0;
  private readonly target: Place;
  private readonly relays = new Set<Relay>();
  private readonly waiters = new Set<() => void>();
  private readonly from: string;
  private server: Server | undefined;

  /** Listens on a port of its own; what connects is connected to `target`, from `from`. */
  static async listen(address: string, target: Place, from = address): Promise<FaultyNetwork> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    server.listen(0, address);
    await once(server, 'listening');
    return new FaultyNetwork(server, target, from);
  }

  private constructor(server: Server, target: Place, from: string) {
    const bound = server.address() as AddressInfo;
    this.address = bound.address;
    this.port = bound.port;
    this.target = target;
    this.from = from;
    this.serve(server);
  }

  /** Connections that are there now. */
  get open(): number {
    return this.relays.size;
  }

  /** Bytes that passed on the connections that are there now. */
  get bytes(): Readonly<Record<From, number>> {
    const all = [...this.relays];
    const sum = (from: From): number => all.reduce((total, relay) => total + relay.bytes[from], 0);
    return { client: sum('client'), server: sum('server') };
  }

  /** Breaks every connection that is there. */
  cut(how: Cut): void {
    for (const relay of this.relays) relay.cut(how);
  }

  /** Breaks the connections that are there when so many more bytes have come from that side. */
  cutAfter(from: From, bytes: number, how: Cut): void {
    for (const relay of this.relays) relay.cutAfter(from, bytes, how);
  }

  /** Nothing passes on the connections that are there, not even their end; new ones work. */
  freeze(): void {
    for (const relay of this.relays) relay.freeze();
  }

  thaw(): void {
    for (const relay of this.relays) relay.thaw();
  }

  /** Who connects now is refused. */
  async refuse(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server === undefined) return;
    server.close();
    await Promise.resolve();
  }

  /** Takes connections again. */
  async admit(): Promise<void> {
    if (this.server !== undefined) return;
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    server.listen(this.port, this.address);
    await once(server, 'listening');
    this.serve(server);
  }

  /** Resolves when the next connection has come. */
  async next(milliseconds = 10_000): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new Error(`nobody connected within ${milliseconds} ms`)), milliseconds);
    this.waiters.add(resolve);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.waiters.delete(resolve);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.refuse();
    for (const relay of this.relays) relay.destroy();
  }

  private serve(server: Server): void {
    this.server = server;
    server.on('connection', (client) => {
      client.on('error', () => undefined);
      client.pause();
      const onward = connect({
        host: this.target.address,
        port: this.target.port,
        localAddress: this.from,
        allowHalfOpen: true,
        noDelay: true,
      });
      // The target is not there: for the client it is as if the network said so.
      onward.once('error', () => client.resetAndDestroy());
      onward.once('connect', () => this.relay(client, onward));
    });
  }

  private relay(client: Socket, onward: Socket): void {
    const relay = new Relay(client, onward, () => this.delayMs);
    this.relays.add(relay);
    this.accepted += 1;
    const gone = (): void => {
      if (client.destroyed && onward.destroyed) this.relays.delete(relay);
    };
    client.on('close', gone);
    onward.on('close', gone);
    for (const tell of this.waiters) tell();
  }
}
