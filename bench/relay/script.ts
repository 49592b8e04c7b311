import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import * as tls from 'node:tls';
import type { CertificateFiles } from '../../test/lab/certificates.ts';

const STREAMS = 'http://etherx.jabber.org/streams';
const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
const TLS = 'urn:ietf:params:xml:ns:xmpp-tls';
const PATIENCE_MS = 10_000;

/** One cipher for all, so that systems are compared and not their preferences. */
export const TLS_OPTIONS = {
  minVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_128_GCM_SHA256',
  rejectUnauthorized: false,
} as const;

/** The side of a conversation that knows by heart what comes. */
export class Script {
  socket: Socket;
  private heard = '';
  private listener: () => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    this.listen();
  }

  say(xml: string): void {
    this.socket.write(xml);
  }

  /** Waits for what fits; everything up to its end is forgotten. */
  async hear(pattern: RegExp): Promise<RegExpExecArray> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const found = pattern.exec(this.heard);
      if (found !== null) {
        this.heard = this.heard.slice(found.index + found[0].length);
        return found;
      }
      if (this.socket.destroyed || performance.now() > deadline)
        throw new Error(`expected ${String(pattern)}, and heard: ${this.heard.slice(0, 500)}`);
      await new Promise<void>((resolve) => {
        this.listener = resolve;
        setTimeout(resolve, 200);
      });
    }
  }

  /** Goes on over TLS; `domain` is the name asked for, or `undefined` for the server's side. */
  async secure(own: CertificateFiles, domain?: string): Promise<void> {
    this.unlisten();
    const { socket } = this;
    const options = { ...TLS_OPTIONS, cert: readFileSync(own.certificate), key: readFileSync(own.key) };
    const secured =
      domain === undefined
        ? new tls.TLSSocket(socket, { ...options, isServer: true, requestCert: true })
        : tls.connect({ ...options, socket, servername: domain });
    await once(secured, domain === undefined ? 'secure' : 'secureConnect');
    this.socket = secured;
    this.listen();
  }

  /** The conversation is over: bytes go to `take` from now on. */
  handOver(take: (bytes: Buffer) => void): Socket {
    this.unlisten();
    if (this.heard !== '') take(Buffer.from(this.heard));
    this.socket.on('data', take).resume();
    return this.socket;
  }

  private listen(): void {
    this.socket.on('data', this.onData).on('error', this.onError).on('close', this.onError);
  }

  private unlisten(): void {
    this.socket.off('data', this.onData);
    this.socket.pause();
  }

  private readonly onData = (bytes: Buffer): void => {
    this.heard += bytes.toString('utf8');
    this.listener();
  };

  /** That the connection is gone shows where the next words are awaited, or where stanzas are missing. */
  private readonly onError = (): void => this.listener();
}

/** Connects as XEP-0114 component. */
export async function asComponent(host: string, name: string, secret: string): Promise<Script> {
  const script = new Script(await connected(host, 5347));
  script.say(
    `<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='${STREAMS}' to='${name}'>`,
  );
  const header = await script.hear(/<stream:stream[^>]*\sid=["']([^"']+)["'][^>]*>/);
  script.say(`<handshake>${createHash('sha1').update(`${header[1]}${secret}`).digest('hex')}</handshake>`);
  await script.hear(/<handshake\s*(?:\/>|><\/handshake>)/);
  return script;
}

/** Opens an S2S stream with STARTTLS and SASL EXTERNAL (RFC 6120 §5, XEP-0178 §3). */
export async function asInitiating(host: string, from: string, to: string, own: CertificateFiles): Promise<Script> {
  const script = new Script(await connected(host, 5269));
  const header = serverHeader(from, to);
  script.say(header);
  await script.hear(/<\/stream:features>/);
  script.say(`<starttls xmlns='${TLS}'/>`);
  await script.hear(/<proceed[^>]*>/);
  await script.secure(own, to);
  script.say(header);
  await script.hear(/EXTERNAL[\s\S]*<\/stream:features>/);
  script.say(`<auth xmlns='${SASL}' mechanism='EXTERNAL'>${Buffer.from(from).toString('base64')}</auth>`);
  await script.hear(/<success[^>]*>/);
  script.say(header);
  await script.hear(/<\/stream:features>|<stream:features\s*\/>/);
  return script;
}

/** Waits for a server's S2S stream, and lets it authenticate with SASL EXTERNAL. Ask for `opened` after what makes it connect. */
export async function asReceiving(
  host: string,
  own: CertificateFiles,
): Promise<{ readonly opened: Promise<Script>; close(): void }> {
  const { promise, resolve, reject } = Promise.withResolvers<Script>();
  let last = 'it did not connect';
  setTimeout(() => reject(new Error(`no stream to the partner: ${last}`)), PATIENCE_MS).unref();
  const server = await listening(host, 5269, (socket) => {
    // A connection that breaks off may not be the one that is awaited.
    receive(new Script(socket), own).then(resolve, (error: unknown) => {
      last = String(error);
      socket.destroy();
    });
  });
  return { opened: promise, close: () => server.close() };
}

async function receive(script: Script, own: CertificateFiles): Promise<Script> {
  const answer = async (features: string): Promise<void> => {
    const [header] = await script.hear(/<stream:stream[^>]*>/);
    const to = /\sfrom=["']([^"']*)["']/.exec(header)?.[1] ?? '';
    const from = /\sto=["']([^"']*)["']/.exec(header)?.[1] ?? '';
    script.say(
      `${serverHeader(from, to, ` id='${Date.now().toString(36)}'`)}<stream:features>${features}</stream:features>`,
    );
  };
  await answer(`<starttls xmlns='${TLS}'><required/></starttls>`);
  await script.hear(/<starttls[^>]*>/);
  script.say(`<proceed xmlns='${TLS}'/>`);
  await script.secure(own);
  await answer(`<mechanisms xmlns='${SASL}'><mechanism>EXTERNAL</mechanism></mechanisms>`);
  await script.hear(/<auth[^>]*(?:\/>|>[^<]*<\/auth>)/);
  script.say(`<success xmlns='${SASL}'/>`);
  await answer('');
  return script;
}

/** A TCP connection. */
export async function connected(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true });
  await once(socket, 'connect');
  return socket;
}

/** A TCP server that listens. */
export async function listening(host: string, port: number, accept: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ noDelay: true }, accept);
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}

function serverHeader(from: string, to: string, id = ''): string {
  return (
    `<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='${STREAMS}' ` +
    `from='${from}' to='${to}'${id} version='1.0'>`
  );
}
