import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { CertificateAuthority } from '../lab/certificates.ts';
import { LogFile } from '../lab/log-file.ts';
import type { LabProcess } from '../lab/processes.ts';
import type { Host } from './host.ts';
import { ADDRESS } from './zones.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/fedway', import.meta.url));

/** fedway on a host. */
export interface Box {
  readonly log: LogFile;
  /** Resolves when everything that it listens on is listening. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** As a crash. */
  kill(): Promise<void>;
  /** `fedway <args>` on its host, about this box. Answers with standard output; throws with what was said when it fails. */
  command(...args: readonly string[]): string;
}

/** The Edge of `coluc.com`, in the DMZ. */
export function edge(host: Host, authority: CertificateAuthority, domains: readonly [string, ...string[]]): Box {
  const files = authority.issue(domains);
  const configuration = {
    role: 'edge',
    name: 'edge-1',
    data: 'data',
    log: { level: 'debug' },
    link: { listen: [`${ADDRESS.edge}:7400`] },
    s2s: { listen: [`${ADDRESS.edge}:5269`], trust: { system: false, authorities: [authority.root] } },
    // The world of the lab has documentation addresses (RFC 5737).
    resolver: { timeout: '1s', attempts: 2, allow_addresses: ['198.51.100.0/24'] },
    homes: [{ domains, certificate: files.certificate, key: files.key }],
  };
  return box(host, configuration, [`${ADDRESS.edge}:7400`, `${ADDRESS.edge}:5269`]);
}

/** The Core of `coluc.com`, inside. */
export function core(host: Host, domains: readonly [string, ...string[]]): Box {
  const configuration = {
    role: 'core',
    name: 'core-1',
    data: 'data',
    log: { level: 'debug' },
    homes: [{ domains, server: { s2s: { address: `${ADDRESS.server}:5269` } } }],
    inside: { listen: [`${ADDRESS.core}:5269`] },
    dns: { listen: [`${ADDRESS.core}:53`], answer: [ADDRESS.core] },
  };
  return box(host, configuration, [`${ADDRESS.core}:5269`, `${ADDRESS.core}:53`]);
}

function box(host: Host, configuration: object, endpoints: readonly string[]): Box {
  const config = path.join(host.folder, 'fedway.yaml');
  mkdirSync(host.folder, { recursive: true });
  writeFileSync(config, stringify(configuration));
  let process: LabProcess | undefined;
  const log = new LogFile(path.join(host.folder, 'fedway.log'), () => process?.assertRunning());
  return {
    log,
    async start() {
      const before = log.mark();
      process = host.launch({
        name: `fedway on ${host.name}`,
        command: PROGRAM,
        args: ['run', '--config', config],
        cwd: host.folder,
        outputFile: log.path,
      });
      for (const endpoint of endpoints) {
        await log.waitFor(new RegExp(`listening.*${endpoint.replaceAll('.', String.raw`\.`)}\\b`, 'i'), before, 20_000);
      }
    },
    stop: async () => process?.stop(8000),
    kill: async () => process?.kill(),
    command: (...args) => host.run(PROGRAM, [...args, '--config', config]),
  };
}
