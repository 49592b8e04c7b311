import type { StatementSync } from 'node:sqlite';
import type { XmlElement } from '../../protocol/xml/types.ts';
import type { NodeDatabase, SchemaPart } from '../database/database.ts';
import { fromStored, numberIn, octetsOf, type Row, textIn, toStored } from '../database/stored.ts';
import { type NodeConfig, readStoredConfig, storedConfig } from './node-config.ts';

export const PEP_TABLES: SchemaPart = {
  name: 'pep',
  steps: [
    `CREATE TABLE pep_nodes (
       account TEXT NOT NULL,
       node TEXT NOT NULL,
       config TEXT NOT NULL,
       PRIMARY KEY (account, node)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE pep_items (
       position INTEGER PRIMARY KEY AUTOINCREMENT,
       account TEXT NOT NULL,
       node TEXT NOT NULL,
       id TEXT NOT NULL,
       time INTEGER NOT NULL,
       octets INTEGER NOT NULL,
       payload TEXT NOT NULL,
       FOREIGN KEY (account, node) REFERENCES pep_nodes (account, node) ON DELETE CASCADE
     ) STRICT;
     CREATE UNIQUE INDEX pep_ids ON pep_items (account, node, id);
     CREATE INDEX pep_order ON pep_items (account, node, position, octets);`,
  ],
};

export interface PepItem {
  readonly id: string;
  /** Unix milliseconds. */
  readonly time: number;
  readonly payload: XmlElement;
}

/** An item as it lies in the database. */
export interface StoredItem extends PepItem {
  /** Of its payload. */
  readonly octets: number;
}

export interface PepNode {
  readonly node: string;
  readonly config: NodeConfig;
}

/** The nodes of the users and their items, the one published last being the last. */
export class NodeStore {
  private readonly statements: Readonly<Record<keyof typeof SQL, StatementSync>>;

  constructor({ sql }: NodeDatabase) {
    const prepared = Object.entries(SQL).map(([name, text]) => [name, sql.prepare(text)]);
    // The keys of both records are those of SQL.
    this.statements = Object.fromEntries(prepared) as Record<keyof typeof SQL, StatementSync>;
  }

  nodes(account: string): readonly PepNode[] {
    return this.statements.nodes.all(account).map(nodeOf);
  }

  node(account: string, node: string): PepNode | undefined {
    const row = this.statements.node.get(account, node);
    return row === undefined ? undefined : nodeOf(row);
  }

  /** Makes a node, or gives one another configuration. */
  putNode(account: string, { node, config }: PepNode): void {
    this.statements.putNode.run(account, node, storedConfig(config));
  }

  /** With its items. */
  removeNode(account: string, node: string): void {
    this.statements.removeNode.run(account, node);
  }

  /** The ids of the items of a node, the oldest first. */
  ids(account: string, node: string): readonly string[] {
    return this.statements.ids.all(account, node).map((row) => textIn(row, 'id'));
  }

  item(account: string, node: string, id: string): StoredItem | undefined {
    const row = this.statements.item.get(account, node, id);
    return row === undefined ? undefined : itemOf(row);
  }

  lastItem(account: string, node: string): StoredItem | undefined {
    const row = this.statements.lastItem.get(account, node);
    return row === undefined ? undefined : itemOf(row);
  }

  /** Puts an item behind all others, in the place of one with its id, and lets go of the oldest beyond `most`. */
  putItem(account: string, node: string, { id, time, payload }: PepItem, most: number): void {
    const text = toStored(payload);
    this.statements.removeItem.run(account, node, id);
    this.statements.putItem.run(account, node, id, time, octetsOf(text), text);
    this.trim(account, node, most);
  }

  /** Lets go of the oldest items beyond `most`. */
  trim(account: string, node: string, most: number): void {
    this.statements.trim.run(account, node, most);
  }

  /** Whether there was such an item. */
  removeItem(account: string, node: string, id: string): boolean {
    return this.statements.removeItem.run(account, node, id).changes > 0;
  }

  removeItems(account: string, node: string): void {
    this.statements.removeItems.run(account, node);
  }

  /** What an account has of nodes, and of octets in items. */
  usage(account: string): { readonly nodes: number; readonly items: number; readonly octets: number } {
    const nodes = this.statements.countNodes.get(account) ?? {};
    const items = this.statements.countItems.get(account) ?? {};
    return { nodes: numberIn(nodes, 'nodes'), items: numberIn(items, 'items'), octets: numberIn(items, 'octets') };
  }

  removeAccount(account: string): void {
    this.statements.removeAccount.run(account);
  }
}

const SQL = {
  nodes: 'SELECT node, config FROM pep_nodes WHERE account = ? ORDER BY node',
  node: 'SELECT node, config FROM pep_nodes WHERE account = ? AND node = ?',
  putNode:
    'INSERT INTO pep_nodes (account, node, config) VALUES (?, ?, ?) ON CONFLICT (account, node) DO UPDATE SET config = excluded.config',
  removeNode: 'DELETE FROM pep_nodes WHERE account = ? AND node = ?',
  ids: 'SELECT id FROM pep_items WHERE account = ? AND node = ? ORDER BY position',
  item: 'SELECT id, time, octets, payload FROM pep_items WHERE account = ? AND node = ? AND id = ?',
  lastItem:
    'SELECT id, time, octets, payload FROM pep_items WHERE account = ? AND node = ? ORDER BY position DESC LIMIT 1',
  putItem: 'INSERT INTO pep_items (account, node, id, time, octets, payload) VALUES (?, ?, ?, ?, ?, ?)',
  trim: `DELETE FROM pep_items WHERE position IN
    (SELECT position FROM pep_items WHERE account = ? AND node = ? ORDER BY position DESC LIMIT -1 OFFSET ?)`,
  removeItem: 'DELETE FROM pep_items WHERE account = ? AND node = ? AND id = ?',
  removeItems: 'DELETE FROM pep_items WHERE account = ? AND node = ?',
  countNodes: 'SELECT COUNT(*) AS nodes FROM pep_nodes WHERE account = ?',
  countItems: 'SELECT COUNT(*) AS items, COALESCE(SUM(octets), 0) AS octets FROM pep_items WHERE account = ?',
  removeAccount: 'DELETE FROM pep_nodes WHERE account = ?',
} as const;

function nodeOf(row: Row): PepNode {
  return { node: textIn(row, 'node'), config: readStoredConfig(textIn(row, 'config')) };
}

function itemOf(row: Row): StoredItem {
  return {
    id: textIn(row, 'id'),
    time: numberIn(row, 'time'),
    octets: numberIn(row, 'octets'),
    payload: fromStored(textIn(row, 'payload')),
  };
}
