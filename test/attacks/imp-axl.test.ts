import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { times } from './imp-flood.ts';
import { GOOD_CP, impUnderAttack } from './imp-ground.ts';
import type { HttpGot } from './imp-node.ts';
import { AXL_PASSWORD, AXL_USER, base64, passwordOf } from './imp-words.ts';

const ground = impUnderAttack({ network: 165, users: ['alice', 'bob'] });

const NS = 'http://schemas.xmlsoap.org/soap/envelope/';
const AXL = 'http://www.cisco.com/AXL/API/14.0';

function envelope(inside: string): string {
  return `<s:Envelope xmlns:s="${NS}"><s:Body>${inside}</s:Body></s:Envelope>`;
}

function query(sql: string): string {
  return envelope(`<a:executeSQLQuery xmlns:a="${AXL}"><sql>${sql}</sql></a:executeSQLQuery>`);
}

describe('SQL', () => {
  it('reads nothing but what administrators may see, whatever shape it has', async () => {
    const here = ground();
    for (const sql of [
      'select * from user_keys',
      'select * from users',
      'select * from main.users',
      'select name, sql from sqlite_schema',
      'select * from sqlite_master',
      'select * from sqlite_temp_schema',
      "select * from pragma_table_info('users')",
      'select * from pragma_database_list',
      'pragma table_info(users)',
      'pragma writable_schema = on',
      "attach database '/etc/passwd' as x",
      "attach 'file:imp.db?mode=rw' as y",
      "select load_extension('/tmp/x.so')",
      "select readfile('/etc/passwd')",
      "select writefile('/tmp/attack', 'x')",
      "select * from fsdir('/')",
      "vacuum into '/tmp/attack.db'",
      'select * from dbstat',
      'select * from enduser union select name, name from users',
      'select * from enduser union all select * from user_keys',
      'with u as (select * from users) select * from u',
      'with enduser as (select * from user_keys) select * from enduser',
      'with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n',
      'select (select group_concat(name) from users)',
      'select * from enduser where exists (select 1 from user_keys where 1 = 1)',
      'select * from (select * from administrators)',
      'explain select * from users',
      'select 1; select * from users',
      'select 1; drop table xmpps2snodes',
      'select/**/*/**/from/**/users',
      'select * from "users"',
      'select * from [users]',
      'select * from `users`',
      'select * from users--',
      "select * from json_each('[1]')",
      'select * from generate_series(1, 100000000)',
      'select zeroblob(2000000000)',
      'select randomblob(1000000000)',
      "select printf('%.*c', 2000000000, 'x')",
      "select replace(hex(zeroblob(1000)), '00', hex(zeroblob(100000)))",
      'select fts5(1)',
      'select sqlite_compileoption_get(1)',
      'create temp table x as select * from users',
      'begin; delete from xmpps2snodes; commit',
      'reindex',
      'analyze',
      'savepoint x',
      'detach main',
      `select ${'1 + ('.repeat(2_000)}1${')'.repeat(2_000)}`,
      `select ${times(3_000, (n) => `${n},`)}1`,
      `select 1 ${'union all select 1 '.repeat(600)}`,
      `select '${'x'.repeat(100_000)}'`,
      'select \u0001',
    ]) {
      const got = await here.sql(sql);
      expect([sql.slice(0, 100), got.status, got.text]).toEqual([
        sql.slice(0, 100),
        500,
        expect.stringContaining('Fault') as string,
      ]);
      expect(got.text).not.toMatch(/storedKey|stored_key|salt|CREATE TABLE|root:/);
    }
  }, 60_000);

  it('writes nothing but the table of the Edges, and of that what is meant', async () => {
    const here = ground();
    for (const sql of [
      'update users set active = 0',
      'delete from users',
      "insert into administrators values ('x', 'axl')",
      "update enduser set userid = 'x'",
      'insert into xmpps2snodes (pkid, cp_id) select newid(), name from users',
      'insert into xmpps2snodes (pkid, cp_id) values (newid(), (select hex(stored_key) from user_keys limit 1))',
      'update xmpps2snodes set cp_id = (select sql from sqlite_schema limit 1)',
      'delete from xmpps2snodes where cp_id in (select name from users)',
      'drop table xmpps2snodes',
      'alter table xmpps2snodes add column x',
      'create trigger x after insert on xmpps2snodes begin delete from users; end',
      'replace into users values (1)',
      "insert into xmpps2snodes (pkid, cp_id) values (newid(), 'a'); delete from users",
      'pragma user_version = 9',
      'insert into xmpps2snodes (pkid, cp_id) with recursive n(x) as (select 1 union all select x + 1 from n) select newid(), x from n',
    ]) {
      const got = await here.sql(sql, 'update');
      expect([sql, got.status]).toEqual([sql, 500]);
    }
    expect((await here.administrate((node) => node.users.list())).map(({ user, active }) => [user, active])).toEqual([
      ['alice', true],
      ['bob', true],
      ['healthy', true],
    ]);
  }, 60_000);

  it('a cp_id with quotes, tags, control characters, paths or without end is a name or refused: nobody connects by it, the log has it escaped', async () => {
    const here = ground();
    const mark = here.log.mark();
    const names = [
      "x''; drop table users; --",
      '<script>alert(1)</script>',
      '../../etc/passwd',
      'a b',
      '\u202Eevil',
      'x'.repeat(5_000),
      '%s%n',
      '',
      '.',
      'coluc.com',
      '*',
    ];
    for (const name of names)
      await here.sql(`insert into xmpps2snodes (pkid, cp_id) values (newid(), '${name}')`, 'update');
    const shown = await here.sql('select cp_id from xmpps2snodes');
    expect(shown.status).toBe(200);
    expect(shown.text).not.toContain('<script>');
    await here.served();
    for (const line of here.log.lines.slice(-2_000)) expect(line).not.toMatch(/[\u0000-\u0008\u202E]/);
    expect((await here.sql(`delete from xmpps2snodes where cp_id not like 'cm-2%'`, 'update')).status).toBe(200);
    expect(here.log.since(mark).some(({ code }) => code === 'imp-edges-changed')).toBe(true);
    expect((await here.sql("select count(*) from xmpps2snodes where cp_id like 'cm-2%'")).text).toContain('>2<');
  }, 30_000);

  it('ten runaway statements of one account at once end by themselves or are not begun; messages go on, and another account is answered', async () => {
    const here = ground();
    const before = here.memory();
    const runaway = [
      'select count(*) from syscat a, enduser b, enduser c',
      ...Array.from(
        { length: 4 },
        () => `select count(*) from enduser a, ${Array.from({ length: 30 }, (_, n) => `enduser e${n}`).join(', ')}`,
      ),
      ...Array.from(
        { length: 3 },
        () =>
          `select count(*) from enduser a, ${Array.from({ length: 30 }, (_, n) => `xmpps2snodes e${n}`).join(', ')} where a.userid like '%${'%a'.repeat(80)}%'`,
      ),
    ];
    here.secret('Another-Axl-Secret-1');
    await here.administrate((node) => node.administrators.add('other', 'Another-Axl-Secret-1', 'axl'));
    await here.during(async () => {
      const attack = Promise.all(runaway.map((sql) => here.sql(sql)));
      const page = await here.http({ path: '/axl/', credentials: 'other:Another-Axl-Secret-1', from: here.from(6) });
      expect(page.status).toBe(200);
      const answers = (await attack).map(({ status }) => status);
      expect(answers.every((status) => status === 500 || status === 503)).toBe(true);
      // Four are begun at a time; the first ends at once, for its table does not exist, and may make room for a fifth.
      expect(answers.filter((status) => status === 503).length).toBeGreaterThanOrEqual(3);
    });
    expect((await here.sql('select count(*) from enduser')).status).toBe(200);
    expect(await here.growth(before, 150)).toBeLessThan(150);
  }, 60_000);

  it('a result without bounds is refused', async () => {
    const here = ground();
    const got = await here.sql(
      `select a.cp_id from xmpps2snodes a, ${Array.from({ length: 15 }, (_, n) => `enduser e${n}`).join(', ')}`,
    );
    expect([got.status, got.text.length < 10_000]).toEqual([500, true]);
  }, 30_000);
});

