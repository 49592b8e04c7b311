import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { Say } from '../../test/support/axl-double.ts';
import { AxlDouble, axlRoot, fault, rows, updated } from '../../test/support/axl-double.ts';
import { authority, leaf } from '../../test/support/certificates.ts';
import type { Note } from '../protocol/notes.ts';
import { AxlClient } from './client.ts';
import { problemOf } from './failures.ts';
import type { AxlSettings } from './settings.ts';

const QUERY = 'select pkid, cp_id from xmpps2snodes';
const PASSWORD = 'correct horse:battery';
const notes: Note[] = [];
const open: AxlClient[] = [];

function client(
  port: number,
  settings: Partial<AxlSettings> = {},
  times = { connect: 5_000, whole: 10_000 },
): AxlClient {
  const made = new AxlClient(
    {
      name: 'cups',
      host: '127.0.0.1',
      port,
      user: 'fedway',
      password: PASSWORD,
      tls: 'verify',
      authorities: [axlRoot.pem],
      version: '14.0',
      ...settings,
    },
    (note) => notes.push(note),
    times,
  );
  open.push(made);
  return made;
}

afterEach(() => {
  for (const one of open.splice(0)) one.close();
  const told = JSON.stringify(notes.splice(0));
  if (/horse|Y29ycmVjdC|ZmVkd2F5/.test(told)) throw new Error(`a note has the password: ${told}`);
});

/** What the client makes of an answer. */
async function said(say: Say): Promise<unknown> {
  await using server = await AxlDouble.start(() => say);
  return await client(server.port).query(QUERY);
}

describe('a request', () => {
  test('goes with HTTP Basic, SOAPAction and the statement, to /axl/; the rows come back in order', async () => {
    await using server = await AxlDouble.start((asked) =>
      rows(asked, [
        [
          ['pkid', '1'],
          ['cp_id', 'a'],
        ],
      ]),
    );
    expect(await client(server.port).query(QUERY)).toEqual({
      rows: [
        [
          ['pkid', '1'],
          ['cp_id', 'a'],
        ],
      ],
    });
    expect(server.asked).toMatchObject([
      {
        request: { function: 'executeSQLQuery', version: '14.0', sequence: '1', sql: QUERY },
        headers: {
          authorization: `Basic ${Buffer.from(`fedway:${PASSWORD}`).toString('base64')}`,
          soapaction: '"CUCM:DB ver=14.0 executeSQLQuery"',
          'content-type': 'text/xml; charset=utf-8',
        },
      },
    ]);
    expect(notes).toMatchObject([
      {
        note: 'axl-sent',
        publisher: 'cups',
        url: `https://127.0.0.1:${server.port}/axl/`,
        function: 'executeSQLQuery',
      },
      { note: 'axl-answered', rows: 1 },
    ]);
  });

  test('one at a time, in order, over one connection', async () => {
    let running = 0;
    await using server = await AxlDouble.start(async (asked) => {
      running += 1;
      expect(running).toBe(1);
      await new Promise(setImmediate);
      running -= 1;
      return asked.request.function === 'executeSQLQuery' ? rows(asked, []) : updated(asked, 1);
    });
    const axl = client(server.port);
    const outcomes = await Promise.all([axl.query('a'), axl.update('b'), axl.query('c')]);
    expect(outcomes).toEqual([{ rows: [] }, { rowsUpdated: 1 }, { rows: [] }]);
    expect(server.asked.map(({ request }) => request.sql)).toEqual(['a', 'b', 'c']);
    expect(server.connections).toBe(1);
  });

  test('is sent again over a new connection when the kept one was closed in the meantime', async () => {
    await using server = await AxlDouble.start((asked) => (server.asked.length === 2 ? 'hang up' : rows(asked, [])));
    const axl = client(server.port);
    await axl.query('a');
    expect(await axl.query('b')).toEqual({ rows: [] });
    expect(server.asked.map(({ request }) => request.sql)).toEqual(['a', 'b', 'b']);
  });

  test('that XML cannot express is a fault of ours', async () => {
    await expect(client(1).query('\0')).rejects.toThrow('cannot express');
  });
});

