import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tls from 'node:tls';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { NodeBoot } from '../../src/imp/config/boot.ts';
import { loadNodeFile } from '../../src/imp/config/load.ts';
import { runWith } from '../../src/imp/run.ts';
import type { RunningNode } from '../../src/imp/running-node.ts';
import { componentHandshake } from '../../src/net/keys/component-keys.ts';
import type { Note } from '../../src/protocol/notes.ts';
import { authority, leaf } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { type Wire, wireTo } from '../support/raw-peer.ts';
import { until } from '../support/until.ts';

const HOST = '127.0.0.1';
const CP = 'cm-2_s2scp-1.edge-coluc-com';
const SECRET = '0123456789abcdef0123456789abcdef';
const ROOT = authority('A node CA');
const CERTIFICATE = leaf(['coluc.com', 'imp.coluc.com', 'localhost'], ROOT);

let folder: string;
let ports: { readonly clients: number; readonly axl: number; readonly router: number };
let notes: Note[];

/** Writes the boot file and everything that it names. */
function bootOf(changes: 'live' | 'restart' = 'live', more = ''): NodeBoot {
  const file = join(folder, 'imp.yaml');
  writeFileSync(join(folder, 'cert.pem'), CERTIFICATE.chainPem);
  writeFileSync(join(folder, 'cert.key'), CERTIFICATE.keyPem, { mode: 0o600 });
  writeFileSync(join(folder, 'router.secret'), SECRET, { mode: 0o600 });
  writeFileSync(
    file,
    `domain: coluc.com
rooms: chat.coluc.com
name: imp-1
data: data
certificate: cert.pem
key: cert.key
clients: { listen: ["${HOST}:${ports.clients}"], timeouts: { close: 2s } }
axl: { listen: ["${HOST}:${ports.axl}"] }
router: { listen: ["${HOST}:${ports.router}"], secret: { file: router.secret }, changes: ${changes} }
${more}`,
  );
  const loaded = loadNodeFile(file);
  if (loaded.outcome !== 'loaded') throw new Error(JSON.stringify(loaded));
  return loaded.config;
}

/** A node that runs, until the test lets go of it. */
async function running(boot: NodeBoot): Promise<{ node: RunningNode; ended: Promise<number> } & AsyncDisposable> {
  const log = { note: (note: Note): void => void notes.push(note), configure: () => undefined };
  const started = Promise.withResolvers<RunningNode>();
  const ended = runWith(boot, { version: '0.4.0', started: started.resolve }, log);
  void ended.then((status) => started.reject(new Error(`not started: ${status} ${JSON.stringify(notes)}`)));
  const node = await started.promise;
  return {
    node,
    ended,
    [Symbol.asyncDispose]: async () => {
      await node.stop();
      await ended;
    },
  };
}

/** The S2S component of the Edge, as its Core connects it. */
async function component(): Promise<Wire> {
  const wire = await wireTo(HOST, ports.router, HOST);
  wire.send(
    `<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='${CP}'>`,
  );
  const id = / id='([^']+)'/.exec(await wire.expect(/<stream:stream[^>]*>/))?.[1] ?? '';
  wire.send(`<handshake>${componentHandshake(id, SECRET)}</handshake>`);
  await wire.expect('<handshake/>');
  return wire;
}

/** A client by another author. */
async function client(username: string, password: string) {
  const { client: xmppClient, xml } = await import('@xmpp/client');
  const xmpp = xmppClient({ service: `xmpp://${HOST}:${ports.clients}`, domain: 'coluc.com', username, password });
  const faults: string[] = [];
  xmpp.on('error', (error: Error) => void faults.push(error.message));
  const stanzas: string[] = [];
  xmpp.on('stanza', (stanza) => void stanzas.push(stanza.toString()));
  return { xmpp, xml, stanzas, faults };
}

