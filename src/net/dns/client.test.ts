import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DnsDouble, type ScriptedReply, soa } from '../../../test/support/dns-double.ts';
import { DnsClient, type DnsClientOptions } from './client.ts';

const never = new AbortController().signal;
let dns: DnsDouble;
let clock: number;

beforeEach(async () => {
  dns = await DnsDouble.start();
  clock = 0;
});
afterEach(() => dns.close());

function client(options: Partial<DnsClientOptions> = {}): DnsClient {
  return new DnsClient({ servers: [dns.server], timeout: 100, attempts: 2, now: () => clock, ...options });
}

/** UDP sockets and timers that keep the process alive. */
function held(): string[] {
  return process.getActiveResourcesInfo().filter((kind) => /udp|timeout/i.test(kind));
}

/** A reply with one address and this TTL. */
function address(ttl: number): ScriptedReply {
  return { answers: [{ name: 'a.lab', type: 'A', ttl, data: '127.0.0.9' }] };
}

describe('answers', () => {
  test('records come with the least of their TTLs; names are compared without case', async () => {
    dns.srv('vngtp.lab', [10, 0, 5269, 'XMPP.vngtp.lab'], [20, 5, 5270, 'b.lab']);
    expect(await client().lookup('_xmpp-server._tcp.VNGTP.lab.', 'SRV', never)).toEqual({
      records: [
        { priority: 10, weight: 0, port: 5269, target: 'xmpp.vngtp.lab' },
        { priority: 20, weight: 5, port: 5270, target: 'b.lab' },
      ],
      ttl: 60,
      authenticated: false,
    });
  });

  test('no such name and no such record are told apart', async () => {
    dns.a('vngtp.lab', '127.0.0.9');
    expect(await client().lookup('other.lab', 'A', never)).toEqual({ none: 'nxdomain' });
    expect(await client().lookup('vngtp.lab', 'AAAA', never)).toEqual({ none: 'nodata' });
  });

  test('a name that DNS cannot carry does not exist, and is not asked for', async () => {
    const long = `${'a'.repeat(63)}.`.repeat(4);
    expect(await client().lookup(`_xmpp-server._tcp.${long}lab`, 'SRV', never)).toEqual({ none: 'nxdomain' });
    expect(await client().lookup('a..lab', 'A', never)).toEqual({ none: 'nxdomain' });
    expect(await client().lookup(`${'a'.repeat(64)}.lab`, 'A', never)).toEqual({ none: 'nxdomain' });
    expect(dns.queries).toEqual([]);
  });

  test('the AD bit of a resolver on this machine is passed on', async () => {
    dns.script('A', 'vngtp.lab', {
      authenticated: true,
      answers: [{ name: 'vngtp.lab', type: 'A', ttl: 5, data: '127.0.0.9' }],
    });
    expect(await client().lookup('vngtp.lab', 'A', never)).toMatchObject({ authenticated: true });
  });

  test('records for names that were not asked for are passed over, doubles appear once', async () => {
    dns.script('A', 'vngtp.lab', {
      answers: [
        { name: 'bank.lab', type: 'A', ttl: 5, data: '127.0.0.66' },
        { name: 'vngtp.lab', type: 'A', ttl: 5, data: '127.0.0.9' },
        { name: 'vngtp.lab', type: 'A', ttl: 5, data: '127.0.0.9' },
        { name: 'vngtp.lab', type: 'TXT', ttl: 5, data: 'hello' },
      ],
    });
    expect(await client().lookup('vngtp.lab', 'A', never)).toMatchObject({ records: ['127.0.0.9'] });
  });
});