/** What the client makes of a server that is too busy, and asks to come back later. */
function busy(after: string): Promise<unknown> {
  return said({ status: 503, headers: { 'Retry-After': after } });
}

/** A server that has one version. */
const speaks =
  (version: () => string) =>
  (asked: AxlDouble['asked'][number]): Say =>
    asked.request.version === version() ? rows(asked, []) : { status: 599 };

describe('the version of the schema', () => {
  test('auto: found from the newest on, remembered, found again when it does not hold any more', async () => {
    let spoken = '12.5';
    await using server = await AxlDouble.start(speaks(() => spoken));
    const axl = client(server.port, { version: 'auto' });
    const asked = (): readonly string[] => server.asked.splice(0).map(({ request }) => request.version);
    expect(axl.version).toBeUndefined();
    expect(await axl.query(QUERY)).toEqual({ rows: [] });
    expect(asked()).toEqual(['15.0', '14.0', '12.5']);
    expect(axl.version).toBe('12.5');
    await axl.query(QUERY);
    expect(asked()).toEqual(['12.5']);
    spoken = '14.0';
    expect(await axl.query(QUERY)).toEqual({ rows: [] });
    expect(asked()).toEqual(['12.5', '15.0', '14.0']);
    axl.forget();
    expect(axl.version).toBeUndefined();
  });

  test('auto: none of them', async () => {
    await using server = await AxlDouble.start(speaks(() => '10.0'));
    const tried = ['15.0', '14.0', '12.5', '11.5'];
    expect(await client(server.port, { version: 'auto' }).query(QUERY)).toEqual({
      failure: { code: 'version', tried },
    });
    expect(notes.filter(({ note }) => note === 'axl-failed')).toHaveLength(1);
  });

  test('a fixed one is used as it is', async () => {
    await using server = await AxlDouble.start(speaks(() => '15.0'));
    expect(await client(server.port).query(QUERY)).toEqual({ failure: { code: 'version', tried: ['14.0'] } });
    expect(server.asked).toHaveLength(1);
  });

  test('auto: a wrong password is not tried with every version', async () => {
    await using server = await AxlDouble.start(() => ({ status: 401 }));
    expect(await client(server.port, { version: 'auto' }).query(QUERY)).toEqual({ failure: { code: 'credentials' } });
    expect(server.asked).toHaveLength(1);
  });

  test('auto: only an answer of AXL itself says that a version worked', async () => {
    const statuses = [401, 500];
    await using server = await AxlDouble.start((asked) => {
      const status = statuses.shift();
      return status === undefined ? fault(asked, -1, 'words') : { status };
    });
    const axl = client(server.port, { version: 'auto' });
    await axl.query(QUERY);
    await axl.query(QUERY);
    expect(axl.version).toBeUndefined();
    await axl.query(QUERY);
    expect(axl.version).toBe('15.0');
  });
});

