/** A TCP proxy on 127.0.0.1 that can fail in the ways of a network. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class LinkProxy implements AsyncDisposable {
  /** Connections that were accepted. */
  accepted = 0;
  private readonly server: Server;
  private readonly pairs = new Set<readonly [Socket, Socket]>();

  private constructor(target: () => number) {
    this.server = createServer({ pauseOnConnect: true }, (near) => {
      this.accepted += 1;
      const far = connect(target(), '127.0.0.1');
      const pair = [near, far] as const;
      this.pairs.add(pair);
      const end = (): void => {
        near.destroy();
        far.destroy();
        this.pairs.delete(pair);
      };
      for (const [from, to] of [pair, [far, near] as const]) {
        from.on('error', end);
        from.on('close', end);
        from.on('data', (chunk: Buffer) => to.write(chunk));
        from.resume();
      }
    });
  }

  /** @param target the port to connect to, asked for each connection */
  static async start(target: () => number): Promise<LinkProxy> {
    const proxy = new LinkProxy(target);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Ends every connection. */
  cut(): void {
    for (const [near, far] of this.pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  }

  /** What is connected now stays so, and nothing passes any more; new connections work. */
  swallow(): void {
    for (const [near, far] of this.pairs) {
      for (const socket of [near, far]) {
        socket.removeAllListeners('data');
        // Read and thrown away: neither end notices.
        socket.on('data', () => undefined);
        socket.removeAllListeners('close');
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const [near, far] of this.pairs) {
      near.destroy();
      far.destroy();
    }
    const closed = once(this.server, 'close');
    this.server.close();
    await closed;
  }
}
