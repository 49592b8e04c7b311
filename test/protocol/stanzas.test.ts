import { describe, expect, test } from 'vitest';
import { authenticated, connected, dialedBack, greeted, VNGTP } from './peers.ts';
import type { WireOptions } from './wire.ts';
import { auth, header, message, STARTTLS, streamError } from './xml.ts';

const cut = (bytes: Uint8Array): readonly Uint8Array[] => [...bytes].map((byte) => Uint8Array.of(byte));
const TWO = { domains: ['coluc.com', 'conference.coluc.com'] };

/** Everything that is heard, delivered and ended with, however the bytes of both sides are cut. */
function conversation(options?: WireOptions): readonly unknown[] {
  const { raw, side, world } = connected({}, options);
  raw.say(header({ from: 'vngtp.lab', to: 'coluc.com' }));
  raw.say(STARTTLS);
  raw.startTls(VNGTP);
  raw.hear();
  raw.say(header({ from: 'vngtp.lab', to: 'coluc.com' }));
  raw.say(auth('vngtp.lab'));
  raw.say(header({ from: 'vngtp.lab', to: 'coluc.com' }));
  raw.say(message('\u00FC@vngtp.lab', 'b@coluc.com', '\u{1F600}'));
  raw.say('</stream:stream>');
  return [raw.received, world.delivered, side.ended];
}

