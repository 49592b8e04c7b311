import { beforeEach, describe, expect, test } from 'vitest';
import { text } from '../../../test/support/imp-accounts.ts';
import { COVEN, RoomsOnTrial } from '../../../test/support/imp-rooms.ts';

const alice = 'alice@im.example/phone';
const bob = 'bob@im.example/desk';
const carol = 'carol@im.example/home';
const mallory = 'mallory@foreign.example/x';
let chat: RoomsOnTrial;

beforeEach(() => {
  chat = new RoomsOnTrial();
  chat.open(alice, 'Alice');
  chat.enter(bob, 'Bob');
  chat.enter(mallory, 'M');
});

function listed(from: string, item: string): string {
  const [answer] = chat.say(
    `<iq type='get' id='l' from='${from}' to='${COVEN}'><query xmlns='http://jabber.org/protocol/muc#admin'><item ${item}/></query></iq>`,
  );
  return answer === undefined ? '' : text(answer.element);
}

describe('roles (XEP-0045 §8)', () => {
  test('§8.2: who is kicked is told first, then the moderator, then the others; with reason and actor', () => {
    const sent = chat.say(
      `<iq type='set' id='k' from='${alice}' to='${COVEN}'><query xmlns='http://jabber.org/protocol/muc#admin'><item nick='M' role='none'><reason>Avaunt!</reason></item></query></iq>`,
    );
    expect(sent.map(({ element }) => text(element))).toEqual([
      expect.stringMatching(
        /^<presence from='coven@chat.example\/M' to='mallory@foreign.example\/x' type='unavailable'><x [^>]*><item affiliation='none' role='none' jid='mallory@foreign.example\/x'><actor nick='Alice' jid='alice@im.example'\/><reason>Avaunt!<\/reason><\/item><status code='307'\/><status code='110'\/><\/x>/,
      ),
      `<iq from='coven@chat.example' to='${alice}' id='k' type='result'/>`,
      expect.stringContaining(`to='${alice}' type='unavailable'`),
      // Bob, who is no moderator, does not learn who M or the moderator really is.
      expect.stringMatching(
        /to='bob@im.example\/desk' type='unavailable'><x [^>]*><item affiliation='none' role='none'><actor nick='Alice'\/>/,
      ),
    ]);
    expect(chat.groupchat(mallory, 'x')).toEqual([`${mallory} <- - message error not-acceptable`]);
    expect(chat.enter(mallory, 'M').length).toBeGreaterThan(1);
  });

  test('§8.3, §8.4, §9.6, §9.7: voice and moderation are given and taken, and everybody is told', () => {
    expect(chat.administrate(alice, "nick='Bob' role='moderator'")).toEqual([
      `${alice} <- - iq result`,
      `${alice} <- Bob available none/moderator (${bob})`,
      `${bob} <- Bob available none/moderator (${bob}) 110`,
      `${mallory} <- Bob available none/moderator`,
    ]);
    expect(chat.administrate(bob, "nick='M' role='visitor'")).toContain(
      `${mallory} <- M available none/visitor (${mallory}) 110`,
    );
    expect(chat.administrate(bob, "nick='M' role='participant'")).toContain(
      `${bob} <- M available none/participant (${mallory})`,
    );
    expect(chat.administrate(alice, "nick='Bob' role='participant'")).toContain(
      `${bob} <- Bob available none/participant (${bob}) 110`,
    );
  });

  test('who may not is refused, and nothing happens', () => {
    expect(chat.administrate(bob, "nick='M' role='none'")).toEqual([`${bob} <- - iq error forbidden`]);
    chat.administrate(alice, "nick='Bob' role='moderator'");
    expect(chat.administrate(bob, "nick='Alice' role='none'")).toEqual([`${bob} <- - iq error not-allowed`]);
    expect(chat.administrate(bob, "nick='M' role='none'", "nick='Alice' role='visitor'")).toEqual([
      `${bob} <- - iq error not-allowed`,
    ]);
    expect(chat.groupchat(mallory, 'still here')).toHaveLength(3);
  });

  test.each([
    ["nick='M'", 'bad-request'],
    ["nick='M' role='none' affiliation='outcast'", 'bad-request'],
    ["nick='M' role='king'", 'bad-request'],
    ["role='none'", 'bad-request'],
    ["nick='Nobody' role='none'", 'item-not-found'],
    ["jid='m@x.example' affiliation='king'", 'bad-request'],
    ["affiliation='member'", 'jid-malformed'],
    ["jid='@@' affiliation='member'", 'jid-malformed'],
    ["jid='foreign.example' affiliation='owner'", 'not-acceptable'],
  ])('§17.4: an item %s is answered with %s', (item, condition) => {
    expect(chat.administrate(alice, item)).toEqual([`${alice} <- - iq error ${condition}`]);
  });

  test('a request without items, and one with too many, is refused', () => {
    expect(chat.administrate(alice)).toEqual([`${alice} <- - iq error bad-request`]);
    const many = Array.from({ length: 201 }, (_, number) => `jid='u${number}@x.example' affiliation='member'`);
    expect(chat.administrate(alice, ...many)).toEqual([`${alice} <- - iq error policy-violation`]);
  });

  test('§8.5, §9.8: the lists of roles', () => {
    expect(listed(alice, "role='participant'")).toMatch(
      /<item affiliation='none' role='participant' nick='Bob' jid='bob@im.example\/desk'\/><item affiliation='none' role='participant' nick='M' /,
    );
    expect(listed(alice, "role='moderator'")).toContain("nick='Alice'");
    expect(listed(bob, "role='participant'")).toContain('forbidden');
    expect(listed(alice, "role='king'")).toContain('bad-request');
  });
});

