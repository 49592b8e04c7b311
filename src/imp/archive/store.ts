import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Jid } from '../../protocol/jid/jid.ts';
import { bareOf, printJid } from '../../protocol/jid/print.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import type { NodeDatabase } from '../database/database.ts';
import { fromStored, numberIn, octetsOf, type Row, textIn, toStored } from '../database/stored.ts';
import type { PageBounds, PageRequest } from '../forms/result-set.ts';
import type { ArchiveIds } from './ids.ts';

/** How much one archive keeps; what is oldest goes first. */
export interface Retention {
  readonly messages: number;
  readonly octets: number;
  /** Milliseconds; `undefined`: no message is too old. */
  readonly age: number | undefined;
}

/** Messages that are removed at once, so that nobody waits for a large archive that shrinks. */
const PRUNED_AT_ONCE = 100;

/** Octets of stanzas on one page: it ends there, though it may hold more messages. */
const PAGE_OCTETS = 2 * 1024 ** 2;

export interface ArchivedMessage {
  readonly id: string;
  /** Unix milliseconds. */
  readonly time: number;
  readonly stanza: XmlElement;
}

/** Which messages are meant; what is `undefined` does not matter. */
export interface ArchiveFilter {
  /** Prepared; a bare address stands for all its resources. */
  readonly with: Jid | undefined;
  /** Unix milliseconds, both included. */
  readonly start: number | undefined;
  readonly end: number | undefined;
  /** Excluded themselves. */
  readonly afterId: string | undefined;
  readonly beforeId: string | undefined;
  readonly ids: readonly string[] | undefined;
}

export interface ArchivePage extends PageBounds {
  readonly messages: readonly ArchivedMessage[];
  /** Nothing is left in the direction of the paging. */
  readonly complete: boolean;
}

/** A condition with what stands for its question marks. */
interface Condition {
  readonly sql: string;
  readonly values: readonly (string | number)[];
}

/** The messages of every archive on the node. Throws Node's error when the disk fails. */
export class ArchiveStore {
  private readonly database: NodeDatabase;
  private readonly ids: ArchiveIds;
  private readonly retention: Retention;
  private readonly sql: DatabaseSync;
  /** By their text, of which there are as many as combinations of filters. */
  private readonly prepared = new Map<string, StatementSync>();

  constructor(database: NodeDatabase, ids: ArchiveIds, retention: Retention) {
    this.database = database;
    this.sql = database.sql;
    this.ids = ids;
    this.retention = retention;
  }

