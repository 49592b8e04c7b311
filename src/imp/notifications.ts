import type { NoteSink } from '../protocol/notes.ts';
import type { Notification } from './operations.ts';

export interface NotificationsContext {
  readonly notes: NoteSink;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** What asks for an administrator, until it is settled; the node's Notifications page. There is one of an id at most. */
export class Notifications {
  private readonly context: NotificationsContext;
  private readonly standing = new Map<string, Notification>();

  constructor(context: NotificationsContext) {
    this.context = context;
  }

  /** Newest last. */
  list(): readonly Notification[] {
    return [...this.standing.values()];
  }

  /** Raises a notification, or settles it. Said in the log when that is news. */
  set(id: string, said: { readonly text: string; readonly cure: string } | undefined): void {
    const { notes, now } = this.context;
    if (said === undefined) {
      if (this.standing.delete(id)) notes({ note: 'imp-notification-cleared', id }, {});
      return;
    }
    const before = this.standing.get(id);
    if (before?.text === said.text && before.cure === said.cure) return;
    this.standing.set(id, { id, since: before?.since ?? now(), ...said });
    notes({ note: 'imp-notification-raised', id, ...said }, {});
  }
}