describe('affiliations (XEP-0045 §9, §10.3 to §10.8)', () => {
  test('§9.1: who is banned is out with all clients, and stays out', () => {
    chat.enter('mallory@foreign.example/y', 'M');
    expect(chat.administrate(alice, "jid='mallory@foreign.example/x' affiliation='outcast'")).toEqual([
      `${mallory} <- M unavailable outcast/none (${mallory}) 301 110`,
      `mallory@foreign.example/y <- M unavailable outcast/none (mallory@foreign.example/y) 301 110`,
      `${alice} <- - iq result`,
      `${alice} <- M unavailable outcast/none (mallory@foreign.example/y) 301`,
      `${bob} <- M unavailable outcast/none 301`,
    ]);
    expect(chat.enter(mallory, 'M')).toEqual([`${mallory} <- M presence error forbidden`]);
    expect(listed(alice, "affiliation='outcast'")).toContain(
      "<item affiliation='outcast' jid='mallory@foreign.example'/>",
    );
    chat.administrate(alice, "jid='mallory@foreign.example' affiliation='none'");
    expect(chat.enter(mallory, 'M')).toContain(`${mallory} <- M available none/participant (${mallory}) 110`);
  });

  test('§9.2: a domain is banned with all its users, but for those who are on a list themselves', () => {
    chat.administrate(alice, "jid='trent@foreign.example' affiliation='member'");
    expect(chat.administrate(alice, "jid='foreign.example' affiliation='outcast'")[0]).toContain('301');
    expect(chat.enter('other@foreign.example/x', 'O')).toEqual([
      'other@foreign.example/x <- O presence error forbidden',
    ]);
    expect(chat.enter('trent@foreign.example/x', 'T')[0]).toContain('member/participant');
  });

  test('an occupant can be banned by nickname', () => {
    expect(chat.administrate(alice, "nick='M' affiliation='outcast'")[0]).toContain('301');
    expect(listed(alice, "affiliation='outcast'")).toContain("jid='mallory@foreign.example'");
  });

  test('§9.1, §10.4: nobody bans himself, and the last owner stays one, whatever a request is made of', () => {
    expect(chat.administrate(alice, "jid='alice@im.example' affiliation='outcast'")).toEqual([
      `${alice} <- - iq error conflict`,
    ]);
    expect(chat.administrate(alice, "jid='alice@im.example' affiliation='admin'")).toEqual([
      `${alice} <- - iq error conflict`,
    ]);
    chat.administrate(alice, "jid='bob@im.example' affiliation='owner'");
    expect(
      chat.administrate(alice, "jid='bob@im.example' affiliation='none'", "jid='alice@im.example' affiliation='none'"),
    ).toEqual([`${alice} <- - iq error conflict`]);
    expect(chat.administrate(alice, "jid='alice@im.example' affiliation='none'")).toContain(
      `${alice} <- Alice available none/participant (${alice}) 110`,
    );
    expect(chat.administrate(bob, "jid='bob@im.example' affiliation='member'")).toEqual([
      `${bob} <- - iq error conflict`,
    ]);
  });

  test('§9.3, §10.6: with an affiliation comes its role, and everybody is told', () => {
    expect(chat.administrate(alice, "jid='bob@im.example' affiliation='admin'")).toEqual([
      `${alice} <- - iq result`,
      `${alice} <- Bob available admin/moderator (${bob})`,
      `${bob} <- Bob available admin/moderator (${bob}) 110`,
      `${mallory} <- Bob available admin/moderator`,
    ]);
    expect(chat.administrate(bob, "jid='mallory@foreign.example' affiliation='member'")).toContain(
      `${bob} <- M available member/participant (${mallory})`,
    );
    expect(chat.administrate(bob, "jid='carol@im.example' affiliation='admin'")).toEqual([
      `${bob} <- - iq error forbidden`,
    ]);
    expect(chat.administrate(bob, "jid='alice@im.example' affiliation='outcast'")).toEqual([
      `${bob} <- - iq error not-allowed`,
    ]);
  });

  test('§9.4: in a members-only room the end of a membership is the end of the visit (321)', () => {
    chat.configure(alice, { membersonly: '1' });
    chat.administrate(alice, "jid='bob@im.example' affiliation='member'");
    chat.enter(bob, 'Bob');
    expect(chat.administrate(alice, "jid='bob@im.example' affiliation='none'")).toEqual([
      `${bob} <- Bob unavailable none/none (${bob}) 321 110`,
      `${alice} <- - iq result`,
      `${alice} <- Bob unavailable none/none (${bob}) 321`,
    ]);
  });

  test('§9.5: a new member of a members-only room who is not there is invited, with the password', () => {
    chat.configure(alice, { membersonly: '1', passwordprotectedroom: '1', roomsecret: 'boil' });
    const sent = chat.say(
      `<iq type='set' id='a' from='${alice}' to='${COVEN}'><query xmlns='http://jabber.org/protocol/muc#admin'><item jid='carol@im.example' affiliation='member'/></query></iq>`,
    );
    expect(sent.map(({ element }) => text(element)).at(-1)).toBe(
      `<message from='coven@chat.example' to='carol@im.example'><x xmlns='http://jabber.org/protocol/muc#user'><invite from='alice@im.example'/><password>boil</password></x></message>`,
    );
    expect(chat.enter(carol, 'Carol', '<password>boil</password>')[0]).toContain('member/participant');
  });

  test('§9.5: members see the list of members where everybody is known, and nobody else does', () => {
    chat.administrate(alice, "jid='bob@im.example' affiliation='member'");
    expect(listed(bob, "affiliation='member'")).toContain('forbidden');
    chat.configure(alice, { whois: 'anyone' });
    expect(listed(bob, "affiliation='member'")).toContain("jid='bob@im.example'");
    expect(listed(mallory, "affiliation='member'")).toContain('forbidden');
    expect(listed(bob, "affiliation='outcast'")).toContain('forbidden');
  });

  test('the lists have an end', () => {
    chat = new RoomsOnTrial({ affiliations: 2 });
    chat.open(alice, 'Alice');
    expect(
      chat.administrate(alice, "jid='a@x.example' affiliation='member'", "jid='a@x.example' affiliation='outcast'"),
    ).toEqual([`${alice} <- - iq result`]);
    expect(chat.administrate(alice, "jid='b@x.example' affiliation='member'")).toEqual([
      `${alice} <- - iq error resource-constraint`,
    ]);
    expect(chat.administrate(alice, "jid='a@x.example' affiliation='member'")).toEqual([`${alice} <- - iq result`]);
  });
});

