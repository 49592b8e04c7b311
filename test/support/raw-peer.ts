import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import * as tls from 'node:tls';
import type { Issued } from './certificates.ts';

/** How long anything that must happen may take, unless a test says otherwise. Milliseconds. */
const SOON = 5_000;

/** A connection that a test holds by its bytes: nothing is sent that the test did not write, nothing is read but recorded. */
export class Wire implements AsyncDisposable {
  /** What arrived and was not consumed by `expect`; a stream restart does not clear it. */
  text = '';
  /** Bytes that ever arrived, also while `recording` is off. */
  bytes = 0;
  /** Off: bytes are counted and forgotten, for loads. */
  recording = true;
  /** Set once the other side sent FIN, or the connection broke. */
  ended = false;
  /** Gets every piece of text that arrives. */
  onText: ((text: string) => void) | undefined;
  socket: Socket;
  /** As the log of the other side names us. */
  readonly name: string;
  readonly #changed = new Set<() => void>();
  readonly #tcp: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
    this.#tcp = socket;
    this.name = `${socket.localAddress ?? ''}:${socket.localPort ?? 0}`;
    this.#listen(socket);
  }

  send(data: string | Uint8Array): this {
    if (!this.socket.destroyed) this.socket.write(data);
    return this;
  }

  /** Sends, and waits until there is room for more; whether there was within the time. */
  async pour(data: string | Uint8Array, milliseconds = 1_000): Promise<boolean> {
    this.send(data);
    const deadline = performance.now() + milliseconds;
    while (!this.ended && this.socket.writableNeedDrain) {
      if (performance.now() >= deadline) return false;
      await this.#change(deadline, () => '').catch(() => undefined);
    }
    return !this.ended;
  }

  /** Consumes what arrived up to the match, waiting for it, and returns it. */
  async expect(pattern: RegExp | string, milliseconds = SOON): Promise<string> {
    const deadline = performance.now() + milliseconds;
    for (;;) {
      const end = endOf(this.text, pattern);
      if (end !== undefined) {
        const taken = this.text.slice(0, end);
        this.text = this.text.slice(end);
        return taken;
      }
      if (this.ended) throw new Error(`the connection ended before ${String(pattern)}; there was: ${this.text}`);
      await this.#change(deadline, () => `nothing like ${String(pattern)}; there was: ${this.text.slice(0, 2000)}`);
    }
  }

  /** Waits for the end of the connection; what arrived until then, without what was consumed. */
  async end(milliseconds = SOON): Promise<string> {
    const deadline = performance.now() + milliseconds;
    while (!this.ended)
      await this.#change(deadline, () => `the connection is still open; there was: ${this.text.slice(0, 2000)}`);
    return this.text;
  }

  /** TLS from the next byte on, whoever starts it here. Rejects when the handshake fails. */
  async startTls(
    role: 'client' | 'server',
    options: { readonly certificate?: Issued; readonly servername?: string } & tls.SecureContextOptions & {
        readonly ALPNProtocols?: string[];
        readonly session?: Buffer;
      } = {},
  ): Promise<void> {
    const { certificate, servername, ALPNProtocols, ...more } = options;
    const protocols = ALPNProtocols === undefined ? {} : { ALPNProtocols };
    const material = certificate === undefined ? {} : { cert: certificate.chainPem, key: certificate.keyPem };
    const plain = this.socket;
    this.#unlisten(plain);
    plain.on('error', ignore);
    const secured =
      role === 'client'
        ? tls.connect({
            socket: plain,
            rejectUnauthorized: false,
            ...(servername === undefined ? {} : { servername }),
            ...material,
            ...protocols,
            ...more,
          })
        : new tls.TLSSocket(plain, {
            isServer: true,
            requestCert: true,
            rejectUnauthorized: false,
            ...protocols,
            secureContext: tls.createSecureContext({ ...material, ...more }),
          });
    secured.on('error', ignore);
    const done = Promise.withResolvers<void>();
    secured.once(role === 'client' ? 'secureConnect' : 'secure', done.resolve);
    secured.once('error', done.reject);
    secured.once('close', () => done.reject(new Error('the connection ended in the handshake')));
    try {
      await done.promise;
    } catch (error) {
      this.#over();
      throw error;
    }
    this.socket = secured;
    this.#listen(secured);
  }

  /** Ends our side in good order. */
  fin(): void {
    this.socket.end();
  }

  /** Ends with a reset, as a process that was killed with unread data does. */
  reset(): void {
    this.#tcp.resetAndDestroy();
  }

  destroy(): void {
    this.socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await Promise.resolve();
  }

  #listen(socket: Socket): void {
    socket.on('data', this.#onData);
    socket.on('drain', this.#onDrain);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onEnd);
    socket.on('error', this.#onEnd);
    if (socket.destroyed) this.#over();
  }

  #unlisten(socket: Socket): void {
    socket.off('data', this.#onData);
    socket.off('drain', this.#onDrain);
    socket.off('end', this.#onEnd);
    socket.off('close', this.#onEnd);
    socket.off('error', this.#onEnd);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.bytes += chunk.length;
    if (this.onText !== undefined) this.onText(chunk.toString('utf8'));
    if (this.recording) this.text += chunk.toString('utf8');
    this.#tell();
  };

  readonly #onDrain = (): void => this.#tell();

  readonly #onEnd = (): void => this.#over();

  #over(): void {
    this.ended = true;
    this.#tell();
  }

  #tell(): void {
    for (const each of this.#changed) each();
  }

  async #change(deadline: number, complaint: () => string): Promise<void> {
    const left = deadline - performance.now();
    if (left <= 0) throw new Error(complaint());
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, left);
    this.#changed.add(resolve);
    await promise;
    clearTimeout(timer);
    this.#changed.delete(resolve);
  }
}

/** A raw connection from a loopback address of the test's choice. */
export async function wireTo(address: string, port: number, from: string): Promise<Wire> {
  const socket = connect({ host: address, port, localAddress: from, noDelay: true });
  await once(socket, 'connect');
  return new Wire(socket);
}

/** What a peer does with a connection that fedway opened to it. What it rejects with is kept for the test. */
export type Script = (wire: Wire) => Promise<void> | void;

/** A server of a partner: every connection plays the script of the moment. */
export class PeerServer implements AsyncDisposable {
  /** Every connection so far, the first one first. */
  readonly wires: Wire[] = [];
  /** What went wrong in scripts: a test that cares looks here. */
  readonly failures: unknown[] = [];
  readonly address: string;
  readonly port: number;
  script: Script;
  readonly #server: Server;

  static async listen(address: string, script: Script): Promise<PeerServer> {
    const server = createServer({ noDelay: true });
    server.listen(0, address);
    await once(server, 'listening');
    return new PeerServer(server, script);
  }

  private constructor(server: Server, script: Script) {
    const bound = server.address() as AddressInfo;
    this.address = bound.address;
    this.port = bound.port;
    this.script = script;
    this.#server = server;
    server.on('connection', (socket) => {
      const wire = new Wire(socket);
      this.wires.push(wire);
      void (async () => this.script(wire))().catch((error: unknown) => this.failures.push(error));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const wire of this.wires) wire.destroy();
    await Promise.resolve();
  }
}

function endOf(text: string, pattern: RegExp | string): number | undefined {
  if (typeof pattern === 'string') {
    const at = text.indexOf(pattern);
    return at === -1 ? undefined : at + pattern.length;
  }
  const found = pattern.exec(text);
  return found === null ? undefined : found.index + found[0].length;
}

function ignore(): void {
  // The end of the connection is what tests look at.
}
