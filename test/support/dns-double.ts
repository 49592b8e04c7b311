import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import * as codec from 'dns-packet';

/** How the double answers a question once. Everything left out is as a correct server would have it. */
export interface ScriptedReply {
  readonly answers?: codec.Answer[];
  readonly authorities?: codec.Answer[];
  readonly rcode?: number;
  /** The AD bit. */
  readonly authenticated?: boolean;
  /** TC and no records over UDP; the answers come over TCP. */
  readonly truncated?: boolean;
  /** Milliseconds to wait. */
  readonly delay?: number;
  /** No answer at all. */
  readonly silent?: boolean;
  /** Before the answer, lies as somebody would tell who can send but not read: a wrong id, then another question. */
  readonly liesFirst?: codec.Answer[];
  /** These bytes behind the right id, instead of a message. */
  readonly raw?: Buffer;
}

/** A question as it arrived. */
export interface SeenQuery {
  readonly name: string;
  readonly type: string;
  readonly over: 'udp' | 'tcp';
  readonly id: number;
  readonly port: number;
  readonly edns: boolean;
}

/**
 * A scriptable DNS server on a loopback address, UDP and TCP on one port: authoritative for what it is told, and able to be slow,
 * silent, broken and lying. Names it was told nothing about do not exist.
 */
export class DnsDouble {
  readonly queries: SeenQuery[] = [];
  readonly #records = new Map<string, codec.Answer[]>();
  readonly #scripts = new Map<string, ScriptedReply[]>();
  readonly #names = new Set<string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #connections = new Set<Socket>();
  readonly #watchers: { readonly count: number; resolve(): void }[] = [];
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  /** Seconds for which absence may be remembered. */
  negativeTtl = 60;

  static async start(address = '127.0.0.1'): Promise<DnsDouble> {
    for (;;) {
      const udp = createSocket('udp4');
      udp.bind(0, address);
      await once(udp, 'listening');
      const tcp = createServer();
      tcp.listen(udp.address().port, address);
      try {
        await once(tcp, 'listening');
        return new DnsDouble(udp, tcp);
      } catch {
        // The port is free for UDP and taken for TCP: another one.
        udp.close();
      }
    }
  }

