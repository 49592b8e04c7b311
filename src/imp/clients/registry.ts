import { faultInWords } from '../../net/s2s/in-words.ts';
import type { BindRefusal, BoundSession, SessionDesk } from '../../protocol/c2s/sessions.ts';
import { type KeptBounds, StreamManagement } from '../../protocol/c2s/stream-management.ts';
import type { Domain } from '../../protocol/jid/domain.ts';
import { prepareResource } from '../../protocol/jid/prepare.ts';
import { printJid } from '../../protocol/jid/print.ts';
import type { NoteSink } from '../../protocol/notes.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import type { SessionOwner } from '../sessions.ts';
import { LiveSession, type SessionStream } from './session.ts';

/** What one account may have. */
export interface SessionLimits {
  readonly resources: number;
  /** What is kept for one session that has not acknowledged it. */
  readonly kept: KeptBounds;
  /** How long a session is kept without a connection, in milliseconds: when the client does not say, and at most. */
  readonly hold: { readonly usual: number; readonly longest: number };
}

export const SESSION_LIMITS: SessionLimits = {
  resources: 10,
  kept: { stanzas: 5000, bytes: 4 * 1024 ** 2 },
  hold: { usual: 120_000, longest: 600_000 },
};

/** Sessions that are over, of which it is known what was handled (XEP-0198 §5). */
const REMEMBERED = 1000;

export interface RegistryContext {
  readonly domain: Domain;
  readonly owner: SessionOwner;
  readonly limits: SessionLimits;
  readonly notes: NoteSink;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Does something later, after so many milliseconds; the result calls it off. */
  readonly after: (milliseconds: number, run: () => void) => () => void;
  /** Unpredictable: 128 bits at least. */
  readonly newId: () => string;
}

/** All sessions of the node's clients, by address and by what resumes them. */
export class ClientRegistry {
  private readonly context: RegistryContext;
  /** By account, then by resource. */
  private readonly accounts = new Map<string, Map<string, LiveSession>>();
  private readonly resumable = new Map<string, LiveSession>();
  private readonly former = new Map<string, { readonly username: string; readonly handled: number }>();

  constructor(context: RegistryContext) {
    this.context = context;
  }

  /** The sessions that are open, those whose client is away included. */
  *sessions(): Generator<LiveSession, void> {
    for (const resources of this.accounts.values()) yield* resources.values();
  }

  /** The desk of one stream. */
  deskFor(stream: SessionStream): SessionDesk {
    return {
      bind: (username, resource) => this.bind(username, resource, stream),
      opened: (session) => this.context.owner.opened(own(session)),
      manage: (session, wantedMs) => this.manage(own(session), wantedMs),
      resume: (username, id) => this.resume(username, id, stream),
      stanza: (session, stanza: XmlElement) => this.context.owner.stanza(own(session), stanza),
      overflowed: (session) => this.overflowed(own(session)),
      left: (session, mayResume) => this.left(own(session), stream, mayResume),
    };
  }

  /** Ends the sessions whose clients are away, for good: nobody is there to be told. */
  endAway(): void {
    for (const session of this.sessions()) if (session.stream === undefined) this.finish(session);
  }

  private bind(
    username: string,
    wanted: string | undefined,
    stream: SessionStream,
  ): LiveSession | { readonly refused: BindRefusal } {
    const { domain, limits, now } = this.context;
    const resource = wanted === undefined ? this.context.newId() : prepareResource(wanted);
    if (resource === undefined) return { refused: 'bad-request' };
    // RFC 6120 §7.7.2.2: the newer one wins, or a client could not come back before its dead connection is noticed.
    this.accounts.get(username)?.get(resource)?.end('conflict', 'Another client has bound this resource.');
    const resources = this.accounts.get(username) ?? new Map<string, LiveSession>();
    if (resources.size >= limits.resources && !this.giveUpAway(resources)) return { refused: 'resource-constraint' };
    const address = { local: username, domain, resource };
    const session = new LiveSession(
      { address, username, stream, since: now(), longestWaiting: limits.kept.bytes },
      { overflowed: (session) => this.overflowed(session), endAway: (session) => this.finish(session) },
    );
    resources.set(resource, session);
    this.accounts.set(username, resources);
    return session;
  }

