import { isIP, isIPv4, isIPv6 } from 'node:net';
import type { Parsed } from './measure.ts';
import { quote } from './problem.ts';

/** Where something listens or is reached. `host` is a name or an IP address; an IPv6 address has no brackets here. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** An IP network: `address` with all bits behind `prefix` zero. */
export interface Network {
  readonly family: 4 | 6;
  readonly address: string;
  readonly prefix: number;
}

/** `host:port` as the boot file writes it. */
export function printEndpoint({ host, port }: Endpoint): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

export function printNetwork({ address, prefix }: Network): string {
  return `${address}/${prefix}`;
}

/** Which hosts an endpoint may have: only IP addresses, or names too. */
export type HostForm = 'address' | 'name or address';

/**
 * `"IPv4:port"`, `"[IPv6]:port"` and, where names are allowed, `"name:port"`.
 * `usualPort` is proposed when the port is missing.
 */
export function parseEndpoint(written: string, hosts: HostForm, usualPort: number): Parsed<Endpoint> {
  const shown = quote(written);
  if (!written.startsWith('[') && written.split(':').length > 2) return bareIpv6(written, usualPort);
  const [, bracketed, plain, portText] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/.exec(written) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || host === '') {
    return { reason: `${shown} has no host`, cure: `Write ${exampleEndpoint(hosts, usualPort)}.` };
  }
  if (bracketed !== undefined && !isIPv6(bracketed)) {
    return { reason: `${shown} has no IPv6 address in its brackets`, cure: 'Only IPv6 addresses stand in brackets.' };
  }
  if (bracketed === undefined && !isIPv4(host)) {
    const wrong = hostFault(host, hosts, usualPort);
    if (wrong !== undefined) return wrong;
  }
  if (portText === undefined) return { reason: `${shown} has no port`, cure: `Write "${written}:${usualPort}".` };
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0;
  if (port < 1 || port > 65_535) {
    return { reason: `${quote(portText)} is not a port`, cure: 'Ports are 1 to 65535.' };
  }
  return { value: Object.freeze({ host: bracketed === undefined ? host.toLowerCase() : canonical(host), port }) };
}

/** IPv6 without brackets, where nobody can tell the port from the last group; the usual port is a good guess. */
function bareIpv6(written: string, usualPort: number): Parsed<Endpoint> {
  const shown = quote(written);
  const withPort = written.endsWith(`:${usualPort}`) ? written.slice(0, -`:${usualPort}`.length) : written;
  const host = isIPv6(withPort) ? withPort : written;
  if (!isIPv6(host)) {
    const cure = `An IPv6 address stands in brackets: "[2001:db8::1]:${usualPort}".`;
    return { reason: `${shown} is not host:port`, cure };
  }
  return { reason: `${shown} is an IPv6 address without brackets`, cure: `Write "[${host}]:${usualPort}".` };
}

function exampleEndpoint(hosts: HostForm, port: number): string {
  return hosts === 'address' ? `"192.0.2.1:${port}"` : `"xmpp.example.org:${port}"`;
}

/** RFC 1123 §2.1, and `_` because names inside have it at times. A last label of digits is a broken IPv4 address. */
const HOST_NAME = /^(?=.{1,253}$)(?:(?!-)[a-z0-9_-]{1,63}(?<!-)\.)*(?!-)(?!\d+$)[a-z0-9_-]{1,63}(?<!-)\.?$/i;

function hostFault(host: string, hosts: HostForm, usualPort: number): Parsed<Endpoint> | undefined {
  const isName = HOST_NAME.test(host);
  if (hosts === 'name or address') {
    if (isName) return undefined;
    return {
      reason: `${quote(host)} is neither a host name nor an IP address`,
      cure: 'Names are letters, digits, hyphens and dots; write others as A-labels (xn--).',
    };
  }
  if (isName) {
    return {
      reason: `${quote(host)} is a name`,
      cure: `Only an IP address can stand here: ${exampleEndpoint('address', usualPort)}.`,
    };
  }
  return { reason: `${quote(host)} is not an IP address`, cure: `Write ${exampleEndpoint('address', usualPort)}.` };
}

/** An IPv4 or IPv6 address without a port. */
export function parseAddress(written: string): Parsed<string> {
  if (isIP(written) !== 0) return { value: canonical(written) };
  const unbracketed = /^\[(.*)\](?::\d+)?$/.exec(written)?.[1] ?? /^([\d.]+):\d+$/.exec(written)?.[1];
  if (unbracketed !== undefined && isIP(unbracketed) !== 0) {
    return {
      reason: `${quote(written)} is more than an address`,
      cure: `Write "${unbracketed}", without brackets and port.`,
    };
  }
  return {
    reason: `${quote(written)} is not an IP address`,
    cure: 'Write an address such as "192.0.2.1" or "2001:db8::1".',
  };
}

/** CIDR: `10.0.0.0/8`, `fd00::/8`; an address alone is a network of one. */
export function parseNetwork(written: string): Parsed<Network> {
  const [, addressText, prefixText] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(written) ?? [];
  const family = addressText === undefined || addressText.includes('%') ? 0 : isIP(addressText);
  if (addressText === undefined || (family !== 4 && family !== 6)) {
    return {
      reason: `${quote(written)} is not a network`,
      cure: 'Write it in CIDR form, such as "10.0.0.0/8" or "fd00::/8".',
    };
  }
  const bits = family === 4 ? 32 : 128;
  const prefix = prefixText === undefined ? bits : Number(prefixText);
  if (prefix > bits) {
    return {
      reason: `${quote(written)} has a prefix longer than its address`,
      cure: `IPv${family} prefixes are 0 to ${bits}.`,
    };
  }
  const mask = ((1n << BigInt(prefix)) - 1n) << BigInt(bits - prefix);
  const number = family === 4 ? number4(addressText) : number6(addressText);
  const base = family === 4 ? print4(number & mask) : print6(number & mask);
  if ((number & mask) !== number) {
    return {
      reason: `${quote(written)} has bits set behind its prefix`,
      cure: `Write "${base}/${prefix}" for the network, or "${addressText}" for the one address.`,
    };
  }
  return { value: Object.freeze({ family, address: base, prefix }) };
}

/** The one usual spelling (RFC 5952), so that equal addresses are equal texts; a zone is kept. */
function canonical(address: string): string {
  if (!isIPv6(address)) return address;
  const [bare = '', zone] = address.split('%');
  return zone === undefined ? print6(number6(bare)) : `${print6(number6(bare))}%${zone}`;
}

function number4(address: string): bigint {
  return address.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
}

function print4(number: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (number >> shift) & 255n).join('.');
}

function number6(address: string): bigint {
  const [head = '', tail] = address.split('::');
  const before = groups(head);
  const after = groups(tail ?? '');
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => 0n);
  return [...before, ...zeros, ...after].reduce((sum, group) => (sum << 16n) | group, 0n);
}

function groups(text: string): bigint[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [BigInt(`0x${group}`)];
    const number = number4(group);
    return [number >> 16n, number & 0xffffn];
  });
}

function print6(number: bigint): string {
  // The URL parser prints IPv6 by the rules of RFC 5952 §4.
  const parts = [112n, 96n, 80n, 64n, 48n, 32n, 16n, 0n].map((shift) => ((number >> shift) & 0xffffn).toString(16));
  return new URL(`http://[${parts.join(':')}]`).hostname.slice(1, -1);
}
