import { expect, test } from 'vitest';
import { Deployment } from '../support/deployment.ts';
import { until } from '../support/until.ts';
import { delivering, flowsOf, isInward, loadOn, reasonsOf } from './under-load.ts';

const MODULE = 'developer.clusterdb.restapi';
const SWITCHED_ON = 'xconfiguration xcpConfiguration is_federation_enabled - changed from: 0 to: 1';
const SWITCHED_OFF = 'xconfiguration xcpConfiguration is_federation_enabled - changed from: 1 to: 0';
const REPLICATED_MS = 1_000;

test('one switch on the Edge: the log line, the same on the Core within a second, federation works; off again, and every stream is closed with a reason, and bounces say why', async () => {
  await using deployment = await Deployment.start({ network: 167, settings: { privacy: 'off' } });
  const { ledger, edge, core, partners, home } = deployment;

  // Off is how it begins: nobody is heard, and who writes from inside is told.
  await until(() => partners.every(({ refusals }) => refusals > 0), 'partners are turned away');
  expect(partners.some(({ isConnected }) => isConnected)).toBe(false);
  for (const flow of home.flows) home.send(flow);
  await ledger.settled();
  ledger.check({ bounce: isSwitchedOff });

  const marks = [edge.box.log.mark(), core.box.log.mark()] as const;
  await edge.box.command('config', 'set', 'federation', 'on');
  const [here, there] = await Promise.all([
    edge.box.log.wait(({ module, message }) => module === MODULE && message.includes(SWITCHED_ON), marks[0]),
    core.box.log.wait(({ module, message }) => module === MODULE && message.includes(SWITCHED_ON), marks[1]),
  ]);
  expect(timeOf(there) - timeOf(here)).toBeLessThan(REPLICATED_MS);
  await deployment.connected();
  {
    using load = loadOn(deployment, 200);
    await delivering(ledger, flowsOf(deployment));
    load.stop();
    await ledger.settled();
    expect(ledger.check({ bounce: isSwitchedOff })).toMatchObject({ bounced: home.flows.length, lost: 0 });
  }

  const before = partners.map(({ closings }) => closings.length);
  await edge.box.command('config', 'set', 'federation', 'off');
  await core.box.log.wait(({ module, message }) => module === MODULE && message.includes(SWITCHED_OFF), marks[1]);
  await until(
    () => partners.every(({ closings }, index) => closings.length >= (before[index] ?? 0) + 2),
    'streams are closed',
  );
  for (const [index, { closings }] of partners.entries())
    expect(reasonsOf(closings.slice(before[index]).slice(0, 2))).toEqual(['closed', 'closed with policy-violation']);
  expect(
    (await edge.box.ask((desk) => desk.streams())).filter(
      ({ side, state }) => side === 'foreign' && state === 'connected',
    ),
  ).toEqual([]);
  for (const flow of home.flows) home.send(flow);
  await ledger.settled();
  expect(ledger.check({ bounce: isSwitchedOff })).toMatchObject({ bounced: 2 * home.flows.length, lost: 0 });
});

function isSwitchedOff(
  { condition, text }: { readonly condition: string; readonly text: string },
  flow: `${string}>${string}`,
): boolean {
  return !isInward(flow) && condition === 'not-allowed' && text === 'Federation is switched off.';
}

function timeOf({ time }: { readonly [field: string]: unknown }): number {
  return Date.parse(String(time));
}