describe('aliases', () => {
  test('N-12: a chain within one answer and a chain that must be asked for are followed', async () => {
    dns.cname('a.lab', 'b.lab').cname('b.lab', 'c.lab').a('c.lab', '127.0.0.9');
    expect(await client().lookup('a.lab', 'A', never)).toMatchObject({ records: ['127.0.0.9'] });
    expect(dns.asked()).toEqual(['A a.lab', 'A b.lab', 'A c.lab']);

    dns.script('A', 'x.lab', {
      answers: [
        { name: 'y.lab', type: 'A', ttl: 50, data: '127.0.0.8' },
        { name: 'x.lab', type: 'CNAME', ttl: 7, data: 'Y.lab' },
      ],
    });
    expect(await client().lookup('x.lab', 'A', never)).toMatchObject({ records: ['127.0.0.8'], ttl: 7 });
  });

  test('N-12: an alias of nothing is no data', async () => {
    dns.script('A', 'a.lab', { answers: [{ name: 'a.lab', type: 'CNAME', ttl: 60, data: 'b.lab' }], rcode: 3 });
    expect(await client().lookup('a.lab', 'A', never)).toEqual({ none: 'nxdomain' });
    dns.script('A', 'c.lab', {
      answers: [{ name: 'c.lab', type: 'CNAME', ttl: 60, data: 'd.lab' }],
      authorities: [soa(5)],
    });
    expect(await client().lookup('c.lab', 'A', never)).toEqual({ none: 'nodata' });
  });

  test('N-12: eight hops are followed, a loop is a failure', async () => {
    for (let n = 0; n < 8; n++) dns.cname(`n${n}.lab`, `n${n + 1}.lab`);
    dns.a('n8.lab', '127.0.0.9');
    expect(await client().lookup('n0.lab', 'A', never)).toMatchObject({ records: ['127.0.0.9'] });
    dns.cname('m.lab', 'n0.lab');
    expect(await client().lookup('m.lab', 'A', never)).toEqual({ failed: 'more than 8 aliases from m.lab on' });
    dns.cname('self.lab', 'self.lab').cname('one.lab', 'two.lab').cname('two.lab', 'one.lab');
    expect(await client().lookup('self.lab', 'A', never)).toHaveProperty('failed');
    expect(await client().lookup('one.lab', 'A', never)).toHaveProperty('failed');
  });
});

describe('failures', () => {
  test.each([
    [2, 'SERVFAIL'],
    [5, 'REFUSED'],
    [9, 'RCODE 9'],
  ])('N-08: rcode %i is a failure and not "no data"', async (rcode, name) => {
    dns.script('SRV', 'vngtp.lab', { rcode });
    const failed = `SRV vngtp.lab: ${name} from 127.0.0.1:${dns.server.port}`;
    expect(await client().lookup('vngtp.lab', 'SRV', never)).toEqual({ failed });
    expect(dns.queries).toHaveLength(2);
  });

  test.each([
    ['bytes that are no message', Buffer.from('8180000100ffffff0000', 'hex')],
    ['a header and nothing of what it announces', Buffer.from('81800001000100000000', 'hex')],
    [
      'an address of two bytes',
      Buffer.from('8180000100010000000001610000010001c00c0001000100000005000201020304', 'hex').subarray(0, -2),
    ],
  ])('N-08: %s: a malformed answer is a failure', async (_, raw) => {
    dns.script('A', 'a', { raw });
    const failed = `A a: a malformed answer from 127.0.0.1:${dns.server.port}`;
    expect(await client().lookup('a', 'A', never)).toEqual({ failed });
  });

  test('N-08: a referral, by a server that does no recursion, is a failure', async () => {
    dns.script('A', 'a.lab', { authorities: [{ name: 'lab', type: 'NS', ttl: 60, data: 'ns.lab' }] });
    expect(await client().lookup('a.lab', 'A', never)).toHaveProperty('failed');
  });

  test('N-08: silence is a failure after all attempts, and is not remembered', async () => {
    dns.script('A', 'a.lab', { silent: true });
    const asking = client({ timeout: 20 });
    const failed = `A a.lab: no answer from 127.0.0.1:${dns.server.port} within 0.02 s`;
    expect(await asking.lookup('a.lab', 'A', never)).toEqual({ failed });
    expect(dns.queries).toHaveLength(2);
    dns.script('A', 'a.lab', { answers: [{ name: 'a.lab', type: 'A', ttl: 5, data: '127.0.0.9' }] });
    expect(await asking.lookup('a.lab', 'A', never)).toMatchObject({ records: ['127.0.0.9'] });
  });

  test('the next attempt goes to the next server', async () => {
    dns.script('A', 'a.lab', { rcode: 2 });
    const second = await DnsDouble.start('127.0.0.2');
    second.a('a.lab', '127.0.0.9');
    const nobody = createSocket('udp4').bind(0, '127.0.0.1');
    await once(nobody, 'listening');
    const refused = { address: '127.0.0.1', port: nobody.address().port };
    nobody.close();
    const asking = client({ servers: [refused, dns.server, second.server], attempts: 3 });
    expect(await asking.lookup('a.lab', 'A', never)).toMatchObject({ records: ['127.0.0.9'] });
    expect(await client({ servers: [refused], attempts: 1 }).lookup('a.lab', 'A', never)).toEqual({
      failed: `A a.lab: connection refused by 127.0.0.1:${refused.port}`,
    });
    await second.close();
  });
});

