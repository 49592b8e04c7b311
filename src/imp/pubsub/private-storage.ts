import type { StatementSync } from 'node:sqlite';
import { element } from '../../protocol/xml/write.ts';
import type { NodeDatabase, SchemaPart } from '../database/database.ts';
import { fromStored, numberIn, octetsOf, textIn, toStored } from '../database/stored.ts';
import { elementsIn } from '../elements.ts';
import type { IqAnswer, IqRequest, IqService } from '../messaging/ports.ts';

/** XEP-0049 §3. */
const PRIVATE = 'jabber:iq:private';

/** What an account may keep: bookmarks and settings of clients. */
const MOST_ELEMENTS = 100;
const MOST_OCTETS = 1024 ** 2;
/** UTF-16 units of a namespace. */
const LONGEST_NAME = 512;

export const PRIVATE_TABLES: SchemaPart = {
  name: 'private',
  steps: [
    `CREATE TABLE private_elements (
       account TEXT NOT NULL,
       namespace TEXT NOT NULL,
       name TEXT NOT NULL,
       octets INTEGER NOT NULL,
       element TEXT NOT NULL,
       PRIMARY KEY (account, namespace, name)
     ) STRICT;`,
  ],
};

/** Private XML storage (XEP-0049): elements that an account keeps for its own clients. The tables are `PRIVATE_TABLES`. */
export class PrivateStorage implements IqService {
  readonly namespace = PRIVATE;
  readonly at = ['account'] as const;
  readonly features: readonly string[] = [PRIVATE];
  private readonly database: NodeDatabase;
  private readonly select: StatementSync;
  private readonly upsert: StatementSync;
  private readonly usage: StatementSync;
  private readonly erase: StatementSync;

  constructor(database: NodeDatabase) {
    this.database = database;
    const { sql } = database;
    this.select = sql.prepare('SELECT element FROM private_elements WHERE account = ? AND namespace = ? AND name = ?');
    this.upsert = sql.prepare(
      'INSERT OR REPLACE INTO private_elements (account, namespace, name, octets, element) VALUES (?, ?, ?, ?, ?)',
    );
    this.usage = sql.prepare(
      'SELECT COUNT(*) AS elements, COALESCE(SUM(octets), 0) AS octets FROM private_elements WHERE account = ? AND (namespace, name) <> (?, ?)',
    );
    this.erase = sql.prepare('DELETE FROM private_elements WHERE account = ?');
  }

  answer({ type, account, isOwner, payload }: IqRequest): IqAnswer {
    // XEP-0049 §2: nobody else may.
    if (account === undefined || !isOwner) return { error: 'forbidden' };
    const [wanted, more] = elementsIn(payload);
    if (wanted === undefined) return { error: 'bad-request' };
    // XEP-0049 §2.3: a namespace of its own is demanded.
    if (wanted.namespace === PRIVATE || wanted.namespace === 'jabber:client' || wanted.namespace.length > LONGEST_NAME)
      return { error: 'not-acceptable' };
    if (more !== undefined) return { error: 'not-acceptable', text: 'One element at a time.' };
    if (type === 'get') {
      const row = this.select.get(account, wanted.namespace, wanted.name);
      // XEP-0049 §2.2: what was never stored comes back empty.
      const held = row === undefined ? element(wanted.name, wanted.namespace) : fromStored(textIn(row, 'element'));
      return { result: element('query', PRIVATE, {}, held) };
    }
    const text = toStored(wanted);
    const octets = octetsOf(text);
    return this.database.transaction((): IqAnswer => {
      const others = this.usage.get(account, wanted.namespace, wanted.name) ?? {};
      if (numberIn(others, 'elements') >= MOST_ELEMENTS || numberIn(others, 'octets') + octets > MOST_OCTETS)
        return { error: 'resource-constraint', text: 'There is no room for more.' };
      this.upsert.run(account, wanted.namespace, wanted.name, octets, text);
      return { result: undefined };
    });
  }

  removeAccount(account: string): void {
    this.erase.run(account);
  }
}