describe('answers that are failures', () => {
  test.each([
    [401, { code: 'credentials' }],
    [403, { code: 'role' }],
    [429, { code: 'locked-out', retryAfter: undefined }],
    [404, { code: 'not-activated' }],
    [500, { code: 'http-status', status: 500 }],
    [503, { code: 'throttled', retryAfter: undefined }],
  ])('HTTP %i', async (status, failure) => {
    expect(await said({ status })).toEqual({ failure });
  });

  test('503 with Retry-After says how long to wait, at most an hour', async () => {
    expect(await busy('7')).toEqual({ failure: { code: 'throttled', retryAfter: 7_000 } });
    expect(await busy('999999')).toEqual({ failure: { code: 'throttled', retryAfter: 3_600_000 } });
    expect(await busy('Thu, 01 Jan 1970 00:00:00 GMT')).toEqual({ failure: { code: 'throttled', retryAfter: 0 } });
    expect(await busy('soon')).toEqual({ failure: { code: 'throttled', retryAfter: undefined } });
  });

  test.each([
    [-239, 'duplicate'],
    [-268, 'duplicate'],
    [201, 'syntax'],
    [-217, 'unknown-column'],
    [-206, 'unknown-table'],
    [-1, 'fault'],
  ] as const)('a fault with axlcode %i', async (axlcode, code) => {
    await using server = await AxlDouble.start((asked) => fault(asked, axlcode, 'words'));
    const outcome = await client(server.port).query(QUERY);
    expect(outcome).toMatchObject({
      failure: { code, fault: { axlcode, axlmessage: 'words', request: 'executeSQLQuery' } },
    });
    expect(notes.at(-1)).toMatchObject({ note: 'axl-failed', reason: 'words', problem: { code } });
  });

  test('a redirect is not followed', async () => {
    await using elsewhere = await AxlDouble.start((asked) => rows(asked, []));
    const headers = { Location: `https://127.0.0.1:${elsewhere.port}/axl/` };
    expect(await said({ status: 307, headers })).toMatchObject({ failure: { code: 'not-axl' } });
    expect(elsewhere.connections).toBe(0);
  });

  test.each([
    ['HTML', { 'Content-Type': 'text/html' }, '<html/>'],
    ['HTML that says it is XML', { 'Content-Type': 'text/xml' }, '<html/>'],
    ['no content type', {}, ''],
    ['nothing', { 'Content-Type': 'text/xml' }, ''],
  ])('200 with %s', async (_, headers, body) => {
    expect(await said({ status: 200, headers, body })).toMatchObject({ failure: { code: 'not-axl' } });
  });

  test('the answer of another function', async () => {
    await using server = await AxlDouble.start((asked) => updated(asked, 1));
    expect(await client(server.port).query(QUERY)).toMatchObject({ failure: { code: 'not-axl' } });
  });

  test('an answer that is too large, whether its length is announced or not', async () => {
    const body = ' '.repeat(1_100_000);
    const failure = { code: 'too-large', bytes: 1_048_576 };
    expect(await said({ status: 200, headers: { 'Content-Length': '1100000' }, body })).toEqual({ failure });
    expect(await said({ status: 200, headers: { 'Transfer-Encoding': 'chunked' }, body })).toEqual({ failure });
  });
});

describe('the certificate of the server', () => {
  const DAY = 86_400_000;
  const names = [{ ip: [127, 0, 0, 1] }];
  const stranger = authority('Somebody else');

  test.each([
    ['expired', leaf([], axlRoot, { names, subject: 'x', notAfter: new Date(Date.now() - DAY / 2) }), 'tls-expired'],
    [
      'not yet valid',
      leaf([], axlRoot, { names, subject: 'x', notBefore: new Date(Date.now() + DAY) }),
      'tls-not-yet-valid',
    ],
    ['self-signed', leaf([], undefined, { names, subject: 'x' }), 'tls-self-signed'],
    ['from another authority', leaf([], stranger, { names, subject: 'x' }), 'tls-unknown-authority'],
    ['for another name', leaf('other.lab', axlRoot), 'tls-wrong-name'],
  ] as const)('%s: nothing is sent, and it is said what is wrong', async (_, issued, code) => {
    await using server = await AxlDouble.start((asked) => rows(asked, []), {
      cert: issued.chainPem,
      key: issued.keyPem,
    });
    expect(await client(server.port).query(QUERY)).toMatchObject({ failure: { code } });
    expect(server.asked).toEqual([]);
    expect(await client(server.port, { tls: 'none' }).query(QUERY)).toEqual({ rows: [] });
  });

  test('self-signed and named as trusted is trusted', async () => {
    const own = leaf([], undefined, { names, subject: 'x' });
    await using server = await AxlDouble.start((asked) => rows(asked, []), { cert: own.pem, key: own.keyPem });
    expect(await client(server.port, { authorities: [own.pem] }).query(QUERY)).toEqual({ rows: [] });
  });

  test('for another name: it is said for which', async () => {
    const other = leaf('other.lab', axlRoot);
    await using server = await AxlDouble.start((asked) => rows(asked, []), { cert: other.chainPem, key: other.keyPem });
    const outcome = await client(server.port).query(QUERY);
    expect(outcome).toEqual({ failure: { code: 'tls-wrong-name', detail: 'other.lab' } });
  });
});

