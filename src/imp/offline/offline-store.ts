import type { StatementSync } from 'node:sqlite';
import type { Domain } from '../../protocol/jid/domain.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import type { NodeDatabase, SchemaPart } from '../database/database.ts';
import { fromStored, numberIn, octetsOf, textIn, toStored } from '../database/stored.ts';
import { delayOf, isDelayedBy } from '../delay.ts';
import type { OfflineMessages } from '../messaging/ports.ts';

/** What service discovery of the server says because of it (XEP-0160 §4). */
export const OFFLINE_FEATURE = 'msgoffline';

export const OFFLINE_TABLES: SchemaPart = {
  name: 'offline',
  steps: [
    `CREATE TABLE offline_messages (
       position INTEGER PRIMARY KEY AUTOINCREMENT,
       account TEXT NOT NULL,
       time INTEGER NOT NULL,
       octets INTEGER NOT NULL,
       stanza TEXT NOT NULL
     ) STRICT;
     CREATE INDEX offline_order ON offline_messages (account, position, octets);`,
  ],
};

/** What waits for one user at most. */
export interface OfflineBounds {
  readonly messages: number;
  readonly octets: number;
}

/** Whatever else there is room for. */
const MOST_OCTETS = 8 * 1024 ** 2;

/**
 * The bounds for `messages` that may wait: they come all at once, with rosters and presence, and must not be more than is kept for the session that they
 * come to. It would end for it, before its client could say that it has them, at every login.
 */
export function offlineBounds(
  messages: number,
  session: { readonly stanzas: number; readonly bytes: number },
): OfflineBounds {
  return {
    messages: Math.min(messages, Math.floor(session.stanzas / 2)),
    octets: Math.min(MOST_OCTETS, Math.floor(session.bytes / 2)),
  };
}

export interface OfflineOptions {
  readonly database: NodeDatabase;
  /** Who says that a message is late. */
  readonly domain: Domain;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly bounds: OfflineBounds;
}

/** Messages for users who are not there (XEP-0160), in the database until they come. Which messages those are is the caller's to say. */
export class OfflineStore implements OfflineMessages {
  private readonly options: OfflineOptions;
  private readonly held: StatementSync;
  private readonly insert: StatementSync;
  private readonly select: StatementSync;
  private readonly erase: StatementSync;

  constructor(options: OfflineOptions) {
    this.options = options;
    const { sql } = options.database;
    this.held = sql.prepare(
      'SELECT COUNT(*) AS messages, COALESCE(SUM(octets), 0) AS octets FROM offline_messages WHERE account = ?',
    );
    this.insert = sql.prepare('INSERT INTO offline_messages (account, time, octets, stanza) VALUES (?, ?, ?, ?)');
    this.select = sql.prepare('SELECT time, stanza FROM offline_messages WHERE account = ? ORDER BY position');
    this.erase = sql.prepare('DELETE FROM offline_messages WHERE account = ?');
  }

  store(account: string, message: XmlElement): 'stored' | 'full' {
    const stanza = toStored(message);
    const octets = octetsOf(stanza);
    const { bounds } = this.options;
    return this.options.database.transaction(() => {
      const held = this.held.get(account) ?? {};
      if (numberIn(held, 'messages') + 1 > bounds.messages || numberIn(held, 'octets') + octets > bounds.octets)
        return 'full';
      this.insert.run(account, this.options.now(), octets, stanza);
      return 'stored';
    });
  }

  take(account: string): readonly XmlElement[] {
    return this.options.database.transaction(() => {
      const rows = this.select.all(account);
      if (rows.length > 0) this.erase.run(account);
      return rows.map((row) => this.late(fromStored(textIn(row, 'stanza')), numberIn(row, 'time')));
    });
  }

  /** Messages that wait for an account. */
  count(account: string): number {
    return numberIn(this.held.get(account) ?? {}, 'messages');
  }

  removeAccount(account: string): void {
    this.erase.run(account);
  }

  /** A message that was on its way before, and came back, keeps the time when it came first. */
  private late(message: XmlElement, time: number): XmlElement {
    const { domain } = this.options;
    if (isDelayedBy(message, domain)) return message;
    return { ...message, children: [...message.children, delayOf(domain, time)] };
  }
}
