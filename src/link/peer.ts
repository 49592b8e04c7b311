import type { StreamEnd } from '../protocol/end.ts';
import type { LinkTimeouts } from '../protocol/link/link-stream.ts';
import type { LinkMessage } from '../protocol/link/messages.ts';
import { LinkSession } from '../protocol/link/session.ts';
import type { Waiting } from '../protocol/link/waiting-queue.ts';
import type { StreamPair } from '../protocol/stream/actions.ts';
import type { Stanza, StanzaScope } from '../protocol/xml/types.ts';
import { type ConnectionEvents, type ConnectionOutcome, LinkConnection, type ProvenConnection } from './connection.ts';
import { endInWords } from './end-in-words.ts';
import { LinkRecord } from './link-record.ts';
import { isError, reread } from './reread.ts';
import { RoomSeekers } from './room-seekers.ts';
import type { LinkContext, LinkFacts, LinkPeer } from './types.ts';

const SERVER_SCOPE: StanzaScope = { contentNamespace: 'jabber:server' };
const CLOSE_MS = 5_000;
/** How long a box that stops waits for the other end to confirm what it was sent. */
const LAST_ACKNOWLEDGMENT_MS = 1_000;

/** What a box at the other end is made from. */
export interface LinkedBoxOptions {
  /** The id of this box, and of the other one. */
  readonly own: string;
  readonly id: string;
  /** Of the other one: an administrator can change it. */
  name(): string;
  mayServe(): readonly string[] | undefined;
  readonly context: LinkContext;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Messages that the Link deals with itself. `false`: it is one for the box. */
  message(message: LinkMessage): boolean;
  /** A connection is established. */
  established(): void;
}

/**
 * The box at the other end of a Link: its session, the connection that carries it now, and the stanzas that wait. What is offered is
 * rendered once; the session keeps a copy until it is acknowledged.
 */
export class LinkedBox implements LinkPeer {
  readonly id: string;
  private readonly options: LinkedBoxOptions;
  private readonly context: LinkContext;
  private readonly session = new LinkSession();
  private readonly seekers = new RoomSeekers();
  /** The one that is established. */
  private connection: LinkConnection | undefined;
  private readonly negotiating = new Set<LinkConnection>();
  /** Connections that exist, those on which the last words are still on their way included. */
  private readonly existing = new Set<LinkConnection>();
  /** Whether stanzas may be written on the connection already. */
  private flows = false;
  /** Set while nothing may wait: what is offered is refused with this. */
  private refusal: StreamEnd | undefined;
  private holdTimer: NodeJS.Timeout | undefined;
  /** Milliseconds of a clock that is never set: since when the Link is down. */
  private downSince = performance.now();
  private isOver = false;
  private readonly record: LinkRecord;

  constructor(options: LinkedBoxOptions) {
    this.options = options;
    this.context = options.context;
    this.id = options.id;
    this.record = new LinkRecord(options.now());
    this.startHold();
  }

  get name(): string {
    return this.options.name();
  }

  get mayServe(): readonly string[] | undefined {
    return this.options.mayServe();
  }

  get isUp(): boolean {
    return this.connection !== undefined;
  }

  get isUsable(): boolean {
    return this.refusal === undefined;
  }

  /** Connections that exist now, in whatever state. */
  get connections(): number {
    return this.existing.size;
  }

  get facts(): LinkFacts {
    return this.record.facts(this.connection, this.session.waiting);
  }

  /** Of the Core's certificate, when it is known before there is a connection, or changes on one. */
  setCertificateUntil(until: number): void {
    this.record.certificateUntil = until;
  }

  offer(stanza: Stanza, pair: StreamPair): 'taken' | 'held' | { readonly refused: StreamEnd } {
    if (this.refusal !== undefined) return { refused: this.refusal };
    const { session } = this;
    const { queueStanzas, queueBytes } = this.context.timing;
    const { waiting } = session;
    if (waiting.stanzas >= queueStanzas || waiting.bytes + stanza.size > queueBytes) return { refused: FULL };
    this.record.stanzasOut += 1;
    session.send(stanza.render(SERVER_SCOPE), pair);
    if (!this.flows) return 'taken';
    // What is written are the session's copies: they lie one behind the other, so that a batch is one piece.
    const hasRoom = this.pump();
    return hasRoom && !this.isCrowded ? 'taken' : 'held';
  }

  room(): Promise<void> {
    if (!this.flows || this.connection === undefined) return Promise.resolve();
    return this.isCrowded ? this.seekers.wait() : this.connection.driver.room();
  }

  tell(message: LinkMessage): boolean {
    if (this.connection === undefined) return false;
    this.connection.driver.handle({ type: 'link-message', message });
    return true;
  }

  withdraw(mayPass: (pair: StreamPair) => boolean, because: string): void {
    if (this.session.neverWritten === 0) return;
    const withdrawn = this.session.withdraw((waiting) => !mayPass(waiting.pair) && !isError(waiting));
    this.returnAll(withdrawn, { by: 'policy', because });
    if (withdrawn.length > 0) this.acknowledged();
  }

