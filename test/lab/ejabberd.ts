import { once } from 'node:events';
import { globSync, mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { stringify } from 'yaml';
import { assertFree, waitForPort } from './addresses.ts';
import { COMPONENT_SECRET, DIRECT_TLS_PORT, domainsOf, PASSWORD } from './organization.ts';
import { HERE, type Place } from './place.ts';
import { type LabProcess, launch } from './processes.ts';
import type { LabServer, ServerPlan } from './server.ts';

const API_PORT = 5280;

/** ejabberd 23, in the foreground, without epmd and Erlang's distribution. */
export function ejabberd(plan: ServerPlan): LabServer {
  const { organization, folder, address, resolver, place = HERE } = plan;
  const config = path.join(folder, 'ejabberd.yml');
  const log = path.join(folder, 'ejabberd.log');
  const output = path.join(folder, 'ejabberd.out');
  const resolvConf = path.join(folder, 'resolv.conf');
  mkdirSync(path.join(folder, 'mnesia'), { recursive: true });
  writeFileSync(config, stringify(configuration(plan)));
  // Two resolvers: Erlang's (SRV) is told by inetrc, the C library's (addresses) by the resolv.conf mounted over the system's.
  writeFileSync(resolvConf, `nameserver ${resolver}\noptions timeout:2 attempts:2\n`);
  writeFileSync(path.join(folder, 'hosts'), '127.0.0.1 localhost\n');
  const resolverFiles = `{resolv_conf,"${resolvConf}"}.\n{hosts_file,"${path.join(folder, 'hosts')}"}.\n`;
  writeFileSync(
    path.join(folder, 'inetrc'),
    `{lookup,[file,dns]}.\n${resolverFiles}{timeout,2000}.\n{retry,2}.\n{cache_size,0}.\n`,
  );
  let process: LabProcess | undefined;
  const ports = [5269, 5222, API_PORT];
  return {
    organization,
    address,
    logs: [log, output],
    async start() {
      for (const port of ports) await assertFree(address, port, place);
      const started = launch({
        name: `ejabberd (${organization.domain})`,
        command: 'erl',
        args: [
          '+S',
          '1:1',
          '+sbwt',
          'none',
          '-noinput',
          '-mnesia',
          'dir',
          `"${path.join(folder, 'mnesia')}"`,
          '-s',
          'ejabberd',
        ],
        cwd: folder,
        outputFile: output,
        resolvConf,
        prefix: place.prefix,
        env: {
          ERL_LIBS: path.dirname(installedAt()),
          ERL_INETRC: path.join(folder, 'inetrc'),
          ERL_CRASH_DUMP: path.join(folder, 'erl_crash.dump'),
          EJABBERD_CONFIG_PATH: config,
          EJABBERD_LOG_PATH: log,
          HOME: folder,
        },
      });
      process = started;
      for (const port of ports) await waitForPort(address, port, 60_000, () => started.assertRunning(), place);
      for (const user of organization.users) await register(place, address, organization.domain, user);
    },
    stop: async () => process?.stop(),
    kill: async () => process?.kill(),
    processes: () => (process === undefined ? [] : [process]),
  };
}

function configuration({ organization, address, authority }: ServerPlan): object {
  const { domain, profile, directTls, componentDomains = [] } = organization;
  const secured = profile !== 'dbplain';
  const kind = organization.certificate ?? (profile === 'ca' ? 'good' : 'self-signed');
  const files = secured ? authority.issue(domainsOf(organization), kind) : undefined;
  const components = {
    port: 5347,
    ip: address,
    module: 'ejabberd_service',
    hosts: Object.fromEntries(componentDomains.map((foreign) => [foreign, { password: COMPONENT_SECRET }])),
  };
  return {
    hosts: [domain],
    loglevel: 'debug',
    ...(files === undefined ? {} : { certfiles: [files.combined], s2s_cafile: authority.root }),
    s2s_use_starttls: secured ? 'required' : false,
    // After a failure ejabberd bounces for a random time up to this many seconds.
    s2s_max_retry_delay: 1,
    auth_method: 'internal',
    listen: [
      { port: 5222, ip: address, module: 'ejabberd_c2s', starttls: secured, shaper: 'none', max_stanza_size: 262_144 },
      { port: 5269, ip: address, module: 'ejabberd_s2s_in', shaper: 'none', max_stanza_size: 524_288 },
      ...(directTls === true
        ? [{ port: DIRECT_TLS_PORT, ip: address, module: 'ejabberd_s2s_in', tls: true, shaper: 'none' }]
        : []),
      { port: API_PORT, ip: address, module: 'ejabberd_http', request_handlers: { '/api': 'mod_http_api' } },
      ...(componentDomains.length === 0 ? [] : [components]),
    ],
    acl: { itself: { ip: ['127.0.0.0/8', address] } },
    api_permissions: { lab: { who: { access: { allow: [{ acl: 'itself' }] } }, what: '*' } },
    modules: {
      mod_adhoc: {},
      mod_disco: {},
      mod_http_api: {},
      mod_muc: { access_create: 'all', default_room_options: { persistent: false } },
      mod_ping: {},
      mod_roster: {},
      mod_s2s_dialback: {},
    },
  };
}

/** At every start: a database that was killed may have lost the account. */
async function register(place: Place, address: string, host: string, user: string): Promise<void> {
  const socket = await place.connect(API_PORT, address);
  const request = http.request({
    createConnection: () => socket,
    method: 'POST',
    path: '/api/register',
    host: address,
  });
  const answered = once(request, 'response');
  request.end(JSON.stringify({ user, host, password: PASSWORD }));
  const [response] = (await answered) as [http.IncomingMessage];
  const body = await text(response);
  const { statusCode = 0 } = response;
  const known = statusCode === 409;
  if (statusCode !== 200 && !known) throw new Error(`ejabberd did not create ${user}@${host}: ${statusCode} ${body}`);
}

/** Debian: /usr/lib/<architecture>/ejabberd-<version> */
function installedAt(): string {
  const [found] = globSync('/usr/lib/*/ejabberd-*/ebin/ejabberd.app');
  if (found === undefined)
    throw new Error('ejabberd is not installed (no /usr/lib/*/ejabberd-*/ebin); Debian: apt-get install ejabberd');
  return path.dirname(path.dirname(found));
}
