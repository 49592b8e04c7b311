import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { CertificateAuthority } from '../lab/certificates.ts';
import { TestClient } from '../lab/client.ts';
import type { WorldDns } from '../lab/world-dns.ts';
import { SiteProgram } from './program.ts';

/** What is different from one site to another. */
export interface SitePlan {
  /** `coluc.com` */
  readonly domain: string;
  /** Its loopback addresses: 0 the Edge's, 1 the Core's, 2 the node's. */
  readonly address: (nth: number) => string;
  readonly folder: string;
  readonly authority: CertificateAuthority;
  readonly dns: WorldDns;
  /** Domains on its allow list. */
  readonly partners: readonly string[];
  /** The first label of the Edge's name. Without: `edge`. */
  readonly edge?: string;
  /** How partners prove themselves. Without: by certificate or by dialback. */
  readonly authentication?: 'dialback' | 'external';
  /** How the XCP Router takes changes of its table. Without: at once. */
  readonly routerChanges?: 'live' | 'restart';
  readonly logFormat?: 'text' | 'json' | 'expressway';
  readonly logLevel?: 'info' | 'debug' | 'verbose';
}

/** The account that the Core uses AXL with. */
export const AXL_USER = 'axladmin';
export const AXL_PASSWORD = 'the account that may use AXL';
const ROUTER_SECRET = 'the router and the Core share this';

/** An organization as the reference system has one: an Edge in the DMZ, a Core inside that dials it, and an IM&P node with the users. */
export class Site {
  readonly domain: string;
  /** The chat-node alias. */
  readonly rooms: string;
  readonly edge: SiteProgram;
  readonly core: SiteProgram;
  readonly node: SiteProgram;
  readonly nodeAddress: string;
  readonly edgeAddress: string;
  readonly #plan: SitePlan;
  readonly #name: string;
  #clients: TestClient[] = [];

  constructor(plan: SitePlan) {
    this.#plan = plan;
    this.domain = plan.domain;
    this.rooms = `chat.${plan.domain}`;
    this.#name = plan.domain.split('.')[0] ?? plan.domain;
    this.edgeAddress = plan.address(0);
    this.nodeAddress = plan.address(2);
    this.edge = this.#edge();
    this.core = this.#core();
    this.node = this.#node();
    this.#publish();
  }

  /** The Edge's fully qualified name. */
  get edgeName(): string {
    return `${this.#plan.edge ?? 'edge'}.${this.domain}`;
  }

  /** What the Core writes into `xmpps2snodes`. */
  get cpId(): string {
    return `cm-2_s2scp-1.${this.edgeName.replaceAll('.', '-')}`;
  }

  /** Where the browser of the seed's manual check goes. */
  get axlUrl(): string {
    return `https://${this.nodeAddress}:8443/axl/`;
  }

  get programs(): readonly SiteProgram[] {
    return [this.node, this.edge, this.core];
  }

