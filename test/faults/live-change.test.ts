import { expect, test } from 'vitest';
import type { CountedPartner } from '../support/counted-partner.ts';
import type { Setting } from '../support/deployed-box.ts';
import { Deployment } from '../support/deployment.ts';
import type { Bounce, Flow } from '../support/ledger.ts';
import { until } from '../support/until.ts';
import { delivering, flowsOf, isInward, loadOn, reasonsOf, streamsOf } from './under-load.ts';

const PARTNERS = 50;
/** So many of them are denied and admitted again, one after the other; the others are of no concern to any change. */
const CONCERNED = 10;
const CHANGES = 1_000;
/** A partner that is denied is out within a second. */
const OUT_MS = 1_000;

type Settings = Readonly<Record<string, Setting>>;

/** Changes that concern nobody who is there; the same in each run. */
function harmless(number: number): Settings {
  const stranger = `x${number % 37}.lab`;
  const isOdd = number % 2 === 1;
  switch (number % 10) {
    case 0:
      return { [`allow.${stranger}`]: isOdd ? null : `change ${number}` };
    case 1:
      return { [`deny.${stranger}`]: isOdd ? null : '' };
    case 2:
      return { [`routes.${stranger}`]: [`192.0.2.${1 + (number % 200)}:5269`] };
    case 3:
      return { static_routes: Math.floor(number / 10) % 2 === 0 };
    case 4:
      return { [`partners.${stranger}.tls`]: Math.floor(number / 10) % 2 === 0 ? 'optional' : 'required' };
    case 5:
      return { [`partners.*.${stranger}.authentication`]: 'dialback' };
    // All of these hold for everybody, and everybody complies: TLS, a certificate, EXTERNAL, an entry on the allow list.
    case 6:
      return { privacy: Math.floor(number / 10) % 2 === 0 ? 'deny_list' : 'allow_list' };
    case 7:
      return { require_client_certificates: Math.floor(number / 10) % 2 === 0 };
    case 8:
      return { authentication: Math.floor(number / 10) % 2 === 0 ? 'external' : 'either' };
    default:
      return { tls: Math.floor(number / 10) % 2 === 0 ? 'optional' : 'required' };
  }
}

function isDenied({ condition, text }: Bounce): boolean {
  return condition === 'not-allowed' && text !== '';
}

/** Denies a partner, and admits it again when it is out. */
async function denyForAWhile(deployment: Deployment, partner: CountedPartner): Promise<void> {
  const { ledger, edge } = deployment;
  const { domain, closings } = partner;
  const before = closings.length;
  const outward: Flow = `coluc.com>${domain}`;
  const inward: Flow = `${domain}>coluc.com`;
  const from = performance.now();
  await edge.box.set({ [`deny.${domain}`]: 'for a while', [`allow.${domain}`]: null });
  const denied = performance.now();
  await until(() => closings.length >= before + 2, `${domain} is out`);
  const out = closings.slice(before);
  for (const { at } of out) expect(at - denied).toBeLessThan(OUT_MS);
  const opened = out.find(({ openedBy }) => openedBy === 'partner');
  expect(opened).toMatchObject({ how: 'closed', error: 'policy-violation' });
  // What the partner had on its way when its stream was closed, nobody took.
  ledger.incident({
    what: `${domain} was denied`,
    from: from - 50,
    until: opened?.at ?? from,
    flows: (flow) => flow === inward,
  });
  const bounced = ledger.bouncesOf(outward).size;
  await until(() => ledger.bouncesOf(outward).size > bounced + 2, `stanzas to ${domain} come back`);
  expect(partner.isConnected).toBe(false);
  await edge.box.set({ [`deny.${domain}`]: null, [`allow.${domain}`]: 'again' });
  await until(() => partner.isConnected, `${domain} is back`);
  await delivering(ledger, [outward, inward], 2);
}

async function denyInTurn(deployment: Deployment, partners: readonly CountedPartner[]): Promise<void> {
  for (const partner of partners) await denyForAWhile(deployment, partner);
}

async function changeOnTheCore({ core }: Deployment, changed: () => void): Promise<void> {
  for (let number = 0; number < 100; number++) {
    await core.box.set({ [`allow.y${number % 10}.lab`]: `by the Core ${number}` });
    changed();
  }
}

