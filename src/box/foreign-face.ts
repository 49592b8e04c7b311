import { isDeepStrictEqual } from 'node:util';
import { OutletTable } from '../federation/outlet-table.ts';
import { PairOutlet } from '../federation/pair-outlet.ts';
import type { Router } from '../federation/router.ts';
import { newConnectionHandle, newStreamId } from '../net/keys/identifiers.ts';
import { listenOn } from '../net/s2s/listen-on.ts';
import { StreamListener } from '../net/s2s/listener.ts';
import { S2sOpener } from '../net/s2s/opener.ts';
import type { StreamEnd } from '../protocol/end.ts';
import type { Domain } from '../protocol/jid/domain.ts';
import type { DirectTls } from '../protocol/s2s/receiving-context.ts';
import { ReceivingStream } from '../protocol/s2s/receiving-stream.ts';
import type { StreamPair } from '../protocol/stream/actions.ts';
import type { PairStatus } from './operations.ts';
import type { Organ, OwnStream } from './organ.ts';
import type { BoxParts } from './parts.ts';
import type { Settings } from './settings.ts';

/** The face the world sees: partners' streams come in, ours go out to them. Here we speak for our homes. */
export class ForeignFace implements Organ {
  readonly outlets: OutletTable;
  private readonly listener: StreamListener;
  private readonly opener: S2sOpener;
  private readonly parts: BoxParts;

  constructor(parts: BoxParts, router: Router) {
    this.parts = parts;
    const { settings, notes } = parts;
    this.opener = new S2sOpener({
      side: 'foreign',
      dial: (domain, options) => settings().parts.dialForeign(domain, options),
      ruling: (local, remote) => settings().policy.ruling(remote, local),
      hasCertificate: () => true,
      peerMustProve: (local, remote) => {
        const ruling = settings().policy.ruling(remote, local);
        return ruling.requireCertificate || ruling.authentication === 'external';
      },
      startTls: (socket, action) => settings().parts.tls.start(socket, action),
      authority: parts.authority,
      get timeouts() {
        return parts.timeouts;
      },
      get limits() {
        return parts.limits;
      },
      notes,
      newHandle: newConnectionHandle,
    });
    this.outlets = new OutletTable((pair) => this.outletFor(pair, router));
    this.listener = new StreamListener({
      what: 'S2S',
      side: 'foreign',
      get limits() {
        return parts.connectionLimits;
      },
      allows: () => true,
      accept: (deliver, _mayRead, directTls) =>
        new ReceivingStream({
          authority: parts.authority,
          timeouts: parts.timeouts,
          limits: parts.limits,
          defaultDomain: this.defaultDomain,
          ...(directTls && this.defaultDomain !== undefined
            ? { directTls: this.directTlsFor(this.defaultDomain) }
            : {}),
          serves: (domain) => settings().policy.serves(domain),
          isOurs: (domain) => settings().policy.serves(domain),
          ruling: (local, remote) => settings().policy.ruling(remote, local),
          newStreamId,
          deliver,
        }),
      deliver: (stanza, pair) => router.inward(stanza, pair),
      startTls: (socket, action) => settings().parts.tls.accept(socket, action),
      verify: (claim, forConnection, signal) => this.opener.verify(claim, forConnection, signal),
      notes,
      newHandle: newConnectionHandle,
    });
  }

  async start(): Promise<boolean> {
    const { listener } = this;
    const { settings, notes } = this.parts;
    const { listen, tlsListen } = settings().parts.boot.s2s;
    const first = { listen: (host: string, port: number) => listener.listen(host, port, true) };
    return (
      (await listenOn(listener, 'S2S', listen, notes)) && (await listenOn(first, 'S2S direct TLS', tlsListen, notes))
    );
  }

  /** What the new policy does not permit ends now; who is judged in another way than before gets a new chance. */
  settingsChanged(former: Settings): void {
    const settings = this.parts.settings();
    this.listener.policyChanged();
    this.outlets.shut((pair) => this.notPermitted(pair));
    this.opener.policyChanged();
    const isReload = former.parts !== settings.parts;
    this.outlets.forgetFailures(({ sender, target }) => isReload || isJudgedAnew(former, settings, target, sender));
  }

  sweep(idleSince: number): void {
    this.outlets.sweep(idleSince);
  }

  stopListening(): void {
    this.listener.stopListening();
  }

  shut(end: StreamEnd): void {
    this.outlets.shut(() => end);
  }

  shutdown(): void {
    this.listener.shutdown();
    this.opener.shutdown();
  }

  get connections(): number {
    return this.listener.connections + this.opener.connections;
  }

  destroy(): void {
    this.listener.destroy();
    this.opener.destroy();
  }

  streams(): readonly OwnStream[] {
    return [...this.listener.streams(), ...this.opener.streams()];
  }

  closeStream(connection: string, reason: string): boolean {
    return this.listener.close(connection, reason) || this.opener.close(connection, reason);
  }

  pairs(): readonly PairStatus[] {
    return this.outlets.pairs().map((pair) => ({ side: 'foreign', ...pair }));
  }

  /** How we call ourselves to a peer that has not said whom it wants. */
  private get defaultDomain(): Domain | undefined {
    return this.parts.settings().parts.boot.homes[0]?.domains[0];
  }

  private directTlsFor(domain: Domain): DirectTls {
    const { settings } = this.parts;
    return {
      domain,
      isSameCertificate: (shown, asked) => settings().parts.tls.isSameCertificate(shown, asked),
    };
  }

  private outletFor(pair: StreamPair, router: Router): PairOutlet {
    const { parts } = this;
    return new PairOutlet(pair, {
      opener: this.opener,
      get limits() {
        return parts.queueLimits;
      },
      now: () => performance.now(),
      random: Math.random,
      note: (note) => parts.notes(note, { direction: 'out', side: 'foreign', local: pair.sender, remote: pair.target }),
      undeliverable: (stanza, of, end) => router.undeliverableOutward(stanza, of, end),
    });
  }

  private notPermitted(pair: StreamPair): StreamEnd | undefined {
    const { policy } = this.parts.settings();
    if (!policy.serves(pair.sender)) return { by: 'policy', because: `${pair.sender} is no longer one of our domains` };
    const ruling = policy.ruling(pair.target, pair.sender);
    return ruling.admitted ? undefined : { by: 'policy', because: ruling.because };
  }
}

/** Whether an attempt may come out differently than before. */
function isJudgedAnew(former: Settings, now: Settings, foreign: Domain, home: Domain): boolean {
  return (
    !isDeepStrictEqual(former.policy.ruling(foreign, home), now.policy.ruling(foreign, home)) ||
    !isDeepStrictEqual(former.routeOf(foreign), now.routeOf(foreign))
  );
}
