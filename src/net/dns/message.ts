import { isIPv4, isIPv6 } from 'node:net';
import * as codec from 'dns-packet';
import type { DnsRecords, RecordType } from './records.ts';

/** One question of ours; `name` in A-labels, lower case, no final dot. */
export interface Question {
  readonly name: string;
  readonly type: RecordType;
}

/** A record of the answer section that matters; others are left out. */
type AnswerRecord = { readonly name: string; readonly ttl: number } & (
  | { readonly type: 'CNAME'; readonly target: string }
  | { readonly [T in RecordType]: { readonly type: T; readonly data: DnsRecords[T] } }[RecordType]
);

/** A response, decoded and checked. */
export interface DnsMessage {
  readonly question: { readonly name: string; readonly type: string } | undefined;
  readonly rcode: number;
  readonly truncated: boolean;
  /** The AD bit (RFC 6840 §5.8). */
  readonly authenticated: boolean;
  /** The server knows nothing and points to others: one that does not do recursion. No data it is not (RFC 2308 §2.2). */
  readonly referral: boolean;
  readonly answers: readonly AnswerRecord[];
  /** Seconds for which the absence of data may be remembered (RFC 2308 §5); `undefined` without an SOA record. */
  readonly negativeTtl: number | undefined;
}

/** RFC 1035 §4.1.1. */
export const RCODE = { noError: 0, formErr: 1, servFail: 2, nxDomain: 3, notImp: 4, refused: 5 } as const;

const RCODE_NAMES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

/** The size of answers over UDP that arrive in one piece on any path. */
const UDP_SIZE = 1232;

/**
 * Encodes a query that asks for recursion and for the resolver's word on DNSSEC: the AD bit in a query (RFC 6840 §5.7).
 *
 * @param edns with an OPT record (RFC 6891); some old servers answer FORMERR to it
 */
export function encodeQuery(id: number, question: Question, edns: boolean): Buffer {
  const opt: codec.OptAnswer = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: UDP_SIZE,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
  return codec.encode({
    type: 'query',
    id,
    flags: codec.RECURSION_DESIRED | codec.AUTHENTIC_DATA,
    questions: [{ name: question.name, type: question.type, class: 'IN' }],
    additionals: edns ? [opt] : [],
  });
}

/** The id of a message, `undefined` when it is too short to be one. */
export function messageId(bytes: Buffer): number | undefined {
  return bytes.length < 12 ? undefined : bytes.readUInt16BE(0);
}

/** @returns `undefined` when the bytes are no DNS response. Never throws. */
export function decodeResponse(bytes: Buffer): DnsMessage | undefined {
  try {
    const packet = codec.decode(bytes);
    if (!packet.flag_qr || (packet.questions?.length ?? 0) > 1) return undefined;
    const question = packet.questions?.[0];
    const answers: AnswerRecord[] = [];
    for (const answer of packet.answers ?? []) {
      const record = answerRecord(answer);
      if (record === 'malformed') return undefined;
      if (record !== undefined) answers.push(record);
    }
    const authorities = packet.authorities ?? [];
    const absence = negativeTtl(authorities);
    return {
      question: question === undefined ? undefined : { name: canonical(question.name), type: question.type },
      rcode: (packet.flags ?? 0) & 0x0f,
      truncated: packet.flag_tc,
      authenticated: packet.flag_ad,
      referral:
        !packet.flag_aa &&
        packet.answers?.length === 0 &&
        absence === undefined &&
        authorities.some((authority) => authority.type === 'NS'),
      answers,
      negativeTtl: absence,
    };
  } catch {
    // The codec throws on whatever it cannot read; the bytes are somebody else's.
    return undefined;
  }
}

export function rcodeName(rcode: number): string {
  return RCODE_NAMES[rcode] ?? `RCODE ${rcode}`;
}

function answerRecord(answer: codec.Answer): AnswerRecord | 'malformed' | undefined {
  if (answer.type === 'OPT' || (answer.class ?? 'IN') !== 'IN') return undefined;
  const owner = { name: canonical(answer.name), ttl: ttlSeconds(answer.ttl) };
  if (answer.type === 'CNAME') return { ...owner, type: 'CNAME', target: canonical(answer.data) };
  // The codec reads addresses beyond the end of a message as `undefined`.
  if (answer.type === 'A') return isIPv4(answer.data) ? { ...owner, type: 'A', data: answer.data } : 'malformed';
  if (answer.type === 'AAAA') return isIPv6(answer.data) ? { ...owner, type: 'AAAA', data: answer.data } : 'malformed';
  if (answer.type !== 'SRV') return undefined;
  const { priority = 0, weight = 0, port, target } = answer.data;
  return { ...owner, type: 'SRV', data: { priority, weight, port, target: canonical(target) } };
}

/** RFC 2308 §5: the lesser of the SOA record's TTL and its MINIMUM. */
function negativeTtl(authorities: readonly codec.Answer[]): number | undefined {
  for (const authority of authorities) {
    if (authority.type === 'SOA') return Math.min(ttlSeconds(authority.ttl), ttlSeconds(authority.data.minimum));
  }
  return undefined;
}

/** RFC 2181 §8: a TTL with the most significant bit set is zero. */
function ttlSeconds(ttl: number | undefined): number {
  return ttl === undefined || ttl > 0x7f_ff_ff_ff ? 0 : ttl;
}

/** The root is `''`. */
function canonical(name: string): string {
  return name === '.' ? '' : name.toLowerCase();
}
