import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contains, networks, specialAddress } from './address.ts';

describe('specialAddress', () => {
  test.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.255.255', 'loopback'],
    ['0.0.0.0', 'unspecified'],
    ['10.1.2.3', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.0.1', 'private'],
    ['100.64.0.1', 'private'],
    ['169.254.169.254', 'link-local'],
    ['224.0.0.251', 'multicast'],
    ['192.0.2.1', 'documentation'],
    ['198.51.100.1', 'documentation'],
    ['203.0.113.1', 'documentation'],
    ['255.255.255.255', 'reserved'],
    ['198.18.0.1', 'reserved'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['fd00::1', 'private'],
    ['fec0::1', 'private'],
    ['fe80::1', 'link-local'],
    ['ff02::fb', 'multicast'],
    ['2001:db8::1', 'documentation'],
    ['3fff::1', 'documentation'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
    ['::ffff:a00:1', 'private'],
    ['::7f00:1', 'transition'],
    ['64:ff9b::7f00:1', 'transition'],
    ['2002:7f00:1::', 'transition'],
    ['2001::1', 'transition'],
    ['2001:20::1', 'reserved'],
    ['4000::1', 'reserved'],
    ['100::1', 'reserved'],
  ])('N-38: %s is %s', (address, kind) => {
    expect(specialAddress(address)).toBe(kind);
  });

  test.each(['8.8.8.8', '172.32.0.1', '11.0.0.1', '2a00:1450::1', '2620:fe::fe', '::ffff:8.8.8.8'])(
    'N-38: %s is public',
    (address) => {
      expect(specialAddress(address)).toBeUndefined();
    },
  );

  test('N-38: an IPv4-mapped address is never treated better or worse than the address it maps', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(specialAddress(`::ffff:${address}`)).toBe(specialAddress(address));
      }),
    );
  });

  test('N-38: total on all IPv6 addresses; outside 2000::/3 and the mapped ones nothing is public', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const inPublicUse = contains(networks(['2000::/3', '::ffff:0:0/96']), address);
        expect(specialAddress(address) !== undefined || inPublicUse).toBe(true);
      }),
    );
  });
});

describe('networks', () => {
  test('take networks and single addresses of both families', () => {
    const set = networks(['127.0.0.0/8', '192.0.2.7', '2001:db8::/32']);
    expect(contains(set, '127.9.9.9')).toBe(true);
    expect(contains(set, '::ffff:127.9.9.9')).toBe(true);
    expect(contains(set, '192.0.2.7')).toBe(true);
    expect(contains(set, '192.0.2.8')).toBe(false);
    expect(contains(set, '2001:db8:1::1')).toBe(true);
    expect(contains(networks(['::/0']), '192.0.2.7')).toBe(false);
    expect(contains(networks(['0.0.0.0/0']), '2001:db8::1')).toBe(false);
  });

  test.each(['', 'vngtp.lab', '127.0.0.1/33', '::/129', '127.0.0.0/', '127.0.0.0/8/8', '127.0.0.0/x', '300.0.0.1'])(
    '%j is refused',
    (cidr) => {
      expect(() => networks([cidr])).toThrow(`not a network: ${cidr}`);
    },
  );
});
