import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MessagingServer } from '../../../test/support/messaging.ts';
import { attributeOf, writeElement } from '../../protocol/xml/write.ts';

let server: MessagingServer;

beforeEach(() => {
  server = new MessagingServer();
});

afterEach(() => {
  server[Symbol.dispose]();
});

function messageTo(to: string, type: string): string {
  return `<message from='eve@there.lab/e' to='${to}' type='${type}' id='m'><body>Hi</body></message>`;
}

describe('a session that broke (XEP-0198 §4)', () => {
  const ENABLE = "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>";

  test('what it never got goes to the resource that is there now, with the time it came', () => {
    const one = server.login('alice@here.lab/one', 5);
    const two = server.login('alice@here.lab/two', 0);
    one.take();
    two.take();
    server.arrive(messageTo('alice@here.lab', 'chat'));
    server.pass(60_000);
    server.end(one, one.stanzas);
    expect(two.take().at(-1)).toContain(
      "<delay xmlns='urn:xmpp:delay' from='here.lab' stamp='2026-11-22T18:00:00.000Z'/>",
    );
    expect(server.archived.length).toBe(1);
    expect(server.notes).toEqual([{ note: 'messages-undelivered', account: 'alice', moved: 1, kept: 0, returned: 0 }]);
  });

  test('nothing comes twice to who had a copy; when that one breaks as well, the message is kept, once', () => {
    const one = server.login('alice@here.lab/one', 5);
    const two = server.login('alice@here.lab/two', 0);
    server.say(two, ENABLE);
    one.take();
    two.take();
    server.arrive(messageTo('alice@here.lab', 'chat'));
    server.end(one, one.stanzas);
    expect(two.stanzas.filter(({ name }) => name === 'message').length).toBe(1);
    server.end(two, two.stanzas);
    expect(server.kept.get('alice')?.map((message) => writeElement(message, 'jabber:client'))).toEqual([
      expect.stringMatching(
        /^<message from='eve@there.lab\/e' to='alice@here.lab' type='chat' id='m'><body>Hi<\/body>.*<delay [^>]*><\/message>$/,
      ),
    ]);
  });

  test('what was kept and never arrived is kept again', () => {
    server.arrive(messageTo('alice@here.lab', 'chat'));
    const alice = server.connect('alice@here.lab/a');
    server.say(alice, '<presence/>');
    expect(server.kept.size).toBe(0);
    server.end(alice, alice.stanzas);
    expect(server.kept.get('alice')?.length).toBe(1);
  });

  test('a room hears that its occupant is gone, and who asked hears that nobody answers', () => {
    const alice = server.login('alice@here.lab/a');
    server.say(alice, "<presence to='room@there.lab/nick'/>");
    server.takeLeft();
    server.arrive(
      messageTo('alice@here.lab/a', 'groupchat'),
      "<iq type='get' id='q' from='room@there.lab/other' to='alice@here.lab/a'><query xmlns='jabber:iq:version'/></iq>",
    );
    server.end(alice, alice.stanzas);
    expect(server.takeLeft()).toEqual([
      expect.stringContaining("<presence type='unavailable'"),
      expect.stringMatching(/^<message type='error'.*<recipient-unavailable /),
      expect.stringMatching(/^<iq type='error' id='q'.*<service-unavailable /),
    ]);
  });

  test('presence, headlines, copies of what was sent and pushes end with the session', () => {
    const one = server.login('alice@here.lab/one');
    const two = server.login('alice@here.lab/two');
    server.say(two, ENABLE, "<iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>");
    two.take();
    server.say(
      one,
      "<message to='eve@there.lab' type='chat'><body>Hi</body></message>",
      "<presence type='subscribe' to='eve@there.lab'/>",
    );
    server.arrive(messageTo('alice@here.lab', 'headline'), "<presence from='eve@there.lab/e' to='alice@here.lab'/>");
    one.take();
    server.takeLeft();
    expect(two.stanzas.map(({ name, attributes }) => `${name} ${attributeOf({ attributes }, 'type')}`)).toEqual([
      'message chat',
      'iq set',
      'message headline',
      'presence undefined',
    ]);
    server.end(two, two.stanzas);
    expect(one.take()).toEqual([expect.stringContaining("<presence type='unavailable'")]);
    expect([...server.takeLeft(), ...server.kept]).toEqual([]);
  });

  test('a session that ends while it is sent to has lost nothing that others are about to have', () => {
    const one = server.login('alice@here.lab/one', 5);
    const two = server.login('alice@here.lab/two', 5);
    two.take();
    const send = one.send.bind(one);
    one.send = (stanza) => {
      send(stanza);
      server.messaging.ended(one, [stanza]);
    };
    server.arrive(messageTo('alice@here.lab', 'chat'));
    expect(two.take().filter((stanza) => stanza.startsWith('<message')).length).toBe(1);
  });
});
