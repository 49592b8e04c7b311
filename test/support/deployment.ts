import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { authority, type Issued, leaf } from './certificates.ts';
import { CountedHome, type CountedHomePlan } from './counted-home.ts';
import { CountedPartner } from './counted-partner.ts';
import { DeployedBox } from './deployed-box.ts';
import { DnsDouble } from './dns-double.ts';
import { FaultyNetwork, type Place } from './faulty-network.ts';
import { freePort } from './free-port.ts';
import { Ledger } from './ledger.ts';
import { until } from './until.ts';

const COMPONENT_SECRET = 'the component and the Core share this';

/** What is different from the standard deployment: one Edge, one Core with the home coluc.com, two partners. */
export interface DeploymentPlan {
  /** Second octet of every loopback address: files run at the same time. */
  readonly network: number;
  readonly edges?: number;
  /** The homes of each Core; every Edge serves all of them. */
  readonly cores?: readonly CorePlan[];
  readonly partners?: number;
  /** Which homes the partners write to, and who writes to them; without, all. */
  readonly conversing?: readonly string[];
  /** Merged into the section `link` of every box, or of the Edges or the Cores. */
  readonly link?: Readonly<Record<string, unknown>>;
  readonly limits?: Readonly<Record<string, unknown>>;
  readonly logLevel?: string;
  /** A module that every process loads first. */
  readonly preload?: string;
  /** The servers inside are not started. */
  readonly homesAway?: boolean;
  /** The live settings at the start; without, federation is on for everybody. */
  readonly settings?: Readonly<Record<string, null | boolean | string | readonly string[]>>;
}

/** A Core: its homes, and what the Edges permit it to announce; without, just those. */
export interface CorePlan {
  readonly homes: readonly string[];
  readonly mayServe?: readonly string[];
}

/** An Edge with what stands in front of it. */
export interface DeployedEdge {
  readonly box: DeployedBox;
  readonly s2s: Place;
  /** Between the Cores and its Link port: the only way there that they know. */
  readonly link: FaultyNetwork;
}

/** A Core with the servers inside behind it. */
export interface DeployedCore {
  readonly box: DeployedBox;
  readonly homes: readonly string[];
  readonly mayServe: readonly string[];
  /** Where it takes components. */
  readonly components: Place;
}

/** Edges and Cores as processes, paired by their commands, with partners outside and servers inside that count. Everything ends with it. */
export class Deployment implements AsyncDisposable {
  readonly plan: DeploymentPlan;
  readonly folder: string;
  readonly root: Issued = authority('Test Root');
  readonly ledger = new Ledger();
  readonly edges: DeployedEdge[] = [];
  readonly cores: DeployedCore[] = [];
  readonly partners: CountedPartner[] = [];
  readonly homes: CountedHome[] = [];
  readonly dns: DnsDouble;

  static async start(plan: DeploymentPlan): Promise<Deployment> {
    const dns = await DnsDouble.start(`127.${plan.network}.0.53`);
    const deployment = new Deployment(plan, dns);
    try {
      await deployment.build();
    } catch (error) {
      await deployment[Symbol.asyncDispose]();
      throw error;
    }
    return deployment;
  }

  private constructor(plan: DeploymentPlan, dns: DnsDouble) {
    this.plan = plan;
    this.dns = dns;
    this.folder = mkdtempSync(join(tmpdir(), 'fedway-faults-'));
    writeFileSync(join(this.folder, 'ca.pem'), this.root.pem);
    writeFileSync(join(this.folder, 'component.secret'), `${COMPONENT_SECRET}\n`, { mode: 0o600 });
  }

  /** The first Edge; most deployments have no other. */
  get edge(): DeployedEdge {
    return first(this.edges);
  }

  get core(): DeployedCore {
    return first(this.cores);
  }

  get home(): CountedHome {
    return first(this.homes);
  }

  get boxes(): readonly DeployedBox[] {
    return [...this.edges, ...this.cores].map(({ box }) => box);
  }

  /** The domains of the partners. */
  get foreign(): readonly string[] {
    return Array.from({ length: this.plan.partners ?? 2 }, (_, index) => `p${index + 1}.lab`);
  }

  /** Pairs a Core with an Edge as an administrator does. */
  async pair(edge: DeployedEdge, core: DeployedCore): Promise<void> {
    const token = await edge.box.command(
      'link',
      'invite',
      core.box.name,
      ...core.mayServe.flatMap((domain) => ['--domain', domain]),
    );
    await core.box.command('link', 'join', token.trim());
  }

  /** A server inside behind a Core, for who wants to start it. */
  homePlan(core: DeployedCore, domain: string): Omit<CountedHomePlan, 'recorder'> {
    return {
      domain,
      secret: COMPONENT_SECRET,
      listener: core.components,
      address: core.components.address,
      partners: this.foreign,
    };
  }

  async startHome(core: DeployedCore, domain: string): Promise<CountedHome> {
    const home = new CountedHome({ ...this.homePlan(core, domain), recorder: this.ledger });
    this.homes.push(home);
    await until(() => home.isConnected, `${domain} is connected`);
    return home;
  }

