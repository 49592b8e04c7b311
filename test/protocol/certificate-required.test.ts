import { describe, expect, test } from 'vitest';
import {
  authenticated,
  connecting,
  greeted,
  greeting,
  opened,
  requestAndVouch,
  secured,
  securing,
  UNTRUSTED,
  VNGTP,
} from './peers.ts';
import type { Certificate } from './wire.ts';
import {
  DIALBACK,
  dialbackError,
  EXTERNAL,
  features,
  header,
  message,
  result,
  STARTTLS,
  SUCCESS,
  streamError,
} from './xml.ts';

const REQUIRED = { requireCertificate: true } as const;
const PROVEN_NOT = 'A certificate that proves your domain is required.';
const OTHER: Certificate = { names: ['other.lab'] };

describe('a partner must show a certificate that proves its domain: receiving', () => {
  test.each(['required', 'optional'] as const)('T-01: TLS is %s: STARTTLS comes first, and alone', (tls) => {
    const { raw } = greeted({ ...REQUIRED, tls });
    expect(raw.received).toContain(
      features("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"),
    );
  });

  test('T-37, T-32: dialback in plain text is answered with the reason once, and then cut off', () => {
    const { raw, side } = greeted({ ...REQUIRED, tls: 'optional' });
    expect(dialbackError(raw.say(result('vngtp.lab', 'coluc.com', 'k')))).toBe('policy-violation');
    expect(streamError(raw.say(result('vngtp.lab', 'coluc.com', 'k')))).toBe('policy-violation');
    expect(side.claims).toEqual([]);
  });

  test.each([
    ['with both domains', { version: '' }],
    ['that names nobody', { version: '', from: undefined, to: undefined }],
  ])('T-37: a header from before XMPP 1.0 %s cannot lead to a certificate', (_what, parts) => {
    const { raw } = greeted({ ...REQUIRED, tls: 'optional' }, parts);
    expect(streamError(raw.received)).toBe('policy-violation');
  });

  test('T-37: the stream ends where TLS is switched off: nobody can prove anything', () => {
    const { raw, side } = greeted({ ...REQUIRED, tls: 'none' });
    expect([streamError(raw.received), side.ended]).toMatchObject([
      'policy-violation',
      { by: 'authentication', because: 'the connection is not encrypted' },
    ]);
  });

  test.each<[string, Certificate | undefined, 'either' | 'dialback', because: string]>([
    ['none', undefined, 'either', 'the peer showed no certificate'],
    ['none', undefined, 'dialback', 'the peer showed no certificate'],
    ['one that nobody vouches for', UNTRUSTED, 'either', 'the certificate is self-signed'],
    ['one that nobody vouches for', UNTRUSTED, 'dialback', 'the certificate is self-signed'],
    ['one for another name', OTHER, 'either', 'the certificate presents only DNS:other.lab; not vngtp.lab'],
    ['one for another name', OTHER, 'dialback', 'the certificate presents only DNS:other.lab; not vngtp.lab'],
  ])(
    'C-34: behind TLS, with %s (%s): the stream ends at once, with the reason',
    (_what, certificate, authentication, because) => {
      const { heard, side } = secured({ ...REQUIRED, authentication }, certificate);
      expect(streamError(heard)).toBe('policy-violation');
      expect(heard).toContain(`>${PROVEN_NOT}</text>`);
      expect(side.ended).toEqual({ by: 'authentication', because });
      expect(side.refused).toEqual([
        { pair: { sender: 'vngtp.lab', target: 'coluc.com' }, because: { by: 'authentication', because } },
      ]);
    },
  );

  test('with one that proves it, EXTERNAL works', () => {
    const { side } = authenticated(REQUIRED);
    expect(side.authorized).toMatchObject([{ by: 'external' }]);
  });

  test('XEP-0344 §2.4: dialback with one that proves it is valid at once', () => {
    const receiving = secured(REQUIRED, VNGTP);
    expect(receiving.heard).toContain(features(EXTERNAL, DIALBACK));
    expect(receiving.raw.say(result('vngtp.lab', 'coluc.com', 'k'))).toContain("type='valid'");
    expect(receiving.side.claims).toEqual([]);
  });

  test('where only dialback counts the certificate is needed, and the authoritative server is asked all the same', () => {
    const receiving = secured({ ...REQUIRED, authentication: 'dialback' }, VNGTP);
    expect(receiving.heard).toContain(features(DIALBACK));
    expect(requestAndVouch(receiving, 'vngtp.lab', 'coluc.com')).toContain("type='valid'");
    expect([receiving.side.claims.length, receiving.side.authorized]).toMatchObject([1, [{ by: 'dialback' }]]);
  });

  test.each(['either', 'dialback', 'external'] as const)(
    'T-37, XEP-0220 §2.5: a second sender that the certificate does not name is not authorized (%s); the first goes on',
    (authentication) => {
      const first =
        authentication === 'dialback' ? dialedBackSecured() : authenticated({ ...REQUIRED, authentication });
      const { raw, side, world } = first;
      const asked = side.claims.length;
      world.point('other.lab', 'raw');
      const heard = raw.say(result('other.lab', 'coluc.com', 'k'));
      expect(dialbackError(heard)).toBe('not-authorized');
      expect(heard).toContain(`>${PROVEN_NOT}</text>`);
      expect(side.claims).toHaveLength(asked);
      expect(side.refused.at(-1)).toEqual({
        pair: { sender: 'other.lab', target: 'coluc.com' },
        because: { by: 'authentication', because: 'the certificate presents only DNS:vngtp.lab; not other.lab' },
      });
      raw.say(message('a@vngtp.lab', 'b@coluc.com'));
      expect([world.delivered.length, side.ended]).toEqual([1, undefined]);
    },
  );

  test('C-33: a peer that does not say who it is may still ask; then its certificate decides', () => {
    const nameless = { from: undefined };
    const good = secured({ ...REQUIRED, authentication: 'dialback' }, VNGTP, nameless, nameless);
    expect(good.heard).toContain(features(DIALBACK));
    expect(dialbackError(good.raw.say(result('other.lab', 'coluc.com', 'k')))).toBe('not-authorized');
    requestAndVouch(good, 'vngtp.lab', 'coluc.com');
    expect(good.side.authorized).toHaveLength(1);
    const bad = secured({ ...REQUIRED, authentication: 'dialback' }, UNTRUSTED, nameless, nameless);
    expect(streamError(bad.heard)).toBe('policy-violation');
  });

  test('it is a matter of the partner: another one proves itself by dialback as ever', () => {
    const receiving = greeted({ tls: 'optional', ruling: ofVngtpOnly }, { from: 'other.lab' });
    receiving.world.point('other.lab', 'raw');
    requestAndVouch(receiving, 'other.lab', 'coluc.com');
    expect(receiving.side.authorized).toHaveLength(1);
  });
});

