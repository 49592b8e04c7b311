import type { StatementSync } from 'node:sqlite';
import type { NoteSink } from '../protocol/notes.ts';
import type { NodeDatabase } from './database/database.ts';

export interface S2sNodesContext {
  readonly database: NodeDatabase;
  readonly notes: NoteSink;
}

/**
 * The table `xmpps2snodes`: the S2S components of the Edges, as their Cores have written them. It is written by SQL; whoever has run a statement calls `reread`
 * after. Watchers hear of a change once, when the table says something else than it said before.
 */
export class S2sNodes {
  private readonly context: S2sNodesContext;
  private readonly watchers: (() => void)[] = [];
  private told: readonly string[];
  /** Asked for every stanza that has no way out. */
  private readonly reading: StatementSync;

  constructor(context: S2sNodesContext) {
    this.context = context;
    this.reading = context.database.sql.prepare('SELECT cp_id FROM xmpps2snodes ORDER BY cp_id');
    this.told = this.cpIds();
  }

  /** The S2S components of the Edges, in the order of their names. */
  cpIds(): readonly string[] {
    return this.reading.all().map((row) => String(row['cp_id']));
  }

  /** Somebody may have changed the table by SQL: looks, and tells the watchers when it was so. */
  reread(): void {
    const now = this.cpIds();
    const added = now.filter((cpId) => !this.told.includes(cpId));
    const removed = this.told.filter((cpId) => !now.includes(cpId));
    if (added.length === 0 && removed.length === 0) return;
    this.told = now;
    this.context.notes({ note: 'imp-edges-changed', added, removed }, {});
    for (const watcher of this.watchers) watcher();
  }

  /** Calls `changed` after each change. */
  watch(changed: () => void): void {
    this.watchers.push(changed);
  }
}
