import { describe, expect, test } from 'vitest';
import type { NoteSubject } from '../protocol/notes.ts';
import { Counters } from './counters.ts';

const IN: NoteSubject = { connection: '000000001', direction: 'in', side: 'foreign' };
const OUT: NoteSubject = { connection: '000000002', direction: 'out', side: 'home' };

describe('streams', () => {
  test('go from pending to connected to closed, by kind', () => {
    const counters = new Counters();
    counters.note({ note: 'accepted' }, IN);
    counters.note({ note: 'header-sent', xml: '', streamId: undefined }, OUT);
    expect(counters.snapshot().streams).toMatchObject({ 'foreign-in': { pending: 1 }, 'home-out': { pending: 1 } });
    counters.note({ note: 'state-changed', from: 'pending', to: 'connected' }, IN);
    expect(counters.snapshot().streams['foreign-in']).toEqual({ pending: 0, connected: 1, closed: 0 });
    counters.note({ note: 'state-changed', from: 'connected', to: 'closed' }, IN);
    counters.note({ note: 'ended', end: { by: 'close' }, stanzasIn: 0, stanzasOut: 0 }, IN);
    counters.note({ note: 'ended', end: { by: 'close' }, stanzasIn: 0, stanzasOut: 0 }, OUT);
    expect(counters.snapshot().streams).toMatchObject({
      'foreign-in': { pending: 0, connected: 0, closed: 1 },
      'home-out': { pending: 0, connected: 0, closed: 1 },
    });
  });

  test('count once, however many headers they exchange', () => {
    const counters = new Counters();
    counters.note({ note: 'accepted' }, IN);
    for (let restart = 0; restart < 3; restart++) counters.note({ note: 'header-sent', xml: '', streamId: 'x' }, IN);
    expect(counters.snapshot().streams['foreign-in'].pending).toBe(1);
  });
});

test('pairs are counted by what proved them, and by why they were refused', () => {
  const counters = new Counters();
  const pair = { sender: 'vngtp.lab', target: 'coluc.com' };
  counters.note({ note: 'authorized', ...pair, by: 'external' }, IN);
  counters.note({ note: 'authorized', ...pair, by: 'external' }, IN);
  counters.note({ note: 'authorized', ...pair, by: 'dialback' }, IN);
  counters.note({ note: 'refused', ...pair, because: { by: 'dialback', failure: { answer: 'invalid' } } }, IN);
  const { authorized, refused } = counters.snapshot();
  expect(authorized).toEqual({ external: 2, dialback: 1, component: 0 });
  expect(refused).toEqual({ 'dialback-invalid': 1 });
});

test('stanzas, refused connections and bugs are counted', () => {
  const counters = new Counters();
  counters.inward += 5;
  counters.outward += 7;
  counters.note(
    { note: 'bounced', kind: 'message', condition: 'remote-server-timeout', because: 'x', stanzas: 3 },
    OUT,
  );
  counters.note({ note: 'bounced', kind: 'iq', condition: 'remote-server-timeout', because: 'x', stanzas: 1 }, OUT);
  counters.note({ note: 'dropped', kind: 'iq', because: 'x' }, OUT);
  counters.note({ note: 'connection-refused', because: 'x' }, IN);
  counters.note({ note: 'bug', where: 'x', detail: 'x' }, {});
  expect(counters.snapshot()).toMatchObject({
    stanzas: { inward: 5, outward: 7, bounced: { 'remote-server-timeout': 4 }, dropped: 1 },
    connectionsRefused: 1,
    bugs: 1,
  });
});

test('a snapshot does not change afterwards', () => {
  const counters = new Counters();
  const before = counters.snapshot();
  counters.note({ note: 'dropped', kind: 'iq', because: 'x' }, OUT);
  counters.note({ note: 'accepted' }, IN);
  counters.note({ note: 'refused', sender: 'a', target: 'b', because: { by: 'close' } }, IN);
  expect(before).toEqual(new Counters().snapshot());
});
