import { cpSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { DeployedBox } from '../support/deployed-box.ts';
import { Deployment } from '../support/deployment.ts';
import { until } from '../support/until.ts';
import { delivering, flowsOf, loadOn } from './under-load.ts';

/** A copy of the data folder of a box that does not run. */
function backUp(box: DeployedBox): string {
  const copy = `${box.dataFolder}.backup`;
  cpSync(box.dataFolder, copy, { recursive: true });
  return copy;
}

function restore(box: DeployedBox, copy: string): void {
  rmSync(box.dataFolder, { recursive: true });
  cpSync(copy, box.dataFolder, { recursive: true });
}

async function shown(box: DeployedBox): Promise<string> {
  return JSON.stringify([...(await box.values())].toSorted(([a], [b]) => a.localeCompare(b)));
}

async function lags(box: DeployedBox): Promise<boolean> {
  return (await box.status()).links.some(({ replication }) => replication?.held !== replication?.theirs);
}

/** Both boxes show the same values, and neither knows of a lag. */
async function agree({ edge, core }: Deployment): Promise<void> {
  let seen = '';
  await until(
    async () => {
      const [here, there] = [await shown(edge.box), await shown(core.box)];
      seen = `${here}\n${there}`;
      return here === there && !(await lags(edge.box)) && !(await lags(core.box));
    },
    'Edge and Core agree',
    15_000,
    () => seen,
  );
}

async function changeMany({ edge }: Deployment, from: number, to: number): Promise<void> {
  for (let number = from; number <= to; number++)
    await edge.box.set({ [`allow.x${number % 20}.lab`]: `change ${number}` });
  await edge.box.set({ [`allow.x${from % 20}.lab`]: null });
}

/** Messages pass both ways. */
async function works(deployment: Deployment): Promise<void> {
  await deployment.connected();
  using load = loadOn(deployment, 200);
  await delivering(deployment.ledger, flowsOf(deployment));
  load.stop();
  await deployment.ledger.settled();
  deployment.ledger.check();
}

test('a Core that comes back with an older copy of its data folder catches up, each change once', async () => {
  await using deployment = await Deployment.start({ network: 161 });
  const { core } = deployment;
  await changeMany(deployment, 1, 10);
  await agree(deployment);
  await core.box.stop();
  const copy = backUp(core.box);
  await core.box.start();
  await changeMany(deployment, 11, 40);
  await agree(deployment);
  await core.box.stop();
  restore(core.box, copy);
  await core.box.start();
  await agree(deployment);
  const log = await core.box.history();
  const revisions = log.filter(({ box }) => box === 'edge-1').map(({ revision }) => revision);
  expect(new Set(revisions).size).toBe(revisions.length);
  await works(deployment);
});

test('an Edge that is restored from an older backup is believed: the Core takes what it has now, and follows it from there', async () => {
  await using deployment = await Deployment.start({ network: 162 });
  const { edge, core } = deployment;
  await changeMany(deployment, 1, 10);
  await agree(deployment);
  await edge.box.stop();
  const copy = backUp(edge.box);
  await edge.box.start();
  await changeMany(deployment, 11, 30);
  await edge.box.set({ 'deny.only-before-the-restore.lab': '' });
  await agree(deployment);
  await edge.box.stop();
  restore(edge.box, copy);
  await edge.box.start();
  await agree(deployment);
  expect((await core.box.values()).has('deny.only-before-the-restore.lab')).toBe(false);
  await changeMany(deployment, 51, 60);
  await agree(deployment);
  await works(deployment);
});

test('an Edge that is restored, and changed beyond where it was before the Core is back, is not mistaken for the one before', async () => {
  await using deployment = await Deployment.start({ network: 163 });
  const { edge, core } = deployment;
  await changeMany(deployment, 1, 5);
  await agree(deployment);
  await edge.box.stop();
  const copy = backUp(edge.box);
  await edge.box.start();
  await changeMany(deployment, 6, 10);
  await edge.box.set({ 'deny.only-before-the-restore.lab': '' });
  await agree(deployment);
  await core.box.stop();
  await edge.box.stop();
  restore(edge.box, copy);
  await edge.box.start();
  await changeMany(deployment, 101, 120);
  await core.box.start();
  await agree(deployment);
  expect((await core.box.values()).has('deny.only-before-the-restore.lab')).toBe(false);
  await works(deployment);
});
