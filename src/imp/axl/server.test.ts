import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AxlService, envelope, type Got, soapFault } from '../../../test/support/axl-service.ts';
import { readAnswer } from '../../axl/soap/read.ts';

let service: AxlService;

beforeEach(async () => {
  service = await AxlService.start();
});

afterEach(() => {
  service.server.destroy();
});

describe('AXL', () => {
  test('a query is answered with its rows, under the sequence of the request', async () => {
    const got = await service.soap(envelope('executeSQLQuery', ' select * from xmpps2snodes '), {
      SOAPAction: '"CUCM:DB ver=14.0 executeSQLQuery"',
    });
    expect(got.status).toBe(200);
    expect(got.headers['content-type']).toBe('text/xml; charset=utf-8');
    expect(got.body).toContain('<ns:executeSQLQueryResponse sequence="7">');
    expect(readAnswer(Buffer.from(got.body))).toEqual({
      rows: [
        [
          ['pkid', 'p'],
          ['cp_id', 'c'],
        ],
      ],
    });
    expect(service.statements).toEqual([['select * from xmpps2snodes', 'query']]);
    expect(service.changes).toBe(0);
    expect(service.notes.find(({ note }) => note === 'imp-axl-request')).toMatchObject({
      user: 'core',
      function: 'executeSQLQuery',
      status: 200,
    });
  });

  test('after an update the table is read again', async () => {
    service.answer = { updated: 1 };
    const got = await service.soap(envelope('executeSQLUpdate', 'delete from xmpps2snodes', '11.5'));
    expect(readAnswer(Buffer.from(got.body))).toEqual({ rowsUpdated: 1 });
    expect(service.statements).toEqual([['delete from xmpps2snodes', 'update']]);
    expect(service.changes).toBe(1);
  });

  test('a fault of SQL is a SOAP fault with its code, under 500; the log has the code and not the words', async () => {
    service.answer = { fault: { code: -239, message: 'duplicate value "private"' } };
    const got = await service.soap(envelope('executeSQLUpdate', 'insert'));
    expect(got.status).toBe(500);
    expect(readAnswer(Buffer.from(got.body))).toMatchObject({
      soapFault: { axlcode: -239, request: 'executeSQLUpdate' },
    });
    const told = service.notes.filter(({ note }) => note !== 'imp-axl-statement');
    expect(JSON.stringify(told)).toContain('SQL fault -239');
    expect(JSON.stringify(told)).not.toContain('private');
  });

  test.each(['9.0', '14.1', '99.9'])('version %s is not supported: 599', async (version) => {
    const got = await service.soap(envelope('executeSQLQuery', 'select 1', version));
    expect(got.status).toBe(599);
    expect(got.body).toContain('14.0');
    expect(
      (await service.soap(envelope('executeSQLQuery', 'x'), { SOAPAction: `"CUCM:DB ver=${version} executeSQLQuery"` }))
        .status,
    ).toBe(599);
    expect(service.statements).toEqual([]);
  });

  test('a SOAPAction that says something else than the body is told', async () => {
    const body = envelope('executeSQLQuery', 'select 1');
    const version = await service.soap(body, { SOAPAction: '"CUCM:DB ver=12.5 executeSQLQuery"' });
    expect(soapFault(version)).toBe(
      'SOAPAction says version 12.5, the namespace of the request 14.0. Say the same in both.',
    );
    expect(soapFault(await service.soap(body, { SOAPAction: '"CUCM:DB ver=14.0 executeSQLUpdate"' }))).toMatch(
      /executeSQLUpdate/,
    );
    expect(soapFault(await service.soap(body, { SOAPAction: 'nonsense' }))).toMatch(/SOAPAction/);
    expect((await service.soap(body, { SOAPAction: '""' })).status).toBe(200);
    expect(service.statements).toHaveLength(1);
  });

  test('other functions, and what is no envelope, are faults of the client', async () => {
    expect(soapFault(await service.soap(envelope('getPhone', 'x')))).toMatch(/^There is no such function/);
    for (const body of [
      '',
      'x',
      '<a/>',
      '<?xml version="1.0"?><!DOCTYPE a><a/>',
      envelope('executeSQLQuery', '<b/>'),
    ]) {
      const got = await service.soap(body);
      expect([got.status, soapFault(got)]).toEqual([500, expect.any(String)]);
    }
    expect(service.statements).toEqual([]);
  });

  test('a page tells whoever opens the address in a browser that it works', async () => {
    for (const path of ['/axl', '/axl/']) {
      const { status, headers, body } = await service.ask({ path });
      expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
      expect(headers['content-security-policy']).toContain("default-src 'none'");
      expect(body).toContain('The AXL service works');
      expect(body).toContain('imp-1');
    }
    expect((await service.ask({ path: '/axl', user: '' })).headers['www-authenticate']).toMatch(/^Basic /);
  });
});

