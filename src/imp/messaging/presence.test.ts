import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FakeSession, jid, MessagingServer } from '../../../test/support/messaging.ts';
import { childOf, element } from '../../protocol/xml/write.ts';
import { DIRECTED } from './limits.ts';

let server: MessagingServer;

beforeEach(() => {
  server = new MessagingServer();
});

afterEach(() => {
  server[Symbol.dispose]();
});

/** Makes somebody elsewhere, `eve@there.lab`, a contact of alice in both directions. */
function befriendEve(session: FakeSession): void {
  server.arrive("<presence type='subscribe' from='eve@there.lab' to='alice@here.lab'/>");
  server.say(
    session,
    "<presence type='subscribed' to='eve@there.lab'/>",
    "<presence type='subscribe' to='eve@there.lab'/>",
  );
  server.arrive("<presence type='subscribed' from='eve@there.lab' to='alice@here.lab'/>");
  server.takeLeft();
  session.take();
}

describe('broadcast (RFC 6121 §4.2, §4.4, §4.5)', () => {
  test('§4.2.2, §4.3.1: initial presence goes to subscribers and own resources, and probes who is subscribed to; later presence only broadcasts', () => {
    const one = server.login('alice@here.lab/one');
    befriendEve(one);
    const two = server.connect('alice@here.lab/two');
    server.say(two, '<presence><show>away</show></presence>');
    expect(server.takeLeft()).toEqual([
      "<presence from='alice@here.lab/two' to='eve@there.lab'><show>away</show></presence>",
      "<presence type='probe' from='alice@here.lab/two' to='eve@there.lab'/>",
    ]);
    expect(two.take()).toEqual([
      "<presence from='alice@here.lab/two' to='alice@here.lab/two'><show>away</show></presence>",
      "<presence from='alice@here.lab/one' to='alice@here.lab/two'><priority>0</priority></presence>",
    ]);
    expect(one.take()).toEqual([
      "<presence from='alice@here.lab/two' to='alice@here.lab/one'><show>away</show></presence>",
    ]);
    server.say(two, '<presence/>');
    expect(server.takeLeft()).toEqual(["<presence from='alice@here.lab/two' to='eve@there.lab'/>"]);
  });

  test.each(['128', '-129', 'high', '1e1', ''])('§4.7.2.3: the priority "%s" is refused', (priority) => {
    const alice = server.connect('alice@here.lab/a');
    server.say(alice, `<presence><priority>${priority}</priority></presence>`);
    expect(alice.take()).toEqual([expect.stringContaining('<bad-request ')]);
    expect(server.messaging.sessionsOf('alice')).toEqual([]);
  });

  test.each(['-128', '127', ' +5 '])('§4.7.2.3: the priority "%s" is one', (priority) => {
    const alice = server.connect('alice@here.lab/a');
    server.say(alice, `<presence><priority>${priority}</priority></presence>`);
    expect(server.messaging.sessionsOf('alice')).toEqual([alice]);
  });

  test('§4.7.1, §4.3: a type that does not exist, and a probe of a client, are refused', () => {
    const alice = server.connect('alice@here.lab/a');
    server.say(alice, "<presence type='here'/>", "<presence type='probe' to='bob@here.lab'/>");
    expect(alice.take()).toEqual([expect.stringContaining('<bad-request '), expect.stringContaining('<not-allowed ')]);
  });

  test('§4.5.2: a session that ends without a word is unavailable for everybody, once', () => {
    const one = server.login('alice@here.lab/one');
    befriendEve(one);
    const two = server.login('alice@here.lab/two');
    server.takeLeft();
    one.take();
    server.end(two);
    expect(server.takeLeft()).toEqual(["<presence type='unavailable' from='alice@here.lab/two' to='eve@there.lab'/>"]);
    expect(one.take()).toEqual(["<presence type='unavailable' from='alice@here.lab/two' to='alice@here.lab/one'/>"]);
    server.say(one, "<presence type='unavailable'><status>Bye</status></presence>");
    expect(server.takeLeft()).toEqual([
      "<presence type='unavailable' from='alice@here.lab/one' to='eve@there.lab'><status>Bye</status></presence>",
    ]);
    server.end(one);
    expect(server.takeLeft()).toEqual([]);
  });

  test('§4.4.2: a contact that answers with an error gets no more presence, until it sends some', () => {
    const alice = server.login('alice@here.lab/a');
    befriendEve(alice);
    server.arrive(
      "<presence type='error' from='eve@there.lab' to='alice@here.lab/a'><error type='cancel'><remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>",
    );
    expect(alice.take()).toEqual([expect.stringContaining('remote-server-not-found')]);
    server.say(alice, '<presence/>');
    expect(server.takeLeft()).toEqual([]);
    server.arrive("<presence from='eve@there.lab/e' to='alice@here.lab'/>");
    server.say(alice, '<presence/>');
    expect(server.takeLeft()).toEqual(["<presence from='alice@here.lab/a' to='eve@there.lab'/>"]);
  });

  test('watchers change what leaves, hear of it after the broadcast, and can have it broadcast again', () => {
    let hash = 'one';
    const heard: string[] = [];
    server[Symbol.dispose]();
    server = new MessagingServer({
      watchers: [
        {
          outgoing: (_, presence) => {
            const rest = presence.children.filter((child) => child !== childOf(presence, 'x', 'urn:x'));
            return { ...presence, children: [...rest, element('x', 'urn:x', { hash })] };
          },
          available: ({ address }) => heard.push(`available ${address.resource}`),
          arrived: (account, from) => heard.push(`arrived ${account} ${from.resource}`),
        },
      ],
    });
    const alice = server.connect('alice@here.lab/a');
    server.say(alice, '<presence/>');
    expect(alice.take()).toEqual([
      "<presence from='alice@here.lab/a' to='alice@here.lab/a'><x xmlns='urn:x' hash='one'/></presence>",
    ]);
    hash = 'two';
    server.messaging.announce('alice');
    expect(alice.take()).toEqual([
      "<presence from='alice@here.lab/a' to='alice@here.lab/a'><x xmlns='urn:x' hash='two'/></presence>",
    ]);
    expect(heard).toEqual(['available a']);
    server.say(alice, "<presence to='room@rooms.there.lab/a'/>");
    expect(server.takeLeft()).toEqual([
      "<presence from='alice@here.lab/a' to='room@rooms.there.lab/a'><x xmlns='urn:x' hash='two'/></presence>",
    ]);
    server.arrive("<presence from='eve@there.lab/stranger' to='alice@here.lab'/>");
    befriendEve(alice);
    server.arrive("<presence from='eve@there.lab/friend' to='alice@here.lab'/>");
    expect(heard).toEqual(['available a', 'arrived alice friend']);
  });
});

