import { printJid } from '../../protocol/jid/print.ts';
import type { ClientTransport } from '../../protocol/notes/clients.ts';
import { ClientConnection } from './connection.ts';
import type { LiveSession } from './session.ts';

/** A session as an administrator sees it. Plain data. */
export interface ClientSessionFacts {
  /** The full address. */
  readonly address: string;
  /** Since when the session exists, in Unix milliseconds. */
  readonly since: number;
  /** Stream management: not enabled, enabled, enabled so that the session can be resumed, or waiting for the client to resume it. */
  readonly management: 'off' | 'on' | 'resumable' | 'away';
  /** Stanzas that the client has not acknowledged. */
  readonly unacknowledged: number;
  /** `undefined`: the client is away. */
  readonly connection: ClientConnectionFacts | undefined;
}

export interface ClientConnectionFacts {
  /** As in the log. */
  readonly connection: string;
  readonly transport: ClientTransport;
  /** Address and port of the client. */
  readonly peer: string;
  /** Unix milliseconds. */
  readonly since: number;
  /** `TLSv1.3 TLS_AES_256_GCM_SHA384` */
  readonly tls: string | undefined;
  /** The SASL mechanism. */
  readonly mechanism: string | undefined;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export function factsOfSession(session: LiveSession): ClientSessionFacts {
  const { management, stream } = session;
  return {
    address: printJid(session.address),
    since: session.since,
    management:
      stream === undefined
        ? 'away'
        : management === undefined
          ? 'off'
          : management.id === undefined
            ? 'on'
            : 'resumable',
    unacknowledged: management?.waiting.stanzas ?? 0,
    connection: stream instanceof ClientConnection ? factsOfConnection(stream) : undefined,
  };
}

function factsOfConnection({ handle, transport, peer, driver, stream }: ClientConnection): ClientConnectionFacts {
  const { mechanism, tls } = stream.clientFacts;
  return {
    connection: handle,
    transport,
    peer,
    since: driver.since,
    tls: tls === undefined ? undefined : `${tls.version} ${tls.cipher}`,
    mechanism,
    bytesIn: driver.bytesIn,
    bytesOut: driver.bytesOut,
  };
}
