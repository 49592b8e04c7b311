import { NO_TAP } from '../../src/imp/capture/tap.ts';
import { NodeDatabase } from '../../src/imp/database/database.ts';
import { NODE_TABLES } from '../../src/imp/node-tables.ts';
import { Notifications } from '../../src/imp/notifications.ts';
import type { Packet } from '../../src/imp/packet.ts';
import { componentPort } from '../../src/imp/router/component-port.ts';
import { XcpRouter } from '../../src/imp/router/xcp-router.ts';
import { S2sNodes } from '../../src/imp/s2s-nodes.ts';
import { acceptsHandshake, componentHandshake } from '../../src/net/keys/component-keys.ts';
import type { StreamListener } from '../../src/net/s2s/listener.ts';
import { type Domain, parseDomain } from '../../src/protocol/jid/domain.ts';
import { parseJid } from '../../src/protocol/jid/jid.ts';
import type { Note } from '../../src/protocol/notes.ts';
import { AUTHENTICATED_LIMITS } from '../../src/protocol/xml/limits.ts';
import { parseElement } from '../../src/protocol/xml/parse.ts';
import { writeElement } from '../../src/protocol/xml/write.ts';
import { type Wire, wireTo } from './raw-peer.ts';
import { until } from './until.ts';

export const CP_1 = 'cm-2_s2scp-1.eft-xwye-a-coluc-com';
export const CP_2 = 'cm-2_s2scp-1.eft-xwye-b-coluc-com';
export const ROUTER_SECRET = 'the secret of the router';

export function domainOf(text: string): Domain {
  const domain = parseDomain(text);
  if (domain === undefined) throw new Error(`${text} is no domain`);
  return domain;
}

/** A stanza in `jabber:client` as a packet; its text has `from` and `to`. */
export function packetOf(xml: string): Packet {
  const element = parseElement(xml, { defaultNamespace: 'jabber:client', prefixes: new Map() });
  const kind = element.name;
  const address = (name: string): Packet['from'] => {
    const jid = parseJid(element.attributes.find((attribute) => attribute.name === name)?.value ?? '');
    if (jid === undefined) throw new Error(`no ${name} in ${xml}`);
    return jid;
  };
  if (kind !== 'message' && kind !== 'presence' && kind !== 'iq') throw new Error(`${kind} is no stanza`);
  return { kind, from: address('from'), to: address('to'), element };
}

/** A router of coluc.com and chat.coluc.com with its port on a loopback address, and components that a test plays. */
export class RouterScene implements AsyncDisposable {
  readonly database = new NodeDatabase(':memory:', [NODE_TABLES]);
  readonly notes: Note[] = [];
  readonly notifications: Notifications;
  readonly nodes: S2sNodes;
  readonly router: XcpRouter;
  /** What arrived at the domains of the node, as text. */
  readonly received: string[] = [];
  federation: 'on' | 'off' = 'off';
  readonly #port: StreamListener;
  readonly #wires: Wire[] = [];
  readonly #timers: (() => void)[] = [];
  #tcp = 0;
  #ids = 0;

  constructor(changes: 'live' | 'restart', bounds = { stanza: 262_144, stanzas: 3, bytes: 1_000_000 }) {
    const notes = (note: Note): void => void this.notes.push(note);
    this.notifications = new Notifications({ notes, now: () => 1_000 });
    this.nodes = new S2sNodes({ database: this.database, notes });
    this.router = new XcpRouter({
      database: this.database,
      nodes: this.nodes,
      notifications: this.notifications,
      changes,
      federation: () => this.federation,
      bounds,
      notes,
      now: () => 1_000,
      later: (work) => setImmediate(work),
      after: (_, work) => void this.#timers.push(work),
      accepts: (streamId, handshake) => acceptsHandshake(streamId, ROUTER_SECRET, handshake),
    });
    for (const domain of ['coluc.com', 'chat.coluc.com']) {
      this.router.register(domainOf(domain), {
        receive: ({ element }) => void this.received.push(writeElement(element, 'jabber:client')),
      });
    }
    this.#port = componentPort({
      router: this.router,
      timeouts: { header: 5_000, negotiation: 5_000, close: 1_000 },
      limits: AUTHENTICATED_LIMITS,
      notes,
      tap: NO_TAP,
    });
  }

  async listen(): Promise<this> {
    this.router.start();
    this.#tcp = await this.#port.listen('127.0.0.1', 0);
    return this;
  }

  /** Where the router takes connections on 127.0.0.1. */
  get port(): number {
    return this.#tcp;
  }

  /** A row as a Core writes it. */
  insert(cpId: string): void {
    this.#ids += 1;
    const pkid = `00000000-0000-4000-8000-${String(this.#ids).padStart(12, '0')}`;
    this.database.sql.prepare('INSERT INTO xmpps2snodes VALUES (?, ?)').run(pkid, cpId);
    this.nodes.reread();
  }

  delete(cpId: string): void {
    this.database.sql.prepare('DELETE FROM xmpps2snodes WHERE cp_id = ?').run(cpId);
    this.nodes.reread();
  }

  /** Opens a stream as a component and sends the handshake; what comes of it is on the wire. */
  async open(cpId: string, secret = ROUTER_SECRET): Promise<Wire> {
    const wire = await wireTo('127.0.0.1', this.#tcp, '127.0.0.1');
    this.#wires.push(wire);
    wire.send(
      `<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='${cpId}'>`,
    );
    const header = await wire.expect(/<stream:stream[^>]*>(?:<stream:error>.*)?/);
    const id = / id='([^']+)'/.exec(header)?.[1] ?? '';
    if (!header.includes('<stream:error>')) wire.send(`<handshake>${componentHandshake(id, secret)}</handshake>`);
    else wire.text = header + wire.text;
    return wire;
  }

  /** A component that is connected. */
  async connect(cpId: string): Promise<Wire> {
    const wire = await this.open(cpId);
    await wire.expect('<handshake/>');
    return wire;
  }

  /** Sends stanzas of somebody on the node. */
  send(...stanzas: readonly string[]): void {
    for (const stanza of stanzas) this.router.send(packetOf(stanza));
  }

  /** The next thing that arrives at a domain of the node. */
  async arrival(): Promise<string> {
    await until(() => this.received.length > 0, 'a stanza that arrives');
    return this.received.shift() ?? '';
  }

  /** Lets the timers go off. */
  tick(): void {
    for (const work of this.#timers.splice(0)) work();
  }

  /** What `select * from routerstatus` says. */
  status(): Readonly<Record<string, unknown>> {
    const rows = this.database.sql.prepare('SELECT name, value FROM routerstatus').all();
    return Object.fromEntries(rows.map((row): [string, unknown] => [String(row['name']), row['value']]));
  }

  noted(name: Note['note']): readonly Note[] {
    return this.notes.filter(({ note }) => note === name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const wire of this.#wires) await wire[Symbol.asyncDispose]();
    this.#port.destroy();
    this.router.stop();
    this.database[Symbol.dispose]();
  }
}