const request = (from: string, ...fields: readonly string[]): readonly string[] => {
  const inside = fields.map((field) => {
    const [name = '', value = ''] = field.split('=');
    return `<field var='${name}'><value>${value}</value></field>`;
  });
  return chat
    .say(
      `<message from='${from}' to='${COVEN}'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#request</value></field>${inside.join('')}</x></message>`,
    )
    .map(({ element }) => text(element));
};

describe('voice requests (XEP-0045 §7.13, §8.6)', () => {
  const granted = ['muc#role=participant', `muc#jid=${bob}`, 'muc#roomnick=Bob', 'muc#request_allow=true'];

  test('a visitor asks, the moderators are asked, and the answer of one counts', () => {
    chat.administrate(alice, "nick='Bob' role='visitor'");
    const asked = request(bob, 'muc#role=participant');
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatch(
      /to='alice@im.example\/phone'.*muc#jid.*bob@im.example\/desk.*muc#roomnick.*Bob.*muc#request_allow/,
    );
    expect(request(mallory, ...granted).join()).toContain('forbidden');
    expect(request(alice, ...granted.with(3, 'muc#request_allow=false'))).toEqual([]);
    expect(request(alice, ...granted.with(1, `muc#jid=${mallory}`))).toEqual([]);
    expect(request(alice, ...granted)).toHaveLength(3);
    expect(chat.groupchat(bob, 'at last')).toHaveLength(3);
    expect(request(alice, ...granted)).toEqual([]);
  });

  test('only visitors ask, and only in the room', () => {
    expect(request(bob, 'muc#role=participant').join()).toContain('bad-request');
    expect(request(carol, 'muc#role=participant').join()).toContain('not-acceptable');
  });
});
