import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { jid, MessagingServer } from '../../../test/support/messaging.ts';
import { ITEM_GROUPS, REQUESTS, ROSTER_ITEMS } from './limits.ts';

let server: MessagingServer;

beforeEach(() => {
  server = new MessagingServer();
});

afterEach(() => {
  server[Symbol.dispose]();
});

const GET = "<iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>";

function setOf(item: string): string {
  return `<iq type='set' id='s'><query xmlns='jabber:iq:roster'>${item}</query></iq>`;
}

/** What stands behind the version in a push. */
const pushOf = (item: string): unknown =>
  expect.stringMatching(new RegExp(`<query xmlns='jabber:iq:roster' ver='id\\d+'>${item}</query></iq>$`));

describe('a roster (RFC 6121 §2)', () => {
  test('is empty at first', () => {
    const alice = server.connect('alice@here.lab/a');
    server.say(alice, GET);
    expect(alice.take()).toEqual([
      "<iq type='result' id='g' from='alice@here.lab' to='alice@here.lab/a'><query xmlns='jabber:iq:roster'/></iq>",
    ]);
  });

  test('a change is pushed to the resources that asked for the roster, and to no other', () => {
    const one = server.connect('alice@here.lab/one');
    const two = server.connect('alice@here.lab/two');
    server.say(one, GET);
    one.take();
    server.say(two, setOf("<item jid='Bob@HERE.lab' name='Bob'><group>Friends</group></item>"));
    expect(one.take()).toEqual([
      pushOf("<item jid='bob@here.lab' name='Bob' subscription='none'><group>Friends</group></item>"),
    ]);
    expect(two.take()).toEqual(["<iq type='result' id='s' from='alice@here.lab' to='alice@here.lab/two'/>"]);
    expect(server.messaging.isContact('alice', jid('bob@here.lab'))).toBe(true);
  });

  test('§2.6: with the version it has, a client gets nothing but a result; with another one, the roster and its version', () => {
    const alice = server.connect('alice@here.lab/a');
    server.say(alice, setOf("<item jid='bob@here.lab'/>"), GET.replace('/>', " ver=''/>"));
    const version = /ver='([^']+)'/.exec(alice.take().at(-1) ?? '')?.[1];
    server.say(alice, GET.replace('/>', ` ver='${version}'/>`));
    expect(alice.take()).toEqual(["<iq type='result' id='g' from='alice@here.lab' to='alice@here.lab/a'/>"]);
    server.say(alice, setOf("<item jid='bob@here.lab' name='B'/>"));
    alice.take();
    server.say(alice, GET.replace('/>', ` ver='${version}'/>`));
    expect(alice.take()[0]).toContain("name='B'");
  });

  test.each([
    ['no item', '', 'bad-request'],
    ['two items', "<item jid='bob@here.lab'/><item jid='carol@here.lab'/>", 'bad-request'],
    ['no address', "<item jid='@'/>", 'bad-request'],
    ['a full address', "<item jid='bob@here.lab/x'/>", 'bad-request'],
    ['the own address', "<item jid='alice@here.lab'/>", 'not-allowed'],
    ['a group twice', "<item jid='bob@here.lab'><group>a</group><group>a</group></item>", 'bad-request'],
    ['a group without a name', "<item jid='bob@here.lab'><group/></item>", 'not-acceptable'],
    ['too long a group', `<item jid='bob@here.lab'><group>${'x'.repeat(1024)}</group></item>`, 'not-acceptable'],
    [
      'too many groups',
      `<item jid='bob@here.lab'>${Array.from({ length: ITEM_GROUPS + 1 }, (_, n) => `<group>${n}</group>`).join('')}</item>`,
      'not-acceptable',
    ],
    ['too long a name', `<item jid='bob@here.lab' name='${'ä'.repeat(512)}'/>`, 'not-acceptable'],
    ['somebody to remove who is not there', "<item jid='bob@here.lab' subscription='remove'/>", 'item-not-found'],
  ])('§2.3.3, §2.5.3: %s is refused, and nothing changes', (_, item, condition) => {
    const alice = server.connect('alice@here.lab/a');
    server.say(alice, setOf(item));
    expect(alice.take()).toEqual([expect.stringContaining(`<${condition} `)]);
    server.say(alice, GET);
    expect(alice.take()).toEqual([expect.stringContaining("<query xmlns='jabber:iq:roster'/>")]);
  });

  test('§2.2, §11.3: belongs to its owner; for others there might be nobody', () => {
    const bob = server.connect('bob@here.lab/b');
    for (const name of ['alice', 'nobody'])
      server.say(bob, GET.replace('<iq', `<iq to='${name}@here.lab'`).replace("id='g'", "id='same'"));
    const [one, other] = bob.take();
    expect(one).toContain('<service-unavailable ');
    expect(one?.replace('alice', 'nobody')).toBe(other);
  });

  test('a full one refuses more, which is told once for a storm of it', () => {
    const alice = server.connect('alice@here.lab/a');
    const add = server.database.sql.prepare(
      "INSERT INTO roster_items VALUES ('alice', ?, NULL, '[]', 'none', 0, 0, 1, NULL)",
    );
    for (let number = 0; number < ROSTER_ITEMS; number++) add.run(`u${number}@there.lab`);
    server.say(alice, setOf("<item jid='one@more.lab'/>"), setOf("<item jid='two@more.lab'/>"));
    server.say(alice, "<presence type='subscribe' to='three@more.lab'/>");
    for (const answer of alice.take()) expect(answer).toContain('<resource-constraint ');
    expect(server.notes).toEqual([{ note: 'roster-full', account: 'alice', what: 'items', limit: ROSTER_ITEMS }]);
    server.say(alice, setOf("<item jid='u1@there.lab' name='is there'/>"));
    expect(alice.take()[0]).toContain("type='result'");
    server.pass(10 * 60_000);
    server.say(alice, setOf("<item jid='one@more.lab'/>"));
    expect(server.notes.length).toBe(2);
  });
});

