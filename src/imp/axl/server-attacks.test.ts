import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { connect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AxlService, basic, envelope, everythingOn } from '../../../test/support/axl-service.ts';
import type { SqlAnswer } from '../sql/guard.ts';
import type { AxlLimits } from './limits.ts';

let service: AxlService;

async function start(limits: Partial<AxlLimits> = {}): Promise<void> {
  service.server.destroy();
  service = await AxlService.start(limits);
}

beforeEach(async () => {
  service = await AxlService.start();
});

afterEach(() => {
  service.server.destroy();
});

describe('AXL: who and what is not let in', () => {
  test('401, 403, 404, 405, 413, 415', async () => {
    expect((await service.ask({ user: '' })).status).toBe(401);
    expect((await service.ask({ password: 'wrong' })).status).toBe(401);
    expect((await service.ask({ user: 'clerk' })).status).toBe(403);
    expect((await service.ask({ path: '/' })).status).toBe(404);
    expect((await service.ask({ path: '/axl/x' })).status).toBe(404);
    expect((await service.ask({ path: '/api/v1/users/a/b' })).status).toBe(404);
    expect((await service.ask({ path: '/api/v1/users/%ff' })).status).toBe(404);
    const wrong = await service.ask({ method: 'PUT' });
    expect([wrong.status, wrong.headers['allow']]).toEqual([405, 'GET, POST']);
    expect(
      (
        await service.ask({
          method: 'POST',
          body: 'a=b',
          headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        })
      ).status,
    ).toBe(415);
    expect((await service.soap('x'.repeat(300_000))).status).toBe(413);
    expect((await service.soap('x'.repeat(300_000), { 'Transfer-Encoding': 'chunked' })).status).toBe(413);
  });

  test('whoever has not proved an account gets his answer, without his body being awaited', async () => {
    const socket = await service.raw();
    socket.write(`POST /axl/ HTTP/1.1\r\nHost: a\r\nContent-Length: 250000\r\nContent-Type: text/xml\r\n\r\n`);
    const began = performance.now();
    expect(await everythingOn(socket)).toMatch(/^HTTP\/1\.1 401 /);
    expect(performance.now() - began).toBeLessThan(3_000);
  });

  test('a client that asks whether to send the body is told 401 instead of 100', async () => {
    const socket = await service.raw();
    socket.write(`POST /axl/ HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n`);
    expect(await everythingOn(socket)).toMatch(/^HTTP\/1\.1 401 /);
    const body = envelope('executeSQLQuery', 'select 1');
    expect((await service.soap(body, { Expect: '100-continue', 'Content-Length': String(body.length) })).status).toBe(
      200,
    );
  });

  test('more requests than an account may make are 503 with the time to wait, and noted', async () => {
    await start({ requestsPerMinute: 3 });
    const answers = [];
    for (let index = 0; index < 5; index += 1) answers.push(await service.ask({}));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 503, 503]);
    expect(Number(answers[4]?.headers['retry-after'])).toBeGreaterThan(0);
    expect(service.notes).toContainEqual({
      note: 'imp-axl-throttled',
      user: 'core',
      because: 'more than 3 requests per minute',
    });
    await start({ requestsPerMinuteOfAll: 1 });
    expect([(await service.ask({})).status, (await service.ask({})).status]).toEqual([200, 503]);
  });

  test('more requests at the same time than are worked on are 503', async () => {
    await start({ concurrent: 1 });
    const held = Promise.withResolvers<SqlAnswer>();
    service.answer = held.promise;
    const first = service.soap(envelope('executeSQLQuery', 'select 1'));
    while (service.statements.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect((await service.ask({})).status).toBe(503);
    held.resolve({ updated: 0 });
    await first;
    expect((await service.ask({})).status).toBe(200);
  });
});

