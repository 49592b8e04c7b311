import type { XmlElement } from '../protocol/xml/types.ts';
import type { ClientSession, SessionOwner } from './sessions.ts';

export interface UserSessionsContext {
  /** Who serves the sessions. */
  readonly owner: SessionOwner;
  /** Whether the user may have sessions at all. */
  readonly mayLogIn: (user: string) => boolean;
}

/** The sessions of each user, between the clients and whoever serves them: so that an account that is switched off has none any more. */
export class UserSessions implements SessionOwner {
  private readonly context: UserSessionsContext;
  private readonly byUser = new Map<string, Set<ClientSession>>();

  constructor(context: UserSessionsContext) {
    this.context = context;
  }

  get count(): number {
    let count = 0;
    for (const sessions of this.byUser.values()) count += sessions.size;
    return count;
  }

  of(user: string): number {
    return this.byUser.get(user)?.size ?? 0;
  }

  /** Ends every session of a user; when this returns, they are over or about to be. */
  endAll(user: string, text: string): void {
    // Each takes itself out of the set.
    for (const session of Array.from(this.byUser.get(user) ?? [])) session.end('not-authorized', text);
  }

  opened(session: ClientSession): void {
    const user = session.address.local ?? '';
    const sessions = this.byUser.get(user) ?? new Set();
    sessions.add(session);
    this.byUser.set(user, sessions);
    this.context.owner.opened(session);
    // Switched off since the password was checked.
    if (!this.context.mayLogIn(user)) session.end('not-authorized', 'The account is inactive.');
  }

  stanza(session: ClientSession, stanza: XmlElement): void {
    this.context.owner.stanza(session, stanza);
  }

  ended(session: ClientSession, undelivered: readonly XmlElement[]): void {
    const user = session.address.local ?? '';
    const sessions = this.byUser.get(user);
    sessions?.delete(session);
    if (sessions?.size === 0) this.byUser.delete(user);
    this.context.owner.ended(session, undelivered);
  }
}
