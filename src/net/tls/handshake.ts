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

const errors = new WeakMap<TLSSocket, Error>();

/**
 * The error that ended a secured connection, whoever listened when it came; `undefined` when there was none. To be asked on
 * 'close': `failureInWords` and `isAlert` tell what it means.
 */
export function errorOf(secured: TLSSocket): Error | undefined {
  return errors.get(secured) ?? secured.errored ?? undefined;
}

/**
 * Waits for the end of a handshake.
 *
 * From now on neither socket can raise an unhandled 'error', and every error ends the connection, which Node alone does not do.
 *
 * Node tells of the end of a handshake from inside of OpenSSL, and what awaits it goes on there. A secured connection is therefore ended by
 * destroying `secured`, which takes the raw socket along when OpenSSL is done. Destroying the raw socket first frees what OpenSSL still
 * uses, and the process dies of SIGSEGV (Node 24).
 *
 * @returns `undefined` when the connection is secured, else why not; both sockets are destroyed then.
 */
export async function handshake(
  secured: TLSSocket,
  raw: Socket,
  done: 'secure' | 'secureConnect',
  { timeoutMs, signal }: HandshakeLimits,
): Promise<string | undefined> {
  const endConnection = (error: Error): void => {
    errors.set(secured, error);
    secured.destroy();
  };
  secured.on('error', endConnection);
  // A TLSSocket that was not made by a tls.Server tells of faults after the handshake (a record that is not authentic, an alert)
  // by this event alone: it emits no 'error' and stays open for ever.
  secured.on('_tlsError', endConnection);
  raw.on('error', endConnection);
  const ended = Promise.withResolvers<string | undefined>();
  const onDone = (): void => ended.resolve(undefined);
  const onError = (error: unknown): void => ended.resolve(failureInWords(error));
  const onClose = (): void => ended.resolve(failureInWords(errorOf(secured)));
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
