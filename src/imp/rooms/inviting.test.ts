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

const say = (from: string, inside: string): readonly string[] =>
  chat
    .say(`<message from='${from}' to='${COVEN}'><x xmlns='http://jabber.org/protocol/muc#user'>${inside}</x></message>`)
    .map(({ element }) => text(element));
const invite = (from: string, to = 'mallory@foreign.example'): readonly string[] => say(from, `<invite to='${to}'/>`);

describe('mediated invitations (XEP-0045 §7.8.2)', () => {
  test('come from the room, and say who invites, why, with which password, and what goes on in it', () => {
    chat.configure(alice, { passwordprotectedroom: '1', roomsecret: 'boil' });
    expect(
      say(bob, "<invite to='Mallory@foreign.example/x'><reason>Hey</reason><continue thread='t'/></invite>"),
    ).toEqual([
      `<message from='coven@chat.example' to='mallory@foreign.example'><x xmlns='http://jabber.org/protocol/muc#user'><invite from='bob@im.example'><reason>Hey</reason><continue thread='t'/></invite><password>boil</password></x></message>`,
    ]);
  });

  test('go to several at once, but not to any number', () => {
    expect(say(bob, "<invite to='a@x.example'/><invite to='b@x.example'/>")).toHaveLength(2);
    expect(say(bob, "<invite to='a@x.example'/>".repeat(11)).join()).toContain('policy-violation');
  });

  test.each([
    ['somebody who is not here', mallory, 'bob@im.example', 'not-acceptable'],
    ['an address that is none', bob, '@', 'jid-malformed'],
    ['a server', bob, 'foreign.example', 'jid-malformed'],
  ])('%s is refused', (_what, from, to, condition) => {
    expect(invite(from, to).join()).toContain(condition);
  });

  test('nobody who is banned is invited', () => {
    chat.administrate(alice, "jid='mallory@foreign.example' affiliation='outcast'");
    expect(invite(bob).join()).toContain('not-allowed');
  });

  test('in an open room the configuration says whether others than moderators invite', () => {
    chat.configure(alice, { allowinvites: '0' });
    expect(invite(bob).join()).toContain('forbidden');
    expect(invite(alice)).toHaveLength(1);
    chat.administrate(alice, "nick='Bob' role='moderator'");
    expect(invite(bob)).toHaveLength(1);
  });

  test('§9.5: in a members-only room whoever is invited becomes a member, and only members and admins invite', () => {
    chat.administrate(alice, "jid='bob@im.example' affiliation='member'");
    chat.configure(alice, { membersonly: '1' });
    expect(invite(bob)).toHaveLength(1);
    expect(chat.enter(mallory, 'M')[0]).toContain('member/participant');
    chat.configure(alice, { allowinvites: '0' });
    expect(invite(bob, 'carol@im.example').join()).toContain('forbidden');
    expect(invite(alice, 'carol@im.example')).toHaveLength(1);
  });

  test('do not make the lists longer than they may be', () => {
    chat = new RoomsOnTrial({ affiliations: 1 });
    chat.open(alice, 'Alice', { membersonly: '1' });
    expect(invite(alice).join()).toContain('resource-constraint');
  });

  test('into an open room change no list', () => {
    invite(bob);
    expect(chat.enter(mallory, 'M')[0]).toContain('none/participant');
  });
});

const decline = (from: string, to: string): readonly string[] =>
  say(from, `<decline to='${to}'><reason>busy</reason></decline>`);

describe('declining (XEP-0045 §7.8.2)', () => {
  test('whoever invited learns of it, once', () => {
    invite(bob);
    expect(decline(mallory, 'bob@im.example')).toEqual([
      `<message from='coven@chat.example' to='bob@im.example'><x xmlns='http://jabber.org/protocol/muc#user'><decline from='mallory@foreign.example'><reason>busy</reason></decline></x></message>`,
    ]);
    expect(decline(mallory, 'bob@im.example').join()).toContain('item-not-found');
  });

  test('without an invitation the room carries nothing to anybody', () => {
    expect(decline(mallory, 'bob@im.example').join()).toContain('item-not-found');
    invite(bob);
    expect(decline(mallory, 'alice@im.example').join()).toContain('item-not-found');
    expect(decline(mallory, '@').join()).toContain('jid-malformed');
  });
});
