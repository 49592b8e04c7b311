import { describe, expect, test } from 'vitest';
import type { StreamEvent } from '../../src/protocol/stream/actions.ts';
import {
  asking,
  authenticated,
  connected,
  connecting,
  dialedBack,
  greeted,
  greeting,
  opened,
  requestAndVouch,
  secured,
  securing,
  VNGTP,
  verifyAnswer,
  verifying,
} from './peers.ts';
import { DIALBACK, dialbackError, EXTERNAL, header, message, result, STARTTLS, SUCCESS, streamError } from './xml.ts';

const CHANGED: StreamEvent = { type: 'policy-changed' };
const NO_LONGER = 'Federation with this domain is no longer permitted.';

const deny = (domain: string) => (remote: string | undefined) =>
  remote === domain ? { admitted: false, because: 'denied now' } : {};

describe('the policy changes', () => {
  test.each([
    ['the sender is denied', { ruling: deny('vngtp.lab') }, 'policy-violation'],
    ['the target is no longer ours', { domains: ['other.example'] }, 'item-not-found'],
    ['dialback is switched off', { authentication: 'external' as const }, 'not-authorized'],
    ['TLS is required', { tls: 'required' as const }, 'policy-violation'],
  ])('while a verification runs: %s: valid does not authorize any more', (_what, change, condition) => {
    const { authoritative, raw, server, side, id } = verifying();
    server.plan = { ...server.plan, ...change };
    authoritative.say(verifyAnswer(id, 'valid'));
    expect(dialbackError(raw.hear())).toBe(condition);
    expect(side.authorized).toEqual([]);
  });

  test('S-19: a stream that waits for somebody who is denied now ends', () => {
    const { raw, server, side } = greeted();
    server.plan = { ...server.plan, ruling: deny('vngtp.lab') };
    side.handle({ type: 'policy-changed' });
    expect(streamError(raw.hear())).toBe('policy-violation');
    const before = connected();
    before.side.handle({ type: 'policy-changed' });
    expect(before.side.ended).toBeUndefined();
    const unchanged = greeted();
    unchanged.side.handle({ type: 'policy-changed' });
    expect(unchanged.side.ended).toBeUndefined();
  });

  test('R-29: of two senders one is denied: its stanzas are dropped, until it is allowed again', () => {
    const receiving = dialedBack();
    const { raw, side, server, world } = receiving;
    world.point('other.lab', 'raw');
    requestAndVouch(receiving, 'other.lab', 'coluc.com');
    server.plan = { ...server.plan, ruling: deny('vngtp.lab') };
    side.handle({ type: 'policy-changed' });
    raw.say(message('a@vngtp.lab', 'b@coluc.com', 'lost') + message('a@other.lab', 'b@coluc.com', 'kept'));
    expect(world.delivered).toHaveLength(1);
    expect(side.notes).toContainEqual({ note: 'dropped', kind: 'message', because: 'denied now' });
    server.plan = { ...server.plan, ruling: () => ({}) };
    side.handle({ type: 'policy-changed' });
    expect(raw.say(message('a@vngtp.lab', 'b@coluc.com', 'again'))).toBe('');
    expect(world.delivered).toHaveLength(2);
    expect(side.ended).toBeUndefined();
  });

  test.each([
    ['everybody on it is denied', { ruling: deny('vngtp.lab') }, 'policy-violation'],
    ['E-24: the domain it is for is gone', { domains: ['other.example'] }, 'host-gone'],
    ['TLS is required', { tls: 'required' as const }, 'reset'],
    ['E-35: certificates are required', { authentication: 'external' as const }, 'reset'],
  ])('an open stream ends when %s', (_what, change, condition) => {
    const { raw, side, server } = dialedBack();
    server.plan = { ...server.plan, ...change };
    side.handle({ type: 'policy-changed' });
    expect(streamError(raw.hear())).toBe(condition);
  });

  test('R-29: the peer is told that it is not permitted any more; which setting says so is for our log', () => {
    const { raw, side, server } = dialedBack();
    const because = 'federation is off';
    server.plan = { ...server.plan, ruling: () => ({ admitted: false, because }) };
    side.handle(CHANGED);
    const heard = raw.hear();
    expect(streamError(heard)).toBe('policy-violation');
    expect(heard).toContain(`>${NO_LONGER}</text>`);
    expect(heard).toMatch(/<\/stream:stream>$/);
    expect(heard).not.toContain(because);
    expect(side.ended).toEqual({ by: 'policy', because });
    expect(side.refused).toEqual([
      { pair: { sender: 'vngtp.lab', target: 'coluc.com' }, because: { by: 'policy', because } },
    ]);
  });

  test('R-29: a pair that loses its way on a stream with others is told of once, and again when it loses it again', () => {
    const receiving = dialedBack();
    const { side, server, world } = receiving;
    world.point('other.lab', 'raw');
    requestAndVouch(receiving, 'other.lab', 'coluc.com');
    const denied = { ...server.plan, ruling: deny('vngtp.lab') };
    const admitted = { ...server.plan, ruling: () => ({}) };
    for (const plan of [denied, denied, admitted, denied]) {
      server.plan = plan;
      side.handle(CHANGED);
    }
    expect(side.refused.map(({ pair }) => pair.sender)).toEqual(['vngtp.lab', 'vngtp.lab']);
    expect(side.ended).toBeUndefined();
  });

  test('R-06, R-29: a home is switched off: a stream that serves another home too goes on for that one', () => {
    const receiving = dialedBack({ domains: ['coluc.com', 'conference.coluc.com'] });
    const { raw, side, server, world } = receiving;
    raw.say(message('a@vngtp.lab', 'r@conference.coluc.com', 'before'));
    server.plan = { ...server.plan, homesOff: ['coluc.com'] };
    side.handle(CHANGED);
    expect(raw.say(message('a@vngtp.lab', 'b@coluc.com', 'lost'))).toBe('');
    raw.say(message('a@vngtp.lab', 'r@conference.coluc.com', 'kept'));
    expect(world.delivered.map((each) => /<body>(\w+)/.exec(each)?.[1])).toEqual(['before', 'kept']);
    server.plan = { ...server.plan, homesOff: ['coluc.com', 'conference.coluc.com'] };
    side.handle(CHANGED);
    expect(side.ended).toEqual({ by: 'policy', because: 'conference.coluc.com is off' });
  });

  test('R-29: a home is switched off: a stream that was for it alone ends', () => {
    const { raw, side, server } = dialedBack({ domains: ['coluc.com', 'conference.coluc.com'] });
    server.plan = { ...server.plan, homesOff: ['coluc.com'] };
    side.handle(CHANGED);
    expect(streamError(raw.hear())).toBe('policy-violation');
    expect(side.ended).toEqual({ by: 'policy', because: 'coluc.com is off' });
  });

  test('S-19: a stream from before XMPP 1.0 that names nobody is heard, unless nobody is admitted at all', () => {
    const nameless = { version: '', from: undefined, to: undefined };
    const nobody = { ruling: () => ({ admitted: false, because: 'federation is off' }) };
    expect(streamError(greeted(nobody, nameless).raw.received)).toBe('policy-violation');
    const { raw, side, server } = greeted({}, nameless);
    expect(side.ended).toBeUndefined();
    server.plan = { ...server.plan, ...nobody };
    side.handle(CHANGED);
    expect(streamError(raw.hear())).toBe('policy-violation');
    expect(side.ended).toEqual({ by: 'policy', because: 'federation is off' });
  });

  test('S-19: a stream in the middle of the TLS handshake ends without a word', () => {
    const { raw, side, server } = greeted();
    raw.say(STARTTLS);
    server.plan = { ...server.plan, ruling: deny('vngtp.lab') };
    side.handle(CHANGED);
    expect(side.ended).toMatchObject({ by: 'policy' });
    expect(streamError(raw.hear())).toBeUndefined();
  });

  test('a verification that runs for a pair which is not admitted any more is answered at once', () => {
    const { raw, side, server, world } = dialedBack();
    world.point('other.lab', 'raw');
    raw.say(result('other.lab', 'coluc.com', 'k'));
    raw.hear();
    server.plan = { ...server.plan, ruling: deny('other.lab') };
    side.handle(CHANGED);
    expect(dialbackError(raw.hear())).toBe('policy-violation');
    expect(side.refused).toEqual([
      { pair: { sender: 'other.lab', target: 'coluc.com' }, because: { by: 'policy', because: 'denied now' } },
    ]);
    expect(side.ended).toBeUndefined();
  });

  test('looser rules leave every stream alone', () => {
    const strict = { tls: 'required', authentication: 'external', requireCertificate: true } as const;
    const loose = { tls: 'optional', authentication: 'either', requireCertificate: false } as const;
    for (const { side, server } of [authenticated(strict), opened({ ...strict, peerMustProve: true })]) {
      server.plan = { ...server.plan, ...loose };
      const before = side.written;
      side.handle(CHANGED);
      expect([side.ended, side.written]).toEqual([undefined, before]);
    }
  });

  test('a stream that is proven as the new policy wants it stays', () => {
    const { side, server } = authenticated();
    server.plan = { ...server.plan, tls: 'required', authentication: 'external' };
    side.handle({ type: 'policy-changed' });
    expect(side.ended).toBeUndefined();
    server.plan = { ...server.plan, authentication: 'dialback' };
    side.handle({ type: 'policy-changed' });
    expect(side.ended).toMatchObject({ condition: 'reset' });
  });
});

