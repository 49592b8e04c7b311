import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gunzipSync } from 'node:zlib';
import { assertFree, waitForPort } from './addresses.ts';
import { domainsOf, PASSWORD } from './organization.ts';
import { type LabProcess, launch, runToEnd } from './processes.ts';
import type { LabServer, ServerPlan } from './server.ts';

const SCHEMA = '/usr/share/doc/jabberd2/db-setup.sqlite.gz';

/** jabberd2 2.7: four processes around a router, accounts in SQLite. */
export function jabberd2(plan: ServerPlan): LabServer {
  const { organization, folder, address, resolver } = plan;
  mkdirSync(folder, { recursive: true });
  const modules = moduleFolder();
  const database = path.join(folder, 'jabberd2.sqlite');
  createDatabase(database, organization.domain, organization.users);
  const configurations = {
    router: router(plan),
    sm: sessionManager(plan, modules, database),
    s2s: s2s(plan),
    c2s: c2s(plan, modules, database),
  };
  for (const [component, xml] of Object.entries(configurations))
    writeFileSync(path.join(folder, `${component}.xml`), xml);
  writeFileSync(
    path.join(folder, 'users.xml'),
    '<users><user><name>jabberd</name><secret>secret</secret></user></users>',
  );
  writeFileSync(path.join(folder, 'filter.xml'), '<filter/>');
  const shim = organization.profile === 'dbplain' ? undefined : tlsShim(folder);
  let processes: LabProcess[] = [];
  const run = async (component: string, port: number | undefined): Promise<void> => {
    const started = launch({
      name: `jabberd2 ${component} (${organization.domain})`,
      command: `/usr/sbin/jabberd2-${component}`,
      args: ['-c', path.join(folder, `${component}.xml`)],
      cwd: folder,
      outputFile: path.join(folder, `${component}.out`),
      env: { NAMESERVERS: resolver, ...(shim === undefined ? {} : { LD_PRELOAD: shim }) },
    });
    processes.push(started);
    if (port !== undefined) await waitForPort(address, port, 20_000, () => started.assertRunning());
  };
  return {
    organization,
    address,
    logs: ['s2s.log', 'sm.log', 'c2s.log', 'router.log'].map((file) => path.join(folder, file)),
    async start() {
      for (const port of [5347, 5269, 5222]) await assertFree(address, port);
      processes = [];
      await run('router', 5347);
      await run('sm', undefined);
      await run('s2s', 5269);
      await run('c2s', 5222);
    },
    async stop() {
      await Promise.all(processes.map(async (process) => process.stop()));
    },
    async kill() {
      await Promise.all(processes.map(async (process) => process.kill()));
    },
    processes: () => processes,
  };
}

/**
 * Debian's build drops healthy TLS connections on OpenSSL 3, from the second handshake on: it creates an object identifier that is known
 * already ("oid exists"), and takes the error left behind for one of the handshake. This makes the creation tolerant.
 */
function tlsShim(folder: string): string {
  const source = path.join(folder, 'oid-shim.c');
  const library = path.join(folder, 'oid-shim.so');
  writeFileSync(
    source,
    `#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
int OBJ_txt2nid(const char *text);
int ERR_set_mark(void);
int ERR_pop_to_mark(void);
int OBJ_create(const char *oid, const char *short_name, const char *long_name) {
  int known = OBJ_txt2nid(oid);
  if (known != 0) return known;
  int (*create)(const char *, const char *, const char *) = (int (*)(const char *, const char *, const char *))dlsym(RTLD_NEXT, "OBJ_create");
  if (create == NULL) return 0;
  ERR_set_mark();
  known = create(oid, short_name, long_name);
  ERR_pop_to_mark();
  return known;
}
`,
  );
  try {
    // The OpenSSL functions are those of the program it is loaded into.
    runToEnd('cc', ['-shared', '-fPIC', '-o', library, source, '-ldl']);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `jabberd2 with TLS needs a C compiler (apt-get install gcc libc6-dev), for a work-around of a bug in Debian's build. ${reason}`,
      {
        cause: error,
      },
    );
  }
  return library;
}

function createDatabase(file: string, domain: string, users: readonly string[]): void {
  const database = new DatabaseSync(file);
  database.exec(gunzipSync(readFileSync(SCHEMA)).toString());
  for (const user of users) {
    database.prepare('INSERT INTO authreg (username, realm, password) VALUES (?, ?, ?)').run(user, domain, PASSWORD);
    database
      .prepare('INSERT INTO active ("collection-owner", time) VALUES (?, ?)')
      .run(`${user}@${domain}`, 1_700_000_000);
  }
  database.close();
}

function moduleFolder(): string {
  const [found] = globSync('/usr/lib/*/jabberd2/storage_sqlite.so');
  if (found === undefined)
    throw new Error('jabberd2 is not installed (no /usr/lib/*/jabberd2); Debian: apt-get install jabberd2');
  return path.dirname(found);
}

