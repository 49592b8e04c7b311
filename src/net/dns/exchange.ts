import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { type DnsMessage, decodeResponse, encodeQuery, messageId, type Question, RCODE } from './message.ts';
import { type DnsServer, hostPort } from './records.ts';
import { socketFailure } from './socket-failure.ts';

/** What one attempt with one server came to. */
type Exchange = { readonly message: DnsMessage } | { readonly failed: string };

/**
 * Asks one server one question: over UDP, over TCP when the answer was truncated, without EDNS when the server does not know it.
 *
 * Each query has a random id and leaves from a new socket, whose port the operating system picks at random; only an answer from
 * that server with that id and that question counts (RFC 5452 §9).
 *
 * @param timeout milliseconds for each query
 * @throws the signal's reason once it is aborted; then, as always, no socket and no timer is left
 */
export async function askServer(
  server: DnsServer,
  question: Question,
  timeout: number,
  signal: AbortSignal,
): Promise<Exchange> {
  let reply = await askUdp(server, question, true, timeout, signal);
  // RFC 6891 §7.
  if ('message' in reply && (reply.message.rcode === RCODE.formErr || reply.message.rcode === RCODE.notImp)) {
    reply = await askUdp(server, question, false, timeout, signal);
  }
  if ('message' in reply && reply.message.truncated) return askTcp(server, question, timeout, signal);
  return reply;
}

function askUdp(
  server: DnsServer,
  question: Question,
  edns: boolean,
  timeout: number,
  signal: AbortSignal,
): Promise<Exchange> {
  const id = randomInt(0x1_00_00);
  const from = hostPort(server.address, server.port);
  return attempt(timeout, signal, (settle) => {
    const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4');
    let strangers = 0;
    let open = true;
    socket.on('error', (error) => settle({ failed: socketFailure(error, from) }));
    socket.on('message', (bytes) => {
      const reply = accept(bytes, id, question, from);
      if (reply === undefined) strangers++;
      else settle(reply);
    });
    // A connected socket takes datagrams of this server only, and learns at once when nobody listens there.
    // No callback: with one, it would get the errors.
    socket.connect(server.port, server.address);
    socket.on('connect', () => {
      if (open) socket.send(encodeQuery(id, question, edns));
    });
    return {
      close: () => {
        open = false;
        socket.close();
      },
      late: () =>
        `no answer from ${from} within ${timeout / 1000} s${strangers > 0 ? `, only ${strangers} with a wrong id or question` : ''}`,
    };
  });
}

/** RFC 7766. */
function askTcp(server: DnsServer, question: Question, timeout: number, signal: AbortSignal): Promise<Exchange> {
  const id = randomInt(0x1_00_00);
  const from = `${hostPort(server.address, server.port)} over TCP`;
  return attempt(timeout, signal, (settle) => {
    const socket = connect({ host: server.address, port: server.port });
    let received = Buffer.alloc(0);
    socket.on('connect', () => {
      const query = encodeQuery(id, question, true);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(query.length);
      socket.write(Buffer.concat([length, query]));
    });
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2) return;
      const end = 2 + received.readUInt16BE(0);
      if (received.length < end) return;
      const reply = accept(received.subarray(2, end), id, question, from);
      settle(reply ?? { failed: `an answer with a wrong id or question from ${from}` });
    });
    socket.on('end', () => settle({ failed: `connection closed without an answer by ${from}` }));
    socket.on('error', (error) => settle({ failed: socketFailure(error, from) }));
    return { close: () => socket.destroy(), late: () => `no answer from ${from} within ${timeout / 1000} s` };
  });
}

/** The answer in these bytes, `undefined` when they do not answer this query. */
function accept(bytes: Buffer, id: number, question: Question, from: string): Exchange | undefined {
  if (messageId(bytes) !== id) return undefined;
  const message = decodeResponse(bytes);
  if (message === undefined) return { failed: `a malformed answer from ${from}` };
  if (message.referral) return { failed: `a referral instead of an answer from ${from}` };
  // Servers that cannot read a query may answer with its header alone.
  if (message.question === undefined) return message.rcode === RCODE.noError ? undefined : { message };
  return message.question.name === question.name && message.question.type === question.type ? { message } : undefined;
}

interface Attempt {
  close(): void;
  /** The failure when the time is over. */
  late(): string;
}

/** Runs `begin` until it settles, the time is over or the signal is aborted, and closes it in each case. */
function attempt(
  timeout: number,
  signal: AbortSignal,
  begin: (settle: (exchange: Exchange) => void) => Attempt,
): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    let settled = false;
    const finish = (then: () => void): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      running.close();
      then();
    };
    const abort = (): void => finish(() => reject(signal.reason as Error));
    const running = begin((exchange) => finish(() => resolve(exchange)));
    const timer = setTimeout(() => finish(() => resolve({ failed: running.late() })), timeout);
    signal.addEventListener('abort', abort);
  });
}
