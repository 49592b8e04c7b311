import { describe, expect, test } from 'vitest';
import { componentHandshake } from '../../src/net/keys/component-keys.ts';
import { RawSide } from './pair.ts';
import { acceptingComponent, connectingComponent, World } from './world.ts';
import { message, streamError } from './xml.ts';

const SECRET = 'a secret for components';

function componentHeader(to: string, xmlns = 'jabber:component:accept'): string {
  return `<?xml version='1.0'?><stream:stream xmlns='${xmlns}' xmlns:stream='http://etherx.jabber.org/streams' to='${to}'>`;
}

function handshake(id: string, secret = SECRET): string {
  return `<handshake>${componentHandshake(id, secret)}</handshake>`;
}

/** A home server connects to us as component `coluc.com`. */
function accepting(plan: { isConnected?: () => boolean; domains?: readonly string[] } = {}) {
  const world = new World();
  world.nextStreamIds.push('3BF96D32');
  const stream = acceptingComponent(world, { name: 'coluc.com', secret: SECRET, ...plan });
  return { world, stream, ...world.rawTo(stream) };
}

function accepted(plan: { domains?: readonly string[] } = {}) {
  const all = accepting(plan);
  all.raw.say(componentHeader('coluc.com'));
  all.raw.say(handshake('3BF96D32'));
  return all;
}

/** We connect as component `vngtp.lab` to a raw server. */
function joining() {
  const world = new World();
  const wire = world.wire('component');
  const side = world.side(
    connectingComponent(world, { name: 'vngtp.lab', homes: ['coluc.com', 'conference.coluc.com'], secret: SECRET }),
    wire,
    'C',
  );
  const raw = new RawSide(world.clock, wire, 'S');
  side.start();
  return { world, raw, side };
}

function joined() {
  const all = joining();
  all.raw.hear();
  all.raw.say(componentHeader('', 'jabber:component:accept').replace("to=''", "from='vngtp.lab' id='1'"));
  all.raw.say('<handshake/>');
  return all;
}

