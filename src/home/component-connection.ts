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

/** What a connection to a server inside is made with. */
export interface ComponentConnectionContext {
  /** The home domains the server serves; at least one. */
  readonly homes: readonly Domain[];
  readonly secret: string;
  /** A stanza of a domain that is no home is dropped, in place of ending the connection for everybody. */
  readonly dropsStrangers: boolean;
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
  /** The connection is up, or is not any more, or still cannot be made. */
  changed?(): void;
}

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 15_000;

/** One component that connects to a server inside, and connects again when the connection is lost. */
export class ComponentConnection {
  /** The name it registers with the server inside. */
  readonly name: Domain;
  /** The way to the server inside; `undefined` while there is none. */
  outlet: ComponentOutlet | undefined;
  /** Why there is no connection; `undefined` while there is one, or was no attempt yet. */
  failure: StreamEnd | undefined;
  /** Of the last change between up and down, in Unix milliseconds. */
  since = Date.now();
  private readonly context: ComponentConnectionContext;
  /** Every connection that exists, those on which the last words are still on their way included. */
  private readonly drivers = new Set<StreamDriver>();
  private running: RunningStream | undefined;
  private retry: NodeJS.Timeout | undefined;
  private failures = 0;
  /** Why there is none, as it was told last. */
  private told: string | undefined;
  private stopped = false;

  constructor(name: Domain, context: ComponentConnectionContext) {
    this.name = name;
    this.context = context;
  }

  start(): void {
    void this.connect();
  }

  /** Does not wait any longer before the next attempt: there is reason to believe that it succeeds. */
  retryNow(): void {
    if (this.retry === undefined) return;
    clearTimeout(this.retry);
    this.failures = 0;
    void this.connect();
  }

  /** Says goodbye and does not come back. */
  stop(): void {
    this.stopped = true;
    clearTimeout(this.retry);
    this.retry = undefined;
    this.outlet = undefined;
    this.running?.driver.handle({ type: 'close', why: 'shutdown' });
  }

  /** Ends everything now, and does not come back. */
  destroy(): void {
    this.stop();
    for (const driver of this.drivers) driver.destroy();
  }

  /** Connections that exist now. */
  get open(): number {
    return this.drivers.size;
  }

  /** The stream that lives now, if there is one; `now` in Unix milliseconds. */
  facts(now: number): StreamFacts | undefined {
    return this.running === undefined ? undefined : factsOf(this.running, 'home', now);
  }

  /** Ends the stream in good order on an administrator's word, and connects again; `false`: it has another connection handle. */
  close(connection: string, reason: string): boolean {
    if (this.running === undefined || this.running.subject.connection !== connection) return false;
    // First nobody sends on it any more, then it closes: nothing may follow our closing tag (RFC 6120 §4.4).
    this.outlet = undefined;
    this.running.driver.handle({ type: 'close', why: 'administrator', reason });
    return true;
  }

  private async connect(): Promise<void> {
    this.retry = undefined;
    const { context } = this;
    const [home] = context.homes;
    if (home === undefined) return;
    const subject: NoteSubject = {
      connection: context.newHandle(),
      direction: 'out',
      side: 'home',
      local: this.name,
      remote: home,
    };
    const found = await context.connect(home, this.quietly(subject));
    if ('failed' in found) this.lost({ by: 'network', stage: 'tcp', detail: found.failed }, subject, false);
    else if (this.stopped) found.socket.destroy();
    else this.drive(found.socket, { ...subject, peer: found.address });
  }

  /** What was told once is not told again while nothing changes, which can be days. */
  private quietly(subject: NoteSubject): NoteSubject {
    return this.failures === 0 ? subject : { ...subject, repeats: true };
  }

  private drive(socket: Socket, subject: NoteSubject): void {
    const { context, name } = this;
    let noted = this.quietly(subject);
    const stream = new ConnectingComponent({
      name,
      homes: context.homes,
      dropsStrangers: context.dropsStrangers,
      timeouts: context.timeouts,
      limits: context.limits,
      handshake: (streamId) => componentHandshake(streamId, context.secret),
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
          wasConnected = true;
          noted = subject;
          this.failures = 0;
          this.failure = undefined;
          this.since = Date.now();
          // An administrator, or the end of fedway, may have been faster than the server inside.
          if (!this.stopped) this.outlet = new ComponentOutlet(driver);
          context.notes({ note: 'component-connected', domain: name }, subject);
          context.changed?.();
        },
        refused: () => undefined,
        ended: (end) => this.lost(end, subject, wasConnected),
        subject: () => noted,
      },
      context.notes,
    );
    this.running = { stream, driver, subject };
    this.drivers.add(driver);
    void driver.gone.then(() => this.drivers.delete(driver));
    driver.start();
  }

  private lost(end: StreamEnd, subject: NoteSubject, wasConnected: boolean): void {
    this.outlet = undefined;
    this.running = undefined;
    if (this.stopped) return;
    const detail = whyLost(end);
    // The first failure is told, every loss, and another reason; as long as it stays the same, the retries are not.
    if (wasConnected || this.failures === 0 || detail !== this.told) {
      this.told = detail;
      this.context.notes({ note: 'component-lost', domain: this.name, detail }, subject);
    }
    if (wasConnected) this.since = Date.now();
    this.failure = end;
    const wait = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.failures);
    this.failures += 1;
    this.retry = setTimeout(() => void this.connect(), wait);
    this.context.changed?.();
  }
}

/** Why there is no connection with the server inside, as half a sentence. */
export function whyLost(end: StreamEnd): string {
  switch (end.by) {
    case 'network':
      return end.detail;
    case 'disconnect':
      return end.detail ?? 'the server inside closed the connection';
    case 'them':
      if (end.condition === 'not-authorized') return 'the server inside refused the secret';
      return `the server inside said ${end.condition}`;
    case 'us':
      return end.text ?? end.condition;
    case 'timeout':
      return `nothing came while waiting for ${end.waitingFor}`;
    default:
      return 'the server inside closed the stream';
  }
}
