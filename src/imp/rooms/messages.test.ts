import { beforeEach, describe, expect, test } from 'vitest';
import { text } from '../../../test/support/imp-accounts.ts';
import { COVEN, RoomsOnTrial } from '../../../test/support/imp-rooms.ts';

const alice = 'alice@im.example/phone';
const bob = 'bob@im.example/desk';
const mallory = 'mallory@foreign.example/x';
let chat: RoomsOnTrial;

beforeEach(() => {
  chat = new RoomsOnTrial();
  chat.open(alice, 'Alice');
  chat.enter(bob, 'Bob');
});

function words(stanza: string): readonly string[] {
  return chat.say(stanza).map(({ element }) => text(element));
}

describe('XEP-0045 §7.4: a message to all', () => {
  test('goes to everybody, its sender too, with its id and what else is in it', () => {
    const sent = words(
      `<message type='groupchat' id='m1' xml:lang='en' from='${bob}' to='${COVEN}'><body>hi</body><thread>t</thread><active xmlns='http://jabber.org/protocol/chatstates'/></message>`,
    );
    expect(sent).toHaveLength(2);
    for (const [number, to] of [alice, bob].entries()) {
      expect(sent[number]).toMatch(/^<message from='coven@chat.example\/Bob' id='m1' type='groupchat' xml:lang='en'/);
      expect(sent[number]).toContain(`to='${to}'`);
      expect(sent[number]).toContain(
        `<body>hi</body><thread>t</thread><active xmlns='http://jabber.org/protocol/chatstates'/>`,
      );
    }
  });

  test('without an id has the same new one for all', () => {
    const ids = words(`<message type='groupchat' from='${bob}' to='${COVEN}'><body>hi</body></message>`).map(
      (each) => / id='([^']+)'/.exec(each)?.[1],
    );
    expect(ids[0]).toMatch(/^id-\d+$/);
    expect(ids[1]).toBe(ids[0]);
  });

  test('has the id that the room gave it, and the occupant; forged ones are gone (XEP-0359 §3, XEP-0421 §4)', () => {
    const [sent = ''] = words(
      `<message type='groupchat' id='m' from='${bob}' to='${COVEN}'><body>hi</body><stanza-id xmlns='urn:xmpp:sid:0' id='forged' by='${COVEN}'/><stanza-id xmlns='urn:xmpp:sid:0' id='forged' by='Coven@CHAT.example'/><stanza-id xmlns='urn:xmpp:sid:0' id='theirs' by='bob@im.example'/><origin-id xmlns='urn:xmpp:sid:0' id='own'/><occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/><delay xmlns='urn:xmpp:delay' from='${COVEN}' stamp='2020-01-01T00:00:00Z'/><delay xmlns='urn:xmpp:delay' from='Coven@CHAT.example' stamp='2020-01-01T00:00:00Z'/><x xmlns='http://jabber.org/protocol/muc#user'><status code='104'/></x></message>`,
    );
    expect(sent).not.toContain('forged');
    expect(sent).not.toContain('delay');
    expect(sent).not.toContain('muc#user');
    expect(sent).toContain("id='theirs'");
    expect(sent).toContain("id='own'");
    expect(sent.match(/<stanza-id [^>]*by='coven@chat.example'/g)).toHaveLength(1);
    expect(sent.match(/<occupant-id /g)).toHaveLength(1);
  });

  test('who is not here cannot speak, and a room that is not there cannot be spoken to', () => {
    expect(chat.groupchat(mallory, 'x')).toEqual([`${mallory} <- - message error not-acceptable`]);
    expect(chat.groupchat(bob, 'x', 'nowhere@chat.example')).toEqual([`${bob} <- - message error item-not-found`]);
  });

  test('a visitor has no voice', () => {
    chat.administrate(alice, "nick='Bob' role='visitor'");
    expect(chat.groupchat(bob, 'x')).toEqual([`${bob} <- - message error forbidden`]);
  });

  test('another type than groupchat is no message to all', () => {
    expect(chat.hear(`<message type='chat' from='${bob}' to='${COVEN}'><body>x</body></message>`)).toEqual([
      `${bob} <- - message error bad-request`,
    ]);
  });

  test('what is too long is returned, what is too much has to wait', () => {
    chat = new RoomsOnTrial({ message: 1_000, messageRate: { burst: 1, perSecond: 1 } });
    chat.open(alice, 'Alice');
    expect(chat.groupchat(alice, 'x'.repeat(1_000))).toEqual([`${alice} <- - message error policy-violation`]);
    expect(chat.groupchat(alice, 'one')).toEqual([`${alice} <- Alice groupchat "one"`]);
    expect(chat.groupchat(alice, 'two')).toEqual([`${alice} <- - message error resource-constraint`]);
    expect(chat.notes.at(-1)).toMatchObject({ note: 'room-flood', from: 'alice@im.example', what: 'messages' });
    chat.now += 1_000;
    expect(chat.groupchat(alice, 'two')).toEqual([`${alice} <- Alice groupchat "two"`]);
  });
});

