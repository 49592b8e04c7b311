import type { CertificateAuthority } from '../../test/lab/certificates.ts';
import { type LabProcess, launch } from '../../test/lab/processes.ts';
import type { Script } from './script.ts';

/** Which way the stanzas go: from the S2S side to the component, or the other way. */
export type Direction = 'inward' | 'outward';
export const DIRECTIONS: readonly Direction[] = ['inward', 'outward'];

/** The domain behind the system, and the partner's. */
export const HOME = 'home.example';
export const PARTNER = 'partner.example';
export const SECRET = 'the benchmark shares this secret';

/** Where one measurement takes place. */
export interface Setting {
  /** Empty, and there for this measurement only. */
  readonly folder: string;
  /** Loopback addresses: the system's (the second for its inside), and ours, who play partner and component. */
  readonly system: string;
  readonly inside: string;
  readonly partner: string;
  readonly authority: CertificateAuthority;
  /** The core the system runs on; `undefined` where it cannot be chosen. */
  readonly core: number | undefined;
}

/** Both ends of the way, open. */
export interface Way {
  readonly source: Script;
  /** Where the stanzas arrive. A system that connects when it has something to send comes after the first stanza. */
  readonly sink: Promise<Script>;
  close(): void;
}

/** A system that is measured. */
export interface System {
  /** As the table calls it, with its version. */
  readonly title: string;
  /** Starts it, on its core, and resolves when it accepts connections. */
  start(setting: Setting, direction: Direction): Promise<LabProcess>;
  /** Opens the way through it. */
  open(setting: Setting, direction: Direction): Promise<Way>;
}

/** Starts a program of the system under test on its core. */
export function launchOnCore(
  setting: Setting,
  program: {
    readonly name: string;
    readonly command: readonly [string, ...string[]];
    readonly env?: Readonly<Record<string, string>>;
  },
): LabProcess {
  const pinned = setting.core === undefined ? [] : ['taskset', '-c', String(setting.core)];
  const [command = '', ...args] = [...pinned, ...program.command];
  return launch({
    name: program.name,
    command,
    args,
    cwd: setting.folder,
    outputFile: `${setting.folder}/output.log`,
    ...(program.env === undefined ? {} : { env: program.env }),
  });
}
