import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fileHeader, RecordReader, record, WHOLE_PACKET } from './pcap.ts';

describe('pcap', () => {
  test('a record says when, how much is kept and how much there was', () => {
    const bytes = record(1_700_000_000_123, Buffer.from('abcdef'), 4);
    expect([0, 4, 8, 12].map((at) => bytes.readUInt32LE(at))).toEqual([1_700_000_000, 123_000, 4, 6]);
    expect(bytes.subarray(16).toString()).toBe('abcd');
  });

  test('what was written is read again, in whatever pieces it comes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 50 })),
        fc.array(fc.integer({ min: 1, max: 40 })),
        (packets, sizes) => {
          const parts = [fileHeader(WHOLE_PACKET), ...packets.map((packet) => record(0, packet, WHOLE_PACKET))];
          const all = Buffer.concat(parts);
          const reader = new RecordReader();
          const read: Buffer[] = [];
          let at = 0;
          for (const size of [...sizes, all.length]) {
            read.push(...(reader.read(all.subarray(at, at + size)) ?? []));
            at += size;
          }
          expect(read).toEqual(parts);
          expect(reader.started).toBe(true);
        },
      ),
    );
  });

  test('what is no pcap file is found out, and nothing makes the reader throw or keep more than a packet', () => {
    expect(new RecordReader().read(Buffer.alloc(24, 1))).toBeUndefined();
    const huge = Buffer.alloc(16);
    huge.writeUInt32LE(0xffff_ffff, 8);
    expect(new RecordReader().read(Buffer.concat([fileHeader(1), huge]))).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        new RecordReader().read(Buffer.concat([fileHeader(1), bytes]));
      }),
    );
  });
});
