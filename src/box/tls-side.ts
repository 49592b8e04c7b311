import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { Upgrade } from '../net/s2s/stream-driver.ts';
import { acceptTls, type OwnCertificates } from '../net/tls/accept.ts';
import { startTls } from '../net/tls/start.ts';
import type { ChainJudge } from '../net/tls/trust.ts';
import type { Domain } from '../protocol/jid/domain.ts';
import type { StreamAction } from '../protocol/stream/actions.ts';

/** What one face of the box needs for TLS. */
export interface TlsMaterial {
  readonly certificates: OwnCertificates;
  /** Certificates for the initiating side; `undefined` where we have none to show for the domain. */
  contextToShow(local: Domain | undefined): SecureContext;
  readonly trust: ChainJudge;
  readonly timeoutMs: number;
}

/** TLS on one face of the box: with its own certificates, and its own trust. */
export class TlsSide {
  private readonly material: TlsMaterial;

  constructor(material: TlsMaterial) {
    this.material = material;
  }

  /** After our `<proceed/>`. */
  accept(socket: Socket, action: Extract<StreamAction, { do: 'start-tls' }>): Promise<Upgrade> {
    const { certificates, trust, timeoutMs } = this.material;
    return acceptTls(socket, { certificates, domain: action.domain, trust, timeoutMs });
  }

  /** After the peer's `<proceed/>`. */
  start(socket: Socket, action: Extract<StreamAction, { do: 'start-tls' }>): Promise<Upgrade> {
    const { trust, timeoutMs } = this.material;
    return startTls(socket, {
      domain: action.domain,
      context: this.material.contextToShow(action.local),
      trust,
      timeoutMs,
    });
  }
}
