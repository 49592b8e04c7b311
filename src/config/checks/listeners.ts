import { isIPv4 } from 'node:net';
import { type Endpoint, printEndpoint } from '../address.ts';
import type { BootFile } from '../boot-schema.ts';
import { quote } from '../problem.ts';
import type { Reading } from '../schema/place.ts';
import { type Draft, present } from './draft.ts';

/** An address that fedway takes connections on. */
export interface Listener {
  readonly key: string;
  readonly value: Endpoint;
}

export function listenersOf(boot: Draft<BootFile>): readonly Listener[] {
  return [
    ...present('link.listen', boot.link?.listen),
    ...present('s2s.listen', boot.s2s?.listen),
    ...present('s2s.tls_listen', boot.s2s?.tlsListen),
    ...present('inside.listen', boot.inside?.listen),
    ...present('inside.component_listen', boot.inside?.componentListen),
    ...present('dns.listen', boot.dns?.listen),
  ];
}

/** `0.0.0.0` or `::`: every address of the family. */
export function isEvery(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** Whether a connection to `target` would arrive at this very listener. */
export function isSame(listener: Endpoint, target: Endpoint): boolean {
  return listener.host === target.host && listener.port === target.port;
}

/** The listeners and local addresses: what the operating system would refuse, and what stands open. */
export function checkListeners(boot: Draft<BootFile>, reading: Reading): void {
  checkCollisions(listenersOf(boot), reading);
  checkDialFrom('link.dial_from', boot.link?.dialFrom, reading);
  checkDialFrom('s2s.dial_from', boot.s2s?.dialFrom, reading);
  checkDialFrom('inside.dial_from', boot.inside?.dialFrom, reading);
  checkOpenInside(boot, reading);
  checkInsideCertificate(boot, reading);
}

/** Two listeners cannot have one address. */
export function checkCollisions(listeners: readonly Listener[], reading: Reading): void {
  for (const [index, { key, value }] of listeners.entries()) {
    const other = listeners.slice(0, index).find((earlier) => collide(earlier.value, value));
    if (other !== undefined) refuseCollision(key, value, other, reading);
  }
}

/** The families are apart: a listener on `::` leaves IPv4 alone. DNS takes TCP too, so protocols do not keep listeners apart. */
function collide(a: Endpoint, b: Endpoint): boolean {
  if (a.port !== b.port || isIPv4(a.host) !== isIPv4(b.host)) return false;
  return a.host === b.host || isEvery(a.host) || isEvery(b.host);
}

function refuseCollision(key: string, value: Endpoint, other: Listener, reading: Reading): void {
  const shown = quote(printEndpoint(value));
  const where = `${other.key} (line ${reading.positionOf(other.key).line})`;
  if (isSame(other.value, value)) {
    return reading.error(
      key,
      `${shown} is already taken by ${where}`,
      'Give each listener an address or a port of its own.',
    );
  }
  const family = isIPv4(value.host) ? 'IPv4' : 'IPv6';
  const [wide, narrow] = isEvery(value.host) ? [key, other.key] : [other.key, key];
  return reading.error(
    key,
    `${shown} collides with ${where}: ${wide} takes port ${value.port} on every ${family} address`,
    `Name the addresses in ${wide.replace(/\[\d+\]$/, '')} one by one, or give ${narrow} another port.`,
  );
}

function checkDialFrom(key: string, addresses: readonly (string | undefined)[] | undefined, reading: Reading): void {
  const seen = new Map<boolean, string>();
  for (const { key: itemKey, value } of present(key, addresses)) {
    const first = seen.get(isIPv4(value));
    if (first !== undefined) {
      const family = isIPv4(value) ? 'IPv4' : 'IPv6';
      reading.error(itemKey, `a second ${family} address beside ${quote(first)}`, 'Keep at most one per family.');
    }
    seen.set(isIPv4(value), value);
  }
}

function checkOpenInside(boot: Draft<BootFile>, reading: Reading): void {
  const { inside } = boot;
  if (inside === undefined || inside.allowFrom === undefined || inside.allowFrom.length > 0) return;
  const listeners = [
    ...present('inside.listen', inside.listen),
    ...present('inside.component_listen', inside.componentListen),
  ];
  for (const { key, value } of listeners) {
    if (!isEvery(value.host)) continue;
    reading.warn(
      key,
      `${quote(printEndpoint(value))} is every address, and inside.allow_from is empty: the world may come in by the door of the servers inside`,
      'Listen on the inside address only, or list the networks of the servers inside in inside.allow_from.',
    );
  }
}

function checkInsideCertificate({ inside }: Draft<BootFile>, reading: Reading): void {
  if (inside === undefined) return;
  const alone = (have: string, miss: string, cure: string): void =>
    reading.error(`inside.${have}`, `stands without inside.${miss}`, cure);
  const written = { certificate: reading.isWritten('inside.certificate'), key: reading.isWritten('inside.key') };
  if (written.certificate && !written.key)
    alone('certificate', 'key', 'Write the file of its private key: "key: inside.key".');
  if (written.key && !written.certificate)
    alone('key', 'certificate', 'Write the file of the chain: "certificate: inside.pem".');
}
