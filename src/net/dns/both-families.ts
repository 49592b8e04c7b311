import { isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { DnsClient } from './client.ts';
import type { DnsResult } from './records.ts';

/** What is known of a host's addresses so far. */
export interface HostAddresses {
  /** IPv6 first, the families taking turns (RFC 8305 §4). */
  readonly addresses: readonly string[];
  /** Why there are none, in words; `nothing` when DNS says so, `failed` when nobody knows. */
  readonly problem?: { readonly kind: 'nothing' | 'failed'; readonly detail: string };
}

/**
 * Asks for the IPv6 and IPv4 addresses of a host at once (RFC 8305 §3).
 *
 * Once one family has answered with addresses, the other has `patience` milliseconds; after that the first is handed out alone
 * and the second when it comes, as a second value. So a server that never answers AAAA questions delays nobody, and no
 * address is lost. Without any address there is one value, with the problem.
 */
export async function* hostAddresses(
  dns: Pick<DnsClient, 'lookup'>,
  host: string,
  patience: number,
  signal: AbortSignal,
): AsyncGenerator<HostAddresses, void> {
  if (isIP(host) !== 0) {
    yield { addresses: [host] };
    return;
  }
  // Whoever stops early leaves no question behind.
  const stop = new AbortController();
  const passOn = (): void => stop.abort(signal.reason);
  signal.addEventListener('abort', passOn);
  try {
    signal.throwIfAborted();
    const asked = (['AAAA', 'A'] as const).map((type) => dns.lookup(host, type, stop.signal));
    // Both are awaited below; a rejection of the one after an abort of the other is nobody's.
    for (const answer of asked) answer.catch(() => undefined);

    const first = await Promise.race(asked);
    const all = Promise.all(asked);
    all.catch(() => undefined);
    const both = 'records' in first ? await within(all, patience, stop.signal) : await all;
    if (both !== undefined) {
      yield combined(host, both);
      return;
    }
    yield combined(host, [first]);
    const late = (await all).filter((answer) => answer !== first);
    if (late.some((answer) => 'records' in answer)) yield combined(host, late);
  } finally {
    signal.removeEventListener('abort', passOn);
    stop.abort();
  }
}

/** The value of a promise, `undefined` when it takes longer. */
async function within<T>(promise: Promise<T>, milliseconds: number, signal: AbortSignal): Promise<T | undefined> {
  const timer = new AbortController();
  const abort = (): void => timer.abort();
  signal.addEventListener('abort', abort);
  const late = delay(milliseconds, undefined, { signal: timer.signal }).catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    signal.removeEventListener('abort', abort);
    timer.abort();
  }
}

function combined(host: string, results: readonly DnsResult<string>[]): HostAddresses {
  const families = results.map((result) => ('records' in result ? result.records : []));
  const addresses: string[] = [];
  for (let turn = 0; families.some((family) => turn < family.length); turn++) {
    for (const family of families) {
      const address = family[turn];
      if (address !== undefined) addresses.push(address);
    }
  }
  if (addresses.length > 0) return { addresses };
  for (const result of results) {
    if ('failed' in result) return { addresses, problem: { kind: 'failed', detail: result.failed } };
  }
  const missing = results.some((result) => 'none' in result && result.none === 'nxdomain');
  const detail = missing ? `${host} does not exist in DNS` : `${host} has no address in DNS`;
  return { addresses, problem: { kind: 'nothing', detail } };
}
