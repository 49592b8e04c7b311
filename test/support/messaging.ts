import { NodeDatabase } from '../../src/imp/database/database.ts';
import { Messaging } from '../../src/imp/messaging/messaging.ts';
import type { Archive, IqService, PresenceWatcher } from '../../src/imp/messaging/ports.ts';
import { Requests } from '../../src/imp/messaging/requests.ts';
import { MESSAGING_TABLES } from '../../src/imp/messaging/tables.ts';
import type { Packet } from '../../src/imp/packet.ts';
import type { ClientSession } from '../../src/imp/sessions.ts';
import type { Domain } from '../../src/protocol/jid/domain.ts';
import { parseDomain } from '../../src/protocol/jid/domain.ts';
import { type Jid, parseJid } from '../../src/protocol/jid/jid.ts';
import { printJid } from '../../src/protocol/jid/print.ts';
import type { Note } from '../../src/protocol/notes.ts';
import { parseElement } from '../../src/protocol/xml/parse.ts';
import type { XmlElement } from '../../src/protocol/xml/types.ts';
import { attributeOf, writeElement } from '../../src/protocol/xml/write.ts';

const CLIENT = { defaultNamespace: 'jabber:client', prefixes: new Map<string, string>() };

/** A stanza from its text. */
function stanzaOf(xml: string): XmlElement {
  return parseElement(xml, CLIENT);
}

/** An address that a test wrote. */
export function jid(text: string): Jid {
  const address = parseJid(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return address;
}

function domainOf(text: string): Domain {
  const domain = parseDomain(text);
  if (domain === undefined) throw new Error(`${text} is no domain`);
  return domain;
}

/** A client that keeps what it gets. */
export class FakeSession implements ClientSession {
  readonly address: Jid;
  readonly stanzas: XmlElement[] = [];
  condition: string | undefined;

  constructor(address: string) {
    this.address = jid(address);
  }

  send(stanza: XmlElement): void {
    this.stanzas.push(stanza);
  }

  end(condition: string): void {
    this.condition = condition;
  }

  /** What came since the last time, as text. */
  take(): readonly string[] {
    return this.stanzas.splice(0).map((stanza) => writeElement(stanza, 'jabber:client'));
  }
}

export interface MessagingServerOptions {
  readonly accounts?: readonly string[];
  readonly services?: readonly IqService[];
  readonly watchers?: readonly PresenceWatcher[];
  readonly archive?: Archive;
}

/** The messaging server of `here.lab` with its database in memory, a clock that stands, and no network: what is for elsewhere is kept. */
export class MessagingServer implements Disposable {
  readonly database = new NodeDatabase(':memory:', [MESSAGING_TABLES]);
  readonly messaging: Messaging;
  readonly requests: Requests;
  readonly accounts: Set<string>;
  readonly notes: Note[] = [];
  /** Messages that wait, by account, and how many may. */
  readonly kept = new Map<string, XmlElement[]>();
  room = 10;
  /** What was archived: account, direction, the other side. */
  readonly archived: string[] = [];
  /** Unix milliseconds. */
  time = Date.UTC(2026, 10, 22, 18);
  private readonly queue: Packet[] = [];
  private readonly left: Packet[] = [];
  private readonly timers = new Set<{ readonly at: number; readonly work: () => void }>();
  private ids = 0;

  constructor({ accounts, services = [], watchers = [], archive }: MessagingServerOptions = {}) {
    this.accounts = new Set(accounts ?? ['alice', 'bob', 'carol']);
    const post = { send: (packet: Packet) => void this.queue.push(packet) };
    const newId = () => {
      this.ids += 1;
      return `id${this.ids}`;
    };
    this.requests = new Requests({ post, newId, later: (milliseconds, work) => this.later(milliseconds, work) });
    this.messaging = new Messaging({
      domain: domainOf('here.lab'),
      roomsDomain: domainOf('rooms.here.lab'),
      database: this.database,
      post,
      exists: (account) => this.accounts.has(account),
      archive: archive ?? {
        keep: (account, direction, other) => {
          if (direction === 'in' && printJid({ ...other, resource: undefined }) === `${account}@here.lab`)
            return undefined;
          this.archived.push(`${account} ${direction} ${printJid(other)}`);
          return `archived${this.archived.length}`;
        },
      },
      offline: {
        store: (account, message) => {
          const waiting = this.kept.get(account) ?? [];
          if (waiting.length >= this.room) return 'full';
          this.kept.set(account, [...waiting, message]);
          return 'stored';
        },
        take: (account) => {
          const waiting = this.kept.get(account) ?? [];
          this.kept.delete(account);
          return waiting;
        },
      },
      services,
      watchers,
      nodes: { nodesOf: () => [], describe: () => undefined },
      requests: this.requests,
      notes: (note) => this.notes.push(note),
      now: () => this.time,
      newId,
      software: { name: 'fedway', version: '1.2.3' },
    });
  }

  /** A client binds a resource. */
  connect(address: string): FakeSession {
    const session = new FakeSession(address);
    this.messaging.opened(session);
    return session;
  }

  /** A client that has come with a priority; what it got on the way is taken. */
  login(address: string, priority = 0): FakeSession {
    const session = this.connect(address);
    this.say(session, `<presence><priority>${priority}</priority></presence>`);
    session.take();
    return session;
  }

  /** A client sends stanzas, and everything that follows happens. */
  say(session: ClientSession, ...stanzas: readonly string[]): void {
    for (const stanza of stanzas) this.messaging.stanza(session, stanzaOf(stanza));
    this.settle();
  }

  /** Something arrives from elsewhere. */
  arrive(...stanzas: readonly string[]): void {
    for (const xml of stanzas) {
      const element = stanzaOf(xml);
      const kind = element.name === 'message' || element.name === 'presence' ? element.name : 'iq';
      const from = jid(attributeOf(element, 'from') ?? '');
      this.messaging.receive({ kind, from, to: jid(attributeOf(element, 'to') ?? ''), element });
    }
    this.settle();
  }

  /** The session is over. */
  end(session: FakeSession, undelivered: readonly XmlElement[] = []): void {
    this.messaging.ended(session, undelivered);
    this.settle();
  }

  /** What left for elsewhere since the last time, as text. */
  takeLeft(): readonly string[] {
    return this.left.splice(0).map(({ element }) => writeElement(element, 'jabber:client'));
  }

  /** Time passes. */
  pass(milliseconds: number): void {
    this.time += milliseconds;
    for (const timer of this.timers) {
      if (timer.at <= this.time && this.timers.delete(timer)) timer.work();
    }
    this.settle();
  }

  /** Carries packets until there are none. */
  settle(): void {
    for (let packet = this.queue.shift(); packet !== undefined; packet = this.queue.shift()) {
      if (packet.to.domain === 'here.lab') this.messaging.receive(packet);
      else this.left.push(packet);
    }
  }

  [Symbol.dispose](): void {
    this.database[Symbol.dispose]();
  }

  private later(milliseconds: number, work: () => void): () => void {
    const timer = { at: this.time + milliseconds, work };
    this.timers.add(timer);
    return () => void this.timers.delete(timer);
  }
}
