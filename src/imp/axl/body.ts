import type { IncomingMessage } from 'node:http';
import { type Reply, textReply } from './reply.ts';

export interface BodyLimits {
  readonly bytes: number;
  /** Milliseconds for all of it. */
  readonly time: number;
}

/** The whole body of a request, or the answer that says why it is not read. The rest of one that is refused is not read. Never rejects. */
export function readBody(
  request: IncomingMessage,
  { bytes, time }: BodyLimits,
): Promise<{ readonly body: Buffer } | { readonly refused: Reply }> {
  const tooLong = textReply(413, `A body has at most ${bytes} bytes.`, { close: true });
  if (Number(request.headers['content-length'] ?? 0) > bytes) return Promise.resolve({ refused: tooLong });
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const done = (result: { body: Buffer } | { refused: Reply }): void => {
      clearTimeout(timer);
      request.off('data', take).off('end', ended).off('close', gone);
      if ('refused' in result) request.pause();
      resolve(result);
    };
    const take = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > bytes) done({ refused: tooLong });
      else chunks.push(chunk);
    };
    const ended = (): void => done({ body: Buffer.concat(chunks) });
    const gone = (): void => done({ refused: textReply(400, 'The body did not arrive.', { close: true }) });
    const timer = setTimeout(
      () =>
        done({ refused: textReply(408, `The body did not arrive within ${time / 1000} seconds.`, { close: true }) }),
      time,
    );
    request.on('data', take).on('end', ended).on('close', gone).on('error', gone);
  });
}

/** The media type of a request, in lower case and without parameters. */
export function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** Reads what is left of a body and throws it away, up to the limits. The answer: how many bytes. Never rejects. */
export function drain(request: IncomingMessage, { bytes, time }: BodyLimits): Promise<number> {
  if (request.complete || request.destroyed || Number(request.headers['content-length'] ?? 0) > bytes) {
    return Promise.resolve(0);
  }
  return new Promise((resolve) => {
    let size = 0;
    const done = (): void => {
      clearTimeout(timer);
      request.off('data', take).off('end', done).off('close', done);
      resolve(size);
    };
    const take = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > bytes) done();
    };
    const timer = setTimeout(done, time);
    request.on('data', take).on('end', done).on('close', done).on('error', done).resume();
  });
}
