import type { NoteSink } from '../../protocol/notes.ts';
import type { NodeDatabase } from '../database/database.ts';

/** How long a count may lag behind in the table: each write goes to the disk. */
const LAG_MS = 1_000;

export interface RouterFactsContext {
  readonly database: NodeDatabase;
  readonly notes: NoteSink;
  /** Calls back once after so many milliseconds. */
  readonly after: (milliseconds: number, work: () => void) => void;
}

/** What the view `routerstatus` shows: how the router is, for whoever asks by SQL. */
export class RouterFacts {
  private readonly context: RouterFactsContext;
  private readonly pending = new Map<string, string>();
  private scheduled = false;

  constructor(context: RouterFactsContext) {
    this.context = context;
  }

  /** Says it now. */
  set(facts: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(facts)) this.pending.set(name, value);
    this.write();
  }

  /** Says it soon, for what changes often. */
  setSoon(name: string, value: string): void {
    this.pending.set(name, value);
    if (this.scheduled) return;
    this.scheduled = true;
    this.context.after(LAG_MS, () => {
      this.scheduled = false;
      this.write();
    });
  }

  /** Writes what has not been written. */
  write(): void {
    if (this.pending.size === 0) return;
    const { database, notes } = this.context;
    try {
      database.transaction(() => {
        const put = database.sql.prepare(
          'INSERT INTO router_facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
        );
        for (const [name, value] of this.pending) put.run(name, value);
      });
    } catch (error) {
      // The router works without: it is only seen less well.
      notes({ note: 'bug', where: 'routerstatus', detail: error instanceof Error ? error.message : String(error) }, {});
    }
    this.pending.clear();
  }
}
