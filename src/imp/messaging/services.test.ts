import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FakeSession, jid, MessagingServer } from '../../../test/support/messaging.ts';
import { element, writeElement } from '../../protocol/xml/write.ts';
import { BLOCKED_ADDRESSES } from './limits.ts';
import type { IqService } from './ports.ts';

let server: MessagingServer;

beforeEach(() => {
  server = new MessagingServer();
});

afterEach(() => {
  server[Symbol.dispose]();
});

function get(payload: string, to = ''): string {
  return `<iq type='get' id='q'${to === '' ? '' : ` to='${to}'`}>${payload}</iq>`;
}

function set(payload: string): string {
  return `<iq type='set' id='s'>${payload}</iq>`;
}

function subscribe(name: string, watcher: FakeSession, account: FakeSession): void {
  server.say(watcher, `<presence type='subscribe' to='${name}@here.lab'/>`);
  server.say(account, `<presence type='subscribed' to='${watcher.address.local}@here.lab'/>`);
  watcher.take();
  account.take();
}

test('a stanza that we fail to handle comes back with an error, and the session goes on: what was not kept is not taken for sent', () => {
  using broken = new MessagingServer({
    archive: {
      keep: () => {
        throw new Error('the disk is full');
      },
    },
  });
  const alice = broken.login('alice@here.lab/a');
  broken.say(alice, "<message to='bob@here.lab' type='chat' id='m'><body>Hi</body></message>");
  expect(alice.take()).toEqual([
    expect.stringMatching(/^<message type='error' id='m' from='bob@here.lab' .*<internal-server-error /),
  ]);
  expect(broken.notes).toContainEqual(expect.objectContaining({ note: 'bug', where: 'a stanza of a client' }));
});