describe('a component that connects to us', () => {
  test('P-01, P-02, P-03, P-07: the handshake', () => {
    const { raw, side, stream } = accepting();
    expect(stream.addresses()).toEqual({ local: undefined, remote: undefined });
    expect(raw.say(componentHeader('coluc.com'))).toBe(
      "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' from='coluc.com' id='3BF96D32'>",
    );
    expect(raw.say(handshake('3BF96D32'))).toBe('<handshake/>');
    expect(side.authorized).toEqual([{ pair: { sender: 'coluc.com', target: 'coluc.com' }, by: 'component' }]);
    expect(stream.addresses().remote).toBe('coluc.com');
    expect(side.waitingFor).toEqual([]);
  });

  test.each([
    ['P-01', componentHeader('coluc.com', 'jabber:server'), 'invalid-namespace'],
    ['P-05', componentHeader('nosuch.example'), 'host-unknown'],
    ['P-05', componentHeader('coluc.com').replace(" to='coluc.com'", ''), 'host-unknown'],
    ['S-15', componentHeader('a@coluc.com'), 'improper-addressing'],
  ])('%s: %s is answered with a header and %s', (_id, xml, condition) => {
    const { raw } = accepting();
    const heard = raw.say(xml);
    expect(streamError(heard)).toBe(condition);
    expect(heard).toMatch(/^<\?xml version='1.0'\?><stream:stream xmlns='jabber:component:accept' /);
  });

  test('P-06: a second one of the same name, at the header and at the handshake', () => {
    expect(streamError(accepting({ isConnected: () => true }).raw.say(componentHeader('coluc.com')))).toBe('conflict');
    let other = false;
    const { raw } = accepting({ isConnected: () => other });
    raw.say(componentHeader('coluc.com'));
    other = true;
    expect(streamError(raw.say(handshake('3BF96D32')))).toBe('conflict');
  });

  test.each([
    ['P-04: another secret', handshake('3BF96D32', 'another secret of theirs')],
    ['P-04: another id', handshake('3BF96D33')],
    ['P-04: in capitals', handshake('3BF96D32').replace(/>(.*)</, (_all, hex: string) => `>${hex.toUpperCase()}<`)],
    ['P-11: nothing', '<handshake/>'],
  ])('%s', (_what, xml) => {
    const { raw, side } = accepting();
    raw.say(componentHeader('coluc.com'));
    expect(streamError(raw.say(xml))).toBe('not-authorized');
    expect(side.authorized).toEqual([]);
  });

  test('P-07: a stanza before the handshake', () => {
    const { raw, world } = accepting();
    raw.say(componentHeader('coluc.com'));
    expect(streamError(raw.say(message('a@coluc.com', 'b@vngtp.lab')))).toBe('not-authorized');
    expect(world.delivered).toEqual([]);
  });

  test.each([
    ['a second handshake', accepted, handshake('3BF96D32')],
    [
      'a handshake in another namespace',
      () => {
        const all = accepting();
        all.raw.say(componentHeader('coluc.com'));
        return all;
      },
      "<handshake xmlns='urn:x'/>",
    ],
    [
      'something else in its place',
      () => {
        const all = accepting();
        all.raw.say(componentHeader('coluc.com'));
        return all;
      },
      "<hello xmlns='urn:x'/>",
    ],
  ] as const)('P-13: %s', (_what, begin, xml) => {
    expect(streamError(begin().raw.say(xml))).toBe('unsupported-stanza-type');
  });

  test.each([
    [message('a@other.example', 'b@vngtp.lab'), 'invalid-from'],
    [message('a@sub.coluc.com', 'b@vngtp.lab'), 'invalid-from'],
    ["<message to='b@vngtp.lab'/>", 'improper-addressing'],
    ["<message from='a@coluc.com'/>", 'improper-addressing'],
    [message('@coluc.com', 'b@vngtp.lab'), 'improper-addressing'],
    [message('a@no domain', 'b@vngtp.lab'), 'improper-addressing'],
    [message('a@other.example', '@vngtp.lab'), 'improper-addressing'],
  ])('P-08, R-10: %s ends the stream with %s', (xml, condition) => {
    const { raw, world } = accepted();
    expect(streamError(raw.say(xml))).toBe(condition);
    expect(world.delivered).toEqual([]);
  });

  test('P-08: other domains of the same home are granted', () => {
    const { raw, world } = accepted({ domains: ['coluc.com', 'conference.coluc.com'] });
    raw.say(message('room@conference.coluc.com/eva', 'b@vngtp.lab'));
    expect(world.delivered).toHaveLength(1);
  });

  test.each(['@vngtp.lab', 'b@192.0.2.1', 'b@[2001:db8::1]', 'b@no domain', 'b@vngtp.lab/'])(
    'R-07: a user who writes to %j is told, and the stream of the whole server stays',
    (to) => {
      const { raw, side, world } = accepted();
      expect(raw.say(`<message from='eva@coluc.com/desk' to='${to}' id='m1'><body>hello</body></message>`)).toBe(
        "<message type='error' from='coluc.com' to='eva@coluc.com/desk' id='m1'><error type='modify'>" +
          "<jid-malformed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>" +
          "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>The stanza's 'to' is not an address.</text></error></message>",
      );
      expect(raw.say(`<message type='error' from='eva@coluc.com/desk' to='${to}'/>`)).toBe('');
      expect(side.ended).toBeUndefined();
      raw.say(message('eva@coluc.com', 'b@vngtp.lab'));
      expect(world.delivered).toHaveLength(1);
    },
  );

  test('S-58: the header and the handshake are waited for', () => {
    const silent = accepting();
    silent.world.clock.advance(20_000);
    expect([silent.side.ended, silent.raw.received]).toEqual([
      { by: 'timeout', waitingFor: 'the stream header of the component' },
      '',
    ]);
    const { raw, world } = accepting();
    raw.say(componentHeader('coluc.com'));
    world.clock.advance(60_000);
    expect(streamError(raw.hear())).toBe('connection-timeout');
  });

  test('the handshake is in no note', () => {
    const { side } = accepted();
    expect(JSON.stringify(side.notes)).not.toContain(componentHandshake('3BF96D32', SECRET));
  });

  test('decisions of the policy are the router’s', () => {
    const { side } = accepted();
    side.handle({ type: 'policy-changed' });
    side.secured({ version: 'TLSv1.3', cipher: 'x', peer: undefined });
    expect(side.ended).toBeUndefined();
  });
});

