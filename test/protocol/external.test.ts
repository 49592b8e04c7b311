import { describe, expect, test } from 'vitest';
import {
  authenticated,
  connecting,
  greeted,
  greeting,
  HEADER,
  opened,
  requestAndVouch,
  secured,
  securing,
  UNTRUSTED,
  VNGTP,
} from './peers.ts';
import { auth, DIALBACK, EXTERNAL, header, message, result, SASL, SUCCESS, saslFailure, streamError } from './xml.ts';

const RAW_AUTH = (text: string, mechanism = 'EXTERNAL'): string =>
  `<auth ${SASL} mechanism='${mechanism}'>${text}</auth>`;
/** dm5ndHAubGFi is vngtp.lab. */
const AUTHZID = 'dm5ndHAubGFi';

describe('EXTERNAL at the receiving server: who is offered it', () => {
  test.each([
    ['a good certificate', VNGTP, true],
    ['a wildcard that covers the domain', { names: ['*.lab', '*.vngtp.lab'] }, false],
    ['no certificate', undefined, false],
    ['a self-signed one', UNTRUSTED, false],
    ['an expired one', { names: ['vngtp.lab'], notAfter: 0 }, false],
    ['one for another name', { names: ['somewhere.else'] }, false],
  ])('C-31, V-29: %s: %s', (_what, certificate, offered) => {
    const { heard } = secured({}, certificate);
    expect(heard.includes(EXTERNAL)).toBe(offered);
    expect(heard).toContain(DIALBACK);
  });

  test('C-31, C-42: nobody before TLS', () => {
    expect(greeted().raw.received).not.toContain('mechanisms');
  });

  test('C-32: without a mechanism there is no <mechanisms/>', () => {
    expect(secured({}, undefined).heard).not.toContain('mechanisms');
  });

  test('C-31: nobody, where policy wants dialback', () => {
    expect(secured({ authentication: 'dialback' }, VNGTP).heard).not.toContain('mechanisms');
  });

  test('C-34: who can prove nothing where certificates are required is told at once', () => {
    const { heard, side } = secured({ authentication: 'external' }, UNTRUSTED);
    expect(streamError(heard)).toBe('policy-violation');
    expect(side.ended).toEqual({ by: 'authentication', because: 'the certificate is self-signed' });
    expect(side.refused).toHaveLength(1);
    expect(streamError(greeted({ authentication: 'external', tls: 'none' }).raw.received)).toBe('policy-violation');
  });

  test('C-33: without `from` EXTERNAL is offered to a good chain, and the authzid decides', () => {
    expect(secured({}, VNGTP, { from: undefined }).heard).toContain(EXTERNAL);
    expect(secured({}, UNTRUSTED, { from: undefined }).heard).not.toContain(EXTERNAL);
    expect(secured({}, undefined, { from: undefined }).heard).not.toContain(EXTERNAL);
    expect(saslFailure(secured({}, VNGTP, { from: undefined }).raw.say(RAW_AUTH('=')))).toBe('invalid-authzid');
    expect(saslFailure(secured({}, VNGTP, { from: undefined }).raw.say(auth('evil.lab')))).toBe('not-authorized');
    const { raw, side } = secured({}, VNGTP, { from: undefined });
    expect(raw.say(auth('vngtp.lab'))).toBe(SUCCESS);
    raw.say(header({ to: 'coluc.com' }));
    expect(side.authorized.map(({ pair }) => pair.sender)).toEqual(['vngtp.lab']);
  });

  test.each([
    ['policy denies it', { admitted: false, because: 'denied' }],
    ['policy wants dialback from it', { authentication: 'dialback' as const }],
  ])('C-33, S-19: a domain that appears only in the authzid fails when %s', (_why, ruling) => {
    const nobody = { from: undefined };
    const plan = { ruling: (remote: string | undefined) => (remote === 'vngtp.lab' ? ruling : {}) };
    const { raw, side } = secured(plan, VNGTP, nobody, nobody);
    expect(saslFailure(raw.say(auth('vngtp.lab')))).toBe('not-authorized');
    expect(side.authorized).toEqual([]);
  });

  test('S-18: our own domain in the authzid fails, whatever the certificate', () => {
    const { raw } = secured({}, { names: ['coluc.com'] }, { from: undefined });
    expect(saslFailure(raw.say(auth('coluc.com')))).toBe('not-authorized');
  });
});

