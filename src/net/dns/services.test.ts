import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DnsResult, SrvRecord } from './records.ts';
import { servicesOf } from './services.ts';
import { orderBySrv } from './srv-order.ts';

const target = fc.constantFrom('a.lab', 'b.lab', 'c.lab');
const record: fc.Arbitrary<SrvRecord> = fc.record({
  priority: fc.nat(3),
  weight: fc.nat(100),
  port: fc.nat(65_535),
  target,
});
const records: fc.Arbitrary<DnsResult<SrvRecord>> = fc
  .array(record, { minLength: 1, maxLength: 6 })
  .map((list) => ({ records: list, ttl: 60, authenticated: false }));
const NONE: DnsResult<SrvRecord> = { none: 'nodata' };
const DECLINED: DnsResult<SrvRecord> = {
  records: [{ priority: 0, weight: 0, port: 0, target: '' }],
  ttl: 60,
  authenticated: false,
};
const FAILED: DnsResult<SrvRecord> = { failed: 'SERVFAIL' };
const empty = fc.constantFrom(NONE, DECLINED, FAILED);
const any = fc.oneof(records, empty);

function listOf(result: DnsResult<SrvRecord>): readonly SrvRecord[] {
  return 'records' in result && result !== DECLINED ? result.records : [];
}

describe('both services', () => {
  test('N-15, N-16: every record is there once, and says of which service it is', () => {
    fc.assert(
      fc.property(any, any, (startTls, directTls) => {
        const services = servicesOf(startTls, directTls);
        const found = typeof services === 'object' && 'records' in services ? services.records : [];
        const without = (direct: boolean): SrvRecord[] =>
          found
            .filter((each) => each.directTls === direct)
            .map(({ priority, weight, port, target: host }) => ({ priority, weight, port, target: host }));
        expect(without(false)).toEqual(listOf(startTls));
        expect(without(true)).toEqual(listOf(directTls));
      }),
    );
  });

  test('N-15: merged, they are tried by priority whatever service they are of', () => {
    fc.assert(
      fc.property(records, records, fc.infiniteStream(fc.nat(1_000_000)), (startTls, directTls, chance) => {
        const services = servicesOf(startTls, directTls);
        if (typeof services === 'string' || 'failed' in services) throw new Error('there are records');
        const draw = (max: number): number => (chance.next().value ?? 0) % (max + 1);
        const ordered = orderBySrv(services.records, draw, 100);
        expect(new Set(ordered)).toEqual(new Set(services.records));
        const priorities = ordered.map(({ priority }) => priority);
        expect(priorities).toEqual(priorities.toSorted((a, b) => a - b));
      }),
    );
  });

  test('N-15: within a priority the weights of both services count together', () => {
    const heavy = { records: [{ priority: 1, weight: 90, port: 5270, target: 'a.lab' }], ttl: 1, authenticated: false };
    const light = { records: [{ priority: 1, weight: 10, port: 5269, target: 'b.lab' }], ttl: 1, authenticated: false };
    const services = servicesOf(light, heavy);
    if (typeof services === 'string' || 'failed' in services) throw new Error('there are records');
    let directFirst = 0;
    for (let mark = 0; mark <= 100; mark++) {
      const [first] = orderBySrv(services.records, (max) => Math.min(mark, max), 2);
      if (first?.directTls === true) directFirst += 1;
    }
    expect(Math.abs(directFirst - 90)).toBeLessThanOrEqual(11);
  });

  test('N-18: whatever the other service is, records keep the domain itself out', () => {
    fc.assert(
      fc.property(records, empty, fc.boolean(), (some, other, swap) => {
        const services = swap ? servicesOf(other, some) : servicesOf(some, other);
        expect(services).toHaveProperty('records');
        const unknown = typeof services === 'object' && 'unknown' in services ? services.unknown : undefined;
        const failed = { service: swap ? '_xmpp-server._tcp' : '_xmpps-server._tcp', why: 'SERVFAIL' };
        expect(unknown).toEqual(other === FAILED ? failed : undefined);
      }),
    );
  });

  test.each([
    ['neither exists: the domain itself', NONE, NONE, 'nothing'],
    ['N-04: STARTTLS is declined', DECLINED, NONE, 'declined'],
    ['N-17: direct TLS is declined, STARTTLS is missing', NONE, DECLINED, 'declined'],
    ['N-17: both are declined', DECLINED, DECLINED, 'declined'],
    ['N-08: STARTTLS is unknown', FAILED, NONE, { failed: 'SERVFAIL' }],
    ['N-08: direct TLS is unknown', NONE, FAILED, { failed: 'SERVFAIL' }],
    ['N-08: STARTTLS is declined, direct TLS is unknown', DECLINED, FAILED, { failed: 'SERVFAIL' }],
    ['N-08: both are unknown', FAILED, FAILED, { failed: 'SERVFAIL' }],
  ] as const)('without records: %s', (_, startTls, directTls, services) => {
    expect(servicesOf(startTls, directTls)).toEqual(services);
  });
});
