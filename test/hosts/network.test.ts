import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitForPort } from '../lab/addresses.ts';
import { notTested } from '../support/not-tested.ts';
import { kernelDelays } from './firewall.ts';
import { type Host, namespaceOf } from './host.ts';
import { buildNetwork, type Network } from './network.ts';
import { noHosts } from './with-hosts.ts';
import { ADDRESS, HOSTS, RULES, ZONES } from './zones.ts';

/** A server that sends back what it gets, on every address of the host. */
const ECHO = `require('node:net').createServer((socket) => socket.pipe(socket).on('error', () => socket.destroy()))
  .listen(Number(process.argv[1]), '0.0.0.0')`;

async function echo(host: Host, address: string, port: number): Promise<void> {
  const server = host.launch({
    name: `echo on ${host.name}`,
    command: process.execPath,
    args: ['-e', ECHO, String(port)],
    cwd: host.folder,
    outputFile: path.join(host.folder, `echo-${port}.out`),
  });
  await waitForPort(address, port, 10_000, () => server.assertRunning(), host);
}

/** Whether a connection from a host comes about within a second. */
async function reaches(host: Host, address: string, port: number): Promise<boolean> {
  const script = `const s = require('node:net').connect(${port}, '${address}');
    s.once('connect', () => process.exit(0)); s.once('error', () => process.exit(1)); setTimeout(() => process.exit(1), 1000);`;
  const process_ = host.launch({
    name: 'dial',
    command: process.execPath,
    args: ['-e', script],
    cwd: host.folder,
    outputFile: path.join(host.folder, 'dial.out'),
  });
  return (await process_.exited).code === 0;
}

