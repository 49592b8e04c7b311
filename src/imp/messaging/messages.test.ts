import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FakeSession, MessagingServer } from '../../../test/support/messaging.ts';
import { writeElement } from '../../protocol/xml/write.ts';

let server: MessagingServer;

beforeEach(() => {
  server = new MessagingServer();
});

afterEach(() => {
  server[Symbol.dispose]();
});

const ERROR = "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";

function messageTo(to: string, type: string, inside = '<body>Hi</body>'): string {
  return `<message from='eve@there.lab/e' to='${to}' type='${type}' id='m'>${inside}</message>`;
}

/** Who has the message, by resource; where else it went. */
function outcome(sessions: readonly FakeSession[]): string {
  const readers = sessions.filter((session) => session.take().length > 0).map(({ address }) => address.resource);
  if (readers.length > 0) return readers.join(' ');
  if (server.kept.size > 0) return 'kept';
  const [answer] = server.takeLeft();
  return answer === undefined ? 'ignored' : answer.includes('<service-unavailable ') ? 'returned' : answer;
}

/** The table of RFC 6121 §8.5.4: resources with their priorities, then the address, then the course of each type. */
const TABLE: readonly (readonly [
  string,
  Readonly<Record<string, number>>,
  string,
  Readonly<Record<string, string>>,
])[] = [
  [
    'no such account, bare',
    {},
    'nobody@here.lab',
    { normal: 'returned', chat: 'returned', groupchat: 'returned', headline: 'ignored' },
  ],
  [
    'no such account, full',
    {},
    'nobody@here.lab/x',
    { normal: 'returned', chat: 'returned', groupchat: 'returned', headline: 'ignored' },
  ],
  [
    'nobody there, bare',
    {},
    'alice@here.lab',
    { normal: 'kept', chat: 'kept', groupchat: 'returned', headline: 'ignored' },
  ],
  [
    'nobody there, full',
    {},
    'alice@here.lab/x',
    { normal: 'returned', chat: 'kept', groupchat: 'returned', headline: 'ignored' },
  ],
  [
    'negative, bare',
    { a: -1 },
    'alice@here.lab',
    { normal: 'kept', chat: 'kept', groupchat: 'returned', headline: 'ignored' },
  ],
  ['negative, full match', { a: -1 }, 'alice@here.lab/a', { normal: 'a', chat: 'a', groupchat: 'a', headline: 'a' }],
  [
    'negative, full without match',
    { a: -1 },
    'alice@here.lab/x',
    { normal: 'returned', chat: 'kept', groupchat: 'returned', headline: 'ignored' },
  ],
  ['one, bare', { a: 0 }, 'alice@here.lab', { normal: 'a', chat: 'a', groupchat: 'returned', headline: 'a' }],
  ['one, full match', { a: 0 }, 'alice@here.lab/a', { normal: 'a', chat: 'a', groupchat: 'a', headline: 'a' }],
  [
    'one, full without match',
    { a: 0 },
    'alice@here.lab/x',
    { normal: 'returned', chat: 'a', groupchat: 'returned', headline: 'ignored' },
  ],
  [
    'several, bare',
    { a: 1, b: 5, c: 5, d: -1 },
    'alice@here.lab',
    { normal: 'b c', chat: 'b c', groupchat: 'returned', headline: 'a b c' },
  ],
  [
    'several, full match',
    { a: 1, b: 5, c: 5, d: -1 },
    'alice@here.lab/a',
    { normal: 'a', chat: 'a', groupchat: 'a', headline: 'a' },
  ],
  [
    'several, full without match',
    { a: 1, b: 5, c: 5, d: -1 },
    'alice@here.lab/x',
    { normal: 'returned', chat: 'b c', groupchat: 'returned', headline: 'ignored' },
  ],
];

describe('RFC 6121 §8.5.4', () => {
  test.each(
    TABLE.flatMap(([name, resources, to, courses]) =>
      Object.entries(courses).map(([type, course]) => ({ name, resources, to, type, course })),
    ),
  )('$name, $type: $course', ({ resources, to, type, course }) => {
    const sessions = Object.entries(resources).map(([name, priority]) =>
      server.login(`alice@here.lab/${name}`, priority),
    );
    server.takeLeft();
    for (const session of sessions) session.take();
    server.arrive(messageTo(to, type));
    expect(outcome(sessions)).toBe(course);
  });

  test.each([{}, { a: 0 }, { a: -1 }])(
    'an error for nobody in particular is ignored, with resources %o',
    (resources) => {
      const sessions = Object.entries(resources).map(([name, priority]) =>
        server.login(`alice@here.lab/${name}`, priority),
      );
      for (const to of ['alice@here.lab', 'alice@here.lab/x', 'nobody@here.lab', 'here.lab'])
        server.arrive(messageTo(to, 'error', ERROR));
      expect(outcome(sessions)).toBe('ignored');
    },
  );

  test('an error for a resource that is there reaches it', () => {
    const alice = server.login('alice@here.lab/a');
    server.arrive(messageTo('alice@here.lab/a', 'error', ERROR));
    expect(outcome([alice])).toBe('a');
  });

  test('a type that nobody knows is normal (§5.2.2)', () => {
    server.arrive(messageTo('alice@here.lab', 'urgent'));
    expect(outcome([])).toBe('kept');
  });

  test.each([
    ['chat', "<composing xmlns='http://jabber.org/protocol/chatstates'/>"],
    ['chat', "<body>Hi</body><no-store xmlns='urn:xmpp:hints'/>"],
    ['normal', "<x xmlns='urn:x'/>"],
    ['headline', '<body>Hi</body>'],
  ])('§11.3: what nobody keeps tells nothing of who exists: %s with %s', (type, inside) => {
    const [nobody, somebody] = ['nobody', 'alice'].map((name) => {
      server.arrive(messageTo(`${name}@here.lab`, type, inside));
      return server.takeLeft().map((answer) => answer.replace(name, 'x'));
    });
    expect(nobody).toEqual(somebody);
    expect(server.kept.size).toBe(0);
  });

  test('a message for the server itself comes back', () => {
    server.arrive(messageTo('here.lab', 'chat'));
    expect(outcome([])).toBe('returned');
  });
});

