import { describe, expect, test } from 'vitest';
import { type Domain, parseDomain } from '../../src/protocol/jid/domain.ts';
import { connected, connecting, greeting, HEADER, type Receiving, requestAndVouch, UNTRUSTED, VNGTP } from './peers.ts';
import type { Certificate } from './wire.ts';
import { type ServerPlan, World } from './world.ts';
import { auth, DIALBACK, EXTERNAL, header, message, STARTTLS, SUCCESS, streamError, TLS_FAILURE } from './xml.ts';

const HOMES = ['coluc.com', 'conference.coluc.com', 'other.com'];
const DIRECT: Partial<ServerPlan> = {
  domains: HOMES,
  directTls: { domain: 'coluc.com', shared: ['conference.coluc.com'] },
};

/** A peer has connected to our port of direct TLS, and the handshake is done; `sni` as it came. */
function arrived(plan: Partial<ServerPlan> = {}, show?: Certificate, sni?: string): Receiving {
  const receiving = connected({ ...DIRECT, ...plan });
  receiving.side.served = sni === undefined ? undefined : domain(sni);
  receiving.raw.startTls(show);
  return receiving;
}

describe('direct TLS at the receiving server (XEP-0368)', () => {
  test('T-30: nothing is said before TLS; inside it STARTTLS is not offered, and EXTERNAL and dialback are', () => {
    const { raw, side } = connected(DIRECT);
    expect(raw.hear()).toBe('');
    expect(side.waitingFor).toEqual([]);
    raw.startTls(VNGTP);
    const heard = raw.say(HEADER);
    expect(heard).not.toContain('starttls');
    expect(heard).toContain('<mechanism>EXTERNAL</mechanism>');
    expect(heard).toContain('urn:xmpp:features:dialback');
  });

  test('T-30: a certificate proves the peer as after STARTTLS, and stanzas get in', () => {
    const { world, raw, side } = arrived({ authentication: 'external', tls: 'required' }, VNGTP);
    raw.say(HEADER);
    expect(raw.say(auth('vngtp.lab'))).toContain('<success');
    raw.say(HEADER);
    raw.say(message('jan@vngtp.lab', 'eva@coluc.com'));
    expect(side.authorized).toMatchObject([{ by: 'external' }]);
    expect(world.delivered).toHaveLength(1);
  });

  test('T-30: so does dialback, without a certificate that is good for anything', () => {
    const receiving = arrived({ tls: 'required' }, UNTRUSTED);
    expect(receiving.raw.say(HEADER)).not.toContain('EXTERNAL');
    expect(requestAndVouch(receiving, 'vngtp.lab', 'coluc.com')).toContain("type='valid'");
  });

  test('T-07, T-30: <starttls/> inside is a failure, and the end', () => {
    const { raw, side } = arrived({}, VNGTP);
    raw.say(HEADER);
    expect(raw.say(STARTTLS)).toBe(`${TLS_FAILURE}</stream:stream>`);
    expect(raw.isClosed).toBe(true);
    expect(side.ended).toMatchObject({ by: 'us', condition: 'policy-violation' });
  });

  test('S-53: plaintext where the handshake should begin gets no answer', () => {
    const { raw, side } = connected(DIRECT);
    expect(raw.say(HEADER)).toBe('');
    expect(raw.isClosed).toBe(true);
    expect(side.ended).toMatchObject({ by: 'network', stage: 'tls' });
  });

  test('S-52: the header has its time-out from the end of the handshake on', () => {
    const { world, raw, side } = arrived();
    world.clock.advance(19_999);
    expect(side.ended).toBeUndefined();
    world.clock.advance(1);
    expect(raw.hear()).toBe('');
    expect(side.ended).toMatchObject({ by: 'timeout' });
  });

  test.each([
    ['without SNI, the domain that is shown then', undefined, 'coluc.com', undefined],
    ['without SNI, one that shares its certificate', undefined, 'conference.coluc.com', undefined],
    ['without SNI, one with another certificate', undefined, 'other.com', 'policy-violation'],
    ['with SNI, that domain', 'other.com', 'other.com', undefined],
    ['with SNI, one that shares its certificate', 'conference.coluc.com', 'coluc.com', undefined],
    ['with SNI, one with another certificate', 'other.com', 'coluc.com', 'policy-violation'],
    ['with SNI, one that is not served', 'coluc.com', 'third.com', 'host-unknown'],
    ['with SNI, none', 'coluc.com', undefined, 'improper-addressing'],
  ])('T-28: %s, as the "to" of the header', (_, sni, to, error) => {
    const { raw } = arrived({}, VNGTP, sni);
    const heard = raw.say(header({ from: 'vngtp.lab', to }));
    expect(streamError(heard)).toBe(error);
  });

  test('whom TLS is switched off for gets none, on whichever port', () => {
    const { raw, side } = arrived({ tls: 'none' }, VNGTP);
    expect(streamError(raw.say(HEADER))).toBe('policy-violation');
    const because = 'the peer came by direct TLS, and TLS is switched off for it';
    expect(side.ended).toEqual({ by: 'policy', because });
  });

  test('a stream that is closed in the handshake says nothing', () => {
    const { raw, side } = connected(DIRECT);
    side.handle({ type: 'close', why: 'shutdown' });
    expect(raw.hear()).toBe('');
    expect(side.ended).toBeDefined();
  });
});

