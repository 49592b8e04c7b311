import * as codec from 'dns-packet';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeResponse, encodeQuery, messageId } from './message.ts';

test('N-27: a query asks for recursion and the AD bit, with an OPT record when EDNS is on', () => {
  const bytes = encodeQuery(4711, { name: 'vngtp.lab', type: 'SRV' }, true);
  const query = codec.decode(bytes);
  expect(messageId(bytes)).toBe(4711);
  expect(query).toMatchObject({ flag_rd: true, flag_ad: true, flag_qr: false });
  expect(query.questions).toEqual([{ name: 'vngtp.lab', type: 'SRV', class: 'IN' }]);
  expect(query.additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1232, flag_do: false }]);
  expect(codec.decode(encodeQuery(1, { name: 'a', type: 'A' }, false)).additionals).toEqual([]);
});

test('N-08: decoding never throws and never yields an address that is none, whatever the bytes', () => {
  const whole = codec.encode({
    type: 'response',
    id: 1,
    questions: [{ name: 'vngtp.lab', type: 'A' }],
    answers: [
      { name: 'vngtp.lab', type: 'CNAME', ttl: 1, data: 'a.lab' },
      { name: 'a.lab', type: 'A', ttl: 1, data: '192.0.2.1' },
      { name: 'a.lab', type: 'AAAA', ttl: 1, data: '2001:db8::1' },
      { name: 'a.lab', type: 'SRV', ttl: 1, data: { port: 1, target: 'b.lab' } },
    ],
    authorities: [{ name: 'lab', type: 'SOA', ttl: 1, data: { mname: 'a', rname: 'b' } }],
  });
  const edits = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 });
  const mutated = fc.tuple(edits, fc.nat(whole.length)).map(([changes, length]) => {
    const bytes = Buffer.from(whole);
    for (const [position, value] of changes) bytes[position] = value;
    return bytes.subarray(0, length < 12 ? whole.length : length);
  });
  const random = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.oneof(mutated, random), (bytes) => {
      for (const answer of decodeResponse(bytes)?.answers ?? []) {
        expect(JSON.stringify(answer)).not.toContain('undefined');
        expect(answer.ttl).toBeGreaterThanOrEqual(0);
      }
    }),
    { numRuns: 3000 },
  );
});

test('N-27: a query is no response, and a message for two questions answers neither', () => {
  const questions = [{ name: 'a', type: 'A' } as const];
  expect(decodeResponse(codec.encode({ type: 'query', id: 1, questions }))).toBeUndefined();
  expect(
    decodeResponse(codec.encode({ type: 'response', id: 1, questions: [...questions, ...questions] })),
  ).toBeUndefined();
});

test('N-26: a TTL with the highest bit set counts as zero', () => {
  const bytes = codec.encode({
    type: 'response',
    id: 1,
    questions: [{ name: 'a', type: 'A' }],
    answers: [{ name: 'a', type: 'A', ttl: 0x80_00_00_00, data: '192.0.2.1' }],
  });
  expect(decodeResponse(bytes)?.answers).toEqual([{ name: 'a', type: 'A', ttl: 0, data: '192.0.2.1' }]);
});
