import { randomInt } from 'node:crypto';
import { isIP } from 'node:net';
import { type Domain, parseDomain, toAscii } from '../../protocol/jid/domain.ts';
import { isAscii } from '../../protocol/jid/idna.ts';
import type { NoteSink, NoteSubject } from '../../protocol/notes.ts';
import { contains, type Networks, networks, specialAddress } from './address.ts';
import { hostAddresses } from './both-families.ts';
import type { DnsClient } from './client.ts';
import { isDialable } from './ports.ts';
import { type DnsResult, hostPort, type SrvRecord } from './records.ts';
import { SERVICES, servicesOf } from './services.ts';
import { orderBySrv, type RandomUpTo } from './srv-order.ts';

/** RFC 6120 §3.2.2. */
const DEFAULT_PORT = 5269;
const NO_TLS = 'it is a server of direct TLS, and TLS is switched off for the domain';
/** What one run uses at most, however much DNS offers. */
const MOST = { targets: 32, addressesPerTarget: 16, addresses: 64 } as const;

/** One target of a domain, with addresses to try in this order. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** At least one. */
  readonly addresses: readonly string[];
  readonly method: 'SRV' | 'A/AAAA' | 'route';
  /** TLS comes first there, without STARTTLS (XEP-0368). */
  readonly directTls: boolean;
}

/**
 * Why a domain has no endpoint. `no-service`: DNS is clear about it, or points only to where we do not go; `dns`: nobody knows,
 * or the records are unusable, and it may be better later (RFC 6120 §3.2.1). `idna`: the name cannot be looked up at all.
 */
export interface NoEndpoint {
  readonly stage: 'idna' | 'dns' | 'no-service';
  readonly detail: string;
}

/** A host that a partner's rule names instead of DNS. */
export interface RouteTarget {
  /** A host name in A-labels, or an IP address. */
  readonly host: string;
  readonly port: number;
  /** TLS comes first there, without STARTTLS (XEP-0368). */
  readonly directTls: boolean;
}

/** What a run is for. */
export interface TargetsOptions {
  /** Aborted when the targets are not wanted any more. */
  readonly signal: AbortSignal;
  /** Goes with the notes. */
  readonly subject?: NoteSubject;
  /** Whether targets of direct TLS are of use: not where TLS is switched off. */
  readonly directTls: boolean;
}

export interface DomainResolverOptions {
  readonly dns: Pick<DnsClient, 'lookup'>;
  readonly notes: NoteSink;
  /** The static route of a domain, in the order to be tried; it replaces DNS entirely. */
  readonly route?: (domain: Domain) => readonly RouteTarget[] | undefined;
  /** Networks (CIDR) of private, loopback and other special addresses that names may point to nevertheless. */
  readonly allowAddresses?: readonly string[];
  /** Whether that is one of our own listeners; names that point there are not followed. */
  readonly isOwnListener?: (address: string, port: number) => boolean;
  readonly random?: RandomUpTo;
  /** Milliseconds that one address family waits for the other (RFC 8305 §3). */
  readonly patience?: number;
}

/** A host and port to try; `trusted` when an administrator wrote it down. */
interface Candidate extends RouteTarget {
  readonly trusted: boolean;
}

interface Candidates {
  readonly method: Endpoint['method'];
  readonly hosts: readonly Candidate[];
  /** What DNS offered and is not used. */
  readonly skipped: readonly Skipped[];
}

interface Skipped {
  readonly address: string;
  readonly detail: string;
  /** It was our decision, and will be the same next time. */
  readonly refused: boolean;
}

/** Finds the servers of a domain (RFC 6120 §3.2, XEP-0368 §3): static route, SRV records of both services, the domain itself. */
export class DomainResolver {
  readonly #options: DomainResolverOptions;
  readonly #allowed: Networks;
  readonly #random: RandomUpTo;

  constructor(options: DomainResolverOptions) {
    this.#options = options;
    this.#allowed = networks(options.allowAddresses ?? []);
    this.#random = options.random ?? ((max) => randomInt(max + 1));
  }

