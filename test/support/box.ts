import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { BoxLog } from './box-log.ts';
import { authority, type Issued, leaf } from './certificates.ts';
import { DnsDouble } from './dns-double.ts';
import { freePort } from './free-port.ts';
import { Wire, wireTo } from './raw-peer.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
export const COMPONENT_SECRET = 'the component and fedway share this';
export const DIALBACK_SECRET = 'only the boxes of this organization know it';

/** The domains of the standard box. */
const HOME = 'coluc.com';
const HOMES = [HOME, 'conference.coluc.com'] as const;

/** What is different from the standard box. Sections are merged into the boot file's, one level deep. */
export interface BoxPlan {
  /** Second octet of every loopback address of this box and its peers: files run at the same time. */
  readonly network: number;
  readonly s2s?: Readonly<Record<string, unknown>>;
  readonly timeouts?: Readonly<Record<string, string>>;
  readonly limits?: Readonly<Record<string, unknown>>;
  readonly resolver?: Readonly<Record<string, unknown>>;
  readonly partners?: unknown;
  readonly log?: Readonly<Record<string, unknown>>;
  /** Further homes, each with a certificate of its own. */
  readonly moreHomes?: readonly (readonly string[])[];
  /** The home component is not connected by `startBox`. */
  readonly homeAway?: boolean;
}

/** The server inside: a component that connected to fedway and records everything it is given. */
export class HomeServer {
  readonly wire: Wire;

  constructor(wire: Wire) {
    this.wire = wire;
  }

  /** Everything fedway gave it so far. */
  get received(): string {
    return this.wire.text;
  }

  send(xml: string): void {
    this.wire.send(xml);
  }
}

/** A fedway that runs as a process of its own, with everything around it. */
export class Box implements AsyncDisposable {
  readonly plan: BoxPlan;
  readonly folder: string;
  readonly root: Issued;
  readonly dns: DnsDouble;
  readonly address: string;
  readonly port: number;
  readonly insidePort: number;
  readonly componentPort: number;
  readonly configFile: string;
  log: BoxLog;
  process: ChildProcess;
  homeServer: HomeServer | undefined;
  /** What the process wrote to standard error. */
  complaints = '';

  static async start(plan: BoxPlan): Promise<Box> {
    const network = `127.${plan.network}`;
    const folder = mkdtempSync(join(tmpdir(), 'fedway-attacks-'));
    const address = `${network}.0.1`;
    const [port, insidePort, componentPort] = [
      await freePort(address),
      await freePort(`${network}.0.2`),
      await freePort(`${network}.0.2`),
    ];
    const dns = await DnsDouble.start(`${network}.0.53`);
    const box = new Box(plan, folder, dns, { address, port, insidePort, componentPort });
    await box.#started();
    if (plan.homeAway !== true) await box.connectHome();
    return box;
  }

