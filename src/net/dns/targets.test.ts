import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DnsDouble } from '../../../test/support/dns-double.ts';
import { type Domain, parseDomain } from '../../protocol/jid/domain.ts';
import type { Note } from '../../protocol/notes.ts';
import { DnsClient } from './client.ts';
import { DomainResolver, type DomainResolverOptions, type Endpoint, type NoEndpoint } from './targets.ts';

const never = new AbortController().signal;
let dns: DnsDouble;
let notes: Note[];

beforeEach(async () => {
  dns = await DnsDouble.start();
  notes = [];
});
afterEach(() => dns.close());

function domain(text: string): Domain {
  const parsed = parseDomain(text);
  if (parsed === undefined) throw new Error(`not a domain: ${text}`);
  return parsed;
}

function resolver(options: Partial<DomainResolverOptions> = {}): DomainResolver {
  return new DomainResolver({
    dns: new DnsClient({ servers: [dns.server], timeout: 200, attempts: 1 }),
    notes: (note) => notes.push(note),
    allowAddresses: ['127.0.0.0/8', '::1'],
    ...options,
  });
}

/** Everything a run gives, and how it ends. */
async function all(
  name: string,
  using = resolver(),
  directTls = true,
): Promise<{ found: Endpoint[]; end: NoEndpoint | undefined }> {
  const found: Endpoint[] = [];
  const run = using.targets(domain(name), { signal: never, directTls });
  for (;;) {
    const next = await run.next();
    if (next.done === true) return { found, end: next.value };
    found.push(next.value);
  }
}

function told(kind: Note['note']): Note[] {
  return notes.filter((note) => note.note === kind);
}

