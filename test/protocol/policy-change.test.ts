import { describe, expect, test } from 'vitest';
import { authenticated, connected, dialedBack, greeted, requestAndVouch, verifyAnswer, verifying } from './peers.ts';
import { dialbackError, message, streamError } from './xml.ts';

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