describe('the policy changes: streams of ours', () => {
  test.each([
    ['is in use', () => opened()],
    ['waits for the header', () => connecting()],
    ['waits for the answer to a key', () => asking()],
    ['waits for the answer to EXTERNAL', () => untilSasl()],
  ])('R-29: one that %s ends when its pair is denied; the peer is told, and not why', (_what, begin) => {
    const { raw, side, server } = begin();
    server.plan = { ...server.plan, ruling: deny('vngtp.lab') };
    side.handle(CHANGED);
    const heard = raw.hear();
    expect(streamError(heard)).toBe('policy-violation');
    expect(heard).toContain(`>${NO_LONGER}</text>`);
    expect(heard).not.toContain('denied now');
    expect(side.ended).toEqual({ by: 'policy', because: 'denied now' });
  });

  test('R-29: one whose pair was denied while we dialed says nothing', () => {
    const { side, raw } = connecting({ ruling: deny('vngtp.lab') });
    expect([side.ended, raw.received]).toEqual([{ by: 'policy', because: 'denied now' }, '']);
  });

  test('R-29: other pairs are none of its business', () => {
    const { raw, side, server } = opened();
    server.plan = { ...server.plan, ruling: deny('other.lab') };
    side.handle(CHANGED);
    expect([side.ended, raw.hear()]).toEqual([undefined, '']);
  });

  test.each([
    ['TLS is required, and it has none', () => dialingBack(), { tls: 'required' as const }, 'reset'],
    ['TLS is required, and a key is out in plain text', () => asking(), { tls: 'required' as const }, 'reset'],
    ['certificates are required, and it has none', () => asking(), { requireCertificate: true }, 'reset'],
    [
      'only certificates count, and a key was used',
      () => dialingBack(),
      { authentication: 'external' as const },
      'reset',
    ],
    [
      'only dialback counts, and a certificate was used',
      () => opened(),
      { authentication: 'dialback' as const },
      'reset',
    ],
    [
      'only dialback counts, and a certificate is being shown',
      () => untilSasl(),
      { authentication: 'dialback' as const },
      'reset',
    ],
    ['TLS is required, and it has TLS', () => opened(), { tls: 'required' as const }, undefined],
    ['certificates are required, and it has seen one', () => opened(), { requireCertificate: true }, undefined],
    ['only certificates count, and they were used', () => opened(), { authentication: 'external' as const }, undefined],
    ['TLS is switched off, and it has TLS', () => opened(), { tls: 'none' as const }, undefined],
    ['TLS is required, and nothing is settled yet', () => connecting(), { tls: 'required' as const }, undefined],
  ])('E-35: %s', (_what, begin, change, condition) => {
    const { side, server } = begin();
    server.plan = { ...server.plan, ...change };
    side.handle(CHANGED);
    expect(side.ended === undefined ? undefined : 'condition' in side.ended && side.ended.condition).toBe(condition);
  });

  test('what is not settled yet is settled as is wanted now', () => {
    const { raw, side, server } = connecting({ tls: 'optional' });
    raw.say(header({ from: 'vngtp.lab', to: 'coluc.com', id: 'x' }));
    server.plan = { ...server.plan, tls: 'required' };
    side.handle(CHANGED);
    expect(raw.say('<stream:features/>')).toBe(STARTTLS);
  });

  test('after EXTERNAL, before the header that follows: dialback is wanted now', () => {
    const { raw, side, server } = untilSasl();
    raw.say(SUCCESS);
    server.plan = { ...server.plan, authentication: 'dialback' };
    side.handle(CHANGED);
    expect(side.ended).toMatchObject({ condition: 'reset' });
  });

  test('D-70: a question to the authoritative server goes on when only certificates count, and ends when its pair is denied', () => {
    const { world, authoritative } = verifying();
    const client = world.opened[0]?.client;
    const coluc = world.find('coluc.com');
    if (coluc === 'raw' || 'by' in coluc) throw new Error('coluc.com is a server');
    coluc.plan = { ...coluc.plan, authentication: 'external' };
    client?.handle(CHANGED);
    expect(client?.ended).toBeUndefined();
    coluc.plan = { ...coluc.plan, ruling: deny('vngtp.lab') };
    client?.handle(CHANGED);
    expect(client?.answers).toMatchObject([{ verdict: 'error' }]);
    expect(streamError(authoritative.hear())).toBe('policy-violation');
  });
});

