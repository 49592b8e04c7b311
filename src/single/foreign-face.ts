import { OutletTable } from '../federation/outlet-table.ts';
import { PairOutlet } from '../federation/pair-outlet.ts';
import type { FederationPolicy } from '../federation/policy.ts';
import type { Router } from '../federation/router.ts';
import { newConnectionHandle, newStreamId } from '../net/keys/identifiers.ts';
import { StreamListener } from '../net/s2s/listener.ts';
import { S2sOpener } from '../net/s2s/opener.ts';
import type { StreamEnd } from '../protocol/end.ts';
import { ReceivingStream } from '../protocol/s2s/receiving-stream.ts';
import type { StreamRuling } from '../protocol/s2s/ruling.ts';
import type { StreamPair } from '../protocol/stream/actions.ts';
import type { BoxParts } from './parts.ts';

/** The face the world sees: partners' streams come in, ours go out to them. Here we speak for our homes. */
export class ForeignFace {
  readonly listener: StreamListener;
  readonly opener: S2sOpener;
  readonly outlets: OutletTable;
  private readonly parts: BoxParts;

  constructor(parts: BoxParts, router: Router) {
    this.parts = parts;
    const { settings, notes } = parts;
    this.opener = new S2sOpener({
      side: 'foreign',
      dial: (domain, options) => settings().dialForeign(domain, options),
      ruling: (_local, remote) => settings().policy.ruling(remote),
      hasCertificate: () => true,
      peerMustProve: (_local, remote) => settings().policy.ruling(remote).authentication === 'external',
      startTls: (socket, action) => settings().tls.start(socket, action),
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
      accept: (deliver) =>
        new ReceivingStream({
          authority: parts.authority,
          timeouts: parts.timeouts,
          limits: parts.limits,
          defaultDomain: settings().homes[0]?.domains[0],
          serves: (domain) => settings().policy.serves(domain),
          isOurs: (domain) => settings().policy.serves(domain),
          ruling: (_local, remote) => settings().policy.ruling(remote),
          newStreamId,
          deliver,
        }),
      deliver: (stanza, pair) => router.inward(stanza, pair),
      startTls: (socket, action) => settings().tls.accept(socket, action),
      verify: (claim, forConnection, signal) => this.opener.verify(claim, forConnection, signal),
      notes,
      newHandle: newConnectionHandle,
    });
  }

  /** A new policy is in force: what it does not permit ends now, what failed before gets a new chance. */
  policyChanged(former: FederationPolicy): void {
    const { policy } = this.parts.settings();
    this.listener.policyChanged();
    this.outlets.shut((pair) => this.notPermitted(pair));
    this.outlets.reopen(({ target }) => asksForMore(former.ruling(target), policy.ruling(target)));
    this.outlets.forgetFailures();
  }

  private outletFor(pair: StreamPair, router: Router): PairOutlet {
    const { parts } = this;
    return new PairOutlet(pair, {
      opener: this.opener,
      get limits() {
        return parts.queueLimits;
      },
      now: Date.now,
      random: Math.random,
      note: (note) => parts.notes(note, { direction: 'out', side: 'foreign', local: pair.sender, remote: pair.target }),
      undeliverable: (stanza, of, end) => router.undeliverableOutward(stanza, of, end),
    });
  }

  private notPermitted(pair: StreamPair): StreamEnd | undefined {
    const { policy } = this.parts.settings();
    if (!policy.serves(pair.sender)) return { by: 'policy', because: `${pair.sender} is no longer one of our domains` };
    const ruling = policy.ruling(pair.target);
    return ruling.admitted ? undefined : { by: 'policy', because: ruling.because };
  }
}

/** Whether a stream that was good enough before may not be any more. */
function asksForMore(former: StreamRuling, now: StreamRuling): boolean {
  const tls = now.tls === 'required' && former.tls !== 'required';
  return tls || (now.authentication !== 'either' && now.authentication !== former.authentication);
}
