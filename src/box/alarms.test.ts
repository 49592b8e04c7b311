import { expect, test } from 'vitest';
import type { Note } from '../protocol/notes.ts';
import { type AlarmCondition, Alarms } from './alarms.ts';

const condition = (more: Partial<AlarmCondition> = {}): AlarmCondition => ({
  id: 25023,
  about: 'cups',
  what: 'It could not be told',
  detail: 'HTTP 401.',
  cause: 'The password.',
  cure: 'Another password.',
  ...more,
});

function alarms(): { readonly alarms: Alarms; readonly notes: Note[]; readonly clock: { now: number } } {
  const notes: Note[] = [];
  const clock = { now: 1_000_000 };
  return {
    notes,
    clock,
    alarms: new Alarms(
      (note) => notes.push(note),
      () => clock.now,
    ),
  };
}

test('a condition is told once when it begins and once when it is over, with how long it was', () => {
  const { alarms: all, notes, clock } = alarms();
  all.found([condition()]);
  clock.now += 90_000;
  all.found([condition()]);
  expect(all.all()).toEqual([{ ...condition(), title: 'XMPP Federation configuration warning', since: 1_000_000 }]);
  all.found([]);
  expect(all.all()).toEqual([]);
  const title = 'XMPP Federation configuration warning';
  expect(notes).toEqual([
    { note: 'alarm-raised', title, ...condition() },
    { note: 'alarm-cleared', id: 25023, title, about: 'cups', seconds: 90 },
  ]);
});

test('one that goes on for another reason is told again, and is as old as it was', () => {
  const { alarms: all, notes, clock } = alarms();
  all.found([condition()]);
  clock.now += 5_000;
  all.found([condition({ detail: 'Nothing listens there.' })]);
  expect(all.all()).toMatchObject([{ detail: 'Nothing listens there.', since: 1_000_000 }]);
  expect(notes.map(({ note }) => note)).toEqual(['alarm-raised', 'alarm-raised']);
});

test('one number can be raised of two things, and of one thing once', () => {
  const { alarms: all, notes } = alarms();
  all.found([
    condition({ about: 'second' }),
    condition(),
    condition({ what: 'Another thing' }),
    condition({ id: 90001 }),
  ]);
  expect(all.all().map(({ id, about, what }) => [id, about, what])).toEqual([
    [25023, 'cups', 'It could not be told'],
    [25023, 'second', 'It could not be told'],
    [90001, 'cups', 'It could not be told'],
  ]);
  expect(notes).toHaveLength(3);
});