describe('SRV', () => {
  test('N-01, N-02: the service is asked for by its A-label name; targets come by priority', async () => {
    dns
      .srv('xn--bcher-kva.lab', [20, 0, 5270, 'b.lab'], [10, 0, 5269, 'a.lab'])
      .a('a.lab', '127.0.0.2')
      .a('b.lab', '127.0.0.3');
    expect(await all('Bücher.lab')).toEqual({
      found: [
        { host: 'a.lab', port: 5269, addresses: ['127.0.0.2'], method: 'SRV', directTls: false },
        { host: 'b.lab', port: 5270, addresses: ['127.0.0.3'], method: 'SRV', directTls: false },
      ],
      end: undefined,
    });
    expect(dns.asked().slice(0, 2).toSorted()).toEqual([
      'SRV _xmpp-server._tcp.xn--bcher-kva.lab',
      'SRV _xmpps-server._tcp.xn--bcher-kva.lab',
    ]);
    const targets = [
      { address: 'a.lab:5269', directTls: false },
      { address: 'b.lab:5270', directTls: false },
    ];
    expect(notes).toMatchObject([
      { note: 'lookup-started', domain: 'bücher.lab', ascii: 'xn--bcher-kva.lab', service: '_xmpp-server._tcp' },
      { note: 'lookup-started', domain: 'bücher.lab', ascii: 'xn--bcher-kva.lab', service: '_xmpps-server._tcp' },
      { note: 'lookup-finished', domain: 'bücher.lab', method: 'SRV', targets },
    ]);
  });

  test('N-51: the notes carry the subject they were asked for', async () => {
    dns.a('vngtp.lab', '127.0.0.2');
    const subjects: unknown[] = [];
    const subject = { direction: 'out', remote: 'vngtp.lab' } as const;
    const run = resolver({ notes: (_, about) => subjects.push(about) }).targets(domain('vngtp.lab'), {
      signal: never,
      subject,
      directTls: true,
    });
    await run.next();
    await run.return(undefined);
    expect(subjects).toEqual([subject, subject, subject]);
  });

  test('N-05: the addresses of the second target are looked up when it is asked for', async () => {
    dns
      .srv('vngtp.lab', [10, 0, 5269, 'a.lab'], [20, 0, 5269, 'b.lab'])
      .a('a.lab', '127.0.0.2')
      .a('b.lab', '127.0.0.3');
    const run = resolver().targets(domain('vngtp.lab'), { signal: never, directTls: true });
    await run.next();
    expect(dns.asked().slice(2)).toEqual(['AAAA a.lab', 'A a.lab']);
    await run.return(undefined);
    expect(dns.queries).toHaveLength(4);
  });

  test('N-03: equal priorities follow the injected chance', async () => {
    dns
      .srv('vngtp.lab', [1, 10, 1024, 'a.lab'], [1, 90, 1024, 'b.lab'])
      .a('a.lab', '127.0.0.2')
      .a('b.lab', '127.0.0.3');
    const last = await all('vngtp.lab', resolver({ random: (max) => max }));
    expect(last.found.map((one) => one.host)).toEqual(['b.lab', 'a.lab']);
    const first = await all('vngtp.lab', resolver({ random: () => 0 }));
    expect(first.found.map((one) => one.host)).toEqual(['b.lab', 'a.lab']);
  });

  test('N-04: the target "." means that there is no service: no look-up of addresses', async () => {
    dns.srv('vngtp.lab', [0, 0, 5269, '.']).a('vngtp.lab', '127.0.0.2');
    const { found, end } = await all('vngtp.lab');
    expect(found).toEqual([]);
    expect(end).toEqual({
      stage: 'no-service',
      detail: 'vngtp.lab declares in DNS that it has no XMPP service (SRV target ".")',
    });
    expect(dns.asked().filter((asked) => !asked.startsWith('SRV'))).toEqual([]);
    expect(told('lookup-failed')).toMatchObject([{ stage: 'no-service' }]);
  });

  test('N-06: targets without addresses are no reason to try the domain itself', async () => {
    dns.srv('vngtp.lab', [0, 0, 5269, 'gone.lab']).a('vngtp.lab', '127.0.0.2');
    expect(await all('vngtp.lab')).toEqual({
      found: [],
      end: { stage: 'dns', detail: 'gone.lab does not exist in DNS' },
    });
    expect(dns.asked()).not.toContain('A vngtp.lab');
  });

  test.each([{ rcode: 2 }, { rcode: 5 }, { silent: true }, { raw: Buffer.alloc(12) }])(
    'N-08: SRV answered by %j is not "no SRV": no look-up of addresses',
    async (reply) => {
      dns.script('SRV', '_xmpp-server._tcp.vngtp.lab', reply).a('vngtp.lab', '127.0.0.2');
      const { found, end } = await all('vngtp.lab');
      expect(found).toEqual([]);
      expect(end?.stage).toBe('dns');
      expect(end?.detail).toContain(`127.0.0.1:${dns.server.port}`);
      expect(dns.asked().filter((asked) => !asked.startsWith('SRV'))).toEqual([]);
    },
  );

  test('N-11: port 0, addresses and other texts as targets are skipped; none left is not "no SRV"', async () => {
    const bad = [
      [0, 0, 0, 'a.lab'],
      [0, 0, 5269, '192.0.2.7'],
      [0, 0, 5269, 'a b.lab'],
      [0, 0, 5269, 'ü.lab'],
      [0, 0, 5269, '.'],
    ] as const;
    dns.srv('vngtp.lab', ...bad.map((one) => [...one] as [number, number, number, string])).a('vngtp.lab', '127.0.0.2');
    const { found, end } = await all('vngtp.lab');
    expect(found).toEqual([]);
    expect(end).toEqual({
      stage: 'dns',
      detail:
        "the SRV record for a.lab has port 0; the SRV record's target 192.0.2.7 is no host name; " +
        "the SRV record's target a?b.lab is no host name; and 2 more",
    });
    dns.srv('vngtp.lab', [9, 0, 5269, 'good.lab']).a('good.lab', '127.0.0.3');
    expect((await all('vngtp.lab')).found).toMatchObject([{ host: 'good.lab' }]);
    expect(told('connect-failed')).toHaveLength(10);
  });

  test('N-12: a target that is an alias is followed', async () => {
    dns.srv('vngtp.lab', [0, 0, 5269, 'alias.lab']).cname('alias.lab', 'real.lab').a('real.lab', '127.0.0.2');
    expect((await all('vngtp.lab')).found).toMatchObject([{ host: 'alias.lab', addresses: ['127.0.0.2'] }]);
  });

  test('N-12: an alias loop fails that target only', async () => {
    dns
      .srv('vngtp.lab', [0, 0, 5269, 'loop.lab'], [1, 0, 5269, 'b.lab'])
      .cname('loop.lab', 'loop.lab')
      .a('b.lab', '127.0.0.3');
    expect((await all('vngtp.lab')).found).toMatchObject([{ host: 'b.lab' }]);
    expect(told('connect-failed')).toMatchObject([{ address: 'loop.lab:5269' }]);
  });

  test('N-28: of 500 records 32 are used', async () => {
    const records = Array.from({ length: 500 }, (_, n): [number, number, number, string] => [n, 0, 5269, `h${n}.lab`]);
    dns.srv('vngtp.lab', ...records);
    for (let n = 0; n < 500; n++) dns.a(`h${n}.lab`, `127.0.1.${n % 250}`);
    const { found } = await all('vngtp.lab');
    expect(found.map((one) => one.host)).toEqual(records.slice(0, 32).map(([, , , target]) => target));
    expect(dns.queries.filter((query) => query.over === 'tcp')).toHaveLength(1);
  });

  test('N-28: 16 addresses of a target and 64 of a domain are used', async () => {
    for (let target = 0; target < 6; target++) {
      dns.srv('vngtp.lab', [target, 0, 5269, `h${target}.lab`]);
      dns.a(`h${target}.lab`, ...Array.from({ length: 40 }, (_, n) => `127.0.${target}.${n + 1}`));
    }
    const { found } = await all('vngtp.lab');
    expect(found.map((one) => one.addresses.length)).toEqual([16, 16, 16, 16]);
  });
});

