import { describe, expect, test } from 'vitest';
import { UNAUTHENTICATED_LIMITS } from '../../src/protocol/xml/limits.ts';
import { parseElement } from '../../src/protocol/xml/parse.ts';
import { type Client, ClientWorld, chat } from './client-world.ts';
import { auth, header, SASL, STARTTLS, saslFailure, streamError } from './xml.ts';

const BALCONY = 'juliet@example.com/balcony';
const PING = "<iq type='get' id='1' to='example.com'><ping xmlns='urn:xmpp:ping'/></iq>";

describe('the header', () => {
  test.each([
    ['another domain', header({ to: 'example.net', xmlns: 'jabber:client' }), 'host-unknown'],
    ['no domain', header({ xmlns: 'jabber:client' }), 'host-unknown'],
    ['the namespace of servers', header({ to: 'example.com' }), 'invalid-namespace'],
    ['no version', header({ to: 'example.com', xmlns: 'jabber:client', version: '' }), 'unsupported-version'],
    ['a malformed sender', header({ from: 'a@b@c', to: 'example.com', xmlns: 'jabber:client' }), 'improper-addressing'],
    ['a malformed domain', header({ to: 'a b', xmlns: 'jabber:client' }), 'improper-addressing'],
  ])('with %s ends the stream', (_what, xml, condition) => {
    const client = new ClientWorld().connect();
    expect(streamError(client.say(xml))).toBe(condition);
    expect(client.side.ended).toMatchObject({ by: 'us', condition });
  });

  test('that never comes ends the connection without a word', () => {
    const world = new ClientWorld();
    const client = world.connect();
    world.clock.advance(20_000);
    expect(client.raw.received).toBe('');
    expect(client.side.ended).toMatchObject({ by: 'timeout' });
  });

  test('that is due after authentication may not be left out', () => {
    const client = new ClientWorld().connect();
    client.open();
    client.scram('juliet', 'pencil');
    expect(streamError(client.say(PING))).toBe('invalid-namespace');
  });

  test('that is late after authentication is told', () => {
    const world = new ClientWorld();
    const client = world.connect();
    client.open();
    client.scram('juliet', 'pencil');
    world.clock.advance(20_000);
    expect(streamError(client.raw.hear())).toBe('connection-timeout');
  });

  test('from a user is answered to that user, and must be the one that authenticates', () => {
    const world = new ClientWorld();
    const [juliet, romeo] = ['juliet', 'romeo'].map((name) => {
      const client = world.connect();
      client.say(header({ from: 'Juliet@example.com/x', to: 'example.com', xmlns: 'jabber:client' }));
      client.scram(name, world.passwords.get(name) ?? '');
      return client.say(header({ from: 'juliet@example.com', to: 'example.com', xmlns: 'jabber:client' }));
    });
    expect(juliet).toContain("to='juliet@example.com'");
    expect(streamError(romeo ?? '')).toBe('invalid-from');
  });

  test('the features have nothing but STARTTLS before TLS, and no STARTTLS where TLS is there from the start', () => {
    const world = new ClientWorld();
    expect(world.connect('plain').open()).toContain(
      "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>",
    );
    expect(world.connect('direct').open()).not.toContain('starttls');
  });
});

