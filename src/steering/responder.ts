import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, isIPv6, type Server, type Socket } from 'node:net';
import type { NoteSink } from '../protocol/notes.ts';
import { Forwarder, type Upstream } from './forward.ts';
import { encodeAnswer, encodeFailure, encodeUnreadable, type Query, RCODE, readQuery } from './message.ts';
import { type Steered, type SteeringSettings, steer } from './steer.ts';
import { framed, MessageReader } from './tcp-frames.ts';

/** Bounds of the TCP side. */
const TCP = { connections: 64, idleMilliseconds: 10_000, longestQuery: 4096, openQueries: 16 } as const;

export interface ResponderOptions {
  readonly listen: readonly { readonly address: string; readonly port: number }[];
  readonly settings: SteeringSettings;
  /** Where questions go that are not steered; none: they are refused. */
  readonly forwardTo?: readonly Upstream[];
  /** Milliseconds for an answer of one of them. */
  readonly forwardTimeout?: number;
  readonly notes: NoteSink;
}

/** How many messages were treated in which way. */
export interface SteeringCounts {
  steered: number;
  noData: number;
  refused: number;
  forwarded: number;
  /** Forwarded, and no answer came. */
  unanswered: number;
  /** Nothing that can be answered. */
  dropped: number;
}

/**
 * The DNS server for the XMPP servers inside: it leads their S2S to fedway. `steer` says which question gets which answer; what is
 * not steered is refused or forwarded. It keeps nothing between questions, and answers are no longer than a datagram.
 */
export class SteeringResponder {
  readonly counts: SteeringCounts = { steered: 0, noData: 0, refused: 0, forwarded: 0, unanswered: 0, dropped: 0 };
  readonly #options: ResponderOptions;
  readonly #forwarder: Forwarder | undefined;
  readonly #udp: UdpSocket[] = [];
  readonly #tcp: Server[] = [];
  readonly #connections = new Set<Socket>();
  #settings: SteeringSettings;

  constructor(options: ResponderOptions) {
    this.#options = options;
    this.#settings = options.settings;
    const { forwardTo = [], forwardTimeout = 2000 } = options;
    this.#forwarder = forwardTo.length === 0 ? undefined : new Forwarder(forwardTo, forwardTimeout);
  }

