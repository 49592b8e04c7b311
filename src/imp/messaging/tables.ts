import type { SchemaPart } from '../database/database.ts';

/**
 * Rosters, block lists, and when somebody was seen last. A row of `roster_items` that is not `listed` is a request from somebody who is not in the roster
 * (RFC 6121 appendix A.1, "None + Pending In"); `request` is the stanza it came with. `item_groups` is a JSON array.
 */
export const MESSAGING_TABLES: SchemaPart = {
  name: 'messaging',
  steps: [
    `CREATE TABLE roster_items (
       account TEXT NOT NULL,
       contact TEXT NOT NULL,
       name TEXT,
       item_groups TEXT NOT NULL DEFAULT '[]',
       subscription TEXT NOT NULL CHECK (subscription IN ('none', 'to', 'from', 'both')),
       ask INTEGER NOT NULL CHECK (ask IN (0, 1)),
       approved INTEGER NOT NULL CHECK (approved IN (0, 1)),
       listed INTEGER NOT NULL CHECK (listed IN (0, 1)),
       request TEXT,
       PRIMARY KEY (account, contact)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE roster_versions (
       account TEXT NOT NULL PRIMARY KEY,
       version TEXT NOT NULL
     ) STRICT, WITHOUT ROWID;
     CREATE VIEW rosters (userid, contact, name, subscription) AS
       SELECT account, contact, name, subscription FROM roster_items WHERE listed = 1;
     CREATE TABLE blocked (
       account TEXT NOT NULL,
       address TEXT NOT NULL,
       PRIMARY KEY (account, address)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE last_seen (
       account TEXT NOT NULL PRIMARY KEY,
       time INTEGER NOT NULL,
       status TEXT
     ) STRICT, WITHOUT ROWID;`,
  ],
};
