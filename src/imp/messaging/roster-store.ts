import type { StatementSync } from 'node:sqlite';
import type { Jid } from '../../protocol/jid/jid.ts';
import type { NodeDatabase } from '../database/database.ts';
import { type Row, textIn } from '../database/stored.ts';
import { bareText, storedAddress } from './addresses.ts';
import { type SubscriptionState, subscriptionOf } from './subscription-state.ts';

/** An item of a roster (RFC 6121 §2.1.2), or a request of somebody who is not in the roster. */
export interface RosterItem {
  /** A bare address. */
  readonly contact: string;
  readonly name: string | undefined;
  readonly groups: readonly string[];
  readonly state: SubscriptionState;
  /** Clients see it. Without that it is only a request that waits (RFC 6121 §3.1.3). */
  readonly isListed: boolean;
  /** The request that waits for an answer, as text; there exactly while `state.from` is pending. */
  readonly request: string | undefined;
}

const SELECT = 'SELECT contact, name, item_groups, subscription, ask, approved, listed, request FROM roster_items';

/** The rosters of all accounts. */
export class RosterStore {
  private readonly newId: () => string;
  private readonly statements: Readonly<Record<keyof typeof STATEMENTS, StatementSync>>;

  /** `newId`: makes the next version of a roster. */
  constructor({ sql }: NodeDatabase, newId: () => string) {
    this.newId = newId;
    this.statements = {
      item: sql.prepare(STATEMENTS.item),
      listed: sql.prepare(STATEMENTS.listed),
      requests: sql.prepare(STATEMENTS.requests),
      subscribers: sql.prepare(STATEMENTS.subscribers),
      sources: sql.prepare(STATEMENTS.sources),
      counts: sql.prepare(STATEMENTS.counts),
      save: sql.prepare(STATEMENTS.save),
      remove: sql.prepare(STATEMENTS.remove),
      version: sql.prepare(STATEMENTS.version),
      setVersion: sql.prepare(STATEMENTS.setVersion),
      forget: sql.prepare(STATEMENTS.forget),
      forgetVersion: sql.prepare(STATEMENTS.forgetVersion),
    };
  }

  /** What is known of a contact, by its bare address. */
  item(account: string, contact: string): RosterItem | undefined {
    const row = this.statements.item.get(account, contact);
    return row === undefined ? undefined : itemOf(row);
  }

  /** The roster. */
  listed(account: string): readonly RosterItem[] {
    return this.statements.listed.all(account).map(itemOf);
  }

  /** The requests that wait for an answer, each as a stanza in text. */
  requests(account: string): readonly string[] {
    return this.statements.requests.all(account).map((row) => textIn(row, 'request'));
  }

  /** Who receives the presence of the account: `from` and `both`. */
  subscribers(account: string): readonly Jid[] {
    return this.statements.subscribers.all(account).map((row) => storedAddress(textIn(row, 'contact')));
  }

  /** Whose presence the account receives: `to` and `both`. */
  sources(account: string): readonly Jid[] {
    return this.statements.sources.all(account).map((row) => storedAddress(textIn(row, 'contact')));
  }

  isSubscriber(account: string, contact: Jid): boolean {
    return this.item(account, bareText(contact))?.state.from === 'subscribed';
  }

  /** How many items a roster has, and how many requests of people who are not in it wait. */
  counts(account: string): { readonly listed: number; readonly requests: number } {
    const row = this.statements.counts.get(account);
    return { listed: Number(row?.['listed'] ?? 0), requests: Number(row?.['requests'] ?? 0) };
  }

  /** Keeps an item; one that is neither listed nor a request is removed. */
  save(account: string, item: RosterItem): void {
    const { contact, name, groups, state, isListed, request } = item;
    if (!isListed && state.from !== 'pending') {
      this.statements.remove.run(account, contact);
      return;
    }
    this.statements.save.run(
      account,
      contact,
      name ?? null,
      JSON.stringify(groups),
      subscriptionOf(state),
      state.to === 'pending' ? 1 : 0,
      state.isApproved ? 1 : 0,
      isListed ? 1 : 0,
      request ?? null,
    );
  }

  /** The version of the roster (RFC 6121 §2.6): another one after every change that clients see. */
  version(account: string): string {
    const row = this.statements.version.get(account);
    return row === undefined ? this.renew(account) : textIn(row, 'version');
  }

  /** Makes another version, and returns it. */
  renew(account: string): string {
    const version = this.newId();
    this.statements.setVersion.run(account, version);
    return version;
  }

  forget(account: string): void {
    this.statements.forget.run(account);
    this.statements.forgetVersion.run(account);
  }
}

const STATEMENTS = {
  item: `${SELECT} WHERE account = ? AND contact = ?`,
  listed: `${SELECT} WHERE account = ? AND listed = 1 ORDER BY contact`,
  requests: 'SELECT request FROM roster_items WHERE account = ? AND request IS NOT NULL ORDER BY contact',
  subscribers: "SELECT contact FROM roster_items WHERE account = ? AND subscription IN ('from', 'both')",
  sources: "SELECT contact FROM roster_items WHERE account = ? AND subscription IN ('to', 'both')",
  counts: `SELECT count(*) FILTER (WHERE listed = 1) AS listed, count(*) FILTER (WHERE listed = 0) AS requests
    FROM roster_items WHERE account = ?`,
  save: `INSERT INTO roster_items (account, contact, name, item_groups, subscription, ask, approved, listed, request)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (account, contact) DO UPDATE SET name = excluded.name, item_groups = excluded.item_groups,
      subscription = excluded.subscription, ask = excluded.ask, approved = excluded.approved, listed = excluded.listed, request = excluded.request`,
  remove: 'DELETE FROM roster_items WHERE account = ? AND contact = ?',
  version: 'SELECT version FROM roster_versions WHERE account = ?',
  setVersion:
    'INSERT INTO roster_versions (account, version) VALUES (?, ?) ON CONFLICT (account) DO UPDATE SET version = excluded.version',
  forget: 'DELETE FROM roster_items WHERE account = ?',
  forgetVersion: 'DELETE FROM roster_versions WHERE account = ?',
} as const;

function itemOf(row: Row): RosterItem {
  const name = row['name'];
  const request = row['request'];
  const subscription = textIn(row, 'subscription');
  const isTo = subscription === 'to' || subscription === 'both';
  const isFrom = subscription === 'from' || subscription === 'both';
  return {
    contact: textIn(row, 'contact'),
    name: typeof name === 'string' ? name : undefined,
    groups: groupsIn(textIn(row, 'item_groups')),
    state: {
      to: isTo ? 'subscribed' : row['ask'] === 1 ? 'pending' : 'none',
      from: isFrom ? 'subscribed' : typeof request === 'string' ? 'pending' : 'none',
      isApproved: row['approved'] === 1,
    },
    isListed: row['listed'] === 1,
    request: typeof request === 'string' ? request : undefined,
  };
}

function groupsIn(json: string): readonly string[] {
  const groups: unknown = JSON.parse(json);
  if (!Array.isArray(groups)) throw new TypeError('item_groups holds no array');
  return groups.map(String);
}
