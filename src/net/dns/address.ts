import { BlockList, isIP } from 'node:net';

/** What an address is, when it is not a public one (IANA's special-purpose address registries, RFC 6890). */
export type SpecialAddress =
  | 'unspecified'
  | 'loopback'
  | 'private'
  | 'link-local'
  | 'multicast'
  | 'documentation'
  | 'reserved'
  /** An IPv4 address inside an IPv6 address, by a mechanism of transition; where it leads depends on the network. */
  | 'transition';

const SPECIAL: readonly (readonly [SpecialAddress, readonly string[]])[] = [
  ['unspecified', ['0.0.0.0/8', '::/128']],
  ['loopback', ['127.0.0.0/8', '::1/128']],
  // RFC 1918, RFC 6598 (shared by carriers), RFC 4193, RFC 3879 (site-local, deprecated).
  ['private', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fec0::/10']],
  ['link-local', ['169.254.0.0/16', 'fe80::/10']],
  ['multicast', ['224.0.0.0/4', 'ff00::/8']],
  ['documentation', ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '2001:db8::/32', '3fff::/20']],
  // IPv4-compatible, NAT64 (RFC 6052, RFC 8215), Teredo, 6to4 and its relays.
  ['transition', ['::/96', '64:ff9b::/96', '64:ff9b:1::/48', '2001::/32', '2002::/16', '192.88.99.0/24']],
  ['reserved', ['192.0.0.0/24', '198.18.0.0/15', '240.0.0.0/4', '2001::/23', '5f00::/16']],
];

/** RFC 4291 §2.4: what IANA has given out for use in public. */
const GLOBAL_UNICAST = networks(['2000::/3']);

const MAPPED = networks(['::ffff:0:0/96']);

const SPECIAL_NETWORKS = SPECIAL.map(([kind, cidrs]) => [kind, networks(cidrs)] as const);

/**
 * @param address an IPv4 or IPv6 address; an IPv4-mapped one counts as the address it maps (RFC 4291 §2.5.5.2)
 * @returns `undefined` for an address of the public Internet
 */
export function specialAddress(address: string): SpecialAddress | undefined {
  for (const [kind, list] of SPECIAL_NETWORKS) {
    if (contains(list, address)) return kind;
  }
  const inPublicUse = isIP(address) === 4 || contains(MAPPED, address) || contains(GLOBAL_UNICAST, address);
  return inPublicUse ? undefined : 'reserved';
}

/** A set of networks, made by `networks`. */
export interface Networks {
  readonly ipv4: BlockList;
  readonly ipv6: BlockList;
}

/**
 * @param cidrs `192.0.2.0/24`, `2001:db8::/32`, or single addresses
 * @throws TypeError for a text that is neither
 */
export function networks(cidrs: readonly string[]): Networks {
  const set = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const cidr of cidrs) {
    const [address = '', length, ...more] = cidr.split('/');
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    const longest = family === 'ipv4' ? 32 : 128;
    const bits = Number(length ?? longest);
    if (isIP(address) === 0 || more.length > 0 || !/^\d+$/.test(length ?? '0') || bits > longest) {
      throw new TypeError(`not a network: ${cidr}`);
    }
    set[family].addSubnet(address, bits, family);
  }
  return set;
}

/** Whether an address belongs to one of the networks; IPv4-mapped addresses count as the address they map. */
export function contains(set: Networks, address: string): boolean {
  // A list of IPv6 networks would also take IPv4 addresses, as mapped ones: `::/0` means IPv6 only.
  if (isIP(address) === 4) return set.ipv4.check(address, 'ipv4');
  return set.ipv6.check(address, 'ipv6') || set.ipv4.check(address, 'ipv6');
}
