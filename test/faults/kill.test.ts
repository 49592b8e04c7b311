import { expect, test } from 'vitest';
import type { DeployedBox } from '../support/deployed-box.ts';
import { Deployment } from '../support/deployment.ts';
import { HomeProcess } from '../support/home-process.ts';
import type { Bounce, Flow } from '../support/ledger.ts';
import { Load } from '../support/load.ts';
import { delivering, flowsOf, isInDoubt, isInward, isLinkBounce, loadOn, streamsOf } from './under-load.ts';

/** What was sent earlier had left the box that is killed. */
const ON_THE_WAY_MS = 2_000;
/** How long a peer may not know yet that its stream is gone. */
const UNAWARE_MS = 200;
const KILLS = 3;

/** What a partner sends to an Edge that has just come back waits for the Core; what the Core does not know the fate of is returned. */
function isUnknownToTheCore(bounce: Bounce, flow: Flow): boolean {
  return !isInward(flow) && isInDoubt(bounce, flow);
}

/** What is written inside waits for the Link; what comes from outside may find a Core to which its server has not come back yet. */
function isFromOutside(bounce: Bounce, flow: Flow): boolean {
  return isInward(flow) && isLinkBounce(bounce, flow);
}

/** `kill -9`, and some time later a new process, as a service manager makes it. */
async function killAndRestart({ ledger }: Deployment, box: DeployedBox): Promise<void> {
  const from = performance.now() - ON_THE_WAY_MS;
  await box.kill();
  ledger.incident({ what: `${box.name} was killed`, from, until: performance.now() + UNAWARE_MS });
  await new Promise((resolve) => setTimeout(resolve, 500));
  await box.start();
}

test('kill -9 of the Edge under load: what it held is lost and nothing else, nothing comes twice, and federation goes on by itself', async () => {
  await using deployment = await Deployment.start({ network: 156, link: { hold: '20s', quiet: '1s' } });
  const { ledger, edge } = deployment;
  await deployment.connected();
  using load = loadOn(deployment);
  for (let kill = 1; kill <= KILLS; kill++) {
    await delivering(ledger, flowsOf(deployment), 50);
    await killAndRestart(deployment, edge.box);
    await deployment.connected();
  }
  await delivering(ledger, flowsOf(deployment), 50, 30_000);
  load.stop();
  await ledger.settled();
  const account = ledger.check({ bounce: isUnknownToTheCore, inDoubt: isUnknownToTheCore });
  expect(account.delivered + account.bounced - account.both + account.lost).toBe(account.sent);
  // The server inside is not touched by what happens outside.
  expect(deployment.home.connections).toBe(1);
});

test('kill -9 of the Core under load: what it held is lost and nothing else, nothing comes twice, and federation goes on by itself', async () => {
  await using deployment = await Deployment.start({ network: 157, link: { hold: '20s', quiet: '1s' } });
  const { ledger, core, partners } = deployment;
  await deployment.connected();
  using load = loadOn(deployment);
  await delivering(ledger, flowsOf(deployment), 50);
  const streams = partners.map((partner) => partner.streams.opened);
  for (let kill = 1; kill <= KILLS; kill++) {
    await delivering(ledger, flowsOf(deployment), 50);
    await killAndRestart(deployment, core.box);
    await deployment.connected();
  }
  await delivering(ledger, flowsOf(deployment), 50, 30_000);
  load.stop();
  await ledger.settled();
  const account = ledger.check({ bounce: isFromOutside, inDoubt: isFromOutside });
  expect(account.delivered + account.bounced - account.both + account.lost).toBe(account.sent);
  // The partners are not touched by what happens inside.
  expect(partners.map((partner) => partner.streams.opened)).toEqual(streams);
});

test('kill -9 of the server inside under load: what it had been given is lost and nothing else, what comes meanwhile is returned, and then all is well', async () => {
  await using deployment = await Deployment.start({ network: 158, homesAway: true });
  const { ledger, partners } = deployment;
  await using home = new HomeProcess(deployment.homePlan(deployment.core, 'coluc.com'), ledger, 400);
  home.start();
  await deployment.connected();
  using load = new Load(partners, 400);
  const flows = [...home.flows, ...partners.flatMap((partner) => partner.flows)];
  await delivering(ledger, home.flows);
  load.start();
  const streams = streamsOf(deployment);
  for (let kill = 1; kill <= KILLS; kill++) {
    await delivering(ledger, flows, 50);
    const from = performance.now() - ON_THE_WAY_MS;
    await home.kill();
    ledger.incident({ what: 'the server inside was killed', from, until: performance.now() + UNAWARE_MS });
    home.start();
    await delivering(ledger, flows, 50);
  }
  load.stop();
  home.quieten();
  await ledger.settled();
  const account = ledger.check({
    bounce: ({ condition }, flow) => isInward(flow) && condition === 'service-unavailable',
  });
  expect(account.delivered + account.bounced + account.lost).toBe(account.sent);
  expect(account.bounced).toBeGreaterThan(0);
  expect(streamsOf(deployment)).toEqual(streams);
});
