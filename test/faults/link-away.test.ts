import { expect, test } from 'vitest';
import { Deployment } from '../support/deployment.ts';
import { until } from '../support/until.ts';
import { delivering, flowsOf, isInDoubt, isLinkBounce, loadOn, streamsOf } from './under-load.ts';

test('what waits longer for the Link than link.hold comes back with the true reason, and when the Link is back new stanzas pass', async () => {
  await using deployment = await Deployment.start({ network: 154, link: { hold: '2s', quiet: '500ms' } });
  const { ledger, edge, core } = deployment;
  await deployment.connected();
  using load = loadOn(deployment);
  await delivering(ledger, flowsOf(deployment));
  const streams = streamsOf(deployment);
  await edge.link.refuse();
  edge.link.cut('rst');
  const returned = (): boolean => flowsOf(deployment).every((flow) => ledger.bouncesOf(flow).size > 20);
  await until(returned, 'stanzas come back on every flow');
  expect((await core.box.status()).links[0]).toMatchObject({ state: 'down', queued: { stanzas: 0 } });
  await edge.link.admit();
  await delivering(ledger, flowsOf(deployment), 50);
  load.stop();
  await ledger.settled();
  const account = ledger.check({ bounce: isLinkBounce, inDoubt: isInDoubt });
  expect(account.delivered + account.bounced - account.both).toBe(account.sent);
  expect(account.bounced).toBeGreaterThan(account.both);
  expect(streamsOf(deployment)).toEqual(streams);
});

test('a Link that is back before link.hold is over has lost nothing', async () => {
  await using deployment = await Deployment.start({ network: 155, link: { hold: '30s', quiet: '500ms' } });
  const { ledger, edge } = deployment;
  await deployment.connected();
  using load = loadOn(deployment, 400);
  await delivering(ledger, flowsOf(deployment));
  await edge.link.refuse();
  edge.link.cut('fin');
  const { sent } = ledger.totals();
  await until(() => ledger.totals().sent > sent + 1_000, 'stanzas wait');
  await edge.link.admit();
  await delivering(ledger, flowsOf(deployment));
  load.stop();
  await ledger.settled();
  const account = ledger.check();
  expect(account.delivered).toBe(account.sent);
});