  /**
   * The endpoints of a domain in the order they are to be tried. Lazy: the addresses of a target are looked up when it is asked
   * for. A target whose address families answer at very different times appears twice, with different addresses.
   *
   * The notes are lookup-started for each service, lookup-finished (with the first endpoint), lookup-failed, and a connect-failed for
   * each target or address that is skipped.
   *
   * @returns why there was no endpoint, `undefined` after at least one
   * @throws the signal's reason once it is aborted; no question and no timer is then left
   */
  async *targets(
    domain: Domain,
    { signal, subject = {}, directTls }: TargetsOptions,
  ): AsyncGenerator<Endpoint, NoEndpoint | undefined> {
    const { notes } = this.#options;
    const started = performance.now();
    const candidates = await this.#candidates(domain, signal, subject);
    const srvSeconds = (performance.now() - started) / 1000;
    if ('stage' in candidates) {
      notes({ note: 'lookup-failed', domain, ...candidates }, subject);
      return candidates;
    }

    const skipped: Skipped[] = [];
    const skip = (one: Skipped): void => {
      skipped.push(one);
      notes({ note: 'connect-failed', address: one.address, detail: one.detail }, subject);
    };
    for (const one of candidates.skipped) skip(one);

    let found = false;
    let budget: number = MOST.addresses;
    const hosts = candidates.hosts.filter((one) => {
      const isOfUse = directTls || !one.directTls;
      if (!isOfUse) skip({ address: hostPort(one.host, one.port), detail: NO_TLS, refused: true });
      return isOfUse;
    });
    for (const candidate of hosts) {
      let room = Math.min(MOST.addressesPerTarget, budget);
      for await (const { addresses, problem } of this.#addresses(candidate, signal)) {
        if (problem !== undefined) {
          const address = hostPort(candidate.host, candidate.port);
          skip({
            address,
            detail: problem.detail,
            refused: problem.kind === 'nothing' && candidates.method === 'A/AAAA',
          });
        }
        const considered = addresses.slice(0, room);
        room -= considered.length;
        budget -= considered.length;
        const usable = considered.filter((address) => this.#admits(address, candidate, skip));
        if (usable.length === 0) continue;
        if (!found) {
          found = true;
          const targets = hosts.map((one) => ({ address: hostPort(one.host, one.port), directTls: one.directTls }));
          const seconds = { total: (performance.now() - started) / 1000, srv: srvSeconds };
          notes({ note: 'lookup-finished', domain, method: candidates.method, targets, seconds }, subject);
        }
        const { host, port } = candidate;
        yield { host, port, addresses: usable, method: candidates.method, directTls: candidate.directTls };
      }
      if (budget <= 0) break;
    }
    if (found) return undefined;

    const stage = skipped.every((one) => one.refused) ? 'no-service' : 'dns';
    const failure = { stage, detail: summary(skipped) } as const;
    notes({ note: 'lookup-failed', domain, ...failure }, subject);
    return failure;
  }

  async #candidates(domain: Domain, signal: AbortSignal, subject: NoteSubject): Promise<Candidates | NoEndpoint> {
    signal.throwIfAborted();
    const route = this.#options.route?.(domain);
    if (route?.length === 0) return { stage: 'no-service', detail: `no address is configured for ${domain}` };
    if (route !== undefined) {
      return { method: 'route', hosts: route.map((target) => ({ ...target, trusted: true })), skipped: [] };
    }

    const ascii = toAscii(domain);
    const ask = (service: string): Promise<DnsResult<SrvRecord>> => {
      this.#options.notes({ note: 'lookup-started', domain, ascii, service }, subject);
      return this.#options.dns.lookup(`${service}.${ascii}`, 'SRV', signal);
    };
    const services = servicesOf(...(await Promise.all([ask(SERVICES.startTls), ask(SERVICES.directTls)])));
    if (services === 'declined') {
      return { stage: 'no-service', detail: `${ascii} declares in DNS that it has no XMPP service (SRV target ".")` };
    }
    if (services === 'nothing') {
      const itself = { host: ascii, port: DEFAULT_PORT, directTls: false, trusted: false };
      return { method: 'A/AAAA', hosts: [itself], skipped: [] };
    }
    if ('failed' in services) return { stage: 'dns', detail: services.failed };
    const { records, unknown } = services;
    const skipped: Skipped[] = [];
    if (unknown !== undefined)
      skipped.push({ address: `${unknown.service}.${ascii}`, detail: unknown.why, refused: false });
    const usable = records.filter((record) => {
      const problem = srvProblem(record);
      if (problem !== undefined) skipped.push({ ...problem, address: `${printable(record.target)}:${record.port}` });
      return problem === undefined;
    });
    const hosts = orderBySrv(usable, this.#random, MOST.targets).map(({ target, port, directTls }) => ({
      host: target,
      port,
      directTls,
      trusted: false,
    }));
    return { method: 'SRV', hosts, skipped: skipped.slice(0, MOST.targets) };
  }

  #addresses(candidate: Candidate, signal: AbortSignal): ReturnType<typeof hostAddresses> {
    return hostAddresses(this.#options.dns, candidate.host, this.#options.patience ?? 50, signal);
  }

  /** Whether an address may be connected to: an attacker's DNS must not lead us into our own network (RFC 6120 §13.12). */
  #admits(address: string, { host, port, trusted }: Candidate, skip: (one: Skipped) => void): boolean {
    if (trusted) return true;
    const refuse = (reason: string): boolean => {
      skip({ address: hostPort(address, port), detail: `${host} points to ${address}, ${reason}`, refused: true });
      return false;
    };
    const special = specialAddress(address);
    if (special !== undefined && !contains(this.#allowed, address)) {
      return refuse(`a ${special} address that resolver.allow_addresses does not list`);
    }
    if (this.#options.isOwnListener?.(address, port) === true) return refuse('which is fedway itself');
    return true;
  }
}

function srvProblem({ target, port }: SrvRecord): Pick<Skipped, 'detail' | 'refused'> | undefined {
  if (isIP(target) !== 0 || !isAscii(target) || parseDomain(target) === undefined) {
    return { detail: `the SRV record's target ${printable(target)} is no host name`, refused: false };
  }
  if (port === 0) return { detail: `the SRV record for ${target} has port 0`, refused: false };
  if (!isDialable(port)) return { detail: `port ${port} of ${target} belongs to another protocol`, refused: true };
  return undefined;
}

/** A name as somebody else's server wrote it, fit for a log line. */
function printable(name: string): string {
  return name === '' ? '.' : name.replaceAll(/[^!-~]/g, '?');
}

/** The reasons, each once; many of them are counted. */
function summary(skipped: readonly Skipped[]): string {
  const details = [...new Set(skipped.map((one) => one.detail))];
  const more = details.length - 3;
  return details.slice(0, 3).join('; ') + (more > 0 ? `; and ${more} more` : '');
}
