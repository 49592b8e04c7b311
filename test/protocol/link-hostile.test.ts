import { describe, expect, test } from 'vitest';
import { LinkSession } from '../../src/protocol/link/session.ts';
import { AUTHENTICATED_LIMITS } from '../../src/protocol/xml/limits.ts';
import {
  asking,
  connected,
  dialed,
  dialing,
  ENABLE,
  enabled,
  FEATURES,
  greeted,
  header,
  LINK,
  REQUEST,
  SM,
  stanza,
} from './link-ends.ts';
import { TIMEOUTS } from './link-world.ts';
import { streamError } from './xml.ts';

describe('a hostile Core', () => {
  test.each([
    ['from', header('core-2', 'edge-1'), 'invalid-from'],
    ['to', header('core-1', 'edge-2'), 'host-unknown'],
    ['content namespace', header('core-1', 'edge-1').replace('jabber:server', 'jabber:client'), 'invalid-namespace'],
    ['name', header('core-1', 'edge-1').replace('stream:stream', 'stream:steam'), 'bad-format'],
  ])('a header with another %s than it may have', (_, xml, condition) => {
    const { raw, side } = connected();
    expect(streamError(raw.say(xml))).toBe(condition);
    expect(side.ended).toMatchObject({ by: 'us', condition });
  });

  test('stanzas before a session is agreed upon are refused, and nothing of them is kept', () => {
    const { world, raw, side } = greeted();
    expect(streamError(raw.say(stanza('x')))).toBe('not-authorized');
    expect(side.ended).toMatchObject({ by: 'us', condition: 'not-authorized' });
    expect(world.edge.arrived).toEqual([]);
    expect(streamError(greeted().raw.say(`<message>${'x'.repeat(20_000)}`))).toBe('policy-violation');
  });

  test.each([
    ['an acknowledgement', `<a ${SM} h='0'/>`, 'not-authorized'],
    ['a request', REQUEST, 'not-authorized'],
    ['a message of the Link', `<homes ${LINK}>{"domains":[]}</homes>`, 'unsupported-stanza-type'],
    ['features', FEATURES, 'bad-format'],
    ['an answer', `<enabled ${SM} id='x'/>`, 'unsupported-stanza-type'],
    ['a resumption without a session', `<resume ${SM} h='0'/>`, 'bad-format'],
    ['a resumption without a count', `<resume ${SM} previd='x'/>`, 'bad-format'],
    ['a resumption with a count that is none', `<resume ${SM} previd='x' h='-1'/>`, 'bad-format'],
    ['a resumption with a count beyond 2^32', `<resume ${SM} previd='x' h='4294967296'/>`, 'bad-format'],
  ])('%s before a session is agreed upon', (_, xml, condition) => {
    expect(streamError(greeted().raw.say(xml))).toBe(condition);
  });

  test('XEP-0198 §3: a second session on one stream', () => {
    expect(streamError(enabled().raw.say(ENABLE))).toBe('policy-violation');
    expect(streamError(enabled().raw.say(`<resume ${SM} previd='id-2' h='0'/>`))).toBe('policy-violation');
  });

  test("another peer's session cannot be resumed: there is but the one of the peer that TLS has proven", () => {
    const victim = enabled(new LinkSession());
    const stolen = victim.world.edge.session.id ?? '';
    expect(stolen).not.toBe('');
    const { raw, side, world } = greeted(new LinkSession({ id: 'of core-1', handled: 5, acknowledged: 5 }));
    const heard = raw.say(`<resume ${SM} previd='${stolen}' h='0'/>`);
    expect(heard).toBe(`<failed ${SM}><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>`);
    expect(side.ended).toBeUndefined();
    expect(world.edge.session.id).toBe('of core-1');
  });

  test('a count that is too high ends the stream, and the session with it, so that it cannot come again', () => {
    const { world, raw, side } = enabled();
    world.edge.send();
    const heard = raw.say(`<a ${SM} h='2'/>`);
    expect(streamError(heard)).toBe('undefined-condition');
    expect(heard).toContain(`<handled-count-too-high ${SM} h='2' send-count='1'/>`);
    expect(side.ended).toMatchObject({ by: 'us', condition: 'undefined-condition' });
    expect(world.edge.session.id).toBeUndefined();
    expect(world.edge.session.waiting.stanzas).toBe(1);
  });

  test('a resumption with a count that is too high', () => {
    const { world, raw } = greeted(new LinkSession({ id: 's', handled: 5, acknowledged: 5 }));
    expect(raw.say(`<resume ${SM} previd='s' h='6'/>`)).toContain('handled-count-too-high');
    expect(world.edge.session.id).toBeUndefined();
  });

  test.each(['', " h='x'", " h='-1'", " h='4294967296'", " h='99999999999'"])('an acknowledgement with%s', (h) => {
    expect(streamError(enabled().raw.say(`<a ${SM}${h}/>`))).toBe('bad-format');
  });

  test('a flood of acknowledgements and of requests keeps nothing, and is answered no more than asked for', () => {
    const { world, raw, side } = enabled();
    expect(raw.say(`<a ${SM} h='0'/>`.repeat(10_000))).toBe('');
    expect(raw.say(REQUEST.repeat(1_000))).toBe(`<a ${SM} h='0'/>`.repeat(1_000));
    expect(side.ended).toBeUndefined();
    expect(world.edge.session.waiting).toMatchObject({ stanzas: 0, bytes: 0 });
  });

  test.each([
    ["no 'from'", "<message to='jan@vngtp.lab'/>"],
    ["no 'to'", "<message from='eva@coluc.com'/>"],
    ['a domain that is none', stanza('x', 'eva@coluc..com')],
    ['a target that is none', stanza('x', 'eva@coluc.com', 'jan@-')],
    ['a localpart that is none', stanza('x', '@coluc.com')],
  ])('a stanza with %s ends the stream, and does not come again', (_, xml) => {
    const { world, raw } = enabled();
    expect(streamError(raw.say(xml))).toBe('improper-addressing');
    expect(world.edge.session).toMatchObject({ handled: 0, id: undefined });
  });

  test('before an error of ours the peer learns what has arrived', () => {
    const { raw } = enabled();
    expect(raw.say(`${stanza('1')}${stanza('2')}<message/>`)).toMatch(
      new RegExp(`^<a ${SM} h='2'/><stream:error><improper-addressing `),
    );
  });

  test('a stanza that is too big ends the session: it would come again for ever', () => {
    const { world, raw } = enabled();
    const heard = raw.say(`<message>${'x'.repeat(AUTHENTICATED_LIMITS.element)}`);
    expect(streamError(heard)).toBe('policy-violation');
    expect(world.edge.session.id).toBeUndefined();
  });

  test('a message of the Link that is not of its form', () => {
    expect(streamError(enabled().raw.say(`<homes ${LINK}>{"domains":[1]}</homes>`))).toBe('invalid-xml');
  });

  test('what a newer release says is ignored; what means nothing at all is, a few times', () => {
    const { raw, side } = enabled();
    expect(raw.say(`<weather ${LINK}>fine</weather>`.repeat(100))).toBe('');
    expect(side.notes.filter(({ note }) => note === 'ignored')).toHaveLength(100);
    expect(streamError(raw.say("<x xmlns='urn:x'/>".repeat(11)))).toBe('unsupported-stanza-type');
  });

  test('who says nothing is given up: at once without a header, with a word after one, and after asking once there is a session', () => {
    const silent = connected();
    silent.world.clock.advance(TIMEOUTS.header);
    expect(silent.raw.received).toBe('');
    expect(silent.side.ended).toMatchObject({ by: 'timeout' });
    const slow = greeted();
    slow.world.clock.advance(TIMEOUTS.negotiation);
    expect(streamError(slow.raw.received)).toBe('connection-timeout');
    const quiet = enabled();
    quiet.world.clock.advance(TIMEOUTS.quiet);
    expect(quiet.raw.hear()).toContain(REQUEST);
    quiet.world.clock.advance(TIMEOUTS.quiet - 1);
    expect(quiet.side.ended).toBeUndefined();
    quiet.world.clock.advance(1);
    expect(quiet.side.ended).toEqual({
      by: 'timeout',
      waitingFor: 'a sign of life from the other end of the Link',
    });
  });

  test('any byte is a sign of life', () => {
    const { world, raw, side } = enabled();
    for (let i = 0; i < 10; i++) {
      world.clock.advance(TIMEOUTS.quiet + 10);
      raw.say(' ');
    }
    expect(side.ended).toBeUndefined();
  });

  test('while it is not read, its silence means nothing, and it hears that we live', () => {
    const { world, raw, side } = enabled();
    world.edge.isHeld = true;
    raw.hear();
    world.clock.advance(10 * TIMEOUTS.quiet);
    expect(side.ended).toBeUndefined();
    expect(raw.hear()).toBe(`<a ${SM} h='0'/>`.repeat(10));
  });
});

