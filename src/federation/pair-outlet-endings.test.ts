import { describe, expect, test } from 'vitest';
import { outletWith, SentStream } from '../../test/support/pair-outlet.ts';
import type { StreamEnd } from '../protocol/end.ts';

const CLOSED: StreamEnd = { by: 'close' };
/** Our own policy asks for more than the stream has. */
const RESET: StreamEnd = { by: 'us', condition: 'reset' };
const UNREACHABLE: StreamEnd = { by: 'network', stage: 'tcp', detail: 'refused' };

describe('endings', () => {
  test('a stream that has carried nothing for long is closed; nothing is sent on it any more', () => {
    const { offer, authorize, outlet, last, attempts } = outletWith();
    outlet.closeIfIdle(1_000);
    offer(1);
    outlet.closeIfIdle(1_000);
    const stream = authorize();
    stream.lastActive = 1_000;
    outlet.closeIfIdle(1_000);
    expect(stream.closed).toEqual([]);
    outlet.closeIfIdle(1_001);
    expect([stream.closed, outlet.state]).toEqual([['idle'], 'idle']);
    offer(2);
    expect(stream.sent).toEqual(['1']);
    expect(attempts).toHaveLength(2);
    attempts[0]?.events.ended(UNREACHABLE);
    expect(outlet.state).toBe('queue');
    expect(last().abandoned).toBe(false);
  });

  test('shutting returns what is queued and abandons the attempt; its late words change nothing', () => {
    const { offer, outlet, last, returned } = outletWith();
    offer(1);
    const end: StreamEnd = { by: 'policy', because: 'denied' };
    outlet.shut(end);
    expect([returned, last().abandoned, last().said, outlet.state]).toEqual([
      [{ id: '1', end }],
      true,
      'policy',
      'idle',
    ]);
    const late = new SentStream();
    last().events.authorized(late);
    last().events.ended(UNREACHABLE);
    expect([late.closed, outlet.state, returned.length]).toEqual([['unused'], 'idle', 1]);
  });

  test.each<[StreamEnd, string]>([
    [{ by: 'us', condition: 'system-shutdown' }, 'shutdown'],
    [{ by: 'policy', because: 'denied' }, 'policy'],
    [{ by: 'disconnect', detail: 'the domain is served in another way now' }, 'unused'],
  ])('S-57: shutting an open stream for %o says %s', (end, why) => {
    const { offer, outlet, authorize } = outletWith();
    outlet.shut(end);
    offer(1);
    const stream = authorize();
    outlet.shut(end);
    expect(stream.closed).toEqual([why]);
  });

  test('an opener may answer at once', () => {
    const stream = new SentStream();
    const good = outletWith(undefined, (events) => events.authorized(stream));
    good.offer(1);
    expect([good.outlet.state, stream.sent]).toEqual(['send', ['1']]);
    const bad = outletWith(undefined, (events) => events.ended(UNREACHABLE));
    expect(bad.offer(1)).toBe('taken');
    expect([bad.outlet.state, bad.returned]).toEqual(['bounce', [{ id: '1', end: UNREACHABLE }]]);
  });

  test('an outlet that is shut while it opens a stream abandons it', () => {
    const all = outletWith(undefined, () => all.outlet.shut(CLOSED));
    all.offer(1);
    expect([all.last().abandoned, all.outlet.state]).toEqual([true, 'idle']);
  });
});

describe('when the rules for streams have changed', () => {
  test('R-29: an open stream ends, and the next stanza opens another', () => {
    const { offer, authorize, attempts, outlet, returned } = outletWith();
    offer(1);
    const former = authorize();
    outlet.reopen();
    expect([former.closed, outlet.state]).toEqual([['unused'], 'idle']);
    offer(2);
    expect(authorize().sent).toEqual(['2']);
    expect([former.sent, attempts.length, returned]).toEqual([['1'], 2, []]);
  });

  test('R-29: an attempt begins anew, and what waits keeps its order', () => {
    const { offer, authorize, attempts, outlet, last, returned } = outletWith();
    offer(1);
    const former = last();
    outlet.reopen();
    former.events.ended(CLOSED);
    offer(2);
    expect(authorize().sent).toEqual(['1', '2']);
    expect([former.abandoned, attempts.length, returned]).toEqual([true, 2, []]);
  });

  test('a partner that is not tried at the moment stays so', () => {
    const { offer, attempts, outlet, last } = outletWith();
    offer(1);
    last().events.ended(UNREACHABLE);
    outlet.reopen();
    expect([outlet.state, attempts.length]).toEqual(['bounce', 1]);
  });

  test('R-29, E-35: a stream that is not good enough any more resets itself: no failure, whatever its age', () => {
    const { offer, authorize, attempts, outlet, last, notes } = outletWith();
    offer(1);
    authorize();
    last().events.ended(RESET);
    expect(outlet.state).toBe('idle');
    offer(2);
    expect(authorize().sent).toEqual(['2']);
    expect([attempts.length, notes.some(({ note }) => note === 'backing-off')]).toEqual([2, false]);
  });

  test('R-29: the same before it was ready: the next attempt takes what waits, in order', () => {
    const { offer, authorize, attempts, last, returned } = outletWith();
    for (const id of [1, 2]) offer(id);
    last().events.ended(RESET);
    offer(3);
    expect(authorize().sent).toEqual(['1', '2', '3']);
    expect([attempts.length, returned]).toEqual([2, []]);
  });
});

describe('an administrator closes the stream', () => {
  test('nothing is sent on it any more, and its end is no failure', () => {
    const { offer, authorize, attempts, outlet } = outletWith();
    offer(1);
    const former = authorize();
    attempts[0]?.events.leaving();
    expect(outlet.state).toBe('idle');
    offer(2);
    attempts[0]?.events.ended(CLOSED);
    expect(authorize().sent).toEqual(['2']);
    expect([former.sent, outlet.state]).toEqual([['1'], 'send']);
  });

  test('a word about a former stream changes nothing', () => {
    const { offer, authorize, attempts, outlet } = outletWith();
    offer(1);
    authorize();
    attempts[0]?.events.leaving();
    offer(2);
    authorize();
    attempts[0]?.events.leaving();
    expect(outlet.state).toBe('send');
  });
});
