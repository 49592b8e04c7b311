import { once } from 'node:events';
import { request } from 'node:https';
import { WebSocket } from 'ws';
import { AUTHORITY, type ClientNode } from './client-node.ts';
import { type Wire, wireTo } from './raw-peer.ts';
import { until } from './until.ts';

/** What raw clients of a node say, on TCP and on WebSockets. */
export const HEADER =
  "<?xml version='1.0'?><stream:stream to='example.com' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
export const OPEN = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.com' version='1.0'/>";
export const SASL = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";

export function plainAuth(user: string, password: string): string {
  return `<auth ${SASL} mechanism='PLAIN'>${Buffer.from(`\0${user}\0${password}`).toString('base64')}</auth>`;
}

function bindOf(resource: string): string {
  return `<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${resource}</resource></bind></iq>`;
}

/** A raw connection to the port of direct TLS. */
export async function directTls(node: ClientNode, from = '127.0.0.1', ALPNProtocols?: string[]): Promise<Wire> {
  const wire = await wireTo('127.0.0.1', node.ports.tls, from);
  const protocols = ALPNProtocols === undefined ? {} : { ALPNProtocols };
  await wire.startTls('client', { servername: 'example.com', ...protocols });
  return wire;
}

/** As far as the features after authentication. */
export async function authenticated(wire: Wire): Promise<void> {
  wire.send(HEADER);
  await wire.expect('</stream:features>');
  wire.send(plainAuth('juliet', 'pencil'));
  await wire.expect('<success');
  wire.send(HEADER);
  await wire.expect('</stream:features>');
}

/** As far as the session juliet@example.com/x. */
export async function loggedIn(wire: Wire): Promise<void> {
  await authenticated(wire);
  wire.send(bindOf('x'));
  await wire.expect('</iq>');
}

/** A WebSocket of a raw client. */
export interface RawWebSocket extends AsyncDisposable {
  readonly socket: WebSocket;
  /** What came and was not an answer yet. */
  readonly messages: string[];
  /** Says something and waits for so many messages. */
  say(message: string, answers?: number): Promise<readonly string[]>;
}

/** @param protocol `null`: none is offered */
export async function webSocketTo(
  node: ClientNode,
  path = '/ws',
  protocol: string | null = 'xmpp',
): Promise<RawWebSocket> {
  const url = `wss://127.0.0.1:${node.ports.web}${path}`;
  const socket = new WebSocket(url, protocol === null ? [] : [protocol], { ca: AUTHORITY.pem });
  const messages: string[] = [];
  socket.on('message', (data: Buffer) => messages.push(data.toString()));
  await once(socket, 'open');
  return {
    socket,
    messages,
    async say(message, answers = 1) {
      socket.send(message);
      await until(() => messages.length >= answers, `${answers} answers`);
      return messages.splice(0, answers);
    },
    [Symbol.asyncDispose]: async () => {
      socket.terminate();
      await Promise.resolve();
    },
  };
}

/** As far as the session juliet@example.com/w. */
export async function loggedInOnWeb(web: RawWebSocket): Promise<void> {
  await web.say(OPEN, 2);
  await web.say(plainAuth('juliet', 'pencil'));
  await web.say(OPEN, 2);
  await web.say(bindOf('w'));
}

/** What HTTP on the port of the WebSocket answers. */
export interface HttpAnswer {
  readonly status: number | undefined;
  readonly type: string;
  /** Access-Control-Allow-Origin. */
  readonly origin: unknown;
  readonly text: string;
}

export function httpRequest(node: ClientNode, path: string, method = 'GET'): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: node.ports.web, path, method, ca: AUTHORITY.pem };
    const outgoing = request(options, (response) => {
      const { statusCode, headers } = response;
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({
          status: statusCode,
          type: headers['content-type'] ?? '',
          origin: headers['access-control-allow-origin'],
          text,
        }),
      );
    });
    outgoing.on('error', reject).end();
  });
}
