import type { SchemaPart } from '../database/database.ts';

/**
 * Messages of every archive. An owner is the localpart of an account or the bare address of a room. What an archive holds is counted by triggers, so that
 * no way to write can miss it.
 */
export const ARCHIVE_TABLES: SchemaPart = {
  name: 'archive',
  steps: [
    `CREATE TABLE archive_owners (owner TEXT PRIMARY KEY, messages INTEGER NOT NULL, octets INTEGER NOT NULL) STRICT, WITHOUT ROWID;
     CREATE TABLE archive_messages (
       position INTEGER PRIMARY KEY AUTOINCREMENT,
       owner TEXT NOT NULL,
       id TEXT NOT NULL,
       time INTEGER NOT NULL,
       peer TEXT NOT NULL,
       resource TEXT NOT NULL,
       direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),
       octets INTEGER NOT NULL,
       stanza TEXT NOT NULL
     ) STRICT;
     CREATE UNIQUE INDEX archive_ids ON archive_messages (owner, id);
     CREATE INDEX archive_order ON archive_messages (owner, position, time, peer, resource);
     CREATE INDEX archive_age ON archive_messages (time);
     CREATE TRIGGER archive_added AFTER INSERT ON archive_messages BEGIN
       INSERT INTO archive_owners VALUES (NEW.owner, 1, NEW.octets)
         ON CONFLICT (owner) DO UPDATE SET messages = messages + 1, octets = octets + excluded.octets;
     END;
     CREATE TRIGGER archive_removed AFTER DELETE ON archive_messages BEGIN
       UPDATE archive_owners SET messages = messages - 1, octets = octets - OLD.octets WHERE owner = OLD.owner;
       DELETE FROM archive_owners WHERE owner = OLD.owner AND messages = 0;
     END;
     CREATE TABLE archive_preferences (
       owner TEXT PRIMARY KEY,
       fallback TEXT NOT NULL,
       always TEXT NOT NULL,
       never TEXT NOT NULL
     ) STRICT, WITHOUT ROWID;`,
  ],
};
