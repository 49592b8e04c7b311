import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { edge, KeptOperations, link, publisher, stream } from '../../test/cli/stand-in-operations.ts';
import type { Note } from '../protocol/notes.ts';
import { AdminClient } from './client.ts';
import { AdminFailure } from './connection.ts';
import { AdminServer } from './server.ts';

let folder = '';
let path = '';
const servers: AdminServer[] = [];
const notes: Note[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fedway-admin-'));
  path = join(folder, 'admin.sock');
  notes.length = 0;
});

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  rmSync(folder, { recursive: true });
});

async function open(operations = new KeptOperations(), more: { silence?: number } = {}) {
  const opened = await AdminServer.open(path, {
    operations,
    facts: { version: '0.3.0', name: 'edge-1', role: 'edge' },
    notes: (note) => notes.push(note),
    ...more,
  });
  if ('server' in opened) servers.push(opened.server);
  return { operations, refused: 'refused' in opened ? opened.refused : undefined };
}

async function client(): Promise<AdminClient> {
  const found = await AdminClient.connect(path, 'root@host');
  if (!(found instanceof AdminClient)) throw new Error(found.sentence);
  return found;
}

/** Sends bytes as they are, closes its half, and takes everything that comes back until the end. */
async function talk(bytes: string | Buffer): Promise<string> {
  const socket = connect({ path, allowHalfOpen: true });
  const taken: Buffer[] = [];
  socket.on('data', (chunk) => taken.push(chunk));
  socket.end(bytes);
  await once(socket, 'end');
  socket.destroy();
  return Buffer.concat(taken).toString();
}

