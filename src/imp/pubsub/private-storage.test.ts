import { beforeEach, expect, test } from 'vitest';
import { foreignRequest, ownRequest, RecordedSession, text } from '../../../test/support/imp-accounts.ts';
import { NodeDatabase } from '../database/database.ts';
import type { IqRequest } from '../messaging/ports.ts';
import { PRIVATE_TABLES, PrivateStorage } from './private-storage.ts';

const juliet = new RecordedSession('juliet@coluc.example/balcony');
let storage: PrivateStorage;

beforeEach(() => {
  storage = new PrivateStorage(new NodeDatabase(':memory:', [PRIVATE_TABLES]));
});

function shown(request: IqRequest): string {
  const answer = storage.answer(request);
  if ('error' in answer) return answer.error;
  return answer.result === undefined ? '' : text(answer.result);
}

function ask(type: 'get' | 'set', inside: string): string {
  return shown(ownRequest(juliet, type, `<query xmlns='jabber:iq:private'>${inside}</query>`));
}

test('an element comes back as it was stored, one that never was comes back empty', () => {
  const bookmarks = "<storage xmlns='storage:bookmarks'><conference jid='a@chat.example'/></storage>";
  expect(ask('set', bookmarks)).toBe('');
  expect(ask('get', "<storage xmlns='storage:bookmarks'/>")).toBe(
    `<query xmlns='jabber:iq:private'>${bookmarks}</query>`,
  );
  expect(ask('get', "<other xmlns='storage:bookmarks'/>")).toBe(
    "<query xmlns='jabber:iq:private'><other xmlns='storage:bookmarks'/></query>",
  );
});

test('nobody else reads or writes', () => {
  const payload = "<query xmlns='jabber:iq:private'><a xmlns='urn:a'/></query>";
  expect(shown(foreignRequest('romeo@vngtp.example/x', 'juliet', 'get', payload))).toBe('forbidden');
  expect(shown(foreignRequest('romeo@vngtp.example/x', 'juliet', 'set', payload))).toBe('forbidden');
});

test.each([
  ['', 'bad-request'],
  ['<a/>', 'not-acceptable'],
  ["<a xmlns='jabber:client'/>", 'not-acceptable'],
  ["<a xmlns='urn:a'/><b xmlns='urn:b'/>", 'not-acceptable'],
  [`<a xmlns='urn:${'a'.repeat(600)}'/>`, 'not-acceptable'],
])('%j is refused', (inside, condition) => {
  expect([ask('get', inside), ask('set', inside)]).toEqual([condition, condition]);
});

test('an account has room for so many elements and octets, and may replace what it has', () => {
  for (let number = 0; number < 100; number++) expect(ask('set', `<a xmlns='urn:${number}'/>`)).toBe('');
  expect(ask('set', "<a xmlns='urn:100'/>")).toBe('resource-constraint');
  expect(ask('set', `<a xmlns='urn:1'>${'x'.repeat(1_000_000)}</a>`)).toBe('');
  expect(ask('set', `<a xmlns='urn:2'>${'x'.repeat(100_000)}</a>`)).toBe('resource-constraint');
  storage.removeAccount('juliet');
  expect(ask('set', "<a xmlns='urn:100'/>")).toBe('');
});
