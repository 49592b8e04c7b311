import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import type net from 'node:net';
import tls from 'node:tls';
import { TextDecoder } from 'node:util';
import { HERE, type Place } from './place.ts';
import { chooseSasl } from './sasl.ts';
import { child, type Element, type ElementStream, escape, readElements, toXml } from './xml.ts';

export interface ClientOptions {
  /** Bare address, `alice@coluc.com`. */
  readonly account: string;
  readonly password: string;
  readonly host: string;
  readonly port?: number;
  readonly resource?: string;
  /** Where it connects from. */
  readonly place?: Place;
  /** PEM text of the authorities to trust. STARTTLS is used when this is given and the server offers it. */
  readonly authorities?: string;
}

/** Milliseconds; generous, because a first stanza may wait for DNS, TLS and dialback on a busy machine. */
const PATIENCE = 20_000;

interface Waiter {
  readonly wanted: (stanza: Element) => boolean;
  readonly found: (stanza: Element) => void;
  readonly failed: (error: Error) => void;
}

/**
 * A small XMPP client for tests: one session over plain TCP or STARTTLS, SASL, resource binding.
 *
 * What arrives is kept in `unread` until somebody waits for it. IQ requests are answered by the client itself: pings with a result,
 * disco#info with an identity, all others with `service-unavailable`.
 */
export class TestClient {
  readonly account: string;
  readonly domain: string;
  /** Full address, once bound. */
  jid = '';
  /** Stanzas nobody has waited for yet. */
  readonly unread: Element[] = [];
  /** Sees every stanza before anybody waits for it. */
  onStanza: ((stanza: Element) => void) | undefined;
  readonly #options: ClientOptions;
  #socket: net.Socket;
  #stream: ElementStream | undefined;
  #waiters: Waiter[] = [];
  #ended: Error | undefined;
  #closing = false;
  #nextId = 1;

  private constructor(options: ClientOptions, socket: net.Socket) {
    this.#options = options;
    this.account = options.account;
    this.domain = options.account.slice(options.account.indexOf('@') + 1);
    this.#socket = socket;
  }

  /** Logs in. Throws when the server refuses, with the element it refused with. */
  static async login(options: ClientOptions): Promise<TestClient> {
    const { place = HERE, port = 5222 } = options;
    const socket = await place.connect(port, options.host);
    socket.setNoDelay(true);
    const client = new TestClient(options, socket);
    try {
      await client.#negotiate();
    } catch (error) {
      socket.destroy();
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${options.account} cannot log in at ${options.host}: ${reason}`, { cause: error });
    }
    return client;
  }

  send(xml: string): void {
    if (this.#ended !== undefined) throw this.#ended;
    this.#socket.write(xml);
  }

  /** Like `send`, and resolves when the kernel wants more: for bursts. */
  async sendWithBackPressure(xml: string): Promise<void> {
    if (this.#ended !== undefined) throw this.#ended;
    if (!this.#socket.write(xml)) await once(this.#socket, 'drain');
  }

  /** An id no other stanza of this session has. */
  newId(): string {
    return `${this.account.slice(0, this.account.indexOf('@'))}-${this.#nextId++}`;
  }

  presence(xml = '<presence/>'): void {
    this.send(xml);
  }

  /** Returns the id. */
  message(to: string, body: string, type = 'chat'): string {
    const id = this.newId();
    this.send(`<message to='${escape(to)}' id='${id}' type='${type}'><body>${escape(body)}</body></message>`);
    return id;
  }

  /** Sends an IQ and returns the answer, be it a result or an error. */
  async iq(type: 'get' | 'set', to: string | undefined, payload: string, patience = PATIENCE): Promise<Element> {
    const id = this.newId();
    this.send(`<iq type='${type}' id='${id}'${to === undefined ? '' : ` to='${escape(to)}'`}>${payload}</iq>`);
    const answers = (stanza: Element): boolean =>
      stanza.name === 'iq' &&
      stanza.attributes['id'] === id &&
      /^(?:result|error)$/.test(stanza.attributes['type'] ?? '');
    return this.waitFor(`the answer to an iq (${payload.slice(0, 60)}) to ${to ?? 'the server'}`, answers, patience);
  }

  /** The first stanza, already here or yet to come, that is wanted; it is taken out of `unread`. `what` completes "waited for ...". */
  async waitFor(what: string, wanted: (stanza: Element) => boolean, patience = PATIENCE): Promise<Element> {
    const here = this.unread.findIndex((stanza) => wanted(stanza));
    const stanza = here < 0 ? undefined : this.unread.splice(here, 1)[0];
    if (stanza !== undefined) return stanza;
    if (this.#ended !== undefined) throw this.#ended;
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiters = this.#waiters.filter((one) => one !== waiter);
      };
      const failed = (error: Error): void => {
        done();
        reject(error);
      };
      const found = (stanza: Element): void => {
        done();
        resolve(stanza);
      };
      const waiter: Waiter = { wanted, found, failed };
      const timer = setTimeout(() => {
        const others = this.unread.slice(-5).map((stanza) => `  ${toXml(stanza, 'jabber:client').slice(0, 400)}`);
        const seen = others.length === 0 ? 'Nothing else came.' : `What came instead:\n${others.join('\n')}`;
        failed(new Error(`${this.account} waited ${patience / 1000} s for ${what}. ${seen}`));
      }, patience);
      this.#waiters.push(waiter);
    });
  }

