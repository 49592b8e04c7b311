import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Host } from './host.ts';

/** What a counter of the firewall has seen. */
export interface Count {
  readonly packets: number;
  readonly bytes: number;
}

/** How packets between two zones are disturbed, in both directions. */
export interface Disturbance {
  /** Parts in a thousand that are lost. 1000: nothing passes, and nobody is told; both ends believe in their connections. */
  readonly lostPerThousand?: number;
  /** A line this narrow, so that packets wait for each other; of all that enters the zones. Not together with `delayMs`. */
  readonly kilobitsPerSecond?: number;
  /** Each packet comes this much later; of all that enters the zones. Needs a kernel with netem ({@link kernelDelays}). */
  readonly delayMs?: number;
}

/** Whether the kernel can delay packets: many have netem as a module, some small ones do not have it. */
export function kernelDelays(): boolean {
  return (
    spawnSync('unshare', ['--net', 'tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'delay', '1ms']).status === 0
  );
}

/** The rules of a network's firewall host. */
export class Firewall {
  readonly #host: Host;
  #slowed: readonly string[] = [];

  constructor(host: Host) {
    this.#host = host;
  }

  /** Nothing passes. */
  closed(): void {
    this.#load(
      'flush ruleset\ntable inet closed { chain forward { type filter hook forward priority filter; policy drop; }; }',
    );
  }

  /** Replaces all rules by those of a file for `nft -f`. */
  apply(file: string): void {
    this.#load(`flush ruleset\n${readFileSync(file, 'utf8')}`);
  }

  /** The named counters of all tables. */
  counters(): ReadonlyMap<string, Count> {
    const listed = JSON.parse(this.#host.run('nft', ['--json', 'list', 'counters'])) as {
      readonly nftables: readonly { readonly counter?: Count & { readonly name: string } }[];
    };
    return new Map(
      listed.nftables.flatMap(({ counter }) =>
        counter === undefined ? [] : [[counter.name, { packets: counter.packets, bytes: counter.bytes }]],
      ),
    );
  }

  /** The packets that a counter has seen. Throws when there is no such counter. */
  packets(counter: string): number {
    const count = this.counters().get(counter);
    if (count === undefined) throw new Error(`the firewall has no counter ${counter}`);
    return count.packets;
  }

  /** From now on, until `calm`. What is lost is counted as `lost`. */
  disturb(zones: readonly [string, string], { lostPerThousand = 0, kilobitsPerSecond, delayMs }: Disturbance): void {
    this.calm();
    const [one, other] = zones.map((zone) => JSON.stringify(zone));
    const chance = lostPerThousand >= 1000 ? '' : `numgen random mod 1000 < ${lostPerThousand}`;
    const rule = (from = '', to = ''): string => `iifname ${from} oifname ${to} ${chance} counter name lost drop;`;
    const rules = lostPerThousand === 0 ? '' : `${rule(one, other)} ${rule(other, one)}`;
    this.#load(`table inet disturbance {
  counter lost {}
  chain forward { type filter hook forward priority filter - 10; ${rules} }
}`);
    const discipline =
      delayMs === undefined
        ? ['tbf', 'rate', `${kilobitsPerSecond}kbit`, 'burst', '4000', 'latency', '2s']
        : ['netem', 'delay', `${delayMs}ms`];
    if (delayMs === undefined && kilobitsPerSecond === undefined) return;
    this.#slowed = zones;
    for (const zone of zones) this.#host.run('tc', ['qdisc', 'replace', 'dev', zone, 'root', ...discipline]);
  }

  /** Ends what `disturb` began. */
  calm(): void {
    this.#load('table inet disturbance\ndelete table inet disturbance');
    for (const zone of this.#slowed) this.#host.run('tc', ['qdisc', 'delete', 'dev', zone, 'root']);
    this.#slowed = [];
  }

  #load(rules: string): void {
    this.#host.run('nft', ['-f', '-'], rules);
  }
}