describe('what arrives (RFC 6121 §4.2.3, §8.5)', () => {
  test('presence for the bare address goes to all available resources, whatever their priority, and to no other', () => {
    const there = server.login('alice@here.lab/there', -5);
    const connected = server.connect('alice@here.lab/connected');
    server.arrive("<presence from='eve@there.lab/e' to='alice@here.lab'/>");
    expect(there.take()).toEqual(["<presence from='eve@there.lab/e' to='alice@here.lab'/>"]);
    expect(connected.take()).toEqual([]);
  });

  test('presence for a full address goes there alone, as a room sends it to who has said nothing to others', () => {
    const other = server.login('alice@here.lab/other');
    const joined = server.connect('alice@here.lab/joined');
    server.arrive("<presence from='room@rooms.here.lab/nick' to='alice@here.lab/joined'/>");
    expect(joined.take().length).toBe(1);
    expect(other.take()).toEqual([]);
  });
});

describe('probes (RFC 6121 §4.3.2)', () => {
  const PROBE = "<presence type='probe' from='eve@there.lab' to='alice@here.lab'/>";

  test('who is not subscribed is told so, just as for an account that does not exist', () => {
    server.login('alice@here.lab/a');
    server.arrive(PROBE, PROBE.replace('alice', 'nobody'));
    const [one, other] = server.takeLeft();
    expect(one).toBe("<presence type='unsubscribed' from='alice@here.lab' to='eve@there.lab'/>");
    expect(other).toBe(one?.replace('alice', 'nobody'));
  });

  test('a subscriber gets the last presence of every available resource', () => {
    const one = server.login('alice@here.lab/one');
    befriendEve(one);
    server.login('alice@here.lab/two', -1);
    server.takeLeft();
    server.arrive(PROBE);
    expect(server.takeLeft()).toEqual([
      "<presence from='alice@here.lab/one' to='eve@there.lab'><priority>0</priority></presence>",
      "<presence from='alice@here.lab/two' to='eve@there.lab'><priority>-1</priority></presence>",
    ]);
    server.arrive(PROBE.replace("to='alice@here.lab'", "to='alice@here.lab/two'"));
    expect(server.takeLeft()).toEqual([
      "<presence from='alice@here.lab/two' to='eve@there.lab'><priority>-1</priority></presence>",
    ]);
  });

  test('a subscriber of somebody who is away learns since when, and the last words', () => {
    const alice = server.login('alice@here.lab/a');
    befriendEve(alice);
    server.say(alice, "<presence type='unavailable'><status>Holidays</status></presence>");
    server.takeLeft();
    server.pass(60_000);
    server.arrive(PROBE);
    expect(server.takeLeft()).toEqual([
      "<presence type='unavailable' from='alice@here.lab' to='eve@there.lab'><status>Holidays</status><delay xmlns='urn:xmpp:delay' from='here.lab' stamp='2026-11-22T18:00:00.000Z'/></presence>",
    ]);
  });
});

