import { describe, expect, test } from 'vitest';
import { LinkSession } from '../../src/protocol/link/session.ts';
import { connected, ENABLE, enabled, greeted, LINK, REQUEST, SM, sideOf, stanza } from './link-ends.ts';
import { LinkWorld } from './link-world.ts';
import { streamError } from './xml.ts';

describe('acknowledging', () => {
  test('20 milliseconds after the first, and at once after 1,024', () => {
    const { world, raw } = enabled();
    raw.hear();
    expect(raw.say(stanza('x').repeat(3))).toBe('');
    world.clock.advance(19);
    expect(raw.hear()).toBe('');
    world.clock.advance(1);
    expect(raw.hear()).toBe(`<a ${SM} h='3'/>`);
    expect(raw.say(stanza('x').repeat(2_200))).toBe(`<a ${SM} h='1027'/><a ${SM} h='2051'/>`);
    world.clock.advance(20);
    expect(raw.hear()).toBe(`<a ${SM} h='2203'/>`);
    world.clock.advance(1_000);
    expect(raw.hear()).toBe('');
  });

  test('§4: counts go on after 2^32 - 1 with 0, on both ends, through a break', () => {
    const at = 2 ** 32 - 3;
    const counts = { id: 's', handled: at, acknowledged: at };
    const world = new LinkWorld({}, { core: new LinkSession(counts), edge: new LinkSession(counts) });
    const first = world.dial();
    for (let i = 0; i < 5; i++) world.core.send();
    world.edge.send();
    world.clock.advance(50);
    expect(world.edge.session.handled).toBe(2);
    expect(world.core.session.waiting.stanzas).toBe(0);
    first.breakAfter('C', 100, 'told');
    for (let i = 0; i < 5; i++) world.core.send();
    for (let i = 0; i < 5; i++) world.edge.send();
    world.clock.settle();
    world.dial();
    world.clock.advance(50);
    expect(world.core.established).toEqual([true, true]);
    expect(world.edge.arrived).toEqual(world.core.sent);
    expect(world.core.arrived).toEqual(world.edge.sent);
    expect([world.edge.session.handled, world.core.session.handled]).toEqual([7, 3]);
  });

  test('the pair of a stanza is the same object each time, however the domains are spelled', () => {
    const { world, raw } = enabled();
    raw.say(stanza('1') + stanza('2', 'x@COLUC.com/a', 'VNGTP.lab') + stanza('3', 'y@coluc.com'));
    expect(world.edge.arrived).toHaveLength(3);
    expect(world.edge.pairs.size).toBe(1);
  });

  test('pairs are remembered up to a bound', () => {
    const { world, raw } = enabled();
    for (let i = 0; i < 9_000; i++) raw.say(stanza('x', `d${i}.example`));
    expect(world.edge.arrived).toHaveLength(9_000);
    const before = world.edge.pairs.size;
    raw.say(stanza('x', 'd8999.example'));
    expect(world.edge.pairs.size).toBe(before);
    raw.say(stanza('x', 'd1.example'));
    expect(world.edge.pairs.size).toBe(before + 1);
  });
});

