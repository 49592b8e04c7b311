import type { Socket } from 'node:net';
import { componentHandshake } from '../net/keys/component-keys.ts';
import { StreamDriver } from '../net/s2s/stream-driver.ts';
import { factsOf, type RunningStream, type StreamFacts } from '../net/s2s/stream-facts.ts';
import type { ComponentTimeouts } from '../protocol/component/component-stream.ts';
import { ConnectingComponent } from '../protocol/component/connecting-component.ts';
import type { StreamEnd } from '../protocol/end.ts';
import type { Domain } from '../protocol/jid/domain.ts';
import type { NoteSink, NoteSubject } from '../protocol/notes.ts';
import type { StreamPair } from '../protocol/stream/actions.ts';
import type { Stanza, XmlLimits } from '../protocol/xml/types.ts';
import { ComponentOutlet } from './component-outlet.ts';

/** A server inside to which we connect as XEP-0114 component for foreign domains. */
export interface ComponentTarget {
  /** The home domains the server serves. */
  readonly homes: readonly Domain[];
  /** Where the server is: `connect` knows the way, and a target with another address is another server. */
  readonly address: { readonly host: string; readonly port: number };
  readonly secret: string;
  /** The foreign domains it reaches through us. */
  readonly foreign: readonly Domain[];
  /** One connection, named after the first foreign domain, serves them all. COMPAT(ejabberd): its `ejabberd_service` with `hosts`. */
  readonly shared: boolean;
}

/** What the connector is given. */
export interface ConnectingComponentsContext {
  readonly target: ComponentTarget;
  readonly timeouts: ComponentTimeouts;
  readonly limits: XmlLimits;
  readonly notes: NoteSink;
  /** Connects to the server that serves a home domain. */
  connect(
    home: Domain,
    subject: NoteSubject,
  ): Promise<{ readonly socket: Socket; readonly address: string } | { readonly failed: string }>;
  deliver(stanza: Stanza, pair: StreamPair): Promise<void> | undefined;
  newHandle(): string;
}

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 15_000;

interface Connection {
  readonly name: Domain;
  outlet: ComponentOutlet | undefined;
  running: RunningStream | undefined;
  retry: NodeJS.Timeout | undefined;
  failures: number;
}

/** Keeps a component connection for every foreign domain of one server inside, and connects again when one is lost. */
export class ConnectingComponents {
  private readonly context: ConnectingComponentsContext;
  private readonly connections: readonly Connection[];
  /** Every connection that exists, those on which the last words are still on their way included. */
  private readonly drivers = new Set<StreamDriver>();
  private stopped = false;

  constructor(context: ConnectingComponentsContext) {
    this.context = context;
    const { foreign, shared } = context.target;
    const names = shared ? foreign.slice(0, 1) : foreign;
    this.connections = names.map((name) => ({
      name,
      outlet: undefined,
      running: undefined,
      retry: undefined,
      failures: 0,
    }));
  }

  start(): void {
    for (const connection of this.connections) void this.connect(connection);
  }

  /** Says goodbye and does not come back. */
  stop(): void {
    this.stopped = true;
    for (const { running, retry } of this.connections) {
      clearTimeout(retry);
      running?.driver.handle({ type: 'close', why: 'shutdown' });
    }
  }

  /** The streams that live now. */
  streams(): readonly StreamFacts[] {
    const now = Date.now();
    return this.connections.flatMap(({ running }) => (running === undefined ? [] : [factsOf(running, 'home', now)]));
  }

  /** Ends a stream in good order on an administrator's word, and connects again; `false`: there is none with this connection handle. */
  close(connection: string, reason: string): boolean {
    for (const each of this.connections) {
      if (each.running === undefined || each.running.subject.connection !== connection) continue;
      // First nobody sends on it any more, then it closes: nothing may follow our closing tag (RFC 6120 §4.4).
      each.outlet = undefined;
      each.running.driver.handle({ type: 'close', why: 'administrator', reason });
      return true;
    }
    return false;
  }

