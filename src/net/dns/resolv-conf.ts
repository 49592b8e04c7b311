import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { DnsServer } from './records.ts';

/**
 * The servers of `/etc/resolv.conf`, in their order; as resolv.conf(5) says, the one on this machine when the file is missing or
 * names none.
 */
export function systemServers(path = '/etc/resolv.conf'): readonly DnsServer[] {
  const servers = parseResolvConf(read(path));
  return servers.length > 0 ? servers : [{ address: '127.0.0.1', port: 53 }];
}

/** The `nameserver` lines of a resolv.conf(5); lines that name no address are passed over, as by the C library. */
export function parseResolvConf(text: string): readonly DnsServer[] {
  return text
    .split('\n')
    .map((line) => /^nameserver\s+(\S+)/.exec(line)?.[1])
    .filter((address) => address !== undefined && isIP(address) !== 0)
    .map((address) => ({ address: address ?? '', port: 53 }));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
