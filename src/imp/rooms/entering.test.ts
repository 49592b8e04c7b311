import { beforeEach, describe, expect, test } from 'vitest';
import { text } from '../../../test/support/imp-accounts.ts';
import { COVEN, RoomsOnTrial } from '../../../test/support/imp-rooms.ts';

const alice = 'alice@im.example/phone';
const bob = 'bob@im.example/desk';
const mallory = 'mallory@foreign.example/x';
let chat: RoomsOnTrial;

beforeEach(() => {
  chat = new RoomsOnTrial();
});

describe('XEP-0045 §10.1: a new room', () => {
  test('its creator enters as owner, and learns that the room is new', () => {
    expect(chat.enter(alice, 'Alice')).toEqual([
      `${alice} <- Alice available owner/moderator (${alice}) 110 201`,
      `${alice} <- - groupchat subject ""`,
    ]);
  });

  test('nobody else enters until it is configured, then everybody can', () => {
    chat.enter(alice, 'Alice');
    expect(chat.enter(bob, 'Bob')).toEqual([`${bob} <- Bob presence error item-not-found`]);
    expect(chat.configure(alice, {})).toEqual([`${alice} <- - iq result`]);
    expect(chat.enter(bob, 'Bob')).toContain(`${bob} <- Bob available none/participant (${bob}) 110`);
  });

  test('a foreign user makes none, and the log has it', () => {
    expect(chat.enter(mallory, 'M')).toEqual([`${mallory} <- M presence error not-allowed`]);
    expect(chat.notes).toMatchObject([{ note: 'room-refused', by: 'mallory@foreign.example' }]);
    expect(chat.enter(alice, 'Alice')[0]).toContain('201');
  });

  test('when its owner leaves, or cancels, before it is configured, the room is gone', () => {
    chat.enter(alice, 'Alice');
    expect(chat.leave(alice, 'Alice')).toEqual([`${alice} <- Alice unavailable none/none 110`]);
    expect(chat.enter(bob, 'Bob')[0]).toContain('201');
    const cancel = `<iq type='set' id='c' from='${bob}' to='${COVEN}'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='cancel'/></query></iq>`;
    expect(chat.hear(cancel)).toEqual([`${bob} <- Bob unavailable none/none 110`, `${bob} <- - iq result`]);
    expect(chat.enter(alice, 'Alice')[0]).toContain('201');
  });

  test('a user makes as many as the limit says', () => {
    chat = new RoomsOnTrial({ roomsPerCreator: 1 });
    chat.open(alice, 'Alice');
    expect(chat.enter(alice, 'Alice', '', 'heath@chat.example')).toEqual([
      `${alice} <- Alice presence error resource-constraint`,
    ]);
    chat.leave(alice, 'Alice');
    expect(chat.enter(alice, 'Alice', '', 'heath@chat.example')[0]).toContain('201');
  });
});

