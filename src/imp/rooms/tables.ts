import type { SchemaPart } from '../database/database.ts';

/** What of a persistent room outlives the node: settings, subject, lists. Occupants are memory. */
export const ROOM_TABLES: SchemaPart = {
  name: 'rooms',
  steps: [
    `CREATE TABLE rooms (
       name TEXT NOT NULL PRIMARY KEY,
       creator TEXT NOT NULL,
       created INTEGER NOT NULL,
       secret TEXT NOT NULL,
       config TEXT NOT NULL,
       subject TEXT,
       subject_nick TEXT,
       subject_id TEXT,
       subject_at INTEGER
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE room_affiliations (
       room TEXT NOT NULL REFERENCES rooms (name) ON DELETE CASCADE,
       address TEXT NOT NULL,
       affiliation TEXT NOT NULL CHECK (affiliation IN ('outcast', 'member', 'admin', 'owner')),
       reason TEXT,
       PRIMARY KEY (room, address)
     ) STRICT, WITHOUT ROWID;`,
  ],
};
