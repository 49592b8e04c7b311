import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ACCOUNT_TABLES } from '../accounts/tables.ts';
import { NodeDatabase } from '../database/database.ts';
import { MESSAGING_TABLES } from '../messaging/tables.ts';
import { NODE_TABLES } from '../node-tables.ts';
import { CODE } from './fault.ts';
import { MOST_ROWS, runStatement, type SqlAnswer, type SqlKind } from './guard.ts';

const SECRET = 'topsecret';
const CP_ID = 'cm-2_s2scp-1.eft-xwye-a-coluc-com';

let folder = '';
let path = '';
let database: NodeDatabase;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fedway-sql-'));
  path = join(folder, 'imp.db');
  database = new NodeDatabase(path, [NODE_TABLES, ACCOUNT_TABLES, MESSAGING_TABLES]);
  database.sql.exec(`
    INSERT INTO users VALUES ('alice', 1, 1700000000000);
    INSERT INTO user_keys VALUES ('alice', 'SHA-1', CAST('${SECRET}' AS BLOB), 4096, CAST('${SECRET}' AS BLOB), CAST('${SECRET}' AS BLOB));
    INSERT INTO node_secrets VALUES ('decoys', CAST('${SECRET}' AS BLOB));
    INSERT INTO administrators VALUES ('core', 'axl', 1700000000000);
    INSERT INTO router_facts VALUES ('since', '1');
    INSERT INTO roster_items VALUES ('alice', 'bob@vngtp.lab', 'Bob', '[]', 'both', 0, 0, 1, NULL);
  `);
});

beforeEach(() => {
  database.sql.exec('DELETE FROM xmpps2snodes');
});

