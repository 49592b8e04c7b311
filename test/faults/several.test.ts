import { expect, test } from 'vitest';
import { CountedHome } from '../support/counted-home.ts';
import { Deployment } from '../support/deployment.ts';
import type { Flow } from '../support/ledger.ts';
import { until } from '../support/until.ts';
import { delivering, flowsOf, isInDoubt, isLinkBounce, loadOn, streamsOf } from './under-load.ts';

const SECOND = 'second.example';
const TWO_CORES = [{ homes: ['coluc.com'] }, { homes: [SECOND] }];

function isOfSecond(flow: Flow): boolean {
  return flow.includes(SECOND);
}

test('a Core that is revoked under load: its stanzas come back, it does not come back, and the other one is not touched', async () => {
  await using deployment = await Deployment.start({ network: 164, cores: TWO_CORES });
  const { ledger, edge, cores, partners } = deployment;
  const [, revoked] = cores;
  if (revoked === undefined) throw new Error('there are two');
  const others = flowsOf(deployment).filter((flow) => !isOfSecond(flow));
  await deployment.connected();
  using load = loadOn(deployment);
  await delivering(ledger, flowsOf(deployment));
  const streams = partners.map((partner) => partner.streams.opened);
  const links = edge.link.accepted;
  await edge.box.command('link', 'revoke', revoked.box.name);
  await until(
    () =>
      flowsOf(deployment)
        .filter(isOfSecond)
        .every((flow) => ledger.bouncesOf(flow).size > 20),
    'its stanzas come back',
    10_000,
    () => JSON.stringify(ledger.totals(isOfSecond)),
  );
  await delivering(ledger, others, 50);
  expect((await revoked.box.status()).links[0]).toMatchObject({ state: 'revoked' });
  const from = performance.now();
  await revoked.box.stop();
  // What its server wrote when the Core closed the stream, nobody took.
  ledger.incident({
    what: 'core-2 was stopped',
    from,
    until: performance.now(),
    flows: (flow) => flow.startsWith(`${SECOND}>`),
  });
  const mark = edge.box.log.mark();
  await revoked.box.start();
  await delivering(ledger, others, 50);
  load.stop();
  await ledger.settled();
  const account = ledger.check({
    bounce: (bounce, flow) => isOfSecond(flow) && isLinkBounce(bounce, flow),
    inDoubt: (bounce, flow) => isOfSecond(flow) && isInDoubt(bounce, flow),
  });
  expect(account.bounced).toBeGreaterThan(0);
  expect(partners.map((partner) => partner.streams.opened)).toEqual(streams);
  expect(deployment.home.connections).toBe(1);
  expect(edge.box.log.since(mark).filter(({ code }) => code === 'link-up')).toEqual([]);
  expect(edge.link.accepted - links).toBeLessThan(5);
  expect((await edge.box.status()).links.filter(({ state }) => state === 'up').map(({ name }) => name)).toEqual([
    'core-1',
  ]);
});

test('with two Edges pairs stick to one; when it dies they move to the other, in order, and the pairs of the other are not touched', async () => {
  await using deployment = await Deployment.start({
    network: 165,
    edges: 2,
    partners: 6,
    link: { hold: '3s', quiet: '500ms' },
  });
  const { ledger, edges, partners, home } = deployment;
  await deployment.connected();
  using load = loadOn(deployment);
  await delivering(ledger, flowsOf(deployment), 20);
  const [dead, alive] = edges;
  if (dead === undefined || alive === undefined) throw new Error('there are two');
  const byEdge = (address: string): readonly Flow[] =>
    partners
      .filter(({ acceptedFrom }) => acceptedFrom.at(-1) === address)
      .map(({ domain }): Flow => `coluc.com>${domain}`);
  expect(partners.map(({ streams }) => streams.accepted)).toEqual(partners.map(() => 1));
  const moving = byEdge(dead.s2s.address);
  const staying = byEdge(alive.s2s.address);
  expect(moving.length).toBeGreaterThan(0);
  expect(staying.length).toBeGreaterThan(0);

  const from = performance.now() - 2_000;
  await dead.box.kill();
  ledger.incident({
    what: 'edge-1 was killed',
    from,
    until: performance.now() + 200,
    flows: (flow) => !staying.includes(flow),
  });
  await deployment.connected();
  await delivering(ledger, flowsOf(deployment), 30, 30_000);
  expect(byEdge(alive.s2s.address).toSorted()).toEqual(home.flows.toSorted());
  const streams = streamsOf(deployment);
  await dead.box.start();
  await until(async () => (await dead.box.status()).links[0]?.state === 'up', 'the Edge is back');
  await delivering(ledger, flowsOf(deployment), 30);
  load.stop();
  await ledger.settled();
  const account = ledger.check({
    bounce: (bounce, flow) => moving.includes(flow) && isLinkBounce(bounce, flow),
    inDoubt: (bounce, flow) => moving.includes(flow) && isInDoubt(bounce, flow),
  });
  expect(account.delivered + account.bounced - account.both + account.lost).toBe(account.sent);
  expect(streamsOf(deployment)).toEqual(streams);
});

test('of two Cores neither speaks for the home of the other, whatever its boot file says', async () => {
  await using deployment = await Deployment.start({
    network: 166,
    cores: [{ homes: ['coluc.com'] }, { homes: [SECOND, 'coluc.com'], mayServe: [SECOND] }],
  });
  const { ledger, edge, cores } = deployment;
  const [, liar] = cores;
  if (liar === undefined) throw new Error('there are two');
  await deployment.connected();
  using load = loadOn(deployment, 400);
  await delivering(ledger, flowsOf(deployment));
  const refused = await liar.box.log.wait(({ code }) => code === 'link-home-refused');
  expect(refused.message).toContain('coluc.com');
  // Numbers that the true home never uses: should one arrive, the ledger says so.
  let number = 1_000_000;
  const written: Flow[] = [];
  using impostor = new CountedHome({
    ...deployment.homePlan(liar, 'coluc.com'),
    recorder: {
      sent: (flow) => {
        written.push(flow);
        return ++number;
      },
      arrived: (flow) => ledger.strange(`the impostor was given a stanza of ${flow}`),
      bounced: () => undefined,
      strange: (what) => ledger.strange(what),
    },
  });
  await until(() => impostor.isConnected, 'the impostor is connected to its Core');
  const mark = edge.box.log.mark();
  for (let round = 0; round < 20; round++) for (const flow of impostor.flows) impostor.send(flow);
  await edge.box.log.wait(({ code, message }) => code === 'dropped' && message.includes('core-2'), mark);
  await delivering(ledger, flowsOf(deployment), 50);
  load.stop();
  await ledger.settled();
  const account = ledger.check();
  expect(account.delivered).toBe(account.sent);
  expect(written.length).toBe(40);
});
