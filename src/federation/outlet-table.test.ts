import { expect, test } from 'vitest';
import { stanzaIn } from '../../test/support/xml-events.ts';
import type { Domain } from '../protocol/jid/domain.ts';
import type { StreamPair } from '../protocol/stream/actions.ts';
import { OutletTable } from './outlet-table.ts';
import { PairOutlet, type StreamOpener } from './pair-outlet.ts';

const STANZA = stanzaIn("<message from='a@b' to='c@d'/>");

function pair(sender: string, target: string): StreamPair {
  return { sender: sender as Domain, target: target as Domain };
}

function tableOf() {
  const events: Parameters<StreamOpener['open']>[1][] = [];
  const returned: string[] = [];
  const closed: string[] = [];
  const table = new OutletTable(
    (of) =>
      new PairOutlet(of, {
        opener: { open: (_pair, each) => (events.push(each), { abandon: () => undefined }) },
        limits: { stanzas: 10, bytes: 1000 },
        now: () => 0,
        random: () => 0,
        note: () => undefined,
        undeliverable: (_stanza, each, end) => returned.push(`${each.target} ${end.by}`),
      }),
  );
  const authorize = (n: number, lastActive: number) =>
    events[n]?.authorized({
      send: () => true,
      room: () => Promise.resolve(),
      lastActive,
      close: ({ why }) => closed.push(why),
    });
  return { table, events, returned, closed, authorize };
}

test('R-13: one outlet for each pair, by value; direction matters', () => {
  const { table } = tableOf();
  const first = table.outletFor(pair('coluc.com', 'vngtp.lab'));
  const same = pair('coluc.com', 'vngtp.lab');
  expect(table.outletFor(same)).toBe(first);
  expect(table.outletFor(same)).toBe(first);
  expect(table.outletFor(pair('vngtp.lab', 'coluc.com'))).not.toBe(first);
  expect(table.outletFor(pair('coluc.com', 'other.lab'))).not.toBe(first);
  expect(table.size).toBe(3);
});

test('sweeping closes what is idle and forgets what holds nothing', () => {
  const { table, authorize, closed } = tableOf();
  for (const name of ['busy.lab', 'idle.lab', 'waiting.lab']) table.outletFor(pair('coluc.com', name)).offer(STANZA);
  const unused = table.outletFor(pair('coluc.com', 'unused.lab'));
  authorize(0, 200);
  authorize(1, 50);
  table.sweep(100);
  expect([closed, table.size]).toEqual([['idle'], 2]);
  expect(table.outletFor(pair('coluc.com', 'unused.lab'))).not.toBe(unused);
});

test('shutting takes only those for which there is a reason', () => {
  const { table, returned } = tableOf();
  for (const name of ['evil.lab', 'vngtp.lab']) table.outletFor(pair('coluc.com', name)).offer(STANZA);
  table.shut(({ target }) => (target === 'evil.lab' ? { by: 'policy', because: 'denied' } : undefined));
  expect([returned, table.size]).toEqual([['evil.lab policy'], 1]);
});

test('forgetting failures gives everybody a new chance', () => {
  const { table, events } = tableOf();
  const outlet = table.outletFor(pair('coluc.com', 'vngtp.lab'));
  outlet.offer(STANZA);
  events[0]?.ended({ by: 'network', stage: 'tcp', detail: 'refused' });
  expect(outlet.state).toBe('bounce');
  table.forgetFailures();
  expect(outlet.state).toBe('idle');
});

test('forgetting may concern some only: an unconcerned partner keeps its pause', () => {
  const { table, events } = tableOf();
  const [first, second] = ['evil.lab', 'vngtp.lab'].map((name) => table.outletFor(pair('coluc.com', name)));
  for (const outlet of [first, second]) outlet?.offer(STANZA);
  for (const each of events) each.ended({ by: 'network', stage: 'tcp', detail: 'refused' });
  table.forgetFailures(({ target }) => target === 'vngtp.lab');
  expect([first?.state, second?.state]).toEqual(['bounce', 'idle']);
});

test('tells of every way out: its pair, what it does, how much waits', () => {
  const { table, authorize } = tableOf();
  for (const name of ['vngtp.lab', 'far.lab']) table.outletFor(pair('coluc.com', name)).offer(STANZA);
  table.outletFor(pair('vngtp.lab', 'coluc.com'));
  authorize(0, 0);
  expect(table.pairs()).toEqual([
    { sender: 'coluc.com', target: 'vngtp.lab', state: 'send', queued: 0 },
    { sender: 'coluc.com', target: 'far.lab', state: 'queue', queued: 1 },
    { sender: 'vngtp.lab', target: 'coluc.com', state: 'idle', queued: 0 },
  ]);
});
