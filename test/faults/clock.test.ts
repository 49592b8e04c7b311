import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { DeployedBox } from '../support/deployed-box.ts';
import { Deployment } from '../support/deployment.ts';
import { until } from '../support/until.ts';
import { delivering, flowsOf, loadOn, streamsOf } from './under-load.ts';

const PRELOAD = fileURLToPath(new URL('programs/shifted-clock.ts', import.meta.url));
const HOUR_MS = 3_600_000;
/** A box looks for idle streams every five seconds. */
const IDLE_LOOK_MS = 7_000;

/** Sets the clock of a running box so many milliseconds away from the true time. */
async function shiftClock(box: DeployedBox, milliseconds: number): Promise<void> {
  writeFileSync(join(box.folder, 'clock'), String(milliseconds));
  box.signal('SIGUSR2');
  await until(() => {
    try {
      return readFileSync(join(box.folder, 'clock.set'), 'utf8') === String(milliseconds);
    } catch {
      // Not yet.
      return false;
    }
  }, 'the clock is set');
}

test('clocks that jump by hours, forth and back, under load: nothing is lost, no stream and no Link is dropped, and history is in order of revisions', async () => {
  await using deployment = await Deployment.start({ network: 159, preload: PRELOAD, link: { quiet: '1s' } });
  const { ledger, edge, core } = deployment;
  await deployment.connected();
  using load = loadOn(deployment);
  await delivering(ledger, flowsOf(deployment));
  const streams = streamsOf(deployment);
  const links = edge.link.accepted;
  for (const [index, hours] of [6, -12, 30, 0].entries()) {
    for (const [which, box] of [edge.box, core.box].entries()) {
      await shiftClock(box, hours * HOUR_MS);
      await edge.box.set({ [`allow.x${index}-${which}.lab`]: `set at ${hours} hours` });
      await delivering(ledger, flowsOf(deployment));
    }
  }
  // Long enough for whatever looks at the time now and then.
  const goal = performance.now() + IDLE_LOOK_MS;
  while (performance.now() < goal) await delivering(ledger, flowsOf(deployment));
  load.stop();
  await ledger.settled();
  const account = ledger.check();
  expect(account.delivered).toBe(account.sent);
  expect(streamsOf(deployment)).toEqual(streams);
  expect(edge.link.accepted).toBe(links);

  for (const box of [edge.box, core.box]) {
    const changes = (await box.history()).filter((change) => change.box === edge.box.name);
    const revisions = changes.map(({ revision }) => revision);
    expect(revisions.length).toBeGreaterThanOrEqual(8);
    expect(revisions.toSorted((a, b) => a - b)).toEqual(
      revisions[0] === Math.min(...revisions) ? revisions : revisions.toReversed(),
    );
    const times = changes.map(({ time }) => time);
    expect(times.toSorted((a, b) => a - b)).not.toEqual(times);
  }
  await until(
    async () => (await core.box.values()).get('allow.x3-1.lab') === 'set at 0 hours',
    'the Core has the last change',
  );
});

test('a clock that jumps by hours does not make idle streams of those that were just used', async () => {
  await using deployment = await Deployment.start({ network: 160, preload: PRELOAD });
  const { ledger, edge, core, partners, homes } = deployment;
  await deployment.connected();
  for (const peer of [...partners, ...homes]) for (const flow of peer.flows) peer.send(flow);
  await ledger.settled();
  const streams = streamsOf(deployment);
  for (const box of [edge.box, core.box]) await shiftClock(box, 6 * HOUR_MS);
  await new Promise((resolve) => setTimeout(resolve, IDLE_LOOK_MS));
  expect(partners.flatMap(({ closings }) => closings)).toEqual([]);
  for (const peer of [...partners, ...homes]) for (const flow of peer.flows) peer.send(flow);
  await ledger.settled();
  ledger.check();
  expect(streamsOf(deployment)).toEqual(streams);
});
