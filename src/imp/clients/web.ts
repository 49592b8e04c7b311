import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';
import { LARGEST_MESSAGE } from '../../protocol/c2s/framing.ts';
import { escapeAttribute } from '../../protocol/xml/write.ts';

/** Where the WebSocket is. */
export const WEBSOCKET_PATH = '/ws';
const SUBPROTOCOL = 'xmpp';
const RELATION = 'urn:xmpp:alt-connections:websocket';
/** How long a connection may take to become a WebSocket, requests for host-meta included. */
const HTTP_MS = 30_000;
/** Bytes of all headers of a request. */
const HEADER_BYTES = 8 * 1024;

export interface WebContext {
  /** The address of the WebSocket as clients are told (XEP-0156). */
  address(): string;
  opened(socket: TLSSocket, peer: WebSocket): void;
  refused(socket: Duplex, because: string): void;
}

/** HTTP below the WebSocket (RFC 7395 §3.1), and the two files by which clients find it (XEP-0156 §2.3, §2.4). */
export class ClientWeb {
  private readonly context: WebContext;
  private readonly http: Server;
  private readonly upgrades: WebSocketServer;

  constructor(context: WebContext) {
    this.context = context;
    this.upgrades = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: LARGEST_MESSAGE,
      // Compression with secrets beside what others wrote tells about the secrets (XEP-0138 is obsolete for the same reason).
      perMessageDeflate: false,
      // A client that forgets the sub-protocol is refused before this is asked.
      handleProtocols: () => SUBPROTOCOL,
    });
    this.http = createServer({ maxHeaderSize: HEADER_BYTES, keepAlive: true }, (request, response) =>
      this.answer(request, response),
    );
    this.http.on('upgrade', (request, socket, head) => this.upgrade(request, socket, head));
    this.http.on('clientError', (error, socket) => {
      this.context.refused(socket, `a request is not HTTP: ${error.message}`);
      socket.destroy();
    });
  }

  /** A connection that is secured. */
  serve(socket: TLSSocket): void {
    // The server's own time-outs are those of a server that listens; this one is handed its connections.
    const timer = setTimeout(() => socket.destroy(), HTTP_MS);
    WAITING.set(socket, timer);
    socket.once('close', () => clearTimeout(timer));
    this.http.emit('connection', socket);
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const because = refusalOf(request);
    if (because !== undefined) {
      this.context.refused(socket, because);
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    this.upgrades.handleUpgrade(request, socket, head, (peer) => {
      const secured = request.socket;
      clearTimeout(WAITING.get(secured));
      if (isSecured(secured)) this.context.opened(secured, peer);
      else peer.terminate();
    });
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const path = pathOf(request);
    const content = this.contentOf(path);
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    response.setHeader('Connection', 'close');
    response.setHeader('X-Content-Type-Options', 'nosniff');
    if (content === undefined) response.writeHead(path === WEBSOCKET_PATH ? 426 : 404, UPGRADE);
    else if (!isRead) response.writeHead(405, { Allow: 'GET, HEAD' });
    else {
      // XEP-0156 §3: a client in a browser comes from another origin.
      response.writeHead(200, { 'Content-Type': content.type, 'Access-Control-Allow-Origin': '*' });
      response.end(request.method === 'HEAD' ? undefined : content.text);
      return;
    }
    response.end();
  }

  private contentOf(path: string): { readonly type: string; readonly text: string } | undefined {
    const href = this.context.address();
    if (path === '/.well-known/host-meta') {
      const link = `<Link rel='${RELATION}' href='${escapeAttribute(href)}'/>`;
      const text = `<?xml version='1.0' encoding='utf-8'?><XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>${link}</XRD>`;
      return { type: 'application/xrd+xml; charset=utf-8', text };
    }
    if (path === '/.well-known/host-meta.json')
      return { type: 'application/json', text: JSON.stringify({ links: [{ rel: RELATION, href }] }) };
    return undefined;
  }
}

/** The timer of a connection that is not a WebSocket yet. */
const WAITING = new WeakMap<Duplex, NodeJS.Timeout>();
const UPGRADE = { Upgrade: 'websocket' } as const;

/** Why a request does not become a WebSocket; what is wrong with it as a WebSocket is for the library to say. */
function refusalOf(request: IncomingMessage): string | undefined {
  if (pathOf(request) !== WEBSOCKET_PATH) return `there is a WebSocket at ${WEBSOCKET_PATH} alone`;
  const offered = request.headers['sec-websocket-protocol']?.split(',').map((each) => each.trim()) ?? [];
  // RFC 7395 §3.1
  return offered.includes(SUBPROTOCOL) ? undefined : `the client does not offer the sub-protocol ${SUBPROTOCOL}`;
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '';
}

function isSecured(socket: Duplex): socket is TLSSocket {
  return 'encrypted' in socket;
}
