/** An Edge, a Core and an IM&P cluster behind it: what an administrator does, and what the cluster and the status then say. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { leaf } from '../support/certificates.ts';
import { DeployedBox } from '../support/deployed-box.ts';
import { freePort } from '../support/free-port.ts';
import { clusterRoot, ImpCluster, ROUTER_SECRET } from '../support/imp-cluster.ts';
import { until } from '../support/until.ts';

const CP_ID = 'cm-2_s2scp-1.eft-xwye-a-coluc-com';

let folder = '';
let cluster: ImpCluster;
let edge: DeployedBox;
let core: DeployedBox;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fedway-imp-cluster-'));
  cluster = await ImpCluster.start('127.73.0.30');
  const own = leaf('coluc.com', clusterRoot);
  const files = {
    'ca.pem': clusterRoot.pem,
    'router.secret': ROUTER_SECRET,
    'wrong.secret': 'not this one',
    'axl.password': cluster.password,
    'coluc.pem': own.chainPem,
    'coluc.key': own.keyPem,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 });
  const link = `127.73.0.1:${await freePort('127.73.0.1')}`;
  edge = new DeployedBox(folder, 'edge-1', {
    role: 'edge',
    log: { format: 'json', level: 'debug' },
    link: { listen: [link] },
    s2s: { listen: [`127.73.0.1:${await freePort('127.73.0.1')}`] },
    homes: [{ domains: ['coluc.com'], certificate: '../coluc.pem', key: '../coluc.key' }],
  });
  core = new DeployedBox(folder, 'core-1', {
    role: 'core',
    log: { format: 'json', level: 'debug' },
    publishers: { authorities: ['../ca.pem'] },
    homes: [
      {
        domains: ['coluc.com'],
        server: { imp: { address: `127.73.0.30:${cluster.routerPort}`, secret: { file: '../router.secret' } } },
      },
    ],
  });
  await Promise.all([edge.start(), core.start()]);
  const token = await edge.command('link', 'invite', 'core-1');
  await core.command('link', 'join', token.trim());
}, 60_000);

afterAll(async () => {
  await Promise.all([edge.kill(), core.kill()]);
  await cluster[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function alarmsOf(box: DeployedBox): Promise<readonly number[]> {
  return (await box.status()).alarms.map(({ id }) => id);
}

function becomes(ids: readonly number[], what: string, milliseconds = 5_000): Promise<void> {
  return until(
    async () => String(await alarmsOf(core)) === String(ids),
    what,
    milliseconds,
    () => core.log.tail(),
  );
}

test('a publisher whose password lacks is an alarm on both boxes, and the Edge learns no address', async () => {
  await core.command('config', 'set', `publishers.cups.address=${cluster.publisher}`, 'publishers.cups.user=axl');
  await becomes([25024], 'an alarm that the publisher has no password');
  const here = await core.tryCommand('status');
  expect([here.status, here.out.split('\n')[0]]).toEqual([
    3,
    expect.stringMatching(/^Alarm 25024 on core-1, raised \d+ s ago: XMPP configuration error$/),
  ]);
  const there = await edge.tryCommand('status');
  expect([there.status, there.out.split('\n')[0]]).toEqual([3, expect.stringMatching(/^Alarm 25024 on core-1, /)]);
  const told = `${JSON.stringify(await edge.ask((desk) => desk.status()))}${[...(await edge.values()).values()].join()}`;
  expect(told).not.toContain(cluster.publisher);
  expect((await edge.values()).get('publishers.cups.address')).toBe('(secret)');
  expect((await core.values()).get('publishers.cups.address')).toBe(cluster.publisher);
});

test('a wrong password is told with what the publisher answered; with the right one all is well', async () => {
  await core.command('config', 'set', 'publishers.cups.password', '--from-file', join(folder, 'wrong.secret'));
  await becomes([25023], 'an alarm that the publisher cannot be told');
  const refreshed = await core.tryCommand('publisher', 'refresh');
  expect([refreshed.status, refreshed.out]).toEqual([
    3,
    expect.stringMatching(/\(HTTP 401\)\.\n {2}Cause: .*\n {2}Cure: /),
  ]);
  // What the publisher said may name where it is: the Edge learns that it is so, and not that.
  const others = (await edge.ask((desk) => desk.status())).others;
  expect(others).toMatchObject([
    { publishers: [], alarms: [{ id: 25023, cure: expect.stringContaining('fedway config set') as string }] },
  ]);
  expect(others[0]?.alarms[0]?.detail).toBeUndefined();
  await core.command('config', 'set', 'publishers.cups.password', '--from-file', join(folder, 'axl.password'));
  await becomes([], 'the alarm is over');
  expect((await core.command('publisher', 'list')).split('\n')[1]).toMatch(/^cups +127\.0\.0\.1:\d+ +ok +15\.0 /);
});

test('federation on: the table has the Edge well within 30 seconds, and the Core connects to the router by its name', async () => {
  await edge.command('config', 'set', 'host_name', 'eft-xwye-a.coluc.com');
  expect([...cluster.table]).toEqual([]);
  const before = performance.now();
  await core.command('config', 'set', 'federation=on', 'privacy=off');
  await until(
    () => cluster.table.has(CP_ID),
    'the row',
    10_000,
    () => core.log.tail(),
  );
  await until(
    () => cluster.components.has(CP_ID),
    'the component',
    10_000,
    () => core.log.tail(),
  );
  expect(performance.now() - before).toBeLessThan(10_000);
  const file = join(core.dataFolder, 'publishers.json');
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ version: 1, publishers: { cups: [CP_ID] } });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const shown = await core.command('publisher', 'show', 'cups');
  expect(shown).toMatch(new RegExp(`${CP_ID} +yes +yes +fedway`));
  await becomes([], 'no alarm is left');
});

test('what the router sends goes out by the Edge: to nobody that is there, so the sender on the node is told', async () => {
  const wire = cluster.components.get(CP_ID);
  wire?.send(
    "<message from='alice@coluc.com/a' to='bob@nowhere.invalid' id='m1' type='chat'><body>hi</body></message>",
  );
  const bounce = await wire?.expect(/<message[^>]*id='m1'[^>]*>.*<\/message>/, 15_000);
  expect(bounce).toMatch(/to='alice@coluc\.com\/a'/);
  expect(bounce).toMatch(/remote-server-(?:not-found|timeout)/);
});

test('another name of the Edge takes the place of the former one, in the table and at the router', async () => {
  await edge.command('config', 'set', 'host_name', 'other.coluc.com');
  const other = 'cm-2_s2scp-1.other-coluc-com';
  await until(
    () => String([...cluster.table]) === other,
    'the other row',
    10_000,
    () => core.log.tail(),
  );
  await until(() => cluster.components.has(other), 'the other component', 10_000);
  expect(cluster.components.get(CP_ID)?.ended).toBe(true);
  await edge.command('config', 'set', 'host_name', 'eft-xwye-a.coluc.com');
  await until(() => String([...cluster.table]) === CP_ID, 'the row', 10_000);
});

test('IM&P that federates by itself is an alarm while the Edge does, until it is switched off there', async () => {
  cluster.federation = 'on';
  await core.command('publisher', 'refresh');
  await becomes([25024], 'the alarm');
  const [alarm] = (await core.status()).alarms;
  expect(alarm?.cure).toContain('set xmpp federation off');
  cluster.federation = 'off';
  await core.command('publisher', 'refresh');
  await becomes([], 'the alarm is over');
});

test('a router that has to be restarted is an alarm; when it was, the component is there at once', async () => {
  cluster.isLive = false;
  cluster.restartRouter();
  await until(() => cluster.components.has(CP_ID), 'the component', 20_000);
  await edge.command('config', 'set', 'federation', 'off');
  await until(
    () => cluster.table.size === 0,
    'the row is gone',
    10_000,
    () => core.log.tail(),
  );
  cluster.restartRouter();
  const mark = core.log.mark();
  await edge.command('config', 'set', 'federation', 'on');
  await until(
    () => cluster.table.has(CP_ID),
    'the row',
    10_000,
    () => core.log.tail(),
  );
  await becomes([90001], 'the alarm', 10_000);
  expect(cluster.components.has(CP_ID)).toBe(false);
  await core.log.wait(({ code, message }) => code === 'component-lost' && message.includes('host-unknown'), mark);
  cluster.restartRouter();
  await core.command('publisher', 'refresh');
  await until(
    () => cluster.components.has(CP_ID),
    'the component, without another pause',
    3_000,
    () => core.log.tail(),
  );
  await becomes([], 'the alarm is over');
  cluster.isLive = true;
});

test('a publisher that is no longer configured loses our row, and no other', async () => {
  cluster.table.add('cm-2_s2scp-1.somebody-else');
  const keys = ['address', 'user', 'password'].map((key) => `publishers.cups.${key}`);
  await core.command('config', 'unset', ...keys);
  await until(
    () => !cluster.table.has(CP_ID),
    'the row is gone',
    10_000,
    () => core.log.tail(),
  );
  expect([...cluster.table]).toEqual(['cm-2_s2scp-1.somebody-else']);
  await core.log.wait(({ code }) => code === 'publisher-left');
});
