import type { StatementSync } from 'node:sqlite';
import { prepareLocal } from '../../protocol/jid/prepare.ts';
import { preparePassword } from '../../protocol/sasl/password.ts';
import type { ScramHash, ScramKeys } from '../../protocol/sasl/scram-keys.ts';
import type { Credentials } from '../credentials.ts';
import type { NodeDatabase } from '../database/database.ts';
import { KeyTable } from './key-table.ts';
import { nodeSecret } from './node-secret.ts';
import { fits, keysOfNobody, scramKeysOf } from './scram.ts';

/**
 * Iterations of PBKDF2, which a client has to make at each log-in as well, on a telephone too. RFC 5802 and RFC 7677 demand 4,096; XEP-0438 calls that
 * inadequate and advises 10,000 and more. Twice that costs an old telephone a tenth of a second. Both hashes have the same number: a challenge for a name
 * that nobody has must look like all others.
 */
export const SCRAM_ITERATIONS = 20_000;

/** What the whole of a node knows of a user. */
export interface UserRow {
  /** The prepared localpart. */
  readonly name: string;
  readonly active: boolean;
  /** Unix milliseconds. */
  readonly created: number;
}

export interface AccountsContext {
  readonly database: NodeDatabase;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** In place of the usual number. */
  readonly iterations?: number;
}

/** The users of the node, by prepared localpart, and what their passwords are checked with. */
export class Accounts implements Credentials {
  private readonly context: AccountsContext;
  private readonly keys: KeyTable;
  private readonly iterations: number;
  /** What the keys of names without an account are made of. */
  private readonly secret: Uint8Array;
  /** Asked for every stanza that is for an account. */
  private readonly finding: StatementSync;

  constructor(context: AccountsContext) {
    this.context = context;
    this.keys = new KeyTable(context.database, 'user_keys');
    this.iterations = context.iterations ?? SCRAM_ITERATIONS;
    this.secret = nodeSecret(context.database, 'keys of nobody');
    this.finding = context.database.sql.prepare('SELECT name, active, created FROM users WHERE name = ?');
  }

  get count(): number {
    return Number(this.context.database.sql.prepare('SELECT count(*) AS users FROM users').get()?.['users'] ?? 0);
  }

  /** Whether there is such an account, be it inactive: it has an address, and things arrive for it. */
  exists(user: string): boolean {
    return this.find(user) !== undefined;
  }

  find(user: string): UserRow | undefined {
    const row = this.finding.get(user);
    return row === undefined ? undefined : userOf(row);
  }

  list(): readonly UserRow[] {
    return this.context.database.sql.prepare('SELECT name, active, created FROM users ORDER BY name').all().map(userOf);
  }

  /** Adds an active user with a prepared password; `false`: there is one of this name. */
  async add(user: string, password: string): Promise<boolean> {
    if (this.exists(user)) return false;
    const keys = await this.keysFor(password);
    const { database } = this.context;
    return database.transaction(() => {
      const added = database.sql
        .prepare('INSERT INTO users (name, active, created) VALUES (?, 1, ?) ON CONFLICT (name) DO NOTHING')
        .run(user, this.context.now());
      if (added.changes === 0) return false;
      this.keys.replace(user, keys);
      return true;
    });
  }

  /** `false`: there is no such user. */
  async setPassword(user: string, password: string): Promise<boolean> {
    if (!this.exists(user)) return false;
    const keys = await this.keysFor(password);
    const { database } = this.context;
    return database.transaction(() => {
      // It may have been removed while the keys were derived.
      if (!this.exists(user)) return false;
      this.keys.replace(user, keys);
      return true;
    });
  }

  /** `false`: there is no such user. */
  setActive(user: string, active: boolean): boolean {
    const set = this.context.database.sql.prepare('UPDATE users SET active = ? WHERE name = ?');
    return set.run(active ? 1 : 0, user).changes > 0;
  }

  /** `false`: there is no such user. */
  remove(user: string): boolean {
    return this.context.database.sql.prepare('DELETE FROM users WHERE name = ?').run(user).changes > 0;
  }

  keysOf(username: string, hash: ScramHash): ScramKeys | undefined {
    return this.find(username)?.active === true ? this.keys.get(username, hash) : undefined;
  }

  async isPassword(username: string, password: string): Promise<boolean> {
    const name = prepareLocal(username) ?? '';
    const prepared = preparePassword(password);
    const keys = this.keysOf(name, 'sha-256');
    // What is nobody's name, or no password, costs the same work.
    const checked = keys ?? keysOfNobody(this.secret, name, 'sha-256', this.iterations);
    const fitting = await fits(prepared ?? '', 'sha-256', checked);
    // The account may have been switched off while the keys were derived.
    return fitting && prepared !== undefined && this.find(name)?.active === true;
  }

  private async keysFor(password: string): Promise<Readonly<Record<ScramHash, ScramKeys>>> {
    const [sha1, sha256] = await Promise.all([
      scramKeysOf(password, 'sha-1', this.iterations),
      scramKeysOf(password, 'sha-256', this.iterations),
    ]);
    return { 'sha-1': sha1, 'sha-256': sha256 };
  }
}

function userOf(row: Readonly<Record<string, unknown>>): UserRow {
  return { name: String(row['name']), active: row['active'] === 1, created: Number(row['created']) };
}