  /** Runs the stream on a connection; resolves when the stream is over. */
  connect(proven: ProvenConnection): Promise<ConnectionOutcome> {
    // One that has not come to a session is worth less than a new one.
    for (const former of this.negotiating) former.driver.handle({ type: 'close', why: 'replaced' });
    return new Promise((resolve) => {
      let established: number | undefined;
      const events: ConnectionEvents = {
        deliver: (stanza, pair) => {
          this.record.stanzasIn += 1;
          return this.context.deliver(this, stanza, pair);
        },
        established: (connection, resumed) => {
          established = performance.now();
          this.established(connection, resumed, proven.certificateUntil);
        },
        ended: (connection, end) => {
          this.ended(connection, end);
          resolve({ end, lasted: established === undefined ? undefined : performance.now() - established });
        },
      };
      const connection = new LinkConnection(proven.secured, {
        peer: proven.peer,
        box: this.name,
        direction: proven.direction,
        notes: this.context.notes,
        events,
        make: (own) =>
          proven.make({
            ...own,
            own: this.options.own,
            peer: this.id,
            session: this.session,
            limits: this.context.limits,
            timeouts: this.timeouts,
            message: (message) => this.message(message),
            inDoubt: (stanzas) => this.inDoubt(stanzas),
            acknowledged: () => this.acknowledged(),
          }),
      });
      this.negotiating.add(connection);
      this.existing.add(connection);
      void connection.driver.gone.then(() => this.existing.delete(connection));
      connection.start();
    });
  }

  /** An attempt to have a connection has failed. */
  unreachable(detail: string): void {
    if (this.connection === undefined) this.record.because = detail;
  }

  /** Ends the connection that there is; the session goes on with the next one. */
  reconnect(): void {
    for (const each of [...this.negotiating, ...this.current]) each.driver.handle({ type: 'close', why: 'replaced' });
  }

  /**
   * The pairing has ended, and with it the connection and the session, now: `us` on our word, `them` on that of the other end. What
   * waits is returned.
   */
  revoke(by: 'us' | 'them'): void {
    const detail = by === 'us' ? `the pairing with ${this.name} is revoked` : `${this.name} has revoked the pairing`;
    this.refusal = { by: 'link', detail };
    clearTimeout(this.holdTimer);
    if (by === 'us') this.tell({ is: 'revoked' });
    const wasUp = this.isUp;
    const remains = this.session.giveUp();
    for (const each of [...this.negotiating, ...this.current])
      each.driver.handle({ type: 'close', why: 'policy', because: detail });
    const stanzas = remains.inDoubt.length + remains.never.length;
    this.context.notes({ note: 'link-revoked', box: this.name, by, stanzas }, { remote: this.name });
    this.record.become('revoked', this.options.now(), by === 'us' ? 'revoked here' : `revoked by ${this.name}`);
    if (wasUp) this.context.down(this, this.refusal);
    this.returnAll(remains.inDoubt, { ...this.refusal, inDoubt: true });
    this.returnAll(remains.never, this.refusal);
    if (by === 'us') this.isOver = true;
  }

  /** Paired anew after the other end had revoked the former pairing. */
  forgive(): void {
    if (this.record.state !== 'revoked') return;
    this.refusal = undefined;
    this.record.become('never connected', this.options.now(), undefined);
    this.downSince = performance.now();
    this.startHold();
  }

  /** Was revoked by the other end before this box was started. */
  rememberRevoked(at: number): void {
    clearTimeout(this.holdTimer);
    this.refusal = { by: 'link', detail: `${this.name} has revoked the pairing` };
    this.record.become('revoked', at, `revoked by ${this.name}`);
  }

  /** Says goodbye. What waits is returned; what the other end is just confirming is waited for, a moment. */
  async goodbye(): Promise<void> {
    const end: StreamEnd = { by: 'us', condition: 'system-shutdown' };
    this.refusal ??= end;
    clearTimeout(this.holdTimer);
    const deadline = performance.now() + LAST_ACKNOWLEDGMENT_MS;
    while (this.flows && this.session.waiting.stanzas > 0 && performance.now() < deadline)
      await Promise.race([this.seekers.wait(), elapsed(deadline - performance.now())]);
    for (const each of [...this.negotiating, ...this.current]) each.driver.handle({ type: 'close', why: 'shutdown' });
    if (this.isOver) return;
    const remains = this.session.giveUp();
    this.isOver = true;
    this.returnAll(remains.inDoubt, { by: 'link', detail: 'this box is stopping', inDoubt: true });
    this.returnAll(remains.never, end);
  }

  /** Resolves when no connection is left. */
  async gone(): Promise<void> {
    await Promise.all([...this.existing].map(({ driver }) => driver.gone));
  }

  /** Ends everything now; nobody is told of anything any more. */
  destroy(): void {
    this.isOver = true;
    this.refusal ??= { by: 'us', condition: 'system-shutdown' };
    clearTimeout(this.holdTimer);
    for (const each of this.existing) each.driver.destroy();
    this.seekers.release();
  }

