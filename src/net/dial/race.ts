import { connect, isIPv6, type Socket, type TcpSocketConnectOpts } from 'node:net';
import { hostPort } from '../dns/records.ts';
import { socketFailure } from '../dns/socket-failure.ts';

export interface RaceOptions {
  readonly port: number;
  /** Local addresses to leave from, at most one per family; a family without one leaves from wherever the system chooses. */
  readonly dialFrom: readonly string[];
  /** Milliseconds for one address. */
  readonly timeout: number;
  /** Milliseconds from one attempt to the next (RFC 8305 §5). */
  readonly stagger: number;
  readonly signal: AbortSignal;
  readonly connect?: ((options: TcpSocketConnectOpts) => Socket) | undefined;
  readonly onAttempt: (peer: string) => void;
  readonly onFailure: (peer: string, detail: string) => void;
}

/** Who was first, and the addresses that have not failed; nobody when all have. */
export type Finish =
  | { readonly socket: Socket; readonly address: string; readonly left: readonly string[] }
  | { readonly socket: undefined };

interface Runner {
  readonly address: string;
  readonly socket: Socket;
  readonly timer: NodeJS.Timeout;
}

/**
 * Connects to the addresses of one target, each starting a little after the one before, or at once when one has failed (RFC 8305
 * §5). The first connection wins; the others are destroyed before a byte was sent. The winner is paused: nothing is read from it.
 *
 * @throws the signal's reason once it is aborted; no socket and no timer is then left
 */
export function race(addresses: readonly string[], options: RaceOptions): Promise<Finish> {
  return new Promise((resolve, reject) => {
    const { port, signal } = options;
    const waiting = [...addresses];
    const running = new Set<Runner>();
    let next: NodeJS.Timeout | undefined;

    const stop = (): void => {
      clearTimeout(next);
      signal.removeEventListener('abort', abort);
      for (const { socket, timer } of running) {
        clearTimeout(timer);
        socket.destroy();
      }
      running.clear();
    };

    const abort = (): void => {
      stop();
      reject(signal.reason as Error);
    };

    const win = (runner: Runner): void => {
      clearTimeout(runner.timer);
      running.delete(runner);
      const left = [...[...running].map((loser) => loser.address), ...waiting];
      stop();
      resolve({ socket: runner.socket, address: runner.address, left });
    };

    const fail = (runner: Runner, detail: string): void => {
      clearTimeout(runner.timer);
      // After its end an attempt has no second one; errors of a winner are its new owner's, who also hears `close`.
      if (!running.delete(runner)) return;
      runner.socket.destroy();
      options.onFailure(hostPort(runner.address, port), detail);
      start();
    };

    const start = (): void => {
      clearTimeout(next);
      const address = waiting.shift();
      if (address === undefined) {
        if (running.size > 0) return;
        stop();
        resolve({ socket: undefined });
        return;
      }
      const peer = hostPort(address, port);
      options.onAttempt(peer);
      const socket = open(address, options);
      const late = `no answer from ${peer} within ${options.timeout / 1000} s`;
      const runner: Runner = { address, socket, timer: setTimeout(() => fail(runner, late), options.timeout) };
      running.add(runner);
      socket.on('error', (error) => fail(runner, socketFailure(error, peer)));
      socket.once('connect', () => win(runner));
      next = setTimeout(start, options.stagger);
    };

    if (signal.aborted) {
      abort();
      return;
    }
    signal.addEventListener('abort', abort);
    start();
  });
}

function open(address: string, options: RaceOptions): Socket {
  const from = options.dialFrom.find((local) => isIPv6(local) === isIPv6(address));
  const socket = (options.connect ?? connect)({
    host: address,
    port: options.port,
    noDelay: true,
    ...(from === undefined ? {} : { localAddress: from }),
  });
  // Else Node starts to read into its own buffer as soon as the connection is there.
  socket.pause();
  return socket;
}