describe('EXTERNAL at the receiving server: the exchange', () => {
  test.each([
    ['C-36: the domain of the stream', RAW_AUTH(AUTHZID)],
    ['C-36, D-02: in another spelling', auth('VNGTP.lab.')],
    ['C-38: "="', RAW_AUTH('=')],
  ])('%s succeeds', (_what, xml) => {
    const { raw, side } = secured({}, VNGTP);
    expect(raw.say(xml)).toBe(SUCCESS);
    expect(side.authorized).toEqual([]);
    raw.say(HEADER);
    expect(side.authorized).toEqual([{ pair: { sender: 'vngtp.lab', target: 'coluc.com' }, by: 'external' }]);
  });

  test.each(['', '=', AUTHZID])(
    'C-39: without an initial response there is an empty challenge; then %j succeeds',
    (text) => {
      const { raw } = secured({}, VNGTP);
      expect(raw.say(auth(undefined))).toBe(`<challenge ${SASL}/>`);
      expect(raw.say(`<response ${SASL}>${text}</response>`)).toBe(SUCCESS);
    },
  );

  test.each([
    ['C-36', auth('no domain'), 'invalid-authzid'],
    ['C-36', auth('jan@vngtp.lab'), 'invalid-authzid'],
    ['C-36, V-30', auth('evil.lab'), 'invalid-authzid'],
    ['C-36', RAW_AUTH(Buffer.from([0xff, 0xfe]).toString('base64')), 'incorrect-encoding'],
    ['C-40', RAW_AUTH(`${AUTHZID} `), 'incorrect-encoding'],
    ['C-40', RAW_AUTH('dm5n dHAubGFi'), 'incorrect-encoding'],
    ['C-40', RAW_AUTH('dm5ndHAubG'), 'incorrect-encoding'],
    ['C-40', RAW_AUTH('dm5ndHAubGF-'), 'incorrect-encoding'],
    ['C-40', RAW_AUTH('dm5=dHAubGFi'), 'incorrect-encoding'],
    ['C-40', RAW_AUTH('YR=='), 'incorrect-encoding'],
    ['C-40', RAW_AUTH('===='), 'incorrect-encoding'],
    ['C-41', RAW_AUTH(AUTHZID, 'PLAIN'), 'invalid-mechanism'],
    ['C-41', RAW_AUTH(AUTHZID, ''), 'invalid-mechanism'],
    ['C-41', RAW_AUTH(AUTHZID, 'external'), 'invalid-mechanism'],
    ['C-41, V-32', `<auth ${SASL}>${AUTHZID}</auth>`, 'invalid-mechanism'],
    ['C-41', RAW_AUTH('', 'ANONYMOUS'), 'invalid-mechanism'],
    ['C-43', `<abort ${SASL}/>`, 'aborted'],
    ['C-43', `<response ${SASL}/>`, 'malformed-request'],
    ['C-43', `<success ${SASL}/>`, 'malformed-request'],
  ])('%s: %s fails with %s, and the stream stays', (_id, xml, condition) => {
    const { raw, side } = secured({}, VNGTP);
    expect(saslFailure(raw.say(xml))).toBe(condition);
    expect(side.ended).toBeUndefined();
    expect(raw.say(auth('vngtp.lab'))).toBe(SUCCESS);
  });

  test('C-37: a domain that the certificate covers too needs a stream of its own', () => {
    const { raw } = secured({}, { names: ['vngtp.lab', 'muc.vngtp.lab'] });
    expect(saslFailure(raw.say(auth('muc.vngtp.lab')))).toBe('invalid-authzid');
  });

  test('C-42: before TLS', () => {
    expect(saslFailure(greeted().raw.say(auth('vngtp.lab')))).toBe('encryption-required');
  });

  test('C-31: to whom it was not offered it does not succeed', () => {
    expect(saslFailure(secured({}, UNTRUSTED).raw.say(auth('vngtp.lab')))).toBe('not-authorized');
  });

  test('C-03: a certificate that expires between offer and use proves nothing', () => {
    const { raw, world } = secured({}, { names: ['vngtp.lab'], notAfter: Date.UTC(2026, 10, 22, 12, 0, 30) });
    expect(raw.received).toContain(EXTERNAL);
    world.clock.advance(31_000);
    expect(saslFailure(raw.say(auth('vngtp.lab')))).toBe('not-authorized');
  });

  test('C-44: a new <auth/> discards the exchange before it', () => {
    const { raw } = secured({}, VNGTP);
    raw.say(auth(undefined));
    expect(saslFailure(raw.say(auth('evil.lab')))).toBe('invalid-authzid');
    expect(saslFailure(raw.say(`<response ${SASL}/>`))).toBe('malformed-request');
  });

  test('C-45: after success', () => {
    expect(streamError(authenticated().raw.say(auth('vngtp.lab')))).toBe('unsupported-stanza-type');
  });

  test('C-45: after dialback has opened the stream', () => {
    const receiving = secured({}, VNGTP);
    receiving.raw.say(result('vngtp.lab', 'coluc.com', 'k'));
    expect(receiving.side.authorized).toHaveLength(1);
    expect(streamError(receiving.raw.say(auth('vngtp.lab')))).toBe('unsupported-stanza-type');
  });

  test('C-47: three failures end the stream', () => {
    const { raw } = secured({}, VNGTP);
    raw.say(auth('a.lab'));
    raw.say(auth('b.lab'));
    const heard = raw.say(auth('c.lab'));
    expect(saslFailure(heard)).toBe('invalid-authzid');
    expect(streamError(heard)).toBe('policy-violation');
  });

  test('C-46: <success/> comes once and alone', () => {
    const { raw } = secured({}, VNGTP);
    expect(raw.say(auth('vngtp.lab'))).toBe(SUCCESS);
    expect(raw.hear()).toBe('');
  });

  test('S-40: a header in the same segment as <auth/> is the one of the new stream', () => {
    const { raw, side } = secured({}, VNGTP);
    expect(raw.say(auth('vngtp.lab') + HEADER)).toMatch(/^<success [^>]*><\?xml .*<stream:features>/);
    expect(side.authorized).toHaveLength(1);
  });

  test('C-26, C-48, R-04: exactly one sender is authorized, whatever else the certificate names', () => {
    const { raw, world } = authenticated({}, { names: ['vngtp.lab', '*.vngtp.lab'] });
    raw.say(message('x@vngtp.lab', 'eva@coluc.com'));
    expect(streamError(raw.say(message('x@muc.vngtp.lab', 'eva@coluc.com')))).toBe('invalid-from');
    expect(world.delivered).toHaveLength(1);
  });

  test('C-49, D-49: db:result on the stream: the same pair is valid at once, another domain is verified', () => {
    const receiving = authenticated();
    expect(receiving.raw.say(result('vngtp.lab', 'coluc.com', 'k'))).toBe(
      "<db:result from='coluc.com' to='vngtp.lab' type='valid'/>",
    );
    expect(receiving.side.claims).toEqual([]);
    expect(receiving.side.authorized).toHaveLength(1);
    receiving.world.point('other.lab', 'raw');
    expect(requestAndVouch(receiving, 'other.lab', 'coluc.com')).toContain("type='valid'");
    expect(receiving.side.authorized.map(({ pair, by }) => [pair.sender, by])).toEqual([
      ['vngtp.lab', 'external'],
      ['other.lab', 'dialback'],
    ]);
  });
});

