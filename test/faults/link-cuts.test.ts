import { expect, test } from 'vitest';
import { Deployment } from '../support/deployment.ts';
import type { Cut, From } from '../support/faulty-network.ts';
import { until } from '../support/until.ts';
import { delivering, flowsOf, loadOn, streamsOf } from './under-load.ts';

/** One after the other, the same in each run. */
function* numbers(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state;
  }
}

test('a Link that is cut 100 times under load, with FIN and with RST, at any byte of either side, loses, duplicates, reorders and returns nothing', async () => {
  await using deployment = await Deployment.start({ network: 151, logLevel: 'info' });
  const { ledger, edge } = deployment;
  const { link } = edge;
  await deployment.connected();
  using load = loadOn(deployment);
  await delivering(ledger, flowsOf(deployment));
  const streams = streamsOf(deployment);
  const before = link.accepted;
  const random = numbers(20_261_122);
  for (let cut = 1; cut <= 100; cut++) {
    const how: Cut = cut % 2 === 0 ? 'fin' : 'rst';
    const from: From = (cut >> 1) % 2 === 0 ? 'client' : 'server';
    link.cutAfter(from, random.next().value % 20_000, how);
    await until(() => link.accepted === before + cut, `the Core dials again after cut ${cut}`);
  }
  await delivering(ledger, flowsOf(deployment));
  load.stop();
  await ledger.settled();
  const account = ledger.check();
  expect(account.delivered).toBe(account.sent);
  expect(account.sent).toBeGreaterThan(1_000);
  expect(streamsOf(deployment)).toEqual(streams);
  const [status] = (await deployment.core.box.status()).links;
  // A connection may be cut before the session is on it.
  expect(status?.resumed).toBeGreaterThan(50);
  expect(link.open).toBe(1);
});