afterAll(() => {
  database[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

function run(sql: string, kind: SqlKind = 'query'): SqlAnswer {
  return runStatement(path, sql, kind);
}

function codeOf(answer: SqlAnswer): number | undefined {
  return 'fault' in answer ? answer.fault.code : undefined;
}

function insert(cpId: string): SqlAnswer {
  return run(`insert into xmpps2snodes (pkid, cp_id) values (newid(), '${cpId}')`, 'update');
}

describe('what administrators may read', () => {
  test('the tables and views that are theirs', () => {
    insert(CP_ID);
    expect(run('select * from xmpps2snodes')).toEqual({
      columns: ['pkid', 'cp_id'],
      rows: [[expect.stringMatching(/^[\da-f]{8}-[\da-f-]{27}$/), CP_ID]],
    });
    expect(run('SELECT * FROM enduser')).toEqual({
      columns: ['userid', 'status', 'created'],
      rows: [['alice', '1', '2023-11-14 22:13:20']],
    });
    expect(run('select * from rosters')).toEqual({
      columns: ['userid', 'contact', 'name', 'subscription'],
      rows: [['alice', 'bob@vngtp.lab', 'Bob', 'both']],
    });
    expect(run('select * from routerstatus')).toMatchObject({ rows: [['since', '1']] });
    expect(run('select name from settings union select name from enterprisenode')).toMatchObject({ rows: [] });
  });

  test('joins, subqueries, common table expressions, functions and numbers', () => {
    insert('a');
    insert('b');
    expect(
      run(
        'with both as (select n.cp_id from xmpps2snodes n, enduser u) select upper(cp_id) as Big, count(*) from both group by 1',
      ),
    ).toEqual({
      columns: ['big', 'count(*)'],
      rows: [
        ['A', '1'],
        ['B', '1'],
      ],
    });
    expect(
      run("select null, 1.5, x'00ff', -7, cast(9007199254740993 as integer), (select count(*) from enduser)"),
    ).toMatchObject({
      rows: [[null, '1.5', '00ff', '-7', '9007199254740993', '1']],
    });
  });

  test.each([
    ['select * from users', CODE.noSuchTable],
    ['select * from user_keys', CODE.noSuchTable],
    ['select value from node_secrets', CODE.noSuchTable],
    ['select * from main.users', CODE.noSuchTable],
    ['select * from main.xmpps2snodes', CODE.noSuchTable],
    ['select * from "user_keys"', CODE.noSuchTable],
    ['select 1 union select value from node_secrets', CODE.noSuchTable],
    ['select (select value from node_secrets)', CODE.noSuchTable],
    ['select 1 from enduser where exists (select 1 from node_secrets)', CODE.noSuchTable],
    ['select 1 from enduser order by (select value from node_secrets)', CODE.noSuchTable],
    ['with enduser as (select value from node_secrets) select * from enduser', CODE.noSuchTable],
    ['select * from (with enduser as (select value from node_secrets) select * from enduser)', CODE.noSuchTable],
    ['select value from (select value from node_secrets) as enduser', CODE.noSuchTable],
    ['with rosters(value) as (select stored_key from user_keys) select value from rosters', CODE.noSuchTable],
    ['select * from sqlite_schema', CODE.noSelect],
    ['select * from sqlite_master', CODE.noSelect],
    ['select * from sqlite_temp_schema', CODE.noSelect],
    ['select count(*) from sqlite_schema', CODE.noSelect],
    ["select * from pragma_table_info('users')", CODE.noSelect],
    ['select count(*) from pragma_database_list', CODE.noSelect],
    ['select * from dbstat', CODE.noSelect],
    ["select * from json_each('[1]')", CODE.noSelect],
    ["select load_extension('/tmp/x')", CODE.noSuchFunction],
    ["select readfile('/etc/passwd')", CODE.noSuchFunction],
    ["select writefile('/tmp/x', 'y')", CODE.noSuchFunction],
    ["select fts3_tokenizer('x')", CODE.noSuchFunction],
    ['select randomblob(1000000000)', CODE.noSuchFunction],
    ["select printf('%1000000000d', 1)", CODE.noSuchFunction],
    ['with recursive x (n) as (select 1 union all select n + 1 from x) select * from x', CODE.notPermitted],
    ["attach '/etc/passwd' as other", CODE.notPermitted],
    ["vacuum into '/tmp/x'", CODE.notPermitted],
    ['pragma key', CODE.notPermitted],
    ['select 1; delete from users', CODE.syntax],
    ['delete from xmpps2snodes', CODE.notPermitted],
    ['with x as (select 1) delete from xmpps2snodes', CODE.notPermitted],
    ['select rowid from enduser', CODE.noSuchColumn],
    ['select password from enduser', CODE.noSuchColumn],
  ])('nothing else: %s', (sql, code) => {
    const answer = run(sql);
    expect(codeOf(answer)).toBe(code);
    expect(JSON.stringify(answer)).not.toContain(SECRET);
  });

  test('whatever is put together of words that could lead to a secret, none comes out', () => {
    const word = fc.constantFrom(
      ...'select value stored_key * from node_secrets user_keys enduser rosters as with ( ) , union all main. temp.'.split(
        ' ',
      ),
      ...'where in exists hex count sqlite_schema sql join using " ; --'.split(' '),
    );
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 24 }), (words) => {
        const answer = JSON.stringify(run(`select ${words.join(' ')}`));
        expect(answer).not.toContain(SECRET);
        expect(answer.toLowerCase()).not.toContain(Buffer.from(SECRET).toString('hex'));
        expect(answer).not.toContain('CREATE TABLE');
      }),
      { numRuns: 400 },
    );
  });

  test('errors are those an Informix client knows', () => {
    expect(run('selec 1')).toMatchObject({ fault: { code: 201 } });
    expect(run('select from')).toMatchObject({ fault: { code: 201 } });
    expect(run('select * from nowhere')).toEqual({
      fault: { code: 206, message: 'The specified table (nowhere) is not in the database.' },
    });
    expect(run('select flavor from enduser')).toEqual({
      fault: {
        code: 217,
        message: 'Column (flavor) not found in any table in the query (or SLV is undefined).',
      },
    });
    expect(run('select a.cp_id from xmpps2snodes a, xmpps2snodes b where pkid = 1')).toMatchObject({
      fault: { code: CODE.ambiguousColumn },
    });
    expect(run('select nosuch(1)')).toMatchObject({ fault: { code: CODE.noSuchFunction } });
  });

  test('a result is bounded in rows and in size', () => {
    const ten = '(values (1), (2), (3), (4), (5), (6), (7), (8), (9), (10))';
    const tables = ['a', 'b', 'c', 'd', 'e'].map((name) => `${ten} ${name}`).join(', ');
    expect(run(`select a.column1 from ${tables}`)).toMatchObject({
      fault: { message: expect.stringContaining(`more than ${MOST_ROWS} rows`) as string },
    });
    const long = `replace(replace(replace('${'x'.repeat(100)}', 'x', '${'y'.repeat(100)}'), 'y', 'zzzzzzzzz'), 'z', 'zz')`;
    expect(run(`select ${long} from ${ten} a, ${ten} b`)).toMatchObject({ fault: { code: CODE.interrupted } });
    expect(run(`select replace(${long}, 'z', ${long})`)).toMatchObject({ fault: { code: CODE.interrupted } });
  });
});

