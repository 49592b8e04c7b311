import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { AxlAgent } from './agent.ts';
import type { AxlFailure } from './failures.ts';
import { failureOfError } from './socket-failure.ts';

/** What a server answered, whole. */
export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly retryAfter: string | undefined;
  readonly body: Buffer;
}

/** One request and the bounds of its answer. */
export interface Exchange {
  readonly agent: AxlAgent;
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Milliseconds for all of it, or of a second attempt. */
  readonly timeout: number;
  /** Bytes of the answer's body. */
  readonly limit: number;
  readonly stop: AbortSignal;
}

/**
 * Posts and reads the whole answer; redirects are answers like any other (a password goes to the address that was configured, nowhere else). Never rejects.
 *
 * Tried once more when the server had closed a kept connection before the request came there (RFC 9110 §9.2.2: what AXL is asked for here can be asked twice).
 */
export async function post(exchange: Exchange): Promise<HttpAnswer | { readonly failure: AxlFailure }> {
  const first = await attempt(exchange);
  const second = 'stale' in first ? await attempt(exchange) : first;
  return 'stale' in second ? { failure: second.stale } : second;
}

type Attempt = HttpAnswer | { readonly failure: AxlFailure } | { readonly stale: AxlFailure };

function attempt(exchange: Exchange): Promise<Attempt> {
  const { agent, host, port, path, headers, body, timeout, limit, stop } = exchange;
  const { promise, resolve } = Promise.withResolvers<Attempt>();
  if (stop.aborted) return Promise.resolve({ failure: { code: 'stopped' } });
  const sent = request({
    agent,
    host,
    port,
    path,
    method: 'POST',
    headers: { ...headers, 'Content-Length': Buffer.byteLength(body) },
  });
  const end = (result: Attempt): void => {
    clearTimeout(late);
    stop.removeEventListener('abort', stopped);
    resolve(result);
  };
  const giveUp = (failure: AxlFailure): void => {
    end({ failure });
    sent.destroy();
  };
  const stopped = (): void => giveUp({ code: 'stopped' });
  const late = setTimeout(() => giveUp({ code: 'answer-timeout', milliseconds: timeout }), timeout);
  stop.addEventListener('abort', stopped);
  sent.on('error', (error) => {
    const failure = failureOfError(error);
    end(sent.reusedSocket && failure.code === 'connection-lost' ? { stale: failure } : { failure });
  });
  // E.g. an answer that switches protocols, which is no response to Node.
  sent.on('close', () => end({ failure: { code: 'connection-lost', detail: 'there was no answer' } }));
  sent.on('response', (answer) => read(answer, limit, end, giveUp));
  sent.end(body);
  return promise;
}

function read(
  answer: IncomingMessage,
  limit: number,
  end: (result: HttpAnswer) => void,
  giveUp: (failure: AxlFailure) => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > limit) giveUp({ code: 'too-large', bytes: limit });
    else chunks.push(chunk);
  });
  answer.on('error', (error) => giveUp(failureOfError(error)));
  answer.on('end', () => {
    end({
      status: answer.statusCode ?? 0,
      contentType: answer.headers['content-type'] ?? '',
      retryAfter: answer.headers['retry-after'],
      body: Buffer.concat(chunks),
    });
  });
}