  /** Waits until every partner and every server inside is connected. */
  async connected(milliseconds = 15_000): Promise<void> {
    const missing = (): readonly string[] =>
      [...this.partners, ...this.homes].filter(({ isConnected }) => !isConnected).map(({ domain }) => domain);
    await until(
      () => missing().length === 0,
      'all peers are connected',
      milliseconds,
      () => missing().join(' '),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const home of this.homes) home[Symbol.dispose]();
    await Promise.all(this.partners.map((partner) => partner[Symbol.asyncDispose]()));
    await Promise.all(this.boxes.map((box) => box.kill()));
    await Promise.all(this.edges.map(({ link }) => link[Symbol.asyncDispose]()));
    await this.dns.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async build(): Promise<void> {
    const { edges = 1, cores = [{ homes: ['coluc.com'] }], homesAway, settings } = this.plan;
    for (let index = 0; index < edges; index++)
      this.edges.push(await this.makeEdge(index, [...new Set(cores.flatMap(({ homes }) => homes))]));
    for (const [index, core] of cores.entries()) this.cores.push(await this.makeCore(index, core));
    await Promise.all(this.boxes.map((box) => box.start()));
    for (const edge of this.edges) {
      for (const core of this.cores) await this.pair(edge, core);
      await edge.box.set(settings ?? { federation: true, privacy: 'off' });
    }
    await until(() => this.isPaired(), 'the Links are up', 30_000);
    for (const domain of this.foreign) await this.startPartner(domain);
    if (homesAway !== true)
      for (const core of this.cores) for (const domain of core.mayServe) await this.startHome(core, domain);
  }

  private async isPaired(): Promise<boolean> {
    const all = await Promise.all(this.boxes.map((box) => box.status()));
    return all.every(({ role, links, homes }) => {
      const isUp = links.length > 0 && links.every(({ state }) => state === 'up');
      const known = new Set(links.flatMap((link) => link.homes));
      return isUp && (role === 'core' || homes.every(({ domain }) => known.has(domain)));
    });
  }

  private async startPartner(domain: string): Promise<void> {
    const partner = await CountedPartner.start({
      domain,
      certificate: leaf(domain, this.root),
      address: this.address(3, this.partners.length + 1),
      edges: this.edgesFor(this.partners.length),
      homes: this.plan.conversing ?? this.cores.flatMap(({ mayServe }) => mayServe),
      recorder: this.ledger,
    });
    this.dns.srv(domain, [0, 0, partner.place.port, `s2s.${domain}`]).a(`s2s.${domain}`, partner.place.address);
    this.partners.push(partner);
  }

  /** The Edges in another order for each partner, as SRV records of one weight are. */
  private edgesFor(partner: number): readonly Place[] {
    const all = this.edges.map(({ s2s }) => s2s);
    const begin = partner % all.length;
    return [...all.slice(begin), ...all.slice(0, begin)];
  }

  private async makeEdge(index: number, homes: readonly string[]): Promise<DeployedEdge> {
    const address = this.address(1, index + 1);
    const s2s = { address, port: await freePort(address) };
    const port = await freePort(address);
    const link = await FaultyNetwork.listen(this.address(4, index + 1), { address, port });
    for (const domain of homes) {
      const own = leaf(domain, this.root);
      writeFileSync(join(this.folder, `${domain}.pem`), own.chainPem);
      writeFileSync(join(this.folder, `${domain}.key`), own.keyPem, { mode: 0o600 });
    }
    const boot = {
      role: 'edge',
      log: this.log(),
      link: { listen: [`${address}:${port}`], address: `${link.address}:${link.port}`, ...this.plan.link },
      s2s: {
        listen: [`${s2s.address}:${s2s.port}`],
        dial_from: [address],
        trust: { system: false, authorities: ['../ca.pem'] },
        timeouts: { connect: '2s', tls: '5s', header: '5s', negotiation: '10s', close: '2s' },
        limits: { ...this.plan.limits },
      },
      resolver: {
        servers: [`${this.dns.server.address}:${this.dns.server.port}`],
        timeout: '1s',
        allow_addresses: ['127.0.0.0/8'],
      },
      homes: homes.map((domain) => ({
        domains: [domain],
        certificate: `../${domain}.pem`,
        key: `../${domain}.key`,
      })),
    };
    return { box: new DeployedBox(this.folder, `edge-${index + 1}`, boot, this.plan.preload), s2s, link };
  }

  private async makeCore(index: number, { homes, mayServe = homes }: CorePlan): Promise<DeployedCore> {
    const address = this.address(2, index + 1);
    const components = { address, port: await freePort(address) };
    const boot = {
      role: 'core',
      log: this.log(),
      link: { dial_from: [address], connect: '2s', ...this.plan.link },
      homes: homes.map((domain) => ({
        domains: [domain],
        server: { accept_component: { secret: { file: '../component.secret' } } },
      })),
      inside: { component_listen: [`${address}:${components.port}`] },
    };
    const box = new DeployedBox(this.folder, `core-${index + 1}`, boot, this.plan.preload);
    return { box, homes, mayServe, components };
  }

  private log(): object {
    return { format: 'json', level: this.plan.logLevel ?? 'debug' };
  }

  private address(net: number, host: number): string {
    return `127.${this.plan.network}.${net}.${host}`;
  }
}

function first<T>(all: readonly T[]): T {
  const [one] = all;
  if (one === undefined) throw new Error('the deployment has none');
  return one;
}
