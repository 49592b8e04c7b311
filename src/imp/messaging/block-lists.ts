import type { StatementSync } from 'node:sqlite';
import type { Jid } from '../../protocol/jid/jid.ts';
import { printJid } from '../../protocol/jid/print.ts';
import type { NodeDatabase } from '../database/database.ts';
import { textIn } from '../database/stored.ts';

/** The block lists of all accounts (XEP-0191). */
export class BlockLists {
  private readonly select: StatementSync;
  private readonly match: StatementSync;
  private readonly insert: StatementSync;
  private readonly delete: StatementSync;
  private readonly clear: StatementSync;

  constructor({ sql }: NodeDatabase) {
    this.select = sql.prepare('SELECT address FROM blocked WHERE account = ? ORDER BY address');
    this.match = sql.prepare('SELECT 1 FROM blocked WHERE account = ? AND address IN (?, ?, ?, ?) LIMIT 1');
    this.insert = sql.prepare('INSERT INTO blocked (account, address) VALUES (?, ?) ON CONFLICT DO NOTHING');
    this.delete = sql.prepare('DELETE FROM blocked WHERE account = ? AND address = ?');
    this.clear = sql.prepare('DELETE FROM blocked WHERE account = ?');
  }

  list(account: string): readonly string[] {
    return this.select.all(account).map((row) => textIn(row, 'address'));
  }

  isBlocked(account: string, address: Jid): boolean {
    return this.match.get(account, ...formsOf(address)) !== undefined;
  }

  block(account: string, address: string): void {
    this.insert.run(account, address);
  }

  unblock(account: string, address: string): void {
    this.delete.run(account, address);
  }

  forget(account: string): void {
    this.clear.run(account);
  }
}

/** XEP-0191 §3.1, "JID matching": the full address, the bare one, the resource at the domain, the domain. */
function formsOf({ local, domain, resource }: Jid): readonly [string, string, string, string] {
  return [
    printJid({ local, domain, resource }),
    printJid({ local, domain, resource: undefined }),
    printJid({ local: undefined, domain, resource }),
    domain,
  ];
}
