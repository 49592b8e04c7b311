import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type AddressBlock, claimAddresses } from './addresses.ts';
import { type CertificateAuthority, createAuthority } from './certificates.ts';
import { TestClient } from './client.ts';
import { ejabberd } from './ejabberd.ts';
import { type FederationSettings, fedway, type LabFedway } from './fedway.ts';
import { jabberd2 } from './jabberd2.ts';
import { hasRooms, type Organization, PASSWORD } from './organization.ts';
import { prosody } from './prosody.ts';
import { assertInstalled } from './requirements.ts';
import type { LabServer } from './server.ts';
import { splitFedway } from './split-fedway.ts';
import { startWorldDns, type WorldDns } from './world-dns.ts';

export interface LabOptions {
  /** Part of the folder's name. */
  readonly name: string;
  readonly organizations: readonly Organization[];
  /** Needed when an organization is behind it. */
  readonly fedway?: FederationSettings;
  /** The block of addresses to try first, e.g. `127.20.0`. */
  readonly preferredAddresses?: string;
}

/** Where things are inside a lab's block of addresses. */
const HOST = {
  fedwayOutside: 20,
  fedwayInside: 21,
  secondBoxOutside: 30,
  secondBoxInside: 31,
  worldDns: 53,
  firstInside: 101,
  firstOutside: 151,
};

const SOFTWARE = { prosody, ejabberd, jabberd2 } as const;

/**
 * A federation of real servers on loopback addresses, in a temporary folder of its own. `prepareLab` sets it up; `start` boots it; `stop`
 * ends every process it started, whatever state it is in.
 */
export class Lab {
  readonly folder: string;
  readonly authority: CertificateAuthority;
  readonly dns: WorldDns;
  readonly servers: readonly LabServer[];
  readonly fedway: LabFedway | undefined;
  readonly #addresses: AddressBlock;
  readonly #settings: FederationSettings;
  readonly #clients: TestClient[] = [];
  readonly #boxes: LabFedway[] = [];

  constructor(options: LabOptions, folder: string, addresses: AddressBlock, dns: WorldDns) {
    this.folder = folder;
    this.authority = createAuthority(path.join(folder, 'certificates'));
    this.dns = dns;
    this.#addresses = addresses;
    this.#settings = options.fedway ?? {};
    const { organizations } = options;
    const outside = addresses.address(HOST.fedwayOutside);
    const inside = addresses.address(HOST.fedwayInside);
    this.servers = organizations.map((organization, n) => {
      const hidden = organization.behind === 'fedway';
      const address = addresses.address((hidden ? HOST.firstInside : HOST.firstOutside) + n);
      const services = hasRooms(organization) ? ['conference'] : [];
      dns.publish(organization.domain, hidden ? outside : address, services, organization.directTls);
      return SOFTWARE[organization.server]({
        organization,
        address,
        folder: path.join(folder, organization.domain),
        authority: this.authority,
        resolver: hidden ? inside : dns.address,
      });
    });
    const homes = this.servers.filter(({ organization }) => organization.behind === 'fedway');
    if (homes.length > 0) this.fedway = this.#box('fedway', outside, inside, this.#settings);
  }

  /** Boots everything, the servers side by side. */
  async start(): Promise<void> {
    await this.fedway?.start();
    await Promise.all(this.servers.map(async (server) => server.start()));
    for (const { organization } of this.servers) await this.#waitForComponents(organization);
  }

  /** Another fedway for the same homes, not yet started; the world's DNS does not know it until told. One may run at a time. */
  secondBox(name: string, settings: FederationSettings = {}): LabFedway {
    const outside = this.#addresses.address(HOST.secondBoxOutside);
    return this.#box(name, outside, this.#addresses.address(HOST.secondBoxInside), { ...this.#settings, ...settings });
  }

  server(domain: string): LabServer {
    const found = this.servers.find(({ organization }) => organization.domain === domain);
    if (found === undefined) throw new Error(`the lab has no organization ${domain}`);
    return found;
  }

  /** Logs a user in and sends the first presence. */
  async login(account: string, resource = 'lab'): Promise<TestClient> {
    const { address, organization } = this.server(account.slice(account.indexOf('@') + 1));
    const authorities = readFileSync(this.authority.root, 'utf8');
    const trusted = organization.profile === 'ca' && (organization.certificate ?? 'good') === 'good';
    const client = await TestClient.login({
      account,
      password: PASSWORD,
      host: address,
      resource,
      ...(trusted ? { authorities } : {}),
    });
    this.#clients.push(client);
    // Only a client that asked for the roster is told of subscriptions (RFC 6121 §2.2).
    await client.iq('get', undefined, `<query xmlns='jabber:iq:roster'/>`);
    client.presence();
    return client;
  }

  /** Ends everything. The folder with the logs goes too, unless it is to be kept. */
  async stop(keepFolder = false): Promise<void> {
    await Promise.allSettled(this.#clients.map(async (client) => client.close()));
    await Promise.allSettled([...this.servers, ...this.#boxes].map(async (server) => server.stop()));
    await this.dns.stop();
    await this.#addresses.release();
    if (!keepFolder) rmSync(this.folder, { recursive: true, force: true });
  }

  /** Until a component is connected the server inside takes its domain for one to be reached by S2S. */
  async #waitForComponents({ server, componentDomains = [] }: Organization): Promise<void> {
    // COMPAT(ejabberd): one connection serves all domains of its list.
    const connections = server === 'ejabberd' ? componentDomains.slice(0, 1) : componentDomains;
    for (const domain of connections) {
      await this.fedway?.waitForLog(
        new RegExp(`component connection for ${domain.replaceAll('.', String.raw`\.`)} is up`),
        0,
        20_000,
      );
    }
  }

  #box(name: string, outside: string, inside: string, settings: FederationSettings): LabFedway {
    const homes = this.servers.filter(({ organization }) => organization.behind === 'fedway');
    const make = settings.split === true ? splitFedway : fedway;
    const box = make({
      ...settings,
      folder: path.join(this.folder, name),
      outside,
      inside,
      worldDns: this.dns.endpoint,
      authority: this.authority,
      homes,
    });
    this.#boxes.push(box);
    return box;
  }
}

/** A lab that is configured but not booted: only its DNS runs. */
export async function prepareLab(options: LabOptions): Promise<Lab> {
  assertInstalled(options.organizations.map(({ server }) => server));
  const addresses = await claimAddresses(options.preferredAddresses);
  let dns: WorldDns | undefined;
  try {
    dns = await startWorldDns(addresses.address(HOST.worldDns));
    const folder = mkdtempSync(path.join(tmpdir(), `fedway-${options.name}-`));
    return new Lab(options, folder, addresses, dns);
  } catch (error) {
    await dns?.stop();
    await addresses.release();
    throw error;
  }
}