  /** Ends the session in good order. */
  async close(): Promise<void> {
    if (this.#ended !== undefined || this.#closing) return;
    this.#closing = true;
    const closed = once(this.#socket, 'close');
    this.#socket.end('</stream:stream>');
    const timer = setTimeout(() => this.#socket.destroy(), 1000);
    await closed;
    clearTimeout(timer);
  }

  async #negotiate(): Promise<void> {
    this.#listen(this.#socket);
    let features = await this.#open();
    const { authorities } = this.#options;
    if (authorities !== undefined && child(features, 'starttls') !== undefined) {
      this.send(`<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`);
      const answer = await this.waitFor(
        'the answer to STARTTLS',
        ({ name }) => name === 'proceed' || name === 'failure',
      );
      if (answer.name !== 'proceed') throw new Error('the server refused STARTTLS');
      await this.#secure(authorities);
      features = await this.#open();
    }
    await this.#authenticate(features);
    await this.#open();
    const { resource = 'lab' } = this.#options;
    const bound = await this.iq(
      'set',
      undefined,
      `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${escape(resource)}</resource></bind>`,
    );
    this.jid = child(child(bound, 'bind'), 'jid')?.text ?? '';
    if (this.jid === '') throw new Error(`binding a resource failed: ${toXml(bound)}`);
    // COMPAT(jabberd2): does not route to a session before the old session request (RFC 3921 §3).
    await this.iq('set', undefined, `<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>`);
  }

  async #open(): Promise<Element> {
    this.#stream = this.#newStream();
    this.send(
      `<?xml version='1.0'?><stream:stream to='${this.domain}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`,
    );
    return this.waitFor('stream features', ({ name }) => name === 'features');
  }

  async #secure(authorities: string): Promise<void> {
    const plain = this.#socket;
    plain.removeAllListeners();
    const secure = tls.connect({ socket: plain, servername: this.domain, ca: authorities });
    await once(secure, 'secureConnect');
    this.#socket = secure;
    this.#listen(secure);
  }

  async #authenticate(features: Element): Promise<void> {
    const offered = child(features, 'mechanisms')?.children.map(({ text }) => text) ?? [];
    const user = this.account.slice(0, this.account.indexOf('@'));
    const exchange = chooseSasl(offered, user, this.#options.password);
    if (exchange === undefined)
      throw new Error(`none of the mechanisms offered is known here: ${offered.join(' ') || '(none)'}`);
    const xmlns = `xmlns='urn:ietf:params:xml:ns:xmpp-sasl'`;
    this.send(`<auth ${xmlns} mechanism='${exchange.mechanism}'>${exchange.initial.toString('base64')}</auth>`);
    for (;;) {
      const answer = await this.waitFor(
        'the next SASL step',
        ({ namespace }) => namespace === 'urn:ietf:params:xml:ns:xmpp-sasl',
      );
      const payload = Buffer.from(answer.text, 'base64');
      if (answer.name === 'challenge')
        this.send(`<response ${xmlns}>${exchange.respond(payload).toString('base64')}</response>`);
      else if (answer.name === 'success') return exchange.finish(payload);
      else throw new Error(`authentication failed: ${toXml(answer)}`);
    }
  }

  #listen(socket: net.Socket): void {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    socket.on('data', (bytes) => {
      try {
        this.#stream?.write(decoder.decode(bytes, { stream: true }));
      } catch (error) {
        this.#end(error instanceof Error ? error.message : String(error));
      }
    });
    socket.on('error', (error) => this.#end(error.message));
    socket.on('close', () => this.#end('the connection is closed'));
  }

  #newStream(): ElementStream {
    return readElements({
      root: () => undefined,
      element: (element) => this.#receive(element),
      footer: () => this.#end('the server closed the stream'),
      fault: (reason) => this.#end(`the server sent XML that is not well-formed: ${reason}`),
    });
  }

  #receive(stanza: Element): void {
    if (stanza.name === 'error' && stanza.namespace === 'http://etherx.jabber.org/streams')
      return this.#end(`stream error: ${toXml(stanza)}`);
    this.onStanza?.(stanza);
    const waiter = this.#waiters.find(({ wanted }) => wanted(stanza));
    if (waiter !== undefined) waiter.found(stanza);
    else if (stanza.name === 'iq' && /^(?:get|set)$/.test(stanza.attributes['type'] ?? '')) this.#answer(stanza);
    else this.unread.push(stanza);
  }

  #answer(request: Element): void {
    const { id = '', from } = request.attributes;
    const open = `<iq id='${escape(id)}'${from === undefined ? '' : ` to='${escape(from)}'`}`;
    const payload = request.children[0];
    if (payload?.namespace === 'urn:xmpp:ping' || request.attributes['type'] === 'set')
      return this.send(`${open} type='result'/>`);
    if (payload?.namespace === 'http://jabber.org/protocol/disco#info') {
      const identity = `<identity category='client' type='bot' name='lab'/><feature var='urn:xmpp:ping'/>`;
      return this.send(
        `${open} type='result'><query xmlns='http://jabber.org/protocol/disco#info'>${identity}</query></iq>`,
      );
    }
    this.send(
      `${open} type='error'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`,
    );
  }

  #end(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = new Error(`${this.account}: ${reason}`);
    for (const waiter of this.#waiters) waiter.failed(this.#ended);
    this.#socket.destroy();
  }
}