  private constructor(
    plan: BoxPlan,
    folder: string,
    dns: DnsDouble,
    ports: Readonly<Record<'port' | 'insidePort' | 'componentPort', number>> & { readonly address: string },
  ) {
    this.plan = plan;
    this.folder = folder;
    this.dns = dns;
    this.address = ports.address;
    this.port = ports.port;
    this.insidePort = ports.insidePort;
    this.componentPort = ports.componentPort;
    this.root = authority('Test Root');
    this.configFile = join(folder, 'fedway.yaml');
    writeFileSync(join(folder, 'ca.pem'), this.root.pem);
    writeFileSync(join(folder, 'dialback.secret'), `${DIALBACK_SECRET}\n`, { mode: 0o600 });
    writeFileSync(join(folder, 'component.secret'), `${COMPONENT_SECRET}\n`, { mode: 0o600 });
    this.#homes().forEach((domains, index) => this.writeCertificate(index, leaf(domains, this.root)));
    this.writeConfig();
    const started = this.#spawn();
    this.process = started.process;
    this.log = started.log;
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  /** Where servers inside connect to, and from. */
  get insideAddress(): string {
    return `127.${this.plan.network}.0.2`;
  }

  /** `127.n.1.x`, for a peer. */
  peerAddress(last: number): string {
    return `127.${this.plan.network}.1.${last}`;
  }

  /** A certificate of the box's authority, as public ones issue them: serverAuth only. */
  certificate(...domains: string[]): Issued {
    return leaf(domains, this.root);
  }

  /** A raw connection to the S2S listener. */
  connect(from = this.peerAddress(1)): Promise<Wire> {
    return wireTo(this.address, this.port, from);
  }

  get home(): HomeServer {
    if (this.homeServer === undefined) throw new Error('the home server is not connected');
    return this.homeServer;
  }

  /** Connects the server inside, by XEP-0114. */
  async connectHome(secret = COMPONENT_SECRET): Promise<HomeServer> {
    const wire = await wireTo(this.insideAddress, this.componentPort, this.insideAddress);
    wire.send(
      `<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='${HOME}'>`,
    );
    const header = await wire.expect(/<stream:stream[^>]*>/);
    const id = /id='([^']*)'/.exec(header)?.[1] ?? '';
    wire.send(`<handshake>${createHash('sha1').update(`${id}${secret}`).digest('hex')}</handshake>`);
    await wire.expect('<handshake/>');
    this.homeServer = new HomeServer(wire);
    return this.homeServer;
  }

  /** Resident memory of the process, in MiB. */
  memory(): number {
    const kibibytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1];
    return Number(kibibytes) / 1024;
  }

  /** Processor time the process has used, in milliseconds. */
  processorTime(): number {
    const fields = readFileSync(`/proc/${this.pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  isAlive(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** The exit status, or the signal, once the process has ended. */
  async exit(milliseconds = 10_000): Promise<number | NodeJS.Signals> {
    if (this.isAlive()) await once(this.process, 'exit', { signal: AbortSignal.timeout(milliseconds) });
    return this.process.exitCode ?? this.process.signalCode ?? -1;
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** Writes the boot file; `change` may alter the whole of it first. */
  writeConfig(change: (config: Record<string, unknown>) => unknown = (config) => config): void {
    writeFileSync(this.configFile, stringify(change(this.#configuration())));
  }

  /** The certificate file of a home. */
  certificatePath(home: number): string {
    return join(this.folder, `home${home}.pem`);
  }

  writeCertificate(home: number, certificate: Issued): void {
    writeFileSync(this.certificatePath(home), certificate.chainPem);
    writeFileSync(join(this.folder, `home${home}.key`), certificate.keyPem, { mode: 0o600 });
  }

  /** Starts the process again, after it has ended. */
  async restart(): Promise<void> {
    const started = this.#spawn();
    this.process = started.process;
    this.log = started.log;
    await this.#started();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.homeServer?.wire.destroy();
    if (this.isAlive()) {
      this.process.kill('SIGKILL');
      await this.exit();
    }
    await this.dns.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #homes(): readonly (readonly string[])[] {
    return [HOMES, ...(this.plan.moreHomes ?? [])];
  }

  #spawn(): { process: ChildProcess; log: BoxLog } {
    const child = spawn(process.execPath, [MAIN, 'run', '--config', this.configFile], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // A test run that is broken off leaves nothing behind.
    const killed = (): void => void child.kill('SIGKILL');
    process.once('exit', killed);
    child.once('exit', () => process.off('exit', killed));
    if (child.stdout === null || child.stderr === null) throw new Error('the process has no output');
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.complaints += text;
    });
    return { process: child, log: new BoxLog(child.stdout) };
  }

  async #started(): Promise<void> {
    const ready = (): boolean => this.log.lines.some((line) => line.includes(`${this.componentPort}`));
    const deadline = performance.now() + 15_000;
    while (!ready()) {
      if (!this.isAlive() || performance.now() > deadline)
        throw new Error(`fedway did not start: ${this.complaints}\n${this.log.lines.join('\n')}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  #configuration(): Record<string, unknown> {
    const { plan, dns, insideAddress: inside } = this;
    return {
      role: 'single',
      log: { format: 'json', level: 'verbose', ...plan.log },
      s2s: {
        listen: [`${this.address}:${this.port}`],
        dial_from: [this.address],
        tls: 'required',
        authentication: 'either',
        dialback_secret: { file: 'dialback.secret' },
        trust: { system: false, authorities: ['ca.pem'] },
        timeouts: {
          connect: '1s',
          tls: '1500ms',
          header: '1500ms',
          negotiation: '2s',
          dialback: '1500ms',
          close: '1s',
          ...plan.timeouts,
        },
        limits: { connections: 500, connections_per_address: 64, ...plan.limits },
        ...plan.s2s,
      },
      resolver: {
        servers: [`${dns.server.address}:${dns.server.port}`],
        timeout: '300ms',
        attempts: 2,
        allow_addresses: ['127.0.0.0/8'],
        ...plan.resolver,
      },
      homes: this.#homes().map((domains, index) => ({
        domains,
        certificate: `home${index}.pem`,
        key: `home${index}.key`,
        server: { accept_component: { secret: { file: 'component.secret' } } },
      })),
      inside: { listen: [`${inside}:${this.insidePort}`], component_listen: [`${inside}:${this.componentPort}`] },
      ...(plan.partners === undefined ? {} : { partners: plan.partners }),
    };
  }
}
