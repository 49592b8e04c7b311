import type { StatementSync } from 'node:sqlite';
import type { NodeDatabase } from '../database/database.ts';
import { numberIn } from '../database/stored.ts';

/** When the last resource of an account left, and what it said (XEP-0012 §3, RFC 6121 §4.3.2). */
export interface Seen {
  /** Unix milliseconds. */
  readonly time: number;
  readonly status: string | undefined;
}

/** Characters of a status that are kept: a sentence, not a library. */
const LONGEST_STATUS = 1024;

/** When each account was there last. */
export class LastSeen {
  private readonly select: StatementSync;
  private readonly insert: StatementSync;
  private readonly delete: StatementSync;

  constructor({ sql }: NodeDatabase) {
    this.select = sql.prepare('SELECT time, status FROM last_seen WHERE account = ?');
    this.insert = sql.prepare(
      'INSERT INTO last_seen (account, time, status) VALUES (?, ?, ?) ON CONFLICT (account) DO UPDATE SET time = excluded.time, status = excluded.status',
    );
    this.delete = sql.prepare('DELETE FROM last_seen WHERE account = ?');
  }

  /** `undefined`: never. */
  of(account: string): Seen | undefined {
    const row = this.select.get(account);
    if (row === undefined) return undefined;
    const status = row['status'];
    return { time: numberIn(row, 'time'), status: typeof status === 'string' ? status : undefined };
  }

  left(account: string, { time, status }: Seen): void {
    this.insert.run(account, time, status?.slice(0, LONGEST_STATUS).toWellFormed() ?? null);
  }

  forget(account: string): void {
    this.delete.run(account);
  }
}