describe('SOAP', () => {
  it('bombs and nonsense are faults', async () => {
    const here = ground();
    const before = here.memory();
    await here.during(async () => {
      for (const body of [
        `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">]>${query('&c;')}`,
        `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]>${query('&x;')}`,
        `<?xml version="1.0"?><!DOCTYPE l SYSTEM "http://127.0.0.1/evil.dtd">${query('select 1')}`,
        '<a>'.repeat(60_000),
        `<a ${times(9_000, (n) => `b${n}="x" `)}/>`,
        envelope('<x/>'.repeat(50_000)),
        query('select 1') + query('select 1'),
        query('select 1').slice(0, -20),
        envelope(`<a:executeSQLQuery xmlns:a="${AXL}"><sql>select 1</sql><sql>select 2</sql></a:executeSQLQuery>`),
        envelope(
          `<a:executeSQLQuery xmlns:a="${AXL}"/><a:executeSQLUpdate xmlns:a="${AXL}"><sql>delete from xmpps2snodes</sql></a:executeSQLUpdate>`,
        ),
        envelope(`<a:listUser xmlns:a="${AXL}"/>`),
        '',
        '\uFEFF',
        '{"a":1}',
        Buffer.from([0xff, 0xfe, 0x3c, 0x00]),
        gzipSync(query('select 1')),
      ])
        expect([body.slice(0, 60).toString(), (await here.soap(body)).status]).toEqual([
          body.slice(0, 60).toString(),
          500,
        ]);
      const claims = await here.soap(gzipSync('x'.repeat(50_000_000)), { 'Content-Encoding': 'gzip' });
      expect(claims.status).toBeGreaterThanOrEqual(400);
      expect((await here.soap('x'.repeat(400_000))).status).toBe(413);
    });
    expect(await here.growth(before, 150)).toBeLessThan(150);
  }, 60_000);

  it('two bodies, two lengths, chunks that lie and requests behind requests: one meaning, or none', async () => {
    const here = ground();
    const authorization = `Authorization: Basic ${base64(`${AXL_USER}:${AXL_PASSWORD}`)}\r\n`;
    const head = `POST /axl/ HTTP/1.1\r\nHost: x\r\n${authorization}Content-Type: text/xml\r\n`;
    const evil = 'GET /api/v1/users HTTP/1.1\r\nHost: x\r\n\r\n';
    for (const request of [
      `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${evil}`,
      `${head}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef`,
      `${head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${evil}`,
      `${head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${evil}`,
      `${head}Content-Length: -1\r\n\r\n${evil}`,
      `${head}Content-Length: 0x10\r\n\r\n${evil}`,
      `${head}Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n${evil}`,
      `${head}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${evil}`,
      `POST /axl/ HTTP/1.1\r\n Host: x\r\n\r\n${evil}`,
      `POST /axl/ HTTP/9.9\r\nHost: x\r\n\r\n`,
      `${'A'.repeat(50_000)} / HTTP/1.1\r\n\r\n`,
    ]) {
      const wire = await here.secured('axl', here.from(7));
      wire.send(request);
      const answer = await wire.end(15_000);
      expect([request.slice(-120), answer]).toEqual([
        request.slice(-120),
        expect.not.stringContaining('"users"') as string,
      ]);
      expect(answer).not.toMatch(/^HTTP\/1\.1 200/);
    }
    // Without credentials of its own, the second request on a connection gets nothing from the first.
    const wire = await here.secured('axl', here.from(7));
    wire.send(`GET /axl/ HTTP/1.1\r\nHost: x\r\n${authorization}\r\n${evil}`);
    const both = await wire.end(15_000);
    expect([both.includes(' 200 OK'), both.includes(' 401 '), both.includes('alice')]).toEqual([true, true, false]);
  }, 60_000);

  it('bodies that dribble and chunks without end: closed in time, others are served', async () => {
    const here = ground();
    const authorization = `Authorization: Basic ${base64(`${AXL_USER}:${AXL_PASSWORD}`)}\r\n`;
    await here.during(async () => {
      const wires = await Promise.all(Array.from({ length: 8 }, () => here.secured('axl', here.from(7))));
      for (const [n, wire] of wires.entries())
        wire.send(
          `POST /axl/ HTTP/1.1\r\nHost: x\r\n${n % 2 === 0 ? authorization : ''}Content-Type: text/xml\r\n${n % 3 === 0 ? 'Content-Length: 9999' : 'Transfer-Encoding: chunked'}\r\n\r\n`,
        );
      const drip = setInterval(() => {
        for (const [n, wire] of wires.entries()) wire.send(n % 3 === 0 ? '<' : '1\r\nx\r\n');
      }, 50);
      expect((await here.sql('select 1 from systables')).status).toBeGreaterThan(0);
      await until(() => wires.every(({ ended }) => ended), 'they are closed', 20_000);
      clearInterval(drip);
    });
  }, 40_000);
});