  /** Whether every component is connected. */
  get isConnected(): boolean {
    return this.connections.every(({ outlet }) => outlet !== undefined);
  }

  /** Connections that exist now. */
  get open(): number {
    return this.drivers.size;
  }

  /** Ends every connection now, and does not come back. */
  destroy(): void {
    this.stop();
    for (const driver of this.drivers) driver.destroy();
  }

  /** The way to the server inside for stanzas from a foreign domain, if it is one of ours and connected. */
  outletFor(foreign: Domain): ComponentOutlet | undefined {
    if (this.context.target.shared) {
      return this.context.target.foreign.includes(foreign) ? this.connections[0]?.outlet : undefined;
    }
    return this.connections.find(({ name }) => name === foreign)?.outlet;
  }

  private async connect(connection: Connection): Promise<void> {
    const { context } = this;
    const [home] = context.target.homes;
    if (home === undefined) return;
    const subject: NoteSubject = {
      connection: context.newHandle(),
      direction: 'out',
      side: 'home',
      local: connection.name,
      remote: home,
    };
    const found = await context.connect(home, subject);
    if ('failed' in found) this.lost(connection, { by: 'network', stage: 'tcp', detail: found.failed }, subject, false);
    else if (this.stopped) found.socket.destroy();
    else this.drive(connection, found.socket, { ...subject, peer: found.address });
  }

  private drive(connection: Connection, socket: Socket, subject: NoteSubject): void {
    const { context } = this;
    const stream = new ConnectingComponent({
      name: connection.name,
      homes: context.target.homes,
      timeouts: context.timeouts,
      limits: context.limits,
      handshake: (streamId) => componentHandshake(streamId, context.target.secret),
      deliver: (stanza, pair) => {
        driver.stanzasIn += 1;
        const room = context.deliver(stanza, pair);
        if (room !== undefined) driver.hold(room);
      },
    });
    let wasConnected = false;
    const driver: StreamDriver = new StreamDriver(
      stream,
      socket,
      {
        startTls: () => Promise.resolve({ failed: 'a component stream has no STARTTLS' }),
        verify: () => undefined,
        answer: () => undefined,
        authorized: () => {
          connection.failures = 0;
          wasConnected = true;
          connection.outlet = new ComponentOutlet(driver);
          context.notes({ note: 'component-connected', domain: connection.name }, subject);
        },
        refused: () => undefined,
        ended: (end) => this.lost(connection, end, subject, wasConnected),
        subject: () => subject,
      },
      context.notes,
    );
    connection.running = { stream, driver, subject };
    this.drivers.add(driver);
    void driver.gone.then(() => this.drivers.delete(driver));
    driver.start();
  }

  private lost(connection: Connection, end: StreamEnd, subject: NoteSubject, wasConnected: boolean): void {
    connection.outlet = undefined;
    connection.running = undefined;
    if (this.stopped) return;
    // The first failure is told, and every loss; while the server inside is down, the retries are not.
    if (wasConnected || connection.failures === 0) {
      this.context.notes({ note: 'component-lost', domain: connection.name, detail: detailOf(end) }, subject);
    }
    const wait = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** connection.failures);
    connection.failures += 1;
    connection.retry = setTimeout(() => void this.connect(connection), wait);
  }
}

function detailOf(end: StreamEnd): string {
  switch (end.by) {
    case 'network':
      return end.detail;
    case 'disconnect':
      return end.detail ?? 'the server inside closed the connection';
    case 'them':
      return end.condition === 'not-authorized'
        ? 'the server inside refused the secret'
        : `the server inside said ${end.condition}`;
    case 'us':
      return end.text ?? end.condition;
    case 'timeout':
      return `nothing came while waiting for ${end.waitingFor}`;
    default:
      return 'the server inside closed the stream';
  }
}