describe('the admin socket: asking', () => {
  test('every operation arrives as it was asked, and its answer as it was given', async () => {
    const { operations } = await open();
    const asking = await client();
    const { config, link: links, publishers } = asking;
    expect(asking.hello).toEqual({
      wire: 1,
      version: '0.3.0',
      name: 'edge-1',
      role: 'edge',
      config: true,
      link: true,
      publishers: true,
    });
    expect(await asking.status()).toEqual(edge({ links: [gone(link(), 'because')] }));
    await asking.status('here');
    expect(await asking.streams()).toEqual([stream()]);
    expect(await asking.closeStream('0a1b2c3d4', 'enough')).toEqual(operations.closing);
    operations.outcomes = [{ box: 'edge-1', outcome: 'conflict', problems: ['Somebody was faster.'] }];
    const change = {
      steps: [{ put: 'tls', value: 'optional' }, { remove: 'deny.a.lab' }],
      author: 'alice@host',
      reason: 'because',
      expect: { tls: 3 },
    } as const;
    expect(await config?.change(change, 'edge-1')).toEqual(operations.outcomes);
    await config?.change({ steps: [], author: 'a', reason: '' }, undefined);
    expect(await config?.list()).toEqual([]);
    expect(await config?.log(5)).toEqual([]);
    const invitation = { name: 'core-2', domains: ['coluc.com'], validForMs: 3600, address: 'edge:7400' };
    expect(await links?.invite(invitation)).toEqual({ token: 'fedway-link-1.eyJhIjpbImVkZ2U' });
    await links?.invite({ ...invitation, address: undefined });
    expect(await links?.join('token')).toEqual({ edge: 'edge-1' });
    expect(await links?.revoke('core-1')).toEqual({ revoked: 'core-1' });
    expect(await links?.list()).toEqual([gone(link(), 'because')]);
    expect(await publishers?.list()).toEqual([publisher()].map(plain));
    expect(await publishers?.refresh(undefined)).toEqual(plain({ refreshed: [publisher()] }));
    await publishers?.refresh('cups');
    asking.close();
    expect(operations.asked).toEqual([
      ['status', 'everywhere'],
      ['status', 'here'],
      ['streams'],
      ['close stream', '0a1b2c3d4', 'enough'],
      ['config change', change, 'edge-1'],
      ['config change', { steps: [], author: 'a', reason: '' }, undefined],
      ['config list'],
      ['config log', 5],
      ['link invite', invitation],
      ['link invite', { ...invitation, address: undefined }],
      ['link join', 'token'],
      ['link revoke', 'core-1'],
      ['link list'],
      ['publisher list'],
      ['publisher refresh', undefined],
      ['publisher refresh', 'cups'],
    ]);
  });

  test('what changes something is told with its author; a token is not', async () => {
    await open();
    const asking = await client();
    await Promise.all([
      asking.closeStream('0a1b2c3d4', 'enough'),
      asking.link?.join('token'),
      asking.link?.revoke('core-1'),
      asking.publishers?.refresh(undefined),
      asking.publishers?.refresh('cups'),
      asking.publishers?.list(),
      asking.status(),
    ]);
    asking.close();
    expect(notes).toEqual([
      { note: 'admin-asked', author: 'root@host', what: 'close stream 0a1b2c3d4 (enough)' },
      { note: 'admin-asked', author: 'root@host', what: 'join an Edge with a token' },
      { note: 'admin-asked', author: 'root@host', what: 'revoke the Link core-1' },
      { note: 'admin-asked', author: 'root@host', what: 'refresh every IM&P publisher' },
      { note: 'admin-asked', author: 'root@host', what: 'refresh cups' },
    ]);
  });

  test('questions asked at once are answered each with its own', async () => {
    const { operations } = await open();
    const first = Promise.withResolvers<{ closed: boolean; detail: string }>();
    operations.closeStream = () => first.promise;
    const asking = await client();
    const both = Promise.all([asking.closeStream('a', ''), asking.streams()]);
    first.resolve({ closed: false, detail: 'later' });
    expect(await both).toEqual([{ closed: false, detail: 'later' }, [stream()]]);
    asking.close();
  });

  test('a box without live configuration and without Links says so', async () => {
    const { operations } = await open();
    operations.config = undefined;
    operations.link = undefined;
    operations.publishers = undefined;
    const asking = await client();
    expect([asking.config, asking.link, asking.publishers]).toEqual([undefined, undefined, undefined]);
    asking.close();
    expect(await talk('{"wire":1,"do":"config-list"}\n{"wire":1,"do":"link-list"}\n')).toMatch(
      /^\{"error":"This box has no live configuration: .*\}\n\{"error":"This box is a single box .*\}\n$/,
    );
  });

  test('a fault in one request is told, and everything else goes on', async () => {
    const { operations } = await open();
    operations.streams = () => Promise.reject(new TypeError('undefined is not a stream'));
    const asking = await client();
    await expect(asking.streams()).rejects.toThrow(
      new AdminFailure('A fault of fedway itself: undefined is not a stream. The log has more; please report it.'),
    );
    expect(await asking.status('here')).toMatchObject({ name: 'edge-1' });
    asking.close();
    expect(notes).toEqual([
      { note: 'bug', where: 'the admin socket', detail: expect.stringContaining('TypeError') as string },
    ]);
  });

  test('a box that ends in the middle of a question is told as a sentence', async () => {
    const { operations } = await open();
    operations.streams = async () => {
      await servers.splice(0)[0]?.close();
      return [];
    };
    const asking = await client();
    await expect(asking.streams()).rejects.toThrow(AdminFailure);
    expect(notes).toEqual([]);
  });
});