describe('without SRV', () => {
  test('N-07: the domain itself on 5269, its families taking turns, IPv6 first', async () => {
    dns.a('vngtp.lab', '127.0.0.2', '127.0.0.3', '127.0.0.4').aaaa('vngtp.lab', '::1');
    expect(await all('vngtp.lab')).toEqual({
      found: [
        {
          host: 'vngtp.lab',
          port: 5269,
          addresses: ['::1', '127.0.0.2', '127.0.0.3', '127.0.0.4'],
          method: 'A/AAAA',
          directTls: false,
        },
      ],
      end: undefined,
    });
  });

  test('N-07: a name too long for its SRV record is looked up by its address', async () => {
    const long = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(57)}.lab`;
    dns.a(long, '127.0.0.2');
    expect((await all(long)).found).toMatchObject([{ host: long, method: 'A/AAAA' }]);
  });

  test('a domain that does not exist, or has no address, has no service', async () => {
    expect((await all('vngtp.lab')).end).toEqual({ stage: 'no-service', detail: 'vngtp.lab does not exist in DNS' });
    dns.script('TXT', 'empty.lab', {});
    expect((await all('empty.lab')).end).toEqual({ stage: 'no-service', detail: 'empty.lab has no address in DNS' });
  });

  test('N-08: addresses that nobody could tell are a DNS failure', async () => {
    dns.script('A', 'vngtp.lab', { rcode: 2 });
    expect((await all('vngtp.lab')).end).toMatchObject({ stage: 'dns' });
  });
});

describe('direct TLS', () => {
  test('N-15, N-16: records of both services are one list by priority, and each says how its target is spoken to', async () => {
    dns
      .srv('vngtp.lab', [10, 0, 5269, 'a.lab'], [30, 0, 5269, 'c.lab'])
      .srvTls('vngtp.lab', [20, 0, 5270, 'b.lab'], [5, 0, 443, 'z.lab'])
      .a('a.lab', '127.0.0.2')
      .a('b.lab', '127.0.0.3')
      .a('c.lab', '127.0.0.4')
      .a('z.lab', '127.0.0.5');
    const { found } = await all('vngtp.lab');
    expect(found.map(({ host, port, directTls }) => [host, port, directTls])).toEqual([
      ['z.lab', 443, true],
      ['a.lab', 5269, false],
      ['b.lab', 5270, true],
      ['c.lab', 5269, false],
    ]);
    expect(told('lookup-finished')).toMatchObject([
      {
        targets: [
          { address: 'z.lab:443', directTls: true },
          { address: 'a.lab:5269', directTls: false },
          { address: 'b.lab:5270', directTls: true },
          { address: 'c.lab:5269', directTls: false },
        ],
      },
    ]);
  });

  test('N-18: with records of direct TLS alone the domain itself is not tried', async () => {
    dns.srvTls('vngtp.lab', [0, 0, 5270, 'gone.lab']).a('vngtp.lab', '127.0.0.2');
    expect(await all('vngtp.lab')).toEqual({
      found: [],
      end: { stage: 'dns', detail: 'gone.lab does not exist in DNS' },
    });
  });

  test('N-17: "no direct TLS" leaves STARTTLS alone, and takes the place of no record', async () => {
    dns.srvTls('vngtp.lab', [0, 0, 0, '.']).srv('vngtp.lab', [0, 0, 5269, 'a.lab']).a('a.lab', '127.0.0.2');
    expect((await all('vngtp.lab')).found).toMatchObject([{ host: 'a.lab', directTls: false }]);
    dns.srvTls('only.lab', [0, 0, 0, '.']).a('only.lab', '127.0.0.2');
    expect(await all('only.lab')).toMatchObject({ found: [], end: { stage: 'no-service' } });
    expect(dns.asked()).not.toContain('A only.lab');
  });

  test('N-08: a service that nobody can tell is told of; what is known of the other is used', async () => {
    dns
      .srv('vngtp.lab', [0, 0, 5269, 'a.lab'])
      .script('SRV', '_xmpps-server._tcp.vngtp.lab', { rcode: 2 })
      .a('a.lab', '127.0.0.2');
    expect((await all('vngtp.lab')).found).toMatchObject([{ host: 'a.lab' }]);
    expect(told('connect-failed')).toMatchObject([{ address: '_xmpps-server._tcp.vngtp.lab' }]);
  });

  test('N-08: without STARTTLS records, direct TLS that nobody can tell is not "no SRV"', async () => {
    dns.script('SRV', '_xmpps-server._tcp.vngtp.lab', { rcode: 2 }).a('vngtp.lab', '127.0.0.2');
    expect(await all('vngtp.lab')).toMatchObject({ found: [], end: { stage: 'dns' } });
    expect(dns.asked()).not.toContain('A vngtp.lab');
  });

  test('where TLS is switched off its targets are left out, and nothing takes their place', async () => {
    dns
      .srvTls('vngtp.lab', [0, 0, 5270, 'b.lab'])
      .srv('vngtp.lab', [1, 0, 5269, 'a.lab'])
      .a('a.lab', '127.0.0.2')
      .a('b.lab', '127.0.0.3');
    expect((await all('vngtp.lab', resolver(), false)).found).toMatchObject([{ host: 'a.lab' }]);
    dns.srvTls('only.lab', [0, 0, 5270, 'b.lab']).a('only.lab', '127.0.0.2');
    expect(await all('only.lab', resolver(), false)).toEqual({
      found: [],
      end: {
        stage: 'no-service',
        detail: 'it is a server of direct TLS, and TLS is switched off for the domain',
      },
    });
  });

  test('N-38, N-39: its targets are bound by the same rules', async () => {
    dns.srvTls('vngtp.lab', [0, 0, 25, 'a.lab'], [1, 0, 5270, 'b.lab']).a('b.lab', '10.0.0.1');
    const { found, end } = await all('vngtp.lab');
    expect(found).toEqual([]);
    expect(end?.stage).toBe('no-service');
    expect(end?.detail).toContain('port 25 of a.lab');
    expect(end?.detail).toContain('10.0.0.1, a private address');
  });

  test('N-10: a route says of each target whether it takes direct TLS', async () => {
    const using = resolver({ route: () => [{ host: '192.0.2.20', port: 5270, directTls: true }] });
    expect((await all('vngtp.lab', using)).found).toMatchObject([
      { host: '192.0.2.20', method: 'route', directTls: true },
    ]);
    expect(await all('vngtp.lab', using, false)).toMatchObject({ found: [], end: { stage: 'no-service' } });
  });
});

describe('address families', () => {
  test('N-20: one family that is slow or fails does not hold up the other', async () => {
    dns.a('vngtp.lab', '127.0.0.2').script('AAAA', 'vngtp.lab', { rcode: 2 });
    expect((await all('vngtp.lab')).found).toMatchObject([{ addresses: ['127.0.0.2'] }]);
    dns.a('slow.lab', '127.0.0.3').script('AAAA', 'slow.lab', { silent: true });
    const run = resolver({
      dns: new DnsClient({ servers: [dns.server], timeout: 60_000, attempts: 1 }),
      patience: 10,
    }).targets(domain('slow.lab'), { signal: never, directTls: true });
    expect((await run.next()).value).toMatchObject({ addresses: ['127.0.0.3'] });
    await run.return(undefined);
  });

  test('N-05: addresses that come late are a second endpoint of the same target', async () => {
    const answers = [{ name: 'vngtp.lab', type: 'AAAA', ttl: 60, data: '::1' } as const];
    dns.a('vngtp.lab', '127.0.0.2').script('AAAA', 'vngtp.lab', { delay: 60, answers });
    const { found } = await all('vngtp.lab', resolver({ patience: 5 }));
    expect(found.map((one) => one.addresses)).toEqual([['127.0.0.2'], ['::1']]);
  });

  test('N-20: addresses are waited for when the quick family has none', async () => {
    const answers = [{ name: 'vngtp.lab', type: 'A', ttl: 60, data: '127.0.0.2' } as const];
    dns.script('A', 'vngtp.lab', { delay: 60, answers });
    expect((await all('vngtp.lab', resolver({ patience: 5 }))).found).toMatchObject([{ addresses: ['127.0.0.2'] }]);
  });
});

describe('static routes', () => {
  test('N-10: a route replaces DNS, in its order and whatever the addresses', async () => {
    dns.srv('vngtp.lab', [0, 0, 5269, 'wrong.lab']).a('host.lab', '192.168.0.1');
    const route = [
      { host: '10.0.0.1', port: 25, directTls: false },
      { host: 'host.lab', port: 5269, directTls: false },
    ];
    const using = resolver({ allowAddresses: [], route: (name) => (name === 'vngtp.lab' ? route : undefined) });
    expect((await all('vngtp.lab', using)).found).toEqual([
      { host: '10.0.0.1', port: 25, addresses: ['10.0.0.1'], method: 'route', directTls: false },
      { host: 'host.lab', port: 5269, addresses: ['192.168.0.1'], method: 'route', directTls: false },
    ]);
    expect(dns.asked()).toEqual(['AAAA host.lab', 'A host.lab']);
    expect(notes.map((note) => note.note)).toEqual(['lookup-finished']);
  });

  test('N-10: there is no way back to DNS from a route that leads nowhere', async () => {
    dns.a('vngtp.lab', '127.0.0.2');
    const using = resolver({ route: () => [{ host: 'gone.lab', port: 5269, directTls: false }] });
    expect(await all('vngtp.lab', using)).toEqual({
      found: [],
      end: { stage: 'dns', detail: 'gone.lab does not exist in DNS' },
    });
  });
});

test('N-10: an empty route is one that leads nowhere', async () => {
  dns.a('vngtp.lab', '127.0.0.2');
  expect((await all('vngtp.lab', resolver({ route: () => [] }))).end).toEqual({
    stage: 'no-service',
    detail: 'no address is configured for vngtp.lab',
  });
});

describe('abuse', () => {
  test('N-38: a name that points into the inside is not followed', async () => {
    dns.a('vngtp.lab', '10.0.0.1', '127.0.0.1').aaaa('vngtp.lab', '::ffff:a00:1', 'fe80::1');
    const { found, end } = await all('vngtp.lab', resolver({ allowAddresses: [] }));
    expect(found).toEqual([]);
    expect(end?.stage).toBe('no-service');
    expect(end?.detail).toContain(
      'vngtp.lab points to 10.0.0.1, a private address that resolver.allow_addresses does not list',
    );
    expect(told('connect-failed')).toHaveLength(4);
  });

  test('N-38: the other addresses of the same name are used', async () => {
    dns.a('vngtp.lab', '10.0.0.1', '127.0.0.2');
    expect((await all('vngtp.lab')).found).toMatchObject([{ addresses: ['127.0.0.2'] }]);
  });

  test('N-38: a name that points to ourselves is not followed', async () => {
    dns.a('vngtp.lab', '127.0.0.2');
    const using = resolver({ isOwnListener: (address, port) => address === '127.0.0.2' && port === 5269 });
    expect((await all('vngtp.lab', using)).end).toEqual({
      stage: 'no-service',
      detail: 'vngtp.lab points to 127.0.0.2, which is fedway itself',
    });
  });

  test('N-39: ports of other protocols are not connected to', async () => {
    dns.srv('vngtp.lab', [0, 0, 25, 'a.lab'], [0, 0, 6379, 'a.lab']).a('a.lab', '127.0.0.2');
    const { found, end } = await all('vngtp.lab');
    expect(found).toEqual([]);
    expect(end).toMatchObject({ stage: 'no-service' });
    expect(end?.detail).toContain('port 6379 of a.lab belongs to another protocol');
  });
});

describe('abort', () => {
  test.each(['SRV _xmpp-server._tcp.vngtp.lab', 'SRV _xmpps-server._tcp.vngtp.lab', 'A vngtp.lab'])(
    'while %s is open ends the run',
    async (silent) => {
      const [type = '', name = ''] = silent.split(' ');
      dns.a('vngtp.lab', '127.0.0.2').script(type, name, { silent: true });
      const controller = new AbortController();
      const client = new DnsClient({ servers: [dns.server], timeout: 60_000, attempts: 1 });
      const next = resolver({ dns: client })
        .targets(domain('vngtp.lab'), { signal: controller.signal, directTls: true })
        .next();
      await dns.seen(type === 'SRV' ? 2 : 4);
      const reason = new Error('no longer wanted');
      controller.abort(reason);
      await expect(next).rejects.toBe(reason);
    },
  );
});
