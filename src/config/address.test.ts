import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAddress, parseEndpoint, parseNetwork, printEndpoint, printNetwork } from './address.ts';

const ipv6 = fc.ipV6().filter((text) => !text.includes('%'));

describe('parseEndpoint', () => {
  test.each([
    ['192.0.2.1:5269', '192.0.2.1', 5269],
    ['[::]:5269', '::', 5269],
    ['[2001:DB8:0::1]:53', '2001:db8::1', 53],
    ['[fe80::1%eth0]:5269', 'fe80::1%eth0', 5269],
    ['XMPP.Example.org:5269', 'xmpp.example.org', 5269],
    ['localhost:1', 'localhost', 1],
    ['prosody_inside:65535', 'prosody_inside', 65_535],
  ])('%j is host %j, port %d', (written, host, port) => {
    expect(parseEndpoint(written, 'name or address', 5269)).toEqual({ value: { host, port } });
  });

  test.each(['localhost:5269', 'xmpp.example.org:5269'])('the name %j cannot be listened on', (written) => {
    expect(parseEndpoint(written, 'address', 5269)).toMatchObject({
      reason: expect.stringContaining('is a name') as string,
    });
  });

  test.each([
    ['::1', '"[::1]:5269"'],
    ['::1:5269', '"[::1]:5269"'],
    ['192.0.2.1', '"192.0.2.1:5269"'],
    ['xmpp.example.org', '"xmpp.example.org:5269"'],
  ])('for %j it proposes %s', (written, proposed) => {
    expect(parseEndpoint(written, 'name or address', 5269)).toMatchObject({ cure: `Write ${proposed}.` });
  });

  test.each([
    '',
    ':',
    ':5269',
    '[]:5269',
    'a b:1',
    '-a:1',
    'a..b:1',
    '1.2.3:5',
    '256.1.1.1:5',
    'a:0',
    'a:65536',
    'a:5269x',
    'a: 1',
    '[::1]5269',
    'http://a:1',
  ])('%j is refused', (written) => {
    expect(parseEndpoint(written, 'name or address', 5269)).toHaveProperty('cure');
  });

  test('what is printed is read as the same endpoint, and any text is read or refused without a throw', () => {
    const host = fc.oneof(fc.ipV4(), ipv6, fc.domain());
    fc.assert(
      fc.property(host, fc.integer({ min: 1, max: 65_535 }), (name, port) => {
        const first = parseEndpoint(name.includes(':') ? `[${name}]:${port}` : `${name}:${port}`, 'name or address', 1);
        expect(first).toHaveProperty('value');
        if (!('value' in first)) return;
        expect(parseEndpoint(printEndpoint(first.value), 'name or address', 1)).toEqual(first);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => typeof parseEndpoint(text, 'address', 1) === 'object'),
    );
  });
});

describe('parseAddress', () => {
  test('equal addresses become equal texts', () => {
    expect(parseAddress('2001:0DB8::0:1')).toEqual(parseAddress('2001:db8:0:0:0:0:0:1'));
  });

  test.each(['192.0.2.1:53', '[::1]', '[::1]:53'])('%j is proposed without brackets and port', (written) => {
    expect(parseAddress(written)).toMatchObject({
      cure: expect.stringContaining('without brackets and port') as string,
    });
  });

  test.each(['', 'example.org', '1.2.3', '01.2.3.4', '0x7f.1'])('%j is refused', (written) => {
    expect(parseAddress(written)).toHaveProperty('reason');
  });
});

describe('parseNetwork', () => {
  test.each([
    ['10.0.0.0/8', 4, '10.0.0.0', 8],
    ['0.0.0.0/0', 4, '0.0.0.0', 0],
    ['192.0.2.1', 4, '192.0.2.1', 32],
    ['FD00::/8', 6, 'fd00::', 8],
    ['::1', 6, '::1', 128],
    ['::/0', 6, '::', 0],
  ])('%j', (written, family, address, prefix) => {
    expect(parseNetwork(written)).toEqual({ value: { family, address, prefix } });
  });

  test.each([
    '',
    '/8',
    '10.0.0.0/',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.1/8',
    'fd00::1/64',
    'a/8',
    '10.0.0.0/08x',
    'fe80::1%eth0/64',
  ])('%j is refused', (written) => {
    expect(parseNetwork(written)).toHaveProperty('reason');
  });

  test('the network that is proposed for an address with bits behind the prefix holds that address', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), ipv6), fc.nat({ max: 128 }), (address, wanted) => {
        const family = address.includes(':') ? 6 : 4;
        const prefix = family === 4 ? wanted % 33 : wanted;
        const parsed = parseNetwork(`${address}/${prefix}`);
        const base = 'value' in parsed ? printNetwork(parsed.value) : (/^Write "([^"]+)"/.exec(parsed.cure)?.[1] ?? '');
        const [network = '', bits] = base.split('/');
        const list = new BlockList();
        list.addSubnet(network, Number(bits), family === 4 ? 'ipv4' : 'ipv6');
        expect(list.check(address, family === 4 ? 'ipv4' : 'ipv6')).toBe(true);
        expect(parseNetwork(base)).toHaveProperty('value');
      }),
    );
  });
});
