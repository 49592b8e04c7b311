import type { Socket, TcpSocketConnectOpts } from 'node:net';
import type { Domain } from '../../protocol/jid/domain.ts';
import type { NoteSink, NoteSubject } from '../../protocol/notes.ts';
import { hostPort } from '../dns/records.ts';
import type { DomainResolver, Endpoint, NoEndpoint } from '../dns/targets.ts';
import { race } from './race.ts';

/** Milliseconds: one address, and the start of the next (RFC 8305 §8). */
const DEFAULTS = { timeout: 10_000, stagger: 250 } as const;

export interface DialOptions {
  readonly resolver: Pick<DomainResolver, 'targets'>;
  readonly notes: NoteSink;
  /** Goes with every note of this run. */
  readonly subject: NoteSubject;
  readonly signal: AbortSignal;
  /** Whether servers may be connected to that take TLS first (XEP-0368). */
  readonly directTls: boolean;
  /** Local addresses that connections leave from, at most one per family. */
  readonly dialFrom?: readonly string[];
  /** Milliseconds for one address. */
  readonly connectTimeout?: number;
  /** Milliseconds after which the next address of a target is tried beside the one before. */
  readonly stagger?: number;
  /** In place of `net.connect`. */
  readonly connect?: (options: TcpSocketConnectOpts) => Socket;
}

/** A connection. From now on it is the receiver's to use and to destroy. */
export interface Dialed {
  /** Connected and paused; nothing was written, nothing read. An error before the receiver listens shows as `destroyed`. */
  readonly socket: Socket;
  readonly endpoint: Endpoint;
  /** The one of the endpoint's addresses that answered. */
  readonly address: string;
}

/** Why there is no (further) connection. `detail` names what was tried. */
export interface DialFailure {
  readonly stage: NoEndpoint['stage'] | 'tcp';
  readonly detail: string;
}

/**
 * Connects to a server of a domain (RFC 6120 §3.2): target by target, the addresses of one target racing.
 *
 * Whoever takes a connection and fails on it (TLS, stream negotiation) asks for the next one; every address that did not fail
 * itself is tried before the next target. Who is content calls `return()`.
 *
 * @returns the failure, when nothing is left to try
 * @throws the signal's reason once it is aborted; no socket, timer or query of ours is then left
 */
export async function* dial(domain: Domain, options: DialOptions): AsyncGenerator<Dialed, DialFailure> {
  const { notes, subject, signal, directTls } = options;
  const failures: string[] = [];
  const targets = options.resolver.targets(domain, { signal, subject, directTls });
  try {
    for (;;) {
      const target = await targets.next();
      if (target.done === true) return target.value ?? { stage: 'tcp', detail: summary(failures, domain) };
      const endpoint = target.value;
      for (let left = endpoint.addresses; left.length > 0; ) {
        const started = performance.now();
        const finish = await race(left, {
          port: endpoint.port,
          dialFrom: options.dialFrom ?? [],
          timeout: options.connectTimeout ?? DEFAULTS.timeout,
          stagger: options.stagger ?? DEFAULTS.stagger,
          signal,
          connect: options.connect,
          onAttempt: (address) => notes({ note: 'connecting', host: endpoint.host, address }, subject),
          onFailure: (address, detail) => {
            failures.push(detail);
            notes({ note: 'connect-failed', address, detail }, subject);
          },
        });
        if (finish.socket === undefined) break;
        if (signal.aborted) {
          finish.socket.destroy();
          throw signal.reason as Error;
        }
        const seconds = (performance.now() - started) / 1000;
        notes({ note: 'connected', address: hostPort(finish.address, endpoint.port), seconds }, subject);
        yield { socket: finish.socket, endpoint, address: finish.address };
        left = finish.left;
      }
    }
  } finally {
    await targets.return(undefined);
  }
}

/** The first failures in words; many of them are counted. */
function summary(failures: readonly string[], domain: Domain): string {
  if (failures.length === 0) return `no other address of ${domain} is left`;
  const more = failures.length - 4;
  return failures.slice(0, 4).join('; ') + (more > 0 ? `; and ${more} more` : '');
}
