import type { Socket } from 'node:net';

const NEWLINE = 0x0a;

/**
 * Reads one line, which has to be the next thing that arrives: bounded in length and in time.
 *
 * @returns without its end; `undefined`: it was too long, too late, not UTF-8, or the connection ended before
 */
export function readLine(
  socket: Socket,
  { bytes, timeoutMs }: { readonly bytes: number; readonly timeoutMs: number },
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (line: string | undefined): void => {
      clearTimeout(timer);
      socket.pause();
      socket.off('data', onData);
      socket.off('close', onGone);
      socket.off('end', onGone);
      resolve(line);
    };
    const onData = (chunk: Buffer): void => {
      const end = chunk.indexOf(NEWLINE);
      const part = end < 0 ? chunk : chunk.subarray(0, end);
      size += part.length;
      chunks.push(part);
      if (size > bytes) finish(undefined);
      else if (end >= 0) finish(decoded(Buffer.concat(chunks)));
    };
    const onGone = (): void => finish(undefined);
    const timer = setTimeout(onGone, timeoutMs);
    socket.on('data', onData);
    socket.once('close', onGone);
    socket.once('end', onGone);
    if (socket.destroyed) finish(undefined);
    else socket.resume();
  });
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // Not UTF-8.
    return undefined;
  }
}