test('50 partners exchange messages while settings change 1,000 times: whom a change does not concern notices nothing, whom it denies is out within a second', async () => {
  const domains = Array.from({ length: PARTNERS }, (_, index) => `p${index + 1}.lab`);
  await using deployment = await Deployment.start({
    network: 173,
    partners: PARTNERS,
    logLevel: 'info',
    settings: { federation: true, ...Object.fromEntries(domains.map((domain) => [`allow.${domain}`, ''])) },
  });
  const { ledger, edge, partners, home } = deployment;
  await deployment.connected(30_000);
  using load = loadOn(deployment, 1_000);
  await delivering(ledger, flowsOf(deployment), 3);
  const [concerned, unconcerned] = [partners.slice(0, CONCERNED), partners.slice(CONCERNED)];
  const streams = streamsOf({ partners: unconcerned, homes: [home] });
  const handles = await streamHandles(deployment, unconcerned);
  const links = edge.link.accepted;

  let changes = 0;
  const onTheEdge = edge.box.ask(async ({ config }) => {
    for (let number = 0; changes < CHANGES; number++) {
      const steps = Object.entries(harmless(number)).map(([key, value]) =>
        value === null ? { remove: key } : { put: key, value },
      );
      const [outcome] = (await config?.change({ steps, author: 'test', reason: `change ${number}` }, undefined)) ?? [];
      expect(['changed', 'unchanged']).toContain(outcome?.outcome);
      changes += 1;
    }
  });
  await Promise.all([
    onTheEdge,
    denyInTurn(deployment, concerned),
    // Those of a second administrator, on the Core, are proposals to the Edge.
    changeOnTheCore(deployment, () => (changes += 1)),
  ]);
  await delivering(ledger, flowsOf(deployment), 3);
  load.stop();
  await ledger.settled();

  const names = new Set(concerned.map(({ domain }) => domain));
  const isConcerned = (flow: Flow): boolean => flow.split('>').some((domain) => names.has(domain));
  const account = ledger.check({ bounce: (bounce, flow) => isConcerned(flow) && !isInward(flow) && isDenied(bounce) });
  expect(account.bounced).toBeGreaterThan(CONCERNED);
  const untouched = ledger.totals((flow) => !isConcerned(flow));
  expect(untouched).toMatchObject({ delivered: untouched.sent, bounced: 0, lost: 0 });
  expect(streamsOf({ partners: unconcerned, homes: [home] })).toEqual(streams);
  expect(await streamHandles(deployment, unconcerned)).toEqual(handles);
  expect(edge.link.accepted).toBe(links);
});

test('federation off: every stream is closed with a reason and bounces say why; on again, and everybody is back', async () => {
  await using deployment = await Deployment.start({ network: 174, partners: 5 });
  const { ledger, edge, core, partners } = deployment;
  await deployment.connected();
  using load = loadOn(deployment, 400);
  for (let round = 0; round < 3; round++) {
    await delivering(ledger, flowsOf(deployment), 5);
    const before = partners.map(({ closings }) => closings.length);
    const box = round === 1 ? core.box : edge.box;
    const from = performance.now();
    await box.set({ federation: false });
    const off = performance.now();
    await until(
      () => partners.every(({ closings }, index) => closings.length >= (before[index] ?? 0) + 2),
      'everybody is out',
    );
    const closings = partners.flatMap((partner, index) => partner.closings.slice(before[index]));
    for (const { at } of closings) expect(at - off).toBeLessThan(OUT_MS);
    expect(reasonsOf(closings)).toEqual(['closed', 'closed with policy-violation']);
    ledger.incident({
      what: 'federation was switched off',
      from: from - 50,
      until: Math.max(...closings.map(({ at }) => at)),
      flows: isInward,
    });
    const { bounced } = ledger.totals();
    await until(() => ledger.totals().bounced > bounced + 50, 'stanzas from inside come back');
    await box.set({ federation: true });
    await deployment.connected();
  }
  await delivering(ledger, flowsOf(deployment), 5);
  load.stop();
  await ledger.settled();
  ledger.check({
    bounce: ({ condition, text }, flow) =>
      !isInward(flow) && condition === 'not-allowed' && text === 'Federation is switched off.',
  });
});

/** fedway's own names of the connections with some partners. */
async function streamHandles({ edge }: Deployment, partners: readonly CountedPartner[]): Promise<readonly string[]> {
  const names = new Set(partners.map(({ domain }) => domain));
  const streams = await edge.box.ask((desk) => desk.streams());
  return streams
    .filter(
      ({ box, side, remote, state }) =>
        box === 'edge-1' && side === 'foreign' && state === 'connected' && names.has(remote ?? ''),
    )
    .map(({ connection, direction, remote }) => `${remote} ${direction} ${connection}`)
    .toSorted();
}
