import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestClient } from '../lab/client.ts';
import { disco, exchangeMessage, meetInRoom, ping, subscribe, untilDelivered } from '../lab/conversation.ts';
import { PASSWORD } from '../lab/organization.ts';
import { prosody } from '../lab/prosody.ts';
import type { LabServer } from '../lab/server.ts';
import { child } from '../lab/xml.ts';
import type { Site } from './site.ts';
import { World } from './world.ts';

const SLIXMPP = fileURLToPath(new URL('programs/slixmpp_client.py', import.meta.url));
const WEB = fileURLToPath(new URL('programs/xmpp-client.ts', import.meta.url));
const PROFANITY = fileURLToPath(new URL('programs/profanity_client.py', import.meta.url));

/** Two organizations that are all fedway, and one with a Prosody in the open. */
describe('clients of others, across organizations', () => {
  let world: World;
  let coluc: Site;
  let vngtp: Site;
  let peer: LabServer;
  let home: string;

  beforeAll(async () => {
    world = await World.prepare({ name: 'clients', dnsPort: 53 });
    home = mkdtempSync(path.join(tmpdir(), 'fedway-clients-'));
    const partners = ['coluc.com', 'chat.coluc.com', 'vngtp.lab', 'chat.vngtp.lab', 'peer.lab', 'conference.peer.lab'];
    coluc = world.site({ domain: 'coluc.com', partners });
    vngtp = world.site({ domain: 'vngtp.lab', partners });
    const address = world.address(200);
    peer = prosody({
      organization: { domain: 'peer.lab', server: 'prosody', profile: 'ca', users: ['carol'] },
      address,
      folder: path.join(world.folder, 'peer.lab'),
      authority: world.authority,
      resolver: world.dns.address,
    });
    world.dns.publish('peer.lab', address);
    await Promise.all([coluc.start(), vngtp.start(), peer.start()]);
    for (const user of ['alice', 'anna']) coluc.addUser(user, PASSWORD);
    for (const user of ['bob', 'ben']) vngtp.addUser(user, PASSWORD);
    for (const site of [coluc, vngtp]) site.switchFederation('on');
    const [alice, bob] = await Promise.all([coluc.login('alice', PASSWORD), vngtp.login('bob', PASSWORD)]);
    await untilDelivered(alice, bob);
  });
  afterAll(async () => {
    await peer.stop();
    await world.stop();
    rmSync(home, { recursive: true, force: true });
  });

  /** Runs a client; what it said, once it has ended well. */
  const run = async (command: string, args: readonly string[], input = ''): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const process_ = spawn(command, args, {
      env: { ...process.env, PASSWORD, HOME: home, SSL_CERT_FILE: world.authority.root },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let said = '';
    for (const out of [process_.stdout, process_.stderr]) out.on('data', (chunk: Buffer) => (said += chunk.toString()));
    process_.on('error', reject);
    process_.on('close', (status) =>
      status === 0
        ? resolve(said)
        : reject(new Error(`${path.basename(args[0] ?? command)} ended with ${status}:\n${said}`)),
    );
    process_.stdin.end(input);
    return promise;
  };
  const slixmpp = (
    address: string,
    site: Site,
    how: 'starttls' | 'tls',
    ...words: readonly string[]
  ): Promise<string> =>
    run('python3', [
      SLIXMPP,
      address,
      site.nodeAddress,
      how === 'tls' ? '5223' : '5222',
      how,
      world.authority.root,
      ...words,
    ]);
  test('slixmpp, over STARTTLS and over direct TLS: a conversation, presence, ping and the archive, across two organizations', async () => {
    const ben = slixmpp(
      'ben@vngtp.lab',
      vngtp,
      'tls',
      'see=anna@coluc.com',
      'expect=hello ben',
      'say=anna@coluc.com=hello anna',
      'expect=bye',
    );
    const anna = slixmpp(
      'anna@coluc.com',
      coluc,
      'starttls',
      'ping=vngtp.lab',
      'subscribe=ben@vngtp.lab',
      'see=ben@vngtp.lab',
      'say=ben@vngtp.lab=hello ben',
      'expect=hello anna',
      'say=ben@vngtp.lab=bye',
      'archive=ben@vngtp.lab=3',
    );
    expect((await Promise.all([ben, anna])).join('')).toContain('done: archive=');
  });

  test('slixmpp in a chat room on the alias of another organization', async () => {
    const bob = await vngtp.login('bob', PASSWORD);
    const room = 'meeting@chat.coluc.com';
    bob.send(`<presence to='${room}/bob'><x xmlns='http://jabber.org/protocol/muc'/></presence>`);
    await bob.waitFor(
      'being in the room',
      ({ name, attributes }) => name === 'presence' && attributes['from'] === `${room}/bob`,
    );
    await bob.iq(
      'set',
      room,
      `<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query>`,
    );
    const anna = slixmpp(
      'anna@coluc.com',
      coluc,
      'starttls',
      `join=${room}=anna`,
      `room=${room}=hello room`,
      'hear=hello anna',
    );
    await heard(bob, 'hello room');
    bob.message(room, 'hello anna', 'groupchat');
    expect(await anna).toContain('done: hear=');
    await bob.close();
  });

  test('profanity: a person types a message to the other organization, and reads the answer', async () => {
    const bob = await vngtp.login('bob', PASSWORD);
    const profanity = run('python3', [
      PROFANITY,
      'alice@coluc.com',
      coluc.nodeAddress,
      '5222',
      'bob@vngtp.lab',
      'from-profanity',
    ]);
    const message = await bob.waitFor(
      'the message from profanity',
      (stanza) => stanza.name === 'message' && child(stanza, 'body')?.text === 'from-profanity',
      60_000,
    );
    bob.message(message.attributes['from'] ?? '', 're: from-profanity');
    expect(await profanity).toContain('seen: re: from-profanity');
    await bob.close();
  });

  test('go-sendxmpp: a message from a script', async () => {
    const bob = await vngtp.login('bob', PASSWORD);
    await run(
      'go-sendxmpp',
      ['-n', '-u', 'alice@coluc.com', '-p', PASSWORD, '-j', `${coluc.nodeAddress}:5222`, 'bob@vngtp.lab'],
      'from-a-script\n',
    );
    expect(await heard(bob, 'from-a-script')).toContain('alice@coluc.com');
    await bob.close();
  });

  test('@xmpp/client over WebSocket: it logs in, and talks across two organizations', async () => {
    const bob = await vngtp.login('bob', PASSWORD);
    // The name of the service is not in any DNS that Node asks.
    const web = run('env', [
      'NODE_TLS_REJECT_UNAUTHORIZED=0',
      process.execPath,
      WEB,
      `wss://${coluc.nodeAddress}:5443/ws`,
      'coluc.com',
      'alice',
      bob.jid,
      'from-the-web',
    ]);
    const message = await bob.waitFor('the message', (stanza) => child(stanza, 'body')?.text === 'from-the-web');
    bob.message(message.attributes['from'] ?? '', 're: from-the-web');
    expect(await web).toContain('answered');
    await bob.close();
  });

  test('a real Prosody outside: messages, presence, queries, and a room on each side', async () => {
    const alice = await coluc.login('alice', PASSWORD);
    const carol = await prosodyClient(peer, readFileSync(world.authority.root, 'utf8'));
    await exchangeMessage(alice, carol);
    await exchangeMessage(carol, alice);
    await subscribe(alice, carol);
    await subscribe(carol, alice);
    await disco(alice, carol);
    await disco(carol, alice);
    await ping(carol, alice);
    await meetInRoom(alice, carol, 'chat.coluc.com');
    await expect(meetInRoom(carol, alice)).resolves.toBeUndefined();
    await Promise.all([alice.close(), carol.close()]);
  });
});

async function prosodyClient(server: LabServer, authorities: string): Promise<TestClient> {
  const carol = await TestClient.login({
    account: 'carol@peer.lab',
    password: PASSWORD,
    host: server.address,
    authorities,
  });
  carol.presence();
  return carol;
}

/** Who said it. */
async function heard(who: TestClient, text: string): Promise<string> {
  const said = await who.waitFor(
    `the text “${text}”`,
    (stanza) => stanza.name === 'message' && child(stanza, 'body')?.text === text,
  );
  return said.attributes['from'] ?? '';
}