function head({ folder, address }: ServerPlan, component: string): string {
  const retry = '<retry><init>10</init><lost>3</lost><sleep>1</sleep></retry>';
  const log = `<log type='file'><file>${path.join(folder, `${component}.log`)}</file></log>`;
  const link = `<router><ip>${address}</ip><port>5347</port><user>jabberd</user><pass>secret</pass>${retry}</router>`;
  return `<id>${component}</id><pidfile>${path.join(folder, `${component}.pid`)}</pidfile>${log}${component === 'router' ? '' : link}`;
}

function router(plan: ServerPlan): string {
  const users = path.join(plan.folder, 'users.xml');
  return `<router>${head(plan, 'router')}
  <local><ip>${plan.address}</ip><port>5347</port><users>${users}</users><secret>secret</secret></local>
  <io><max_fds>1024</max_fds><limits><bytes>0</bytes><connects>0</connects></limits><access><order>allow,deny</order></access></io>
  <aci><acl type='all'><user>jabberd</user></acl><filter>${path.join(plan.folder, 'filter.xml')}</filter></aci>
</router>`;
}

/** With Debian's defaults where they matter: `out-conn-reuse` sends the traffic for every domain at the same address over one stream. */
function s2s(plan: ServerPlan): string {
  const { organization, address, authority } = plan;
  const { profile } = organization;
  const kind = organization.certificate ?? (profile === 'ca' ? 'good' : 'self-signed');
  const certificate =
    profile === 'dbplain' ? '' : `<pemfile>${authority.issue(domainsOf(organization), kind).combined}</pemfile>`;
  const verification = profile === 'ca' ? `<verify-mode>7</verify-mode><cachain>${authority.root}</cachain>` : '';
  return `<s2s>${head(plan, 's2s')}
  <local><ip>${address}</ip><port>5269</port>${certificate}${verification}</local>
  <io><max_fds>1024</max_fds></io>
  <check><interval>2</interval><queue>20</queue><retry>2</retry><idle>86400</idle><keepalive>0</keepalive><dnscache>2</dnscache></check>
  <lookup><srv>xmpp-server</srv><min-ttl>1</min-ttl><max-ttl>2</max-ttl><bad-host-timeout>2</bad-host-timeout></lookup>
  <out-conn-reuse/>
  <security>${profile === 'dbplain' ? '' : '<require_tls/>'}</security>
</s2s>`;
}

function c2s(plan: ServerPlan, modules: string, database: string): string {
  const { organization, address } = plan;
  const mechanisms = '<mechanisms><traditional><plain/></traditional><sasl><plain/></sasl></mechanisms>';
  const store = `<sqlite><dbname>${database}</dbname><busy-timeout>5000</busy-timeout><password_type><plaintext/></password_type></sqlite>`;
  return `<c2s>${head(plan, 'c2s')}
  <local><id>${organization.domain}</id><ip>${address}</ip><port>5222</port></local>
  <io><max_fds>1024</max_fds><limits><bytes>0</bytes><stanzas>0</stanzas><connects>0</connects></limits><access><order>allow,deny</order></access></io>
  <authreg><path>${modules}</path><module>sqlite</module>${mechanisms}${store}</authreg>
</c2s>`;
}

/** Debian's module chains, without those that need files or accounts we do not have. */
function sessionManager(plan: ServerPlan, modules: string, database: string): string {
  const chains: Readonly<Record<string, string>> = {
    'sess-start': 'status',
    'sess-end': 'status iq-last',
    'in-sess': 'validate status privacy roster iq-vcard iq-ping iq-private disco amp offline presence deliver',
    'in-router': 'session validate presence privacy',
    'out-router': 'privacy',
    'pkt-sm': 'iq-last iq-ping iq-time iq-version amp disco status presence',
    'pkt-user': 'roster presence disco iq-vcard amp deliver offline iq-last',
    'pkt-router': 'session disco',
    'user-load': 'active roster roster-publish privacy',
    'user-create': 'active',
    'user-delete': 'active offline privacy roster status iq-last iq-private iq-vcard',
    'disco-extend': 'iq-version',
  };
  const store = `<sqlite><dbname>${database}</dbname><busy-timeout>5000</busy-timeout></sqlite>`;
  return `<sm>${head(plan, 'sm')}
  <local><id>${plan.organization.domain}</id></local>
  <storage><path>${modules}</path><driver>sqlite</driver>${store}</storage>
  <aci/>
  <modules><path>${modules}</path>${Object.entries(chains).map(chain).join('')}</modules>
  <discovery><identity><category>server</category><type>im</type><name>jabberd2</name></identity><agents/></discovery>
  <user><template/></user><amp/><offline/><roster/><status/>
</sm>`;
}

function chain([id, names]: readonly [string, string]): string {
  const modules = names.split(' ').map((name) => `<module>${name}</module>`);
  return `<chain id='${id}'>${modules.join('')}</chain>`;
}
