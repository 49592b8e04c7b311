import { pbkdf2Sync } from 'node:crypto';
import { ClientRegistry, type SessionLimits } from '../../src/imp/clients/registry.ts';
import { SCRAM_CRYPTO } from '../../src/imp/clients/scram-crypto.ts';
import type { SessionStream } from '../../src/imp/clients/session.ts';
import type { ClientSession, SessionOwner } from '../../src/imp/sessions.ts';
import type { ClientContext } from '../../src/protocol/c2s/context.ts';
import { ReceivingClient } from '../../src/protocol/c2s/receiving-client.ts';
import type { TlsFacts } from '../../src/protocol/identity/facts.ts';
import { type Domain, parseDomain } from '../../src/protocol/jid/domain.ts';
import { printJid } from '../../src/protocol/jid/print.ts';
import type { Note } from '../../src/protocol/notes.ts';
import type { ScramHash, ScramKeys } from '../../src/protocol/sasl/scram-keys.ts';
import type { ChannelBindings } from '../../src/protocol/sasl/scram-receiving.ts';
import { AUTHENTICATED_LIMITS } from '../../src/protocol/xml/limits.ts';
import { parseElement } from '../../src/protocol/xml/parse.ts';
import type { XmlElement } from '../../src/protocol/xml/types.ts';
import { writeElement } from '../../src/protocol/xml/write.ts';
import { type SaslExchange, scramExchange } from '../lab/sasl.ts';
import { VirtualClock } from './clock.ts';
import { RawSide, StreamSide } from './pair.ts';
import { Transcript } from './transcript.ts';
import { Wire, type WireOptions } from './wire.ts';
import { header, SASL, STARTTLS } from './xml.ts';

const CLIENT_TIMEOUTS = { header: 20_000, negotiation: 60_000, close: 5_000, quiet: 300_000, answer: 30_000 };
const LIMITS: SessionLimits = {
  resources: 3,
  kept: { stanzas: 20, bytes: 100_000 },
  hold: { usual: 120_000, longest: 600_000 },
};
const TLS: TlsFacts = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', peer: undefined };
const BINDINGS: ChannelBindings = {
  'tls-exporter': Buffer.from('exported'),
  'tls-server-end-point': Buffer.from('hash'),
};

/** What a test wants to be different. */
export interface ClientWorldOptions {
  readonly limits?: Partial<SessionLimits>;
  readonly brake?: Partial<ClientContext['brake']>;
  readonly bindings?: ChannelBindings;
}

/** A node with the accounts `juliet` and `romeo` (passwords `pencil` and `rose`) at example.com, and its clients, in virtual time. */
export class ClientWorld implements SessionOwner {
  readonly clock = new VirtualClock();
  readonly transcript = new Transcript();
  readonly notes: Note[] = [];
  readonly passwords = new Map([
    ['juliet', 'pencil'],
    ['romeo', 'rose'],
  ]);
  /** What the owner of the sessions was told, in words, in order. */
  readonly told: string[] = [];
  readonly sessions = new Map<string, ClientSession>();
  /** Of the session that ended last. */
  undelivered: readonly XmlElement[] = [];
  /** What the owner does with a stanza of a client. */
  onStanza: ((session: ClientSession, stanza: XmlElement) => void) | undefined;
  /** Whether what a client has sent is looked at. */
  mayRead = (): boolean => true;
  /** Answers to passwords are kept until a test gives them. */
  holdsAnswers = false;
  readonly answers: (() => void)[] = [];
  readonly registry: ClientRegistry;
  private readonly options: ClientWorldOptions;
  private ids = 0;
  private streamIds = 0;
  private connections = 0;

  constructor(options: ClientWorldOptions = {}) {
    this.options = options;
    this.registry = new ClientRegistry({
      domain: domain('example.com'),
      owner: this,
      limits: { ...LIMITS, ...options.limits },
      notes: (note) => this.notes.push(note),
      now: () => this.clock.now,
      after: (milliseconds, run) => this.clock.after(milliseconds, run),
      newId: () => `generated-${++this.ids}`,
    });
  }

