import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { HERE, type Place } from './place.ts';

/** While this port of a block's last address is bound, the block is taken: the kernel gives it back even if we are killed. */
const CLAIM_PORT = 5333;

/** A /24 of the loopback network that belongs to one lab: every server gets an address of its own, and the well-known ports on it. */
export interface AddressBlock {
  /** For example `127.77.3`. */
  readonly prefix: string;
  /** The address that ends in `host` (1 to 253). */
  address(host: number): string;
  release(): Promise<void>;
}

/**
 * Takes a block nobody else on this machine uses. `preferred` is tried first, then blocks by chance in 127.64.0.0/10.
 *
 * Throws when something listens on port 5269 of every address, which no choice of a block can avoid.
 */
export async function claimAddresses(preferred?: string): Promise<AddressBlock> {
  const candidates = preferred === undefined ? [] : [preferred];
  for (let n = 0; n < 50; n++) candidates.push(`127.${64 + random(64)}.${random(256)}`);
  for (const prefix of candidates) {
    const claim = await bind(`${prefix}.254`, CLAIM_PORT);
    if (typeof claim === 'string') continue;
    const probe = await bind(`${prefix}.253`, 5269);
    if (typeof probe === 'string') {
      claim.close();
      throw new Error(
        `port 5269 cannot be bound on ${prefix}.253 (${probe}): a server that listens on all addresses is running here. ` +
          'Stop it, or run the lab on another machine or in a container.',
      );
    }
    await closed(probe);
    return { prefix, address: (host) => `${prefix}.${host}`, release: async () => closed(claim) };
  }
  throw new Error('no free block of loopback addresses was found in 127.64.0.0/10');
}

/** Throws unless nothing listens on this address and port. Elsewhere than here nothing is asked: such a place is made for the lab alone. */
export async function assertFree(address: string, port: number, place: Place = HERE): Promise<void> {
  if (place !== HERE) return;
  const probe = await bind(address, port);
  if (typeof probe === 'string')
    throw new Error(`${address}:${port} cannot be bound: ${probe}${portAdvice(port, probe)}`);
  await closed(probe);
}

/** Resolves when something accepts TCP connections there; `stillAlive` is asked between tries and throws when waiting is pointless. */
export async function waitForPort(
  address: string,
  port: number,
  milliseconds: number,
  stillAlive: () => void,
  place: Place = HERE,
): Promise<void> {
  const deadline = performance.now() + milliseconds;
  for (;;) {
    stillAlive();
    if (await accepts(place, address, port)) return;
    if (performance.now() > deadline) {
      throw new Error(`nothing listens on ${address}:${port} after ${Math.round(milliseconds / 1000)} seconds`);
    }
    await pause(60);
  }
}

/** What somebody without root needs in order to use this port; an empty string when that is not the matter. */
export function portAdvice(port: number, reason: string): string {
  if (port >= 1024 || !reason.includes('EACCES')) return '';
  return (
    `. Ports below 1024 need root, or once: sudo sysctl net.ipv4.ip_unprivileged_port_start=${port} ` +
    '(the C library that ejabberd resolves names with asks port 53 and no other)'
  );
}

async function accepts(place: Place, address: string, port: number): Promise<boolean> {
  try {
    const socket = await place.connect(port, address);
    socket.destroy();
    return true;
  } catch {
    return false;
  }
}

/** A listening server, or the reason why there is none. */
async function bind(address: string, port: number): Promise<net.Server | string> {
  const server = net.createServer();
  try {
    const listening = once(server, 'listening');
    server.listen({ host: address, port, exclusive: true });
    await listening;
    server.unref();
    return server;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function closed(server: net.Server): Promise<void> {
  const done = once(server, 'close');
  server.close();
  await done;
}

function random(below: number): number {
  return Math.floor(Math.random() * below);
}