describe('a hostile Edge', () => {
  test('a header of somebody else, features too often, or none that help', () => {
    expect(streamError(dialing().raw.say(header('edge-2', 'core-1')))).toBe('invalid-from');
    expect(streamError(asking().raw.say(FEATURES))).toBe('bad-format');
    expect(streamError(dialing().raw.say(`${header('edge-1', 'core-1')}<stream:features/>`))).toBe(
      'unsupported-feature',
    );
  });

  test.each([
    ['a resumption that was not asked for', undefined, `<resumed ${SM} previd='x' h='0'/>`, 'policy-violation'],
    ['a session without id', undefined, `<enabled ${SM}/>`, 'bad-format'],
    ['no session at all', undefined, `<failed ${SM}/>`, 'undefined-condition'],
    ['another session than was asked for', 's', `<resumed ${SM} previd='x' h='0'/>`, 'bad-format'],
    ['a resumption without count', 's', `<resumed ${SM} previd='s'/>`, 'bad-format'],
    ['a resumption with a count that is too high', 's', `<resumed ${SM} previd='s' h='9'/>`, 'undefined-condition'],
    ['a failure with a count that is too high', 's', `<failed ${SM} h='9'/>`, 'undefined-condition'],
    ['a failure with a count that is none', 's', `<failed ${SM} h='x'/>`, 'bad-format'],
    ['stanzas first', 's', stanza('x'), 'not-authorized'],
  ])('%s', (_, id, xml, condition) => {
    const session = id === undefined ? undefined : new LinkSession({ id, handled: 0, acknowledged: 0 });
    const { raw, side } = asking(session);
    expect(streamError(raw.say(xml))).toBe(condition);
    expect(side.ended).toMatchObject({ by: 'us', condition });
  });

  test('an answer once more', () => {
    expect(streamError(dialed().raw.say(`<enabled ${SM} id='s2'/>`))).toBe('policy-violation');
  });

  test('nothing comes: not even the header, or not the answer', () => {
    const mute = dialing();
    mute.world.clock.advance(TIMEOUTS.header);
    expect(mute.side.ended).toMatchObject({ by: 'timeout' });
    const slow = asking();
    slow.world.clock.advance(TIMEOUTS.negotiation);
    expect(slow.side.ended).toMatchObject({ by: 'timeout' });
  });

  test('an answer that comes when another connection has taken the session', () => {
    const { world, raw, side } = asking();
    const second = world.dialRaw();
    second.say(header('edge-1', 'core-1') + FEATURES);
    expect(streamError(raw.say(`<enabled ${SM} id='s1'/>`))).toBe('conflict');
    expect(side.ended).toMatchObject({ condition: 'conflict' });
    second.say(`<enabled ${SM} id='s2'/>`);
    expect(world.core.session.id).toBe('s2');
  });
});
