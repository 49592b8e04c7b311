import { describe, expect, test } from 'vitest';
import {
  asking,
  authenticated,
  connected,
  connecting,
  greeted,
  greeting,
  opened,
  secured,
  securing,
  VNGTP,
} from './peers.ts';
import { DIALBACK, features, header, headerAttribute, streamError } from './xml.ts';

const STREAMS = 'http://etherx.jabber.org/streams';

describe('the header of a peer that opens a stream', () => {
  test.each([
    [
      'S-01',
      `<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/other' to='coluc.com' version='1.0'>`,
      'invalid-namespace',
    ],
    ['S-02', `<stream:foo xmlns='jabber:server' xmlns:stream='${STREAMS}' to='coluc.com' version='1.0'>`, 'bad-format'],
    ['S-03', header({ to: 'coluc.com', xmlns: 'jabber:client' }), 'invalid-namespace'],
    ['S-03', `<stream:stream xmlns:stream='${STREAMS}' to='coluc.com' version='1.0'>`, 'invalid-namespace'],
    ['S-11', header({ from: 'vngtp.lab', to: 'nosuch.example' }), 'host-unknown'],
    ['S-14', header({ from: 'vngtp.lab' }), 'improper-addressing'],
    ['S-15', header({ from: 'vngtp.lab', to: '' }), 'improper-addressing'],
    ['S-15', header({ from: 'vngtp.lab', to: 'eva@coluc.com' }), 'improper-addressing'],
    ['S-15', header({ from: 'vngtp.lab', to: 'coluc.com/desk' }), 'improper-addressing'],
    ['S-15', header({ from: 'jan@vngtp.lab', to: 'coluc.com' }), 'improper-addressing'],
    ['S-15', header({ from: '', to: 'coluc.com' }), 'improper-addressing'],
    ['S-15', header({ from: `${'a'.repeat(1020)}.lab`, to: 'coluc.com' }), 'improper-addressing'],
    ['S-15', header({ from: '-.lab', to: 'coluc.com' }), 'improper-addressing'],
    ['S-15', header({ from: '192.0.2.1', to: 'coluc.com' }), 'improper-addressing'],
    ['S-18', header({ from: 'coluc.com', to: 'coluc.com' }), 'invalid-from'],
    ['S-18', header({ from: 'COLUC.com.', to: 'coluc.com' }), 'invalid-from'],
    ['S-34', header({ from: 'vngtp.lab', to: 'coluc.com', version: 'abc' }), 'unsupported-version'],
    ['S-34', header({ from: 'vngtp.lab', to: 'coluc.com', version: '1' }), 'unsupported-version'],
    ['S-34', header({ from: 'vngtp.lab', to: 'coluc.com', version: '1.0.0' }), 'unsupported-version'],
    ['S-34', header({ from: 'vngtp.lab', to: 'coluc.com', version: '-1.0' }), 'unsupported-version'],
    ['S-34', header({ from: 'vngtp.lab', to: 'coluc.com', version: ' ' }), 'unsupported-version'],
    ['S-53', 'GET / HTTP/1.1\r\nHost: coluc.com\r\n\r\n', 'not-well-formed'],
    ['S-53', 'EHLO vngtp.lab\r\n', 'not-well-formed'],
    ['S-48', header({ to: 'coluc.com', more: ` x='${'a'.repeat(10_000)}'` }), 'policy-violation'],
  ])('%s: %s is answered with %s', (_id, xml, condition) => {
    const { raw, side } = connected();
    const heard = raw.say(xml);
    expect(streamError(heard)).toBe(condition);
    expect(heard).toMatch(/^<\?xml version='1.0'\?><stream:stream [^>]*>.*<\/stream:error><\/stream:stream>$/);
    expect(side.ended).toMatchObject({ by: 'us', condition });
    expect(raw.isClosed).toBe(true);
  });

  test('S-12: the header before host-unknown names us, and never the unknown domain', () => {
    const { raw } = connected();
    const heard = raw.say(header({ from: 'vngtp.lab', to: 'nosuch.example' }));
    expect(headerAttribute(heard, 'from')).toBe('coluc.com');
    expect(headerAttribute(heard, 'to')).toBe('vngtp.lab');
    expect(heard).not.toContain('nosuch.example');
  });

  test('S-12: who has no name of its own leaves `from` empty', () => {
    const { raw } = connected({ nameless: true });
    expect(headerAttribute(raw.say(header({ to: 'nosuch.example' })), 'from')).toBe('');
  });

  test.each([
    ['an unreadable version', { version: 'abc' }],
    ['another content namespace', { xmlns: 'jabber:client' }],
  ])('S-21: the header before an error about %s names both domains', (_what, parts) => {
    const { raw } = connected();
    const heard = raw.say(header({ from: 'vngtp.lab', to: 'coluc.com', ...parts }));
    expect([headerAttribute(heard, 'from'), headerAttribute(heard, 'to')]).toEqual(['coluc.com', 'vngtp.lab']);
    expect(headerAttribute(heard, 'id')).toMatch(/./);
    expect(headerAttribute(heard, 'xml:lang')).toBe('en');
  });

  test('S-15: a bad address is never copied into our header', () => {
    const { raw } = connected();
    const heard = raw.say(header({ from: 'jan@vngtp.lab', to: 'coluc.com' }));
    expect(heard).not.toContain('jan@');
  });

  test('S-05: any prefix for the stream namespace is understood', () => {
    const { raw } = connected();
    const heard = raw.say(
      `<foobar:stream xmlns='jabber:server' xmlns:foobar='${STREAMS}' from='vngtp.lab' to='coluc.com' version='1.0'>`,
    );
    expect(heard).toContain('<stream:features>');
  });

  test('S-06: the form without prefix is understood, its stanzas included', () => {
    const { raw, world, ...rest } = connected();
    raw.say(`<stream xmlns='${STREAMS}' from='vngtp.lab' to='coluc.com' version='1.0'>`);
    const { side } = rest;
    raw.say("<db:result xmlns:db='jabber:server:dialback' from='vngtp.lab' to='coluc.com'>k</db:result>");
    const [claim] = side.claims;
    if (claim === undefined) throw new Error('not asked');
    side.handle({ type: 'verdict', claim, verdict: { verdict: 'valid' } });
    raw.say("<message xmlns='jabber:server' from='a@vngtp.lab' to='b@coluc.com'><body>hello</body></message>");
    expect(world.delivered).toHaveLength(1);
  });

  test.each(['COLUC.COM', 'coluc.com.', 'Coluc.Com.'])('S-16: to=%j is ours', (to) => {
    expect(greeted({}, { to }).raw.received).toContain('<stream:features>');
  });

  test('S-16: A-labels and U-labels are the same domain', () => {
    const { raw } = connected({ domains: ['bücher.example'] });
    expect(raw.say(header({ to: 'xn--bcher-kva.example' }))).toContain('<stream:features>');
  });

  test('S-17, C-33: without `from` the peer is asked to prove itself by dialback', () => {
    const { raw } = greeted({}, { from: undefined });
    expect(raw.received).toContain(DIALBACK);
    expect(headerAttribute(raw.received, 'to')).toBeUndefined();
  });

  test('S-19: a peer that policy denies is refused at the header, before anything is looked up', () => {
    const { side, raw } = greeted({ ruling: () => ({ admitted: false, because: 'the test denies it' }) });
    expect(streamError(raw.received)).toBe('policy-violation');
    expect(side.ended).toEqual({ by: 'policy', because: 'the test denies it' });
    expect(side.refused).toEqual([
      { pair: { sender: 'vngtp.lab', target: 'coluc.com' }, because: { by: 'policy', because: 'the test denies it' } },
    ]);
    expect(side.claims).toEqual([]);
  });

  test('S-20: what counts is the header behind TLS: no EXTERNAL for a domain that appears only there', () => {
    const { heard, side } = secured({}, VNGTP, { from: 'evil.lab' });
    expect(heard).not.toContain('EXTERNAL');
    expect(side.authorized).toEqual([]);
  });

  test('T-28: the certificate was chosen for one domain of ours; behind TLS the peer may not ask for another', () => {
    const { heard } = secured({ domains: ['coluc.com', 'other.example'] }, VNGTP, { to: 'other.example' });
    expect(streamError(heard)).toBe('policy-violation');
  });

  test('S-25: an id in it means nothing', () => {
    const { raw } = greeted({}, { id: '1327B794B' });
    expect(raw.received).not.toContain('1327B794B');
  });

  test.each([
    ['1.0', '1.0'],
    ['1.10', '1.0'],
    ['01.0', '1.0'],
    ['1.00', '1.0'],
    ['2.0', '1.0'],
    ['1.7', '1.0'],
    ['1.123456789', '1.0'],
    ['0.9', undefined],
    ['', undefined],
  ])('S-29, S-31, S-32: version %j is answered with %j', (version, answered) => {
    const { raw } = greeted({}, { version });
    expect(headerAttribute(raw.received, 'version')).toBe(answered);
    expect(raw.received.includes('<stream:features>')).toBe(answered !== undefined);
  });

  test('S-33: a server from before XMPP 1.0 is refused where TLS is required', () => {
    for (const to of ['coluc.com', undefined])
      expect(streamError(greeted({ tls: 'required' }, { version: '', to }).raw.received)).toBe('policy-violation');
  });

  test.each([
    ['en', 'en'],
    ['EN', 'EN'],
    ['de-CH', 'en'],
    ['en-GB', 'en'],
    ['fr', 'en'],
    [undefined, 'en'],
    ['en-US.UTF-8', 'en'],
    ['', 'en'],
    ['a'.repeat(5000), 'en'],
  ])('S-37, S-38: xml:lang %j is answered with %j', (lang, answered) => {
    const { raw } = greeted({}, lang === undefined ? {} : { lang });
    expect(headerAttribute(raw.received, 'xml:lang')).toBe(answered);
  });
});