describe('a component that we connect as', () => {
  test('P-01: the header', () => {
    expect(joining().raw.hear()).toBe(componentHeader('vngtp.lab'));
  });

  test('P-03, P-07, P-09: the handshake, and stanzas of the homes only', () => {
    const { raw, side, world } = joined();
    expect(side.written).toContain(handshake('1'));
    expect(side.authorized).toEqual([{ pair: { sender: 'coluc.com', target: 'vngtp.lab' }, by: 'component' }]);
    raw.say(message('a@coluc.com', 'b@vngtp.lab') + message('room@conference.coluc.com', 'b@vngtp.lab'));
    expect(world.delivered).toHaveLength(2);
    expect(streamError(raw.say(message('a@other.example', 'b@vngtp.lab')))).toBe('invalid-from');
  });

  test.each([
    ['a header without an id', componentHeader('x').replace("to='x'", ''), 'bad-format'],
    ['a header in another namespace', componentHeader('x', 'jabber:server'), 'invalid-namespace'],
  ])('%s', (_what, xml, condition) => {
    const { raw } = joining();
    raw.hear();
    expect(streamError(raw.say(xml))).toBe(condition);
  });

  test('P-07: nothing is routed before the handshake is answered', () => {
    const { raw, world } = joining();
    raw.hear();
    raw.say(componentHeader('x').replace("to='x'", "id='1'"));
    expect(streamError(raw.say(message('a@coluc.com', 'b@vngtp.lab')))).toBe('not-authorized');
    expect(world.delivered).toEqual([]);
  });

  test('P-13: a second answer to the handshake is unknown here', () => {
    const { raw, side } = joined();
    expect(raw.say('<handshake/>')).toBe('');
    expect(side.notes).toContainEqual({
      note: 'ignored',
      what: 'an element that means nothing here',
    });
  });

  test('R-07: a user inside who mistyped an address is told, from the name we have here', () => {
    const { raw, side } = joined();
    expect(raw.say("<iq type='get' id='1' from='eva@coluc.com/desk' to='@vngtp.lab'/>")).toContain(
      "<iq type='error' from='vngtp.lab' to='eva@coluc.com/desk' id='1'>",
    );
    expect(side.ended).toBeUndefined();
  });

  test('P-04: a secret that the server inside does not accept', () => {
    const { raw, side } = joining();
    raw.hear();
    raw.say(componentHeader('x').replace("to='x'", "id='1'"));
    raw.say(
      "<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>",
    );
    expect(side.ended).toEqual({ by: 'them', condition: 'not-authorized' });
  });

  test('S-58: the header and the answer are waited for', () => {
    const silent = joining();
    silent.world.clock.advance(20_000);
    expect(silent.side.ended).toEqual({ by: 'timeout', waitingFor: 'the stream header of the server inside' });
    const { raw, side, world } = joining();
    raw.hear();
    raw.say(componentHeader('x').replace("to='x'", "id='1'"));
    world.clock.advance(60_000);
    expect(side.ended).toEqual({ by: 'timeout', waitingFor: 'the answer to the component handshake' });
  });
});

describe('what a component stream says of itself', () => {
  test('one that connected to us: the home, and every domain it speaks for', () => {
    const { stream, world } = accepted({ domains: ['coluc.com', 'conference.coluc.com'] });
    expect(stream.facts(world.clock.now)).toEqual({
      state: 'connected',
      local: undefined,
      remote: 'coluc.com',
      tls: undefined,
      certificate: undefined,
      authorized: [
        { sender: 'coluc.com', target: 'coluc.com', by: 'component' },
        { sender: 'conference.coluc.com', target: 'coluc.com', by: 'component' },
      ],
    });
  });

  test('one of ours: the foreign domain it stands for, and the home', () => {
    const { side, world } = joined();
    expect(side.stream.facts(world.clock.now)).toMatchObject({
      state: 'connected',
      local: 'vngtp.lab',
      remote: 'coluc.com',
    });
  });

  test('an administrator closes it in good order', () => {
    const { side, raw } = joined();
    raw.hear();
    side.handle({ type: 'close', why: 'administrator', reason: 'maintenance' });
    expect(raw.hear()).toBe('</stream:stream>');
    expect(side.notes).toContainEqual({ note: 'closed-by-administrator', reason: 'maintenance' });
  });
});
