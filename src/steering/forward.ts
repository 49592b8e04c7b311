import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { framed, MessageReader } from './tcp-frames.ts';

/** A DNS server. */
export interface Upstream {
  readonly address: string;
  readonly port: number;
}

/** Questions that may be open at the same time. */
const MOST_OPEN = 256;

/**
 * Passes questions on to other DNS servers, as they came, and brings the answers back, as they came. Each question leaves from a
 * new socket with a new random id; only an answer from that server, with that id, to that question is passed back.
 */
export class Forwarder {
  readonly #upstreams: readonly Upstream[];
  readonly #timeout: number;
  readonly #open = new Set<() => void>();

  /** @param timeout milliseconds for one server */
  constructor(upstreams: readonly Upstream[], timeout: number) {
    this.#upstreams = upstreams;
    this.#timeout = timeout;
  }

  /**
   * @param question the client's message, `questionEnd` the end of its question section
   * @returns the answer with the client's id; `undefined` when no server answered, or too many questions are open
   */
  async forward(question: Buffer, questionEnd: number, over: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    for (const upstream of this.#upstreams) {
      if (this.#open.size >= MOST_OPEN) return undefined;
      const id = randomInt(0x1_00_00);
      const query = withId(question, id);
      const answers = (reply: Buffer): boolean => isAnswer(reply, query, questionEnd);
      const reply = await (over === 'udp' ? this.#udp(upstream, query, answers) : this.#tcp(upstream, query, answers));
      if (reply !== undefined) return withId(reply, question.readUInt16BE(0));
    }
    return undefined;
  }

  /** Ends every open question without an answer. */
  close(): void {
    for (const end of this.#open) end();
  }

  #udp({ address, port }: Upstream, query: Buffer, answers: (reply: Buffer) => boolean): Promise<Buffer | undefined> {
    return this.#exchange((settle) => {
      const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
      let open = true;
      socket.on('error', () => settle(undefined));
      socket.on('message', (reply) => {
        if (answers(reply)) settle(reply);
      });
      // No callback: with one, it would get the errors.
      socket.connect(port, address);
      socket.on('connect', () => {
        if (open) socket.send(query);
      });
      return () => {
        open = false;
        socket.close();
      };
    });
  }

  #tcp({ address, port }: Upstream, query: Buffer, answers: (reply: Buffer) => boolean): Promise<Buffer | undefined> {
    return this.#exchange((settle) => {
      const socket = connect({ host: address, port });
      const reader = new MessageReader(0xff_ff);
      socket.on('connect', () => socket.write(framed(query)));
      socket.on('data', (chunk) => {
        const reply = reader.read(chunk)?.[0];
        if (reply !== undefined) settle(answers(reply) ? reply : undefined);
      });
      socket.on('end', () => settle(undefined));
      socket.on('error', () => settle(undefined));
      return () => socket.destroy();
    });
  }

  #exchange(begin: (settle: (reply: Buffer | undefined) => void) => () => void): Promise<Buffer | undefined> {
    return new Promise((resolve) => {
      const settle = (reply: Buffer | undefined): void => {
        if (!this.#open.delete(end)) return;
        clearTimeout(timer);
        close();
        resolve(reply);
      };
      const end = (): void => settle(undefined);
      this.#open.add(end);
      const close = begin(settle);
      const timer = setTimeout(end, this.#timeout);
    });
  }
}

function withId(message: Buffer, id: number): Buffer {
  const copy = Buffer.from(message);
  copy.writeUInt16BE(id, 0);
  return copy;
}

/** The id is right, it is a response, and the question is ours (letter case aside, RFC 1035 §2.3.3). */
function isAnswer(reply: Buffer, query: Buffer, questionEnd: number): boolean {
  if (reply.length < 12 || reply.readUInt16BE(0) !== query.readUInt16BE(0)) return false;
  if ((reply.readUInt16BE(2) & 0x80_00) === 0) return false;
  const lower = (bytes: Buffer): string => bytes.subarray(12, questionEnd).toString('latin1').toLowerCase();
  return reply.readUInt16BE(4) === 1 && lower(reply) === lower(query);
}