describe('queries', () => {
  test('N-27: each query has its own id and source port', async () => {
    const asking = client();
    await Promise.all(Array.from({ length: 40 }, (_, n) => asking.lookup(`n${n}.lab`, 'A', never)));
    expect(dns.queries).toHaveLength(40);
    expect(new Set(dns.queries.map((query) => query.port)).size).toBeGreaterThan(35);
    expect(new Set(dns.queries.map((query) => query.id)).size).toBeGreaterThan(35);
    expect(dns.queries.every((query) => query.edns)).toBe(true);
  });

  test('N-27: answers with a wrong id or to another question are passed over', async () => {
    const lie = { name: 'a.lab', type: 'A', ttl: 60, data: '127.0.0.66' } as const;
    const truth = [{ ...lie, data: '127.0.0.9' }];
    dns.script('A', 'a.lab', { liesFirst: [lie], delay: 10, answers: truth });
    expect(await client().lookup('a.lab', 'A', never)).toMatchObject({ records: ['127.0.0.9'] });
    dns.script('A', 'b.lab', { liesFirst: [lie], delay: 1000, answers: truth });
    expect(await client({ timeout: 30, attempts: 1 }).lookup('b.lab', 'A', never)).toEqual({
      failed: `A b.lab: no answer from 127.0.0.1:${dns.server.port} within 0.03 s, only 2 with a wrong id or question`,
    });
  });

  test('N-27: a truncated answer is asked for again over TCP', async () => {
    dns.script('A', 'a.lab', { truncated: true, answers: [{ name: 'a.lab', type: 'A', ttl: 5, data: '127.0.0.9' }] });
    expect(await client().lookup('a.lab', 'A', never)).toMatchObject({ records: ['127.0.0.9'] });
    expect(dns.queries.map((query) => query.over)).toEqual(['udp', 'tcp']);
  });

  test('N-27: TCP that never answers is a failure in time', async () => {
    dns.script('A', 'a.lab', { truncated: true }, { silent: true });
    const failed = `A a.lab: no answer from 127.0.0.1:${dns.server.port} over TCP within 0.03 s`;
    expect(await client({ timeout: 30, attempts: 1 }).lookup('a.lab', 'A', never)).toEqual({ failed });
  });

  test('N-27: a server that does not know EDNS is asked without it', async () => {
    const answers = [{ name: 'a.lab', type: 'A', ttl: 5, data: '127.0.0.9' } as const];
    dns.script('A', 'a.lab', { rcode: 1 }, { answers });
    expect(await client().lookup('a.lab', 'A', never)).toMatchObject({ records: ['127.0.0.9'] });
    expect(dns.queries.map((query) => query.edns)).toEqual([true, false]);
  });

  test('N-24: questions for the same name that are open together are one', async () => {
    dns.script('A', 'a.lab', { delay: 10, answers: [{ name: 'a.lab', type: 'A', ttl: 0, data: '127.0.0.9' }] });
    const asking = client();
    const results = await Promise.all([1, 2, 3].map(() => asking.lookup('a.lab', 'A', never)));
    expect(results).toHaveLength(3);
    expect(dns.queries).toHaveLength(1);
  });
});

