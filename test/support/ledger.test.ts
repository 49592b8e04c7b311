import { expect, test } from 'vitest';
import { type Flow, Ledger } from './ledger.ts';

const FLOW: Flow = 'vngtp.lab>coluc.com';
const TIMEOUT = { condition: 'remote-server-timeout', text: 'The Link is down.' };

function sending(count: number): Ledger {
  const ledger = new Ledger();
  for (let i = 0; i < count; i++) ledger.sent(FLOW);
  return ledger;
}

function arrive(ledger: Ledger, ...numbers: readonly number[]): void {
  for (const number of numbers) ledger.arrived(FLOW, number);
}

test('what arrives once and in order adds up', () => {
  const ledger = sending(3);
  arrive(ledger, 1, 2, 3);
  expect(ledger.outstanding).toBe(0);
  expect(ledger.check()).toMatchObject({ sent: 3, delivered: 3, bounced: 0, lost: 0, missing: 0 });
});

test('a stanza that never arrives is named', () => {
  const ledger = sending(6);
  arrive(ledger, 1, 4, 6);
  expect(ledger.outstanding).toBe(3);
  expect(() => ledger.check()).toThrow(/lost without a cause: 2 to 3, 5$/);
});

test('a stanza that arrives twice is named', () => {
  const ledger = sending(2);
  arrive(ledger, 1, 2, 1);
  expect(() => ledger.check()).toThrow(/delivered twice: 1$/);
});

test('a stanza that was overtaken is named', () => {
  const ledger = sending(3);
  arrive(ledger, 1, 3, 2);
  expect(() => ledger.check()).toThrow(/out of order: 2 after 3$/);
});

test('a bounce is a fault unless it is the right one', () => {
  const ledger = sending(2);
  arrive(ledger, 1);
  ledger.bounced(FLOW, 2, TIMEOUT);
  expect(() => ledger.check()).toThrow(/returned: 2 with remote-server-timeout "The Link is down."/);
  expect(() => ledger.check({ bounce: ({ condition }) => condition === 'not-allowed' })).toThrow(/returned: 2/);
  expect(ledger.check({ bounce: ({ condition }) => condition === TIMEOUT.condition })).toMatchObject({ bounced: 1 });
});

test('a stanza that arrived and came back is a fault unless it was in doubt', () => {
  const ledger = sending(1);
  arrive(ledger, 1);
  ledger.bounced(FLOW, 1, TIMEOUT);
  expect(() => ledger.check({ bounce: () => true })).toThrow(/returned: 1 although it arrived/);
  expect(ledger.check({ inDoubt: () => true })).toMatchObject({ delivered: 1, bounced: 1, both: 1 });
});

test('a stanza that nobody sent is named', () => {
  const ledger = sending(1);
  arrive(ledger, 1, 7);
  expect(() => ledger.check()).toThrow(/vngtp.lab>coluc.com 7 arrived, and was never sent/);
});

test('an incident explains one run of stanzas that were sent while it lasted, and no others', () => {
  const ledger = sending(6);
  const now = performance.now();
  arrive(ledger, 1, 4, 5, 6);
  ledger.incident({ what: 'the Edge was killed', from: now + 1000, until: now + 2000 });
  expect(() => ledger.check()).toThrow(/lost without a cause: 2 to 3/);
  ledger.incident({ what: 'the Edge was killed', from: now - 1000, until: now, flows: (flow) => flow !== FLOW });
  expect(() => ledger.check()).toThrow(/lost without a cause: 2 to 3/);
  ledger.incident({ what: 'the Edge was killed', from: now - 1000, until: now });
  expect(ledger.check()).toMatchObject({ lost: 2, missing: 0 });
});

test('an incident does not explain a hole with survivors', () => {
  const ledger = sending(5);
  arrive(ledger, 1, 3, 5);
  ledger.incident({ what: 'the Edge was killed', from: 0, until: performance.now() });
  expect(() => ledger.check()).toThrow(/2 to 4 \(the Edge was killed\), but 3 arrived/);
});

test('an empty ledger proves nothing', () => {
  expect(() => new Ledger().check()).toThrow('nothing was sent');
});