describe('directed presence (RFC 6121 §4.6)', () => {
  const JOIN = "<presence to='room@rooms.there.lab/nick'><x xmlns='http://jabber.org/protocol/muc'/></presence>";

  test('§4.6.3: who got it hears that the resource has left, though it has no subscription', () => {
    const alice = server.connect('alice@here.lab/a');
    server.say(alice, JOIN);
    server.takeLeft();
    server.end(alice);
    expect(server.takeLeft()).toEqual([
      "<presence type='unavailable' from='alice@here.lab/a' to='room@rooms.there.lab/nick'/>",
    ]);
  });

  test('§4.6.3: who was told already that the resource has left is not told again', () => {
    const alice = server.login('alice@here.lab/a');
    befriendEve(alice);
    server.say(
      alice,
      "<presence to='eve@there.lab/e'/>",
      JOIN,
      "<presence type='unavailable' to='room@rooms.there.lab/nick'/>",
    );
    server.takeLeft();
    server.end(alice);
    expect(server.takeLeft()).toEqual(["<presence type='unavailable' from='alice@here.lab/a' to='eve@there.lab'/>"]);
  });

  test('is bounded', () => {
    const alice = server.connect('alice@here.lab/a');
    for (let number = 0; number <= DIRECTED; number++) server.say(alice, `<presence to='u${number}@there.lab'/>`);
    expect(alice.take()).toEqual([expect.stringContaining('<resource-constraint ')]);
    expect(server.takeLeft().length).toBe(DIRECTED);
    server.say(alice, "<presence to='u0@there.lab'/>");
    expect(alice.take()).toEqual([]);
  });
});

test('who may watch: the account itself and its subscribers', () => {
  const alice = server.login('alice@here.lab/a');
  befriendEve(alice);
  expect(server.messaging.mayWatch('alice', jid('alice@here.lab/x'))).toBe(true);
  expect(server.messaging.mayWatch('alice', jid('eve@there.lab/x'))).toBe(true);
  expect(server.messaging.mayWatch('alice', jid('bob@here.lab'))).toBe(false);
  expect(server.messaging.subscribersOf('alice')).toEqual([jid('eve@there.lab')]);
});