describe('XEP-0045 §7.1: who enters', () => {
  test('gets the others, then itself, then the history, then the subject; the others get the newcomer', () => {
    chat.open(alice, 'Alice', { whois: 'anyone', persistentroom: '1' });
    chat.groupchat(alice, 'when shall we three');
    chat.enter(bob, 'Bob');
    expect(chat.enter(mallory, 'M')).toEqual([
      `${alice} <- M available none/participant (${mallory})`,
      `${bob} <- M available none/participant (${mallory})`,
      `${mallory} <- Alice available owner/moderator (${alice})`,
      `${mallory} <- Bob available none/participant (${bob})`,
      `${mallory} <- M available none/participant (${mallory}) 110 100 170`,
      `${mallory} <- Alice groupchat "when shall we three"`,
      `${mallory} <- - groupchat subject ""`,
    ]);
  });

  test('in a semi-anonymous room only moderators learn addresses, besides everybody their own (§7.2.4)', () => {
    chat.open(alice, 'Alice');
    chat.enter(bob, 'Bob');
    expect(chat.enter(mallory, 'M').slice(0, 5)).toEqual([
      `${alice} <- M available none/participant (${mallory})`,
      `${bob} <- M available none/participant`,
      `${mallory} <- Alice available owner/moderator`,
      `${mallory} <- Bob available none/participant`,
      `${mallory} <- M available none/participant (${mallory}) 110`,
    ]);
  });

  test.each([
    ['no nickname', { to: COVEN }, 'jid-malformed'],
    ['a nickname of spaces', { to: `${COVEN}/\u00A0 ` }, 'jid-malformed'],
    ['a nickname that is too long', { to: `${COVEN}/${'n'.repeat(200)}` }, 'not-acceptable'],
    ['the nickname of somebody else', { to: `${COVEN}/Alice` }, 'conflict'],
    ['one that looks like it', { to: `${COVEN}/ＡLICE ` }, 'conflict'],
  ])('§7.2: %s is refused', (_what, { to }, condition) => {
    chat.open(alice, 'Alice');
    const [answer] = chat.hear(
      `<presence from='${bob}' to='${to}'><x xmlns='http://jabber.org/protocol/muc'/></presence>`,
    );
    expect(answer).toContain(`presence error ${condition}`);
  });

  test('the error says that the room made it, and which presence it answers', () => {
    chat.open(alice, 'Alice');
    const [error] = chat.say(
      `<presence id='j1' from='${bob}' to='${COVEN}/Alice'><x xmlns='http://jabber.org/protocol/muc'/></presence>`,
    );
    expect(error === undefined ? '' : text(error.element)).toMatch(
      / id='j1'.*<error type='cancel' by='coven@chat.example'>/,
    );
  });

  test('§7.2.5: a password is asked for, and of everybody', () => {
    chat.open(alice, 'Alice', { passwordprotectedroom: '1', roomsecret: 'cauldronburn' });
    expect(chat.enter(bob, 'Bob')).toEqual([`${bob} <- Bob presence error not-authorized`]);
    expect(chat.enter(bob, 'Bob', '<password>no</password>')).toEqual([`${bob} <- Bob presence error not-authorized`]);
    expect(chat.enter(bob, 'Bob', '<password>cauldronburn</password>')).toContain(
      `${bob} <- Bob available none/participant (${bob}) 110`,
    );
  });

  test('§7.2.6, §7.2.7: strangers stay out of a members-only room, outcasts out of every room', () => {
    chat.open(alice, 'Alice', { membersonly: '1' });
    expect(chat.enter(bob, 'Bob')).toEqual([`${bob} <- Bob presence error registration-required`]);
    chat.administrate(
      alice,
      `affiliation='member' jid='bob@im.example'`,
      `affiliation='outcast' jid='foreign.example'`,
    );
    expect(chat.enter(bob, 'Bob')).toContain(`${bob} <- Bob available member/participant (${bob}) 110`);
    expect(chat.enter(mallory, 'M')).toEqual([`${mallory} <- M presence error forbidden`]);
  });

  test('§7.2.9: a full room takes nobody but admins and owners', () => {
    chat.open(alice, 'Alice', { maxusers: '1' });
    expect(chat.enter(bob, 'Bob')).toEqual([`${bob} <- Bob presence error service-unavailable`]);
    chat.administrate(alice, `affiliation='admin' jid='bob@im.example'`);
    expect(chat.enter(bob, 'Bob')).toContain(`${bob} <- Bob available admin/moderator (${bob}) 110`);
  });

  test('§5.1.2: in a moderated room the unaffiliated are visitors', () => {
    chat.open(alice, 'Alice', { moderatedroom: '1' });
    expect(chat.enter(bob, 'Bob')).toContain(`${bob} <- Bob available none/visitor (${bob}) 110`);
  });

  test('§17.3: what only the room may say is not passed on; everything else is', () => {
    chat.open(alice, 'Alice');
    const [toAlice] = chat.say(
      `<presence from='${bob}' to='${COVEN}/Bob'><show>away</show><x xmlns='http://jabber.org/protocol/muc'/><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='owner' role='moderator'/></x><occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='v'/></presence>`,
    );
    const words = toAlice === undefined ? '' : text(toAlice.element);
    expect(words).toContain('<show>away</show><c ');
    expect(words).not.toContain('forged');
    expect(words.match(/muc#user/g)).toHaveLength(1);
    expect(words).not.toContain("affiliation='owner'");
  });
});

describe('several clients of one user (XEP-0045 §7.2.8)', () => {
  const tablet = 'alice@im.example/tablet';

  test('share a nickname: the second gets the room, the others a presence, nobody a second occupant', () => {
    chat.open(alice, 'Alice');
    chat.enter(bob, 'Bob');
    expect(chat.enter(tablet, 'alice')).toEqual([
      `${alice} <- Alice available owner/moderator (${tablet}) 110`,
      `${bob} <- Alice available owner/moderator`,
      `${tablet} <- Bob available none/participant (${bob})`,
      `${tablet} <- Alice available owner/moderator (${tablet}) 110 210`,
      `${tablet} <- - groupchat subject ""`,
    ]);
    expect(chat.groupchat(bob, 'hi')).toEqual([
      `${alice} <- Bob groupchat "hi"`,
      `${tablet} <- Bob groupchat "hi"`,
      `${bob} <- Bob groupchat "hi"`,
    ]);
  });

  test('one leaves and the occupant stays, as the other client shows it', () => {
    chat.open(alice, 'Alice');
    chat.enter(bob, 'Bob');
    chat.enter(tablet, 'Alice');
    expect(chat.leave(tablet, 'Alice')).toEqual([
      `${tablet} <- Alice unavailable owner/none (${tablet}) 110`,
      `${alice} <- Alice available owner/moderator (${alice}) 110`,
      `${bob} <- Alice available owner/moderator`,
    ]);
    expect(chat.leave(alice, 'Alice')).toEqual([
      `${alice} <- Alice unavailable owner/none (${alice}) 110`,
      `${bob} <- Alice unavailable owner/none`,
    ]);
  });

  test('are not more than the limit', () => {
    chat = new RoomsOnTrial({ sessionsPerNick: 1 });
    chat.open(alice, 'Alice');
    expect(chat.enter(tablet, 'Alice')).toEqual([`${tablet} <- Alice presence error resource-constraint`]);
  });
});

describe('clients that are out of step', () => {
  test('§7.2.18: a presence without a wish to enter, from outside, is answered with a kick, in rooms that exist and others', () => {
    const presence = `<presence from='${bob}' to='${COVEN}/Bob'/>`;
    expect(chat.hear(presence)).toEqual([`${bob} <- Bob unavailable none/none 110 307 333`]);
    chat.open(alice, 'Alice');
    expect(chat.hear(presence)).toEqual([`${bob} <- Bob unavailable none/none 110 307 333`]);
  });

  test('§17.3: a client that enters again gets everything again, and the others what is new', () => {
    chat.open(alice, 'Alice');
    chat.enter(bob, 'Bob');
    chat.groupchat(alice, 'hail');
    expect(chat.enter(bob, 'Bob')).toEqual([
      `${alice} <- Bob available none/participant (${bob})`,
      `${bob} <- Alice available owner/moderator`,
      `${bob} <- Bob available none/participant (${bob}) 110`,
      `${bob} <- Alice groupchat "hail"`,
      `${bob} <- - groupchat subject ""`,
    ]);
  });

  test('§17.3: the same under another nickname is a change of it, of which only the others are told as such', () => {
    chat.open(alice, 'Alice');
    chat.enter(bob, 'Bob');
    expect(chat.enter(bob, 'Robert')).toEqual([
      `${alice} <- Bob unavailable none/participant (${bob}) >Robert 303`,
      `${alice} <- Robert available none/participant (${bob})`,
      `${bob} <- Alice available owner/moderator`,
      `${bob} <- Robert available none/participant (${bob}) 110`,
      `${bob} <- - groupchat subject ""`,
    ]);
  });

  test.each(['subscribe', 'probe', 'nonsense'])('§17.3: a presence of type %s neither enters nor leaves', (type) => {
    chat.open(alice, 'Alice');
    expect(chat.hear(`<presence type='${type}' from='${alice}' to='${COVEN}/Alice'/>`)).toEqual([]);
    expect(chat.hear(`<presence type='${type}' from='${bob}' to='${COVEN}/Bob'/>`)).toEqual([]);
    expect(chat.groupchat(alice, 'here')).toEqual([`${alice} <- Alice groupchat "here"`]);
  });
});

describe('presence and nickname of an occupant', () => {
  beforeEach(() => {
    chat.open(alice, 'Alice');
    chat.enter(bob, 'Bob');
  });

  test('§7.7: a change is told to all, with the id for whoever sent it', () => {
    const [toAlice, toBob] = chat.say(`<presence id='p' from='${bob}' to='${COVEN}/Bob'><show>xa</show></presence>`);
    expect(toAlice === undefined ? '' : text(toAlice.element)).toMatch(
      /^<presence from='coven@chat.example\/Bob' to='alice@im.example\/phone'><show>xa<\/show>/,
    );
    expect(toBob === undefined ? '' : text(toBob.element)).toContain("id='p'");
  });

  test('§7.6: a new nickname is the end of the old one (303) and the begin of the new one, for everybody', () => {
    expect(chat.hear(`<presence from='${bob}' to='${COVEN}/Robert'/>`)).toEqual([
      `${alice} <- Bob unavailable none/participant (${bob}) >Robert 303`,
      `${bob} <- Bob unavailable none/participant (${bob}) >Robert 303 110`,
      `${alice} <- Robert available none/participant (${bob})`,
      `${bob} <- Robert available none/participant (${bob}) 110`,
    ]);
    expect(chat.groupchat(bob, 'me')[0]).toBe(`${alice} <- Robert groupchat "me"`);
  });

  test('§7.6: the case of the own nickname can change, the nickname of another is a conflict', () => {
    expect(chat.hear(`<presence from='${bob}' to='${COVEN}/alice'/>`)).toEqual([
      `${bob} <- alice presence error conflict`,
    ]);
    expect(chat.hear(`<presence from='${bob}' to='${COVEN}/BOB'/>`)).toHaveLength(4);
    expect(chat.hear(`<presence from='${bob}' to='${COVEN}/ '/>`)).toEqual([
      `${bob} <-   presence error jid-malformed`,
    ]);
  });

  test('§7.6: with several clients the whole occupant has the new nickname', () => {
    chat.enter('bob@im.example/tablet', 'Bob');
    expect(chat.hear(`<presence from='${bob}' to='${COVEN}/Robert'/>`).filter((line) => line.includes('110'))).toEqual([
      `${bob} <- Bob unavailable none/participant (${bob}) >Robert 303 110`,
      `bob@im.example/tablet <- Bob unavailable none/participant (${bob}) >Robert 303 110`,
      `${bob} <- Robert available none/participant (${bob}) 110`,
      `bob@im.example/tablet <- Robert available none/participant (${bob}) 110`,
    ]);
  });

  test('who changes presence too often is told to wait', () => {
    chat = new RoomsOnTrial({ presenceRate: { burst: 1, perSecond: 1 } });
    chat.open(alice, 'Alice');
    const change = `<presence from='${alice}' to='${COVEN}/Alice'/>`;
    expect(chat.hear(change)).toHaveLength(1);
    expect(chat.hear(change)).toEqual([`${alice} <- Alice presence error resource-constraint`]);
    expect(chat.notes.at(-1)).toMatchObject({ note: 'room-flood', from: 'alice@im.example', what: 'presence' });
    chat.now += 1_000;
    expect(chat.hear(change)).toEqual([`${alice} <- Alice available owner/moderator (${alice}) 110`]);
  });

  test('a presence that is too long is returned', () => {
    const long = `<presence from='${bob}' to='${COVEN}/Bob'><status>${'x'.repeat(9_000)}</status></presence>`;
    expect(chat.hear(long)).toEqual([`${bob} <- Bob presence error policy-violation`]);
  });
});

describe('leaving', () => {
  test('§7.14: the one who leaves is told first, with the words it left for the others', () => {
    chat.open(alice, 'Alice');
    chat.enter(bob, 'Bob');
    const sent = chat.say(
      `<presence type='unavailable' from='${bob}' to='${COVEN}/Bob'><status>bye</status></presence>`,
    );
    expect(sent.map(({ element }) => text(element).includes('<status>bye</status>'))).toEqual([true, true]);
    expect(sent.map(({ to }) => to.local)).toEqual(['bob', 'alice']);
  });

  test('§17.3: the end of somebody who is not there is ignored', () => {
    chat.open(alice, 'Alice');
    expect(chat.leave(bob, 'Bob')).toEqual([]);
    expect(chat.leave(bob, 'Bob', 'nowhere@chat.example')).toEqual([]);
  });

  test('a temporary room ends with its last occupant, a persistent one does not', () => {
    chat.open(alice, 'Alice');
    chat.leave(alice, 'Alice');
    expect(chat.notes.at(-1)).toMatchObject({ note: 'room-ended', because: 'empty' });
    chat.open(alice, 'Alice', { persistentroom: '1' });
    chat.leave(alice, 'Alice');
    expect(chat.enter(bob, 'Bob')).toContain(`${bob} <- Bob available none/participant (${bob}) 110 170`);
  });
});