  /** A session whose client is away makes room for one whose client is here; the first is the oldest. */
  private giveUpAway(resources: ReadonlyMap<string, LiveSession>): boolean {
    for (const session of resources.values()) {
      if (session.stream !== undefined) continue;
      this.finish(session);
      return true;
    }
    return false;
  }

  private manage(session: LiveSession, wantedMs: number | undefined): StreamManagement {
    const { kept: bounds, hold } = this.context.limits;
    const holdMs =
      wantedMs === undefined
        ? 0
        : wantedMs === Number.POSITIVE_INFINITY
          ? hold.usual
          : Math.min(wantedMs, hold.longest);
    const id = holdMs === 0 ? undefined : this.context.newId();
    const management = new StreamManagement({ id, holdMs, bounds });
    session.management = management;
    if (id !== undefined) this.resumable.set(id, session);
    return management;
  }

  private resume(
    username: string,
    id: string,
    stream: SessionStream,
  ): LiveSession | { readonly handled: number | undefined } {
    const session = this.resumable.get(id);
    if (session === undefined || session.username !== username || session.isOverflowing) {
      const former = this.former.get(id);
      return { handled: former?.username === username ? former.handled : undefined };
    }
    const old = session.stream;
    session.callOffEnd();
    session.stream = stream;
    old?.replaced();
    return session;
  }

  /** Later, not at once: whoever sends is in the middle of something. */
  private overflowed(session: LiveSession): void {
    if (session.isOverflowing) return;
    session.isOverflowing = true;
    const { bytes } = session.management?.waiting ?? { bytes: session.stream?.waiting ?? 0 };
    this.context.notes({ note: 'client-overflow', address: printJid(session.address), bytes }, {});
    this.context.after(0, () => session.end('resource-constraint', 'More waits for this client than is kept for it.'));
  }

  private left(session: LiveSession, stream: SessionStream, mayResume: boolean): void {
    // A resumption has taken it to another stream.
    if (session.isOver || session.stream !== stream) return;
    const { management } = session;
    if (!mayResume || management?.id === undefined || session.isOverflowing) {
      this.finish(session);
      return;
    }
    session.stream = undefined;
    session.callOffEnd = this.context.after(management.holdMs, () => this.finish(session));
    this.context.notes(
      { note: 'client-away', address: printJid(session.address), seconds: management.holdMs / 1000 },
      {},
    );
  }

  private finish(session: LiveSession): void {
    if (session.isOver) return;
    session.isOver = true;
    session.stream = undefined;
    session.callOffEnd();
    this.forget(session);
    const undelivered = session.management?.giveUp() ?? [];
    const address = printJid(session.address);
    this.context.notes({ note: 'client-session-ended', address, undelivered: undelivered.length }, {});
    try {
      this.context.owner.ended(session, undelivered);
    } catch (error) {
      // Nobody above would take it: a session ends by a timer, or while its connection breaks for the same reason.
      this.context.notes({ note: 'bug', where: 'the end of a session', detail: faultInWords(error) }, {});
    }
  }

  private forget(session: LiveSession): void {
    const { username, address, management } = session;
    const resources = this.accounts.get(username);
    resources?.delete(address.resource ?? '');
    if (resources?.size === 0) this.accounts.delete(username);
    if (management?.id === undefined) return;
    this.resumable.delete(management.id);
    this.former.set(management.id, { username, handled: management.handled });
    for (const oldest of this.former.keys()) {
      if (this.former.size <= REMEMBERED) break;
      this.former.delete(oldest);
    }
  }
}

/** Every session that a stream has, it has from its desk. */
function own(session: BoundSession): LiveSession {
  if (session instanceof LiveSession) return session;
  throw new TypeError('a stream brought a session that is not from its desk');
}