  /** An account for AXL, and a password file for it on the Core. */
  addAxlAccount(): void {
    this.node.command(['imp', 'admin', 'add', AXL_USER, '--role', 'axl', '--from-file', this.#passwordFile()]);
  }

  addUser(user: string, password: string): void {
    this.node.command(['imp', 'user', 'add', user, '-'], `${password}\n`);
  }

  /** Pairs Core and Edge by a one-time token. */
  async pair(): Promise<void> {
    const before = this.core.log.mark();
    const token = this.edge.command(['link', 'invite', `${this.#name}-core`]).trim();
    this.core.command(['link', 'join', token]);
    await this.core.log.waitFor(/The Link with .* is (?:up|back)/, before, 20_000);
  }

  /** What the Edge is told once: its name, and who may federate. */
  setUpEdge(): void {
    this.set(this.edge, 'host_name', this.edgeName);
    if (this.#plan.authentication !== undefined) this.set(this.edge, 'authentication', this.#plan.authentication);
    for (const partner of this.#plan.partners) this.set(this.edge, `allow.${partner}`, 'a partner');
  }

  /** Tells the Core of its IM&P publisher. */
  setUpPublisher(passwordFile: string = this.#passwordFile()): void {
    const key = `publishers.${this.#name}`;
    this.set(this.core, `${key}.user`, AXL_USER);
    this.setPassword(passwordFile);
    this.set(this.core, `${key}.address`, `${this.nodeAddress}:8443`);
  }

  setPassword(passwordFile: string = this.#passwordFile()): void {
    this.core.command(['config', 'set', `publishers.${this.#name}.password`, '--from-file', passwordFile]);
  }

  switchFederation(state: 'on' | 'off'): void {
    this.set(this.edge, 'federation', state);
  }

  set(program: SiteProgram, key: string, value: string): void {
    program.command(['config', 'set', key, value]);
  }

  /** One command of the node's command line. */
  shell(...words: readonly string[]): string {
    return this.node.command(['imp', 'shell', ...words]);
  }

  /** `run sql select * from xmpps2snodes` */
  table(): string {
    return this.shell('run', 'sql', 'select', '*', 'from', 'xmpps2snodes');
  }

  /** Everything but the switch of federation and the users. `passwordFile`: what the Core has for AXL, in place of what is right. */
  async start(passwordFile?: string): Promise<void> {
    await this.node.start();
    this.addAxlAccount();
    await this.edge.start();
    await this.core.start();
    await this.pair();
    this.setUpEdge();
    this.setUpPublisher(passwordFile);
  }

  async login(user: string, password: string): Promise<TestClient> {
    const client = await TestClient.login({
      account: `${user}@${this.domain}`,
      password,
      host: this.nodeAddress,
      authorities: readFileSync(this.#plan.authority.root, 'utf8'),
    });
    this.#clients.push(client);
    // Who has asked for the roster is told of subscriptions (RFC 6121 §2.1.3).
    await client.iq('get', undefined, `<query xmlns='jabber:iq:roster'/>`);
    client.presence();
    return client;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    this.#clients = [];
    await Promise.all([this.core.stop(), this.edge.stop()]);
    await this.node.stop();
  }

  #passwordFile(): string {
    return path.join(this.core.folder, 'axl.password');
  }

  #publish(): void {
    const { dns } = this.#plan;
    dns.set(this.edgeName, [{ type: 'A', address: this.edgeAddress }]);
    for (const domain of [this.domain, this.rooms])
      dns.set(`_xmpp-server._tcp.${domain}`, [{ type: 'SRV', target: this.edgeName, port: 5269 }]);
  }

  #log(): object {
    return { format: this.#plan.logFormat ?? 'text', level: this.#plan.logLevel ?? 'debug' };
  }

  #edge(): SiteProgram {
    const { authority, dns, folder } = this.#plan;
    const { certificate, key } = authority.issue([this.domain, this.rooms]);
    const at = this.edgeAddress;
    return new SiteProgram({
      title: `Edge of ${this.domain}`,
      folder: path.join(folder, `${this.#name}-edge`),
      run: ['run'],
      endpoints: [`${at}:5269`, `${at}:7400`],
      configuration: {
        role: 'edge',
        name: `${this.#name}-edge`,
        data: 'data',
        log: this.#log(),
        s2s: { listen: [`${at}:5269`], dial_from: [at], trust: { system: false, authorities: [authority.root] } },
        resolver: { servers: [dns.endpoint], timeout: '1s', attempts: 2, allow_addresses: ['127.0.0.0/8'] },
        homes: [{ domains: [this.domain, this.rooms], certificate, key }],
        link: { listen: [`${at}:7400`] },
      },
    });
  }

  #core(): SiteProgram {
    const { address, authority, folder } = this.#plan;
    const core = new SiteProgram({
      title: `Core of ${this.domain}`,
      folder: path.join(folder, `${this.#name}-core`),
      run: ['run'],
      endpoints: [],
      configuration: {
        role: 'core',
        name: `${this.#name}-core`,
        data: 'data',
        log: this.#log(),
        homes: [
          {
            domains: [this.domain, this.rooms],
            server: { imp: { address: `${this.nodeAddress}:7400`, secret: { file: 'router.secret' } } },
          },
        ],
        publishers: { authorities: [authority.root] },
        inside: { dial_from: [address(1)] },
        link: { dial_from: [address(1)] },
      },
    });
    this.#write(core.folder, 'router.secret', ROUTER_SECRET);
    this.#write(core.folder, 'axl.password', AXL_PASSWORD);
    return core;
  }

  #node(): SiteProgram {
    const { authority, folder, routerChanges } = this.#plan;
    const at = this.nodeAddress;
    const { certificate, key } = authority.issue([this.domain, this.rooms, at]);
    const node = new SiteProgram({
      title: `IM&P node of ${this.domain}`,
      folder: path.join(folder, `${this.#name}-imp`),
      run: ['imp', 'run'],
      endpoints: [5222, 5223, 5443, 7400, 8443].map((port) => `${at}:${port}`),
      configuration: {
        name: 'imp',
        domain: this.domain,
        rooms: this.rooms,
        data: 'data',
        log: this.#log(),
        certificate,
        key,
        clients: { listen: [`${at}:5222`], tls_listen: [`${at}:5223`], websocket_listen: [`${at}:5443`] },
        axl: { listen: [`${at}:8443`] },
        router: { listen: [`${at}:7400`], secret: { file: 'router.secret' }, changes: routerChanges ?? 'live' },
      },
    });
    this.#write(node.folder, 'router.secret', ROUTER_SECRET);
    return node;
  }

  #write(folder: string, name: string, text: string): void {
    writeFileSync(path.join(folder, name), `${text}\n`, { mode: 0o600 });
  }
}
