import { describe, expect, test } from 'vitest';
import { outletWith } from '../../test/support/pair-outlet.ts';
import { stanzaIn } from '../../test/support/xml-events.ts';
import type { StreamEnd } from '../protocol/end.ts';
import type { StreamErrorCondition } from '../protocol/stream/stream-error.ts';

const CLOSED: StreamEnd = { by: 'close' };
const UNREACHABLE: StreamEnd = { by: 'network', stage: 'tcp', detail: 'refused' };

function them(condition: StreamErrorCondition): StreamEnd {
  return { by: 'them', condition };
}

describe('the queue', () => {
  test('D-19, D-22, R-19, R-20: stanzas wait for one stream and leave in order, later ones behind them', () => {
    const { offer, authorize, attempts, outlet, notes } = outletWith();
    expect([offer(1), offer(2), offer(3)]).toEqual(['taken', 'taken', 'taken']);
    expect([attempts.length, outlet.queued, outlet.state]).toEqual([1, 3, 'queue']);
    const stream = authorize();
    offer(4);
    expect(stream.sent).toEqual(['1', '2', '3', '4']);
    expect([outlet.queued, outlet.state]).toEqual([0, 'send']);
    expect(notes).toEqual([
      { note: 'queued', stanzas: 1 },
      { note: 'flushed', stanzas: 3 },
    ]);
  });

  test('a queued stanza is a copy: the reader’s envelope is filled anew meanwhile', () => {
    const { outlet, authorize } = outletWith();
    const stanza = stanzaIn("<message id='first' from='a@b' to='c@d'/>");
    outlet.offer(stanza);
    expect(authorize().sent).toEqual(['first']);
  });

  test('R-33: it is bounded in stanzas', () => {
    const { offer } = outletWith();
    for (const id of [1, 2, 3]) offer(id);
    expect(offer(4)).toEqual({
      refused: { by: 'us', condition: 'resource-constraint', text: 'Too much is waiting for this domain.' },
    });
  });

  test('R-33: and in bytes', () => {
    const { offer, outlet } = outletWith({ stanzas: 1000, bytes: 150 });
    expect([offer(1), offer(2)]).toEqual(['taken', 'taken']);
    expect(offer(3)).toMatchObject({ refused: { condition: 'resource-constraint' } });
    expect(outlet.queued).toBe(2);
  });

  test('a stanza that can never wait opens no stream', () => {
    const { offer, attempts, outlet } = outletWith({ stanzas: 10, bytes: 10 });
    expect(offer(1)).toMatchObject({ refused: { condition: 'resource-constraint' } });
    expect([attempts, outlet.state, outlet.isForgettable]).toEqual([[], 'idle', true]);
  });

  test('back-pressure: what the stream says is what the source hears', async () => {
    const { offer, authorize, outlet } = outletWith();
    offer(1);
    await outlet.room();
    const stream = authorize();
    stream.hasRoom = false;
    expect(offer(2)).toBe('held');
    await outlet.room();
    expect(stream.sent).toEqual(['1', '2']);
  });

  test('R-34: when the attempt fails every stanza comes back, in order, with the reason', () => {
    const { offer, last, returned } = outletWith();
    offer(1);
    offer(2);
    last().events.ended(UNREACHABLE);
    expect(returned).toEqual([
      { id: '1', end: UNREACHABLE },
      { id: '2', end: UNREACHABLE },
    ]);
  });
});

