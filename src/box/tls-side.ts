import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { Upgrade } from '../net/s2s/stream-driver.ts';
import { acceptTls, type OwnCertificates } from '../net/tls/accept.ts';
import { startTls } from '../net/tls/start.ts';
import type { ChainJudge } from '../net/tls/trust.ts';
import type { Domain } from '../protocol/jid/domain.ts';
import type { StreamAction } from '../protocol/stream/actions.ts';

/** ALPN of direct TLS between servers (XEP-0368 §3). */
const XMPP_SERVER = 'xmpp-server';

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

  /** After our `<proceed/>`, or at once on a port of direct TLS. */
  accept(socket: Socket, { domain, direct }: Extract<StreamAction, { do: 'start-tls' }>): Promise<Upgrade> {
    const { certificates, trust, timeoutMs } = this.material;
    return acceptTls(socket, {
      certificates,
      domain,
      trust,
      timeoutMs,
      ...(direct ? { protocols: [XMPP_SERVER] } : {}),
    });
  }

  /** Whether a peer that was shown the certificate of one of our domains was shown that of the other too. */
  isSameCertificate(shown: Domain, asked: Domain): boolean {
    const context = this.material.certificates.contextFor(asked);
    return context !== undefined && context === this.material.certificates.contextFor(shown);
  }

  /** After the peer's `<proceed/>`, or at once at an endpoint of direct TLS. */
  start(socket: Socket, action: Extract<StreamAction, { do: 'start-tls' }>): Promise<Upgrade> {
    const { trust, timeoutMs } = this.material;
    return startTls(socket, {
      domain: action.domain,
      context: this.material.contextToShow(action.local),
      trust,
      timeoutMs,
      ...(action.direct ? { protocol: XMPP_SERVER } : {}),
    });
  }
}
