import { expect, test } from 'vitest';
import { element } from '../xml/write.ts';
import { StreamManagement } from './stream-management.ts';

const STANZA = element('message', 'jabber:client');

function managed(): StreamManagement {
  return new StreamManagement({ id: 'id', holdMs: 1000, bounds: { stanzas: 5, bytes: 100 } });
}

function keepAndWrite(management: StreamManagement, count: number): void {
  for (let n = 0; n < count; n++) {
    management.keep(STANZA, new Uint8Array(10));
    management.wroteLast();
  }
}

test('counts go on at 2^32', () => {
  const management = managed();
  // As far as a test can count in acknowledgements: the count is moved close to the edge first.
  Object.assign(management, { acknowledged: 0xffff_fffe, handledCount: 0xffff_ffff });
  management.count();
  expect(management.handled).toBe(0);
  keepAndWrite(management, 4);
  expect(management.sent).toBe(2);
  expect(management.acknowledge(3)).toBe(false);
  expect(management.acknowledge(1)).toBe(true);
  expect(management.waiting.stanzas).toBe(1);
  expect(management.acknowledge(0xffff_ffff)).toBe(false);
  expect(management.acknowledge(2)).toBe(true);
  expect(management.waiting).toEqual({ stanzas: 0, bytes: 0 });
});

test('what was never written cannot have been handled', () => {
  const management = managed();
  keepAndWrite(management, 1);
  management.keep(STANZA, new Uint8Array(10));
  expect(management.acknowledge(2)).toBe(false);
  expect([...management.write()]).toHaveLength(2);
  expect(management.acknowledge(2)).toBe(true);
});

test('a count that goes back is as wrong as one that is too high', () => {
  const management = managed();
  keepAndWrite(management, 2);
  management.acknowledge(2);
  expect(management.acknowledge(1)).toBe(false);
  expect(management.acknowledge(2)).toBe(true);
});

test('bytes and stanzas are bounded, each by itself, and what is over is kept all the same', () => {
  const management = managed();
  expect(management.keep(STANZA, new Uint8Array(100))).toBe(true);
  expect(management.keep(STANZA, new Uint8Array(1))).toBe(false);
  expect(management.giveUp()).toHaveLength(2);
  for (let n = 0; n < 5; n++) expect(management.keep(STANZA, new Uint8Array(1))).toBe(true);
  expect(management.keep(STANZA, new Uint8Array(1))).toBe(false);
});
