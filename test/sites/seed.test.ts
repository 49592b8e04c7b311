import { spawnSync } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestClient } from '../lab/client.ts';
import { errorOf, exchangeMessage, expectBounce, untilDelivered } from '../lab/conversation.ts';
import { found } from '../lab/requirements.ts';
import { expectWalk, WALKS } from '../lab/walks.ts';
import { type Capture, capture, dissect } from './captures.ts';
import type { SiteProgram } from './program.ts';
import { AXL_PASSWORD, AXL_USER, type Site } from './site.ts';
import { World } from './world.ts';

const PASSWORD = 'wonderland';
/** "Wait 30sec and next go through the steps". */
const ROW = { timeout: 30_000, interval: 300 };
/** How soon a box has to say what is wrong with it, and that it is over. */
const ALARM = { timeout: 15_000, interval: 300 };
const FEDERATION_ON = 'Detail="xconfiguration xcpConfiguration is_federation_enabled - changed from: 0 to: 1"';
/** As the page shows it, with the padding of the columns that it has lost. */
const TABLE = `pkid                                 cp_id
==================================== =================================
055c13d9-943d-459d-a3c6-af1d1176936d cm-2_s2scp-1.eft-xwye-a-coluc-com
`;
const PKID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
const RESTART = ['utils', 'service', 'restart', 'Cisco', 'XCP', 'Router'];

/**
 * The page of the reference system from its first step to its last, with its own log lines and its own commands. coluc.com has an XCP Router that has to be
 * restarted, as that of the reference system; vngtp.lab has a wrong AXL password until the step that cures it.
 */
