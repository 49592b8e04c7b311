import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { failureInWords } from './failure.ts';

/** Bounds of one handshake. */
export interface HandshakeLimits {
  /** Milliseconds from now to the end of the handshake. */
  readonly timeoutMs: number;
  /** Ends the handshake at once. */
  readonly signal?: AbortSignal;
}

/** Errors have to go somewhere when nobody listens (yet): the 'close' that follows each of them is what streams act on. */
export function ignoreError(): void {}

/**
 * Waits for the end of a handshake.
 *
 * @returns `undefined` when the connection is secured, else why not; both sockets are destroyed then. Neither socket can raise
 *   an unhandled 'error' from now on; whoever wants to know of errors after the handshake listens, or looks at `errored`.
 */
export async function handshake(
  secured: TLSSocket,
  raw: Socket,
  done: 'secure' | 'secureConnect',
  { timeoutMs, signal }: HandshakeLimits,
): Promise<string | undefined> {
  secured.on('error', ignoreError);
  raw.on('error', ignoreError);
  const ended = Promise.withResolvers<string | undefined>();
  const onDone = (): void => ended.resolve(undefined);
  const onError = (error: unknown): void => ended.resolve(failureInWords(error));
  const onClose = (): void => ended.resolve(failureInWords(secured.errored ?? undefined));
  const onAbort = (): void => ended.resolve('the handshake was given up');
  const timer = setTimeout(() => ended.resolve(`no handshake within ${timeoutMs / 1000} s`), timeoutMs);
  secured.once(done, onDone);
  secured.once('error', onError);
  secured.once('close', onClose);
  // A peer that ends its side in the middle of a handshake will not finish it.
  secured.once('end', onClose);
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  try {
    const failed = await ended.promise;
    if (failed !== undefined) {
      secured.destroy();
      raw.destroy();
    }
    return failed;
  } finally {
    clearTimeout(timer);
    secured.off(done, onDone);
    secured.off('error', onError);
    secured.off('close', onClose);
    secured.off('end', onClose);
    signal?.removeEventListener('abort', onAbort);
  }
}
