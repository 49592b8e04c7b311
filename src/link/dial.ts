import { isIP, type Socket } from 'node:net';
import { race } from '../net/dial/race.ts';
import { hostPort } from '../net/dns/records.ts';
import { type LinkAddress, writeAddress } from './token.ts';

/** Milliseconds from one address to the next (RFC 8305 §5). */
const STAGGER_MS = 250;

/** The addresses of a host name; rejects, or gives none, when there are none. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** A connection to an Edge, paused; or why there is none, naming what was tried. */
export type LinkDialed = { readonly socket: Socket; readonly peer: string } | { readonly failed: string };

/**
 * Connects to an Edge: the places it was paired with in turn, the addresses of one place racing.
 *
 * @throws the signal's reason once it is aborted
 */
export async function dialEdge(
  places: readonly LinkAddress[],
  options: {
    readonly resolve: Resolve;
    readonly dialFrom: readonly string[];
    readonly connectTimeout: number;
    readonly signal: AbortSignal;
  },
): Promise<LinkDialed> {
  const failures: string[] = [];
  for (const place of places) {
    const found = await addressesOf(place, options.resolve);
    options.signal.throwIfAborted();
    if ('failed' in found) {
      failures.push(found.failed);
      continue;
    }
    const finish = await race(found.addresses, {
      port: place.port,
      dialFrom: options.dialFrom,
      timeout: options.connectTimeout,
      stagger: STAGGER_MS,
      signal: options.signal,
      onAttempt: () => undefined,
      onFailure: (_peer, detail) => failures.push(detail),
    });
    if (finish.socket !== undefined) return { socket: finish.socket, peer: hostPort(finish.address, place.port) };
  }
  return { failed: failures.slice(0, 4).join('; ') };
}

async function addressesOf(
  place: LinkAddress,
  resolve: Resolve,
): Promise<{ readonly addresses: readonly string[] } | { readonly failed: string }> {
  if (isIP(place.host) !== 0) return { addresses: [place.host] };
  try {
    const addresses = await resolve(place.host);
    if (addresses.length > 0) return { addresses };
    return { failed: `${writeAddress(place)}: the name has no address` };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { failed: `${writeAddress(place)}: the name cannot be looked up: ${detail}` };
  }
}
