import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type AddressBlock, claimAddresses } from '../lab/addresses.ts';
import { type CertificateAuthority, createAuthority } from '../lab/certificates.ts';
import { startWorldDns, type WorldDns } from '../lab/world-dns.ts';
import { Site, type SitePlan } from './site.ts';

export interface WorldPlan {
  /** For the name of its folder. */
  readonly name: string;
  /** First three octets of its addresses, if they are free. */
  readonly preferredAddresses?: string;
  /** Where DNS answers; without, on a port that does not need root. Servers that use the C library's resolver know 53 only. */
  readonly dnsPort?: number;
}

const DNS_PORT = 5300;
/** Addresses of a site within the block of the world: Edge, Core, node. */
const PER_SITE = 10;

/** A small world on loopback addresses: an authority for certificates, DNS, and sites in it. */
export class World {
  readonly folder: string;
  readonly authority: CertificateAuthority;
  readonly dns: WorldDns;
  readonly #addresses: AddressBlock;
  readonly #sites: Site[] = [];

  static async prepare({ name, preferredAddresses, dnsPort = DNS_PORT }: WorldPlan): Promise<World> {
    const addresses = await claimAddresses(preferredAddresses);
    const dns = await startWorldDns(addresses.address(250), dnsPort);
    return new World(mkdtempSync(path.join(tmpdir(), `fedway-${name}-`)), addresses, dns);
  }

  private constructor(folder: string, addresses: AddressBlock, dns: WorldDns) {
    this.folder = folder;
    this.#addresses = addresses;
    this.dns = dns;
    this.authority = createAuthority(path.join(folder, 'authority'));
  }

  get sites(): readonly Site[] {
    return this.#sites;
  }

  /** Writes the files of a site. Nothing runs yet. */
  site(plan: Omit<SitePlan, 'address' | 'folder' | 'authority' | 'dns'>): Site {
    const first = 1 + this.#sites.length * PER_SITE;
    const site = new Site({
      ...plan,
      address: (nth) => this.#addresses.address(first + nth),
      folder: this.folder,
      authority: this.authority,
      dns: this.dns,
    });
    this.#sites.push(site);
    return site;
  }

  /** An address of the world that no site has. */
  address(last: number): string {
    return this.#addresses.address(last);
  }

  /** Ends everything; the folder stays when somebody wants to look at it. */
  async stop(keepFolder = false): Promise<void> {
    await Promise.all(this.#sites.map((site) => site.stop()));
    await this.dns.stop();
    await this.#addresses.release();
    if (!keepFolder) rmSync(this.folder, { recursive: true, force: true });
  }
}
