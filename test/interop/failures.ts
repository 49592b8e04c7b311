import type { CertificateKind } from '../lab/certificates.ts';
import type { Organization, ServerSoftware } from '../lab/organization.ts';
import type { WorldDns } from '../lab/world-dns.ts';

/** The stanza error that a sender gets. */
interface ExpectedError {
  readonly condition: string;
  /** Of the text beside it, where the error is fedway's own. */
  readonly text?: RegExp;
}

/** A partner whose certificate is wrong, while fedway wants authentication by certificate. */
export interface CertificateFailure {
  readonly number: number;
  readonly title: string;
  readonly kind: CertificateKind;
  readonly server: ServerSoftware;
  readonly domain: string;
  /** What fedway's log says about the partner. */
  readonly log: RegExp;
}

export const CERTIFICATE_FAILURES: readonly CertificateFailure[] = [
  {
    number: 61,
    title: 'an expired certificate',
    kind: 'expired',
    server: 'prosody',
    domain: 'old.lab',
    log: /expired/i,
  },
  {
    number: 62,
    title: 'a certificate for another name',
    kind: 'wrong-name',
    server: 'prosody',
    domain: 'misnamed.lab',
    log: /somewhere-else\.example/,
  },
  {
    number: 63,
    title: 'a self-signed certificate',
    kind: 'self-signed',
    server: 'prosody',
    domain: 'lone.lab',
    log: /self.signed/i,
  },
  {
    number: 64,
    title: 'a certificate of an unknown authority',
    kind: 'other-authority',
    server: 'prosody',
    domain: 'stranger.lab',
    log: /Stranger Authority/,
  },
  {
    number: 65,
    title: 'a self-signed certificate, shown by ejabberd',
    kind: 'self-signed',
    server: 'ejabberd',
    domain: 'ejab.lab',
    log: /self.signed/i,
  },
];

/** What is wrong with the DNS of the world, and what a sender inside is told. */
export interface DnsFailure {
  readonly number: number;
  readonly title: string;
  readonly domain: string;
  /** `honest` is the address of a server that does not serve the domain. */
  readonly arrange: (dns: WorldDns, domain: string, honest: string) => void;
  readonly error: ExpectedError;
  readonly log: RegExp;
}

export const DNS_FAILURES: readonly DnsFailure[] = [
  {
    number: 71,
    title: 'a domain that does not exist',
    domain: 'nowhere.lab',
    arrange: () => undefined,
    error: { condition: 'remote-server-not-found', text: /could be found/ },
    log: /Could not find a server for nowhere\.lab/,
  },
  {
    number: 72,
    title: 'a domain that says it does not federate (SRV target ".")',
    domain: 'closed.lab',
    arrange: (dns, domain) => dns.set(`_xmpp-server._tcp.${domain}`, [{ type: 'SRV', target: '.', port: 0 }]),
    error: { condition: 'remote-server-not-found', text: /could be found/ },
    log: /Could not find a server for closed\.lab.*does not federate/,
  },
  {
    number: 73,
    title: 'DNS is down: no answer at all',
    domain: 'silent.lab',
    arrange: (dns, domain) => dns.misbehave(domain, 'silent'),
    error: { condition: 'remote-server-timeout' },
    log: /Could not find a server for silent\.lab/,
  },
  {
    number: 74,
    title: 'DNS fails (SERVFAIL)',
    domain: 'failing.lab',
    arrange: (dns, domain) => dns.misbehave(domain, 'failing'),
    error: { condition: 'remote-server-timeout' },
    log: /Could not find a server for failing\.lab/,
  },
  {
    number: 75,
    title: 'DNS lies: it names the server of somebody else',
    domain: 'lying.lab',
    arrange: (dns, domain, honest) => dns.publish(domain, honest, []),
    error: { condition: 'remote-server-not-found' },
    log: /lying\.lab.*host-unknown/,
  },
  {
    number: 76,
    title: 'DNS lies: it names an address of a private network',
    domain: 'private.lab',
    arrange: (dns, domain) => dns.publish(domain, '10.255.255.1', []),
    error: { condition: 'remote-server-not-found' },
    log: /private\.lab.*10\.255\.255\.1|10\.255\.255\.1.*private\.lab/,
  },
  {
    number: 77,
    title: 'nothing listens where DNS says',
    domain: 'dead.lab',
    arrange: (dns, domain, honest) => dns.publish(domain, honest.replace(/\d+$/, '250'), []),
    error: { condition: 'remote-server-timeout', text: /could not be reached/ },
    log: /dead\.lab.*refused/i,
  },
];

/** DNS that is odd but right: messages arrive. */
export interface OddDns {
  readonly number: number;
  readonly title: string;
  readonly domain: string;
  readonly arrange: (dns: WorldDns, domain: string, server: string) => void;
}

export const ODD_DNS: readonly OddDns[] = [
  {
    number: 81,
    title: 'slow DNS, 700 ms for each answer',
    domain: 'slow.lab',
    arrange: (dns, domain) => dns.misbehave(domain, { delayMs: 700 }),
  },
  {
    number: 82,
    title: 'no SRV records: the address of the domain, port 5269',
    domain: 'plain.lab',
    arrange: (dns, domain, server) => {
      dns.set(`_xmpp-server._tcp.${domain}`, []);
      dns.set(domain, [{ type: 'A', address: server }]);
    },
  },
  {
    number: 83,
    title: 'the first of two SRV targets is dead',
    domain: 'backup.lab',
    arrange: (dns, domain, server) => {
      dns.set(`dead.${domain}`, [{ type: 'A', address: server.replace(/\d+$/, '250') }]);
      dns.set(`_xmpp-server._tcp.${domain}`, [
        { type: 'SRV', target: `dead.${domain}`, port: 5269, priority: 1 },
        { type: 'SRV', target: `xmpp.${domain}`, port: 5269, priority: 2 },
      ]);
    },
  },
];

/** A server inside that the failure scenarios share. */
export function homeInside(server: ServerSoftware = 'prosody'): Organization {
  return { domain: 'coluc.com', server, profile: 'dbtls', users: ['alice'], behind: 'fedway', by: 's2s' };
}

/** A partner without chat rooms in its DNS, by the name of its domain. */
export function partner(
  domain: string,
  server: ServerSoftware,
  profile: Organization['profile'],
  certificate?: CertificateKind,
): Organization {
  return { domain, server, profile, users: ['bob'], ...(certificate === undefined ? {} : { certificate }) };
}
