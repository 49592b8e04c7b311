import { beforeEach, describe, expect, test } from 'vitest';
import { jid, text } from '../../../test/support/imp-accounts.ts';
import { COVEN, inShort, RoomsOnTrial, SERVICE } from '../../../test/support/imp-rooms.ts';

const alice = 'alice@im.example/phone';
const bob = 'bob@im.example/desk';
const mallory = 'mallory@foreign.example/x';
let chat: RoomsOnTrial;

beforeEach(() => {
  chat = new RoomsOnTrial();
});

const ask = (to: string, payload: string, from = bob, type = 'get'): string =>
  chat
    .say(`<iq type='${type}' id='q' from='${from}' to='${to}'>${payload}</iq>`)
    .map(({ element }) => text(element))
    .join('\n');
const page = (inside: string): string =>
  ask(
    SERVICE,
    `<query xmlns='http://jabber.org/protocol/disco#items'><set xmlns='http://jabber.org/protocol/rsm'>${inside}</set></query>`,
  );
const query = (from: string): string => ask(COVEN, "<query xmlns='urn:xmpp:mam:2' queryid='1'/>", from, 'set');
const INFO = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
const ITEMS = "<query xmlns='http://jabber.org/protocol/disco#items'/>";
const features = (answer: string): readonly string[] =>
  [...answer.matchAll(/<feature var='([^']+)'/g)].map(([, name = '']) => name);