const idOf = (stanza: string): string | undefined =>
  / id='([^']+)'/.exec(/<occupant-id [^>]*>/.exec(stanza)?.[0] ?? '')?.[1];

describe('XEP-0421: the id of an occupant', () => {
  test('stays with the user and the room, and differs in another room', () => {
    const [first = ''] = words(`<message type='groupchat' from='${bob}' to='${COVEN}'><body>hi</body></message>`);
    chat.leave(bob, 'Bob');
    chat.enter('bob@im.example/other', 'Robert');
    const [again = ''] = words(
      `<message type='groupchat' from='bob@im.example/other' to='${COVEN}'><body>hi</body></message>`,
    );
    chat.open(bob, 'Bob', {}, 'heath@chat.example');
    const [elsewhere = ''] = words(
      `<message type='groupchat' from='${bob}' to='heath@chat.example'><body>hi</body></message>`,
    );
    expect(idOf(first)).toMatch(/^.{40,128}$/);
    expect(idOf(again)).toBe(idOf(first));
    expect(idOf(elsewhere)).not.toBe(idOf(first));
  });
});

const change = (from: string, subject: string): readonly string[] =>
  chat.hear(`<message type='groupchat' from='${from}' to='${COVEN}'><subject>${subject}</subject></message>`);

describe('XEP-0045 §8.1: the subject', () => {
  test('moderators change it; others may where the configuration says so, visitors never', () => {
    expect(change(bob, 'x')).toEqual([`${bob} <- - message error forbidden`]);
    expect(change(alice, 'Fire Burn')).toEqual([
      `${alice} <- Alice groupchat subject "Fire Burn"`,
      `${bob} <- Alice groupchat subject "Fire Burn"`,
    ]);
    chat.configure(alice, { changesubject: '1' });
    expect(change(bob, 'y')).toHaveLength(2);
    chat.administrate(alice, "nick='Bob' role='visitor'");
    expect(change(bob, 'z')).toEqual([`${bob} <- - message error forbidden`]);
  });

  test('is what a newcomer gets last, with its time and who set it, and only there', () => {
    change(alice, 'Fire Burn');
    chat.leave(alice, 'Alice');
    chat.now += 60_000;
    chat.enter(alice, 'Alice');
    const sent = chat.say(
      `<presence from='${mallory}' to='${COVEN}/M'><x xmlns='http://jabber.org/protocol/muc'/></presence>`,
    );
    const subjects = sent.map(({ element }) => text(element)).filter((each) => each.includes('<subject>'));
    expect(subjects).toHaveLength(1);
    expect(subjects[0]).toMatch(
      /^<message from='coven@chat.example\/Alice'.*<subject>Fire Burn<\/subject><delay xmlns='urn:xmpp:delay' from='coven@chat.example' stamp='2026-01-01T00:00:00.000Z'\/><occupant-id/,
    );
  });

  test('with a body it is a message like any other; one that is too long is refused', () => {
    expect(
      chat.hear(`<message type='groupchat' from='${bob}' to='${COVEN}'><subject>s</subject><body>b</body></message>`),
    ).toHaveLength(2);
    expect(change(alice, 'x'.repeat(5_000))).toEqual([`${alice} <- - message error policy-violation`]);
  });

  test('can be emptied', () => {
    change(alice, 'Fire Burn');
    change(alice, '');
    expect(chat.enter(mallory, 'M').at(-1)).toBe(`${mallory} <- Alice groupchat subject ""`);
  });
});

const bodies = (asked: string): readonly string[] =>
  chat.enter(mallory, 'M', asked).filter((line) => line.includes('"') && !line.includes('subject'));