describe('AXL: slow, large and many', () => {
  test('bombs of XML are answered at once', async () => {
    const entities = `<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">${Array.from({ length: 20 }, (_, index) => `<!ENTITY b${index} "&a;&a;&a;">`).join('')}]>`;
    const bombs = [
      `${entities}${envelope('executeSQLQuery', '&b19;')}`,
      '<a>'.repeat(80_000),
      `<a ${Array.from({ length: 9_000 }, (_, index) => `b${index}="x"`).join(' ')}/>`,
      envelope('executeSQLQuery', '<x/>'.repeat(50_000)),
      envelope('executeSQLQuery', 'x'.repeat(200_000)),
    ];
    const began = performance.now();
    for (const bomb of bombs) expect((await service.soap(bomb)).status).toBe(500);
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(service.statements).toEqual([]);
  });

  test('a header that does not come to an end, byte by byte, costs its sender the connection', async () => {
    await start({ headers: 150 });
    const socket = await service.raw();
    const began = performance.now();
    const drip = setInterval(() => socket.write('X'), 20);
    socket.write('GET /axl/ HTTP/1.1\r\n');
    await once(
      socket.on('error', () => undefined),
      'close',
    );
    clearInterval(drip);
    await service.quiet();
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  test('so does silence after an answer', async () => {
    await start({ headers: 100 });
    const socket = await service.raw();
    socket.write(`GET /axl/ HTTP/1.1\r\nHost: a\r\nAuthorization: ${basic()}\r\n\r\n`);
    const text = await everythingOn(socket);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(text).toContain('Connection: keep-alive');
  });

  test('a body that comes byte by byte is 408', async () => {
    await start({ body: { bytes: 1_000, time: 150 } });
    const socket = await service.raw();
    socket.write(
      `POST /axl/ HTTP/1.1\r\nHost: a\r\nAuthorization: ${basic()}\r\nContent-Type: text/xml\r\nContent-Length: 999\r\n\r\n`,
    );
    const drip = setInterval(() => socket.write('<'), 20);
    const text = await everythingOn(socket);
    clearInterval(drip);
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    expect(service.statements).toEqual([]);
  });

  test('connections are bounded, of one source and of all; whoever is over is told nothing', async () => {
    await start({ connectionsPerSource: 2 });
    const sockets = [await service.raw(), await service.raw()];
    await expect(service.raw()).rejects.toThrow(Error);
    expect(service.notes.filter(({ note }) => note === 'connection-refused')).toHaveLength(1);
    for (const socket of sockets) socket.destroy();
    await service.quiet();
    expect((await service.ask({})).status).toBe(200);
  });

  test('headers without end, garbage and no TLS at all end the connection and nothing else', async () => {
    const big = await service.raw();
    big.write(`GET /axl/ HTTP/1.1\r\n${'X-A: b\r\n'.repeat(5_000)}\r\n`);
    expect(await everythingOn(big)).toMatch(/^HTTP\/1\.1 431 /);
    const garbage = await service.raw();
    garbage.write('\0\x01\x02 nonsense\r\n\r\n');
    expect(await everythingOn(garbage)).toMatch(/^HTTP\/1\.1 400 /);
    const plain = connectPlain(service.port, '127.0.0.1');
    plain.on('error', () => undefined).end('GET /axl/ HTTP/1.1\r\n\r\n');
    await once(plain.resume(), 'close');
    expect((await service.ask({})).status).toBe(200);
    expect(service.notes.some(({ note }) => note === 'imp-axl-not-secured')).toBe(true);
    expect(service.notes.some(({ note }) => note === 'bug')).toBe(false);
  });

  test('an old TLS is not spoken', async () => {
    const socket = connect({
      host: '127.0.0.1',
      port: service.port,
      rejectUnauthorized: false,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'ALL:@SECLEVEL=0',
    });
    await expect(once(socket, 'secureConnect')).rejects.toThrow(Error);
  });

  test('when the node stops, idle connections end and no new ones come', async () => {
    const idle = await service.raw();
    service.server.stopListening();
    await once(
      idle.on('error', () => undefined),
      'close',
    );
    await expect(service.raw()).rejects.toThrow(Error);
  });
});