describe('before authentication', () => {
  test('SASL before TLS is refused, and the password is not looked at', () => {
    const world = new ClientWorld();
    const client = world.connect('plain');
    client.open();
    expect(saslFailure(client.say(auth('\0juliet\0pencil', 'PLAIN')))).toBe('encryption-required');
  });

  test('T-04: white space behind <starttls/> is overlooked; what is more ends the connection', () => {
    const world = new ClientWorld();
    const [patient, hasty] = ['\n', `\n${header({ to: 'example.com', xmlns: 'jabber:client' })}`].map((more) => {
      const client = world.connect('plain');
      client.open();
      expect(client.say(STARTTLS + more)).toBe("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
      return client;
    });
    expect(patient?.side.ended).toBeUndefined();
    expect(hasty?.side.ended).toMatchObject({ by: 'network', stage: 'tls' });
  });

  test('STARTTLS where it was not offered ends the stream', () => {
    const client = new ClientWorld().connect();
    client.open();
    expect(client.say(STARTTLS)).toContain("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>");
  });

  test('plaintext behind STARTTLS ends the connection', () => {
    const client = new ClientWorld().connect('plain');
    client.open();
    client.say(STARTTLS + auth('\0juliet\0pencil', 'PLAIN'));
    expect(client.side.ended).toMatchObject({ by: 'network', stage: 'tls' });
  });

  test.each([
    ['a stanza', PING, 'not-authorized'],
    ['a message', "<message to='romeo@example.com'/>", 'not-authorized'],
    ['stream management', "<enable xmlns='urn:xmpp:sm:3'/>", 'not-authorized'],
    ['resumption', "<resume xmlns='urn:xmpp:sm:3' previd='x' h='0'/>", 'not-authorized'],
    ['an unknown element', "<what xmlns='urn:x'/>", 'unsupported-stanza-type'],
    ['compression', "<compress xmlns='http://jabber.org/protocol/compress'/>", 'unsupported-stanza-type'],
  ])('%s ends the stream', (_what, xml, condition) => {
    const world = new ClientWorld();
    const client = world.connect();
    client.open();
    expect(streamError(client.say(xml))).toBe(condition);
    expect(world.told).toEqual([]);
  });

  test('an element may be small only', () => {
    const client = new ClientWorld().connect();
    client.open();
    const long = 'A'.repeat(UNAUTHENTICATED_LIMITS.element);
    expect(streamError(client.say(`<auth ${SASL} mechanism='PLAIN'>${long}`))).toBe('policy-violation');
  });

  test('the negotiation has to come to an end', () => {
    const world = new ClientWorld();
    const client = world.connect();
    client.open();
    world.clock.advance(60_000);
    expect(streamError(client.raw.hear())).toBe('connection-timeout');
  });
});

describe('resource binding', () => {
  test('a resource is prepared, and the owner hears of the session after the client does', () => {
    const world = new ClientWorld();
    const client = world.connect();
    client.authenticate();
    expect(client.bind('balcony')).toContain(`<jid>${BALCONY}</jid>`);
    expect(world.told).toEqual([`opened ${BALCONY}`]);
  });

  test('without a resource one is made', () => {
    const world = new ClientWorld();
    const client = world.connect();
    client.authenticate();
    expect(client.bind()).toContain('<jid>juliet@example.com/generated-1</jid>');
  });

  test('what is no resource is a bad request, and another can be bound', () => {
    const world = new ClientWorld();
    const client = world.connect();
    client.authenticate();
    expect(client.bind('a&#x200B;b')).toContain('<bad-request ');
    expect(client.bind('balcony')).toContain(`<jid>${BALCONY}</jid>`);
  });

  test.each([
    PING,
    '<presence/>',
    "<message to='romeo@example.com'/>",
    "<iq type='set' id='x'><bind xmlns='urn:x'/></iq>",
  ])('%s before it ends the stream', (xml) => {
    const world = new ClientWorld();
    const client = world.connect();
    client.authenticate();
    expect(streamError(client.say(xml))).toBe('not-authorized');
    expect(world.told).toEqual([]);
  });

  test('there is one resource for each stream', () => {
    const world = new ClientWorld();
    const client = world.login();
    expect(client.bind('orchard')).toContain('<not-allowed ');
    expect(world.told).toEqual([`opened ${BALCONY}`]);
  });

  test('the newer of two clients with the same resource has it', () => {
    const world = new ClientWorld();
    const older = world.login();
    const newer = world.login();
    expect(streamError(older.raw.hear())).toBe('conflict');
    expect(world.told).toEqual([`opened ${BALCONY}`, `ended ${BALCONY}`, `opened ${BALCONY}`]);
    expect(newer.side.ended).toBeUndefined();
  });

  test('an account has so many sessions; one whose client is away makes room for a new one', () => {
    const world = new ClientWorld();
    const [first] = ['a', 'b', 'c'].map((resource) => world.login('juliet', resource));
    const fourth = world.connect();
    fourth.authenticate();
    expect(fourth.bind('d')).toContain('<resource-constraint ');
    first?.enable();
    first?.breakOff();
    expect(fourth.bind('d')).toContain('<jid>juliet@example.com/d</jid>');
    expect(world.told).toContain('ended juliet@example.com/a');
    expect(world.login('romeo', 'garden').side.ended).toBeUndefined();
  });

  test('the session request of old clients is answered and means nothing', () => {
    const world = new ClientWorld();
    const client = world.login();
    const session = "<iq type='set' id='s'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>";
    expect(client.say(session)).toBe("<iq type='result' id='s'/>");
    expect(world.told).toEqual([`opened ${BALCONY}`]);
  });
});

describe('stanzas', () => {
  test.each([
    ['its full address', `from='${BALCONY}'`],
    ['its bare address', "from='juliet@example.com'"],
    ['its address in other letters', "from='Juliet@EXAMPLE.com/balcony'"],
    ['no address', ''],
  ])('a client may write %s as sender', (_what, from) => {
    const world = new ClientWorld();
    world.login().say(`<message ${from} to='romeo@example.com'/>`);
    expect(world.told).toHaveLength(2);
  });

  test.each([
    'romeo@example.com',
    'juliet@example.com/orchard',
    'example.com',
    'juliet@example.net/balcony',
    '',
    'a@b@c',
  ])('as %j it may not write', (from) => {
    const world = new ClientWorld();
    const client = world.login();
    expect(streamError(client.say(`<message from='${from}' to='romeo@example.com'/>`))).toBe('invalid-from');
    expect(world.told).toEqual([`opened ${BALCONY}`, `ended ${BALCONY}`]);
  });

  test.each([
    "<iq type='get' id='1'/>",
    "<iq type='get'><ping xmlns='urn:xmpp:ping'/></iq>",
    "<iq type='take' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
    "<iq type='set' id='1'><a xmlns='urn:a'/><b xmlns='urn:b'/></iq>",
    "<presence type='here'/>",
  ])('%s is a bad request, and the stream goes on', (xml) => {
    const world = new ClientWorld();
    const client = world.login();
    expect(client.say(xml)).toContain('<bad-request ');
    expect(client.side.ended).toBeUndefined();
    expect(world.told).toHaveLength(1);
  });

  test('an answer that makes no sense is not answered', () => {
    const world = new ClientWorld();
    const client = world.login();
    expect(client.say("<iq type='result' id='1'><a xmlns='urn:a'/><b xmlns='urn:b'/></iq>")).toBe('');
    expect(world.told).toHaveLength(1);
  });

  test('a stanza without a language has that of its stream', () => {
    const world = new ClientWorld();
    const client = world.connect();
    client.open();
    client.scram('juliet', 'pencil');
    client.say(header({ to: 'example.com', xmlns: 'jabber:client', lang: 'it' }));
    client.bind('balcony');
    client.say("<message to='romeo@example.com'><body>ciao</body></message>");
    client.say("<message to='romeo@example.com' xml:lang='en'><body>hello</body></message>");
    expect(world.told[1]).toContain("xml:lang='it'");
    expect(world.told[2]).toContain("xml:lang='en'");
  });

  test('a stanza over the limit ends the stream', () => {
    const client = new ClientWorld().login();
    const heard = client.say(`<message to='romeo@example.com'><body>${'a'.repeat(262_144)}</body></message>`);
    expect(streamError(heard)).toBe('policy-violation');
    expect(heard).toContain('<stanza-too-big ');
  });

  test('what the owner sends while it handles a stanza arrives behind what was sent before', () => {
    const world = new ClientWorld();
    const client = world.login();
    world.onStanza = (session, stanza) => {
      session.send({ ...stanza, attributes: [] });
    };
    const heard = client.say(`<message><body>1</body></message><iq type='x' id='2'/><message><body>3</body></message>`);
    expect(heard).toMatch(/<body>1<.*bad-request.*<body>3</s);
  });

  test('the owner may end a session while it handles a stanza: what follows is not looked at', () => {
    const world = new ClientWorld();
    const client = world.login();
    world.onStanza = (session) => session.end('policy-violation', 'Enough.');
    expect(streamError(client.say('<message/><message/>'))).toBe('policy-violation');
    expect(world.told).toHaveLength(3);
  });
});

describe('the end', () => {
  test('a client that closes in good order is answered, and its session is over', () => {
    const world = new ClientWorld();
    const client = world.login();
    client.enable();
    expect(client.say('</stream:stream>')).toBe('</stream:stream>');
    expect(world.told.at(-1)).toBe(`ended ${BALCONY}`);
  });

  test('a node that stops tells everybody, and what nobody acknowledged is undelivered', () => {
    const world = new ClientWorld();
    const client = world.login();
    client.enable();
    world.session(BALCONY).send(chat('late'));
    client.side.handle({ type: 'close', why: 'shutdown' });
    expect(streamError(client.raw.hear())).toBe('system-shutdown');
    expect(world.undelivered).toEqual([chat('late')]);
  });

  test('without stream management a session ends with its connection, and nothing is known of what was sent', () => {
    const world = new ClientWorld();
    const client = world.login();
    world.session(BALCONY).send(chat('hello'));
    client.breakOff();
    expect(world.told).toEqual([`opened ${BALCONY}`, `ended ${BALCONY}`]);
    expect(world.undelivered).toEqual([]);
  });

  test('what is sent to a session that is over goes nowhere', () => {
    const world = new ClientWorld();
    const client: Client = world.login();
    const session = world.session(BALCONY);
    client.breakOff();
    session.send(chat('too late'));
    session.end('conflict', 'twice');
    expect(world.told).toHaveLength(2);
  });
});

test('a stanza with text that XML cannot express does not break the stream', () => {
  const world = new ClientWorld();
  const client = world.login();
  const odd = parseElement("<message xmlns='jabber:client'><body>x</body></message>");
  world.session(BALCONY).send({ ...odd, children: ['\u0000<&'] });
  expect(client.raw.hear()).toContain('<message>\uFFFD&lt;&amp;</message>');
});

test('a client that is told to rest is read no further, and what it has sent meanwhile comes in order once it goes on', () => {
  const world = new ClientWorld();
  const client = world.login();
  let more = 2;
  world.mayRead = () => {
    more -= 1;
    return more >= 0;
  };
  const said = ['1', '2', '3', '4'].map((body) => `<message><body>${body}</body></message>`);
  client.say(said.slice(0, 3).join(''));
  client.say(said[3] ?? '');
  const bodies = () => world.told.flatMap((each) => /<body>(.)</.exec(each)?.[1] ?? []);
  expect(bodies()).toEqual(['1', '2']);
  more = 1;
  client.side.handle({ type: 'go-on' });
  expect(bodies()).toEqual(['1', '2', '3']);
  more = 9;
  client.side.handle({ type: 'go-on' });
  expect(bodies()).toEqual(['1', '2', '3', '4']);
});
