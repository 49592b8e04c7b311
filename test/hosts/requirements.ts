import { spawnSync } from 'node:child_process';
import { found, type Requirement } from '../lab/requirements.ts';

/** What hosts in network namespaces are made with. */
export const HOSTS_NEED: readonly Requirement[] = [
  { package: 'iproute2', why: 'network interfaces (ip, tc)', present: () => found('ip') && found('tc') },
  { package: 'nftables', why: 'the firewall (nft)', present: () => found('nft') },
  {
    package: 'util-linux',
    why: 'network namespaces (unshare, nsenter)',
    present: () => found('unshare') && found('nsenter'),
  },
];

/** Each is tried where it does no harm: in a network namespace that is gone right after. */
const TRIALS: readonly { readonly script: string; readonly without: string }[] = [
  { script: 'true', without: 'network and mount namespaces cannot be made here: that takes root (sudo scripts/test)' },
  {
    script: 'ip link add name veth1 type veth peer name veth2 && ip link add name bridge1 type bridge',
    without: 'this kernel has no veth pairs or no bridges (modules veth, bridge)',
  },
  {
    script: `nft 'table inet t { counter c {}; chain f { type filter hook forward priority 0; ct state new counter name c drop; }; }'`,
    without: 'this kernel has no nftables with connection tracking (modules nf_tables, nf_conntrack)',
  },
];

/** Why hosts cannot be built on this machine, in sentences with the cure; empty when they can. */
export function missingForHosts(): readonly string[] {
  const packages = HOSTS_NEED.filter(({ present }) => !present());
  if (packages.length > 0) {
    const reasons = packages.map(({ package: name, why }) => `${name} (${why})`).join(', ');
    return [
      `not installed: ${reasons}. Install with: sudo apt-get install ${packages.map((one) => one.package).join(' ')}`,
    ];
  }
  for (const { script, without } of TRIALS) {
    const { status, stderr } = spawnSync('unshare', ['--net', '--mount', 'sh', '-c', script], { encoding: 'utf8' });
    if (status !== 0) return [`${without}. What was said: ${stderr.trim()}`];
  }
  return [];
}
