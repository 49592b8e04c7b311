import type { NodeDatabase } from './database/database.ts';

/** What a node remembers besides its boot file: the table `settings`. Values that are not understood count as not set. */
export class NodeSettings {
  private readonly database: NodeDatabase;

  constructor(database: NodeDatabase) {
    this.database = database;
  }

  /** XMPP federation node status; off unless it was switched on. */
  get federation(): 'on' | 'off' {
    const row = this.database.sql.prepare("SELECT value FROM settings WHERE name = 'federation'").get();
    return row?.['value'] === 'on' ? 'on' : 'off';
  }

  set federation(state: 'on' | 'off') {
    this.database.sql
      .prepare(
        "INSERT INTO settings (name, value) VALUES ('federation', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      )
      .run(state);
  }
}