describe('XEP-0045 §7.2.13, §7.2.14: the history', () => {
  beforeEach(() => {
    for (const number of [1, 2, 3]) {
      chat.now += 60_000;
      chat.groupchat(bob, `m${number}`);
    }
  });

  test('is what was said, with its time, as it was said', () => {
    chat.leave(bob, 'Bob');
    const sent = chat.say(
      `<presence from='${mallory}' to='${COVEN}/M'><x xmlns='http://jabber.org/protocol/muc'/></presence>`,
    );
    const first = sent.map(({ element }) => text(element)).find((each) => each.includes('<body>'));
    expect(first).toMatch(
      /^<message from='coven@chat.example\/Bob' id='m' type='groupchat' to='mallory@foreign.example\/x'><body>m1<\/body><occupant-id .*<stanza-id .*<delay xmlns='urn:xmpp:delay' from='coven@chat.example' stamp='2026-01-01T00:01:00.000Z'\/><\/message>$/,
    );
  });

  test.each([
    ['', 3],
    ["<history maxstanzas='2'/>", 2],
    ["<history maxstanzas='0'/>", 0],
    ["<history maxchars='0'/>", 0],
    ["<history maxchars='500'/>", 1],
    ["<history seconds='60'/>", 2],
    ["<history since='2026-01-01T00:02:30Z'/>", 1],
    ["<history seconds='600' since='2026-01-01T00:03:00Z'/>", 1],
    ["<history maxstanzas='2' seconds='30'/>", 1],
    ["<history maxstanzas='-1' since='yesterday'/>", 3],
  ])('%s gives the last %i', (asked, count) => {
    expect(bodies(asked)).toEqual(
      [1, 2, 3].slice(3 - count).map((number) => `${mallory} <- Bob groupchat "m${number}"`),
    );
  });

  test('is never more than the room or the service gives, and has nothing that is not to be kept', () => {
    chat.hear(
      `<message type='groupchat' from='${bob}' to='${COVEN}'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`,
    );
    chat.hear(
      `<message type='groupchat' from='${bob}' to='${COVEN}'><body>psst</body><no-store xmlns='urn:xmpp:hints'/></message>`,
    );
    chat.configure(alice, { 'muc#maxhistoryfetch': '1' });
    expect(bodies("<history maxstanzas='10'/>")).toEqual([`${mallory} <- Bob groupchat "m3"`]);
  });
});

const whisper = (from: string, nick: string, type = 'chat'): readonly string[] =>
  words(`<message type='${type}' id='p' from='${from}' to='${COVEN}/${nick}'><body>psst</body></message>`);

describe('XEP-0045 §7.5: a private message', () => {
  test('goes to every client of the recipient, from the nickname, marked as from a room', () => {
    const tablet = 'alice@im.example/tablet';
    chat.enter(tablet, 'Alice');
    const sent = whisper(bob, 'Alice');
    expect(sent).toHaveLength(2);
    expect(sent[0]).toMatch(
      /^<message from='coven@chat.example\/Bob' to='alice@im.example\/phone' id='p' type='chat'><body>psst<\/body><x xmlns='http:\/\/jabber.org\/protocol\/muc#user'\/><occupant-id /,
    );
    expect(sent[1]).toContain(`to='${tablet}'`);
  });

  test.each([
    [bob, 'Nobody', 'chat', 'item-not-found'],
    [mallory, 'Alice', 'chat', 'not-acceptable'],
    [bob, 'Alice', 'groupchat', 'bad-request'],
  ])('from %s to %s as %s: %s', (from, nick, type, condition) => {
    expect(whisper(from, nick, type).join()).toContain(`<${condition} `);
  });

  test.each([
    ['none', 'Alice', false],
    ['moderators', 'Alice', false],
    ['participants', 'Alice', true],
  ])('where %s may send them, a participant may: %s %s', (allowed, nick, may) => {
    chat.configure(alice, { allowpm: allowed });
    expect(whisper(bob, nick).join().includes('forbidden')).toBe(!may);
  });
});

const bounce = (kind: string, condition: string, to = `${COVEN}/Alice`): readonly string[] =>
  chat.hear(
    `<${kind} type='error' from='${bob}' to='${to}'><error type='cancel'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></${kind}>`,
  );

describe('XEP-0045 §18.1.2: ghosts', () => {
  test.each(['message', 'presence'])(
    'a %s that comes back takes its occupant out, which everybody learns (333)',
    (kind) => {
      expect(bounce(kind, 'remote-server-not-found')).toEqual([
        `${bob} <- Bob unavailable none/none (${bob}) 333 110`,
        `${alice} <- Bob unavailable none/none (${bob}) 333`,
      ]);
      expect(chat.notes.at(-1)).toMatchObject({
        note: 'room-ghost',
        occupant: bob,
        condition: 'remote-server-not-found',
      });
      expect(bounce(kind, 'remote-server-not-found')).toEqual([]);
    },
  );

  test('an error about what was said is for whoever said it', () => {
    expect(bounce('message', 'not-acceptable')).toEqual([`${alice} <- Bob message error not-acceptable`]);
    expect(bounce('message', 'not-acceptable', COVEN)).toEqual([]);
    expect(chat.groupchat(alice, 'still here')).toHaveLength(2);
  });

  test('an error from somebody who is not here does nothing', () => {
    const error = `<message type='error' from='${mallory}' to='${COVEN}/Alice'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`;
    expect(chat.hear(error)).toEqual([]);
    expect(chat.hear(error.replace('gone', 'conflict'))).toEqual([]);
  });
});
