import { globSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { waitForPort } from '../../../test/lab/addresses.ts';
import { privateMounts } from '../../../test/lab/processes.ts';
import { HOME, launchOnCore, PARTNER, SECRET, type Setting, type System } from '../setting.ts';
import { xmppWay } from '../xmpp-way.ts';
import { installedVersion } from './debian.ts';

/** The C library, too, has to find the partner in the hosts file: it is put over the system's for this process alone. */
const WITH_HOSTS = 'mount --bind "$1" /etc/hosts && shift && exec "$@"';

/** Debian's ejabberd as S2S server with an external component; `undefined` where it is not installed or cannot be given a hosts file. */
export function ejabberd(): System | undefined {
  const version = installedVersion('ejabberd');
  const [application] = globSync('/usr/lib/*/ejabberd-*/ebin/ejabberd.app');
  const mounts = privateMounts();
  if (version === undefined || application === undefined || mounts === undefined) return undefined;
  return {
    title: `ejabberd ${version}`,
    async start(setting) {
      const { folder, system, partner } = setting;
      const hosts = path.join(folder, 'hosts');
      mkdirSync(path.join(folder, 'mnesia'));
      writeFileSync(path.join(folder, 'ejabberd.yml'), stringify(configuration(setting)));
      writeFileSync(hosts, `127.0.0.1 localhost\n${partner} ${PARTNER}\n`);
      writeFileSync(path.join(folder, 'inetrc'), `{lookup,[file]}.\n{resolv_conf,""}.\n{hosts_file,"${hosts}"}.\n`);
      // As ejabberdctl starts it, but for busy waiting, which would count as work; the number of schedulers follows the cores it may use.
      const erlang = ['erl', '+K', 'true', '+P', '250000', '+sbwt', 'none', '+sbwtdcpu', 'none', '+sbwtdio', 'none'];
      const mnesia = ['-mnesia', 'dir', `"${path.join(folder, 'mnesia')}"`];
      const started = launchOnCore(setting, {
        name: 'ejabberd',
        command: [
          'unshare',
          ...mounts,
          'sh',
          '-c',
          WITH_HOSTS,
          'sh',
          hosts,
          ...erlang,
          '-noinput',
          ...mnesia,
          '-s',
          'ejabberd',
        ],
        env: {
          ERL_LIBS: path.dirname(path.dirname(path.dirname(application))),
          ERL_INETRC: path.join(folder, 'inetrc'),
          ERL_CRASH_DUMP: path.join(folder, 'erl_crash.dump'),
          EJABBERD_CONFIG_PATH: path.join(folder, 'ejabberd.yml'),
          EJABBERD_LOG_PATH: path.join(folder, 'ejabberd.log'),
          HOME: folder,
        },
      });
      for (const port of [5269, 5347]) await waitForPort(system, port, 60_000, () => started.assertRunning());
      return started;
    },
    open: (setting, direction) => xmppWay(setting, direction, setting.system),
  };
}

function configuration({ system, authority }: Setting): object {
  return {
    hosts: ['server.example'],
    loglevel: 'info',
    certfiles: [authority.issue([HOME]).combined],
    s2s_cafile: authority.root,
    s2s_use_starttls: 'required',
    listen: [
      { port: 5269, ip: system, module: 'ejabberd_s2s_in', shaper: 'none', max_stanza_size: 524_288 },
      { port: 5347, ip: system, module: 'ejabberd_service', hosts: { [HOME]: { password: SECRET } } },
    ],
    modules: {},
  };
}
