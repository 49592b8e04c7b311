/** An AXL server for tests: HTTPS on a loopback address, with answers that the test decides. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { ServerOptions } from 'node:https';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { readRequest } from '../../src/axl/soap/read.ts';
import type { AxlRequest, AxlRow } from '../../src/axl/soap/types.ts';
import type { Written } from '../../src/axl/soap/write.ts';
import { writeFault, writeRows, writeUpdated } from '../../src/axl/soap/write.ts';
import { authority, leaf } from './certificates.ts';

export const axlRoot = authority('AXL Lab CA');
/** For 127.0.0.1, by `axlRoot`. */
export const axlLeaf = leaf([], axlRoot, { names: [{ ip: [127, 0, 0, 1] }, { dns: 'cups.lab' }], subject: 'cups.lab' });

/** What the server says to one request. A function answers by itself, or never. */
export type Say =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  | 'nothing'
  | 'hang up';

export interface AxlAsked {
  readonly request: AxlRequest;
  readonly headers: IncomingMessage['headers'];
}

export class AxlDouble implements AsyncDisposable {
  readonly port: number;
  /** Every request that was read, in order. */
  readonly asked: AxlAsked[] = [];
  /** Connections that were made, TLS included. */
  connections = 0;
  readonly #server: ReturnType<typeof createServer>;
  readonly #sockets: ReadonlySet<Socket>;

  private constructor(server: ReturnType<typeof createServer>, sockets: ReadonlySet<Socket>) {
    this.#server = server;
    this.#sockets = sockets;
    this.port = (server.address() as AddressInfo).port;
  }

  static async start(say: (asked: AxlAsked) => Say | Promise<Say>, options: ServerOptions = {}): Promise<AxlDouble> {
    const sockets = new Set<Socket>();
    const server = createServer({ cert: axlLeaf.chainPem, key: axlLeaf.keyPem, ...options });
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const double = new AxlDouble(server, sockets);
    server.on('secureConnection', () => {
      double.connections += 1;
    });
    server.on('request', (request, response) => {
      void text(request).then(async (body) => {
        const read = readRequest(Buffer.from(body));
        if (!('request' in read)) return response.writeHead(400).end(JSON.stringify(read));
        const asked = { request: read.request, headers: request.headers };
        double.asked.push(asked);
        const said = await say(asked);
        if (said === 'hang up') return response.socket?.destroy();
        if (said === 'nothing') return undefined;
        return response.writeHead(said.status, said.headers).end(said.body);
      });
    });
    return double;
  }

  /** Ends every connection; the server goes on. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, 'close');
  }
}

const XML = { 'Content-Type': 'text/xml;charset=UTF-8' };

export function rows({ request }: AxlAsked, list: readonly AxlRow[]): Say {
  return { status: 200, headers: XML, body: xmlOf(writeRows(request, list)) };
}

export function updated({ request }: AxlAsked, count: number): Say {
  return { status: 200, headers: XML, body: xmlOf(writeUpdated(request, count)) };
}

export function fault({ request }: AxlAsked, axlcode: number, axlmessage: string): Say {
  const body = writeFault({ axlcode, axlmessage, request: request.function, faultstring: axlmessage }, 'Client');
  return { status: 500, headers: XML, body };
}

function xmlOf(written: Written): string {
  if ('fault' in written) throw new Error(written.fault);
  return written.xml;
}
