import { describe, expect, test } from 'vitest';
import {
  connected,
  connecting,
  dialedBack,
  greeted,
  greeting,
  HEADER,
  secured,
  securing,
  UNTRUSTED,
  VNGTP,
} from './peers.ts';
import {
  DIALBACK,
  header,
  headerAttribute,
  message,
  PROCEED,
  result,
  STARTTLS,
  streamError,
  TLS_FAILURE,
  verify,
} from './xml.ts';

const strict = (remote: string | undefined) => (remote === 'vngtp.lab' ? ({ tls: 'required' } as const) : {});
const REFUSED = `${TLS_FAILURE}</stream:stream>`;

describe('STARTTLS at the receiving server', () => {
  test.each([
    ['required', true],
    ['optional', true],
    ['none', false],
  ] as const)('T-01, T-35: with TLS %s it is offered: %s', (tls, offered) => {
    expect(greeted({ tls }).raw.received.includes('<starttls ')).toBe(offered);
  });

  test('T-02: where TLS is required it is the only feature', () => {
    expect(greeted({ tls: 'required' }).raw.received).toMatch(
      /<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required\/><\/starttls><\/stream:features>$/,
    );
  });

  test('T-03, T-06: <proceed/> is the last plaintext', () => {
    const { raw, side, world } = greeted();
    expect(raw.say(STARTTLS)).toBe(PROCEED);
    side.handle({ type: 'policy-changed' });
    world.clock.advance(10_000);
    expect(raw.hear()).toBe('');
  });

  test.each([
    ['a header', HEADER],
    ['white space', '\n'],
    ['a db:verify', verify('vngtp.lab', 'coluc.com', 'x', 'k')],
    ['a byte', '<'],
  ])('T-04, V-20: %s behind <starttls/> ends the connection', (_what, more) => {
    for (const say of [
      (raw: ReturnType<typeof greeted>['raw']) => raw.say(STARTTLS + more),
      (raw: ReturnType<typeof greeted>['raw']) => raw.say(STARTTLS) + raw.say(more),
    ]) {
      const { raw, side } = greeted({ tls: 'required' });
      expect(say(raw)).toBe(PROCEED);
      expect(side.ended).toMatchObject({ by: 'network', stage: 'tls' });
      expect(raw.isClosed).toBe(true);
      expect(raw.facts).toBeUndefined();
    }
  });

  test.each([
    ['not offered', () => greeted({ tls: 'none' })],
    ['inside TLS', () => secured({}, VNGTP)],
    ['after the stream is in use', () => dialedBack()],
    ['from a server before XMPP 1.0', () => greeted({}, { version: '' })],
  ])('T-07, T-08, T-35: <starttls/> %s is refused, and the connection ends', (_when, begin) => {
    const { raw, side } = begin();
    expect(raw.say(STARTTLS)).toBe(REFUSED);
    expect(raw.isClosed).toBe(true);
    expect(side.ended).toMatchObject({ by: 'us' });
  });

  test('T-07: twice in one breath is plaintext where TLS should start', () => {
    const { raw } = greeted();
    expect(raw.say(STARTTLS + STARTTLS)).toBe(PROCEED);
    expect(raw.isClosed).toBe(true);
  });

  test('T-09: after a failed handshake nothing is said', () => {
    const { raw, side } = greeted();
    raw.say(STARTTLS);
    raw.close();
    expect(raw.hear()).toBe('');
    expect(side.ended).toMatchObject({ by: 'network', stage: 'tls' });
  });

  test('T-10, D-18, D-32: behind TLS nothing of before counts: another id, and what was asked before has no effect', () => {
    const { raw, side } = greeted();
    const id = headerAttribute(raw.received, 'id');
    raw.say(result('vngtp.lab', 'coluc.com', 'k'));
    const [claim] = side.claims;
    raw.say(STARTTLS);
    if (claim !== undefined) side.handle({ type: 'verdict', claim, verdict: { verdict: 'valid' } });
    raw.startTls(UNTRUSTED);
    const heard = raw.say(HEADER);
    expect(headerAttribute(heard, 'id')).not.toBe(id);
    if (claim !== undefined) side.handle({ type: 'verdict', claim, verdict: { verdict: 'valid' } });
    expect(raw.hear()).toBe('');
    expect(side.authorized).toEqual([]);
    raw.say(result('vngtp.lab', 'coluc.com', 'k2'));
    expect(side.claims[1]?.streamId).toBe(headerAttribute(heard, 'id'));
  });

  test('T-11: behind TLS STARTTLS is not offered', () => {
    expect(secured({ tls: 'required' }, VNGTP).heard).not.toContain('starttls');
  });

  test('T-15: what counts is the namespace, not the prefix', () => {
    expect(greeted().raw.say("<x:starttls xmlns:x='urn:ietf:params:xml:ns:xmpp-tls'/>")).toBe(PROCEED);
    const { raw } = greeted();
    expect(streamError(raw.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-sasl2'/>"))).toBe(
      'unsupported-stanza-type',
    );
  });

  test.each([
    ['before', () => greeted()],
    ['after', () => dialedBack()],
  ])('T-14, V-09: compression is refused %s authorization', (_when, begin) => {
    expect(
      streamError(
        begin().raw.say("<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>"),
      ),
    ).toBe('unsupported-stanza-type');
  });

  test.each([
    ['a stanza', message('a@vngtp.lab', 'b@coluc.com'), 'not-authorized'],
    ['<auth/>', "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>", undefined],
    ['compression', "<compress xmlns='http://jabber.org/protocol/compress'/>", 'unsupported-stanza-type'],
  ])('T-32, V-10: where TLS is required, %s moves nothing', (_what, xml, condition) => {
    const { raw, side } = greeted({ tls: 'required' });
    expect(streamError(raw.say(xml))).toBe(condition);
    expect([side.authorized, side.claims]).toEqual([[], []]);
  });

  test('T-32: db:verify in plaintext is answered with the reason once, and then cut off', () => {
    const { raw } = greeted({ tls: 'required' });
    expect(raw.say(verify('vngtp.lab', 'coluc.com', 'x', 'k'))).toMatch(/type='error'.*<policy-violation /);
    expect(streamError(raw.say(verify('vngtp.lab', 'coluc.com', 'x', 'k')))).toBe('policy-violation');
  });

  test('T-32: silence runs into the negotiation time-out', () => {
    const { raw, world } = greeted({ tls: 'required' });
    world.clock.advance(60_000);
    expect(streamError(raw.hear())).toBe('connection-timeout');
  });

  test('T-36: the mode is that of the pair', () => {
    expect(greeted({ ruling: strict }).raw.received).toContain('<required/>');
    const { raw } = greeted({ ruling: strict }, { from: undefined });
    expect(raw.received).not.toContain('<required/>');
    expect(raw.say(result('vngtp.lab', 'coluc.com', 'k'))).toContain('policy-violation');
  });
});

describe('STARTTLS at the initiating server', () => {
  test('T-12, V-21: where TLS is required it is attempted although the features do not offer it', () => {
    expect(connecting({ tls: 'required' }).raw.say(greeting('x', DIALBACK))).toBe(STARTTLS);
  });

  test.each([
    ['refuses', TLS_FAILURE],
    [
      'sends an error',
      "<stream:error><unsupported-stanza-type xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>",
    ],
    ['closes', '</stream:stream>'],
  ])('T-13, T-33, R-36: a peer without TLS that then %s is one we do not talk to', (_what, xml) => {
    const { raw, side } = connecting({ tls: 'required' });
    raw.say(greeting('x', DIALBACK));
    raw.say(xml);
    expect(side.ended).toMatchObject({ by: 'policy' });
    expect(side.refused[0]?.because).toMatchObject({ by: 'policy' });
    expect(raw.isClosed).toBe(true);
    expect(side.written).not.toContain('db:result');
  });

  test('T-33: a peer that hangs up instead of starting TLS', () => {
    const { raw, side } = connecting({ tls: 'required' });
    raw.say(greeting('x'));
    raw.close();
    expect(side.ended).toMatchObject({ by: 'policy' });
  });

  test('T-13: <failure/> ends the attempt also where TLS is optional', () => {
    const { raw, side } = connecting();
    raw.say(greeting('x', STARTTLS, DIALBACK));
    raw.say(TLS_FAILURE);
    expect(side.ended).toEqual({ by: 'network', stage: 'tls', detail: 'the peer refused STARTTLS' });
    expect(side.written).not.toContain('db:result');
  });

  test('T-05: plaintext behind <proceed/> ends the connection', () => {
    const { raw, side } = connecting({ tls: 'required' });
    raw.say(greeting('x', STARTTLS));
    expect(raw.say(`${PROCEED}${header({ id: 'y' })}<stream:features/>`)).toBe('');
    expect(side.ended).toMatchObject({ by: 'network', stage: 'tls' });
    expect(raw.isClosed).toBe(true);
  });

  test('T-09: after a failed handshake nothing is said', () => {
    const { raw, side } = connecting();
    raw.say(greeting('x', STARTTLS));
    raw.say(PROCEED);
    raw.close();
    expect(raw.hear()).toBe('');
    expect(side.ended).toMatchObject({ by: 'network', stage: 'tls' });
  });

  test('T-10, D-18: behind TLS the features and the id of before are forgotten', () => {
    const { raw, server } = securing({ authentication: 'dialback' });
    const heard = raw.say(greeting('secure', DIALBACK));
    expect(heard).toContain(server.keyFor('vngtp.lab', 'secure'));
    expect(heard).not.toContain(server.keyFor('vngtp.lab', 'plain'));
  });

  test('T-35, S-49: with TLS switched off a peer that requires it is told so', () => {
    const { raw, side } = connecting({ tls: 'none' });
    expect(streamError(raw.say(greeting('x', STARTTLS.replace('/>', '><required/></starttls>'))))).toBe(
      'unsupported-feature',
    );
    expect(side.ended).toMatchObject({ by: 'policy' });
    expect(connecting({ tls: 'none' }).raw.say(greeting('x', STARTTLS))).toContain('<db:result');
  });

  test.each([PROCEED, TLS_FAILURE])('C-57: %s without <starttls/> proves nothing', (xml) => {
    const { raw, side } = connecting({ tls: 'none' });
    expect(streamError(raw.say(header({ id: 'x' }) + xml))).toBe('not-authorized');
    expect(side.authorized).toEqual([]);
  });
});

test('events that belong to no handshake do nothing', () => {
  for (const { side } of [connected(), greeted(), connecting()]) {
    side.notSecured('nobody asked');
    side.secured({ version: 'TLSv1.3', cipher: 'x', peer: undefined });
    expect(side.ended).toBeUndefined();
  }
});
