import {
  createServer as createHttp,
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import { hostPort } from '../../net/dns/records.ts';
import { PerSource, sourceOf } from '../../net/s2s/per-source.ts';
import { handshake } from '../../net/tls/handshake.ts';
import type { NoteSubject } from '../../protocol/notes.ts';
import type { Tap, TappedConversation } from '../capture/tap.ts';
import { drain } from './body.ts';
import { AxlDesk, type DeskContext, type Served } from './desk.ts';
import { stars, tapBody, tapHead, tapResponse } from './http-tap.ts';
import { AXL_LIMITS, type AxlLimits } from './limits.ts';
import { type Reply, textReply } from './reply.ts';

export interface AxlContext extends DeskContext {
  /** The node's certificate as it is now; `undefined`: there is none, and nobody can be served. */
  readonly tls: () => SecureContext | undefined;
  readonly tap: Tap;
  readonly limits?: Partial<AxlLimits>;
  /** Unix milliseconds. */
  readonly clock?: () => number;
}

/** Bytes of all headers of a request, and their number. */
const HEADER_BYTES = 8_192;
const MOST_HEADERS = 50;
/** Requests on one connection. */
const MOST_REQUESTS = 1_000;
/** How long a peer may take to read an answer, or for TLS, in milliseconds. */
const PATIENCE_MS = 30_000;
const HANDSHAKE_MS = 10_000;
/** How long the rest of a body that nobody wants is read, so that its sender reads our answer before it notices the end; in milliseconds. */
const LINGER_MS = 1_000;

/** What HTTP says in words (RFC 9110 §15); 599 is AXL's own. */
const PHRASES: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
  599: 'Unsupported AXL Version',
};

/** What is known of a connection besides its socket. */
interface Connection {
  readonly tapped: TappedConversation;
  /** Requests without an answer: a client may send several at once. */
  asked: number;
  /** Ends a connection on which no request comes. */
  timer: NodeJS.Timeout | undefined;
}

/**
 * The AXL service of a node: SOAP at `/axl/`, and the users as JSON at `/api/v1/users`, over HTTPS with HTTP Basic. Whoever has not proved an account
 * costs a handshake and a bounded header, never a body.
 */
export class AxlServer {
  readonly #context: AxlContext;
  readonly #limits: AxlLimits;
  readonly #clock: () => number;
  readonly #desk: AxlDesk;
  readonly #http: HttpServer;
  readonly #perSource = new PerSource();
  readonly #servers: Server[] = [];
  /** Connections that are secured. */
  readonly #connections = new Map<Socket, Connection>();
  readonly #handshakes = new Set<Socket>();
  #stopping = false;

  constructor(context: AxlContext) {
    this.#context = context;
    this.#limits = { ...AXL_LIMITS, ...context.limits };
    this.#clock = context.clock ?? Date.now;
    this.#desk = new AxlDesk(context, this.#limits, this.#clock);
    this.#http = this.#newHttp();
  }

  /** Connections that exist now. */
  get connections(): number {
    return this.#perSource.total;
  }