describe('somebody on our side wants a stream gone', () => {
  const reason = 'moved to another provider';

  test.each([
    ['that a peer opened', () => authenticated()],
    ['that we opened', () => opened()],
  ])('an administrator: one %s ends in good order, and the log has the reason', (_what, begin) => {
    const { raw, side } = begin();
    raw.hear();
    side.handle({ type: 'close', why: 'administrator', reason });
    expect(raw.hear()).toBe('</stream:stream>');
    expect(side.notes).toContainEqual({ note: 'closed-by-administrator', reason });
    raw.say('</stream:stream>');
    expect(side.ended).toEqual({ by: 'close' });
  });

  test('an administrator: one that has not begun is dropped', () => {
    const { raw, side } = connected();
    side.handle({ type: 'close', why: 'administrator', reason });
    expect([side.ended, raw.hear()]).toEqual([{ by: 'close' }, '']);
  });

  test.each([
    ['that a peer opened', () => authenticated()],
    ['that we opened', () => opened()],
    ['that waits for the header', () => connecting()],
  ])('R-29: the policy: one %s ends with an error that does not say which setting it was', (_what, begin) => {
    const { raw, side } = begin();
    side.handle({ type: 'close', why: 'policy', because: 'deny.*.lab denies it' });
    const heard = raw.hear();
    expect(streamError(heard)).toBe('policy-violation');
    expect(heard).not.toContain('deny');
    expect(side.ended).toEqual({ by: 'policy', because: 'deny.*.lab denies it' });
  });
});