/** A TCP server that does this with each connection. */
async function listening(take: (socket: Socket) => void): Promise<{ readonly port: number } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    take(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}

describe('no connection', () => {
  test('refused', async () => {
    const gone = await listening(() => {});
    await gone[Symbol.asyncDispose]();
    expect(await client(gone.port).query(QUERY)).toEqual({ failure: { code: 'refused' } });
  });

  test('a name that does not exist', async () => {
    const outcome = await client(8443, { host: 'no-such-host.invalid' }).query(QUERY);
    expect(['name-not-found', 'name-lookup']).toContain('failure' in outcome ? outcome.failure.code : '');
  });

  test('something that is not TLS', async () => {
    await using server = await listening((socket) => socket.end('220 mail.lab ESMTP\r\n'));
    expect(await client(server.port).query(QUERY)).toMatchObject({ failure: { code: 'tls-failed' } });
  });

  test('closed before the handshake', async () => {
    await using server = await listening((socket) => socket.destroy());
    expect(await client(server.port).query(QUERY)).toMatchObject({ failure: { code: 'connection-lost' } });
  });

  test('no handshake in time', async () => {
    await using server = await listening(() => {});
    const outcome = await client(server.port, {}, { connect: 40, whole: 5_000 }).query(QUERY);
    expect(outcome).toEqual({ failure: { code: 'connect-timeout', milliseconds: 40 } });
  });
});

describe('no answer', () => {
  test('in time', async () => {
    await using server = await AxlDouble.start(() => 'nothing');
    const outcome = await client(server.port, {}, { connect: 5_000, whole: 300 }).query(QUERY);
    expect(outcome).toEqual({ failure: { code: 'answer-timeout', milliseconds: 300 } });
  });

  test('but the end of the connection', async () => {
    await using server = await AxlDouble.start(() => 'hang up');
    expect(await client(server.port).query(QUERY)).toMatchObject({ failure: { code: 'connection-lost' } });
  });

  test('but another protocol', async () => {
    const headers = { Connection: 'Upgrade', Upgrade: 'websocket' };
    expect(await said({ status: 101, headers })).toMatchObject({ failure: { code: 'connection-lost' } });
  });

  test('close ends the request under way, those that wait, and every later one', async () => {
    const asked = Promise.withResolvers<undefined>();
    await using server = await AxlDouble.start(() => {
      asked.resolve(undefined);
      return 'nothing';
    });
    const axl = client(server.port);
    const [running, waiting] = [axl.query('a'), axl.query('b')];
    await asked.promise;
    axl.close();
    const stopped = { failure: { code: 'stopped' } };
    expect([await running, await waiting, await axl.query('c')]).toEqual([stopped, stopped, stopped]);
    expect(server.asked).toHaveLength(1);
    expect(notes.filter(({ note }) => note === 'axl-failed')).toEqual([]);
  });

  test('close ends a connection that is being made', async () => {
    const taken = Promise.withResolvers<Socket>();
    await using server = await listening(taken.resolve);
    const axl = client(server.port, {}, { connect: 60_000, whole: 60_000 });
    const running = axl.query('a');
    const socket = await taken.promise;
    const closed = once(socket, 'close');
    socket.resume();
    axl.close();
    expect(await running).toEqual({ failure: { code: 'stopped' } });
    await closed;
  });
});

test('what a server says cannot leave its place in a sentence', () => {
  const said = { axlcode: -1, axlmessage: 'a"\n\u202eb', request: '', faultstring: '' };
  const asked = { name: 'cups', host: 'h', port: 1, user: 'u' };
  expect(problemOf({ code: 'fault', fault: said }, asked).sentence).toBe(
    'cups refused: "a\'\\u{a}\\u{202e}b" (axlcode -1).',
  );
});
