import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../test/protocol/clock.ts';
import { stanzaIn } from '../../test/support/xml-events.ts';
import type { StreamEnd } from '../protocol/end.ts';
import type { Domain } from '../protocol/jid/domain.ts';
import type { Note } from '../protocol/notes.ts';
import type { StreamErrorCondition } from '../protocol/stream/stream-error.ts';
import { type Demand, PairOutlet, type SendingStream, type StreamOpener } from './pair-outlet.ts';

const PAIR = { sender: 'coluc.com' as Domain, target: 'vngtp.lab' as Domain };
const CLOSED: StreamEnd = { by: 'close' };
const UNREACHABLE: StreamEnd = { by: 'network', stage: 'tcp', detail: 'refused' };

type Events = Parameters<StreamOpener['open']>[1];

class Stream implements SendingStream {
  readonly sent: string[] = [];
  readonly closed: string[] = [];
  lastStanza = 0;
  hasRoom = true;
  send(stanza: { readonly id: string | undefined }): boolean {
    this.sent.push(stanza.id ?? '');
    return this.hasRoom;
  }
  room(): Promise<void> {
    return Promise.resolve();
  }
  close(why: string): void {
    this.closed.push(why);
  }
}

/** An outlet whose attempts the test decides. */
function outletWith(limits = { stanzas: 3, bytes: 10_000 }, atOnce?: (events: Events) => void) {
  const clock = new VirtualClock();
  const attempts: { readonly events: Events; readonly demand: Demand; abandoned: boolean }[] = [];
  const notes: Note[] = [];
  const returned: { readonly id: string | undefined; readonly end: StreamEnd }[] = [];
  const outlet = new PairOutlet(PAIR, {
    opener: {
      open: (_pair, events, demand) => {
        const attempt = { events, demand, abandoned: false };
        attempts.push(attempt);
        atOnce?.(events);
        return { abandon: () => (attempt.abandoned = true) };
      },
    },
    limits,
    now: () => clock.now,
    random: () => 0.5,
    note: (note) => notes.push(note),
    undeliverable: (stanza, _pair, end) => returned.push({ id: stanza.id, end }),
  });
  const last = () => {
    const attempt = attempts.at(-1);
    if (attempt === undefined) throw new Error('nothing was opened');
    return attempt;
  };
  const offer = (id: number | string) =>
    outlet.offer(stanzaIn(`<message id='${id}' from='a@coluc.com' to='b@vngtp.lab'/>`));
  const authorize = () => {
    const stream = new Stream();
    last().events.authorized(stream);
    return stream;
  };
  return { outlet, clock, attempts, notes, returned, last, offer, authorize };
}

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

describe('endings', () => {
  test('a stream that has carried nothing for long is closed; nothing is sent on it any more', () => {
    const { offer, authorize, outlet, last, attempts } = outletWith();
    outlet.closeIfIdle(1_000);
    offer(1);
    outlet.closeIfIdle(1_000);
    const stream = authorize();
    stream.lastStanza = 1_000;
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
    expect([returned, last().abandoned, outlet.state]).toEqual([[{ id: '1', end }], true, 'idle']);
    const late = new Stream();
    last().events.authorized(late);
    last().events.ended(UNREACHABLE);
    expect([late.closed, outlet.state, returned.length]).toEqual([['unused'], 'idle', 1]);
  });

  test.each<[StreamEnd, string]>([
    [{ by: 'us', condition: 'system-shutdown' }, 'shutdown'],
    [{ by: 'policy', because: 'denied' }, 'unused'],
  ])('S-57: shutting an open stream for %o says %s', (end, why) => {
    const { offer, outlet, authorize } = outletWith();
    outlet.shut(end);
    offer(1);
    const stream = authorize();
    outlet.shut(end);
    expect(stream.closed).toEqual([why]);
  });

  test('an opener may answer at once', () => {
    const stream = new Stream();
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
});
