import { describe, expect, test } from 'vitest';
import { dialedBack, greeted, secured, UNTRUSTED, VNGTP } from './peers.ts';
import { dialbackError, message, result, streamError } from './xml.ts';

const VALID = "<db:result from='coluc.com' to='vngtp.lab' type='valid'/>";

describe('several pairs on one stream', () => {
  test('D-40, D-41, D-42: senders and targets, verified out of order while stanzas flow', () => {
    const receiving = dialedBack({ domains: ['coluc.com', 'conference.coluc.com'] });
    const { raw, side, world } = receiving;
    world.point('muc.vngtp.lab', 'raw');
    raw.say(result('muc.vngtp.lab', 'coluc.com', 'k') + result('vngtp.lab', 'conference.coluc.com', 'k'));
    raw.say(message('a@vngtp.lab', 'b@coluc.com'));
    expect(world.delivered).toHaveLength(1);
    const [, first, second] = side.claims;
    for (const claim of [second, first])
      if (claim !== undefined) side.handle({ type: 'verdict', claim, verdict: { verdict: 'valid' } });
    expect(side.authorized).toHaveLength(3);
    raw.say(message('r@muc.vngtp.lab', 'b@coluc.com'));
    expect(world.delivered).toHaveLength(2);
  });

  test('D-43, R-21: stanzas of a pair that still waits', () => {
    const { raw } = greeted();
    expect(streamError(raw.say(result('vngtp.lab', 'coluc.com', 'k') + message('a@vngtp.lab', 'b@coluc.com')))).toBe(
      'not-authorized',
    );
    const other = dialedBack();
    other.world.point('muc.vngtp.lab', 'raw');
    expect(
      streamError(other.raw.say(result('muc.vngtp.lab', 'coluc.com', 'k') + message('a@muc.vngtp.lab', 'b@coluc.com'))),
    ).toBe('invalid-from');
  });

  test('D-47: a newer key for the same pair takes the place of the older', () => {
    const { raw, side } = greeted();
    raw.say(result('vngtp.lab', 'coluc.com', 'old') + result('vngtp.lab', 'coluc.com', 'new'));
    const [old, young] = side.claims;
    if (old === undefined || young === undefined) throw new Error('not asked');
    side.handle({ type: 'verdict', claim: old, verdict: { verdict: 'valid' } });
    expect(side.authorized).toEqual([]);
    side.handle({ type: 'verdict', claim: young, verdict: { verdict: 'valid' } });
    expect(raw.hear()).toBe(VALID);
  });

  test('D-47: a wrong key does not take away what is authorized', () => {
    const { raw, side, world } = dialedBack();
    raw.say(result('vngtp.lab', 'coluc.com', 'wrong'));
    const claim = side.claims[1];
    if (claim !== undefined) side.handle({ type: 'verdict', claim, verdict: { verdict: 'invalid' } });
    expect(dialbackError(raw.hear())).toBe('forbidden');
    raw.say(message('a@vngtp.lab', 'b@coluc.com'));
    expect(world.delivered).toHaveLength(1);
  });

  test('D-66: a certificate that proves the sender makes dialing back unnecessary', () => {
    const { raw, side } = secured({}, VNGTP);
    expect(raw.say(result('vngtp.lab', 'coluc.com', 'k'))).toBe(VALID);
    expect(side.claims).toEqual([]);
  });

  test.each([
    ['another domain', VNGTP, 'evil.lab'],
    ['a domain below', VNGTP, 'muc.vngtp.lab'],
    ['a certificate nobody trusts', UNTRUSTED, 'vngtp.lab'],
    ['an expired certificate', { names: ['vngtp.lab'], notAfter: 0 }, 'vngtp.lab'],
  ])('D-67, V-04: not for %s', (_what, certificate, sender) => {
    const { raw, side, world } = secured({}, certificate);
    world.point(sender, 'raw');
    expect(raw.say(result(sender, 'coluc.com', 'k'))).toBe('');
    expect(side.claims).toHaveLength(1);
  });

  test('D-66: nor where policy wants dialback', () => {
    const { raw, side } = secured({ authentication: 'dialback' }, VNGTP);
    raw.say(result('vngtp.lab', 'coluc.com', 'k'));
    expect(side.claims).toHaveLength(1);
  });

  test('S-20: a shortcut answers what a verification was still running for', () => {
    const { raw, side, server } = secured({ authentication: 'dialback' }, VNGTP);
    raw.say(result('vngtp.lab', 'coluc.com', 'k'));
    server.plan = { ...server.plan, authentication: 'either' };
    expect(raw.say(result('vngtp.lab', 'coluc.com', 'k'))).toBe(VALID);
    expect(side.waitingFor).toEqual([]);
  });
});