  /** A connection with STARTTLS, or with TLS below it from the start. */
  connect(how: 'plain' | 'direct' = 'direct', wireOptions: WireOptions = {}): Client {
    return new Client(this, how, `client ${++this.connections}`, wireOptions);
  }

  /** A client that has got as far as its session. */
  login(username = 'juliet', resource = 'balcony'): Client {
    const client = this.connect();
    client.authenticate(username);
    client.bind(resource);
    return client;
  }

  /** The session of a full address, as the messaging server has it. */
  session(address: string): ClientSession {
    const session = this.sessions.get(address);
    if (session === undefined) throw new Error(`there is no session ${address}`);
    return session;
  }

  opened(session: ClientSession): void {
    this.told.push(`opened ${printJid(session.address)}`);
    this.sessions.set(printJid(session.address), session);
  }

  stanza(session: ClientSession, stanza: XmlElement): void {
    this.told.push(`${printJid(session.address)}: ${writeElement(stanza, 'jabber:client')}`);
    this.onStanza?.(session, stanza);
  }

  ended(session: ClientSession, undelivered: readonly XmlElement[]): void {
    const which = undelivered.map((stanza) => writeElement(stanza, 'jabber:client'));
    this.told.push(['ended', printJid(session.address), ...which].join(' '));
    this.undelivered = undelivered;
    this.sessions.delete(printJid(session.address));
  }

  keysOf(username: string, hash: ScramHash): { readonly keys: ScramKeys; readonly exists: boolean } {
    const password = this.passwords.get(username);
    const name = hash === 'sha-1' ? 'sha1' : 'sha256';
    const salt = Buffer.from(`salt of ${username}`);
    const salted = pbkdf2Sync(password ?? 'nothing', salt, 16, hash === 'sha-1' ? 20 : 32, name);
    const hmac = (text: string): Uint8Array => SCRAM_CRYPTO.hmac(hash, salted, Buffer.from(text));
    const storedKey = SCRAM_CRYPTO.digest(hash, hmac('Client Key'));
    return { keys: { salt, iterations: 16, storedKey, serverKey: hmac('Server Key') }, exists: password !== undefined };
  }

  /** A stream of the node, on which `sessionStream` is where its sessions are sent to. */
  stream(sessionStream: SessionStream, how: 'plain' | 'direct'): ReceivingClient {
    return new ReceivingClient({
      domain: domain('example.com'),
      tls: how === 'direct' ? TLS : undefined,
      timeouts: CLIENT_TIMEOUTS,
      limits: AUTHENTICATED_LIMITS,
      crypto: SCRAM_CRYPTO,
      desk: this.registry.deskFor(sessionStream),
      mayRead: () => this.mayRead(),
      brake: { admits: () => true, failed: () => 0, succeeded: () => undefined, ...this.options.brake },
      newNonce: () => 'server-nonce',
      newStreamId: () => `id-${++this.streamIds}`,
      keysOf: (username, hash) => this.keysOf(username, hash),
      channelBindings: () => this.options.bindings ?? BINDINGS,
    });
  }

  check(username: string, password: string, settle: (correct: boolean) => void): void {
    const answer = (): void => settle(this.passwords.get(username) === password);
    if (this.holdsAnswers) this.answers.push(answer);
    else this.clock.after(10, answer);
  }
}

/** A client that says byte for byte what a test wants, and the stream of the node that it talks to. */
export class Client implements SessionStream {
  readonly waiting = 0;
  readonly raw: RawSide;
  readonly side: StreamSide;
  readonly wire: Wire;
  readonly stream: ReceivingClient;
  private readonly world: ClientWorld;

