import { isIPv4 } from 'node:net';
import type { Endpoint } from './tap.ts';

/** TCP flags (RFC 9293 §3.1). */
export const FLAGS = { fin: 0x01, syn: 0x02, push: 0x08, ack: 0x10 } as const;

/** One TCP segment as it could have been on the wire. */
export interface Segment {
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** Sequence and acknowledgment number, modulo 2^32. */
  readonly sequence: number;
  readonly acknowledges: number;
  readonly flags: number;
  readonly payload: Uint8Array;
}

/** Bytes of a segment's payload: what fits into a frame of Ethernet under IPv6. */
export const LARGEST_PAYLOAD = 1_440;

const ETHERNET = 14;
const TCP = 20;
const IPV4 = 20;
const IPV6 = 40;
const WINDOW = 65_535;
const HOPS = 64;
const PROTOCOL_TCP = 6;

/** A frame of Ethernet with an IP packet that holds the segment; lengths and checksums are right. The hardware addresses are made up. */
export function frameOf({ from, to, sequence, acknowledges, flags, payload }: Segment): Buffer {
  const source = addressBytes(from.address);
  const target = addressBytes(to.address);
  const v4 = source.length === 4;
  const ip = v4 ? IPV4 : IPV6;
  const frame = Buffer.alloc(ETHERNET + ip + TCP + payload.length);
  // Locally administered, and one for each end whichever way the frame goes.
  frame.writeUIntBE(0x02_00_00_00_00_00 + to.port, 0, 6);
  frame.writeUIntBE(0x02_00_00_00_00_00 + from.port, 6, 6);
  frame.writeUInt16BE(v4 ? 0x0800 : 0x86dd, 12);
  const length = TCP + payload.length;
  if (v4) writeIpv4(frame.subarray(ETHERNET), source, target, length);
  else writeIpv6(frame.subarray(ETHERNET), source, target, length);
  const tcp = frame.subarray(ETHERNET + ip);
  tcp.writeUInt16BE(from.port, 0);
  tcp.writeUInt16BE(to.port, 2);
  tcp.writeUInt32BE(sequence >>> 0, 4);
  tcp.writeUInt32BE(acknowledges >>> 0, 8);
  tcp.writeUInt16BE((TCP / 4) * 0x1000 + flags, 12);
  tcp.writeUInt16BE(WINDOW, 14);
  tcp.set(payload, TCP);
  tcp.writeUInt16BE(checksum([source, target, pseudoTail(length), tcp]), 16);
  return frame;
}

/** RFC 791 §3.1. */
function writeIpv4(packet: Buffer, source: Uint8Array, target: Uint8Array, length: number): void {
  packet.writeUInt8(0x45, 0);
  packet.writeUInt16BE(IPV4 + length, 2);
  // Do not fragment.
  packet.writeUInt16BE(0x4000, 6);
  packet.writeUInt8(HOPS, 8);
  packet.writeUInt8(PROTOCOL_TCP, 9);
  packet.set(source, 12);
  packet.set(target, 16);
  packet.writeUInt16BE(checksum([packet.subarray(0, IPV4)]), 10);
}

/** RFC 8200 §3. */
function writeIpv6(packet: Buffer, source: Uint8Array, target: Uint8Array, length: number): void {
  packet.writeUInt8(0x60, 0);
  packet.writeUInt16BE(length, 4);
  packet.writeUInt8(PROTOCOL_TCP, 6);
  packet.writeUInt8(HOPS, 7);
  packet.set(source, 8);
  packet.set(target, 24);
}

/** The end of the pseudo header (RFC 9293 §3.1, RFC 8200 §8.1): its sum is the same for both versions of IP. */
function pseudoTail(length: number): Uint8Array {
  return Uint8Array.of(0, PROTOCOL_TCP, length >> 8, length & 0xff);
}

/** The Internet checksum (RFC 1071) over parts of even length, but for the last one. */
export function checksum(parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let index = 0; index < part.length; index += 2) {
      sum += ((part[index] ?? 0) << 8) + (part[index + 1] ?? 0);
    }
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
  return ~sum & 0xffff;
}

/** 4 or 16 bytes. An IPv4 address that is written as one of IPv6 counts as IPv4; what is no address is all zeros. */
export function addressBytes(address: string): Uint8Array {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
  if (isIPv4(mapped)) return Uint8Array.from(mapped.split('.'), Number);
  const [head = '', tail] = address.replace(/%.*$/, '').split('::', 2);
  const before = groupsOf(head);
  const behind = groupsOf(tail ?? '');
  const missing = Math.max(0, 8 - before.length - behind.length);
  const groups = [...before, ...Array.from({ length: missing }, () => 0), ...behind].slice(0, 8);
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

function groupsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16) & 0xffff);
}