describe('what administrators may change', () => {
  test('rows of xmpps2snodes, and each change is told with its number', () => {
    expect(insert(CP_ID)).toEqual({ updated: 1 });
    expect(insert('cm-2_s2scp-1.edge-2')).toEqual({ updated: 1 });
    expect(run("update xmpps2snodes set cp_id = cp_id || '-x' where cp_id like 'cm-2%'", 'update')).toEqual({
      updated: 2,
    });
    expect(run('select cp_id from xmpps2snodes order by cp_id desc')).toMatchObject({
      rows: [[`${CP_ID}-x`], ['cm-2_s2scp-1.edge-2-x']],
    });
    expect(run("delete from xmpps2snodes where cp_id = 'nobody'", 'update')).toEqual({ updated: 0 });
    expect(run('delete from xmpps2snodes', 'update')).toEqual({ updated: 2 });
    expect(database.sql.prepare('SELECT count(*) AS n FROM xmpps2snodes').get()).toMatchObject({ n: 0 });
  });

  test('a duplicate is -239, and what else the table does not take has its own code; nothing is changed then', () => {
    insert(CP_ID);
    expect(insert(CP_ID)).toMatchObject({
      fault: { code: -239, message: expect.stringContaining('duplicate value') as string },
    });
    expect(codeOf(run('insert into xmpps2snodes (pkid, cp_id) values (newid(), null)', 'update'))).toBe(CODE.notNull);
    expect(codeOf(run("insert into xmpps2snodes (pkid, cp_id) values ('X', 'y')", 'update'))).toBe(CODE.check);
    expect(codeOf(run('insert into xmpps2snodes values (newid())', 'update'))).toBe(CODE.valuesCount);
    expect(codeOf(run('insert into xmpps2snodes (pkid, flavor) values (1, 2)', 'update'))).toBe(CODE.noSuchColumn);
    expect(
      codeOf(run(`insert into xmpps2snodes select newid(), column1 from (values ('a'), ('${CP_ID}'))`, 'update')),
    ).toBe(-239);
    expect(run('select count(*) from xmpps2snodes')).toMatchObject({ rows: [['1']] });
  });

  test.each([
    ['delete from users', CODE.noSuchTable],
    ["update administrators set role = 'axl'", CODE.noSuchTable],
    ['delete from enduser', CODE.noDelete],
    ["update settings set value = 'on'", CODE.noUpdate],
    ["insert into settings values ('federation', 'on')", CODE.noInsert],
    ['insert into xmpps2snodes select newid(), hex(value) from node_secrets', CODE.noSuchTable],
    ['update xmpps2snodes set cp_id = (select hex(stored_key) from user_keys)', CODE.noSuchTable],
    ['delete from main.xmpps2snodes', CODE.noSuchTable],
    ['insert into xmpps2snodes select newid(), sql from sqlite_schema', CODE.noSelect],
    ['select * from xmpps2snodes', CODE.notPermitted],
    ['drop table xmpps2snodes', CODE.notPermitted],
    ['delete from xmpps2snodes; delete from users', CODE.syntax],
  ])('nothing else: %s', (sql, code) => {
    expect(codeOf(run(sql, 'update'))).toBe(code);
    expect(
      database.sql
        .prepare('SELECT (SELECT count(*) FROM users) AS users, (SELECT count(*) FROM settings) AS settings')
        .get(),
    ).toEqual({
      users: 1,
      settings: 0,
    });
  });

  test('the table cannot be filled without end', () => {
    const ten = '(values (1), (2), (3), (4), (5), (6), (7), (8), (9), (10))';
    const many = ['a', 'b', 'c', 'd'].map((name) => `${ten} ${name}`).join(', ');
    expect(codeOf(run(`insert into xmpps2snodes select newid(), newid() from ${many}`, 'update'))).toBe(
      CODE.interrupted,
    );
    expect(run('select count(*) from xmpps2snodes')).toMatchObject({ rows: [['0']] });
  });

  test('a change is refused while somebody else holds the file, and a read is not', () => {
    insert(CP_ID);
    database.sql.exec('BEGIN IMMEDIATE');
    try {
      expect(codeOf(insert('other'))).toBe(CODE.locked);
      expect(run('select cp_id from xmpps2snodes')).toMatchObject({ rows: [[CP_ID]] });
    } finally {
      database.sql.exec('ROLLBACK');
    }
  });
});

test('a node without some of the tables has fewer views, and no fault', () => {
  const small = join(folder, 'small.db');
  const other = new NodeDatabase(small, [NODE_TABLES]);
  expect(runStatement(small, 'select * from xmpps2snodes', 'query')).toMatchObject({ rows: [] });
  expect(codeOf(runStatement(small, 'select * from rosters', 'query'))).toBe(CODE.noSuchTable);
  other[Symbol.dispose]();
});
