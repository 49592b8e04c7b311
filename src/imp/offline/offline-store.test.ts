import { beforeEach, expect, test } from 'vitest';
import { jid, text, xml } from '../../../test/support/imp-accounts.ts';
import { NodeDatabase } from '../database/database.ts';
import { OFFLINE_TABLES, OfflineStore, offlineBounds } from './offline-store.ts';

let now = 0;
let offline: OfflineStore;

beforeEach(() => {
  now = Date.UTC(2026, 0, 1);
  offline = new OfflineStore({
    database: new NodeDatabase(':memory:', [OFFLINE_TABLES]),
    domain: jid('coluc.example').domain,
    now: () => now,
    bounds: { messages: 3, octets: 500 },
  });
});

function store(body: string, account = 'juliet'): 'stored' | 'full' {
  return offline.store(account, xml(`<message type='chat'><body>${body}</body></message>`));
}

function taken(account = 'juliet'): readonly string[] {
  return offline.take(account).map(text);
}

test('messages come out once, oldest first, each with its time and who kept it', () => {
  store('one');
  now += 60_000;
  store('two');
  store('of the nurse', 'nurse');
  expect(taken()).toEqual([
    "<message type='chat'><body>one</body><delay xmlns='urn:xmpp:delay' from='coluc.example' stamp='2026-01-01T00:00:00.000Z'/></message>",
    "<message type='chat'><body>two</body><delay xmlns='urn:xmpp:delay' from='coluc.example' stamp='2026-01-01T00:01:00.000Z'/></message>",
  ]);
  expect(taken()).toEqual([]);
  expect(taken('nurse')).toHaveLength(1);
});

test('a message that comes back undelivered keeps its first time', () => {
  store('one');
  const [message] = offline.take('juliet');
  now += 60_000;
  offline.store('juliet', message ?? xml('<message/>'));
  const [again = ''] = taken();
  expect(again.match(/<delay/g)).toHaveLength(1);
  expect(again).toContain('2026-01-01T00:00:00.000Z');
});

test('the delay of somebody else stays beside ours', () => {
  offline.store(
    'juliet',
    xml("<message><delay xmlns='urn:xmpp:delay' from='room@chat.example' stamp='2025-01-01T00:00:00Z'/></message>"),
  );
  expect(taken()[0]?.match(/<delay/g)).toHaveLength(2);
});

test('no more waits than half of what is kept for a session: else it would end at every login, before its client has anything', () => {
  expect(offlineBounds(500, { stanzas: 5_000, bytes: 4 * 1024 ** 2 })).toEqual({
    messages: 500,
    octets: 2 * 1024 ** 2,
  });
  expect(offlineBounds(500, { stanzas: 101, bytes: 1024 ** 3 })).toEqual({ messages: 50, octets: 8 * 1024 ** 2 });
});

test('an account is full by count, and only that one', () => {
  expect([store('1'), store('2'), store('3'), store('4')]).toEqual(['stored', 'stored', 'stored', 'full']);
  expect(store('1', 'nurse')).toBe('stored');
  offline.take('juliet');
  expect(store('5')).toBe('stored');
});

test('an account is full by octets', () => {
  expect(store('ü'.repeat(150))).toBe('stored');
  expect(store('ü'.repeat(150))).toBe('full');
  expect(store('small')).toBe('stored');
});

test('an account that is removed leaves nothing', () => {
  store('one');
  store('one', 'nurse');
  offline.removeAccount('juliet');
  expect([offline.count('juliet'), offline.count('nurse')]).toEqual([0, 1]);
});
