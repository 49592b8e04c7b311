/**
 * Waits for a promise until the signal is aborted. The promise itself goes on; a later rejection of it is nobody's.
 *
 * @throws the signal's reason, or what the promise was rejected with
 */
export function waitFor<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
