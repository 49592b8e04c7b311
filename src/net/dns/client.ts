import { isIPv4 } from 'node:net';
import { DnsCache } from './cache.ts';
import { askServer } from './exchange.ts';
import { type DnsMessage, type Question, RCODE, rcodeName } from './message.ts';
import { type DnsRecords, type DnsResult, type DnsServer, hostPort, type RecordType } from './records.ts';
import { waitFor } from './wait.ts';

/** Aliases that are followed before a name is given up (RFC 1034 §3.6.2 sets no number). */
const LONGEST_ALIAS_CHAIN = 8;

export interface DnsClientOptions {
  /** Asked in this order, one after the other; at least one. */
  readonly servers: readonly DnsServer[];
  /** Milliseconds for one query. */
  readonly timeout: number;
  /** Queries for one question before it has failed; with several servers each attempt goes to the next one. */
  readonly attempts: number;
  /** Results remembered at most. */
  readonly cacheSize?: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

/** The result of a question and how long its absence may be remembered, in seconds. */
interface Finding<R> {
  readonly result: DnsResult<R>;
  readonly absence: number;
}

interface Flight {
  readonly controller: AbortController;
  readonly result: Promise<DnsResult<unknown>>;
  waiting: number;
}

/**
 * A stub resolver: asks recursive servers, follows aliases, remembers answers. Questions for the same name and type that are open
 * at the same time are one (single flight).
 */
export class DnsClient {
  readonly #servers: readonly DnsServer[];
  readonly #timeout: number;
  readonly #attempts: number;
  readonly #cache: DnsCache;
  readonly #flights = new Map<string, Flight>();

  constructor(options: DnsClientOptions) {
    if (options.servers.length === 0) throw new TypeError('a DNS client needs at least one server');
    this.#servers = options.servers;
    this.#timeout = options.timeout;
    this.#attempts = options.attempts;
    this.#cache = new DnsCache(options.cacheSize ?? 10_000, options.now ?? (() => performance.now()));
  }

  /**
   * @param name absolute, in A-labels, with or without a final dot; no search list is applied
   * @throws the signal's reason once it is aborted, nothing else; the query ends with the last caller that waits for it
   */
  async lookup<T extends RecordType>(name: string, type: T, signal: AbortSignal): Promise<DnsResult<DnsRecords[T]>> {
    signal.throwIfAborted();
    const question = { name: name.toLowerCase().replace(/\.$/, ''), type };
    // A name that DNS cannot carry (RFC 1035 §2.3.4) does not exist.
    if (!isCarriable(question.name)) return { none: 'nxdomain' };

    const key = `${type} ${question.name}`;
    const known = this.#cache.get(key) as DnsResult<DnsRecords[T]> | undefined;
    if (known !== undefined) return known;

    const flight = this.#flights.get(key) ?? this.#start(key, question);
    flight.waiting++;
    try {
      return (await waitFor(flight.result, signal)) as DnsResult<DnsRecords[T]>;
    } finally {
      flight.waiting--;
      if (flight.waiting === 0) {
        if (this.#flights.get(key) === flight) this.#flights.delete(key);
        flight.controller.abort();
      }
    }
  }

  #start(key: string, question: Question): Flight {
    const controller = new AbortController();
    const result = this.#resolve(question, controller.signal).then((finding) => {
      this.#cache.put(key, finding.result, finding.absence);
      return finding.result;
    });
    const flight: Flight = { controller, result, waiting: 0 };
    this.#flights.set(key, flight);
    return flight;
  }

  /** Follows aliases, in an answer and from answer to answer. */
  async #resolve(question: Question, signal: AbortSignal): Promise<Finding<unknown>> {
    let name = question.name;
    let ttl = Number.POSITIVE_INFINITY;
    let authenticated = true;
    for (let hops = 0; ; ) {
      const reply = await this.#ask({ name, type: question.type }, signal);
      if ('failed' in reply) return { result: reply, absence: 0 };
      const { message, server } = reply;
      authenticated &&= message.authenticated && isLoopback(server);

      const asked = name;
      let alias = aliasOf(message, name);
      while (alias !== undefined) {
        if (++hops > LONGEST_ALIAS_CHAIN) {
          const failed = `more than ${LONGEST_ALIAS_CHAIN} aliases from ${question.name} on`;
          return { result: { failed }, absence: 0 };
        }
        ttl = Math.min(ttl, alias.ttl);
        name = alias.target;
        alias = aliasOf(message, name);
      }

      const found = message.answers.filter((answer) => answer.type === question.type && answer.name === name);
      if (found.length > 0) {
        ttl = found.reduce((least, answer) => Math.min(least, answer.ttl), ttl);
        return { result: { records: distinct(found.map(dataOf)), ttl, authenticated }, absence: 0 };
      }
      // An alias without what it stands for, from a server that does not know the other zone.
      const unfinished = name !== asked && message.rcode === RCODE.noError && message.negativeTtl === undefined;
      if (!unfinished) {
        const none = message.rcode === RCODE.nxDomain ? 'nxdomain' : 'nodata';
        return { result: { none }, absence: Math.min(ttl, message.negativeTtl ?? 0) };
      }
    }
  }

  /** One question, until a server knows: NOERROR and NXDOMAIN are answers, everything else is not (RFC 2308 §7). */
  async #ask(
    question: Question,
    signal: AbortSignal,
  ): Promise<{ readonly message: DnsMessage; readonly server: DnsServer } | { readonly failed: string }> {
    const failures = new Set<string>();
    for (let attempt = 0; attempt < this.#attempts; attempt++) {
      const server = this.#servers[attempt % this.#servers.length];
      if (server === undefined) break;
      const reply = await askServer(server, question, this.#timeout, signal);
      if ('failed' in reply) {
        failures.add(reply.failed);
      } else if (reply.message.rcode === RCODE.noError || reply.message.rcode === RCODE.nxDomain) {
        return { message: reply.message, server };
      } else {
        failures.add(`${rcodeName(reply.message.rcode)} from ${hostPort(server.address, server.port)}`);
      }
    }
    return { failed: `${question.type} ${question.name}: ${[...failures].join('; ')}` };
  }
}

function aliasOf(message: DnsMessage, name: string): { readonly target: string; readonly ttl: number } | undefined {
  for (const answer of message.answers) {
    if (answer.type === 'CNAME' && answer.name === name) return answer;
  }
  return undefined;
}

function dataOf(answer: DnsMessage['answers'][number]): unknown {
  return answer.type === 'CNAME' ? answer.target : answer.data;
}

function distinct(records: readonly unknown[]): readonly unknown[] {
  return [...new Map(records.map((record) => [JSON.stringify(record), record])).values()];
}

function isCarriable(name: string): boolean {
  return name.length <= 253 && name.split('.').every((label) => label.length > 0 && Buffer.byteLength(label) <= 63);
}

function isLoopback(server: DnsServer): boolean {
  return isIPv4(server.address) ? server.address.startsWith('127.') : server.address === '::1';
}