function axl(path: string, body: string): Promise<Response> {
  // Node's fetch takes no CA of its own: the default ones are replaced in `beforeAll`.
  return fetch(`https://localhost:${ports.axl}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from('axladmin:correct horse').toString('base64')}`,
      'content-type': 'text/xml',
      soapaction: '"CUCM:DB ver=14.0 executeSQLUpdate"',
    },
    body,
  });
}

beforeAll(() => tls.setDefaultCACertificates([ROOT.pem]));

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'imp-node-'));
  notes = [];
  ports = { clients: await freePort(HOST), axl: await freePort(HOST), router: await freePort(HOST) };
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('an IM&P node', () => {
  test('a user logs in, writes to the world through the component of an Edge, and is answered', async () => {
    await using run = await running(bootOf());
    const { operations } = run.node;
    await operations.users.add('alice', 'correct horse', 'test');
    const alice = await client('alice', 'correct horse');
    await alice.xmpp.start();
    try {
      await until(() => operations.status().sessions === 1, 'the session');
      await alice.xmpp.send(
        alice.xml('message', { to: 'bob@vngtp.lab', id: 'early' }, alice.xml('body', {}, 'too early')),
      );
      await until(() => alice.stanzas.some((xml) => xml.includes('remote-server-not-found')), 'the bounce');

      await operations.administrators.add('axladmin', 'correct horse', 'axl', 'test');
      const answer = await axlUpdate(`insert into xmpps2snodes (pkid, cp_id) values (newid(), '${CP}')`);
      expect(answer).toContain('<rowsUpdated>1</rowsUpdated>');
      await until(() => operations.status().router.components.length === 1, 'the router to know the Edge');
      const edge = await component();
      await until(() => operations.status().router.components[0]?.connected === true, 'the component');

      await alice.xmpp.send(
        alice.xml('message', { to: 'bob@vngtp.lab', type: 'chat' }, alice.xml('body', {}, 'hello')),
      );
      expect(await edge.expect('</message>')).toMatch(/from='alice@coluc\.com\/[^']+'.*<body>hello<\/body>/);
      edge.send(
        "<message from='bob@vngtp.lab/x' to='alice@coluc.com' type='chat'><body>hello yourself</body></message>",
      );
      await alice.xmpp.send(alice.xml('presence'));
      await until(() => alice.stanzas.some((xml) => xml.includes('hello yourself')), 'the answer of Bob');
      expect(operations.status()).toMatchObject({
        name: 'imp-1',
        users: 1,
        rooms: 'chat.coluc.com',
        federation: 'off',
      });
    } finally {
      await alice.xmpp.stop();
    }
    expect(notes.filter(({ note }) => note === 'bug')).toEqual([]);
  });

  test('a drain tells the clients and the Edge, and is over soon', async () => {
    const run = await running(bootOf());
    const { operations } = run.node;
    await operations.users.add('alice', 'correct horse', 'test');
    const alice = await client('alice', 'correct horse');
    await alice.xmpp.start();
    await operations.administrators.add('axladmin', 'correct horse', 'axl', 'test');
    await axlUpdate(`insert into xmpps2snodes (pkid, cp_id) values (newid(), '${CP}')`);
    await until(() => operations.status().router.components.length === 1, 'the router to know the Edge');
    const edge = await component();
    const ended = new Promise<string>((resolve) => {
      alice.xmpp.on('error', (error: Error & { condition?: string }) => resolve(error.condition ?? error.message));
    });
    alice.xmpp.reconnect.stop();
    await run.node.drain();
    expect(await run.ended).toBe(0);
    expect(await ended).toBe('system-shutdown');
    expect(await edge.end()).toContain('<system-shutdown ');
    await alice.xmpp.stop();
    expect(notes.at(-1)).toEqual({ note: 'stopped' });
    expect(notes.filter(({ note }) => note === 'bug')).toEqual([]);
  });

  test('users and settings are there after a restart', async () => {
    {
      await using run = await running(bootOf('restart'));
      const { operations } = run.node;
      await operations.users.add('alice', 'correct horse', 'test');
      operations.setFederation('on', 'test');
    }
    await using run = await running(bootOf('restart'));
    expect(run.node.operations.users.list()).toMatchObject([{ user: 'alice', active: true }]);
    expect(run.node.operations.federation()).toBe('on');
  });

  test('with changes: restart a row that AXL writes waits for the restart, and the notification says so', async () => {
    await using run = await running(bootOf('restart'));
    const { operations } = run.node;
    await operations.administrators.add('axladmin', 'correct horse', 'axl', 'test');
    await axlUpdate(`insert into xmpps2snodes (pkid, cp_id) values (newid(), '${CP}')`);
    await until(() => operations.status().router.restartNeeded, 'the router to notice');
    expect(operations.notifications()).toMatchObject([{ id: 'xcp-router-restart' }]);
    const early = await component();
    expect(operations.status().router.components).toEqual([{ cpId: CP, connected: true, inTable: false }]);
    expect(await operations.router.restart('test')).toEqual({ done: expect.stringContaining(CP) as unknown });
    expect(operations.notifications()).toEqual([]);
    expect(await early.end()).toContain('<system-shutdown ');
    await component();
    expect(operations.status().router.components).toEqual([{ cpId: CP, connected: true, inTable: true }]);
  });

  test('a user who is removed while logged in is thrown out, and cannot come back', async () => {
    await using run = await running(bootOf());
    const { users, status } = { users: run.node.operations.users, status: () => run.node.operations.status() };
    await users.add('alice', 'correct horse', 'test');
    const alice = await client('alice', 'correct horse');
    alice.xmpp.reconnect.stop();
    await alice.xmpp.start();
    await until(() => status().sessions === 1, 'the session');
    expect(users.remove('alice', 'test')).toHaveProperty('done');
    await until(() => status().sessions === 0, 'the end of the session');
    await alice.xmpp.stop();
    const again = await client('alice', 'correct horse');
    again.xmpp.reconnect.stop();
    await expect(again.xmpp.start()).rejects.toThrow('not-authorized');
    await again.xmpp.stop();
  });

  test('a port that is taken, and a certificate that is none, end the start with a reason', async () => {
    await using _ = await running(bootOf());
    const log = { note: (note: Note): void => void notes.push(note), configure: () => undefined };
    const start = (boot: NodeBoot): Promise<number> =>
      runWith(boot, { version: '0.4.0', started: () => undefined }, log);
    expect(await start({ ...bootOf(), data: join(folder, 'other') })).toBe(1);
    expect(notes).toContainEqual(expect.objectContaining({ note: 'listen-failed' }));
    writeFileSync(join(folder, 'no.pem'), 'nothing');
    expect(await start({ ...bootOf(), certificate: join(folder, 'no.pem') })).toBe(1);
    expect(notes.at(-1)).toMatchObject({
      note: 'config-refused',
      problems: [expect.stringContaining('no.pem') as unknown],
    });
    expect(await start({ ...bootOf(), data: join(folder, 'cert.pem') })).toBe(1);
    expect(notes.at(-1)).toMatchObject({ problems: [expect.stringContaining('cannot be opened') as unknown] });
  });

  test('a reload reads the certificate again and names what waits for a restart; a bad certificate changes nothing', async () => {
    await using run = await running(bootOf());
    expect(await run.node.reload(bootOf('live', 'offline: { messages: 7 }\nlog: { level: debug }\n'))).toEqual([
      'offline.messages',
    ]);
    writeFileSync(join(folder, 'no.pem'), 'nothing');
    await expect(run.node.reload({ ...bootOf(), certificate: join(folder, 'no.pem') })).rejects.toThrow('no.pem');
  });
});

async function axlUpdate(sql: string): Promise<string> {
  const response = await axl(
    '/axl/',
    `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:ns="http://www.cisco.com/AXL/API/14.0"><soapenv:Body><ns:executeSQLUpdate sequence="1"><sql>${sql}</sql></ns:executeSQLUpdate></soapenv:Body></soapenv:Envelope>`,
  );
  return response.text();
}
