import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { waitForPort } from '../../../test/lab/addresses.ts';
import { HOME, launchOnCore, SECRET, type Setting, type System } from '../setting.ts';
import { xmppWay } from '../xmpp-way.ts';
import { installedVersion } from './debian.ts';

/** Debian's Prosody as S2S server with an external component; `undefined` where it is not installed. */
export function prosody(): System | undefined {
  const version = installedVersion('prosody');
  if (version === undefined) return undefined;
  return {
    title: `Prosody ${version}`,
    async start(setting) {
      const config = path.join(setting.folder, 'prosody.cfg.lua');
      writeFileSync(config, configuration(setting));
      const started = launchOnCore(setting, { name: 'Prosody', command: ['prosody', '-F', '--config', config] });
      for (const port of [5269, 5347]) await waitForPort(setting.system, port, 20_000, () => started.assertRunning());
      return started;
    },
    open: (setting, direction) => xmppWay(setting, direction, setting.system),
  };
}

function configuration({ folder, system, partner, authority }: Setting): string {
  const own = authority.issue([HOME]);
  return `-- Written by the benchmark.
run_as_root = true
pidfile = "${folder}/prosody.pid"
data_path = "${folder}"
interfaces = { "${system}" }
component_interfaces = { "${system}" }
s2s_ports = { 5269 }
c2s_ports = { }
component_ports = { 5347 }
modules_enabled = { "posix"; "tls"; "saslauth"; "dialback"; "disco" }
s2s_require_encryption = true
s2s_secure_auth = true
ssl = { certificate = "${own.certificate}"; key = "${own.key}"; cafile = "${authority.root}" }
-- Every name leads to the partner, and no DNS server is asked.
unbound = { resolvconf = false; hoststxt = false; options = { ["local-zone:"] = ". redirect"; ["local-data:"] = ". 5 IN A ${partner}" } }
log = { info = "${folder}/prosody.log" }

VirtualHost "server.example"

Component "${HOME}"
  component_secret = "${SECRET}"
`;
}