  private constructor(udp: UdpSocket, tcp: Server) {
    this.#udp = udp;
    this.#tcp = tcp;
    udp.on('message', (bytes, client) => {
      this.#handle(bytes, 'udp', client.port, (reply) => udp.send(reply, client.port, client.address));
    });
    tcp.on('connection', (socket) => this.#serve(socket));
  }

  get server(): { readonly address: string; readonly port: number } {
    const { address, port } = this.#tcp.address() as AddressInfo;
    return { address, port };
  }

  srv(domain: string, ...records: readonly [priority: number, weight: number, port: number, target: string][]): this {
    return this.#srv('_xmpp-server', domain, records);
  }

  /** Records of direct TLS. */
  srvTls(
    domain: string,
    ...records: readonly [priority: number, weight: number, port: number, target: string][]
  ): this {
    return this.#srv('_xmpps-server', domain, records);
  }

  #srv(
    service: string,
    domain: string,
    records: readonly (readonly [priority: number, weight: number, port: number, target: string])[],
  ): this {
    for (const [priority, weight, port, target] of records) {
      this.#add({
        name: `${service}._tcp.${domain}`,
        type: 'SRV',
        ttl: 60,
        data: { priority, weight, port, target },
      });
    }
    return this;
  }

  a(name: string, ...addresses: readonly string[]): this {
    for (const data of addresses) this.#add({ name, type: 'A', ttl: 60, data });
    return this;
  }

  aaaa(name: string, ...addresses: readonly string[]): this {
    for (const data of addresses) this.#add({ name, type: 'AAAA', ttl: 60, data });
    return this;
  }

  cname(name: string, target: string): this {
    this.#add({ name, type: 'CNAME', ttl: 60, data: target });
    return this;
  }

  /** Answers to one question in turn; the last one is repeated. */
  script(type: string, name: string, ...replies: readonly ScriptedReply[]): this {
    this.#names.add(name);
    this.#scripts.set(`${type} ${name}`, [...replies]);
    return this;
  }

  /** The questions that arrived: `SRV _xmpp-server._tcp.vngtp.lab`. */
  asked(): string[] {
    return this.queries.map((query) => `${query.type} ${query.name}`);
  }

  /** Resolves when so many questions have arrived. */
  seen(count: number): Promise<void> {
    if (this.queries.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#watchers.push({ count, resolve }));
  }

  /** TCP connections that are open. */
  get connections(): number {
    return this.#connections.size;
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const connection of this.#connections) connection.destroy();
    this.#udp.close();
    this.#tcp.close();
    await Promise.all([once(this.#udp, 'close'), once(this.#tcp, 'close')]);
  }

  #add(record: codec.Answer): void {
    const key = `${record.type} ${record.name}`;
    this.#names.add(record.name);
    this.#records.set(key, [...(this.#records.get(key) ?? []), record]);
  }

  #serve(socket: Socket): void {
    this.#connections.add(socket);
    socket.on('close', () => this.#connections.delete(socket));
    socket.on('error', () => socket.destroy());
    let received = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        this.#handle(received.subarray(2, end), 'tcp', socket.remotePort ?? 0, (reply) => {
          const length = Buffer.alloc(2);
          length.writeUInt16BE(reply.length);
          if (socket.writable) socket.write(Buffer.concat([length, reply]));
        });
        received = received.subarray(end);
      }
    });
  }

  #handle(bytes: Buffer, over: 'udp' | 'tcp', port: number, send: (reply: Buffer) => void): void {
    const query = codec.decode(bytes);
    const question = query.questions?.[0];
    if (question === undefined) return;
    const name = question.name.toLowerCase();
    const id = query.id ?? 0;
    const edns = query.additionals?.some((record) => record.type === 'OPT') ?? false;
    this.queries.push({ name, type: question.type, over, id, port, edns });
    for (const watcher of this.#watchers) if (this.queries.length >= watcher.count) watcher.resolve();

    const reply = this.#replyTo(name, question.type);
    if (reply.silent === true) return;
    for (const lie of reply.liesFirst ?? []) {
      const answers = [lie];
      send(codec.encode({ type: 'response', id: (id + 1) & 0xff_ff, questions: [question], answers }));
      send(codec.encode({ type: 'response', id, questions: [{ ...question, name: `other.${name}` }], answers }));
    }
    const answer = (): void => send(this.#encode(id, question, reply, over, edns ? 1232 : 512));
    if (reply.delay === undefined) {
      answer();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      answer();
    }, reply.delay);
    this.#timers.add(timer);
  }

  #encode(id: number, question: codec.Question, reply: ScriptedReply, over: 'udp' | 'tcp', limit: number): Buffer {
    if (reply.raw !== undefined) {
      const head = Buffer.alloc(2);
      head.writeUInt16BE(id);
      return Buffer.concat([head, reply.raw]);
    }
    const flags = codec.RECURSION_AVAILABLE | (reply.authenticated === true ? codec.AUTHENTIC_DATA : 0);
    const head: codec.Packet = { type: 'response', id, questions: [question] };
    const truncated = codec.encode({ ...head, flags: flags | codec.TRUNCATED_RESPONSE });
    if (reply.truncated === true && over === 'udp') return truncated;
    const whole = codec.encode({
      ...head,
      flags: flags | (reply.rcode ?? 0),
      answers: reply.answers ?? [],
      authorities: reply.authorities ?? [],
    });
    return over === 'udp' && whole.length > limit ? truncated : whole;
  }

  #replyTo(name: string, type: string): ScriptedReply {
    const script = this.#scripts.get(`${type} ${name}`);
    const scripted = script !== undefined && script.length > 1 ? script.shift() : script?.[0];
    if (scripted !== undefined) return scripted;
    const alias = this.#records.get(`CNAME ${name}`);
    const answers = alias ?? this.#records.get(`${type} ${name}`);
    if (answers !== undefined) return { answers };
    return { rcode: this.#names.has(name) ? 0 : 3, authorities: [soa(this.negativeTtl)] };
  }
}

/** The record that says how long absence may be remembered. */
export function soa(minimum: number): codec.Answer {
  return { name: 'lab', type: 'SOA', ttl: minimum, data: { mname: 'ns.lab', rname: 'nobody.lab', minimum } };
}
