import { Buffer } from 'node:buffer';
import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import packet, { type Answer, type Packet, type Question } from 'dns-packet';
import { portAdvice } from './addresses.ts';
import { DIRECT_TLS_PORT } from './organization.ts';

/** One name of the lab's world. */
type ZoneRecord =
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
  | {
      readonly type: 'SRV';
      readonly target: string;
      readonly port: number;
      readonly priority?: number;
      readonly weight?: number;
    };

/** How questions below a domain are (not) answered. */
type Misbehavior = 'silent' | 'refused' | 'failing' | { readonly delayMs: number };

/** What somebody asked, in order. */
interface AskedQuestion {
  readonly name: string;
  readonly type: string;
}

/** The DNS of the world outside: a small authoritative server on UDP and TCP, its zone plain data that may change while it runs. */
export interface WorldDns {
  /** `address:port` */
  readonly endpoint: string;
  readonly address: string;
  readonly asked: readonly AskedQuestion[];
  /** Replaces the records of a name. */
  set(name: string, records: readonly ZoneRecord[]): void;
  /** A server of a domain: SRV to `xmpp.<domain>`, its A record, and the same for the given services below it; of STARTTLS or of direct TLS. */
  publish(domain: string, address: string, services?: readonly string[], directTls?: boolean): void;
  /** From now on, for the domain and every name below it; `undefined` cures it. */
  misbehave(domain: string, how: Misbehavior | undefined): void;
  stop(): Promise<void>;
}

/** So that a change of the zone is seen by the next look-up. */
const TTL_SECONDS = 1;
const REFUSED = 5;
const SERVFAIL = 2;
const NXDOMAIN = 3;

export async function startWorldDns(address: string, port = 53): Promise<WorldDns> {
  const zone = new Map<string, readonly ZoneRecord[]>();
  const bad = new Map<string, Misbehavior>();
  const asked: AskedQuestion[] = [];

  const respond = async (message: Buffer): Promise<Buffer | undefined> => {
    const query = decoded(message);
    const question = query?.questions?.[0];
    if (query === undefined || question === undefined) return undefined;
    const name = question.name.toLowerCase();
    asked.push({ name, type: question.type });
    const how = [...bad].find(([domain]) => name === domain || name.endsWith(`.${domain}`))?.[1];
    if (how === 'silent') return undefined;
    if (how === 'refused') return encoded(query, question, [], REFUSED);
    if (how === 'failing') return encoded(query, question, [], SERVFAIL);
    if (typeof how === 'object') await pause(how.delayMs);
    const records = zone.get(name);
    // A name with names below it exists, if only as an empty one (RFC 8020).
    const exists = records !== undefined || [...zone.keys()].some((known) => known.endsWith(`.${name}`));
    const answers = (records ?? [])
      .filter(({ type }) => type === question.type)
      .map((record) => answer(question.name, record));
    return encoded(query, question, answers, exists ? 0 : NXDOMAIN);
  };

  const udp = dgram.createSocket('udp4');
  udp.on('message', (message, from) => {
    const answer = async (): Promise<void> => {
      const reply = await respond(message);
      if (reply !== undefined) udp.send(reply, from.port, from.address, () => undefined);
    };
    void answer();
  });
  const sockets = new Set<net.Socket>();
  const tcp = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let pending = Buffer.alloc(0);
    const answer = async (message: Buffer): Promise<void> => {
      const reply = await respond(message);
      if (reply === undefined || socket.destroyed) return;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(reply.length);
      socket.write(Buffer.concat([length, reply]));
    };
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const end = 2 + pending.readUInt16BE(0);
        void answer(pending.subarray(2, end));
        pending = pending.subarray(end);
      }
    });
  });
  try {
    udp.bind(port, address);
    await once(udp, 'listening');
    tcp.listen(port, address);
    await once(tcp, 'listening');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`the lab's DNS cannot listen on ${address}:${port}: ${reason}${portAdvice(port, reason)}`, {
      cause: error,
    });
  }

  const set = (name: string, records: readonly ZoneRecord[]): void => void zone.set(name.toLowerCase(), records);
  return {
    endpoint: `${address}:${port}`,
    address,
    asked,
    set,
    publish(domain, host, services = ['conference'], directTls = false) {
      const target = `xmpp.${domain}`;
      set(target, [{ type: 'A', address: host }]);
      for (const name of [domain, ...services.map((service) => `${service}.${domain}`)]) {
        if (directTls) set(`_xmpps-server._tcp.${name}`, [{ type: 'SRV', target, port: DIRECT_TLS_PORT }]);
        else set(`_xmpp-server._tcp.${name}`, [{ type: 'SRV', target, port: 5269 }]);
      }
    },
    misbehave(domain, how) {
      if (how === undefined) bad.delete(domain);
      else bad.set(domain, how);
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      const done = [once(udp, 'close'), once(tcp, 'close')];
      udp.close();
      tcp.close();
      await Promise.all(done);
    },
  };
}

function decoded(message: Buffer): Packet | undefined {
  try {
    return packet.decode(message);
  } catch {
    return undefined;
  }
}

function answer(name: string, record: ZoneRecord): Answer {
  if (record.type !== 'SRV') return { type: record.type, name, ttl: TTL_SECONDS, data: record.address };
  const { target, port, priority = 0, weight = 0 } = record;
  return { type: 'SRV', name, ttl: TTL_SECONDS, data: { target, port, priority, weight } };
}

/** A negative answer carries the SOA record that says how long it may be kept (RFC 2308 §3). */
function encoded(query: Packet, question: Question, answers: Answer[], code: number): Buffer {
  const soa: Answer = {
    type: 'SOA',
    name: question.name.split('.').at(-1) ?? '.',
    ttl: TTL_SECONDS,
    data: {
      mname: 'dns.lab',
      rname: 'hostmaster.lab',
      serial: 1,
      refresh: 60,
      retry: 60,
      expire: 60,
      minimum: TTL_SECONDS,
    },
  };
  return packet.encode({
    type: 'response',
    ...(query.id === undefined ? {} : { id: query.id }),
    // dns-packet keeps the response code in the low four bits of the flags.
    flags: packet.AUTHORITATIVE_ANSWER | packet.RECURSION_DESIRED | packet.RECURSION_AVAILABLE | code,
    questions: [question],
    answers,
    authorities: answers.length === 0 && code !== REFUSED && code !== SERVFAIL ? [soa] : [],
  });
}
