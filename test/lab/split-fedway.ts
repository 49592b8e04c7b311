import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { assertFree } from './addresses.ts';
import {
  certificatesOf,
  type FedwayPlan,
  type LabFedway,
  listening,
  PROGRAM,
  secretsIn,
  serverOf,
  split,
} from './fedway.ts';
import { LogFile } from './log-file.ts';
import { domainsOf } from './organization.ts';
import { type LabProcess, launch } from './processes.ts';

/** An Edge and a Core in place of a single box. */
export interface SplitFedway extends LabFedway {
  readonly edge: LabBox;
  readonly core: LabBox;
}

/** One of the two. */
export interface LabBox {
  readonly configFile: string;
  /** Runs `fedway` with arguments on this box, and gives back what it printed; throws with its complaints when it fails. */
  command(...args: readonly string[]): string;
  start(): Promise<void>;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

/**
 * fedway split at the firewall: an Edge on the outside address, a Core on the inside one, paired by `fedway link` and set up by
 * `fedway config`. Both write one log, so that it can be read like that of a single box.
 */
export function splitFedway(plan: FedwayPlan): SplitFedway {
  const { folder, outside, inside } = plan;
  const logFile = path.join(folder, 'fedway.log');
  const edgeFile = path.join(folder, 'edge', 'edge.yaml');
  const coreFile = path.join(folder, 'core', 'core.yaml');
  for (const file of [edgeFile, coreFile]) mkdirSync(path.dirname(file), { recursive: true });
  secretsIn(path.dirname(coreFile), plan);
  writeFileSync(edgeFile, stringify(edgeConfiguration(plan)));
  writeFileSync(coreFile, stringify(coreConfiguration(plan)));
  const processes = new Map<string, LabProcess>();
  const assertRunning = (): void => {
    for (const each of processes.values()) each.assertRunning();
  };
  const log = new LogFile(logFile, assertRunning);
  const box = (name: string, configFile: string, endpoints: readonly string[]): LabBox => ({
    configFile,
    command: (...args) => command(configFile, args),
    async start() {
      for (const endpoint of endpoints) await assertFree(...split(endpoint));
      const before = log.mark();
      processes.set(
        name,
        launch({
          name: `fedway (${name})`,
          command: PROGRAM,
          args: ['run', '--config', configFile],
          cwd: path.dirname(configFile),
          outputFile: logFile,
        }),
      );
      for (const endpoint of endpoints) await log.waitFor(listening(endpoint), before, 20_000);
    },
    stop: async () => processes.get(name)?.stop(8000),
    kill: async () => processes.get(name)?.kill(),
  });
  const edge = box('edge', edgeFile, [`${outside}:5269`, `${outside}:7400`]);
  const core = box('core', coreFile, [`${inside}:5269`, `${inside}:53`]);
  let paired = false;
  const core1 = (): LabProcess => {
    const process = processes.get('core');
    if (process === undefined) throw new Error('fedway was not started');
    return process;
  };
  return {
    outside,
    inside,
    configFile: edgeFile,
    logFile,
    edge,
    core,
    async start() {
      await edge.start();
      await core.start();
      const before = log.mark();
      if (!paired) {
        core.command('link', 'join', edge.command('link', 'invite', 'core').trim());
        for (const [key, value] of liveSettings(plan)) edge.command('config', 'set', key, value);
        paired = true;
      }
      await log.waitFor(/The Link with edge is (up|back)/, before, 20_000);
    },
    async stop() {
      await core.stop();
      await edge.stop();
    },
    async kill() {
      await core.kill();
      await edge.kill();
    },
    signal: (signal) => {
      for (const each of processes.values()) each.signal(signal);
    },
    pid: () => core1().pid,
    isRunning: () => [...processes.values()].every((each) => each.isRunning()),
    assertRunning,
    mark: () => log.mark(),
    logSince: (mark) => log.since(mark),
    waitForLog: async (pattern, mark, milliseconds) => log.waitFor(pattern, mark, milliseconds),
  };
}

function command(configFile: string, args: readonly string[]): string {
  const [area, ...rest] = args;
  const result = spawnSync(PROGRAM, [area ?? '', ...rest, '--config', configFile], { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`fedway ${args.join(' ')}: ${result.stderr}${result.stdout}`);
  return result.stdout;
}

function edgeConfiguration(plan: FedwayPlan): object {
  const { outside, authority, homes } = plan;
  return {
    role: 'edge',
    name: 'edge',
    data: 'data',
    log: { format: plan.logFormat ?? 'text', level: plan.logLevel ?? 'debug' },
    s2s: {
      listen: [`${outside}:5269`],
      dial_from: [outside],
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
    homes: homes.map(({ organization }) => ({
      domains: domainsOf(organization),
      ...certificatesOf(plan, organization),
    })),
    link: { listen: [`${outside}:7400`] },
  };
}

function coreConfiguration(plan: FedwayPlan): object {
  const { inside, homes } = plan;
  return {
    role: 'core',
    name: 'core',
    data: 'data',
    log: { format: plan.logFormat ?? 'text', level: plan.logLevel ?? 'debug' },
    homes: homes.map(({ organization, address }) => ({
      domains: domainsOf(organization),
      server: serverOf(organization, address),
    })),
    inside: { listen: [`${inside}:5269`], dial_from: [inside] },
    dns: { listen: [`${inside}:53`], answer: [inside] },
    link: { dial_from: [inside] },
  };
}

/** What a single box of the lab has in its boot file. */
function liveSettings(plan: FedwayPlan): readonly (readonly [string, string])[] {
  return [
    ['privacy', 'off'],
    ['tls', plan.tls ?? 'required'],
    ['authentication', plan.authentication ?? 'either'],
    ['federation', 'on'],
  ];
}