  /**
   * Listens on every address, for UDP and TCP.
   *
   * @returns the addresses, with the ports that were chosen where 0 was asked for
   * @throws Error naming the address; then none is listened on
   */
  async start(): Promise<readonly { readonly address: string; readonly port: number }[]> {
    const bound: { readonly address: string; readonly port: number }[] = [];
    for (const { address, port } of this.#options.listen) {
      try {
        bound.push(await this.#listen(address, port));
      } catch (error) {
        await this.close();
        throw new Error(`cannot answer DNS on ${shown(address, port)}: ${(error as Error).message}`, { cause: error });
      }
    }
    return bound;
  }

  /** From the next question on, these settings hold. */
  reconfigure(settings: SteeringSettings): void {
    this.#settings = settings;
  }

  async close(): Promise<void> {
    this.#forwarder?.close();
    for (const connection of this.#connections) connection.destroy();
    const ends = [...this.#udp, ...this.#tcp].map((socket) => once(socket, 'close'));
    for (const socket of [...this.#udp.splice(0), ...this.#tcp.splice(0)]) socket.close();
    await Promise.all(ends);
  }

  async #listen(address: string, port: number): Promise<{ readonly address: string; readonly port: number }> {
    const server = createServer((socket) => this.#serve(socket));
    server.maxConnections = TCP.connections;
    server.listen({ host: address, port, ipv6Only: true });
    await once(server, 'listening');
    this.#tcp.push(server);
    const bound = (server.address() as AddressInfo).port;

    const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', ipv6Only: isIPv6(address) });
    socket.bind(bound, address);
    try {
      await once(socket, 'listening');
    } catch (error) {
      socket.close();
      throw error;
    }
    this.#udp.push(socket);
    // A client that went away, a connection that could not be accepted: the next one is as welcome.
    server.on('error', () => this.counts.dropped++);
    socket.on('error', () => this.counts.dropped++);
    socket.on('message', (bytes, client) => void this.#answerDatagram(socket, bytes, client));
    return { address, port: bound };
  }

  #serve(socket: Socket): void {
    const client = shown(socket.remoteAddress ?? '', socket.remotePort ?? 0);
    const reader = new MessageReader(TCP.longestQuery);
    let open = 0;
    const answerOne = async (query: Buffer): Promise<void> => {
      const reply = await this.#answer(query, client, 'tcp');
      open--;
      if (reply !== undefined && socket.writable) socket.write(framed(reply));
    };
    this.#connections.add(socket);
    socket.on('close', () => this.#connections.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setTimeout(TCP.idleMilliseconds, () => socket.destroy());
    socket.on('data', (chunk) => {
      const queries = reader.read(chunk);
      // A client that does not read its answers, or asks without end, is no resolver.
      if (queries === undefined || open + queries.length > TCP.openQueries || socket.writableNeedDrain) {
        this.counts.dropped++;
        socket.destroy();
        return;
      }
      for (const query of queries) {
        open++;
        void answerOne(query);
      }
    });
  }

  async #answerDatagram(socket: UdpSocket, bytes: Buffer, { address, port }: RemoteInfo): Promise<void> {
    const reply = await this.#answer(bytes, shown(address, port), 'udp');
    // Nobody can be answered on port 0, which a forged datagram may come from.
    if (reply !== undefined && port !== 0 && this.#udp.includes(socket)) socket.send(reply, port, address);
  }

  /** The answer to a message, `undefined` when it gets none. Does not reject: a fault of ours costs one answer. */
  async #answer(bytes: Buffer, client: string, over: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    try {
      const query = readQuery(bytes);
      if ('bytes' in query) return await this.#answerQuery(query, client, over);
      this.counts.dropped++;
      return query.answer === undefined ? undefined : encodeUnreadable(bytes, query.answer);
    } catch (error) {
      this.#options.notes(
        { note: 'bug', where: 'steering responder', detail: (error as Error).stack ?? String(error) },
        {},
      );
      return undefined;
    }
  }

  async #answerQuery(query: Query, client: string, over: 'udp' | 'tcp'): Promise<Buffer> {
    // RFC 6891 §6.1.3: we know version 0.
    if (query.edns !== undefined && query.edns.version !== 0) {
      this.counts.dropped++;
      return encodeFailure(query, RCODE.badVers);
    }
    const settings = this.#settings;
    const steered = query.isInternet ? steer(query.name, query.type, settings) : undefined;
    if (steered === undefined) return this.#rest(query, over);

    if (steered.steer === 'no-data') this.counts.noData++;
    else this.counts.steered++;
    const question = `${query.type} ${query.name.toLowerCase()}`;
    this.#options.notes({ note: 'steered', question, client, answer: inWords(steered, settings) }, {});
    return encodeAnswer(query, steered, settings, over);
  }

  async #rest(query: Query, over: 'udp' | 'tcp'): Promise<Buffer> {
    if (this.#forwarder === undefined) {
      this.counts.refused++;
      return encodeFailure(query, RCODE.refused);
    }
    this.counts.forwarded++;
    const reply = await this.#forwarder.forward(query.bytes, query.questionEnd, over);
    if (reply !== undefined) return reply;
    this.counts.unanswered++;
    return encodeFailure(query, RCODE.servFail);
  }
}

function inWords(steered: Steered, { port }: SteeringSettings): string {
  if (steered.steer === 'no-data') return 'no data';
  const addresses = steered.addresses.join(', ');
  return steered.steer === 'srv' ? `${steered.domain}:${port} at ${addresses}` : addresses;
}

function shown(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