describe('what a stream says of itself', () => {
  const certificate = 'the certificate proves vngtp.lab';
  const addresses = { local: 'coluc.com', remote: 'vngtp.lab' };

  test.each([
    ['has just been accepted', () => connected(), { state: 'pending', local: undefined, remote: undefined }],
    ['has a header', () => greeted(), { state: 'pending', ...addresses, tls: undefined, certificate: undefined }],
    ['has TLS and no certificate', () => secured(), { ...addresses, certificate: 'the peer showed no certificate' }],
    ['has TLS and a certificate', () => secured({}, VNGTP), { state: 'pending', certificate, authorized: [] }],
    [
      'was proven by EXTERNAL',
      () => authenticated(),
      {
        state: 'connected',
        ...addresses,
        tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384',
        certificate,
        authorized: [{ sender: 'vngtp.lab', target: 'coluc.com', by: 'external' }],
      },
    ],
    [
      'was proven by dialback',
      () => dialedBack(),
      {
        state: 'connected',
        tls: undefined,
        certificate: undefined,
        authorized: [{ sender: 'vngtp.lab', target: 'coluc.com', by: 'dialback' }],
      },
    ],
    ['of ours waits for the header', () => connecting(), { state: 'pending', ...addresses, authorized: [] }],
    [
      'of ours is in use',
      () => opened(),
      {
        state: 'connected',
        ...addresses,
        tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384',
        certificate,
        authorized: [{ sender: 'coluc.com', target: 'vngtp.lab', by: 'external' }],
      },
    ],
  ])('one that %s', (_what, begin, facts) => {
    const { side, world } = begin();
    expect(side.stream.facts(world.clock.now)).toMatchObject(facts);
  });

  test('pairs that are not admitted any more are not among the authorized', () => {
    const receiving = dialedBack();
    const { side, server, world } = receiving;
    world.point('other.lab', 'raw');
    requestAndVouch(receiving, 'other.lab', 'coluc.com');
    server.plan = { ...server.plan, ruling: deny('vngtp.lab') };
    side.handle(CHANGED);
    expect(side.stream.facts(world.clock.now).authorized.map(({ sender }) => sender)).toEqual(['other.lab']);
  });

  test('a certificate that has expired meanwhile proves nothing now', () => {
    const { side, world } = authenticated({}, { names: ['vngtp.lab'], notAfter: 1_900_000_000_000 });
    expect(side.stream.facts(world.clock.now).certificate).toBe(certificate);
    expect(side.stream.facts(1_900_000_000_001).certificate).toContain('expired');
  });

  test('one that is over is closed', () => {
    const { side, raw, world } = opened();
    raw.close();
    expect(side.stream.facts(world.clock.now).state).toBe('closed');
  });
});

/** We have sent a key in plain text, and the peer has found it valid. */
function dialingBack() {
  const initiating = asking();
  initiating.raw.say("<db:result from='vngtp.lab' to='coluc.com' type='valid'/>");
  return initiating;
}

/** We have shown our certificate, and the peer has not answered. */
function untilSasl() {
  const initiating = securing();
  initiating.raw.say(greeting('secure', EXTERNAL, DIALBACK));
  return initiating;
}