describe('IQs (RFC 6120 §8.2.3, RFC 6121 §8.5)', () => {
  test.each([
    ['without an id', "<iq type='get'><ping xmlns='urn:xmpp:ping'/></iq>"],
    ['without a child', "<iq type='get' id='q'/>"],
    ['with two children', "<iq type='get' id='q'><ping xmlns='urn:xmpp:ping'/><ping xmlns='urn:xmpp:ping'/></iq>"],
    ['of a type that does not exist', "<iq type='ask' id='q'><ping xmlns='urn:xmpp:ping'/></iq>"],
  ])('one %s is refused, whoever sends it', (_, iq) => {
    const alice = server.login('alice@here.lab/a');
    server.say(alice, iq);
    for (const to of ['here.lab', 'alice@here.lab', 'alice@here.lab/a'])
      server.arrive(iq.replace('<iq', `<iq from='eve@there.lab/e' to='${to}'`));
    const answers = [...alice.take(), ...server.takeLeft()];
    expect(answers.length).toBe(4);
    for (const answer of answers) expect(answer).toContain('<bad-request ');
  });

  test('what nobody answers: service-unavailable, at the server, at the account, and elsewhere here', () => {
    const alice = server.login('alice@here.lab/a');
    for (const to of ['', 'here.lab', 'here.lab/x', 'bob@here.lab', 'bob@here.lab/b', 'nobody@here.lab'])
      server.say(alice, get("<query xmlns='urn:unknown'/>", to));
    const answers = alice.take();
    expect(answers.length).toBe(6);
    for (const answer of answers) expect(answer).toContain('<service-unavailable ');
  });

  test('§8.5.3.1: a request reaches a client that shares its presence with the asker, and no other', () => {
    const alice = server.login('alice@here.lab/a');
    const bob = server.login('bob@here.lab/b');
    server.say(alice, get("<query xmlns='jabber:iq:version'/>", 'bob@here.lab/b'));
    expect(bob.take()).toEqual([]);
    expect(alice.take()).toEqual([expect.stringContaining('<service-unavailable ')]);
    subscribe('bob', alice, bob);
    server.say(alice, get("<query xmlns='jabber:iq:version'/>", 'bob@here.lab/b'));
    expect(bob.take()).toEqual([
      "<iq type='get' id='q' from='alice@here.lab/a' to='bob@here.lab/b'><query xmlns='jabber:iq:version'/></iq>",
    ]);
    server.say(bob, "<iq type='result' id='q' to='alice@here.lab/a'/>");
    expect(alice.take()).toEqual(["<iq type='result' id='q' from='bob@here.lab/b' to='alice@here.lab/a'/>"]);
  });

  test('§8.5.3.1: an occupant of a room reaches a client that has entered it', () => {
    const alice = server.login('alice@here.lab/a');
    server.say(alice, "<presence to='room@there.lab/me'/>");
    const iq =
      "<iq type='get' id='q' from='room@there.lab/other' to='alice@here.lab/a'><vCard xmlns='vcard-temp'/></iq>";
    server.arrive(iq);
    expect(alice.take()).toEqual([iq]);
  });

  test('an address that is none is refused, and not repeated', () => {
    const alice = server.connect('alice@here.lab/a');
    server.say(alice, "<message to='@' id='m'><body>Hi</body></message>", "<message type='error' to='@'/>");
    expect(alice.take()).toEqual([
      "<message type='error' id='m' from='alice@here.lab' to='alice@here.lab/a'><error type='modify'><jid-malformed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
    ]);
  });

  test('what is no stanza ends the session', () => {
    const alice = server.connect('alice@here.lab/a');
    server.say(alice, "<x xmlns='urn:x'/>");
    expect(alice.condition).toBe('unsupported-stanza-type');
  });

  test('a service answers when it can; when it fails that is told, and the client gets an answer', async () => {
    const services = ['now', 'later', 'throws', 'rejects'].map(
      (name): IqService => ({
        namespace: `urn:${name}`,
        at: ['account'],
        features: [],
        answer: () => {
          if (name === 'throws') throw new Error('thrown');
          if (name === 'rejects') return Promise.reject(new Error('rejected'));
          const answer = { result: element('done', `urn:${name}`) };
          return name === 'later' ? Promise.resolve(answer) : answer;
        },
      }),
    );
    server[Symbol.dispose]();
    server = new MessagingServer({ services });
    const alice = server.connect('alice@here.lab/a');
    server.say(alice, ...services.map(({ namespace }) => get(`<x xmlns='${namespace}'/>`)));
    await Promise.resolve().then(() => undefined);
    expect(alice.take()).toEqual([
      expect.stringContaining("<done xmlns='urn:now'/>"),
      expect.stringContaining('<internal-server-error '),
      expect.stringContaining("<done xmlns='urn:later'/>"),
      expect.stringContaining('<internal-server-error '),
    ]);
    expect(server.notes).toMatchObject([
      { note: 'bug', where: 'the service for urn:throws' },
      { note: 'bug', where: 'the service for urn:rejects' },
    ]);
  });

  test('two services for one namespace are a fault of ours', () => {
    const service: IqService = {
      namespace: 'urn:xmpp:ping',
      at: ['server'],
      features: [],
      answer: () => ({ result: undefined }),
    };
    expect(() => new MessagingServer({ services: [service] })).toThrow('two services');
  });
});

const ask = (answers: (string | undefined)[]) => {
  server.requests.ask(jid('alice@here.lab'), jid('eve@there.lab/e'), 'get', element('query', 'urn:x'), (answer) =>
    answers.push(answer === undefined ? undefined : writeElement(answer, 'jabber:client')),
  );
  server.settle();
  return /id='([^']+)'/.exec(server.takeLeft()[0] ?? '')?.[1] ?? '';
};

const block = (address: string) => set(`<block xmlns='urn:xmpp:blocking'><item jid='${address}'/></block>`);
const unblock = (address: string) => block(address).replaceAll('block', 'unblock').replaceAll('unblocking', 'blocking');