describe.skipIf(noHosts)('hosts around a firewall', () => {
  let network: Network;
  let host: (name: string) => Host;
  beforeAll(async () => {
    network = await buildNetwork({ name: 'hosts', zones: ZONES, hosts: HOSTS });
    host = (name) => network.host(name);
    await Promise.all([
      echo(host('edge'), ADDRESS.edge, 7400),
      echo(host('edge'), ADDRESS.edge, 5269),
      echo(host('core'), ADDRESS.core, 7400),
      echo(host('partner'), ADDRESS.partner, 5269),
      echo(host('server'), ADDRESS.server, 5269),
    ]);
  });
  afterAll(async () => network?.stop());

  test('without rules nothing crosses, and within a zone everything does', async () => {
    expect(await reaches(host('core'), ADDRESS.edge, 7400)).toBe(false);
    expect(await reaches(host('core'), ADDRESS.server, 5269)).toBe(true);
  });

  test('the rules let the Core dial the Edge, and Edge and world each other', async () => {
    network.firewall.apply(RULES);
    expect(await reaches(host('core'), ADDRESS.edge, 7400)).toBe(true);
    expect(await reaches(host('partner'), ADDRESS.edge, 5269)).toBe(true);
    expect(await reaches(host('edge'), ADDRESS.partner, 5269)).toBe(true);
    expect(network.firewall.packets('link_opened_by_core')).toBe(1);
    expect(network.firewall.packets('s2s_from_world')).toBe(1);
    expect(network.firewall.packets('s2s_to_world')).toBe(1);
    for (const name of ['dmz_dialed_inside', 'world_dialed_inside', 'link_opened_by_others'])
      expect(network.firewall.packets(name)).toBe(0);
  });

  test.each([
    ['edge', ADDRESS.core, 7400, ['dmz_dialed_inside', 'link_opened_by_others', 'refused_from_dmz']],
    ['edge', ADDRESS.server, 5269, ['dmz_dialed_inside', 'refused_from_dmz']],
    ['partner', ADDRESS.server, 5269, ['world_dialed_inside', 'refused_from_world']],
    ['partner', ADDRESS.edge, 7400, ['link_opened_by_others', 'refused_from_world']],
    ['server', ADDRESS.edge, 7400, ['refused_from_inside']],
    ['core', ADDRESS.edge, 5269, ['refused_from_inside']],
    ['core', ADDRESS.partner, 5269, ['refused_from_inside']],
    ['edge', ADDRESS.dns, 443, ['refused_from_dmz']],
  ])('%s does not reach %s:%i, and is counted', async (from, address, port, counters) => {
    network.firewall.apply(RULES);
    expect(await reaches(host(from), address, port)).toBe(false);
    const counted = [...network.firewall.counters()].filter(([, { packets }]) => packets > 0).map(([name]) => name);
    expect(counted.toSorted()).toEqual(counters.toSorted());
  });

  test('a connection made from a host carries bytes both ways, and one that is refused says why', async () => {
    network.firewall.apply(RULES);
    const socket = await host('core').connect(7400, ADDRESS.edge);
    const back = once(socket, 'data');
    socket.write('there and back');
    expect(String((await back)[0])).toBe('there and back');
    const closed = once(socket, 'close');
    socket.end();
    await closed;
    await expect(host('core').connect(7401, ADDRESS.core)).rejects.toThrow('ECONNREFUSED');
  });

  test('what a disturbance loses is lost silently, and counted; afterwards the connection goes on', async () => {
    network.firewall.apply(RULES);
    const socket = await host('core').connect(7400, ADDRESS.edge);
    const back = once(socket, 'data');
    network.firewall.disturb(['inside', 'dmz'], { lostPerThousand: 1000 });
    socket.write('in time');
    await expect.poll(() => network.firewall.packets('lost'), { timeout: 5000 }).toBeGreaterThan(0);
    network.firewall.calm();
    expect(String((await back)[0])).toBe('in time');
    socket.destroy();
  });

  test('a narrow line makes packets wait for each other', async () => {
    network.firewall.apply(RULES);
    network.firewall.disturb(['inside', 'dmz'], { kilobitsPerSecond: 800 });
    // 100 kB there and back, 100 kB a second each way: at least the second that they take one way, but for the burst.
    const narrow = await secondsForEcho(100_000);
    expect(narrow).toBeGreaterThan(0.9);
    network.firewall.calm();
    expect(await secondsForEcho(100_000)).toBeLessThan(narrow);
  });

  test.skipIf(
    notTested('delayed packets (tc netem)', kernelDelays() ? undefined : 'this kernel has no netem (module sch_netem)'),
  )('a delay holds every packet back', async () => {
    network.firewall.apply(RULES);
    network.firewall.disturb(['inside', 'dmz'], { delayMs: 200 });
    expect(await secondsForEcho(1)).toBeGreaterThan(0.4);
    network.firewall.calm();
  });

  /** Bytes from the Core to the Edge and back. */
  async function secondsForEcho(bytes: number): Promise<number> {
    const socket = await host('core').connect(7400, ADDRESS.edge);
    const start = performance.now();
    socket.write(Buffer.alloc(bytes));
    let back = 0;
    while (back < bytes) back += ((await once(socket, 'data')) as [Buffer])[0].length;
    socket.destroy();
    return (performance.now() - start) / 1000;
  }

  test('every host has its own resolver and names', () => {
    expect(host('server').run('cat', ['/etc/resolv.conf'])).toContain(`nameserver ${ADDRESS.core}\n`);
    expect(host('core').run('cat', ['/etc/resolv.conf'])).toBe('');
    expect(host('core').run('cat', ['/etc/hosts'])).toBe('127.0.0.1 localhost\n');
  });

  test('two networks with the same addresses exist side by side', async () => {
    network.firewall.apply(RULES);
    const other = await buildNetwork({ name: 'hosts', zones: ZONES, hosts: HOSTS });
    try {
      other.firewall.apply(RULES);
      expect(await reaches(other.host('core'), ADDRESS.edge, 7400)).toBe(false);
      expect(await reaches(host('core'), ADDRESS.edge, 7400)).toBe(true);
    } finally {
      await other.stop();
    }
  });

  test('who builds hosts and is killed leaves none behind', async () => {
    const source = `const { buildNetwork } = await import(${JSON.stringify(path.resolve(import.meta.dirname, 'network.ts'))});
      const { namespaceOf } = await import(${JSON.stringify(path.resolve(import.meta.dirname, 'host.ts'))});
      const network = await buildNetwork(${JSON.stringify({ name: 'hosts-killed', zones: ZONES, hosts: HOSTS })});
      network.host('edge').launch({ name: 'sleep', command: 'sleep', args: ['600'], cwd: '/', outputFile: '/dev/null' });
      const made = ['firewall', 'edge', 'core', 'server'].map((name) => namespaceOf(String(network.host(name).pid)));
      console.log(JSON.stringify({ folder: network.folder, made }));`;
    const builder = spawn(process.execPath, ['--input-type=module', '-e', `${source} setInterval(() => {}, 1000);`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { folder, made } = JSON.parse(String(((await once(builder.stdout, 'data')) as [Buffer])[0])) as {
      readonly folder: string;
      readonly made: readonly string[];
    };
    const ours = new Set(made);
    const left = (): readonly string[] => namespaces().filter((one) => ours.has(one));
    expect(left().toSorted()).toEqual(made.toSorted());
    builder.kill('SIGKILL');
    await expect.poll(left, { timeout: 10_000 }).toEqual([]);
    rmSync(folder, { recursive: true });
  });
});

/** The network namespaces that processes are in. */
function namespaces(): readonly string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return [...new Set(pids.flatMap((pid) => namespaceOf(pid) ?? []))];
}