  constructor(world: ClientWorld, how: 'plain' | 'direct', name: string, wireOptions: WireOptions) {
    this.world = world;
    const { clock, transcript } = world;
    this.wire = new Wire(name, clock, transcript, wireOptions);
    this.stream = world.stream(this, how);
    this.side = new StreamSide(this.stream, {
      clock,
      transcript,
      wire: this.wire,
      side: 'S',
      certificate: undefined,
      checkPassword: (username, password, settle) => world.check(username, password, settle),
    });
    this.raw = new RawSide(clock, this.wire, 'C');
    this.side.start();
  }

  // What the session does with the stream

  send(stanza: XmlElement): void {
    this.side.handle({ type: 'stanza', stanza });
  }

  end(condition: 'conflict', text: string): void {
    this.side.handle({ type: 'end', condition, text });
  }

  replaced(): void {
    this.side.handle({ type: 'close', why: 'replaced' });
  }

  // What the client does

  say(xml: string): string {
    return this.raw.say(xml);
  }

  /** Says something and waits for what comes within so many milliseconds. */
  sayAndWait(xml: string, milliseconds: number): string {
    const at = this.raw.say(xml);
    this.world.clock.advance(milliseconds);
    return at + this.raw.hear();
  }

  open(to = 'example.com'): string {
    return this.say(header({ to, xmlns: 'jabber:client' }));
  }

  startTls(): void {
    this.say(STARTTLS);
    this.raw.startTls();
  }

  /** SCRAM-SHA-256 unless told otherwise; the answer is what came last. */
  scram(username: string, password: string, mechanism: 'SCRAM-SHA-1' | 'SCRAM-SHA-256' = 'SCRAM-SHA-256'): string {
    const exchange: SaslExchange = scramExchange(mechanism, username, password, 'client-nonce');
    const challenge = this.say(`<auth ${SASL} mechanism='${mechanism}'>${exchange.initial.toString('base64')}</auth>`);
    const payload = /<challenge [^>]*>([^<]*)<\/challenge>/.exec(challenge)?.[1];
    if (payload === undefined) return challenge;
    const response = exchange.respond(Buffer.from(payload, 'base64'));
    return this.say(`<response ${SASL}>${response.toString('base64')}</response>`);
  }

  plain(username: string, password: string): string {
    const message = Buffer.from(`\0${username}\0${password}`).toString('base64');
    return this.sayAndWait(`<auth ${SASL} mechanism='PLAIN'>${message}</auth>`, 20);
  }

  /** As far as the features after authentication. */
  authenticate(username = 'juliet', password = this.world.passwords.get(username) ?? ''): string {
    this.open();
    const outcome = this.scram(username, password);
    if (!outcome.includes('<success ')) throw new Error(`not authenticated: ${outcome}`);
    return this.open();
  }

  bind(resource?: string): string {
    const wanted = resource === undefined ? '' : `<resource>${resource}</resource>`;
    return this.say(`<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>${wanted}</bind></iq>`);
  }

  /** Enables stream management and returns the id of the session. */
  enable(attributes = "resume='true'"): string {
    return / id='([^']*)'/.exec(this.say(`<enable xmlns='urn:xmpp:sm:3' ${attributes}/>`))?.[1] ?? '';
  }

  resume(previous: string, h: number): string {
    return this.say(`<resume xmlns='urn:xmpp:sm:3' previd='${previous}' h='${h}'/>`);
  }

  acknowledge(h: number): string {
    return this.say(`<a xmlns='urn:xmpp:sm:3' h='${h}'/>`);
  }

  /** The connection breaks without a word. */
  breakOff(): void {
    this.wire.close('C');
    this.world.clock.settle();
  }
}

/** A chat message as messaging hands it to a session. */
export function chat(body: string, to = 'juliet@example.com/balcony'): XmlElement {
  return parseElement(
    `<message xmlns='jabber:client' from='romeo@example.com/garden' to='${to}' type='chat'><body>${body}</body></message>`,
  );
}

function domain(text: string): Domain {
  const parsed = parseDomain(text);
  if (parsed === undefined) throw new TypeError(`not a domain: ${text}`);
  return parsed;
}
