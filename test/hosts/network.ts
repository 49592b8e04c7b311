import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Firewall } from './firewall.ts';
import { createHost, type Host } from './host.ts';

/** A host of a network. */
export interface MemberPlan {
  /** The zone it is in. */
  readonly zone: string;
  readonly address: string;
  readonly resolver?: string;
  readonly hosts?: Readonly<Record<string, string>>;
}

export interface NetworkPlan {
  /** Part of the folder's name. */
  readonly name: string;
  /** The first three numbers of a zone's /24. `.1` is the firewall. Names are those of the firewall's interfaces, 15 characters at most. */
  readonly zones: Readonly<Record<string, string>>;
  readonly hosts: Readonly<Record<string, MemberPlan>>;
}

/** Zones around one firewall: every zone a bridge, every host on the bridge of its zone, its default route the firewall. */
export interface Network {
  /** With a folder for each host. Files are not part of a host: all see the same ones. */
  readonly folder: string;
  readonly firewall: Firewall;
  /** Throws when there is none of this name. */
  host(name: string): Host;
  /** Ends all processes and hosts. The folder goes too, unless it is to be kept. */
  stop(keepFolder?: boolean): Promise<void>;
}

/** Builds it; the firewall has no rules yet and forwards nothing. Nothing of it shows outside, so any number may exist side by side. */
export async function buildNetwork(plan: NetworkPlan): Promise<Network> {
  const folder = mkdtempSync(path.join(tmpdir(), `fedway-${plan.name}-`));
  const hosts = new Map<string, Host>();
  const stop = async (keepFolder = false): Promise<void> => {
    await Promise.allSettled([...hosts.values()].map(async (host) => host.stop()));
    if (!keepFolder) rmSync(folder, { recursive: true, force: true });
  };
  try {
    const router = await createHost({ name: 'firewall', folder: path.join(folder, 'firewall'), resolver: undefined });
    hosts.set('firewall', router);
    const firewall = new Firewall(router);
    firewall.closed();
    // The firewall filters what it routes; what stays within a zone is none of its business.
    router.run('sh', [
      '-c',
      'for f in /proc/sys/net/bridge/bridge-nf-call-*tables; do [ ! -e "$f" ] || echo 0 > "$f"; done',
    ]);
    for (const [zone, prefix] of Object.entries(plan.zones)) {
      router.run(
        'ip',
        ['-batch', '-'],
        `link add name ${zone} type bridge\naddr add ${prefix}.1/24 dev ${zone}\nlink set ${zone} up\n`,
      );
    }
    router.run('sh', ['-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']);
    for (const [name, member] of Object.entries(plan.hosts)) {
      const { zone, address, resolver, hosts: names = {} } = member;
      const prefix = plan.zones[zone];
      if (prefix === undefined) throw new Error(`there is no zone ${zone}`);
      const host = await createHost({ name, folder: path.join(folder, name), resolver, hosts: names });
      hosts.set(name, host);
      router.run('ip', [
        'link',
        'add',
        'name',
        name,
        'type',
        'veth',
        'peer',
        'name',
        'eth0',
        'netns',
        String(host.pid),
      ]);
      router.run('ip', ['-batch', '-'], `link set ${name} master ${zone}\nlink set ${name} up\n`);
      host.run(
        'ip',
        ['-batch', '-'],
        `addr add ${address}/24 dev eth0\nlink set eth0 up\nroute add default via ${prefix}.1\n`,
      );
    }
    return {
      folder,
      firewall,
      host(name) {
        const host = hosts.get(name);
        if (host === undefined) throw new Error(`the network has no host ${name}`);
        return host;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
