import { prepareLocal } from '../../protocol/jid/prepare.ts';
import type { ImpNodeNote } from '../../protocol/notes/imp-node.ts';
import type { NoteSink } from '../../protocol/notes.ts';
import { preparePassword } from '../../protocol/sasl/password.ts';
import type { NodeDatabase } from '../database/database.ts';
import type { AdministratorOperations, AdministratorRole, Outcome } from '../operations.ts';
import { accountName, newPassword } from './account-words.ts';
import { KeyTable } from './key-table.ts';
import { nodeSecret } from './node-secret.ts';
import { fits, keysOfNobody, scramKeysOf } from './scram.ts';

/** Nobody but this node derives these keys, so that their number can be that of the OWASP Password Storage Cheat Sheet. */
const ITERATIONS = 600_000;

export interface AdministratorContext {
  readonly database: NodeDatabase;
  readonly notes: NoteSink;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** In place of the usual number. */
  readonly iterations?: number;
}

type Change = Extract<ImpNodeNote, { note: 'imp-administrator-changed' }>['what'];

/** The accounts that may use AXL. They are not users: they have no address. */
export class Administrators implements AdministratorOperations {
  private readonly context: AdministratorContext;
  private readonly keys: KeyTable;
  private readonly iterations: number;
  private readonly secret: Uint8Array;

  constructor(context: AdministratorContext) {
    this.context = context;
    this.keys = new KeyTable(context.database, 'administrator_keys');
    this.iterations = context.iterations ?? ITERATIONS;
    this.secret = nodeSecret(context.database, 'keys of nobody');
  }

  list(): readonly { readonly name: string; readonly role: AdministratorRole }[] {
    const rows = this.context.database.sql.prepare('SELECT name, role FROM administrators ORDER BY name').all();
    return rows.map((row) => ({ name: String(row['name']), role: roleIn(row) }));
  }

  async add(name: string, password: string, role: AdministratorRole, author: string): Promise<Outcome> {
    const named = accountName(name);
    if ('refused' in named) return named;
    const chosen = newPassword(password);
    if ('refused' in chosen) return chosen;
    const keys = await scramKeysOf(chosen.password, 'sha-256', this.iterations);
    const { database, now } = this.context;
    const added = database.transaction(() => {
      const inserted = database.sql
        .prepare('INSERT INTO administrators (name, role, created) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING')
        .run(named.name, role, now());
      if (inserted.changes > 0) this.keys.replace(named.name, { 'sha-256': keys });
      return inserted.changes > 0;
    });
    if (!added) return { refused: `There is an account ${named.name} already. Set its password or its role.` };
    return this.done(named.name, 'added', role, author, `Added the AXL account ${named.name}.`);
  }

  async setPassword(name: string, password: string, author: string): Promise<Outcome> {
    const chosen = newPassword(password);
    if ('refused' in chosen) return chosen;
    const keys = await scramKeysOf(chosen.password, 'sha-256', this.iterations);
    const { database } = this.context;
    const found = database.transaction(() => {
      const account = this.find(name);
      if (account !== undefined) this.keys.replace(account.name, { 'sha-256': keys });
      return account;
    });
    if (found === undefined) return NO_SUCH_ACCOUNT;
    const said = `The password of the AXL account ${found.name} is changed. Tell it to every Core (fedway publisher).`;
    return this.done(found.name, 'password changed', found.role, author, said);
  }

  setRole(name: string, role: AdministratorRole, author: string): Outcome {
    const found = this.find(name);
    if (found === undefined) return NO_SUCH_ACCOUNT;
    this.context.database.sql.prepare('UPDATE administrators SET role = ? WHERE name = ?').run(role, found.name);
    const may = role === 'axl' ? 'may use AXL' : 'may not use AXL any more';
    return this.done(found.name, 'role changed', role, author, `The account ${found.name} ${may}.`);
  }

  remove(name: string, author: string): Outcome {
    const found = this.find(name);
    if (found === undefined) return NO_SUCH_ACCOUNT;
    this.context.database.sql.prepare('DELETE FROM administrators WHERE name = ?').run(found.name);
    return this.done(found.name, 'removed', undefined, author, `Removed the AXL account ${found.name}.`);
  }

  async roleOf(name: string, password: string): Promise<AdministratorRole | undefined> {
    const prepared = preparePassword(password);
    const known = this.find(name);
    const keys = known === undefined ? undefined : this.keys.get(known.name, 'sha-256');
    // The work is the same for a name that nobody has: the time of the answer tells nothing.
    const checked = keys ?? keysOfNobody(this.secret, name, 'sha-256', this.iterations);
    const fitting = await fits(prepared ?? '', 'sha-256', checked);
    if (!fitting || prepared === undefined || keys === undefined) return undefined;
    // As it is now: the account may have been removed, or have another role, since.
    return this.find(name)?.role;
  }

  private find(written: string): { readonly name: string; readonly role: AdministratorRole } | undefined {
    const name = prepareLocal(written);
    if (name === undefined) return undefined;
    const row = this.context.database.sql.prepare('SELECT name, role FROM administrators WHERE name = ?').get(name);
    return row === undefined ? undefined : { name, role: roleIn(row) };
  }

  private done(name: string, what: Change, role: AdministratorRole | undefined, author: string, said: string): Outcome {
    this.context.notes({ note: 'imp-administrator-changed', name, what, role, author }, {});
    return { done: said };
  }
}

function roleIn(row: Readonly<Record<string, unknown>>): AdministratorRole {
  return row['role'] === 'axl' ? 'axl' : 'none';
}

const NO_SUCH_ACCOUNT: Outcome = { refused: 'There is no such AXL account. See: fedway imp admin list' };