describe('the reference, step by step', () => {
  let world: World;
  let coluc: Site;
  let vngtp: Site;
  let alice: TestClient;
  let bob: TestClient;
  let packets: Capture;
  let decoded: Capture;

  beforeAll(async () => {
    world = await World.prepare({ name: 'seed' });
    const usual = { logFormat: 'expressway', logLevel: 'info', authentication: 'dialback' } as const;
    coluc = world.site({
      ...usual,
      domain: 'coluc.com',
      edge: 'eft-xwye-a',
      partners: ['vngtp.lab'],
      routerChanges: 'restart',
    });
    vngtp = world.site({ ...usual, domain: 'vngtp.lab', partners: ['coluc.com'] });
    await Promise.all([coluc.start(), vngtp.start(wrongPassword(vngtp))]);
    coluc.addUser('alice', PASSWORD);
    vngtp.addUser('bob', PASSWORD);
    vngtp.switchFederation('on');
    [alice, bob] = await Promise.all([coluc.login('alice', PASSWORD), vngtp.login('bob', PASSWORD)]);
  });
  afterAll(async () => {
    await world.stop();
  });

  test('before: the table is empty', () => {
    expect(linesOf(coluc.table())).toEqual(['pkid cp_id', '==== =====']);
  });

  test('enable XMPP federation, 1 and 2: the line of the Edge, its copy on the Core, and the line of AXL', async () => {
    const [edge, core] = [coluc.edge.log.mark(), coluc.core.log.mark()];
    coluc.switchFederation('on');
    expect(await coluc.edge.log.waitFor(/is_federation_enabled/, edge)).toContain(FEDERATION_ON);
    expect(await coluc.core.log.waitFor(/is_federation_enabled/, core)).toContain(FEDERATION_ON);
    const axl = `Module="network.axl" Level="INFO" Action="Send" URL="${coluc.axlUrl}" Function="executeSQLQuery"`;
    const line = await coluc.core.log.waitFor(/Function="executeSQLQuery"/, core);
    expect(line.slice(line.indexOf('Module='))).toBe(axl);
  });

  test('enable XMPP federation, 3: DNS has the SRV record, with port 5269, for the domain and the alias of its rooms', async () => {
    const resolver = new Resolver();
    resolver.setServers([world.dns.endpoint]);
    for (const domain of [coluc.domain, coluc.rooms]) {
      const records = await resolver.resolveSrv(`_xmpp-server._tcp.${domain}`);
      expect(records).toMatchObject([{ name: coluc.edgeName, port: 5269 }]);
    }
  });

  test('verify, step 1: within 30 seconds the row is in xmpps2snodes, in the very layout of the page', async () => {
    await expect.poll(() => coluc.table(), ROW).toContain(coluc.cpId);
    const pkid = PKID.exec(coluc.table())?.[0] ?? 'no pkid';
    expect(coluc.table()).toBe(TABLE.replace(PKID, pkid));
  });

  test('verify, step 2: XMPP Federation Node Status is Off', () => {
    expect(coluc.shell('show', 'xmpp', 'federation').trimEnd()).toBe('XMPP Federation Node Status: Off');
  });

  test('federation off removes our row, and leaves the one that somebody has inserted over AXL', async () => {
    const foreign = 'cm-2_s2scp-1.not-ours';
    const inserted = update(coluc, `insert into xmpps2snodes (pkid, cp_id) values (newid(), '${foreign}')`, world);
    expect(inserted).toContain('<rowsUpdated>1</rowsUpdated>');
    coluc.switchFederation('off');
    await expect.poll(() => coluc.table(), ROW).not.toContain(coluc.cpId);
    expect(coluc.table()).toContain(foreign);
    update(coluc, `delete from xmpps2snodes where cp_id = '${foreign}'`, world);
    expect(linesOf(coluc.table())).toHaveLength(2);
  });

  test('troubleshoot, step 1: with level DEBUG the modules of the page say more, on Edge and Core', async () => {
    for (const program of [coluc.edge, coluc.core])
      expect(program.log.since(0)).not.toMatch(/Module="(?:developer\.clusterdb\.restapi|network\.axl)" Level="DEBUG"/);
    await coluc.edge.reload(logOf({ 'developer.clusterdb.restapi': 'debug' }));
    await coluc.core.reload(logOf({ 'developer.clusterdb.restapi': 'debug', 'network.axl': 'debug' }));
    const [edge, core] = [coluc.edge.log.mark(), coluc.core.log.mark()];
    coluc.set(coluc.edge, 'allow.third.lab', '');
    coluc.core.command(['publisher', 'refresh']);
    await coluc.edge.log.waitFor(debug('developer.clusterdb.restapi', 'sent coluc-core revision'), edge);
    await coluc.core.log.waitFor(debug('developer.clusterdb.restapi', 'of the configuration of coluc-edge'), core);
    await coluc.core.log.waitFor(debug('network.axl', 'Function="executeSQLQuery" Status="200"'), core);
  });

  test('troubleshoot, steps 2 and 3: captures on the node while federation is switched on; Ctrl-C says what is in which file', async () => {
    packets = await capture(coluc.node, captureInto('axl_inject.pcap'));
    coluc.switchFederation('on');
    await expect.poll(() => coluc.table(), ROW).toContain(coluc.cpId);
    await packets.end();
    expect(packets.said()).toContain(' size=ALL                 count=1000000            interface=eth0');
    expect(packets.said()).toMatch(/^Captured [1-9]\d* packets, \d+ bytes \(stopped\): .*\/axl_inject\.pcap$/m);
    coluc.switchFederation('off');
    await expect.poll(() => coluc.table(), ROW).not.toContain(coluc.cpId);
    decoded = await capture(coluc.node, [...captureInto('axl_decoded.pcap'), 'source', 'decoded']);
    coluc.switchFederation('on');
    await expect.poll(() => coluc.table(), ROW).toContain(coluc.cpId);
    await decoded.end();
    expect(coluc.shell('file', 'list', 'activelog', 'platform/cli/*')).toMatch(/^axl_inject\.pcap +\d+ /m);
  });

  test.skipIf(!found('tshark'))(
    'the capture, as packets: AXL within TLS, and XMPP at the port of the router',
    (context) => {
      if (!packets.isOfPackets()) context.skip('the node may have no packets of its interface here');
      const at = `ip.addr == ${coluc.nodeAddress}`;
      // The connection may be one that was open before.
      expect(dissect(packets.file, `${at} && tcp.port == 8443 && tls`)).toMatch(/TLSv1\.[23].*Application Data/);
      expect(dissect(packets.file, `${at} && tcp.port == 7400 && xmpp`)).toContain('XMPP');
    },
  );

  test.skipIf(!found('tshark'))(
    'the capture, decoded: the exchange of AXL can be read, but for its credentials, and so can XMPP',
    () => {
      for (const words of ['executeSQLQuery', 'executeSQLUpdate', `values (newid(), '${coluc.cpId}')`, '********'])
        expect(dissect(decoded.file, `tcp.port == 8443 && http contains "${words}"`, 'http')).toContain('HTTP');
      const credentials = Buffer.from(`${AXL_USER}:${AXL_PASSWORD}`).toString('base64');
      expect(readFileSync(decoded.file, 'latin1')).not.toContain(credentials);
      expect(dissect(decoded.file, 'tcp.port == 7400 && xmpp')).toContain('XMPP');
    },
  );

  test('cause 2: the XCP Router has not been restarted: the notification, the bounce, and within 15 seconds the alarm of the Core', async () => {
    expect(coluc.shell('show', 'notifications')).toMatch(
      /XCP Router must be restarted.*utils service restart Cisco XCP/s,
    );
    const node = coluc.node.log.mark();
    expect(errorOf(await expectBounce(alice, 'bob@vngtp.lab')).condition).toBe('remote-server-timeout');
    await coluc.node.log.waitFor(/Module="imp\.router".*Returned a message .*Restart the XCP Router/, node);
    await expect.poll(() => statusOf(coluc.core).said, ALARM).toMatch(/^Alarm 90001 on coluc-core/m);
    const { status, said } = statusOf(coluc.core);
    expect(status).toBe(3);
    expect(said).toMatch(/^ {2}Cure: Restart the XCP Router .*Cisco XCP Router\.$/m);
  });

  test('solution 2: restart the XCP Router: no notification, no alarm, and the message leaves', async () => {
    expect(coluc.shell(...RESTART)).toMatch(/^Cisco XCP Router \[STOPPING\]\nCisco XCP Router \[STARTED\]$/m);
    expect(coluc.shell('show', 'notifications').trimEnd()).toBe('No notifications.');
    await untilDelivered(alice, bob);
    await expect.poll(() => statusOf(coluc.core).said, ALARM).not.toMatch(/^Alarm/m);
    expect(statusOf(coluc.core).status).toBe(0);
  });

  test('cause 1: wrong credentials: messages come in and none goes out, while all seems well to the users', async () => {
    await exchangeMessage(alice, bob);
    expect(errorOf(await expectBounce(bob, 'alice@coluc.com')).condition).toMatch(/^remote-server-/);
    await vngtp.node.log.waitFor(/Module="imp\.router".*Returned a message .*does not name it.*the password/, 0);
    expect(vngtp.table()).not.toContain(vngtp.cpId);
    expect(vngtp.shell('show', 'notifications').trimEnd()).toBe('No notifications.');
  });

  test('cause 1: the line of the Core, and alarm 25023 with cause and cure in the status of Core and Edge', async () => {
    expect(await vngtp.core.log.waitFor(/Status="401"/, 0)).toContain(
      `Action="Receive" URL="${vngtp.axlUrl}" Function="executeSQLQuery" Status="401" Reason="None"`,
    );
    for (const program of [vngtp.core, vngtp.edge]) {
      await expect.poll(() => statusOf(program).said, ALARM).toMatch(/^Alarm 25023 on vngtp-core/m);
      const { status, said } = statusOf(program);
      expect(status).toBe(3);
      expect(said).toMatch(
        /^ {2}The IM&P publisher vngtp could not be told .* messages from the world come in and none goes out/m,
      );
      expect(said).toMatch(/^ {2}Cause: The user name or the password is wrong/m);
      expect(said).toMatch(/^ {2}Cure: .*publishers\.vngtp\.password.*fedway publisher refresh vngtp/m);
    }
    expect(said(vngtp.core, 'publisher', 'list')).toMatch(/^vngtp .* failed /m);
    expect(said(vngtp.core, 'publisher', 'show', 'vngtp')).toMatch(/Cure +.*[Pp]assword/);
  });

  test('cause 1, verified by hand: the page of AXL opens with the credentials, and with no others', () => {
    expect(browse(vngtp, 'not the password', world)).toMatch(/^HTTP\/1\.1 401/);
    expect(browse(vngtp, AXL_PASSWORD, world)).toMatch(/^HTTP\/1\.1 200[\s\S]*The AXL service works/);
  });

  test('solution 1: update the password, refresh: the row is there, the alarm gone, and the answer arrives', async () => {
    vngtp.setPassword();
    expect(vngtp.core.command(['publisher', 'refresh'])).toBe('vngtp is told: 1 Edge in its table.\n');
    expect(vngtp.table()).toContain(vngtp.cpId);
    await untilDelivered(bob, alice);
    await exchangeMessage(bob, alice);
    for (const program of [vngtp.core, vngtp.edge])
      await expect.poll(() => statusOf(program), ALARM).toMatchObject({ status: 0 });
  });

  test.each(Object.keys(WALKS))('how does dialback work: each line of the page for the %s server', async (role) => {
    await expectWalk(coluc.edge.log, WALKS[role] ?? []);
    expect(coluc.edge.log.since(0)).not.toContain(PASSWORD);
  });

  test('both at once: XMPP federation switched on at the node as well is told there, and by the Core with the cure', async () => {
    coluc.shell('set', 'xmpp', 'federation', 'on');
    expect(coluc.shell('show', 'notifications')).toMatch(/Node Status is On.*set xmpp federation off/s);
    coluc.core.command(['publisher', 'refresh']);
    await expect.poll(() => statusOf(coluc.core).said, ALARM).toMatch(/^Alarm 25024 on coluc-core/m);
    const { status, said } = statusOf(coluc.core);
    expect(status).toBe(3);
    expect(said).toContain('XMPP Federation > Settings > XMPP Federation Node Status > Off');
    coluc.shell('set', 'xmpp', 'federation', 'off');
    coluc.core.command(['publisher', 'refresh']);
    await expect.poll(() => statusOf(coluc.core).said, ALARM).not.toMatch(/^Alarm/m);
    expect(statusOf(coluc.core).status).toBe(0);
  });

  test('when nothing else helps: reboot IM&P; users come back, and messages go both ways', async () => {
    await coluc.node.stop();
    await coluc.node.start();
    const back = await coluc.login('alice', PASSWORD);
    await untilDelivered(back, bob);
    await exchangeMessage(bob, back);
    await expect.poll(() => statusOf(coluc.core).status, ALARM).toBe(0);
  });
});