describe('the service (XEP-0045 §6)', () => {
  test('says what it is and what it can', () => {
    const answer = ask(SERVICE, INFO);
    expect(answer).toContain("<identity category='conference' type='text' name='Chat rooms'/>");
    expect(features(answer)).toEqual([
      'http://jabber.org/protocol/disco#info',
      'http://jabber.org/protocol/disco#items',
      'http://jabber.org/protocol/muc',
      'http://jabber.org/protocol/muc#stable_id',
      'urn:xmpp:occupant-id:0',
      'urn:xmpp:ping',
      'muc_rooms',
      'http://jabber.org/protocol/rsm',
      'jabber:iq:version',
    ]);
    expect(ask(SERVICE, "<query xmlns='http://jabber.org/protocol/disco#info' node='x'/>")).toContain('item-not-found');
  });

  test('answers pings and says its version; everything else it does not do', () => {
    expect(ask(SERVICE, "<ping xmlns='urn:xmpp:ping'/>")).toBe(
      `<iq from='chat.example' to='${bob}' id='q' type='result'/>`,
    );
    expect(ask(SERVICE, "<query xmlns='jabber:iq:version'/>")).toContain('<name>fedway</name><version>1.2.3</version>');
    expect(ask(SERVICE, "<query xmlns='jabber:iq:roster'/>")).toContain('service-unavailable');
    expect(ask(SERVICE, '')).toContain('service-unavailable');
    expect(chat.hear(`<message from='${bob}' to='${SERVICE}'><body>x</body></message>`)).toEqual([
      `${bob} <- - message error service-unavailable`,
    ]);
    expect(chat.hear(`<presence from='${bob}' to='${SERVICE}'/>`)).toEqual([]);
    expect(chat.hear(`<iq type='result' id='x' from='${bob}' to='${SERVICE}'/>`)).toEqual([]);
  });

  test('lists the public rooms that are configured', () => {
    chat.open(alice, 'A', { roomname: 'A Dark Cave' });
    chat.open(alice, 'A', { publicroom: '0' }, 'hidden@chat.example');
    chat.enter(alice, 'A', '', 'locked@chat.example');
    expect(ask(SERVICE, ITEMS)).toContain(
      "<query xmlns='http://jabber.org/protocol/disco#items'><item jid='coven@chat.example' name='A Dark Cave'/></query>",
    );
  });

  test('lists them page by page', () => {
    for (const name of ['c', 'a', 'b']) chat.open(alice, 'A', {}, `${name}@chat.example`);
    const first = page('<max>2</max>');
    expect([...first.matchAll(/item jid='(\w)@/g)].map(([, name]) => name)).toEqual(['a', 'b']);
    expect(first).toContain("<first index='0'>a@chat.example</first><last>b@chat.example</last><count>3</count>");
    expect(page('<max>2</max><after>b@chat.example</after>')).toContain("<item jid='c@chat.example'");
    expect(page('<after>x@chat.example</after>')).toContain('item-not-found');
    expect(page('<max>many</max>')).toContain('bad-request');
  });
});

describe('what a room says of itself (XEP-0045 §6.4)', () => {
  test('its features are those of its configuration', () => {
    chat.open(alice, 'A', {
      persistentroom: '1',
      membersonly: '1',
      moderatedroom: '1',
      whois: 'anyone',
      publicroom: '0',
      passwordprotectedroom: '1',
      roomsecret: 's',
      roomname: 'Cave',
      roomdesc: 'dark',
    });
    const answer = ask(COVEN, INFO);
    expect(answer).toContain("<identity category='conference' type='text' name='Cave'/>");
    expect(features(answer)).toEqual(
      expect.arrayContaining([
        'http://jabber.org/protocol/muc#self-ping-optimization',
        'urn:xmpp:mam:2',
        'muc_passwordprotected',
        'muc_hidden',
        'muc_persistent',
        'muc_membersonly',
        'muc_moderated',
        'muc_nonanonymous',
      ]),
    );
    expect(answer).toMatch(/muc#roominfo_description[^>]*><value>dark<.*muc#roominfo_occupants[^>]*><value>1</);
  });

  test.each([{ membersonly: '1' }, { passwordprotectedroom: '1', roomsecret: 's' }])(
    'who may not enter does not learn what it is about: %j',
    (config) => {
      chat.open(alice, 'A', config);
      chat.hear(`<message type='groupchat' id='s' from='${alice}' to='${COVEN}'><subject>fire</subject></message>`);
      expect(ask(COVEN, INFO)).not.toContain('fire');
      chat.configure(alice, { membersonly: '0', passwordprotectedroom: '0' });
      expect(ask(COVEN, INFO)).toContain('fire');
    },
  );

  test('an instant room is another kind, and has no archive', () => {
    chat.open(alice, 'A');
    const found = features(ask(COVEN, INFO));
    expect(found).toEqual(
      expect.arrayContaining([
        'muc_unsecured',
        'muc_public',
        'muc_temporary',
        'muc_open',
        'muc_unmoderated',
        'muc_semianonymous',
      ]),
    );
    expect(found).not.toContain('urn:xmpp:mam:2');
    expect(ask(COVEN, "<query xmlns='urn:xmpp:mam:2'/>", alice, 'set')).toContain('service-unavailable');
  });

  test('an IQ of no type that there is changes nothing, whoever sends it (RFC 6120 §8.2.3)', () => {
    chat.open(alice, 'A');
    const ban =
      "<query xmlns='http://jabber.org/protocol/muc#admin'><item jid='bob@im.example' affiliation='outcast'/></query>";
    expect(chat.hear(`<iq type='ask' id='q' from='${alice}' to='${COVEN}'>${ban}</iq>`)).toEqual([
      `${alice} <- - iq error bad-request`,
    ]);
    expect(chat.enter(bob, 'Bob').join()).not.toContain('forbidden');
  });

  test('occupants are not listed; unknown nodes and requests are errors', () => {
    chat.open(alice, 'A');
    expect(ask(COVEN, ITEMS)).toContain("<query xmlns='http://jabber.org/protocol/disco#items'/>");
    const node = (name: string): string =>
      ask(COVEN, `<query xmlns='http://jabber.org/protocol/disco#info' node='${name}'/>`);
    expect(node('http://jabber.org/protocol/muc#traffic')).toContain('service-unavailable');
    expect(node('x-roomuser-item')).toContain('feature-not-implemented');
    expect(node('other')).toContain('item-not-found');
    expect(ask(COVEN, "<query xmlns='jabber:iq:register'/>")).toContain('service-unavailable');
    expect(ask(COVEN, '')).toContain('bad-request');
    expect(ask(COVEN, "<ping xmlns='urn:xmpp:ping'/>")).toContain("type='result'");
  });

  test('a room that is not there, or not configured, is not found', () => {
    expect(ask(COVEN, INFO)).toContain('item-not-found');
    chat.enter(alice, 'A');
    expect(ask(COVEN, INFO)).toContain('item-not-found');
  });
});

describe('what lasts', () => {
  test('a persistent room is there after a restart: settings, lists, subject, history, and who somebody is (XEP-0421)', () => {
    chat.open(alice, 'Alice', { persistentroom: '1', roomname: 'Cave', moderatedroom: '1' });
    chat.administrate(
      alice,
      "jid='bob@im.example' affiliation='member'",
      "jid='foreign.example' affiliation='outcast'",
    );
    chat.hear(`<message type='groupchat' from='${alice}' to='${COVEN}'><subject>Fire</subject></message>`);
    const [said] = chat.say(
      `<message type='groupchat' id='m' from='${alice}' to='${COVEN}'><body>boil</body></message>`,
    );
    chat.restart();
    const entered = chat.say(
      `<presence from='${bob}' to='${COVEN}/Bob'><x xmlns='http://jabber.org/protocol/muc'/></presence>`,
    );
    expect(entered.map(inShort)).toEqual([
      `${bob} <- Bob available member/participant (${bob}) 110 170`,
      `${bob} <- Alice groupchat "boil"`,
      `${bob} <- Alice groupchat subject "Fire"`,
    ]);
    const ids = (packet: (typeof entered)[number] | undefined): readonly string[] =>
      packet === undefined
        ? []
        : [.../<(?:occupant|stanza)-id [^>]*>/g[Symbol.matchAll](text(packet.element))].map(([id]) => id);
    expect(ids(entered[1])).toHaveLength(2);
    expect(ids(entered[1])).toEqual(ids(said));
    expect(chat.enter(mallory, 'M')).toEqual([`${mallory} <- M presence error forbidden`]);
    expect(chat.enter(alice, 'Alice')).toContain(`${bob} <- Alice available owner/moderator`);
  });

  test('a temporary room is not', () => {
    chat.open(alice, 'Alice');
    chat.restart();
    expect(chat.groupchat(alice, 'x')).toEqual([`${alice} <- - message error item-not-found`]);
  });

  test('with a persistent room its archive ends: a later one of the same name has nothing of it', () => {
    chat.open(alice, 'Alice', { persistentroom: '1' });
    chat.groupchat(alice, 'secret');
    chat.configure(alice, { persistentroom: '0' });
    chat.configure(alice, { persistentroom: '1' });
    expect(ask(COVEN, "<query xmlns='urn:xmpp:mam:2'/>", alice, 'set')).not.toContain('secret');
    chat.leave(alice, 'Alice');
    chat.restart();
    expect(chat.enter(alice, 'Alice').join()).not.toContain('secret');
  });

  test('what a room forgets is forgotten in the database too', () => {
    chat.open(alice, 'Alice', { persistentroom: '1' });
    chat.administrate(alice, "jid='bob@im.example' affiliation='outcast'");
    chat.administrate(alice, "jid='bob@im.example' affiliation='none'");
    chat.restart();
    expect(chat.enter(bob, 'Bob')).toContain(`${bob} <- Bob available none/participant (${bob}) 110 170`);
  });

  test('when the disk fails the room goes on, an administrator is told, and the next change is written whole', () => {
    chat.open(alice, 'Alice', { persistentroom: '1' });
    chat.database.sql.exec(
      "CREATE TRIGGER full BEFORE INSERT ON room_affiliations BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    );
    chat.administrate(alice, "jid='foreign.example' affiliation='outcast'");
    expect(chat.notes.at(-1)).toMatchObject({ note: 'room-not-stored', room: COVEN, detail: 'disk full' });
    expect(chat.enter(mallory, 'M')).toEqual([`${mallory} <- M presence error forbidden`]);
    chat.database.sql.exec('DROP TRIGGER full');
    chat.administrate(alice, "jid='bob@im.example' affiliation='member'");
    chat.restart();
    expect(chat.enter(mallory, 'M')).toEqual([`${mallory} <- M presence error forbidden`]);
  });
});

describe('the archive of a room (XEP-0313)', () => {
  test('is for occupants and those on its lists, and for nobody else', () => {
    chat.open(alice, 'Alice', { persistentroom: '1' });
    chat.groupchat(alice, 'boil');
    const found = query(alice);
    expect(found).toMatch(
      /^<message from='coven@chat.example' to='alice@im.example\/phone' id='[^']+'><result [^>]*queryid='1'.*<body>boil<\/body>/,
    );
    expect(found).toMatch(/<iq from='coven@chat.example' to='alice@im.example\/phone' id='q' type='result'><fin /);
    expect(query(bob)).toContain('forbidden');
    chat.enter(bob, 'Bob');
    expect(query('bob@im.example/other')).toContain('boil');
    chat.leave(alice, 'Alice');
    expect(query(alice)).toContain('boil');
    chat.administrate(alice, "jid='bob@im.example' affiliation='outcast'");
    expect(query(bob)).toContain('forbidden');
  });

  test('has the id that occupants saw, and no private messages', () => {
    chat.open(alice, 'Alice', { persistentroom: '1' });
    chat.enter(bob, 'Bob');
    const [said] = chat.say(`<message type='groupchat' from='${bob}' to='${COVEN}'><body>boil</body></message>`);
    chat.hear(`<message type='chat' from='${bob}' to='${COVEN}/Alice'><body>psst</body></message>`);
    const id = /<stanza-id [^>]*id='([^']+)'/.exec(said === undefined ? '' : text(said.element))?.[1] ?? 'none';
    const found = query(alice);
    expect(found).toContain(`id='${id}'`);
    expect(found).not.toContain('psst');
    expect(found).not.toContain('bob@im.example');
  });
});

test('the archive says who it was where everybody knew it, to those who may know now (XEP-0313)', () => {
  chat.open(alice, 'Alice', { persistentroom: '1' });
  chat.enter(bob, 'Bob');
  chat.enter(mallory, 'M');
  chat.groupchat(bob, 'under a nickname');
  chat.configure(alice, { whois: 'anyone' });
  chat.hear(
    `<message type='groupchat' from='${bob}' to='${COVEN}'><body>openly</body><sender xmlns='urn:fedway:rooms:sender' jid='forged@x.example'/></message>`,
  );
  const known = `<x xmlns='http://jabber.org/protocol/muc#user'><item jid='${bob}'/></x>`;
  expect(query(mallory).split(known)).toHaveLength(2);
  expect(query(mallory)).not.toContain('forged');
  expect(query(mallory).indexOf(known)).toBeGreaterThan(query(mallory).indexOf('openly'));
  chat.configure(alice, { whois: 'moderators' });
  expect(query(mallory)).not.toContain(bob);
  expect(query(alice)).toContain(known);
  chat.restart();
  const entered = chat.say(
    `<presence from='${mallory}' to='${COVEN}/M'><x xmlns='http://jabber.org/protocol/muc'/></presence>`,
  );
  const words = entered.map(({ element }) => text(element)).join();
  expect(words).toContain('openly');
  expect(words).not.toContain('urn:fedway');
  expect(words).not.toContain(bob);
});

describe('a user who is no more', () => {
  test('loses what it was; admins succeed the last owner, then members', () => {
    chat.open(alice, 'Alice', { persistentroom: '1' });
    chat.administrate(alice, "jid='bob@im.example' affiliation='member'", "jid='carol@im.example' affiliation='admin'");
    chat.enter(bob, 'Bob');
    chat.rooms.userRemoved(jid('alice@im.example'));
    chat.rooms.userRemoved(jid('carol@im.example'));
    expect(chat.taken().map(inShort)).toContain(`${bob} <- Bob available owner/moderator (${bob}) 110`);
    chat.restart();
    expect(chat.enter(bob, 'Bob')).toContain(`${bob} <- Bob available owner/moderator (${bob}) 110 170`);
    expect(chat.enter(alice, 'Alice')).toContain(`${alice} <- Alice available none/participant (${alice}) 110 170`);
  });

  test('a room that nobody is left to own ends', () => {
    chat.open(alice, 'Alice', { persistentroom: '1' });
    chat.enter(mallory, 'M');
    chat.administrate(alice, "jid='foreign.example' affiliation='member'");
    chat.taken();
    chat.rooms.userRemoved(jid('alice@im.example'));
    expect(chat.taken().map(inShort)).toContain(`${mallory} <- M unavailable none/none 110`);
    expect(chat.enter(bob, 'Bob')[0]).toContain('201');
  });
});

test('when the node ends everybody is told once (XEP-0045 §11.2), and persistent rooms stay', () => {
  chat.open(alice, 'Alice', { persistentroom: '1' });
  chat.enter(bob, 'Bob');
  chat.rooms.close();
  chat.rooms.close();
  expect(chat.taken().map(inShort)).toEqual([
    `${alice} <- Alice unavailable owner/none (${alice}) 332 110`,
    `${bob} <- Bob unavailable none/none (${bob}) 332 110`,
  ]);
  expect(chat.groupchat(alice, 'x')).toEqual([]);
  chat.restart();
  expect(chat.enter(alice, 'Alice')[0]).toContain('owner/moderator');
});
