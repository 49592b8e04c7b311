import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressBytes, checksum, FLAGS, frameOf } from './frame.ts';

describe('frameOf', () => {
  test('the bytes of a known segment', () => {
    const frame = frameOf({
      from: { address: '192.0.2.1', port: 50_000 },
      to: { address: '192.0.2.2', port: 8443 },
      sequence: 1_000,
      acknowledges: 0,
      flags: FLAGS.syn,
      payload: new Uint8Array(),
    });
    // The type; IPv4 with its checksum b6cc; TCP as far as its checksum.
    expect(frame.subarray(12, 34).toString('hex')).toBe('080045000028000040004006b6ccc0000201c0000202');
    expect(frame.subarray(34, 50).toString('hex')).toBe('c35020fb000003e8000000005002ffff');
  });

  const v4 = fc.ipV4();
  const v6 = fc.ipV6().filter((address) => !address.includes('.'));
  const payload = fc.uint8Array({ maxLength: 200 });
  const port = fc.integer({ min: 1, max: 65_535 });

  test('lengths and checksums are right for every address, port and payload', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.tuple(v4, v4), fc.tuple(v6, v6)),
        port,
        port,
        payload,
        ([from, to], one, other, bytes) => {
          const frame = frameOf({
            from: { address: from, port: one },
            to: { address: to, port: other },
            sequence: 2 ** 32 - 1,
            acknowledges: 7,
            flags: FLAGS.ack,
            payload: bytes,
          });
          const isV4 = frame.readUInt16BE(12) === 0x0800;
          const ip = frame.subarray(14);
          const [header, addresses, length] = isV4
            ? [20, ip.subarray(12, 20), ip.readUInt16BE(2) - 20]
            : [40, ip.subarray(8, 40), ip.readUInt16BE(4)];
          expect(length).toBe(20 + bytes.length);
          // A sum over what includes its checksum is zero (RFC 1071 §1).
          expect(isV4 ? checksum([ip.subarray(0, 20)]) : 0).toBe(0);
          const tcp = ip.subarray(header);
          expect(checksum([addresses, Uint8Array.of(0, 6, length >> 8, length & 0xff), tcp])).toBe(0);
          expect(tcp.subarray(20)).toEqual(Buffer.from(bytes));
        },
      ),
    );
  });
});

describe('addressBytes', () => {
  test.each([
    ['127.0.0.1', '7f000001'],
    ['::ffff:127.0.0.1', '7f000001'],
    ['::1', '00000000000000000000000000000001'],
    ['fd00::2%eth0', 'fd000000000000000000000000000002'],
    ['2001:db8:1:2:3:4:5:6', '20010db8000100020003000400050006'],
    ['2001:db8::', '20010db8000000000000000000000000'],
  ])('%s', (address, hex) => {
    expect(Buffer.from(addressBytes(address)).toString('hex')).toBe(hex);
  });

  test('what is no address has the length of one', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect([4, 16]).toContain(addressBytes(text).length);
      }),
    );
  });
});
