import type { CertificateAuthority } from './certificates.ts';
import type { Organization } from './organization.ts';
import type { Place } from './place.ts';
import type { LabProcess } from './processes.ts';

/** What a server of the lab is configured from. */
export interface ServerPlan {
  readonly organization: Organization;
  /** Its own folder, for configuration, data and logs. */
  readonly folder: string;
  /** Its own address: S2S on 5269, clients on 5222, components on 5347. */
  readonly address: string;
  readonly authority: CertificateAuthority;
  /** The address whose port 53 it resolves names with. */
  readonly resolver: string;
  /** Where it runs. `undefined`: here. */
  readonly place?: Place;
}

/** A server of the lab; it can be stopped and started again with its data. */
export interface LabServer {
  readonly organization: Organization;
  readonly address: string;
  /** What to read when something went wrong, the most telling first. */
  readonly logs: readonly string[];
  /** Resolves when clients and servers can connect. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** As a crash. */
  kill(): Promise<void>;
  /** What runs now, the process that matters first. */
  processes(): readonly LabProcess[];
}
