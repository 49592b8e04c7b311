import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestClient } from '../lab/client.ts';
import { disco, errorOf, exchangeMessage, meetInRoom, ping, subscribe, untilDelivered } from '../lab/conversation.ts';
import { PASSWORD } from '../lab/organization.ts';
import { prosody } from '../lab/prosody.ts';
import type { LabServer } from '../lab/server.ts';
import { child, type Element } from '../lab/xml.ts';
import { ClientPrograms } from './client-programs.ts';
import type { Site } from './site.ts';
import { World } from './world.ts';

const DOMAINS = ['coluc.com', 'chat.coluc.com', 'vngtp.lab', 'chat.vngtp.lab', 'peer.lab', 'conference.peer.lab'];
const MUC_USER = 'http://jabber.org/protocol/muc#user';
const ADMIN = 'http://jabber.org/protocol/muc#admin';
const KICK_BEN = `<query xmlns='${ADMIN}'><item nick='ben' role='none'><reason>enough</reason></item></query>`;
const SUBMITTED = `<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query>`;

/** Two organizations that are all fedway, and one with a Prosody in the open. */
describe('clients of others, across organizations', () => {
  let world: World;
  let coluc: Site;
  let vngtp: Site;
  let peer: LabServer;
  let programs: ClientPrograms;

  beforeAll(async () => {
    world = await World.prepare({ name: 'clients', dnsPort: 53 });
    programs = new ClientPrograms(path.join(world.folder, 'clients'), world.authority.root);
    coluc = world.site({ domain: 'coluc.com', partners: DOMAINS, logLevel: 'info' });
    vngtp = world.site({ domain: 'vngtp.lab', partners: DOMAINS });
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
    for (const user of ['alice', 'anna', 'arno']) coluc.addUser(user, PASSWORD);
    for (const user of ['bob', 'ben', 'bert']) vngtp.addUser(user, PASSWORD);
    for (const site of [coluc, vngtp]) site.switchFederation('on');
    const [alice, bob] = await Promise.all([coluc.login('alice', PASSWORD), vngtp.login('bob', PASSWORD)]);
    await untilDelivered(alice, bob);
    await untilDelivered(bob, alice);
    await Promise.all([alice.close(), bob.close()]);
  });
  afterAll(async () => {
    programs.stop();
    await peer.stop();
    await world.stop();
  });

  const carolOfProsody = async (): Promise<TestClient> => {
    const carol = await TestClient.login({
      account: 'carol@peer.lab',
      password: PASSWORD,
      host: peer.address,
      authorities: readFileSync(world.authority.root, 'utf8'),
    });
    await carol.iq('get', undefined, `<query xmlns='jabber:iq:roster'/>`);
    carol.presence();
    return carol;
  };

  test('slixmpp, over STARTTLS and over direct TLS: subscription and presence, a conversation, queries and the archive', async () => {
    const ben = programs.slixmpp(
      vngtp,
      'ben@vngtp.lab',
      'tls',
      'see=anna@coluc.com',
      'expect=hello ben',
      'say=anna@coluc.com=hello anna',
      'expect=bye',
    );
    const anna = programs.slixmpp(
      coluc,
      'anna@coluc.com',
      'starttls',
      'ping=coluc.com',
      'ping=vngtp.lab',
      'version=vngtp.lab',
      'feature=coluc.com=urn:xmpp:carbons:2',
      'feature=anna@coluc.com=urn:xmpp:mam:2',
      'feature=vngtp.lab=urn:xmpp:ping',
      'item=vngtp.lab=chat.vngtp.lab',
      'subscribe=ben@vngtp.lab',
      'see=ben@vngtp.lab',
      'subscription=ben@vngtp.lab=both',
      'say=ben@vngtp.lab=hello ben',
      'expect=hello anna',
      'say=ben@vngtp.lab=bye',
      'archive=ben@vngtp.lab=3',
    );
    expect(await content(ben, anna)).toContain('version=vngtp.lab fedway ');
  });

  test('slixmpp: carbons reach the other client of a user, of what was sent and of what came', async () => {
    const bob = await vngtp.login('bob', PASSWORD);
    const desk = programs.slixmpp(coluc, 'anna@coluc.com/desk', 'starttls', 'sent=from the phone', 'received=answer');
    // The desk is there before the phone speaks: its presence is shared among the clients of a user.
    const phone = programs.slixmpp(
      coluc,
      'anna@coluc.com/phone',
      'tls',
      'see=anna@coluc.com/desk',
      `say=bob@vngtp.lab=from the phone`,
      'expect=answer',
    );
    bob.message(await heard(bob, 'from the phone'), 'answer');
    expect(await content(desk, phone)).toContain('done: received=answer');
    await bob.close();
  });

  test('a message for somebody who is away comes at the next login, with the time it was sent', async () => {
    await programs.slixmpp(coluc, 'anna@coluc.com', 'tls', 'say=bert@vngtp.lab=while you were away', 'ping=vngtp.lab');
    const bert = programs.slixmpp(vngtp, 'bert@vngtp.lab', 'starttls', 'delayed=while you were away');
    expect(await bert).toContain('done: delayed=');
  });

  test('slixmpp: vCard and avatar, blocking, and sessions that go on after the connection broke', async () => {
    const bob = await vngtp.login('bob', PASSWORD);
    const bert = programs.slixmpp(
      vngtp,
      'bert@vngtp.lab',
      'starttls',
      'vcard=Bert',
      'see=arno@coluc.com',
      'expect=look',
      'avatar=arno@coluc.com',
      'photo=arno@coluc.com',
      'card=arno@coluc.com=Arno',
      'block=arno@coluc.com',
      'expect=go on',
      'unblock=arno@coluc.com',
      'resume',
      'expect=after the break',
      'say=arno@coluc.com=it goes on',
      'ping=vngtp.lab',
    );
    const arno = programs.slixmpp(
      coluc,
      'arno@coluc.com/study',
      'tls',
      'vcard=Arno',
      'subscribe=bert@vngtp.lab',
      'see=bert@vngtp.lab',
      'picture',
      'say=bert@vngtp.lab=look',
      'card=bert@vngtp.lab=Bert',
      'missing=bert@vngtp.lab',
      'say=bert@vngtp.lab=nobody hears this',
      'error=service-unavailable',
      'say=bob@vngtp.lab=he does not answer',
      'see=bert@vngtp.lab',
      'resume',
      'resume',
      'self=arno@coluc.com/study',
      'say=bert@vngtp.lab=after the break',
      'expect=it goes on',
    );
    const both = content(bert, arno);
    await Promise.race([heard(bob, 'he does not answer'), both]);
    bob.message('bert@vngtp.lab', 'go on');
    expect(await both).toContain('done: expect=it goes on');
    await bob.close();
  });

  test('profanity: a person adds a contact of the other organization, talks with him, and then in a room on the alias', async () => {
    const bob = await vngtp.login('bob', PASSWORD);
    const screen = programs.profanity(
      `type=/connect alice@coluc.com server ${coluc.nodeAddress} port 5222 tls trust`,
      'see=password',
      'password',
      'see=logged in successfully',
      'type=/roster add bob@vngtp.lab Bobby',
      'type=/sub request bob@vngtp.lab',
      'type=/msg bob@vngtp.lab typed by a person',
      'see=Bobby/lab: an answer',
      'see=Bobby [ online ]',
      'type=/join tea@chat.coluc.com nick alice',
      'see=locked',
      'type=/room accept',
      'see=unlocked',
      'type=/invite send bob@vngtp.lab',
      'see=bobby',
      'type=tea is ready',
      'see=bobby: coming',
    );
    await bob.waitFor('the request of profanity', ({ attributes }) => attributes['type'] === 'subscribe');
    bob.send(`<presence to='alice@coluc.com' type='subscribed'/>`);
    bob.message(await heard(bob, 'typed by a person'), 'an answer');
    await bob.waitFor(
      'the invitation',
      (stanza) => child(stanza, 'x', 'jabber:x:conference')?.attributes['jid'] === 'tea@chat.coluc.com',
    );
    enter(bob, 'tea@chat.coluc.com', 'bobby');
    expect(await heard(bob, 'tea is ready')).toBe('tea@chat.coluc.com/alice');
    bob.message('tea@chat.coluc.com', 'coming', 'groupchat');
    expect(await screen).toContain('done: see=bobby: coming');
    await bob.close();
  });

  test('go-sendxmpp: a script writes to a person, over STARTTLS and direct TLS, and into a room', async () => {
    const bob = await vngtp.login('bob', PASSWORD);
    const room = await openRoom(bob, 'alarms@chat.vngtp.lab', 'bob');
    await programs.goSendxmpp(coluc, 'alice', 'the disk is full', 'bob@vngtp.lab');
    expect(await heard(bob, 'the disk is full')).toMatch(/^alice@coluc\.com\//);
    await programs.goSendxmpp(coluc, 'alice', 'the disk is fuller', '-t', 'bob@vngtp.lab');
    await heard(bob, 'the disk is fuller');
    await programs.goSendxmpp(coluc, 'alice', 'the disk is gone', '-a', 'script', '-c', room);
    expect(await heard(bob, 'the disk is gone')).toBe(`${room}/script`);
    await bob.close();
  });

  test('@xmpp/client over a WebSocket that it finds by host-meta', async () => {
    const bob = await vngtp.login('bob', PASSWORD);
    const web = programs.web(coluc, 'alice', bob.jid, 'from the web');
    bob.message(await heard(bob, 'from the web'), 're: from the web');
    expect(await web).toContain('found wss://coluc.com:5443/ws');
    await bob.close();
  });

  test('a real Prosody outside: messages, presence, queries, and a room on each side', async () => {
    const [alice, carol] = await Promise.all([coluc.login('alice', PASSWORD), carolOfProsody()]);
    await exchangeMessage(alice, carol);
    await exchangeMessage(carol, alice);
    await subscribe(alice, carol);
    await subscribe(carol, alice);
    await disco(alice, carol);
    await disco(carol, alice);
    await ping(alice, carol);
    await ping(carol, alice);
    await meetInRoom(alice, carol, 'chat.coluc.com');
    await expect(meetInRoom(carol, alice)).resolves.toBeUndefined();
    await Promise.all([alice.close(), carol.close()]);
  });

  test('one room with people of two fedway organizations and of Prosody: all hear all, and see who is kicked and who leaves', async () => {
    const [alice, carol] = await Promise.all([coluc.login('alice', PASSWORD), carolOfProsody()]);
    const room = await openRoom(alice, 'meeting@chat.coluc.com', 'alice');
    await setSubject(alice, room, 'all of us');
    const ben = programs.slixmpp(
      vngtp,
      'ben@vngtp.lab',
      'tls',
      `feature=${room}=http://jabber.org/protocol/muc`,
      `join=${room}=ben`,
      `room=${room}=hello from ben`,
      'hear=hello from carol',
      'hear=hello from alice',
      `left=${room}/ben 110 307`,
    );
    await heard(alice, 'hello from ben');
    enter(carol, room, 'carol');
    await carol.waitFor('the subject', (stanza) => child(stanza, 'subject')?.text === 'all of us');
    expect(await heard(carol, 'hello from ben')).toBe(`${room}/ben`);
    carol.message(room, 'hello from carol', 'groupchat');
    alice.message(room, 'hello from alice', 'groupchat');
    for (const text of ['hello from carol', 'hello from alice'])
      await Promise.all([heard(alice, text), heard(carol, text)]);

    expect(errorOf(await carol.iq('set', room, KICK_BEN)).condition).toBe('forbidden');
    await alice.iq('set', room, KICK_BEN);
    const seen = await Promise.all([alice, carol].map((one) => gone(one, `${room}/ben`)));
    expect(seen).toEqual([['307'], ['307']]);
    await ben;

    carol.send(`<presence to='${room}/carol' type='unavailable'/>`);
    expect(await gone(alice, `${room}/carol`)).toEqual([]);
    expect(await gone(carol, `${room}/carol`)).toEqual(['110']);
    await Promise.all([alice.close(), carol.close()]);
  });

  test('what an administrator reads of all this: who came, how, and when it was over; and no password', () => {
    const log = coluc.node.log.since(0);
    expect(log).toMatch(/ INFO .* alice has authenticated from 127\.0\.0\.1:\d+ \(SCRAM-SHA-256\)\./);
    expect(log).toMatch(/ INFO .* alice@coluc\.com\/lab has a session from 127\.0\.0\.1:\d+\./);
    expect(log).toMatch(/ INFO .* The session of alice@coluc\.com\/lab is over\./);
    expect(log).toMatch(/ INFO .* room meeting@chat\.coluc\.com .*alice@coluc\.com/);
    expect(log).toMatch(/ INFO .* arno@coluc\.com\/study goes on with its session, from /);
    for (const { log: each } of [coluc, vngtp].flatMap(({ programs: all }) => all)) {
      const text = each.since(0);
      expect(text).not.toContain(PASSWORD);
      expect(text).not.toContain('A fault of fedway itself');
    }
  });
});

/** Waits for clients that talk with each other; what they said. When one is not content, what the others said is told too: the fault may be with them. */
async function content(...clients: readonly Promise<string>[]): Promise<string> {
  const ends = await Promise.allSettled(clients);
  const said = ends.map((end) => (end.status === 'fulfilled' ? end.value : String(end.reason))).join('\n');
  if (ends.some(({ status }) => status === 'rejected')) throw new Error(said);
  return said;
}

/** Who said it. */
async function heard(who: TestClient, text: string): Promise<string> {
  const says = (stanza: Element): boolean =>
    stanza.name === 'message' && stanza.attributes['type'] !== 'error' && child(stanza, 'body')?.text === text;
  const said = await who.waitFor(`the text “${text}”`, says, 40_000);
  return said.attributes['from'] ?? '';
}

function enter(who: TestClient, room: string, nick: string): void {
  who.send(`<presence to='${room}/${nick}'><x xmlns='http://jabber.org/protocol/muc'/></presence>`);
}

/** Makes a room that is as it is; gives back its address. */
async function openRoom(who: TestClient, room: string, nick: string): Promise<string> {
  enter(who, room, nick);
  await who.waitFor(
    'being in the room',
    ({ name, attributes }) => name === 'presence' && attributes['from'] === `${room}/${nick}`,
  );
  expect((await who.iq('set', room, SUBMITTED)).attributes['type']).toBe('result');
  return room;
}

async function setSubject(who: TestClient, room: string, subject: string): Promise<void> {
  who.send(`<message to='${room}' type='groupchat'><subject>${subject}</subject></message>`);
  await who.waitFor('the subject', (stanza) => child(stanza, 'subject')?.text === subject);
}

/** Waits until an occupant has left; the status codes of that (XEP-0045 §15.6.2). */
async function gone(who: TestClient, occupant: string): Promise<readonly string[]> {
  const left = await who.waitFor(
    `${occupant} leaving`,
    ({ attributes: { from, type } }) => from === occupant && type === 'unavailable',
  );
  return codesOf(left);
}

function codesOf(stanza: Element): readonly string[] {
  return child(stanza, 'x', MUC_USER)?.children.flatMap(({ attributes }) => attributes['code'] ?? []) ?? [];
}