describe('messages for later (XEP-0160)', () => {
  test.each([
    ['a body', '<body>Hi</body>', 'kept'],
    ['what a hint wants stored (XEP-0334 §4.4)', "<x xmlns='urn:x'/><store xmlns='urn:xmpp:hints'/>", 'kept'],
    ['an invitation', "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='bob@here.lab'/></x>", 'kept'],
    ['typing', "<composing xmlns='http://jabber.org/protocol/chatstates'/>", 'ignored'],
    ['what must not be stored (XEP-0334 §4.3)', "<body>Hi</body><no-store xmlns='urn:xmpp:hints'/>", 'returned'],
  ])('%s', (_, inside, course) => {
    server.arrive(messageTo('alice@here.lab', 'chat', inside));
    expect(outcome([])).toBe(course);
  });

  test('come with the first presence that is not negative, once', () => {
    server.arrive(messageTo('alice@here.lab', 'chat'));
    const alice = server.login('alice@here.lab/a', -1);
    expect(server.kept.size).toBe(1);
    server.say(alice, '<presence/>');
    expect(alice.take()).toEqual([expect.any(String), expect.stringContaining('<body>Hi</body>')]);
    server.say(alice, '<presence/>');
    expect(alice.take().length).toBe(1);
  });

  test('that there is no room for come back', () => {
    server.room = 0;
    server.arrive(messageTo('alice@here.lab', 'chat'));
    expect(outcome([])).toBe('returned');
  });
});

describe('ids (XEP-0359)', () => {
  test('§5: one that somebody else gave in the name of the account is taken off, that of another stays', () => {
    const alice = server.login('alice@here.lab/a');
    server.arrive(
      messageTo(
        'alice@here.lab',
        'chat',
        "<body>Hi</body><stanza-id xmlns='urn:xmpp:sid:0' by='ALICE@here.lab' id='forged'/><stanza-id xmlns='urn:xmpp:sid:0' by='room@there.lab' id='theirs'/>",
      ),
    );
    const [message] = alice.take();
    expect(message).not.toContain('forged');
    expect(message).toContain("by='room@there.lab' id='theirs'");
    expect(message).toContain("<stanza-id xmlns='urn:xmpp:sid:0' by='alice@here.lab' id='archived1'/>");
  });

  test('a time that somebody gives in the name of this server is not taken for its own (XEP-0203 §2), not even while the message waits', () => {
    const forged = "<delay xmlns='urn:xmpp:delay' from='HERE.lab' stamp='2001-01-01T00:00:00Z'/>";
    const theirs = "<delay xmlns='urn:xmpp:delay' from='there.lab' stamp='2002-01-01T00:00:00Z'/>";
    server.arrive(messageTo('alice@here.lab', 'chat', `<body>Hi</body>${forged}${theirs}`));
    const [kept] = server.kept.get('alice') ?? [];
    const alice = server.login('alice@here.lab/a');
    server.arrive(messageTo('alice@here.lab', 'chat', `<body>Hi</body>${forged}${theirs}`));
    for (const message of [kept === undefined ? '' : writeElement(kept, 'jabber:client'), ...alice.take()]) {
      expect(message).not.toContain('2001-');
      expect(message).toContain(theirs);
    }
  });

  test('the sender and the receiver each have their own, which stay in the house of each', () => {
    const alice = server.login('alice@here.lab/a');
    const bob = server.login('bob@here.lab/b');
    server.say(alice, "<message to='bob@here.lab' type='chat'><body>Hi</body></message>");
    expect(server.archived).toEqual(['alice out bob@here.lab', 'bob in alice@here.lab/a']);
    expect(bob.take()).toEqual([
      "<message type='chat' from='alice@here.lab/a' to='bob@here.lab'><body>Hi</body><stanza-id xmlns='urn:xmpp:sid:0' by='bob@here.lab' id='archived2'/></message>",
    ]);
  });

  test('what comes back is not archived as received', () => {
    server.arrive(messageTo('alice@here.lab/gone', 'normal'));
    expect(server.archived).toEqual([]);
  });
});

