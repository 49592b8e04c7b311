import { isIPv4 } from 'node:net';
import * as codec from 'dns-packet';
import type { Steered, SteeringSettings } from './steer.ts';

/** RFC 1035 §4.1.1, RFC 6891 §9. */
export const RCODE = { noError: 0, formErr: 1, servFail: 2, notImp: 4, refused: 5, badVers: 16 } as const;

/** The QR bit. */
const RESPONSE = 0x80_00;

/** What a datagram holds that arrives in one piece on any path; RFC 1035 §4.2.1 for clients without EDNS. */
const UDP = { withEdns: 1232, plain: 512 } as const;

/** A question of a client. */
export interface Query {
  readonly bytes: Buffer;
  readonly id: number;
  /** As it was written. */
  readonly name: string;
  readonly type: string;
  readonly isInternet: boolean;
  /** Where the question section ends. */
  readonly questionEnd: number;
  readonly recursionDesired: boolean;
  readonly edns: { readonly version: number; readonly size: number } | undefined;
}

/** A message that is not a query we can answer: dropped, or answered with this code. */
export interface NoQuery {
  readonly answer: number | undefined;
}

/** Reads a query. Never throws. */
export function readQuery(bytes: Buffer): Query | NoQuery {
  // Shorter than a header, or itself a response: an answer could start a loop.
  if (bytes.length < 12 || (bytes.readUInt16BE(2) & RESPONSE) !== 0) return { answer: undefined };
  if (((bytes.readUInt16BE(2) >> 11) & 0x0f) !== 0) return { answer: RCODE.notImp };
  try {
    const packet = codec.decode(bytes);
    const [question, ...more] = packet.questions ?? [];
    if (question === undefined || more.length > 0 || (packet.answers?.length ?? 0) > 0)
      return { answer: RCODE.formErr };
    const questionEnd = endOfQuestion(bytes);
    if (questionEnd === undefined) return { answer: RCODE.formErr };
    const opt = packet.additionals?.find((record) => record.type === 'OPT');
    return {
      bytes,
      id: bytes.readUInt16BE(0),
      name: question.name === '.' ? '' : question.name,
      type: question.type,
      isInternet: question.class === 'IN',
      questionEnd,
      recursionDesired: packet.flag_rd,
      edns: opt === undefined ? undefined : { version: opt.ednsVersion, size: opt.udpPayloadSize },
    };
  } catch {
    // The codec throws on whatever it cannot read; the bytes are somebody else's.
    return { answer: undefined };
  }
}

/** An answer to what could not be read: the header as it came, with a code (RFC 1035 §4.1.1). */
export function encodeUnreadable(bytes: Buffer, rcode: number): Buffer {
  const reply = Buffer.alloc(12);
  bytes.copy(reply, 0, 0, 4);
  // Of the flags, the opcode and RD come back.
  reply.writeUInt16BE(RESPONSE | (bytes.readUInt16BE(2) & 0x79_00) | rcode, 2);
  return reply;
}

/** An answer that says only why there is none. */
export function encodeFailure(query: Query, rcode: number): Buffer {
  return encode(query, rcode & 0x0f, NOTHING, rcode >> 4);
}

/** The answer to a steered question. Over UDP it is cut to what the client can take (RFC 2181 §9). */
export function encodeAnswer(query: Query, steering: Steered, settings: SteeringSettings, over: 'udp' | 'tcp'): Buffer {
  const content = records(query, steering, settings);
  const flags = codec.AUTHORITATIVE_ANSWER | codec.RECURSION_AVAILABLE;
  const limit = over === 'tcp' ? Number.POSITIVE_INFINITY : udpSize(query);
  const whole = encode(query, flags, content);
  if (whole.length <= limit) return whole;
  // The target's addresses are a courtesy: the client asks for them otherwise.
  const short = encode(query, flags, { ...content, additionals: [] });
  return short.length <= limit ? short : encode(query, flags | codec.TRUNCATED_RESPONSE, NOTHING);
}

function udpSize(query: Query): number {
  if (query.edns === undefined) return UDP.plain;
  return Math.min(UDP.withEdns, Math.max(UDP.plain, query.edns.size));
}

function encode(query: Query, flags: number, content: Records, extendedRcode = 0): Buffer {
  const opt: codec.OptAnswer = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: UDP.withEdns,
    extendedRcode,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
  const message = codec.encode({
    type: 'response',
    id: query.id,
    flags: flags | (query.recursionDesired ? codec.RECURSION_DESIRED : 0),
    answers: [...content.answers],
    authorities: [...content.authorities],
    // RFC 6891 §6.1.1: with EDNS exactly when the query had it.
    additionals: query.edns === undefined ? [...content.additionals] : [...content.additionals, opt],
  });
  // The question goes back byte for byte: clients compare it, letter case included.
  message.writeUInt16BE(1, 4);
  return Buffer.concat([message.subarray(0, 12), query.bytes.subarray(12, query.questionEnd), message.subarray(12)]);
}

interface Records {
  readonly answers: readonly codec.Answer[];
  readonly authorities: readonly codec.Answer[];
  readonly additionals: readonly codec.Answer[];
}

const NOTHING: Records = { answers: [], authorities: [], additionals: [] };

function records({ name }: Query, steering: Steered, { port, ttl }: SteeringSettings): Records {
  if (steering.steer === 'srv') {
    const { domain: target, addresses } = steering;
    const srv: codec.Answer = { name, type: 'SRV', ttl, data: { priority: 0, weight: 0, port, target } };
    return { ...NOTHING, answers: [srv], additionals: addresses.map((address) => addressRecord(target, address, ttl)) };
  }
  if (steering.steer === 'addresses') {
    return { ...NOTHING, answers: steering.addresses.map((address) => addressRecord(name, address, ttl)) };
  }
  // RFC 2308 §2.2: what says how long the absence may be remembered.
  const data = { mname: 'fedway.invalid', rname: 'nobody.invalid', serial: 1, minimum: ttl };
  return { ...NOTHING, authorities: [{ name: steering.domain, type: 'SOA', ttl, data }] };
}

function addressRecord(name: string, address: string, ttl: number): codec.Answer {
  return { name, type: isIPv4(address) ? 'A' : 'AAAA', ttl, data: address };
}

/** Where the one question of a query ends; `undefined` when its name is compressed: there is nothing before it to point to. */
function endOfQuestion(bytes: Buffer): number | undefined {
  let end = 12;
  for (;;) {
    const length = bytes[end];
    if (length === undefined || length > 63) return undefined;
    end += length + 1;
    if (length === 0) break;
  }
  return end + 4 <= bytes.length ? end + 4 : undefined;
}
