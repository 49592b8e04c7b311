import type { ClientRequestArgs } from 'node:http';
import { Agent } from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContext, TLSSocket } from 'node:tls';
import { connect, createSecureContext, getCACertificates, rootCertificates } from 'node:tls';
import type { AxlSettings } from './settings.ts';

/** An idle connection is closed by us before the server does: Tomcat keeps it for 20 seconds and more, our own node for 10. */
const IDLE_MS = 5_000;

/** A connection was not there in time. */
export class ConnectTimeout extends Error {
  readonly milliseconds: number;

  constructor(milliseconds: number) {
    super('the connection was not made in time');
    this.milliseconds = milliseconds;
  }
}

/**
 * Connections to one publisher. A request gets a connection only when the certificate at its other end has been judged: Node's own agent hands it out before,
 * and whether anything of a request, the password in it, leaves in that moment would be up to its buffers.
 */
export class AxlAgent extends Agent {
  readonly #settings: Pick<AxlSettings, 'host' | 'port' | 'tls' | 'authorities'>;
  readonly #connectMs: number;
  readonly #context: SecureContext;
  readonly #connecting = new Set<TLSSocket>();

  /** Throws when an authority is no certificate. */
  constructor(settings: Pick<AxlSettings, 'host' | 'port' | 'tls' | 'authorities'>, connectMs: number) {
    super({ keepAlive: true, maxSockets: 1, timeout: IDLE_MS });
    this.#settings = settings;
    this.#connectMs = connectMs;
    this.#context = createSecureContext({ ca: authoritiesOf(settings.authorities), minVersion: 'TLSv1.2' });
  }

  override createConnection(
    _options: ClientRequestArgs,
    done?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const { host, port, tls } = this.#settings;
    const socket = connect({
      host,
      port,
      secureContext: this.#context,
      rejectUnauthorized: tls === 'verify',
      ALPNProtocols: ['http/1.1'],
      // RFC 6066 §3: an address is not a server name.
      ...(isIP(host) === 0 ? { servername: host } : {}),
    });
    this.#connecting.add(socket);
    const late = setTimeout(() => socket.destroy(new ConnectTimeout(this.#connectMs)), this.#connectMs);
    const settle = (error: Error | null): void => {
      if (!this.#connecting.delete(socket)) return;
      clearTimeout(late);
      done?.(error, socket);
    };
    socket.once('secureConnect', () => settle(null));
    // Also later: between this connection and the request there may be nobody else who listens.
    socket.on('error', settle);
    socket.once('close', () => settle(new Error('the connection was closed')));
    return undefined;
  }

  override destroy(): void {
    for (const socket of this.#connecting) socket.destroy();
    super.destroy();
  }
}

function authoritiesOf(own: readonly string[]): string[] {
  if (own.length > 0) return [...own];
  const system = getCACertificates('system');
  return system.length > 0 ? system : [...rootCertificates];
}
