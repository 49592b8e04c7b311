import { beforeEach, expect, test } from 'vitest';
import { AMPLE, jid, text, xml } from '../../../test/support/imp-accounts.ts';
import { NodeDatabase } from '../database/database.ts';
import { ArchiveIds } from './ids.ts';
import { RoomArchive } from './room-archive.ts';
import { ArchiveStore } from './store.ts';
import { ARCHIVE_TABLES } from './tables.ts';

const room = jid('coven@chat.example');
const other = jid('heath@chat.example');
let archive: RoomArchive;
let now = 0;

beforeEach(() => {
  now = Date.UTC(2026, 0, 1);
  const ids = new ArchiveIds((octets) => new Uint8Array(octets));
  archive = new RoomArchive(new ArchiveStore(new NodeDatabase(':memory:', [ARCHIVE_TABLES]), ids, AMPLE), () => now);
  for (const [number, nick] of ['first', 'second', 'first'].entries()) {
    now += 1_000;
    const message = `<message from='coven@chat.example/${nick}' type='groupchat'><body>m${number}</body></message>`;
    archive.keep(jid(`coven@chat.example/${nick}`), xml(message));
  }
});

function bodies(payload: string, where = room): readonly string[] {
  const found: string[] = [];
  const send = (result: Parameters<typeof text>[0]) => found.push(/<body>(.*)<\/body>/.exec(text(result))?.[1] ?? '');
  archive.answer(where, { type: 'set', payload: xml(payload), send });
  return found;
}

test('a room answers queries from its archive, and from no other', () => {
  expect(bodies("<query xmlns='urn:xmpp:mam:2'/>")).toEqual(['m0', 'm1', 'm2']);
  expect(bodies("<query xmlns='urn:xmpp:mam:2'/>", other)).toEqual([]);
});

test('what one occupant said is found by the address in the room', () => {
  const form = `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field><field var='with'><value>coven@chat.example/first</value></field></x>`;
  expect(bodies(`<query xmlns='urn:xmpp:mam:2'>${form}</query>`)).toEqual(['m0', 'm2']);
});

function recent(count: number, since?: number): readonly string[] {
  return archive.recent(room, count, since).map(({ stanza }) => text(stanza));
}

test('the newest messages come oldest first, as many as wanted and not from before', () => {
  expect(recent(2)).toEqual([expect.stringContaining('m1'), expect.stringContaining('m2')]);
  expect(recent(10, now)).toEqual([expect.stringContaining('m2')]);
  expect(recent(0)).toEqual([]);
});

test('a room that is removed leaves nothing', () => {
  archive.keep(jid('heath@chat.example/x'), xml("<message type='groupchat'><body>y</body></message>"));
  archive.removeRoom(room);
  expect(bodies("<query xmlns='urn:xmpp:mam:2'/>")).toEqual([]);
  expect(bodies("<query xmlns='urn:xmpp:mam:2'/>", other)).toEqual(['y']);
});