describe('requests of the server', () => {
  test('an answer reaches who asked, once, and only from who was asked', () => {
    const answers: (string | undefined)[] = [];
    const id = ask(answers);
    const answer = `<iq type='result' id='${id}' from='eve@there.lab/e' to='alice@here.lab'/>`;
    server.arrive(
      answer.replace('eve', 'mallory'),
      answer.replace('alice', 'bob'),
      answer.replace(`'${id}'`, "'other'"),
    );
    expect(answers).toEqual([]);
    server.arrive(answer, answer);
    expect(answers).toEqual([answer]);
    server.pass(60_000);
    expect(answers.length).toBe(1);
  });

  test('nobody waits for ever', () => {
    const answers: (string | undefined)[] = [];
    ask(answers);
    server.pass(30_000);
    expect(answers).toEqual([undefined]);
  });

  test('are bounded', () => {
    const answers: (string | undefined)[] = [];
    for (let number = 0; number < 1_001; number++) ask(answers);
    expect(ask(answers)).toBe('');
    server.pass(0);
    expect(answers).toEqual([undefined, undefined]);
  });
});

describe('the server about itself', () => {
  test('service discovery (XEP-0030) lists what there is, and the rooms', () => {
    const alice = server.connect('alice@here.lab/a');
    server.say(
      alice,
      get("<query xmlns='http://jabber.org/protocol/disco#info'/>", 'here.lab'),
      get("<query xmlns='http://jabber.org/protocol/disco#items'/>", 'here.lab'),
      get("<query xmlns='http://jabber.org/protocol/disco#info' node='x'/>", 'here.lab'),
    );
    const [info, items, node] = alice.take();
    expect(info).toContain("<identity category='server' type='im' name='fedway'/>");
    expect([...(info ?? '').matchAll(/var='([^']+)'/g)].map((match) => match[1])).toEqual([
      'http://jabber.org/protocol/disco#info',
      'http://jabber.org/protocol/disco#items',
      'jabber:iq:last',
      'jabber:iq:version',
      'msgoffline',
      'urn:xmpp:blocking',
      'urn:xmpp:carbons:2',
      'urn:xmpp:ping',
      'urn:xmpp:time',
    ]);
    expect(items).toContain("<item jid='rooms.here.lab' name='Chat rooms'/>");
    expect(node).toContain('<item-not-found ');
  });

  test('an account tells of itself, with what its services are, to those who have its presence', () => {
    const service: IqService = {
      namespace: 'urn:pep',
      at: ['account'],
      features: ['urn:pep#publish'],
      identities: [{ category: 'pubsub', type: 'pep' }],
      answer: () => ({ result: undefined }),
    };
    server[Symbol.dispose]();
    server = new MessagingServer({ services: [service] });
    const alice = server.login('alice@here.lab/a');
    const bob = server.login('bob@here.lab/b');
    const question = get("<query xmlns='http://jabber.org/protocol/disco#info'/>", 'alice@here.lab');
    server.say(alice, question);
    expect(alice.take()).toEqual([
      expect.stringMatching(
        /<identity category='account' type='registered'\/><identity category='pubsub' type='pep'\/>.*<feature var='urn:pep#publish'\/>/,
      ),
    ]);
    server.say(bob, question, question.replace('alice', 'nobody'), question.replaceAll('info', 'items'));
    for (const answer of bob.take()) expect(answer).toContain('<service-unavailable ');
    subscribe('alice', bob, alice);
    server.say(bob, question, question.replaceAll('info', 'items'));
    expect(bob.take()).toEqual([
      expect.stringContaining("type='registered'"),
      expect.stringContaining("<query xmlns='http://jabber.org/protocol/disco#items'/>"),
    ]);
  });

  test('ping (XEP-0199), version (XEP-0092), time (XEP-0202), uptime (XEP-0012)', () => {
    const alice = server.connect('alice@here.lab/a');
    server.pass(61_500);
    server.say(
      alice,
      get("<ping xmlns='urn:xmpp:ping'/>", 'here.lab'),
      get("<ping xmlns='urn:xmpp:ping'/>"),
      get("<query xmlns='jabber:iq:version'/>", 'here.lab'),
      get("<time xmlns='urn:xmpp:time'/>", 'here.lab'),
      get("<query xmlns='jabber:iq:last'/>", 'here.lab'),
    );
    expect(alice.take()).toEqual([
      "<iq type='result' id='q' from='here.lab' to='alice@here.lab/a'/>",
      "<iq type='result' id='q' from='alice@here.lab' to='alice@here.lab/a'/>",
      expect.stringContaining('<name>fedway</name><version>1.2.3</version>'),
      expect.stringContaining('<tzo>+00:00</tzo><utc>2026-11-22T18:01:01.500Z</utc>'),
      expect.stringContaining("<query xmlns='jabber:iq:last' seconds='61'/>"),
    ]);
  });

  test('XEP-0012 §3: since when a contact is away, for who may know', () => {
    const alice = server.login('alice@here.lab/a');
    const bob = server.login('bob@here.lab/b');
    const question = get("<query xmlns='jabber:iq:last'/>", 'alice@here.lab');
    server.say(bob, question);
    expect(bob.take()).toEqual([expect.stringContaining('<service-unavailable ')]);
    subscribe('alice', bob, alice);
    server.say(bob, question);
    expect(bob.take()).toEqual([expect.stringContaining("seconds='0'")]);
    server.say(alice, "<presence type='unavailable'><status>Lunch</status></presence>");
    server.pass(90_000);
    bob.take();
    server.say(bob, question);
    expect(bob.take()).toEqual([expect.stringContaining("<query xmlns='jabber:iq:last' seconds='90'>Lunch</query>")]);
  });
});

