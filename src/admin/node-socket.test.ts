import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ShellTrial } from '../../test/support/imp-shell.ts';
import type { Note } from '../protocol/notes.ts';
import { AdminClient } from './client.ts';
import { AdminFailure } from './connection.ts';
import { NodeClient } from './node-client.ts';
import { readNodeRequest } from './node-request.ts';
import { type NodeAdminContext, NodeAdminServer } from './node-server.ts';

let folder = '';
let path = '';
let trial: ShellTrial;
const servers: NodeAdminServer[] = [];
const clients: NodeClient[] = [];
const notes: Note[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fedway-node-'));
  path = join(folder, 'imp.sock');
  trial = new ShellTrial();
  notes.length = 0;
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await Promise.all(servers.splice(0).map((server) => server.close()));
  trial[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

async function open(more: Partial<NodeAdminContext> = {}): Promise<NodeClient> {
  const opened = await NodeAdminServer.open(path, {
    operations: trial.node,
    shell: trial.shell,
    facts: { version: '0.1.0', name: 'imp-1' },
    notes: (note) => notes.push(note),
    ...more,
  });
  if ('refused' in opened) throw new Error(opened.refused);
  servers.push(opened.server);
  return client();
}

async function client(): Promise<NodeClient> {
  const found = await NodeClient.connect(path, 'root@host');
  if (!(found instanceof NodeClient)) throw new Error(found.sentence);
  clients.push(found);
  return found;
}

async function talk(bytes: string): Promise<string> {
  const socket = connect({ path, allowHalfOpen: true });
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.end(bytes);
  await once(socket, 'end');
  socket.destroy();
  return text;
}

describe('the admin socket of a node', () => {
  test('every operation arrives as it was asked, with its author, and its answer as it was given', async () => {
    const { users, administrators, ...node } = await open();
    expect(users).toBeDefined();
    const asking = await client();
    expect(asking.hello).toEqual({ wire: 1, node: true, version: '0.1.0', name: 'imp-1' });
    expect(await asking.status()).toEqual(trial.node.now);
    expect(await asking.notifications()).toEqual(trial.node.open);
    expect(await users.list()).toEqual(trial.node.users.list());
    expect(await administrators.list()).toEqual([{ name: 'axladmin', role: 'axl' }]);
    expect(await users.add('carol', 'pass word')).toEqual({ done: 'Done.' });
    expect(await users.setPassword('carol', 'x')).toEqual({ done: 'Done.' });
    expect(await users.setActive('carol', false)).toEqual({ done: 'Done.' });
    expect(await users.remove('refused')).toEqual({ refused: 'This is refused.' });
    await administrators.add('core', 'p', 'axl');
    await administrators.setPassword('core', 'q');
    await administrators.setRole('core', 'none');
    await administrators.remove('core');
    expect(trial.node.asked).toEqual([
      ['user add', 'carol', 'pass word', 'root@host'],
      ['user password', 'carol', 'x', 'root@host'],
      ['user active', 'carol', false, 'root@host'],
      ['user remove', 'refused', 'root@host'],
      ['admin add', 'core', 'p', 'axl', 'root@host'],
      ['admin password', 'core', 'q', 'root@host'],
      ['admin role', 'core', 'none', 'root@host'],
      ['admin remove', 'core', 'root@host'],
    ]);
    expect(notes).toEqual([]);
    expect(node).toBeDefined();
  });

  test('lines of the shell print, say whether they did it, and are completed', async () => {
    const asking = await open();
    const printed: string[] = [];
    expect(await asking.line('show xmpp federation', (text) => printed.push(text))).toBe(true);
    expect(await asking.line('nonsense', (text) => printed.push(text))).toBe(false);
    expect(printed).toEqual([
      'XMPP Federation Node Status: Off',
      'Executed command unsuccessfully\nNo valid command entered\nType help for the commands.',
    ]);
    expect(await asking.complete('show u')).toEqual(['show users']);
    expect(trial.notes).toEqual([{ note: 'imp-shell-command', author: 'root@host', command: 'show xmpp federation' }]);
  });

  const CAPTURE = 'utils network capture eth0 file a.pcap count 10 source decoded';

  test('a line that goes on is ended by an interrupt; what was asked behind it is answered after its end', async () => {
    const asking = await open();
    const printed: string[] = [];
    const began = Promise.withResolvers<void>();
    const running = asking.line(CAPTURE, (text) => {
      printed.push(text);
      began.resolve();
    });
    await began.promise;
    const behind = asking.status();
    asking.interrupt();
    expect(await running).toBe(true);
    expect(printed[1]).toMatch(/^Captured 0 packets, 24 bytes \(stopped\)/);
    expect(await behind).toEqual(trial.node.now);
    // Nobody runs: it is heard and has no effect.
    asking.interrupt();
    expect(await asking.complete('nothing')).toEqual([]);
  });

  test('whoever goes away in the middle ends what he began', async () => {
    const asking = await open();
    const began = Promise.withResolvers<void>();
    const running = asking.line(CAPTURE, () => began.resolve());
    await began.promise;
    asking.close();
    await expect(running).rejects.toThrow(AdminFailure);
    while (!trial.notes.some(({ note }) => note === 'imp-capture-ended'))
      await new Promise((resolve) => setTimeout(resolve, 5));
  });

  test('what is no request is answered with a sentence, and the next one is read', async () => {
    await open();
    const lines = (
      await talk(
        'nonsense\n{"wire":2,"do":"status"}\n{"wire":1,"do":"streams"}\n{"wire":1,"do":"complete","line":"show u"}\n',
      )
    ).split('\n');
    expect(lines[0]).toBe('{"error":"The request is not understood: the line is not a JSON object."}');
    expect(lines[1]).toMatch(/version 1 of the admin protocol/);
    expect(lines[2]).toMatch(/nothing that an IM&P node does/);
    expect(lines[3]).toBe('{"ok":["show users"]}');
    expect(await talk('x'.repeat(300_000))).toBe('{"error":"The request is not understood: the line is too long."}\n');
  });

  test('a fault of an operation is told to both, and the connection goes on', async () => {
    const asking = await open();
    trial.node.status = () => {
      throw new Error('broken');
    };
    await expect(asking.status()).rejects.toThrow('A fault of fedway itself: broken.');
    expect(notes).toMatchObject([{ note: 'bug' }]);
    expect(await asking.complete('show u')).toEqual(['show users']);
  });

  test('a client that is silent is let go', async () => {
    await open({ silence: 30 });
    const socket = connect(path);
    await once(socket.resume(), 'close');
    expect(socket.bytesRead).toBe(0);
  });

  test('a node is no box, and no node where nobody listens', async () => {
    await open();
    expect(await AdminClient.connect(path, 'a')).toMatchObject({ unreachable: 'not understood' });
    await servers.splice(0)[0]?.close();
    expect(await NodeClient.connect(path, 'a')).toMatchObject({
      unreachable: 'not running',
      sentence: expect.stringContaining('systemctl start fedway-imp') as string,
    });
  });
});

describe('readNodeRequest', () => {
  test('no line at all makes it throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (line) => {
        expect(readNodeRequest(line)).toHaveProperty('refused');
      }),
    );
  });

  test('what is missing, unknown or too much is refused', () => {
    const wire = 1;
    for (const request of [
      { wire, do: 'user-add', author: 'a', user: 'b' },
      { wire, do: 'user-add', author: 'a', user: 'b', password: 'c', role: 'axl' },
      { wire, do: 'user-active', author: 'a', user: 'b', active: true },
      { wire, do: 'admin-add', author: 'a', name: 'b', password: 'c', role: 'root' },
      { wire, do: 'line', author: 'a', line: 'show\u0007status' },
      { wire, do: 'line', author: 'a', line: 'x'.repeat(40_000) },
      { wire, do: 'hello', extra: 1 },
      { wire, do: 'constructor' },
      { do: 'hello' },
    ]) {
      expect(readNodeRequest(JSON.stringify(request))).toHaveProperty('refused');
    }
  });
});