  /** Keeps a message as it is, and lets go of what is too much. Returns its id. `now`: Unix milliseconds. */
  add(owner: string, direction: 'in' | 'out', peer: Jid, stanza: XmlElement, now: number): string {
    const id = this.ids.next(now);
    const text = toStored(stanza);
    this.database.transaction(() => {
      this.statement(
        'INSERT INTO archive_messages (owner, id, time, peer, resource, direction, octets, stanza) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      ).run(owner, id, now, printJid(bareOf(peer)), peer.resource ?? '', direction, octetsOf(text), text);
      this.pruneOwner(owner);
      this.prune(now);
    });
    return id;
  }

  /** A page of the messages that the filter means; `unknown` when an id in the filter or the request is not in the archive. */
  page(owner: string, filter: ArchiveFilter, { max, from }: PageRequest, most: number): ArchivePage | 'unknown' {
    const conditions = this.conditions(owner, filter);
    if (conditions === 'unknown') return 'unknown';
    const place = from.at === 'after' || from.at === 'before' ? this.positionOf(owner, from.id) : undefined;
    if ((from.at === 'after' || from.at === 'before') && place === undefined) return 'unknown';
    const backward = from.at === 'end' || from.at === 'before';
    const beyond: readonly Condition[] =
      place === undefined ? [] : [{ sql: backward ? 'position < ?' : 'position > ?', values: [place] }];
    const size = Math.min(max ?? most, most);
    const { rows, complete } = this.read([...conditions, ...beyond], {
      backward,
      size,
      skip: from.at === 'index' ? from.index : 0,
    });
    if (backward) rows.reverse();
    const [first] = rows;
    const last = rows.at(-1);
    return {
      messages: rows.map(messageOf),
      first: first === undefined ? undefined : textIn(first, 'id'),
      last: last === undefined ? undefined : textIn(last, 'id'),
      index:
        first === undefined
          ? undefined
          : this.count([...conditions, { sql: 'position < ?', values: [numberIn(first, 'position')] }]),
      count: this.count(conditions),
      complete,
    };
  }

  /** The oldest and the newest message, `undefined` when the archive is empty. */
  ends(owner: string): { readonly oldest: ArchiveEnd; readonly newest: ArchiveEnd } | undefined {
    const end = (order: 'ASC' | 'DESC'): ArchiveEnd | undefined => {
      const row = this.statement(
        `SELECT id, time FROM archive_messages WHERE owner = ? ORDER BY position ${order} LIMIT 1`,
      ).get(owner);
      return row === undefined ? undefined : { id: textIn(row, 'id'), time: numberIn(row, 'time') };
    };
    const oldest = end('ASC');
    const newest = end('DESC');
    return oldest === undefined || newest === undefined ? undefined : { oldest, newest };
  }

  /**
   * Removes some messages of all archives that have become too old. Whenever one is added it is done as well; a node to which nobody writes has to be asked.
   *
   * @param now Unix milliseconds
   * @returns how many; when there are any, there may be more
   */
  prune(now: number): number {
    if (this.retention.age === undefined) return 0;
    return Number(
      this.statement(
        'DELETE FROM archive_messages WHERE position IN (SELECT position FROM archive_messages WHERE time < ? ORDER BY time LIMIT ?)',
      ).run(now - this.retention.age, PRUNED_AT_ONCE).changes,
    );
  }

  /** Removes everything of an archive. */
  remove(owner: string): void {
    this.statement('DELETE FROM archive_messages WHERE owner = ?').run(owner);
  }

  private pruneOwner(owner: string): void {
    const drop = this.statement(
      'DELETE FROM archive_messages WHERE position = (SELECT MIN(position) FROM archive_messages WHERE owner = ?)',
    );
    for (let dropped = 0; dropped < PRUNED_AT_ONCE; dropped++) {
      const held = this.statement('SELECT messages, octets FROM archive_owners WHERE owner = ?').get(owner);
      if (held === undefined || numberIn(held, 'messages') <= 1) return;
      const fits =
        numberIn(held, 'messages') <= this.retention.messages && numberIn(held, 'octets') <= this.retention.octets;
      if (fits) return;
      drop.run(owner);
    }
  }

  /** What the filter says as conditions, the first of which names the owner. */
  private conditions(owner: string, filter: ArchiveFilter): readonly Condition[] | 'unknown' {
    const conditions: Condition[] = [{ sql: 'owner = ?', values: [owner] }];
    if (filter.with !== undefined) {
      conditions.push({ sql: 'peer = ?', values: [printJid(bareOf(filter.with))] });
      if (filter.with.resource !== undefined) conditions.push({ sql: 'resource = ?', values: [filter.with.resource] });
    }
    if (filter.start !== undefined) conditions.push({ sql: 'time >= ?', values: [filter.start] });
    if (filter.end !== undefined) conditions.push({ sql: 'time <= ?', values: [filter.end] });
    for (const [id, sql] of [
      [filter.afterId, 'position > ?'],
      [filter.beforeId, 'position < ?'],
    ] as const) {
      if (id === undefined) continue;
      const position = this.positionOf(owner, id);
      if (position === undefined) return 'unknown';
      conditions.push({ sql, values: [position] });
    }
    if (filter.ids !== undefined) {
      const positions = [];
      for (const id of filter.ids) {
        const position = this.positionOf(owner, id);
        if (position === undefined) return 'unknown';
        positions.push(position);
      }
      conditions.push({ sql: 'position IN (SELECT value FROM json_each(?))', values: [JSON.stringify(positions)] });
    }
    return conditions;
  }

  private positionOf(owner: string, id: string): number | undefined {
    const row = this.statement('SELECT position FROM archive_messages WHERE owner = ? AND id = ?').get(owner, id);
    return row === undefined ? undefined : numberIn(row, 'position');
  }

  private count(conditions: readonly Condition[]): number {
    const row = this.statement(`SELECT COUNT(*) AS count FROM archive_messages WHERE ${allOf(conditions)}`).get(
      ...valuesOf(conditions),
    );
    return row === undefined ? 0 : numberIn(row, 'count');
  }

  /** Rows in the direction that is asked for, until there are enough of them or enough octets. */
  private read(
    conditions: readonly Condition[],
    { backward, size, skip }: { readonly backward: boolean; readonly size: number; readonly skip: number },
  ): { readonly rows: Row[]; readonly complete: boolean } {
    const rows: Row[] = [];
    let octets = 0;
    const found = this.statement(
      `SELECT position, id, time, octets, stanza FROM archive_messages WHERE ${allOf(conditions)} ORDER BY position ${backward ? 'DESC' : 'ASC'} LIMIT ? OFFSET ?`,
    ).iterate(...valuesOf(conditions), size + 1, skip);
    for (const row of found) {
      octets += numberIn(row, 'octets');
      if (rows.length >= size || (rows.length > 0 && octets > PAGE_OCTETS)) return { rows, complete: false };
      rows.push(row);
    }
    return { rows, complete: true };
  }

  private statement(sql: string): StatementSync {
    let statement = this.prepared.get(sql);
    if (statement === undefined) {
      statement = this.sql.prepare(sql);
      this.prepared.set(sql, statement);
    }
    return statement;
  }
}

export interface ArchiveEnd {
  readonly id: string;
  /** Unix milliseconds. */
  readonly time: number;
}

function messageOf(row: Row): ArchivedMessage {
  return { id: textIn(row, 'id'), time: numberIn(row, 'time'), stanza: fromStored(textIn(row, 'stanza')) };
}

function allOf(conditions: readonly Condition[]): string {
  return conditions.map(({ sql }) => sql).join(' AND ');
}

function valuesOf(conditions: readonly Condition[]): readonly (string | number)[] {
  return conditions.flatMap(({ values }) => values);
}