describe('the users', () => {
  const json = { 'Content-Type': 'application/json' };

  test('are listed, shown, added, changed and removed', async () => {
    const path = '/api/v1/users';
    const alice = {
      user: 'alice',
      address: 'alice@coluc.com',
      active: true,
      sessions: 2,
      created: '1970-01-01T00:00:00.000Z',
    };
    expect(JSON.parse((await service.ask({ path })).body)).toEqual({ users: [alice] });
    expect(JSON.parse((await service.ask({ path: `${path}/alic%65` })).body)).toEqual(alice);
    const added = await service.ask({
      method: 'POST',
      path,
      headers: json,
      body: '{"user":"bob","password":"12345678"}',
    });
    expect([added.status, JSON.parse(added.body)]).toEqual([201, { done: 'Done.' }]);
    const body = '{"password":"87654321","active":false}';
    expect((await service.ask({ method: 'PATCH', path: `${path}/alice`, headers: json, body })).status).toBe(200);
    expect((await service.ask({ method: 'DELETE', path: `${path}/alice` })).status).toBe(200);
    expect(service.deeds).toEqual([
      ['add', 'bob', '12345678', 'core'],
      ['password', 'alice', '87654321', 'core'],
      ['active', 'alice', false, 'core'],
      ['remove', 'alice', 'core'],
    ]);
    expect(JSON.stringify(service.notes)).not.toMatch(/12345678|87654321|correct horse/);
  });

  test('what is refused, unknown or malformed says so', async () => {
    const path = '/api/v1/users';
    const post = (body: string | Buffer): Promise<Got> => service.ask({ method: 'POST', path, headers: json, body });
    const taken = await post('{"user":"taken","password":"12345678"}');
    expect([taken.status, JSON.parse(taken.body)]).toEqual([409, { error: 'There is a user taken already.' }]);
    expect((await service.ask({ path: `${path}/nobody` })).status).toBe(404);
    expect((await service.ask({ method: 'DELETE', path: `${path}/nobody` })).status).toBe(404);
    for (const body of [
      '',
      '[]',
      'null',
      '{"user":"a"}',
      '{"user":1,"password":"x"}',
      '{"user":"a","password":"b","admin":true}',
      Buffer.from([0xff]),
    ]) {
      expect((await post(body)).status).toBe(400);
    }
    expect((await service.ask({ method: 'PATCH', path: `${path}/alice`, headers: json, body: '{}' })).status).toBe(400);
    expect(
      (await service.ask({ method: 'POST', path, body: '{}', headers: { 'Content-Type': 'text/plain' } })).status,
    ).toBe(415);
    expect((await service.ask({ method: 'DELETE', path })).headers['allow']).toBe('GET, POST');
    expect((await service.ask({ path, user: '' })).status).toBe(401);
    expect((await service.ask({ path, user: 'clerk' })).status).toBe(403);
    expect(service.deeds).toEqual([]);
  });
});
