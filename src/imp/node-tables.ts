import type { SchemaPart } from './database/database.ts';

/**
 * The tables that the rest of a deployment knows a node by, under the names they have in the reference system: `xmpps2snodes`, which a Core fills over AXL,
 * and `enterprisenode`. The view `routerstatus` shows what the router writes into `router_facts`.
 */
export const NODE_TABLES: SchemaPart = {
  name: 'node',
  steps: [
    `CREATE TABLE xmpps2snodes (
       pkid TEXT NOT NULL PRIMARY KEY CHECK (
         pkid GLOB '????????-????-????-????-????????????'
         AND length(replace(pkid, '-', '')) = 32 AND replace(pkid, '-', '') NOT GLOB '*[^0-9a-f]*'
       ),
       cp_id TEXT NOT NULL UNIQUE CHECK (length(cp_id) BETWEEN 1 AND 255)
     ) STRICT;
     CREATE TABLE settings (
       name TEXT NOT NULL PRIMARY KEY,
       value TEXT NOT NULL
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE enterprisenode (
       pkid TEXT NOT NULL PRIMARY KEY,
       name TEXT NOT NULL UNIQUE,
       domain TEXT NOT NULL,
       version TEXT NOT NULL
     ) STRICT;
     CREATE TABLE router_facts (
       name TEXT NOT NULL PRIMARY KEY,
       value TEXT NOT NULL
     ) STRICT, WITHOUT ROWID;
     CREATE VIEW routerstatus (name, value) AS SELECT name, value FROM router_facts;`,
  ],
};