describe('our headers', () => {
  test('S-04, S-08, S-09, S-10, S-24, S-29, S-36: the initial header', () => {
    expect(connecting().raw.received).toBe(
      `<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='${STREAMS}' xmlns:db='jabber:server:dialback' from='coluc.com' to='vngtp.lab' version='1.0' xml:lang='en'>`,
    );
  });

  test('S-40: after TLS and after EXTERNAL it is sent again, with an XML declaration and without closing anything', () => {
    const { side } = opened();
    expect(side.written.split("<?xml version='1.0'?><stream:stream").length).toBe(4);
    expect(side.written).not.toContain('</stream:stream>');
  });

  test('S-22, S-30: three response headers on one connection have three ids, each followed by features', () => {
    const { raw } = authenticated();
    const ids = [...raw.received.matchAll(/<stream:stream [^>]* id='([^']+)'[^>]*><stream:features/g)].map(
      (all) => all[1],
    );
    expect(new Set(ids).size).toBe(3);
  });

  test('S-21: the response header names both domains', () => {
    const { raw } = greeted();
    expect(raw.received).toMatch(
      /^<\?xml version='1.0'\?><stream:stream [^>]*from='coluc.com' to='vngtp.lab' id='[^']+'/,
    );
  });
});

describe('the header that answers ours', () => {
  test('S-26: without an id no dialback is possible', () => {
    const { raw, side } = connecting();
    const heard = raw.say(header({ from: 'vngtp.lab' }) + features(DIALBACK));
    expect(streamError(heard)).toBe('bad-format');
    expect(heard).not.toContain('db:result');
    expect(side.refused).toHaveLength(1);
  });

  test.each(['a b', 'a\tb', 'a&#xA0;b'])('D-08, V-02: an id with white space (%j) is as good as none', (id) => {
    const { raw } = connecting();
    expect(streamError(raw.say(header({ id }) + features(DIALBACK)))).toBe('bad-format');
  });

  test('S-26: EXTERNAL needs no id', () => {
    const { raw, side } = securing();
    raw.say(
      header({}) +
        features("<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>"),
    );
    raw.say("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    raw.say(header({}) + features());
    expect(side.authorized).toHaveLength(1);
  });

  test('S-27, S-28, C-10: its addresses are no reference: the certificate must prove the domain we asked for', () => {
    const { raw, side } = securing({ authentication: 'external', peerMustProve: true }, { names: ['other.lab'] });
    raw.say(header({ from: 'other.lab', to: 'no domain at all', id: 'x' }) + features());
    expect(side.ended).toMatchObject({ by: 'authentication' });
    const missing = asking();
    expect(missing.raw.received).toContain('<db:result');
  });

  test('S-35: without a version dialback follows at once, unless TLS is required', () => {
    expect(connecting().raw.say(header({ id: 'x', version: '' }))).toContain('<db:result');
    const { raw, side } = connecting({ tls: 'required' });
    expect(streamError(raw.say(header({ id: 'x', version: '' })))).toBe('policy-violation');
    expect(side.ended).toMatchObject({ by: 'policy' });
  });

  test.each([
    ['S-01', "<stream:stream xmlns='jabber:server' xmlns:stream='urn:x' id='1' version='1.0'>", 'invalid-namespace'],
    ['S-03', header({ id: '1', xmlns: 'jabber:client' }), 'invalid-namespace'],
  ])('%s: a header in other namespaces ends the stream', (_id, xml, condition) => {
    const { raw } = connecting();
    expect(streamError(raw.say(xml))).toBe(condition);
  });

  test('S-49: a feature that must be negotiated and that we do not know ends the stream; a voluntary one is ignored', () => {
    const required = "<magic xmlns='urn:example:magic'><required/></magic>";
    expect(streamError(connecting().raw.say(greeting('x', required)))).toBe('unsupported-feature');
    expect(connecting().raw.say(greeting('x', required, DIALBACK))).toContain('<db:result');
    expect(connecting().raw.say(greeting('x', "<magic xmlns='urn:example:magic'/>"))).toContain('<db:result');
    const { raw, side } = securing();
    raw.say(
      greeting(
        'x',
        "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>",
      ),
    );
    raw.say("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    expect(streamError(raw.say(greeting('y', required)))).toBe('unsupported-feature');
    expect(side.authorized).toEqual([]);
  });

  test('S-50, C-58: empty features and features of other kinds mean: go on', () => {
    expect(connecting().raw.say(greeting('x'))).toContain('<db:result');
    expect(
      connecting().raw.say(
        greeting('x', "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>EXTERNAL</mechanism></authentication>"),
      ),
    ).toContain('<db:result');
  });
});
