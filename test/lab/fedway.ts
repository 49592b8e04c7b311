import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { assertFree } from './addresses.ts';
import type { CertificateAuthority, CertificateFiles, CertificateKind } from './certificates.ts';
import { LogFile } from './log-file.ts';
import { COMPONENT_SECRET, DIRECT_TLS_PORT, domainsOf, type Organization } from './organization.ts';
import { type LabProcess, launch } from './processes.ts';

/** The command line under test. */
export const PROGRAM = fileURLToPath(new URL('../../bin/fedway', import.meta.url));

/** How fedway federates with partners; the names and values are those of fedway.yaml. */
export interface FederationSettings {
  readonly tls?: 'required' | 'optional' | 'none';
  readonly authentication?: 'external' | 'dialback' | 'either';
  readonly partners?: object;
  /** Merged into the `s2s` section. */
  readonly s2s?: object;
  /** Merged into the `resolver` section. */
  readonly resolver?: object;
  readonly dialbackSecret?: string;
  /** Of the home domains, towards partners. */
  readonly certificate?: CertificateKind;
  readonly logFormat?: 'text' | 'json' | 'expressway';
  readonly logLevel?: 'info' | 'debug' | 'verbose';
  /** An Edge and a Core in place of a single box. */
  readonly split?: boolean;
}

export interface FedwayPlan extends FederationSettings {
  readonly folder: string;
  /** Its two faces. */
  readonly outside: string;
  readonly inside: string;
  /** `address:port` of the world's DNS. */
  readonly worldDns: string;
  readonly authority: CertificateAuthority;
  readonly homes: readonly { readonly organization: Organization; readonly address: string }[];
}

/** A running fedway. */
export interface LabFedway {
  readonly outside: string;
  readonly inside: string;
  readonly configFile: string;
  readonly logFile: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  kill(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Throws when it was never started. */
  pid(): number;
  isRunning(): boolean;
  /** Throws, with its last words, when it is not running. */
  assertRunning(): void;
  /** The size of the log now: where to begin reading later. */
  mark(): number;
  logSince(mark: number): string;
  /** Resolves with the first line since `mark` that matches; throws when none comes. */
  waitForLog(pattern: RegExp, mark: number, milliseconds?: number): Promise<string>;
}

/** Writes fedway.yaml and everything it names; `start()` runs `bin/fedway run`. */
export function fedway(plan: FedwayPlan): LabFedway {
  const { folder, outside, inside } = plan;
  const configFile = path.join(folder, 'fedway.yaml');
  const logFile = path.join(folder, 'fedway.log');
  mkdirSync(folder, { recursive: true });
  secretsIn(folder, plan);
  writeFileSync(configFile, stringify(configuration(plan)));
  let process: LabProcess | undefined;
  const running = (): LabProcess => {
    if (process === undefined) throw new Error('fedway was not started');
    return process;
  };
  const log = new LogFile(logFile, () => process?.assertRunning());
  return {
    outside,
    inside,
    configFile,
    logFile,
    async start() {
      const endpoints = [`${outside}:5269`, ...directTlsOf(plan), `${inside}:5269`, `${inside}:53`];
      for (const endpoint of endpoints) await assertFree(...split(endpoint));
      const before = log.mark();
      process = launch({
        name: 'fedway',
        command: PROGRAM,
        args: ['run', '--config', configFile],
        cwd: folder,
        outputFile: logFile,
      });
      for (const endpoint of endpoints) await log.waitFor(listening(endpoint), before, 20_000);
    },
    stop: async () => process?.stop(8000),
    kill: async () => process?.kill(),
    signal: (signal) => running().signal(signal),
    pid: () => running().pid,
    isRunning: () => process?.isRunning() ?? false,
    assertRunning: () => running().assertRunning(),
    mark: () => log.mark(),
    logSince: (mark) => log.since(mark),
    waitForLog: async (pattern, mark, milliseconds) => log.waitFor(pattern, mark, milliseconds),
  };
}

/** Writes the files that a boot file's secrets are in. */
export function secretsIn(folder: string, plan: FedwayPlan): void {
  const dialback = `${plan.dialbackSecret ?? 'the lab shares this secret'}\n`;
  writeFileSync(path.join(folder, 'dialback.secret'), dialback, { mode: 0o600 });
  writeFileSync(path.join(folder, 'component.secret'), `${COMPONENT_SECRET}\n`, { mode: 0o600 });
}

function configuration(plan: FedwayPlan): object {
  const { outside, inside, authority, homes } = plan;
  return {
    role: 'single',
    log: { format: plan.logFormat ?? 'text', level: plan.logLevel ?? 'debug' },
    s2s: {
      listen: [`${outside}:5269`],
      tls_listen: directTlsOf(plan),
      dial_from: [outside],
      tls: plan.tls ?? 'required',
      authentication: plan.authentication ?? 'either',
      dialback_secret: { file: 'dialback.secret' },
      trust: { system: false, authorities: [authority.root] },
      ...plan.s2s,
    },
    resolver: {
      servers: [plan.worldDns],
      timeout: '1s',
      attempts: 2,
      allow_addresses: ['127.0.0.0/8'],
      ...plan.resolver,
    },
    homes: homes.map(({ organization, address }) => ({
      domains: domainsOf(organization),
      ...certificatesOf(plan, organization),
      server: serverOf(organization, address),
    })),
    inside: { listen: [`${inside}:5269`], dial_from: [inside], tls: homes.some(isSecured) ? 'optional' : 'none' },
    dns: { listen: [`${inside}:53`], answer: [inside] },
    ...(plan.partners === undefined ? {} : { partners: plan.partners }),
  };
}

/** The certificate of a home, as the boot file names it. */
export function certificatesOf(
  { authority, certificate }: FedwayPlan,
  organization: Organization,
): { readonly certificate: string; readonly key: string } {
  const files: CertificateFiles = authority.issue(domainsOf(organization), certificate ?? 'good');
  return { certificate: files.certificate, key: files.key };
}

/** How fedway and the server inside that serves an organization talk, as the boot file says it. */
export function serverOf(organization: Organization, address: string): object {
  if (organization.by !== 'component') {
    return { s2s: { address: `${address}:5269`, tls: organization.profile === 'dbplain' ? 'none' : 'optional' } };
  }
  const component = {
    address: `${address}:5347`,
    secret: { file: 'component.secret' },
    domains: organization.componentDomains ?? [],
    // ejabberd serves every domain of its list over one connection.
    shared: organization.server === 'ejabberd',
  };
  return { component };
}

/** Where partners come by direct TLS: when a home is found by it. */
function directTlsOf({ outside, homes }: FedwayPlan): readonly string[] {
  return homes.some(({ organization }) => organization.directTls === true) ? [`${outside}:${DIRECT_TLS_PORT}`] : [];
}

function isSecured({ organization }: FedwayPlan['homes'][number]): boolean {
  return organization.profile !== 'dbplain';
}

/** The line that says that something listens there. */
export function listening(endpoint: string): RegExp {
  return new RegExp(`listening.*${endpoint.replaceAll('.', String.raw`\.`)}\\b`, 'i');
}

export function split(endpoint: string): [string, number] {
  const colon = endpoint.lastIndexOf(':');
  return [endpoint.slice(0, colon), Number(endpoint.slice(colon + 1))];
}
