/**
 * Prints the Debian packages that are not installed and that a lab with the given servers needs, one line, ready for apt-get. `hosts`: also
 * what hosts in network namespaces need; `sites`: clients of others; `packaging`: what examines the unit for systemd.
 * Usage: missing-packages.ts prosody ejabberd jabberd2 hosts sites packaging
 */
import { existsSync } from 'node:fs';
import { HOSTS_NEED } from '../test/hosts/requirements.ts';
import { found, missingPackages, type Requirement } from '../test/lab/requirements.ts';
import { SITES_NEED } from '../test/sites/requirements.ts';

const SYSTEMD: Requirement = {
  package: 'systemd',
  why: 'the unit is examined, and booted',
  present: () => found('systemd-analyze') && existsSync('/lib/systemd/systemd'),
};
const servers = ['prosody', 'ejabberd', 'jabberd2'] as const;
const asked = new Set(process.argv.slice(2));
const wanted = servers.filter((server) => asked.has(server));
const further: readonly Requirement[] = [
  ...(asked.has('hosts') ? HOSTS_NEED : []),
  ...(asked.has('sites') ? SITES_NEED : []),
  ...(asked.has('packaging') ? [SYSTEMD] : []),
];
const missing = [...missingPackages(wanted), ...further.filter(({ present }) => !present())];
console.log([...new Set(missing.map((one) => one.package))].join(' '));