describe('the admin socket: what is not a request', () => {
  test('a line that is none is answered, and the next one is read', async () => {
    await open();
    const answers = (await talk('nonsense\n{"wire":1,"do":"streams"}\n')).split('\n');
    expect(answers[0]).toBe('{"error":"The request is not understood: the line is not a JSON object."}');
    expect(JSON.parse(answers[1] ?? '')).toMatchObject({ ok: [{ connection: '0a1b2c3d4' }] });
  });

  test('bytes that are not UTF-8, and a line without end: an answer, and the end', async () => {
    await open();
    expect(await talk(Buffer.from([0xff, 0x0a]))).toBe(
      '{"error":"The request is not understood: the line is not UTF-8."}\n',
    );
    expect(await talk('x'.repeat(5 * 1024 ** 2))).toBe(
      '{"error":"The request is not understood: the line is too long."}\n',
    );
  });

  test('a client that is silent is let go', async () => {
    await open(undefined, { silence: 20 });
    const socket = connect(path);
    await once(socket.resume(), 'close');
    expect(socket.bytesRead).toBe(0);
  });

  test('more connections than there may be are told so', async () => {
    await open();
    const many = await Promise.all(Array.from({ length: 32 }, () => client()));
    expect(await AdminClient.connect(path, 'root@host')).toEqual({
      unreachable: 'not understood',
      sentence: '32 commands ask this fedway already. Try again when some of them have ended.',
    });
    for (const each of many) each.close();
  });

  test('somebody else on the socket is found out', async () => {
    const other = createServer((socket) => socket.resume().end('220 mail.example ESMTP\n')).listen(path);
    await once(other, 'listening');
    expect(await AdminClient.connect(path, 'a')).toEqual({
      unreachable: 'not understood',
      sentence: 'The answer is not one that fedway gives.',
    });
    other.close();
    await once(other, 'close');
  });
});

describe('the admin socket: its file', () => {
  test('only the owner may use it, whatever the umask is; the folder is made', async () => {
    path = join(folder, 'deeper', 'admin.sock');
    const former = process.umask(0);
    try {
      expect((await open()).refused).toBeUndefined();
    } finally {
      process.umask(former);
    }
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'deeper')).mode & 0o777).toBe(0o700);
    expect(process.umask()).toBe(former);
  });

  test('what a killed process has left is replaced', async () => {
    const code = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
    const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(existsSync(path)).toBe(true);
    expect((await open()).refused).toBeUndefined();
    (await client()).close();
  });

  test('a living one is not stolen', async () => {
    await open();
    expect((await open()).refused).toBe(
      `another process listens on ${path}. If that is another fedway, give each its own admin_socket.`,
    );
    (await client()).close();
  });

  test('it is gone when the server is', async () => {
    await open();
    await servers.splice(0)[0]?.close();
    expect(existsSync(path)).toBe(false);
    expect(await AdminClient.connect(path, 'a')).toMatchObject({
      unreachable: 'not running',
      sentence: expect.stringMatching(
        /^No fedway answers at .* Start it \(systemctl start fedway\), or name /,
      ) as string,
    });
  });

  test('a file that is no socket stays', async () => {
    writeFileSync(path, 'precious');
    expect((await open()).refused).toBe(`${path} is there and is no socket. Move it away, or choose another path.`);
    expect(existsSync(path)).toBe(true);
  });

  test('a folder that others can write in is refused, for they could put a socket of their own there', async () => {
    mkdirSync(join(folder, 'shared'));
    chmodSync(join(folder, 'shared'), 0o777);
    path = join(folder, 'shared', 'admin.sock');
    expect((await open()).refused).toMatch(/^others can write in its folder .*\. Take that from them: chmod go-w /);
  });

  test('a path that no socket can have is refused with its length', async () => {
    path = join(folder, `${'x'.repeat(120)}.sock`);
    expect((await open()).refused).toMatch(/^its path has \d+ bytes, and a unix socket takes 107\. /);
    expect(await AdminClient.connect(path, 'a')).toMatchObject({ unreachable: 'not understood' });
  });

  test('a folder that cannot be made is told with the cure', async () => {
    writeFileSync(join(folder, 'file'), '');
    path = join(folder, 'file', 'admin.sock');
    expect((await open()).refused).toMatch(/ no folder|Choose another path/);
  });
});

/** A value as it comes over the wire. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** What `undefined` comes to on the wire: it is not there. */
function gone<T extends object>(value: T, name: keyof T): T {
  const { [name]: _, ...rest } = value;
  return rest as T;
}