describe('blocking (XEP-0191)', () => {
  const LIST = get("<blocklist xmlns='urn:xmpp:blocking'/>");

  test('§3.2, §3.3, §3.5: the list, and pushes to who has asked for it', () => {
    const one = server.connect('alice@here.lab/one');
    const two = server.connect('alice@here.lab/two');
    server.say(one, LIST, block('EVE@there.lab'));
    expect(one.take()).toEqual([
      expect.stringContaining("<blocklist xmlns='urn:xmpp:blocking'/>"),
      expect.stringMatching(
        /^<iq type='set' .*<block xmlns='urn:xmpp:blocking'><item jid='eve@there.lab'\/><\/block><\/iq>$/,
      ),
      expect.stringContaining("type='result' id='s'"),
    ]);
    server.say(one, set("<unblock xmlns='urn:xmpp:blocking'/>"), LIST);
    expect(one.take()).toEqual([
      expect.stringContaining("<unblock xmlns='urn:xmpp:blocking'/>"),
      expect.stringContaining("type='result'"),
      expect.stringContaining("<blocklist xmlns='urn:xmpp:blocking'/>"),
    ]);
    expect(two.take()).toEqual([]);
  });

  test.each([
    ['nobody', "<block xmlns='urn:xmpp:blocking'/>", 'bad-request'],
    ['no address', "<block xmlns='urn:xmpp:blocking'><item jid='@'/></block>", 'bad-request'],
    [
      'too many',
      `<block xmlns='urn:xmpp:blocking'>${Array.from({ length: BLOCKED_ADDRESSES + 1 }, (_, n) => `<item jid='u${n}@there.lab'/>`).join('')}</block>`,
      'resource-constraint',
    ],
  ])('to block %s is refused', (_, payload, condition) => {
    const alice = server.connect('alice@here.lab/a');
    server.say(alice, set(payload));
    expect(alice.take()).toEqual([expect.stringContaining(`<${condition} `)]);
  });

  test.each(['eve@there.lab/e', 'eve@there.lab', 'there.lab/e', 'there.lab'])(
    '§3.3: with %s blocked, nothing gets through either way, and nobody learns more than that',
    (address) => {
      const alice = server.login('alice@here.lab/a');
      server.say(alice, block(address));
      alice.take();
      const from = "from='eve@there.lab/e'";
      server.arrive(
        `<message ${from} to='alice@here.lab' type='chat'><body>Hi</body></message>`,
        `<iq ${from} to='alice@here.lab' type='get' id='q'><ping xmlns='urn:xmpp:ping'/></iq>`,
        `<iq ${from} to='alice@here.lab/a' type='result' id='q'/>`,
        `<presence ${from} to='alice@here.lab'/>`,
        `<presence ${from} to='alice@here.lab' type='subscribe'/>`,
        `<presence ${from} to='alice@here.lab' type='probe'/>`,
      );
      expect(alice.take()).toEqual([]);
      expect(server.takeLeft()).toEqual([
        expect.stringMatching(/^<message type='error'.*<service-unavailable /),
        expect.stringMatching(/^<iq type='error'.*<service-unavailable /),
      ]);
      server.say(
        alice,
        "<message to='eve@there.lab/e' type='chat'><body>Hi</body></message>",
        "<presence to='eve@there.lab/e'/>",
        "<iq to='eve@there.lab/e' type='get' id='q'><ping xmlns='urn:xmpp:ping'/></iq>",
        "<iq to='eve@there.lab/e' type='result' id='q'/>",
      );
      expect(server.takeLeft()).toEqual([]);
      const answers = alice.take();
      expect(answers.length).toBe(3);
      for (const answer of answers)
        expect(answer).toContain(
          "<error type='cancel'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><blocked xmlns='urn:xmpp:blocking:errors'/></error>",
        );
    },
  );

  test.each([
    ['eve@there.lab/other', 'another resource'],
    ['mallory@there.lab', 'another user'],
    ['sub.there.lab', 'another domain'],
  ])('with %s blocked, a user is not: it is %s', (address) => {
    const alice = server.login('alice@here.lab/a');
    server.say(alice, block(address));
    alice.take();
    server.arrive("<message from='eve@there.lab/e' to='alice@here.lab' type='chat'><body>Hi</body></message>");
    expect(alice.take().length).toBe(1);
  });

  test('§3.3, §3.5: a subscriber that is blocked sees the user leave, and come back when it is unblocked', () => {
    const alice = server.login('alice@here.lab/a');
    const bob = server.login('bob@here.lab/b');
    subscribe('alice', bob, alice);
    server.say(alice, block('bob@here.lab'));
    expect(bob.take()).toEqual(["<presence type='unavailable' from='alice@here.lab/a' to='bob@here.lab'/>"]);
    expect(server.messaging.mayWatch('alice', jid('bob@here.lab'))).toBe(false);
    expect(server.messaging.subscribersOf('alice')).toEqual([]);
    server.say(alice, '<presence><show>away</show></presence>');
    expect(bob.take()).toEqual([]);
    server.say(alice, unblock('bob@here.lab'));
    expect(bob.take()).toEqual(["<presence from='alice@here.lab/a' to='bob@here.lab'><show>away</show></presence>"]);
  });

  test('a room that is blocked sees the user leave', () => {
    const alice = server.login('alice@here.lab/a');
    server.say(alice, "<presence to='room@there.lab/me'/>");
    server.takeLeft();
    server.say(alice, block('room@there.lab'));
    expect(server.takeLeft()).toEqual([
      "<presence type='unavailable' from='alice@here.lab/a' to='room@there.lab/me'/>",
    ]);
    server.end(alice);
    expect(server.takeLeft()).toEqual([]);
  });

  test('the server and the own account cannot be blocked away', () => {
    const alice = server.login('alice@here.lab/a');
    server.say(
      alice,
      block('here.lab'),
      get("<ping xmlns='urn:xmpp:ping'/>", 'here.lab'),
      LIST.replace('<iq', "<iq to='alice@here.lab'"),
    );
    expect(alice.take().filter((answer) => answer.includes("type='error'"))).toEqual([]);
    const bob = server.login('bob@here.lab/b');
    server.say(bob, "<message to='alice@here.lab' type='chat'><body>Hi</body></message>");
    expect(bob.take()).toEqual([expect.stringContaining('<service-unavailable ')]);
  });
});