describe('closing', () => {
  test('the peer learns what has arrived, hears nothing more, and what it still sends counts', () => {
    const { world, raw, side } = enabled();
    raw.say(stanza('1'));
    side.handle({ type: 'close', why: 'unused' });
    world.edge.send();
    expect(raw.hear()).toBe(`<a ${SM} h='1'/></stream:stream>`);
    raw.say(`${stanza('2')}</stream:stream>`);
    expect(side.ended).toEqual({ by: 'close' });
    expect(world.edge.session).toMatchObject({ handled: 2, neverWritten: 1, isOpen: false });
  });

  test('before a session is agreed upon, or before the peer has heard of it', () => {
    const early = connected();
    early.side.handle({ type: 'close', why: 'unused' });
    expect(early.side.ended).toEqual({ by: 'close' });
    const granted = greeted();
    granted.raw.say(ENABLE);
    granted.side.handle({ type: 'close', why: 'unused' });
    granted.raw.say(`${stanza('1')}</stream:stream>`);
    expect(granted.side.ended).toEqual({ by: 'close' });
    expect(granted.world.edge).toMatchObject({ arrived: ['1'], established: [] });
  });

  test('a shutdown is told, and the session can be resumed', () => {
    const { world, raw, side } = enabled();
    side.handle({ type: 'close', why: 'shutdown' });
    expect(streamError(raw.hear())).toBe('system-shutdown');
    expect(world.edge.session.id).toBeDefined();
  });

  test('the end of the pairing is told, and the reason is not', () => {
    const { raw, side } = enabled();
    side.handle({ type: 'close', why: 'policy', because: 'revoked by root' });
    expect(streamError(raw.hear())).toBe('not-authorized');
    expect(raw.received).not.toContain('root');
    expect(side.ended).toEqual({ by: 'policy', because: 'revoked by root' });
  });

  test('a connection that was replaced says so to whatever comes, and does not write the count of its successor', () => {
    for (const late of [stanza('x'), REQUEST, `<homes ${LINK}>{"domains":[]}</homes>`]) {
      const { world, raw, side } = enabled();
      world.edge.session.claim({});
      expect(streamError(raw.say(late))).toBe('conflict');
      expect(side.ended).toMatchObject({ condition: 'conflict' });
      expect(world.edge).toMatchObject({ arrived: [], messages: [] });
      expect(world.edge.session.id).toBeDefined();
    }
    const { world, raw, side } = greeted();
    raw.say(ENABLE);
    world.edge.session.claim({});
    expect(streamError(raw.say(stanza('x')))).toBe('conflict');
    expect(side.ended).toMatchObject({ condition: 'conflict' });
    expect(world.edge.established).toEqual([]);
    const acknowledging = enabled();
    acknowledging.raw.say(stanza('x'));
    acknowledging.world.edge.session.claim({});
    acknowledging.world.clock.advance(20);
    expect(acknowledging.raw.hear()).toBe('');
  });
});

describe('messages', () => {
  test('go both ways among stanzas, whatever their length; while there is no session nothing is said', () => {
    const world = new LinkWorld();
    world.core.tell({ is: 'homes', domains: ['too.early'] });
    world.dial();
    world.core.tell({ is: 'homes', domains: ['coluc.com'] });
    world.edge.tell({ is: 'told', id: '1', answer: { text: '<&"\u{1f600}\uFFFE'.repeat(100_000) } });
    world.clock.settle();
    expect(world.edge.messages).toEqual([{ is: 'homes', domains: ['coluc.com'] }]);
    expect(world.core.messages).toEqual([
      { is: 'told', id: '1', answer: { text: '<&"\u{1f600}\uFFFE'.repeat(100_000) } },
    ]);
    expect(sideOf(world.core).ended).toBeUndefined();
    const granted = greeted();
    granted.raw.say(ENABLE);
    granted.side.handle({ type: 'link-message', message: { is: 'revoked' } });
    expect(granted.raw.hear()).toBe('');
  });

  test('one that is too long is not sent, and is told as a fault of ours', () => {
    const { world, raw, side } = enabled();
    raw.hear();
    side.handle({ type: 'link-message', message: { is: 'told', id: '1', answer: 'x'.repeat(5_000_000) } });
    expect(raw.hear()).toBe('');
    expect(side.notes.at(-1)).toMatchObject({ note: 'bug' });
    expect(world.edge.session.isOpen).toBe(true);
  });

  test('values are not shown in notes: one may be a secret on its way to the box that owns it', () => {
    const world = new LinkWorld();
    world.dial();
    const steps = [{ put: 'dialback_secret', value: 'hush' }];
    world.core.tell({ is: 'propose', id: '1', author: 'root', reason: 'x'.repeat(9_000), steps, expect: {} });
    world.clock.settle();
    expect(world.edge.messages).toHaveLength(1);
    const told = [...sideOf(world.core).notes, ...sideOf(world.edge).notes];
    expect(JSON.stringify(told)).not.toContain('hush');
    expect(JSON.stringify(told)).not.toContain('xxxx');
    expect(JSON.stringify(told)).toContain("<propose xmlns='urn:fedway:link:1'>(not shown)</propose>");
  });
});
