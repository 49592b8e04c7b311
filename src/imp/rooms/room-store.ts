import type { StatementSync } from 'node:sqlite';
import type { Domain } from '../../protocol/jid/domain.ts';
import { NS } from '../../protocol/namespaces.ts';
import { element } from '../../protocol/xml/write.ts';
import type { NodeDatabase } from '../database/database.ts';
import { fromStored, numberIn, type Row, textIn, toStored } from '../database/stored.ts';
import { INSTANT_ROOM, type RoomConfig } from './config.ts';
import type { RoomLimits } from './limits.ts';
import { Room, type Subject } from './room.ts';
import { isAffiliation } from './standing.ts';

/** The persistent rooms in the database. Its methods throw Node's error when the disk fails. */
export class RoomStore {
  private readonly database: NodeDatabase;
  private readonly putRoom: StatementSync;
  private readonly dropRoom: StatementSync;
  private readonly putAffiliation: StatementSync;
  private readonly dropAffiliation: StatementSync;
  /** The rooms that are in the database, by name. One that could not be taken out is not taken for a later one of its name. */
  private readonly stored = new Map<string, Room>();

  constructor(database: NodeDatabase) {
    this.database = database;
    const { sql } = database;
    this.putRoom = sql.prepare(
      `INSERT INTO rooms VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET config = excluded.config,
         subject = excluded.subject, subject_nick = excluded.subject_nick, subject_id = excluded.subject_id, subject_at = excluded.subject_at`,
    );
    this.dropRoom = sql.prepare('DELETE FROM rooms WHERE name = ?');
    this.putAffiliation = sql.prepare(
      'INSERT INTO room_affiliations VALUES (?, ?, ?, ?) ON CONFLICT (room, address) DO UPDATE SET affiliation = excluded.affiliation, reason = excluded.reason',
    );
    this.dropAffiliation = sql.prepare('DELETE FROM room_affiliations WHERE room = ? AND address = ?');
  }

  /** All rooms as they were stored. */
  load(domain: Domain, limits: RoomLimits): readonly Room[] {
    const rooms = new Map<string, Room>();
    for (const row of this.database.sql.prepare('SELECT * FROM rooms').iterate()) {
      const name = textIn(row, 'name');
      const room = restored(row, domain, limits);
      rooms.set(name, room);
      this.stored.set(name, room);
    }
    for (const row of this.database.sql.prepare('SELECT * FROM room_affiliations').iterate()) {
      const affiliation = textIn(row, 'affiliation');
      if (!isAffiliation(affiliation)) throw new TypeError(`${affiliation} is no affiliation`);
      const reason = row['reason'] === null ? undefined : textIn(row, 'reason');
      rooms.get(textIn(row, 'room'))?.affiliations.restore(textIn(row, 'address'), { affiliation, reason });
    }
    return [...rooms.values()];
  }

  /**
   * Writes what has changed of a room since it was last stored; a room that is not persistent, or has ended, is taken out.
   *
   * @returns `removed`: it was in the database and is no longer
   */
  save(room: Room): 'removed' | 'stored' | 'unchanged' {
    const name = nameOf(room);
    if (room.ended || room.locked || !room.config.persistent) {
      if (!this.stored.has(name)) return 'unchanged';
      this.dropRoom.run(name);
      this.stored.delete(name);
      return 'removed';
    }
    const isNew = this.stored.get(name) !== room;
    const { changed } = room.affiliations;
    if (!isNew && !room.changed && changed.size === 0) return 'unchanged';
    this.database.transaction(() => {
      if (isNew) this.dropRoom.run(name);
      if (isNew || room.changed) this.writeRoom(name, room);
      for (const address of isNew ? room.affiliations.addresses() : changed) {
        const entry = room.affiliations.entry(address);
        if (entry === undefined) this.dropAffiliation.run(name, address);
        else this.putAffiliation.run(name, address, entry.affiliation, entry.reason ?? null);
      }
    });
    this.stored.set(name, room);
    room.changed = false;
    changed.clear();
    return 'stored';
  }

  private writeRoom(name: string, { origin, config, subject }: Room): void {
    const texts = subject === undefined ? null : toStored(element('message', NS.client, {}, ...subject.texts));
    this.putRoom.run(
      name,
      origin.creator,
      origin.created,
      origin.secret,
      JSON.stringify(config),
      texts,
      subject?.nick ?? null,
      subject?.occupantId ?? null,
      subject?.at ?? null,
    );
  }
}

function restored(row: Row, domain: Domain, limits: RoomLimits): Room {
  const room = new Room(
    {
      address: { local: textIn(row, 'name'), domain, resource: undefined },
      creator: textIn(row, 'creator'),
      created: numberIn(row, 'created'),
      secret: textIn(row, 'secret'),
    },
    limits,
  );
  room.config = readConfig(textIn(row, 'config'));
  room.subject = subjectIn(row);
  return room;
}

function subjectIn(row: Row): Subject | undefined {
  if (row['subject'] === null) return undefined;
  return {
    texts: fromStored(textIn(row, 'subject')).children,
    nick: textIn(row, 'subject_nick'),
    occupantId: textIn(row, 'subject_id'),
    at: numberIn(row, 'subject_at'),
  };
}

/** A former fedway may have known fewer settings. */
function readConfig(text: string): RoomConfig {
  // The column holds what `writeRoom` made of a RoomConfig; whoever else writes into the file can break more than this.
  return { ...INSTANT_ROOM, password: undefined, ...(JSON.parse(text) as Partial<RoomConfig>) };
}

function nameOf({ address }: Room): string {
  if (address.local === undefined) throw new Error('a room has a localpart');
  return address.local;
}
