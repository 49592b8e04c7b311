import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CertificateAuthority, createAuthority } from '../lab/certificates.ts';
import { TestClient } from '../lab/client.ts';
import { ejabberd } from '../lab/ejabberd.ts';
import { LogFile } from '../lab/log-file.ts';
import { domainsOf, type Organization, PASSWORD } from '../lab/organization.ts';
import { prosody } from '../lab/prosody.ts';
import { assertInstalled } from '../lab/requirements.ts';
import type { LabServer } from '../lab/server.ts';
import { type Box, core, edge } from './boxes.ts';
import type { Host } from './host.ts';
import { buildNetwork, type Network } from './network.ts';
import { ADDRESS, HOSTS, RULES, ZONES } from './zones.ts';

const WORLD_DNS = fileURLToPath(new URL('programs/world-dns.ts', import.meta.url));

/** Prosody, inside. */
const HOME: Organization = {
  domain: 'coluc.com',
  server: 'prosody',
  profile: 'dbtls',
  users: ['alice'],
  behind: 'fedway',
};

/** ejabberd, in the world. */
export const PARTNER: Organization = { domain: 'vngtp.lab', server: 'ejabberd', profile: 'ca', users: ['bob'] };

/** Real servers in world and inside, Edge and Core between them, and the firewall with the rules that administrators are given. */
export class FirewalledFederation {
  readonly network: Network;
  readonly edge: Box;
  readonly core: Box;
  readonly home: LabServer;
  readonly partner: LabServer;
  readonly #authority: CertificateAuthority;
  readonly #clients: TestClient[] = [];

  constructor(network: Network) {
    this.network = network;
    const authority = createAuthority(path.join(network.folder, 'certificates'));
    this.#authority = authority;
    const place = (name: 'server' | 'partner'): { place: Host; folder: string; address: string } => ({
      place: network.host(name),
      folder: network.host(name).folder,
      address: ADDRESS[name],
    });
    this.home = prosody({ organization: HOME, authority, resolver: ADDRESS.core, ...place('server') });
    this.partner = ejabberd({ organization: PARTNER, authority, resolver: ADDRESS.dns, ...place('partner') });
    this.edge = edge(network.host('edge'), authority, domainsOf(HOME));
    this.core = core(network.host('core'), domainsOf(HOME));
  }

  /** Starts everything; Edge and Core are not paired yet. */
  async start(): Promise<void> {
    this.network.firewall.apply(RULES);
    await this.#startDns();
    await Promise.all([this.edge, this.core, this.home, this.partner].map(async (one) => one.start()));
  }

  /** Logs the user of an organization in, from the host of its server, and sends the first presence. */
  async login({ organization, address }: LabServer, resource = 'lab'): Promise<TestClient> {
    const client = await TestClient.login({
      account: `${organization.users[0]}@${organization.domain}`,
      password: PASSWORD,
      host: address,
      resource,
      place: this.network.host(organization === HOME ? 'server' : 'partner'),
      ...(organization.profile === 'ca' ? { authorities: readFileSync(this.#authority.root, 'utf8') } : {}),
    });
    this.#clients.push(client);
    // Only a client that asked for the roster is told of subscriptions (RFC 6121 §2.2).
    await client.iq('get', undefined, `<query xmlns='jabber:iq:roster'/>`);
    client.presence();
    return client;
  }

  async stop(keepFolder = false): Promise<void> {
    await Promise.allSettled(this.#clients.map(async (client) => client.close()));
    await Promise.allSettled([this.edge, this.core, this.home, this.partner].map(async (one) => one.stop()));
    await this.network.stop(keepFolder);
  }

  async #startDns(): Promise<void> {
    const host = this.network.host('dns');
    const outputFile = path.join(host.folder, 'dns.out');
    const dns = host.launch({
      name: 'the DNS of the world',
      command: process.execPath,
      args: [WORLD_DNS, ADDRESS.dns, `${HOME.domain}=${ADDRESS.edge}`, `${PARTNER.domain}=${ADDRESS.partner}`],
      cwd: host.folder,
      outputFile,
    });
    await new LogFile(outputFile, () => dns.assertRunning()).waitFor(/^ready$/, 0);
  }
}

/** Builds the network and writes all configuration; nothing of it runs yet. */
export async function prepareFederation(name: string): Promise<FirewalledFederation> {
  assertInstalled([HOME.server, PARTNER.server]);
  const network = await buildNetwork({ name, zones: ZONES, hosts: HOSTS });
  try {
    return new FirewalledFederation(network);
  } catch (error) {
    await network.stop();
    throw error;
  }
}
