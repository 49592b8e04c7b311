import type { StatementSync } from 'node:sqlite';
import type { NodeDatabase } from './database/database.ts';

/** What a node remembers besides its boot file: the table `settings`. Values that are not understood count as not set. */
export class NodeSettings {
  private readonly database: NodeDatabase;
  /** Asked for every foreign stanza. */
  private readonly reading: StatementSync;

  constructor(database: NodeDatabase) {
    this.database = database;
    this.reading = database.sql.prepare("SELECT value FROM settings WHERE name = 'federation'");
  }

  /** XMPP federation node status; off unless it was switched on. */
  get federation(): 'on' | 'off' {
    return this.reading.get()?.['value'] === 'on' ? 'on' : 'off';
  }

  set federation(state: 'on' | 'off') {
    this.database.sql
      .prepare(
        "INSERT INTO settings (name, value) VALUES ('federation', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      )
      .run(state);
  }
}