describe('cache', () => {
  test('N-26: records are remembered for their TTL, one hour at most', async () => {
    const asking = client();
    dns.script('A', 'a.lab', address(30), address(86_400));
    await asking.lookup('a.lab', 'A', never);
    clock = 10_000;
    expect(await asking.lookup('A.lab', 'A', never)).toMatchObject({ ttl: 20 });
    expect(dns.queries).toHaveLength(1);
    clock = 30_000;
    await asking.lookup('a.lab', 'A', never);
    expect(dns.queries).toHaveLength(2);
    clock += 3_599_000;
    expect(await asking.lookup('a.lab', 'A', never)).toMatchObject({ ttl: 1 });
    clock += 1000;
    await asking.lookup('a.lab', 'A', never);
    expect(dns.queries).toHaveLength(3);
  });

  test('N-26: a TTL of zero is not remembered', async () => {
    dns.script('A', 'a.lab', { answers: [{ name: 'a.lab', type: 'A', ttl: 0, data: '127.0.0.9' }] });
    const asking = client();
    await asking.lookup('a.lab', 'A', never);
    await asking.lookup('a.lab', 'A', never);
    expect(dns.queries).toHaveLength(2);
  });

  test.each([
    [40, 40],
    [86_400, 300],
  ])('N-26: absence with an SOA minimum of %i s is remembered for %i s', async (minimum, seconds) => {
    dns.negativeTtl = minimum;
    const asking = client();
    await asking.lookup('a.lab', 'A', never);
    clock = seconds * 1000 - 1;
    expect(await asking.lookup('a.lab', 'A', never)).toEqual({ none: 'nxdomain' });
    expect(dns.queries).toHaveLength(1);
    clock = seconds * 1000;
    await asking.lookup('a.lab', 'A', never);
    expect(dns.queries).toHaveLength(2);
  });

  test('N-26: absence without an SOA record is not remembered', async () => {
    dns.script('A', 'a.lab', { rcode: 3 });
    const asking = client();
    await asking.lookup('a.lab', 'A', never);
    await asking.lookup('a.lab', 'A', never);
    expect(dns.queries).toHaveLength(2);
  });

  test('N-26: the oldest result goes when there is no room', async () => {
    dns.a('a.lab', '127.0.0.1').a('b.lab', '127.0.0.2').a('c.lab', '127.0.0.3');
    const asking = client({ cacheSize: 2 });
    for (const name of ['a.lab', 'b.lab', 'c.lab', 'b.lab', 'a.lab']) await asking.lookup(name, 'A', never);
    expect(dns.asked()).toEqual(['A a.lab', 'A b.lab', 'A c.lab', 'A a.lab']);
  });
});

describe('abort', () => {
  test('ends the wait at once and leaves no socket or timer behind', async () => {
    const before = held().length;
    const asking = client({ timeout: 60_000 });
    const truncated = Array.from({ length: 10 }, () => [{ truncated: true }, { silent: true }]).flat();
    dns.script('A', 'u.lab', { silent: true }).script('A', 't.lab', ...truncated);
    for (let round = 1; round <= 10; round++) {
      for (const [name, queries] of [
        ['u.lab', 3 * round - 2],
        ['t.lab', 3 * round],
      ] as const) {
        const controller = new AbortController();
        const answer = asking.lookup(name, 'A', controller.signal);
        await dns.seen(queries);
        const reason = new Error('no longer wanted');
        controller.abort(reason);
        await expect(answer).rejects.toBe(reason);
      }
    }
    do await setImmediate();
    while (dns.connections > 0);
    // Ten of each kind would be left.
    expect(held().length).toBeLessThan(before + 5);
    const controller = new AbortController();
    controller.abort();
    await expect(client().lookup('a.lab', 'A', controller.signal)).rejects.toThrow('aborted');
  });

  test('of one caller does not take the answer from the other', async () => {
    dns.script('A', 'a.lab', { delay: 30, answers: [{ name: 'a.lab', type: 'A', ttl: 0, data: '127.0.0.9' }] });
    const asking = client();
    const controller = new AbortController();
    const first = asking.lookup('a.lab', 'A', controller.signal);
    const second = asking.lookup('a.lab', 'A', never);
    controller.abort();
    await expect(first).rejects.toThrow('aborted');
    expect(await second).toMatchObject({ records: ['127.0.0.9'] });
    expect(dns.queries).toHaveLength(1);
  });
});

test('a client without servers is a fault of the caller', () => {
  expect(() => client({ servers: [] })).toThrow(TypeError);
});