describe('EXTERNAL at the initiating server', () => {
  test('C-53: with our domain as initial response', () => {
    expect(securing().raw.say(greeting('x', EXTERNAL))).toBe(RAW_AUTH('Y29sdWMuY29t'));
  });

  test('C-51: other mechanisms are not used', () => {
    const { raw } = securing();
    expect(
      raw.say(
        greeting(
          'x',
          `<mechanisms ${SASL}><mechanism>PLAIN</mechanism><mechanism>SCRAM-SHA-256</mechanism></mechanisms>`,
        ),
      ),
    ).toContain('<db:result');
  });

  test('C-51: EXTERNAL in plain text is not used', () => {
    expect(connecting({ tls: 'none' }).raw.say(greeting('x', EXTERNAL))).toContain('<db:result');
  });

  test.each([
    ['dialback is what policy wants', { authentication: 'dialback' } as const],
    ['we have no certificate', { certificate: undefined }],
  ])('EXTERNAL is not used when %s', (_why, plan) => {
    expect(securing(plan).raw.say(greeting('x', EXTERNAL, DIALBACK))).toContain('<db:result');
  });

  test.each([
    [greeting('x', DIALBACK), {}, /does not offer EXTERNAL/],
    [greeting('x', EXTERNAL), { certificate: undefined }, /no certificate to show/],
  ])('C-54: where only certificates are permitted there is no dialback', (xml, plan, because) => {
    const { raw, side } = securing({ authentication: 'external', ...plan });
    expect(streamError(raw.say(xml))).toBe('not-authorized');
    expect(side.ended?.by).toBe('authentication');
    expect(JSON.stringify(side.ended)).toMatch(because);
  });

  test.each(['not-authorized', 'something-new', 'temporary-auth-failure'])(
    'C-54: after %s dialback follows on the same stream',
    (condition) => {
      const { raw } = securing();
      raw.say(greeting('x', EXTERNAL));
      expect(raw.say(`<failure ${SASL}><${condition}/></failure>`)).toContain('<db:result');
    },
  );

  test('C-54: a failure without a condition is one all the same; where certificates are required it is the end', () => {
    const { raw, side } = securing({ authentication: 'external' });
    raw.say(greeting('x', EXTERNAL));
    expect(streamError(raw.say(`<failure ${SASL}>nope<text>certificate unknown</text></failure>`))).toBe(
      'not-authorized',
    );
    expect(side.notes).toContainEqual({
      note: 'external-failed',
      condition: 'not-authorized',
      text: 'certificate unknown',
    });
  });

  test('C-55: a challenge is answered with nothing, once', () => {
    const { raw, side } = securing();
    raw.say(greeting('x', EXTERNAL));
    const challenge = `<challenge ${SASL}>cmVhbGx5Pw==</challenge>`;
    expect(raw.say(challenge)).toBe(`<response ${SASL}/>`);
    expect(raw.say(challenge)).toBe(`<abort ${SASL}/></stream:stream>`);
    expect(side.ended).toMatchObject({ by: 'authentication' });
  });

  test('C-57: a success that nobody asked for', () => {
    for (const { raw, side } of [connecting({ tls: 'none' }), securing()]) {
      expect(streamError(raw.say(header({ id: 'x' }) + SUCCESS))).toBe('not-authorized');
      expect(side.authorized).toEqual([]);
    }
    const { raw, side } = opened();
    expect(streamError(raw.say(SUCCESS))).toBe('not-authorized');
    expect(side.ended).toBeDefined();
  });

  test('an element that is no part of SASL', () => {
    const { raw } = securing();
    raw.say(greeting('x', EXTERNAL));
    expect(streamError(raw.say(`<applause ${SASL}/>`))).toBe('unsupported-stanza-type');
  });

  test.each([
    ['none', undefined, /no certificate/],
    ['a self-signed one', UNTRUSTED, /self-signed/],
    ['one for another name', { names: ['somewhere.else'] }, /somewhere\.else/],
    ['an expired one', { names: ['vngtp.lab'], notAfter: 0 }, /expired/],
  ])('C-28, C-52: where the peer must prove itself and shows %s, nothing is sent', (_what, certificate, because) => {
    const { raw, side } = securing({ peerMustProve: true }, { names: [] });
    expect(raw.isClosed).toBe(false);
    expect(side.ended).toBeUndefined();
    const again = connecting({ peerMustProve: true });
    again.raw.say(greeting('plain', "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"));
    again.raw.say("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    again.raw.startTls(certificate);
    again.raw.hear();
    again.raw.say(greeting('x', EXTERNAL, DIALBACK));
    expect(again.side.ended?.by).toBe('authentication');
    expect(JSON.stringify(again.side.ended)).toMatch(because);
    expect(again.side.written).not.toMatch(/<auth|db:result/);
  });

  test('C-28: nor over plain text', () => {
    const { raw, side } = connecting({ peerMustProve: true, tls: 'none' });
    raw.say(greeting('x', DIALBACK));
    expect(side.ended).toMatchObject({ by: 'authentication' });
  });
});