function ofVngtpOnly(remote: string | undefined) {
  return { requireCertificate: remote === 'vngtp.lab' };
}

/** A stream over TLS that was opened by dialback beside a certificate that proves the domain. */
function dialedBackSecured() {
  const receiving = secured({ ...REQUIRED, authentication: 'dialback' }, VNGTP);
  requestAndVouch(receiving, 'vngtp.lab', 'coluc.com');
  return receiving;
}

describe('a partner must show a certificate that proves its domain: initiating', () => {
  test('RFC 7590 §3.1: STARTTLS is asked for where it is optional and not offered', () => {
    const { raw } = connecting({ ...REQUIRED, tls: 'optional' });
    expect(raw.say(greeting('plain', DIALBACK))).toBe(STARTTLS);
  });

  test('T-33: a peer that has none is left: nothing is sent in plain text', () => {
    const { raw, side } = connecting({ ...REQUIRED, tls: 'optional' });
    raw.say(header({ from: 'vngtp.lab', to: 'coluc.com', id: 'x', version: '' }));
    expect(side.ended).toMatchObject({ by: 'policy' });
    expect(side.written).not.toContain('db:result');
  });

  test('C-28: where TLS is switched off nothing is sent at all', () => {
    const { raw, side } = connecting({ ...REQUIRED, tls: 'none' });
    raw.say(greeting('plain', DIALBACK));
    expect(side.ended).toEqual({ by: 'authentication', because: 'the connection is not encrypted' });
    expect(side.written).not.toContain('db:result');
  });

  test.each<[string, Certificate, 'either' | 'dialback' | 'external']>([
    ['nobody vouches for it', UNTRUSTED, 'either'],
    ['nobody vouches for it', UNTRUSTED, 'dialback'],
    ['nobody vouches for it', UNTRUSTED, 'external'],
    ['it is for another name', OTHER, 'either'],
    ['it is for another name', OTHER, 'dialback'],
  ])(
    'C-28: a certificate that proves nothing, because %s: neither key nor certificate nor stanza is sent (%o, %s)',
    (_what, certificate, authentication) => {
      const { raw, side } = securing({ ...REQUIRED, authentication }, certificate);
      raw.say(greeting('secure', EXTERNAL, DIALBACK));
      expect(side.ended).toMatchObject({ by: 'authentication' });
      expect(streamError(side.written)).toBe('not-authorized');
      expect(side.written).not.toMatch(/<auth|db:result/);
    },
  );

  test('with one that proves it the stream opens', () => {
    expect(opened(REQUIRED).side.authorized).toMatchObject([{ by: 'external' }]);
    const { raw, side } = securing({ ...REQUIRED, authentication: 'dialback' });
    raw.say(greeting('secure', EXTERNAL, DIALBACK));
    expect(side.written).toContain('db:result');
    raw.say("<db:result from='vngtp.lab' to='coluc.com' type='valid'/>");
    expect(side.authorized).toMatchObject([{ by: 'dialback' }]);
  });

  test('an authoritative server that cannot prove itself is asked nothing', () => {
    const receiving = secured({ ...REQUIRED, authentication: 'dialback' }, VNGTP);
    receiving.raw.say(result('vngtp.lab', 'coluc.com', 'k'));
    const [authoritative] = receiving.world.opened;
    authoritative?.raw?.hear();
    authoritative?.raw?.say(greeting('plain', STARTTLS));
    authoritative?.raw?.say("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    authoritative?.raw?.startTls(UNTRUSTED);
    authoritative?.raw?.hear();
    authoritative?.raw?.say(greeting('secure', DIALBACK));
    expect(authoritative?.client.ended).toMatchObject({ by: 'authentication' });
    expect(authoritative?.client.written).not.toContain('db:verify');
    expect(dialbackError(receiving.raw.hear())).toBeDefined();
    expect(receiving.side.authorized).toEqual([]);
  });
});

describe('certificates become required, or are no longer', () => {
  test('E-35: a stream that was proven by dialback alone resets; one with a certificate stays', () => {
    const without = secured({ authentication: 'either' }, UNTRUSTED);
    requestAndVouch(without, 'vngtp.lab', 'coluc.com');
    const proven = authenticated();
    for (const { server, side } of [without, proven]) {
      server.plan = { ...server.plan, ...REQUIRED };
      side.handle({ type: 'policy-changed' });
    }
    expect(streamError(without.raw.hear())).toBe('reset');
    expect(proven.side.ended).toBeUndefined();
    proven.server.plan = { ...proven.server.plan, requireCertificate: false };
    proven.side.handle({ type: 'policy-changed' });
    expect(proven.side.ended).toBeUndefined();
  });

  test('a verification that runs for a sender without a certificate is answered at once', () => {
    const { raw, side, server } = secured({}, UNTRUSTED);
    raw.say(result('vngtp.lab', 'coluc.com', 'k'));
    expect(side.claims).toHaveLength(1);
    raw.hear();
    server.plan = { ...server.plan, ...REQUIRED };
    side.handle({ type: 'policy-changed' });
    expect(dialbackError(raw.hear())).toBe('not-authorized');
  });

  test('C-28: a stream of ours to a peer that has proven nothing resets; one to a peer that has stays', () => {
    const unproven = securing({}, UNTRUSTED);
    unproven.raw.say(greeting('secure', EXTERNAL));
    unproven.raw.say(SUCCESS);
    unproven.raw.say(greeting('authenticated'));
    const proven = opened();
    for (const { server, side } of [unproven, proven]) {
      expect(side.authorized).toHaveLength(1);
      server.plan = { ...server.plan, ...REQUIRED };
      side.handle({ type: 'policy-changed' });
    }
    expect(unproven.side.ended).toMatchObject({ by: 'us', condition: 'reset' });
    expect(proven.side.ended).toBeUndefined();
  });
});