/** The command of the page, with the file of a capture. */
function captureInto(file: string): readonly string[] {
  return ['utils', 'network', 'capture', 'eth0', 'file', file, 'count', '1000000', 'size', 'all'];
}

function wrongPassword({ core }: Site): string {
  const file = path.join(core.folder, 'wrong.password');
  writeFileSync(file, 'not the password\n', { mode: 0o600 });
  return file;
}

/** A line at level DEBUG. */
function debug(module: string, rest: string): RegExp {
  return new RegExp(`Module="${module}" Level="DEBUG".*${rest}`);
}

function logOf(modules: Readonly<Record<string, string>>): object {
  return { log: { format: 'expressway', level: 'info', modules } };
}

function linesOf(table: string): readonly string[] {
  return table.trimEnd().split('\n');
}

function said(program: SiteProgram, ...words: readonly string[]): string {
  return program.tryCommand(words).stdout;
}

function statusOf(program: SiteProgram): { readonly status: number | null; readonly said: string } {
  const { status, stdout } = program.tryCommand(['status']);
  return { status, said: stdout };
}

function curl({ axlUrl }: Site, { authority }: World, password: string, ...words: readonly string[]): string {
  const account = `${AXL_USER}:${password}`;
  return spawnSync('curl', ['-s', '-i', '--cacert', authority.root, '-u', account, ...words, axlUrl], {
    encoding: 'utf8',
  }).stdout;
}

/** What a browser gets from the page of AXL. */
function browse(site: Site, password: string, world: World): string {
  return curl(site, world, password);
}

/** Changes the table over AXL, as somebody else does. */
function update(site: Site, sql: string, world: World): string {
  const body =
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:ns="http://www.cisco.com/AXL/API/14.0">' +
    `<soapenv:Body><ns:executeSQLUpdate sequence="1"><sql>${sql}</sql></ns:executeSQLUpdate></soapenv:Body></soapenv:Envelope>`;
  const action = 'SOAPAction: "CUCM:DB ver=14.0 executeSQLUpdate"';
  return curl(site, world, AXL_PASSWORD, '-H', 'Content-Type: text/xml', '-H', action, '--data', body);
}