describe('what an authorized peer may send', () => {
  test.each([
    ['R-02', "<message from='a@vngtp.lab'/>", 'improper-addressing'],
    ['R-02', "<message from='a@vngtp.lab' to=''/>", 'improper-addressing'],
    ['R-03', "<message to='b@coluc.com'/>", 'improper-addressing'],
    ['R-03', "<message from='' to='b@coluc.com'/>", 'improper-addressing'],
    ['R-04', message('x@sub.vngtp.lab', 'b@coluc.com'), 'invalid-from'],
    ['R-04', message('x@lab', 'b@coluc.com'), 'invalid-from'],
    ['R-04', message('x@coluc.com', 'b@coluc.com'), 'invalid-from'],
    ['R-04, J-14', message('x@\uFF56ngtp.example', 'b@coluc.com'), 'improper-addressing'],
    ['R-05', message('a@vngtp.lab', 'b@other.lab'), 'host-unknown'],
    ['R-05', message('a@vngtp.lab', 'b@vngtp.lab'), 'host-unknown'],
    ['R-05', message('a@vngtp.lab', 'b@sub.coluc.com'), 'host-unknown'],
    ['R-07, J-02', message('a@vngtp.lab', '@coluc.com'), 'improper-addressing'],
    ['R-07, J-02', message('a@vngtp.lab', 'coluc.com/'), 'improper-addressing'],
    ['R-07, J-02', message('a@vngtp.lab', 'b@'), 'improper-addressing'],
    ['R-07, J-02', message('a@vngtp.lab', '/x'), 'improper-addressing'],
    ['R-07, J-02', message('@vngtp.lab', 'b@coluc.com'), 'improper-addressing'],
    ['R-07, J-02', message('a@vngtp.lab/', 'b@coluc.com'), 'improper-addressing'],
    ['R-07, J-03', message('a@vngtp.lab', `${'b'.repeat(1024)}@coluc.com`), 'improper-addressing'],
    ['R-07, J-03', message('a@vngtp.lab', `coluc.com/${'\u00FC'.repeat(512)}`), 'improper-addressing'],
    ['R-07, J-08', message('a@vngtp.lab', 'b b@coluc.com'), 'improper-addressing'],
    ['R-07, J-08', message('a@vngtp.lab', 'b&amp;b@coluc.com'), 'improper-addressing'],
    ['R-07, J-08', message('a&quot;@vngtp.lab', 'b@coluc.com'), 'improper-addressing'],
    ['R-07, J-14', message('a@vngtp.lab', 'evil.lab\uFF20b@coluc.com'), 'improper-addressing'],
    ['R-07, J-01', message('a@vngtp.lab', 'a@b@coluc.com'), 'improper-addressing'],
    ['R-07', message('a@vngtp.lab', 'b@-.com'), 'improper-addressing'],
    ['R-07', message('a@vngtp.lab', 'b@192.0.2.1'), 'improper-addressing'],
    ['X-15', "<message xmlns='jabber:client' from='a@vngtp.lab' to='b@coluc.com'/>", 'invalid-namespace'],
    ['X-16', "<p:message xmlns:p='jabber:server' from='a@vngtp.lab' to='b@coluc.com'/>", 'bad-namespace-prefix'],
  ])('%s: %s ends the stream with %s', (_id, xml, condition) => {
    const { raw, world } = dialedBack();
    expect(streamError(raw.say(xml))).toBe(condition);
    expect(world.delivered).toEqual([]);
  });

  test.each([
    message('a@vngtp.lab', 'b@coluc.com'),
    message('vngtp.lab', 'coluc.com'),
    message('a@VNGTP.LAB', 'b@Coluc.com.'),
    message('a@vngtp.lab/b@c/d', 'coluc.com/x'),
    message('a@vngtp.lab/it&apos;s &lt;me&gt;', 'b@coluc.com'),
    message(`${'a'.repeat(1023)}@vngtp.lab/${'b'.repeat(1023)}`, 'b@coluc.com'),
    message('\u00FC@vngtp.lab/\u2654', 'b@coluc.com'),
    message('a\\20b@vngtp.lab', 'b@coluc.com'),
    message('&#x61;@vngtp.lab', 'b@coluc.com'),
    "<message type='nonsense' from='a@vngtp.lab' to='b@coluc.com'/>",
    "<iq type='get' id='1' from='a@vngtp.lab' to='b@coluc.com'><ping xmlns='urn:xmpp:ping'/></iq>",
  ])('R-01, R-09, R-17: %s passes as it is', (xml) => {
    const { raw, world } = dialedBack();
    expect(raw.say(xml)).toBe('');
    expect(world.delivered).toEqual([`coluc.com: ${xml}`]);
  });

  test('R-04: by dialback, by EXTERNAL: nobody speaks for a parent or a child domain', () => {
    for (const { raw } of [authenticated(), dialedBack()])
      expect(streamError(raw.say(message('a@muc.vngtp.lab', 'b@coluc.com')))).toBe('invalid-from');
  });

  test('R-06: a sender that is proven may write to every domain of ours that policy admits it to', () => {
    const { raw, world } = dialedBack(TWO);
    raw.say(message('a@vngtp.lab', 'room@conference.coluc.com'));
    expect(world.delivered).toHaveLength(1);
  });

  test('R-19, R-21: a thousand stanzas to mixed addresses stay in order, whatever the pieces they come in', () => {
    const receiving = dialedBack(TWO);
    const { raw, world } = receiving;
    let all = '';
    for (let n = 0; n < 1000; n++)
      all += message(`a@vngtp.lab/r${n % 3}`, n % 2 === 0 ? 'b@coluc.com' : `b@conference.coluc.com/d${n % 5}`, `${n}`);
    for (let at = 0; at < all.length; at += 777) raw.say(all.slice(at, at + 777));
    expect(world.delivered.map((line) => /<body>(\d+)</.exec(line)?.[1])).toEqual(
      Array.from({ length: 1000 }, (_, n) => `${n}`),
    );
  });

  test('R-22, T-39: a stanza that is cut off is not processed', () => {
    const { raw, world } = dialedBack();
    raw.say(message('a@vngtp.lab', 'b@coluc.com').slice(0, -1));
    raw.close();
    expect(world.delivered).toEqual([]);
  });

  test('R-01, R-48, V-15: what only looks like a stanza is none', () => {
    const { raw, world } = dialedBack();
    const inner = message('eve@vngtp.lab', 'b@coluc.com');
    raw.say(`<forwarded xmlns='urn:xmpp:forward:0'>${inner}</forwarded>`);
    raw.say(`<message from='a@vngtp.lab' to='b@coluc.com'><body><![CDATA[${inner}]]></body></message>`);
    expect(world.delivered).toHaveLength(1);
  });

  test('X-20: an address in another namespace is none', () => {
    const { raw, world } = dialedBack();
    raw.say("<message xmlns:x='urn:x' x:from='eve@evil.lab' from='a@vngtp.lab' x:to='c@evil.lab' to='b@coluc.com'/>");
    expect(world.delivered).toHaveLength(1);
  });

  test('X-18: unknown elements are ignored ten times', () => {
    const { raw, side } = dialedBack();
    for (let n = 0; n < 10; n++) expect(raw.say("<x xmlns='urn:x'/>")).toBe('');
    expect(side.notes.filter(({ note }) => note === 'ignored')).toHaveLength(10);
    expect(streamError(raw.say("<x xmlns='urn:x'/>"))).toBe('unsupported-stanza-type');
  });

  test.each([
    [10_001, false, 'policy-violation'],
    [200_000, true, undefined],
    [262_145, true, 'policy-violation'],
  ])('X-26, X-27: a stanza of %i bytes, authorized: %s', (size, authorized, condition) => {
    const { raw, world } = authorized ? dialedBack() : greeted();
    const empty = message('a@vngtp.lab', 'b@coluc.com', '');
    const heard = raw.say(message('a@vngtp.lab', 'b@coluc.com', 'x'.repeat(size - empty.length)));
    expect(streamError(heard)).toBe(condition);
    expect(heard.includes("<stanza-too-big xmlns='urn:xmpp:errors'/>")).toBe(condition !== undefined);
    expect(world.delivered).toHaveLength(condition === undefined ? 1 : 0);
  });

  test('X-24: after an error the rest of the input is discarded', () => {
    const { raw, world, side } = dialedBack();
    raw.say(`${message('a@evil.lab', 'b@coluc.com')}${message('a@vngtp.lab', 'b@coluc.com')}`);
    raw.say(message('a@vngtp.lab', 'b@coluc.com'));
    expect(world.delivered).toEqual([]);
    expect(side.written.match(/<stream:error>/g)).toHaveLength(1);
  });

  test('X-11, X-23, X-31: one byte at a time, the conversation is the same', () => {
    expect(conversation({ cut })).toEqual(conversation());
    expect(conversation()[1]).toHaveLength(1);
  });
});