describe('subscriptions (RFC 6121 §3)', () => {
  test('a request, its approval, and the presence that follows', () => {
    const alice = server.login('alice@here.lab/a');
    const bob = server.login('bob@here.lab/b');
    server.say(alice, GET);
    server.say(bob, GET);
    alice.take();
    bob.take();
    server.say(alice, "<presence type='subscribe' to='bob@here.lab/anything'><status>Hello</status></presence>");
    expect(alice.take()).toEqual([pushOf("<item jid='bob@here.lab' subscription='none' ask='subscribe'/>")]);
    expect(bob.take()).toEqual([
      "<presence type='subscribe' from='alice@here.lab' to='bob@here.lab'><status>Hello</status></presence>",
    ]);
    server.say(bob, "<presence type='subscribed' to='alice@here.lab'/>");
    expect(bob.take()).toEqual([pushOf("<item jid='alice@here.lab' subscription='from'/>")]);
    expect(alice.take()).toEqual([
      pushOf("<item jid='bob@here.lab' subscription='to'/>"),
      "<presence type='subscribed' from='bob@here.lab' to='alice@here.lab'/>",
      "<presence from='bob@here.lab/b' to='alice@here.lab'><priority>0</priority></presence>",
    ]);
    server.say(bob, "<presence type='unsubscribed' to='alice@here.lab'/>");
    expect(alice.take()).toEqual([
      "<presence type='unavailable' from='bob@here.lab/b' to='alice@here.lab'/>",
      pushOf("<item jid='bob@here.lab' subscription='none'/>"),
      "<presence type='unsubscribed' from='bob@here.lab' to='alice@here.lab'/>",
    ]);
  });

  test('§3.1.3: a request waits for whoever is not there, at every login until it is answered, and is in no roster', () => {
    server.arrive(
      "<presence type='subscribe' from='eve@there.lab/x' to='alice@here.lab'><status>Hi</status></presence>",
    );
    for (let login = 0; login < 2; login++) {
      const alice = server.connect('alice@here.lab/a');
      server.say(alice, GET, '<presence/>');
      expect(alice.take()).toEqual([
        expect.stringContaining("<query xmlns='jabber:iq:roster'/>"),
        "<presence from='alice@here.lab/a' to='alice@here.lab/a'/>",
        "<presence type='subscribe' from='eve@there.lab' to='alice@here.lab'><status>Hi</status></presence>",
      ]);
      server.end(alice);
    }
    const alice = server.login('alice@here.lab/a');
    server.say(alice, "<presence type='unsubscribed' to='eve@there.lab'/>");
    expect(server.takeLeft().at(-1)).toBe("<presence type='unsubscribed' from='alice@here.lab' to='eve@there.lab'/>");
    server.end(alice);
    const again = server.connect('alice@here.lab/a');
    server.say(again, '<presence/>');
    expect(again.take()).toEqual(["<presence from='alice@here.lab/a' to='alice@here.lab/a'/>"]);
  });

  test('§3.4: who is approved before asking is told so by the server', () => {
    const alice = server.login('alice@here.lab/a');
    server.say(alice, GET, "<presence type='subscribed' to='eve@there.lab'/>");
    expect(alice.take()[1]).toEqual(pushOf("<item jid='eve@there.lab' subscription='none' approved='true'/>"));
    expect(server.takeLeft()).toEqual([]);
    server.arrive("<presence type='subscribe' from='eve@there.lab' to='alice@here.lab'/>");
    expect(alice.take()).toEqual([pushOf("<item jid='eve@there.lab' subscription='from'/>")]);
    expect(server.takeLeft()).toEqual([
      "<presence type='subscribed' from='alice@here.lab' to='eve@there.lab'/>",
      "<presence from='alice@here.lab/a' to='eve@there.lab'><priority>0</priority></presence>",
    ]);
  });

  test('§2.5.2: removing an item ends the subscriptions both ways', () => {
    const alice = server.login('alice@here.lab/a');
    server.arrive("<presence type='subscribe' from='eve@there.lab' to='alice@here.lab'/>");
    server.say(
      alice,
      "<presence type='subscribed' to='eve@there.lab'/>",
      "<presence type='subscribe' to='eve@there.lab'/>",
    );
    server.takeLeft();
    server.say(alice, setOf("<item jid='eve@there.lab' subscription='remove'/>"));
    expect(server.takeLeft()).toEqual([
      "<presence type='unsubscribe' from='alice@here.lab' to='eve@there.lab'/>",
      "<presence type='unavailable' from='alice@here.lab/a' to='eve@there.lab'/>",
      "<presence type='unsubscribed' from='alice@here.lab' to='eve@there.lab'/>",
    ]);
    expect(server.messaging.isContact('alice', jid('eve@there.lab'))).toBe(false);
  });

  test('requests of strangers are bounded, and the flood is told once', () => {
    for (let number = 0; number < REQUESTS + 50; number++)
      server.arrive(`<presence type='subscribe' from='u${number}@there.lab' to='alice@here.lab'/>`);
    const alice = server.connect('alice@here.lab/a');
    server.say(alice, '<presence/>');
    expect(alice.take().filter((stanza) => stanza.includes("type='subscribe'")).length).toBe(REQUESTS);
    expect(server.notes).toEqual([{ note: 'roster-full', account: 'alice', what: 'requests', limit: REQUESTS }]);
  });

  test('a request that is too long is kept without what is inside', () => {
    server.arrive(
      `<presence type='subscribe' from='eve@there.lab' to='alice@here.lab'><status>${'x'.repeat(5_000)}</status></presence>`,
    );
    const alice = server.connect('alice@here.lab/a');
    server.say(alice, '<presence/>');
    expect(alice.take()[1]).toBe("<presence type='subscribe' from='eve@there.lab' to='alice@here.lab'/>");
  });

  test('§8.5.3.2.2: an approval for a resource that is not there is for nobody', () => {
    const alice = server.login('alice@here.lab/a');
    server.say(alice, "<presence type='subscribe' to='eve@there.lab'/>");
    server.arrive("<presence type='subscribed' from='eve@there.lab' to='alice@here.lab/gone'/>");
    expect(rowsOf('alice')).toEqual([{ contact: 'eve@there.lab', subscription: 'none', ask: 1 }]);
    server.arrive("<presence type='subscribed' from='eve@there.lab' to='alice@here.lab'/>");
    expect(rowsOf('alice')).toEqual([{ contact: 'eve@there.lab', subscription: 'to', ask: 0 }]);
  });

  test('to oneself and to nobody in particular there is none', () => {
    const alice = server.login('alice@here.lab/a');
    server.say(alice, "<presence type='subscribe' to='alice@here.lab'/>", "<presence type='subscribe'/>");
    expect(alice.take()).toEqual([expect.stringContaining('<not-allowed '), expect.stringContaining('<bad-request ')]);
  });

  test('an account that is removed leaves nobody subscribed, and nothing behind', () => {
    const alice = server.login('alice@here.lab/a');
    server.say(alice, "<presence type='subscribe' to='eve@there.lab'/>");
    server.arrive("<presence type='subscribe' from='mallory@there.lab' to='alice@here.lab'/>");
    server.takeLeft();
    server.end(alice);
    server.messaging.forget('alice');
    server.settle();
    expect(server.takeLeft()).toEqual([
      "<presence type='unsubscribe' from='alice@here.lab' to='eve@there.lab'/>",
      "<presence type='unsubscribed' from='alice@here.lab' to='mallory@there.lab'/>",
    ]);
    for (const table of ['roster_items', 'roster_versions', 'blocked', 'last_seen'])
      expect(server.database.sql.prepare(`SELECT count(*) AS rows FROM ${table}`).get()).toEqual({ rows: 0 });
  });

  test('the rosters of two users agree, whatever they do', () => {
    const act = fc.record({
      who: fc.constantFrom('alice', 'bob'),
      what: fc.constantFrom('subscribe', 'subscribed', 'unsubscribe', 'unsubscribed', 'remove', 'add', 'leave'),
    });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 25 }), (acts) => {
        using server = new MessagingServer();
        const sessions = { alice: server.login('alice@here.lab/a'), bob: server.login('bob@here.lab/b') };
        for (const { who, what } of acts) {
          const name = who === 'alice' ? 'alice' : 'bob';
          const other = who === 'alice' ? 'bob' : 'alice';
          if (what === 'leave') {
            server.end(sessions[name]);
            sessions[name] = server.login(`${name}@here.lab/again`);
          } else if (what === 'remove')
            server.say(sessions[name], setOf(`<item jid='${other}@here.lab' subscription='remove'/>`));
          else if (what === 'add') server.say(sessions[name], setOf(`<item jid='${other}@here.lab' name='x'/>`));
          else server.say(sessions[name], `<presence type='${what}' to='${other}@here.lab'/>`);
        }
        const [one, other] = [halvesOf(server, 'alice'), halvesOf(server, 'bob')];
        expect(one.to).toBe(other.from);
        expect(one.from).toBe(other.to);
        // Who is subscribed has the presence of the other, who is not has none.
        expect(server.messaging.mayWatch('alice', jid('bob@here.lab'))).toBe(other.to === 'subscribed');
      }),
      { numRuns: 60 },
    );
  });
});

function rowsOf(account: string) {
  return server.database.sql
    .prepare('SELECT contact, subscription, ask FROM roster_items WHERE account = ?')
    .all(account)
    .map((row) => ({ ...row }));
}

function halvesOf({ database }: MessagingServer, account: string) {
  const row = database.sql.prepare('SELECT * FROM roster_items WHERE account = ?').get(account) ?? {};
  const subscription = String(row['subscription']);
  return {
    to: ['to', 'both'].includes(subscription) ? 'subscribed' : row['ask'] === 1 ? 'pending' : 'none',
    from: ['from', 'both'].includes(subscription)
      ? 'subscribed'
      : typeof row['request'] === 'string'
        ? 'pending'
        : 'none',
  };
}