  /** Listens on an address; the promise is rejected with Node's error when that is not possible, else it is the port. */
  listen(host: string, port: number): Promise<number> {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: false }, (socket) => this.#admit(socket));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, ipv6Only: host.includes(':') }, () => {
        server.off('error', reject);
        server.on('error', (error) => this.#bug('the AXL listener', error));
        this.#servers.push(server);
        const bound = server.address();
        const actual = typeof bound === 'object' && bound !== null ? bound.port : port;
        this.#context.notes({ note: 'listening', what: 'AXL', address: hostPort(host, actual) }, {});
        resolve(actual);
      });
    });
  }

  /** Accepts nobody any more. A connection closes when what was asked on it is answered, and at once when nothing was. */
  stopListening(): void {
    this.#stopping = true;
    for (const server of this.#servers.splice(0)) server.close();
    for (const [socket, { timer }] of this.#connections) if (timer !== undefined) socket.destroy();
  }

  /** Ends every connection now, and accepts nobody any more. */
  destroy(): void {
    this.stopListening();
    for (const socket of [...this.#connections.keys(), ...this.#handshakes]) socket.destroy();
  }

  #newHttp(): HttpServer {
    const server = createHttp({ maxHeaderSize: HEADER_BYTES });
    server.maxHeadersCount = MOST_HEADERS;
    server.maxRequestsPerSocket = MOST_REQUESTS;
    server.on('request', (request, response) => void this.#serve(request, response));
    // Nobody is told to send a body before it is known that he may.
    server.on('checkContinue', (request, response) => void this.#serve(request, response));
    return server;
  }

  #admit(socket: Socket): void {
    const source = sourceOf(socket.remoteAddress ?? '');
    const { connections, connectionsPerSource } = this.#limits;
    const { total } = this.#perSource;
    const own = this.#perSource.of(source);
    if (socket.remoteAddress === undefined || total >= connections || own >= connectionsPerSource) {
      const because = `the AXL service has ${total} connections, ${own} of them from there`;
      this.#context.notes({ note: 'connection-refused', because }, subjectOf(socket));
      socket.destroy();
      return;
    }
    this.#perSource.take(source);
    socket.once('close', () => this.#perSource.give(source));
    void this.#secure(socket);
  }

  /** Never rejects: a handshake that fails ends the connection, and that is told. */
  async #secure(raw: Socket): Promise<void> {
    const subject = subjectOf(raw);
    const secureContext = this.#context.tls();
    if (secureContext === undefined) {
      this.#context.notes({ note: 'imp-axl-not-secured', detail: 'this node has no certificate' }, subject);
      raw.destroy();
      return;
    }
    const secured = new TLSSocket(raw, { isServer: true, secureContext });
    this.#handshakes.add(secured);
    const failed = await handshake(secured, raw, 'secure', { timeoutMs: HANDSHAKE_MS });
    this.#handshakes.delete(secured);
    if (failed !== undefined) this.#context.notes({ note: 'imp-axl-not-secured', detail: failed }, subject);
    else this.#begin(secured);
  }

  #begin(socket: TLSSocket): void {
    const { localAddress = '', localPort = 0, remoteAddress = '', remotePort = 0 } = socket;
    const tapped = this.#context.tap.opened({
      protocol: 'http',
      local: { address: localAddress, port: localPort },
      remote: { address: remoteAddress, port: remotePort },
      openedBy: 'remote',
    });
    this.#connections.set(socket, { tapped, asked: 0, timer: undefined });
    socket.once('close', () => {
      clearTimeout(this.#connections.get(socket)?.timer);
      this.#connections.delete(socket);
      tapped.closed();
    });
    socket.setTimeout(PATIENCE_MS, () => socket.destroy());
    this.#await(socket);
    this.#http.emit('connection', socket);
  }

  /** The next request, its header complete, has to come in time. (The time-outs of Node's server are those of a server that listens by itself.) */
  #await(socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined || connection.asked > 0) return;
    clearTimeout(connection.timer);
    connection.timer = setTimeout(() => socket.destroy(), this.#limits.headers);
    if (this.#stopping) socket.destroy();
  }

  /** Never rejects: whatever happens is answered and told. */
  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const began = performance.now();
    const { socket } = request;
    const connection = this.#connections.get(socket);
    if (connection !== undefined) {
      clearTimeout(connection.timer);
      connection.timer = undefined;
      connection.asked += 1;
      tapHead(connection.tapped, request);
    }
    const subject = subjectOf(socket);
    const { reply, user, function: asked } = await this.#served(request, response, subject);
    const { bytes } = this.#limits.body;
    if (request.headers.expect === undefined) {
      const left = await drain(request, { bytes, time: LINGER_MS });
      if (connection !== undefined && left > 0) tapBody(connection.tapped, request, stars(left));
    }
    response.once('finish', () => {
      if (connection !== undefined) connection.asked -= 1;
      this.#await(socket);
    });
    this.#send(request, response, reply);
    const { status, because } = reply;
    const milliseconds = Math.round(performance.now() - began);
    this.#context.notes({ note: 'imp-axl-request', user, function: asked, status, milliseconds, because }, subject);
  }

  async #served(request: IncomingMessage, response: ServerResponse, subject: NoteSubject): Promise<Served> {
    try {
      const tapped = this.#connections.get(request.socket)?.tapped;
      return await this.#desk.serve({ request, response, subject, tapped });
    } catch (error) {
      this.#bug('an AXL request', error);
      const reply = textReply(500, 'A fault of fedway itself; its log has more.', { close: true });
      return { reply, user: undefined, function: 'unknown' };
    }
  }

  #send(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
    const body = Buffer.from(reply.body);
    const phrase = PHRASES[reply.status] ?? '';
    const close = reply.close === true || !request.complete || this.#stopping;
    const headers: Record<string, string> = {
      Date: new Date(this.#clock()).toUTCString(),
      'Content-Type': `${reply.type}; charset=utf-8`,
      'Content-Length': String(body.length),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      Connection: close ? 'close' : 'keep-alive',
      ...reply.headers,
    };
    response.writeHead(reply.status, phrase, headers);
    response.end(body);
    const tapped = this.#connections.get(request.socket)?.tapped;
    if (tapped !== undefined) tapResponse(tapped, { status: reply.status, phrase, headers, body });
  }

  #bug(where: string, error: unknown): void {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#context.notes({ note: 'bug', where, detail }, {});
  }
}

function subjectOf({ remoteAddress, remotePort }: Socket): NoteSubject {
  return remoteAddress === undefined ? {} : { direction: 'in', peer: hostPort(remoteAddress, remotePort ?? 0) };
}