  private get current(): readonly LinkConnection[] {
    return this.connection === undefined ? [] : [this.connection];
  }

  /** So much is on its way that whoever sends should wait for the other end to confirm some of it. */
  private get isCrowded(): boolean {
    const { stanzas, bytes } = this.session.waiting;
    const { queueStanzas, queueBytes } = this.context.timing;
    return stanzas * 2 >= queueStanzas || bytes * 2 >= queueBytes;
  }

  private get timeouts(): LinkTimeouts {
    const { timing } = this.context;
    return {
      get header() {
        return timing.handshake;
      },
      get negotiation() {
        return timing.handshake;
      },
      close: CLOSE_MS,
      get quiet() {
        return timing.quiet;
      },
      get hold() {
        return timing.hold;
      },
    };
  }

  /** Writes what waits; `false`: who sends should wait. */
  private pump(): boolean {
    const { connection, session } = this;
    if (connection === undefined) return true;
    let hasRoom = true;
    for (let bytes = session.next(); bytes !== undefined; bytes = session.next())
      hasRoom = connection.driver.send(bytes);
    return hasRoom;
  }

  private message(message: LinkMessage): void {
    if (!this.options.message(message)) this.context.message(this, message);
  }

  private acknowledged(): void {
    if (!this.isCrowded) this.seekers.release();
  }

  private established(connection: LinkConnection, resumed: boolean, certificateUntil: number): void {
    this.negotiating.delete(connection);
    const former = this.connection;
    this.connection = connection;
    this.flows = false;
    former?.driver.handle({ type: 'close', why: 'replaced' });
    clearTimeout(this.holdTimer);
    this.refusal = undefined;
    this.record.certificateUntil = certificateUntil;
    if (resumed) this.record.resumed += 1;
    this.record.become('up', this.options.now(), undefined);
    const { tls, subject } = connection;
    const waiting = this.session.waiting.stanzas;
    this.context.notes({ note: 'link-up', box: this.name, resumed, tls, certificateUntil, waiting }, subject);
    this.context.up(this, resumed);
    this.options.established();
    // The stream has yet to write what belongs before the first stanza: its actions are performed when this call is over.
    queueMicrotask(() => {
      if (this.connection !== connection) return;
      this.flows = true;
      this.pump();
    });
  }

  private ended(connection: LinkConnection, end: StreamEnd): void {
    this.negotiating.delete(connection);
    if (connection !== this.connection) {
      // It took the session from the one that is established, which is of no use any more.
      if (!this.session.isOpen) for (const each of this.current) each.driver.handle({ type: 'close', why: 'replaced' });
      return;
    }
    this.connection = undefined;
    this.flows = false;
    this.seekers.release();
    if (this.isOver || this.record.state === 'revoked' || this.refusal !== undefined) return;
    this.record.become('down', this.options.now(), endInWords(end));
    const waiting = this.session.waiting.stanzas;
    this.context.notes({ note: 'link-down', box: this.name, because: end, waiting }, connection.subject);
    this.downSince = performance.now();
    this.startHold();
    this.context.down(this, end);
  }

  private startHold(): void {
    clearTimeout(this.holdTimer);
    this.holdTimer = setTimeout(() => this.giveUp(), this.context.timing.hold);
  }

  /** The Link has been down for too long for anything to wait. */
  private giveUp(): void {
    const seconds = Math.round((performance.now() - this.downSince) / 1000);
    const why = this.record.because ?? 'it has not been connected since this box was started';
    const detail = `the Link to ${this.name} has been down for ${seconds} seconds: ${why}`;
    this.refusal = { by: 'link', detail };
    const { inDoubt, never } = this.session.giveUp();
    const stanzas = inDoubt.length + never.length;
    if (stanzas === 0) return;
    this.context.notes(
      { note: 'link-given-up', box: this.name, detail, stanzas, inDoubt: inDoubt.length },
      { remote: this.name },
    );
    this.returnAll(inDoubt, { by: 'link', detail, inDoubt: true });
    this.returnAll(never, this.refusal);
  }

  /** A new session: the other end was started anew, or has given the former one up. */
  private inDoubt(stanzas: readonly Waiting[]): void {
    const detail = `${this.name} does not know any more what it was sent before the Link broke`;
    const count = stanzas.length;
    this.context.notes(
      { note: 'link-given-up', box: this.name, detail, stanzas: count, inDoubt: count },
      { remote: this.name },
    );
    this.returnAll(stanzas, { by: 'link', detail, inDoubt: true });
  }

  private returnAll(waiting: readonly Waiting[], end: StreamEnd): void {
    for (const { stanza, pair } of reread(waiting)) this.context.undeliverable(this, stanza, pair, end);
  }
}

const FULL: StreamEnd = { by: 'us', condition: 'resource-constraint', text: 'Too much is waiting for the Link.' };

function elapsed(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