describe('carbons (XEP-0280)', () => {
  const ENABLE = "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>";

  /** Resources `x` and `y` have carbons, `z` has none; `x` has the highest priority. */
  function three(): readonly [FakeSession, FakeSession, FakeSession] {
    const [x, y, z] = [
      server.login('alice@here.lab/x', 5),
      server.login('alice@here.lab/y', -1),
      server.login('alice@here.lab/z', 0),
    ];
    server.say(x, ENABLE);
    server.say(y, ENABLE);
    for (const session of [x, y, z]) session.take();
    return [x, y, z];
  }

  test('§7: what one resource received, the others with carbons get as a copy with its id', () => {
    const [x, y, z] = three();
    server.arrive(messageTo('alice@here.lab', 'chat'));
    expect(x.take()).toEqual([expect.stringMatching(/^<message from='eve@there.lab\/e'/)]);
    expect(y.take()).toEqual([
      "<message type='chat' from='alice@here.lab' to='alice@here.lab/y'><received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='eve@there.lab/e' to='alice@here.lab' type='chat' id='m'><body>Hi</body><stanza-id xmlns='urn:xmpp:sid:0' by='alice@here.lab' id='archived1'/></message></forwarded></received></message>",
    ]);
    expect(z.take()).toEqual([]);
  });

  test('§8: what one resource sent, the others with carbons get as a copy, and the receiver once', () => {
    const [x, y, z] = three();
    const bob = server.login('bob@here.lab/b');
    server.say(x, "<message to='bob@here.lab' type='chat'><body>Hi</body></message>");
    expect(y.take()).toEqual([
      "<message type='chat' from='alice@here.lab' to='alice@here.lab/y'><sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' type='chat' from='alice@here.lab/x' to='bob@here.lab'><body>Hi</body><stanza-id xmlns='urn:xmpp:sid:0' by='alice@here.lab' id='archived1'/></message></forwarded></sent></message>",
    ]);
    expect([...x.take(), ...z.take()]).toEqual([]);
    expect(bob.take().length).toBe(1);
  });

  test.each([
    ['chat without a body', 'chat', "<received xmlns='urn:xmpp:receipts' id='1'/>", true],
    ['normal with a body', 'normal', '<body>Hi</body>', true],
    ['normal without a body', 'normal', "<x xmlns='urn:x'/>", false],
    ['headline', 'headline', '<body>Hi</body>', false],
    ['groupchat', 'groupchat', '<body>Hi</body>', false],
    ['error', 'error', ERROR, false],
    ['what is private (§9)', 'chat', "<body>Hi</body><private xmlns='urn:xmpp:carbons:2'/>", false],
    ['what is not to be copied (XEP-0334 §4.2)', 'chat', "<body>Hi</body><no-copy xmlns='urn:xmpp:hints'/>", false],
    [
      'an invitation to a room',
      'normal',
      "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='bob@here.lab'/></x>",
      true,
    ],
    ['a private message of a room', 'chat', "<body>Hi</body><x xmlns='http://jabber.org/protocol/muc#user'/>", false],
  ])('§6.1: %s', (_, type, inside, isCopied) => {
    const [x, y] = three();
    server.arrive(messageTo('alice@here.lab/x', type, inside));
    const [message] = x.take();
    expect(message).toContain(`type='${type}'`);
    expect(message).not.toContain('<private ');
    expect(y.take().length).toBe(isCopied ? 1 : 0);
  });

  test('§6.1: a private message into a room is copied to the other clients', () => {
    const [x, y] = three();
    server.say(
      x,
      "<message to='room@there.lab/nick' type='chat'><body>Hi</body><x xmlns='http://jabber.org/protocol/muc#user'/></message>",
    );
    expect(y.take().length).toBe(1);
  });

  test('a message to oneself comes to each resource once, with one id', () => {
    const [x, y, z] = three();
    server.say(z, "<message to='alice@here.lab' type='chat'><body>Note</body></message>");
    for (const session of [x, y]) {
      const messages = session.take();
      expect(messages.length).toBe(1);
      expect(messages[0]?.match(/<stanza-id /g)?.length).toBe(1);
    }
    expect(z.take()).toEqual([]);
    expect(server.archived).toEqual(['alice out alice@here.lab']);
  });

  test('§5: disabled, they stop', () => {
    const [, y] = three();
    server.say(y, ENABLE.replace('enable', 'disable'));
    y.take();
    server.arrive(messageTo('alice@here.lab', 'chat'));
    expect(y.take()).toEqual([]);
  });

  test('what waits for later is not copied as well: the one that gets the copy now would get it again', () => {
    const y = server.login('alice@here.lab/y', -1);
    server.say(y, ENABLE);
    y.take();
    server.arrive(messageTo('alice@here.lab', 'chat'));
    expect(outcome([y])).toBe('kept');
  });
});