describe('E-02: in one write', () => {
  test.each([
    ['host-unknown', header({ from: 'vngtp.lab', to: 'nosuch.example' }), {}],
    ['policy-violation', header({ from: 'vngtp.lab', to: 'coluc.com' }), { tls: 'none', authentication: 'external' }],
    ['not-well-formed', 'GET / HTTP/1.1\r\n', {}],
  ] as const)('the header, the error and the closing tag of %s', (condition, xml, plan) => {
    const { raw, world } = connected(plan);
    expect(streamError(raw.say(xml))).toBe(condition);
    expect(world.transcript.toString().match(/^S: </gm)).toHaveLength(1);
  });
});

test('E-03: an error has one condition, one text with a language, and at most one element beside', () => {
  const { raw } = dialedBack();
  expect(raw.say(`<message from='a@vngtp.lab' to='b@coluc.com'>${'x'.repeat(300_000)}`)).toBe(
    "<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>" +
      "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='en'>A first-level element is too large.</text>" +
      "<stanza-too-big xmlns='urn:xmpp:errors'/></stream:error></stream:stream>",
  );
});

test('E-10, V-38: nothing that a peer wrote is in the text of an error', () => {
  const secret = 'Xyzzy-4711';
  for (const xml of [
    `<${secret}/>`,
    `<message from='${secret}@evil.lab' to='b@coluc.com'/>`,
    `<a ${secret}=1>`,
    `&${secret};`,
    `<db:result>${secret}</db:result>`,
  ])
    expect(dialedBack().raw.say(xml)).not.toContain(secret);
});
