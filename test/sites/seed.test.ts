import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestClient } from '../lab/client.ts';
import { errorOf, exchangeMessage, expectBounce, untilDelivered } from '../lab/conversation.ts';
import { found } from '../lab/requirements.ts';
import { AXL_PASSWORD, AXL_USER, type Site } from './site.ts';
import { World } from './world.ts';

const PASSWORD = 'wonderland';
/** "Wait 30sec and next go through the steps". */
const ROW_MS = 30_000;

/** The walk of the reference system's page, from the switch to the cure, with its own log lines and its own commands. */
describe('the reference, step by step', () => {
  let world: World;
  let coluc: Site;
  let vngtp: Site;
  let alice: TestClient;
  let bob: TestClient;

  beforeAll(async () => {
    world = await World.prepare({ name: 'seed' });
    coluc = world.site({
      domain: 'coluc.com',
      partners: ['vngtp.lab'],
      logFormat: 'expressway',
      routerChanges: 'restart',
    });
    vngtp = world.site({ domain: 'vngtp.lab', partners: ['coluc.com'], logFormat: 'expressway' });
    await Promise.all([coluc.start(), vngtp.start()]);
    coluc.addUser('alice', PASSWORD);
    vngtp.addUser('bob', PASSWORD);
    vngtp.switchFederation('on');
    [alice, bob] = await Promise.all([coluc.login('alice', PASSWORD), vngtp.login('bob', PASSWORD)]);
  });
  afterAll(async () => {
    await world.stop();
  });

  test('before: the table is empty, and XMPP federation is off on the IM&P node', () => {
    expect(coluc.table()).not.toContain('cm-2_s2scp');
    expect(coluc.shell('show', 'xmpp', 'federation')).toMatch(/off/i);
  });

  test('enable XMPP federation on the Edge: its log has the line of the reference, and the Core replicates it', async () => {
    const [edge, core] = [coluc.edge.log.mark(), coluc.core.log.mark()];
    coluc.switchFederation('on');
    const line = 'Detail="xconfiguration xcpConfiguration is_federation_enabled - changed from: 0 to: 1"';
    expect(await coluc.edge.log.waitFor(/is_federation_enabled/, edge)).toContain(line);
    expect(await coluc.core.log.waitFor(/is_federation_enabled/, core)).toContain(
      'is_federation_enabled - changed from: 0 to: 1',
    );
    const axl = `Module="network.axl" Level="INFO" Action="Send" URL="${coluc.axlUrl}" Function="executeSQLQuery"`;
    expect(await coluc.core.log.waitFor(/Function="executeSQLQuery"/, core)).toContain(axl);
  });

  test('verification step 1: within 30 seconds the row is in xmpps2snodes, as the command line of IM&P shows it', async () => {
    await expect.poll(() => coluc.table(), { timeout: ROW_MS, interval: 300 }).toContain(coluc.cpId);
    const [head, bars, row, ...rest] = coluc.table().trimEnd().split('\n');
    expect(head?.replaceAll(/ +/g, ' ').trim()).toBe('pkid cp_id');
    expect(bars).toMatch(/^={36} =+$/);
    expect(row).toMatch(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12} cm-2_s2scp-1\.edge-coluc-com$/);
    expect(rest).toEqual([]);
  });

  test('verification step 2: XMPP federation stays off on the node; switched on, node and Core tell of the conflict', async () => {
    expect(coluc.shell('show', 'xmpp', 'federation')).toMatch(/off/i);
    coluc.shell('set', 'xmpp', 'federation', 'on');
    await expect.poll(() => coluc.shell('show', 'notifications'), { timeout: 5_000 }).toMatch(/federation/i);
    coluc.core.command(['publisher', 'refresh']);
    await expect.poll(() => statusOf(coluc).stdout, { timeout: 15_000, interval: 300 }).toContain('25024');
    expect(statusOf(coluc).status).toBe(3);
    coluc.shell('set', 'xmpp', 'federation', 'off');
    coluc.core.command(['publisher', 'refresh']);
    await expect.poll(() => statusOf(coluc).stdout, { timeout: 15_000, interval: 300 }).not.toContain('25024');
  });

  test('cause 2: until the XCP Router is restarted it bounces foreign stanzas; the notification and the Core say so', async () => {
    const { condition } = errorOf(await expectBounce(alice, 'bob@vngtp.lab'));
    expect(condition).toMatch(/^remote-server-(?:not-found|timeout)$/);
    expect(coluc.shell('show', 'notifications')).toMatch(/XCP Router/);
    coluc.core.command(['publisher', 'refresh']);
    await expect
      .poll(() => statusOf(coluc).stdout, { timeout: 15_000, interval: 300 })
      .toMatch(/restart.*XCP Router/is);
  });

  test('solution 2: utils service restart Cisco XCP Router, and messages are delivered', async () => {
    expect(coluc.shell('utils', 'service', 'restart', 'Cisco', 'XCP', 'Router')).toMatch(/\[STARTED\]|started/i);
    expect(coluc.shell('show', 'notifications')).not.toMatch(/XCP Router/);
    await untilDelivered(alice, bob);
    await exchangeMessage(alice, bob);
    await exchangeMessage(bob, alice);
    coluc.core.command(['publisher', 'refresh']);
    await expect.poll(() => statusOf(coluc).status, { timeout: 15_000, interval: 300 }).toBe(0);
  });

  test('the page of AXL opens in a browser with the account of the Core, and with no other', () => {
    expect(browse(coluc, `${AXL_USER}:${AXL_PASSWORD}`, world.authority.root)).toMatch(/^HTTP\/1\.1 200[\s\S]*AXL/);
    expect(browse(coluc, `${AXL_USER}:wrong`, world.authority.root)).toMatch(/^HTTP\/1\.1 401/);
  });

  test.skipIf(!found('tshark'))('a capture on the node is opened by tshark, and shows AXL and XMPP', async () => {
    const capturing = coluc.node.tryCommand.bind(coluc.node);
    coluc.core.command(['publisher', 'refresh']);
    const folder = path.join(coluc.node.folder, 'data', 'captures');
    const started = capturing([
      'imp',
      'shell',
      'utils',
      'network',
      'capture',
      'eth0',
      'file',
      'axl_inject.pcap',
      'count',
      '20',
      'size',
      'all',
      'source',
      'decoded',
    ]);
    void started;
    await pause(0);
    const read = spawnSync('tshark', ['-r', path.join(folder, 'axl_inject.pcap')], { encoding: 'utf8' });
    expect(read.stderr).toBe('');
    expect(read.stdout).toMatch(/HTTP|XMPP/);
  });

  test('cause 1: a wrong AXL password: the line with 401, alarm 25023 with the cure, and the inside is cut off from the outside', async () => {
    const wrong = path.join(coluc.core.folder, 'wrong.password');
    writeFileSync(wrong, 'not the password\n', { mode: 0o600 });
    const mark = coluc.core.log.mark();
    coluc.setPassword(wrong);
    coluc.switchFederation('off');
    expect(await coluc.core.log.waitFor(/Status="401"/, mark)).toMatch(
      /Function="executeSQL(?:Query|Update)" Status="401" Reason="None"/,
    );
    await expect.poll(() => statusOf(coluc).stdout, { timeout: 15_000, interval: 300 }).toContain('25023');
    expect(statusOf(coluc).stdout).toMatch(/password/i);
    expect(statusOf(coluc).status).toBe(3);
  });

  test('solution 1: update the password, refresh the servers: the table is true again, and the alarm is gone', async () => {
    coluc.setPassword();
    coluc.core.command(['publisher', 'refresh']);
    await expect.poll(() => coluc.table(), { timeout: ROW_MS, interval: 300 }).not.toContain(coluc.cpId);
    coluc.switchFederation('on');
    await expect.poll(() => coluc.table(), { timeout: ROW_MS, interval: 300 }).toContain(coluc.cpId);
    coluc.shell('utils', 'service', 'restart', 'Cisco', 'XCP', 'Router');
    await untilDelivered(alice, bob);
    await expect.poll(() => statusOf(coluc).stdout, { timeout: 15_000, interval: 300 }).not.toContain('25023');
  });

  test('federation off again: the row of the Edge is removed, and nothing else', async () => {
    coluc.shell('run', 'sql', `insert into xmpps2snodes (pkid, cp_id) values (newid(), 'cm-2_s2scp-1.not-ours')`);
    coluc.switchFederation('off');
    await expect.poll(() => coluc.table(), { timeout: ROW_MS, interval: 300 }).not.toContain(coluc.cpId);
    expect(coluc.table()).toContain('cm-2_s2scp-1.not-ours');
  });
});

function statusOf(site: Site): { readonly status: number | null; readonly stdout: string } {
  return site.core.tryCommand(['status']);
}

/** What a browser gets from the page of AXL. */
function browse({ axlUrl }: Site, user: string, authorities: string): string {
  return spawnSync('curl', ['-s', '-i', '--cacert', authorities, '-u', user, axlUrl], { encoding: 'utf8' }).stdout;
}
