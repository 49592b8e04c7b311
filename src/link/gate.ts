import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { newStreamId } from '../net/keys/identifiers.ts';
import { faultInWords } from '../net/s2s/in-words.ts';
import { LinkSession } from '../protocol/link/session.ts';
import type { Admission } from './admission.ts';
import type { LinkAuthority } from './authority.ts';
import { periodOf, proofOf } from './certificates.ts';
import { LinkConnection } from './connection.ts';
import type { Cores } from './cores.ts';
import type { Leave } from './doorway.ts';
import { type BoxIdentity, keyHash } from './identity.ts';
import { type LinkRefusal, lapsedRefusal, REVOKED, RefusingLink } from './refusing-link.ts';
import { ALPN, acceptLinkTls, linkContext, type Secured } from './tls.ts';
import type { LinkContext } from './types.ts';

const CLOSE_MS = 5_000;

/** Where a connection comes from. */
interface From {
  readonly address: string;
  readonly peer: string;
}

/** A connection that has proven a key that counts. */
export interface ProvenCore {
  readonly id: string;
  readonly key: string;
  readonly secured: Secured;
  readonly peer: string;
  /** Unix milliseconds: the end of the certificate. */
  readonly until: number;
}

export interface GateContext {
  readonly self: BoxIdentity;
  readonly authority: LinkAuthority;
  readonly cores: Cores;
  readonly admission: Admission;
  readonly context: LinkContext;
  /** Unix milliseconds. */
  readonly now: () => number;
  proven(core: ProvenCore): void;
}

/**
 * Finds out who is on a connection to the Link port. TLS asks for a certificate and judges none: that is done here, by the chain to our
 * authority, the period, and the pairing. To strangers nothing is said; a box that we once signed for is told why it is turned away.
 */
export class Gate {
  private readonly options: GateContext;
  private secureContext: SecureContext;
  private readonly stopping = new AbortController();
  /** Connections that are being told why they are turned away. */
  private readonly refused = new Set<LinkConnection>();

  constructor(options: GateContext) {
    this.options = options;
    this.secureContext = linkContext(options.authority.serverCertificate);
  }

  /** The Edge has a new certificate: handshakes from now on show it, connections that are there stay. */
  certificateChanged(): void {
    this.secureContext = linkContext(this.options.authority.serverCertificate);
  }

  /** Handshakes under way are given up. */
  destroy(): void {
    this.stopping.abort();
    for (const connection of this.refused) connection.driver.destroy();
  }

  /** Never rejects. `leave` is called when the connection is no stranger's any more. */
  async arrived(raw: Socket, from: From, leave: Leave): Promise<void> {
    const { context } = this.options;
    try {
      const secured = await acceptLinkTls(raw, this.secureContext, {
        timeoutMs: context.timing.handshake,
        signal: this.stopping.signal,
      });
      if ('failed' in secured) this.turnAway(secured.failed, from);
      else if (secured.protocol === ALPN.join) await this.options.admission.serve(secured, from.address, from.peer);
      else this.judge(secured, from, leave);
    } catch (error) {
      raw.destroy();
      context.notes({ note: 'bug', where: 'link', detail: faultInWords(error) }, { peer: from.peer });
    }
  }

  private judge(secured: Secured, from: From, leave: Leave): void {
    const { authority, cores, now } = this.options;
    const proof = proofOf(secured.chain, 'core', authority.trust, now());
    if ('stranger' in proof) {
      secured.socket.destroy();
      this.turnAway(proof.stranger, from);
      return;
    }
    const key = keyHash(proof.leaf);
    const core = cores.byKey(proof.id, key);
    if (core === undefined) {
      const known = cores.byId(proof.id);
      const because =
        known === undefined
          ? 'its pairing was revoked; it is told so'
          : `the key of ${known.name} that it shows counts no more; it is told so. If the Core was restored from an old copy, invite it again`;
      this.refuse(secured, from, REVOKED, because, proof.id);
    } else if ('lapsed' in proof) {
      const because = `${proof.lapsed}; correct the clock if it is wrong, else invite ${core.name} again: it has been away for too long to renew its certificate`;
      this.refuse(secured, from, lapsedRefusal(proof.lapsed), because, proof.id);
    } else {
      leave();
      const until = periodOf(proof.leaf.toString()).notAfter;
      this.options.proven({ id: core.id, key, secured, peer: from.peer, until });
    }
  }

  private turnAway(because: string, { peer }: From): void {
    this.options.context.notes({ note: 'link-refused', because }, { direction: 'in', peer });
  }

  /** Says why, and hangs up. */
  private refuse(secured: Secured, { peer }: From, refusal: LinkRefusal, because: string, id: string): void {
    const { context, cores, self } = this.options;
    const box = cores.byId(id)?.name;
    context.notes({ note: 'link-refused', because, ...(box === undefined ? {} : { box }) }, { direction: 'in', peer });
    const { handshake } = context.timing;
    const connection = new LinkConnection(secured, {
      peer,
      box: box ?? id,
      direction: 'in',
      notes: context.notes,
      events: { deliver: () => undefined, established: () => undefined, ended: () => undefined },
      make: (own) =>
        new RefusingLink(
          {
            ...own,
            own: self.id,
            peer: id,
            // It never comes to a session, so this one stays empty.
            session: new LinkSession(),
            limits: context.limits,
            timeouts: { header: handshake, negotiation: handshake, close: CLOSE_MS, quiet: handshake, hold: handshake },
            message: () => undefined,
            inDoubt: () => undefined,
            acknowledged: () => undefined,
            newId: newStreamId,
          },
          refusal,
        ),
    });
    this.refused.add(connection);
    void connection.driver.gone.then(() => this.refused.delete(connection));
    connection.start();
  }
}
