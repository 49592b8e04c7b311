import { expect, test } from 'vitest';
import { Deployment } from '../support/deployment.ts';
import { until } from '../support/until.ts';
import { delivering, flowsOf, loadOn, streamsOf } from './under-load.ts';

const QUIET_MS = 1_000;

test('when the Link falls silent without an end, the Core notices, dials again and resumes; what comes late on the old connection counts no more', async () => {
  await using deployment = await Deployment.start({ network: 152, link: { quiet: `${QUIET_MS}ms`, hold: '30s' } });
  const { ledger, edge } = deployment;
  const { link } = edge;
  await deployment.connected();
  using load = loadOn(deployment);
  await delivering(ledger, flowsOf(deployment));
  const streams = streamsOf(deployment);
  for (let round = 1; round <= 3; round++) {
    const frozen = performance.now();
    link.freeze();
    await until(() => link.accepted === round + 2, 'the Core dials again');
    // One connection was that of the pairing. The second is for a machine with other work to do.
    expect(performance.now() - frozen).toBeLessThan(2 * QUIET_MS + 1_000);
    await delivering(ledger, flowsOf(deployment));
    link.thaw();
    await delivering(ledger, flowsOf(deployment));
  }
  load.stop();
  await ledger.settled();
  const account = ledger.check();
  expect(account.delivered).toBe(account.sent);
  expect(streamsOf(deployment)).toEqual(streams);
  await until(() => link.open === 1, 'the old connections are gone', 20_000);
  const [core] = (await deployment.core.box.status()).links;
  expect(core?.resumed).toBe(3);
});

test('an idle Link is kept, and noticed when it dies', async () => {
  await using deployment = await Deployment.start({ network: 153, link: { quiet: '500ms' }, partners: 1 });
  const { link } = deployment.edge;
  const before = link.accepted;
  const mark = deployment.core.box.log.mark();
  await until(() => link.bytes.client > 3_000, 'the ends ask each other whether they live');
  expect(link.accepted).toBe(before);
  link.freeze();
  const down = await deployment.core.box.log.wait(({ code }) => code === 'link-down', mark);
  expect(down.message).toMatch(/quiet|silent|answer|nothing came/i);
  await until(() => link.accepted === before + 1, 'the Core dials again');
});