describe('back-off', () => {
  test('S-56: stanzas bounce at once for a while that doubles up to a minute, then one tries again', () => {
    const { offer, last, clock, attempts, outlet } = outletWith();
    for (const wait of [1500, 3000, 6000, 12_000, 24_000, 45_000, 45_000]) {
      expect(offer('x')).toBe('taken');
      last().events.ended(UNREACHABLE);
      clock.advance(wait - 1);
      expect([offer('y'), outlet.isForgettable]).toEqual([{ refused: UNREACHABLE }, false]);
      clock.advance(1);
      expect(outlet.isForgettable).toBe(true);
    }
    expect(attempts).toHaveLength(7);
  });

  test.each<StreamErrorCondition>([
    'host-unknown',
    'not-authorized',
    'policy-violation',
    'unsupported-version',
    'undefined-condition',
  ])('E-09: after %s nobody asks for at least a minute', (condition) => {
    const { offer, last, clock } = outletWith();
    offer(1);
    last().events.ended(them(condition));
    clock.advance(60_000);
    expect(offer(2)).toEqual({ refused: them(condition) });
    clock.advance(2_000);
    expect(offer(3)).toBe('taken');
  });

  test.each<StreamErrorCondition>(['reset', 'system-shutdown', 'resource-constraint'])(
    'E-09: after %s soon',
    (condition) => {
      const { offer, last, clock } = outletWith();
      offer(1);
      last().events.ended(them(condition));
      clock.advance(1_500);
      expect(offer(2)).toBe('taken');
    },
  );

  test('a stream that worked and ended in good order is followed by another at once; the failures before it are forgotten', () => {
    const { offer, last, clock, authorize, outlet, attempts } = outletWith();
    offer(1);
    last().events.ended(UNREACHABLE);
    clock.advance(1_500);
    offer(2);
    authorize();
    clock.advance(2_000);
    last().events.ended(CLOSED);
    expect(outlet.state).toBe('idle');
    expect(offer(3)).toBe('taken');
    expect(attempts).toHaveLength(3);
    last().events.ended(UNREACHABLE);
    clock.advance(1_500);
    expect(offer(4)).toBe('taken');
  });

  test.each([CLOSED, { by: 'disconnect' } as const, them('system-shutdown')])(
    'a peer that lets us in and ends at once (%o) does not make us reconnect for ever',
    (end) => {
      const { offer, last, authorize, outlet } = outletWith();
      offer(1);
      authorize();
      last().events.ended(end);
      expect([outlet.state, offer(2)]).toEqual(['bounce', { refused: end }]);
    },
  );

  test.each([them('not-authorized'), { by: 'policy', because: 'x' } as const])(
    'a stream that worked and ended with %o is followed by back-off',
    (end) => {
      const { offer, last, authorize, clock, outlet } = outletWith();
      offer(1);
      authorize();
      clock.advance(3_600_000);
      last().events.ended(end);
      expect(outlet.state).toBe('bounce');
    },
  );

  test('an administrator gives the partner a new chance', () => {
    const { offer, last, outlet } = outletWith();
    offer(1);
    last().events.ended(UNREACHABLE);
    outlet.forgetFailures();
    expect(offer(2)).toBe('taken');
    outlet.forgetFailures();
    expect(outlet.state).toBe('queue');
  });
});

const refused = (condition: 'resource-constraint' | 'policy-violation' | 'forbidden', plaintext?: true): StreamEnd => ({
  by: 'dialback',
  failure: { answer: 'error', condition },
  ...(plaintext === undefined ? {} : { plaintext }),
});

describe('a second attempt', () => {
  test('D-25: resource-constraint gets one new connection, and the queue waits for it', () => {
    const { offer, last, attempts, authorize, returned } = outletWith();
    offer(1);
    last().events.ended(refused('resource-constraint'));
    offer(2);
    expect(attempts.map(({ demand }) => demand)).toEqual([{}, {}]);
    expect(authorize().sent).toEqual(['1', '2']);
    expect(returned).toEqual([]);
  });

  test('D-25: the same again ends it', () => {
    const { offer, last, attempts, returned, clock } = outletWith();
    offer(1);
    last().events.ended(refused('resource-constraint'));
    last().events.ended(refused('resource-constraint'));
    expect([attempts.length, returned.length]).toEqual([2, 1]);
    clock.advance(60_000);
    offer(2);
    last().events.ended(refused('resource-constraint'));
    expect(attempts).toHaveLength(4);
  });

  test('D-26: policy-violation over plain text gets one attempt with TLS', () => {
    const { offer, last, attempts, returned } = outletWith();
    offer(1);
    last().events.ended(refused('policy-violation', true));
    expect(attempts.map(({ demand }) => demand)).toEqual([{}, { tls: 'required' }]);
    last().events.ended({ by: 'policy', because: 'no TLS' });
    expect([attempts.length, returned.length]).toEqual([2, 1]);
  });

  test.each([
    refused('policy-violation'),
    refused('forbidden', true),
    { by: 'dialback', failure: { answer: 'invalid' } } as const,
    UNREACHABLE,
  ])('D-24, D-26: not after %o', (end) => {
    const { offer, last, attempts, returned } = outletWith();
    offer(1);
    last().events.ended(end);
    expect([attempts.length, returned.length]).toEqual([1, 1]);
  });
});
