import fc from 'fast-check';
import { expect, test } from 'vitest';
import { element, writeElement } from '../protocol/xml/write.ts';
import { delayOf, isDelayedBy, readDateTime, withoutDelaysBy, writeDateTime } from './delay.ts';

test.each([
  ['1969-07-21T02:56:15Z', -14_159_025_000],
  ['1969-07-20T21:56:15-05:00', -14_159_025_000],
  ['2026-01-02T03:04:05.678Z', Date.UTC(2026, 0, 2, 3, 4, 5, 678)],
  ['2026-01-02T03:04:05.6Z', Date.UTC(2026, 0, 2, 3, 4, 5, 600)],
  ['2026-01-02T03:04:05.678912345678Z', Date.UTC(2026, 0, 2, 3, 4, 5, 678)],
  ['2026-01-02T03:04:05+05:30', Date.UTC(2026, 0, 1, 21, 34, 5)],
])('%s is a point in time', (text, time) => {
  expect(readDateTime(text)).toBe(time);
});

test.each([
  '',
  'yesterday',
  '2026-01-02',
  '2026-01-02T03:04:05',
  '2026-02-30T03:04:05Z',
  '2026-13-01T03:04:05Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T03:61:00Z',
  '2026-01-01T03:04:05+24:00',
  '2026-01-01T03:04:05+02:60',
  '2026-01-01T03:04:05.Z',
  ' 2026-01-01T03:04:05Z',
])('%j is none', (text) => {
  expect(readDateTime(text)).toBeUndefined();
});

test('what is written is read again', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }), (time) => {
      expect(readDateTime(writeDateTime(time))).toBe(time);
    }),
  );
});

test('a delay names who kept the stanza, and is recognized only as theirs', () => {
  const late = element('message', 'jabber:client', {}, delayOf('here.example', 0));
  expect(writeElement(late, 'jabber:client')).toBe(
    "<message><delay xmlns='urn:xmpp:delay' from='here.example' stamp='1970-01-01T00:00:00.000Z'/></message>",
  );
  expect(isDelayedBy(late, 'here.example')).toBe(true);
  expect(isDelayedBy(late, 'there.example')).toBe(false);
});

test('the delay of one of several keepers is found beside the others, and alone is taken out, however it is written', () => {
  const theirs = delayOf('there.example', 0);
  const late = element('message', 'jabber:client', {}, theirs, 'text', delayOf('HERE.example', 0));
  expect(isDelayedBy(late, 'here.example')).toBe(true);
  expect(withoutDelaysBy(late, 'here.example').children).toEqual([theirs, 'text']);
  const other = element(
    'message',
    'jabber:client',
    {},
    theirs,
    delayOf(undefined, 0),
    delayOf('alice@here.example', 0),
  );
  expect(withoutDelaysBy(other, 'here.example')).toBe(other);
});
