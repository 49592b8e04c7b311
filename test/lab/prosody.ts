import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { assertFree, waitForPort } from './addresses.ts';
import { COMPONENT_SECRET, DIRECT_TLS_PORT, domainsOf, hasRooms, PASSWORD } from './organization.ts';
import { HERE } from './place.ts';
import { type LabProcess, launch } from './processes.ts';
import type { LabServer, ServerPlan } from './server.ts';

/** Prosody 0.12 and later, with lua-unbound. */
export function prosody(plan: ServerPlan): LabServer {
  const { organization, folder, address, place = HERE } = plan;
  const config = path.join(folder, 'prosody.cfg.lua');
  const log = path.join(folder, 'prosody.log');
  const output = path.join(folder, 'prosody.out');
  mkdirSync(folder, { recursive: true });
  writeFileSync(config, configuration(plan, log));
  for (const user of organization.users) writeAccount(path.join(folder, 'data'), organization.domain, user);
  let process: LabProcess | undefined;
  const name = `Prosody (${organization.domain})`;
  return {
    organization,
    address,
    logs: [log, output],
    async start() {
      for (const port of [5269, 5222]) await assertFree(address, port, place);
      const started = launch({
        name,
        command: 'prosody',
        args: ['-F', '--config', config],
        cwd: folder,
        outputFile: output,
        prefix: place.prefix,
      });
      process = started;
      for (const port of [5269, 5222]) await waitForPort(address, port, 30_000, () => started.assertRunning(), place);
    },
    stop: async () => process?.stop(),
    kill: async () => process?.kill(),
    processes: () => (process === undefined ? [] : [process]),
  };
}

function configuration({ organization, folder, address, authority, resolver }: ServerPlan, log: string): string {
  const { domain, profile, behind } = organization;
  const secured = profile !== 'dbplain';
  const kind = organization.certificate ?? (profile === 'ca' ? 'good' : 'self-signed');
  const files = secured ? authority.issue(domainsOf(organization), kind) : undefined;
  // fedway cannot hold the certificates of the domains it stands for, so the server behind it takes dialback's word.
  const checksCertificates = profile === 'ca' && behind === undefined;
  const modules = ['posix', 'roster', 'saslauth', 'disco', 'ping', 'dialback', ...(secured ? ['tls'] : [])];
  const components = organization.componentDomains ?? [];
  return `-- Written by the lab.
run_as_root = true
pidfile = ${quoted(path.join(folder, 'prosody.pid'))}
data_path = ${quoted(path.join(folder, 'data'))}
interfaces = { ${quoted(address)} }
component_interfaces = { ${quoted(address)} }
s2s_ports = { 5269 }
${organization.directTls === true && behind === undefined ? `s2s_direct_tls_ports = { ${DIRECT_TLS_PORT} }\n` : ''}c2s_ports = { 5222 }
component_ports = { ${components.length === 0 ? '' : '5347'} }
authentication = "internal_plain"
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
modules_enabled = { ${modules.map(quoted).join('; ')} }
s2s_require_encryption = ${secured}
s2s_secure_auth = ${checksCertificates}
${files === undefined ? '' : `ssl = { certificate = ${quoted(files.certificate)}; key = ${quoted(files.key)}; cafile = ${quoted(authority.root)} }`}
-- libunbound does not ask loopback addresses unless told so.
unbound = { resolvconf = false; hoststxt = false; forward = { ${quoted(resolver)} }; options = { ["do-not-query-localhost:"] = "no"; ["cache-max-ttl:"] = "2"; ["cache-max-negative-ttl:"] = "1"; ["infra-host-ttl:"] = "1" } }
log = { debug = ${quoted(log)} }

VirtualHost ${quoted(domain)}
${hasRooms(organization) ? `\nComponent ${quoted(`conference.${domain}`)} "muc"\n  muc_room_locking = false\n` : ''}
${components.map((foreign) => `Component ${quoted(foreign)}\n  component_secret = ${quoted(COMPONENT_SECRET)}\n`).join('\n')}`;
}

/** As mod_storage_internal keeps accounts: folder and file names have everything but letters and digits escaped. */
function writeAccount(data: string, domain: string, user: string): void {
  const folder = path.join(data, encodedName(domain), 'accounts');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, `${encodedName(user)}.dat`), `return { ["password"] = ${quoted(PASSWORD)}; };\n`);
}

function encodedName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9]/g, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** A Lua string. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