describe('direct TLS at the initiating server (XEP-0368)', () => {
  test('N-16: nothing is said before TLS, and then the header with both addresses (S-10)', () => {
    const { raw } = connecting({ dialsDirectTls: true });
    expect(raw.received).toBe('');
    raw.startTls(VNGTP);
    expect(raw.received).toContain("from='coluc.com' to='vngtp.lab'");
  });

  test('T-30: STARTTLS is not asked for, though it be offered and required; EXTERNAL is used', () => {
    const { raw, side } = connecting({ dialsDirectTls: true, tls: 'required' });
    raw.startTls(VNGTP);
    raw.hear();
    const offer = STARTTLS.replace('/>', '><required/></starttls>');
    expect(raw.say(greeting('one', offer, EXTERNAL))).toBe(auth('coluc.com'));
    raw.say(SUCCESS);
    raw.say(greeting('two'));
    expect(side.authorized).toMatchObject([{ by: 'external' }]);
  });

  test('dialback goes on it as well, where the policy lets it', () => {
    const { raw } = connecting({ dialsDirectTls: true, tls: 'required' });
    raw.startTls(UNTRUSTED);
    raw.hear();
    expect(raw.say(greeting('one', DIALBACK))).toContain('<db:result');
  });

  test('N-19: a certificate that does not prove the domain is no better here than after STARTTLS', () => {
    const { raw, side } = connecting({ dialsDirectTls: true, authentication: 'external', peerMustProve: true });
    raw.startTls({ names: ['xmpp.vngtp.lab'] });
    raw.hear();
    raw.say(greeting('one', EXTERNAL));
    expect(side.ended).toMatchObject({ by: 'authentication' });
  });

  test('N-19: plaintext in the place of the handshake ends the attempt, as a failure of TLS', () => {
    const { raw, side } = connecting({ dialsDirectTls: true });
    raw.say(greeting('one', DIALBACK));
    expect(side.ended).toMatchObject({ by: 'network', stage: 'tls' });
    expect(raw.received).toBe('');
  });

  test('where TLS is switched off it is not begun', () => {
    const { raw, side } = connecting({ dialsDirectTls: true, tls: 'none' });
    const because = 'the endpoint is one of direct TLS, and TLS is switched off for the domain';
    expect(side.ended).toEqual({ by: 'policy', because });
    expect(raw.isClosed).toBe(true);
  });

  test('a policy that changes in the handshake decides at once', () => {
    const { server, raw, side } = connecting({ dialsDirectTls: true });
    server.plan = { ...server.plan, ruling: () => ({ admitted: false, because: 'the partner was denied' }) };
    side.handle({ type: 'policy-changed' });
    expect(raw.hear()).toBe('');
    expect(side.ended).toMatchObject({ by: 'policy', because: 'the partner was denied' });
  });
});

test('two servers of direct TLS, with each other: EXTERNAL, then dialback', () => {
  for (const authentication of ['external', 'dialback'] as const) {
    const world = new World();
    const plan = { tls: 'required', authentication } as const;
    const one = world.server({
      ...plan,
      domains: ['coluc.com'],
      certificate: { names: ['coluc.com'] },
      directTls: { domain: 'coluc.com' },
    });
    world.server({ ...plan, domains: ['vngtp.lab'], certificate: VNGTP, directTls: { domain: 'vngtp.lab' } });
    const { client, server } = one.open('vngtp.lab');
    expect(client.authorized).toMatchObject([{ by: authentication }]);
    expect(client.written + (server?.written ?? '')).not.toContain('starttls');
  }
});

function domain(text: string): Domain {
  const parsed = parseDomain(text);
  if (parsed === undefined) throw new TypeError(`not a domain: ${text}`);
  return parsed;
}