describe('who may come in', () => {
  it('passwords guessed from one address and from a hundred: braked, told once in words, the Core is not locked out', async () => {
    const here = ground();
    const mark = here.log.mark();
    here.secret('guessed-axl-password');
    await here.during(async () => {
      const guess = (n: number): Promise<HttpGot> =>
        here.http({
          path: '/axl/',
          credentials: `${AXL_USER}:guessed-axl-password${n}`,
          from: here.from(100 + (n % 100)),
        });
      const answers: number[] = [];
      for (let n = 0; n < 120; n += 20)
        answers.push(
          ...(await Promise.all(Array.from({ length: 20 }, async (_, each) => (await guess(n + each)).status))),
        );
      expect(answers.every((status) => status === 401 || status === 429 || status === 503)).toBe(true);
      expect(answers).toContain(429);
      expect((await here.sql('select cp_id from xmpps2snodes')).text).toContain(GOOD_CP);
    });
    await here.told('imp-axl-login-storm', mark);
    expect(here.log.since(mark).filter(({ code }) => code === 'imp-axl-login-storm').length).toBeLessThan(10);
  }, 60_000);

  it('credentials in odd shapes are none', async () => {
    const here = ground();
    for (const authorization of [
      'Basic',
      'Basic !!!',
      'Bearer x',
      `Basic ${base64(AXL_USER)}`,
      `Basic ${base64(`:${AXL_PASSWORD}`)}`,
      `Basic ${base64('x'.repeat(6_000))}`,
      `Digest username="${AXL_USER}"`,
      `Basic ${base64("' or '1'='1:x")}`,
      `Basic ${Buffer.from([0xff, 0x3a, 0xff]).toString('base64')}`,
    ]) {
      const got = await here.http({
        path: '/axl/',
        credentials: '',
        headers: { Authorization: authorization },
        from: here.from(201),
      });
      expect([authorization, [401, 429].includes(got.status)]).toEqual([authorization, true]);
    }
    const user = await here.http({ path: '/axl/', credentials: `alice:${passwordOf('alice')}`, from: here.from(202) });
    expect(user.status).toBe(401);
  }, 40_000);

  it('no path leads to a file, and no user is anything but a name', async () => {
    const here = ground();
    for (const path of [
      '/',
      '/axl/../../etc/passwd',
      '/axl/%2e%2e/%2e%2e/etc/passwd',
      '//etc/passwd',
      '/api/v1/users/../../data/imp.db',
      '/api/v1/users/%2e%2e%2f%2e%2e%2fimp.db',
      '/api/v1/users/..',
      "/api/v1/users/' or 1=1",
      '/api/v1/users/%00',
      '/api/v1/users/%ff',
      '/api/v1/users/__proto__',
      '/api/v1/users/constructor',
      '/.git/config',
      '*',
      'http://127.0.0.1/axl/',
    ]) {
      const got = await here.http({ path: path.replaceAll(' ', '%20'), method: 'GET' });
      expect([path, got.status]).toEqual([path, 404]);
      expect(got.text).not.toMatch(/SQLite|root:/);
    }
    for (const method of ['PUT', 'TRACE', 'OPTIONS', 'HEAD', 'PROPFIND'])
      expect((await here.http({ path: '/axl/', method })).status).toBe(405);
  }, 30_000);

  it('the users over HTTP: names and bodies that are none are refused, no password comes back', async () => {
    const here = ground();
    const post = (body: string | Uint8Array, type = 'application/json'): Promise<HttpGot> =>
      here.http({ method: 'POST', path: '/api/v1/users', body, headers: { 'Content-Type': type } });
    here.secret('A-Password-Over-Http-1');
    const password = 'A-Password-Over-Http-1';
    for (const user of ['../x', 'a@b', 'a/b', 'x y', '\u0000', '\u202E', '', 'x'.repeat(2_000), "a' or 1=1 --", '<b>'])
      expect([user, (await post(JSON.stringify({ user, password }))).status]).toEqual([user, 409]);
    for (const body of [
      '',
      '{',
      'null',
      '[]',
      '{"user":1,"password":2}',
      `{"user":"x","password":"${password}","active":true}`,
      '{"__proto__":{"x":1}}',
      '['.repeat(100_000),
      '{"user":"x","password":{"$ne":1}}',
      Buffer.from([0xff]),
    ])
      expect([body.slice(0, 30).toString(), (await post(body)).status]).toEqual([body.slice(0, 30).toString(), 400]);
    expect((await post('user=x', 'application/x-www-form-urlencoded')).status).toBe(415);
    expect((await post('x'.repeat(300_000))).status).toBe(413);
    expect((await post(JSON.stringify({ user: 'carol', password }))).status).toBe(201);
    expect((await post(JSON.stringify({ user: 'CAROL', password }))).status).toBe(409);
    const listed = await here.http({ path: '/api/v1/users' });
    expect(listed.text).toContain('carol');
    expect(listed.text).not.toMatch(/password|salt|key/i);
    expect((await here.http({ path: '/api/v1/users', credentials: '' })).status).toBe(401);
    expect((await here.http({ method: 'DELETE', path: '/api/v1/users/carol' })).status).toBe(200);
  }, 60_000);

  it('connections without end from one address: bounded, the Core gets through', async () => {
    const here = ground();
    const mark = here.log.mark();
    await here.during(async () => {
      const wires = (
        await Promise.allSettled(Array.from({ length: 150 }, () => here.connect('axl', here.from(203))))
      ).flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      expect((await here.sql('select cp_id from xmpps2snodes')).status).toBe(200);
      await here.told('connection-refused', mark);
      for (const wire of wires) wire.destroy();
    });
  }, 30_000);
});
