import { expect, test } from 'vitest';
import { parseResolvConf, systemServers } from './resolv-conf.ts';

test('nameserver lines are taken in their order; comments, options and names are passed over', () => {
  const text =
    '# nameserver 192.0.2.9\nsearch lab\nnameserver 192.0.2.1\nnameserver\t2001:db8::1 # second\nnameserver ns.lab\n';
  expect(parseResolvConf(text)).toEqual([
    { address: '192.0.2.1', port: 53 },
    { address: '2001:db8::1', port: 53 },
  ]);
});

test('without a file the server of this machine is asked', () => {
  expect(systemServers('/nowhere/resolv.conf')).toEqual([{ address: '127.0.0.1', port: 53 }]);
});

test('a file that cannot be read is not the same as no file', () => {
  expect(() => systemServers('/')).toThrow('EISDIR');
});
