import type { StreamEnd } from '../protocol/end.ts';
import type { Domain } from '../protocol/jid/domain.ts';
import type { NoteSink } from '../protocol/notes.ts';
import type { StreamPair } from '../protocol/stream/actions.ts';
import { bounceOf, errorFor, unanswerable } from '../protocol/stream/bounce.ts';
import { semanticFault } from '../protocol/stream/semantics.ts';
import type { StanzaError } from '../protocol/stream/stanza-error.ts';
import { writtenStanza } from '../protocol/stream/written-stanza.ts';
import type { Stanza } from '../protocol/xml/types.ts';
import type { Outlet } from './outlet.ts';

/** The two ways out of a box. A pair's sender and target say which way: towards a home, or towards the world. */
export interface Sides {
  towardsHome(pair: StreamPair): Outlet | undefined;
  towardsForeign(pair: StreamPair): Outlet | undefined;
}

/** What the router asks about a pair. It is asked for every stanza. */
export interface RoutingPolicy {
  /** Whether a domain is one of our homes. */
  serves(domain: Domain): boolean;
  /** `because` is for our log, `told` for a user inside: a sentence in general words. */
  ruling(
    foreign: Domain,
    home: Domain,
  ): { readonly admitted: boolean; readonly because: string; readonly told: string };
}

const BAD_REQUEST = { condition: 'bad-request', type: 'modify' } as const;

/** What the router is given. */
export interface RouterContext {
  readonly sides: Sides;
  policy(): RoutingPolicy;
  readonly notes: NoteSink;
  /**
   * On a Core. What comes from outside has passed the policy of an Edge, and an error may be the Edge's own, which returns what it may not send: the
   * sender inside is told, whatever the policy says by now.
   */
  readonly isBehindEdge?: boolean;
}

/** What has gone through the router since it was made. */
export interface RouterCounters {
  inward: number;
  outward: number;
  bounced: number;
  dropped: number;
}

/**
 * Moves stanzas between the inside and the world, by pair. It never relays: one end of every pair is a home, the other is not, and a
 * stanza that came from outside never leaves to the outside again (RFC 6120 §10.4; checklist R-51).
 *
 * Both entrances return `undefined`, or a promise to wait for before the source of the stanza is read on.
 */
export class Router {
  readonly counters: RouterCounters = { inward: 0, outward: 0, bounced: 0, dropped: 0 };
  private readonly context: RouterContext;

  constructor(context: RouterContext) {
    this.context = context;
  }

  /** A stanza from a partner to a home. The stream has authorized the sender; whether the target is ours is asked again here. */
  inward(stanza: Stanza, pair: StreamPair): Promise<void> | undefined {
    const policy = this.context.policy();
    if (!policy.serves(pair.target) || policy.serves(pair.sender)) {
      this.drop(stanza, pair, 'its addresses are not those of a partner and one of our domains');
      return undefined;
    }
    // What a stream let through may have been on its way when the policy changed.
    const ruling = policy.ruling(pair.sender, pair.target);
    const isReturned = this.context.isBehindEdge === true && stanza.type === 'error';
    if (!ruling.admitted && !isReturned) {
      this.drop(stanza, pair, ruling.because);
      return undefined;
    }
    const fault = semanticFault(stanza);
    if (fault !== undefined) {
      this.bounceOutward(stanza, pair, { ...BAD_REQUEST, text: undefined }, fault);
      return undefined;
    }
    const outlet = this.context.sides.towardsHome(pair);
    if (outlet === undefined) {
      this.undeliverableInward(stanza, pair, { by: 'disconnect', detail: 'no server inside serves the domain' });
      return undefined;
    }
    this.counters.inward += 1;
    const offer = outlet.offer(stanza, pair);
    if (offer === 'taken') return undefined;
    if (offer === 'held') return outlet.room();
    this.undeliverableInward(stanza, pair, offer.refused);
    return undefined;
  }

  /** A stanza from a home to a partner. */
  outward(stanza: Stanza, pair: StreamPair): Promise<void> | undefined {
    const policy = this.context.policy();
    if (!policy.serves(pair.sender)) {
      this.drop(stanza, pair, "its 'from' is not one of our domains");
      return undefined;
    }
    if (policy.serves(pair.target)) {
      this.bounceInward(
        stanza,
        pair,
        {
          condition: 'remote-server-not-found',
          type: 'cancel',
          text: 'This domain is served inside; it is not reached through the federation edge.',
        },
        'the target is one of our own domains',
      );
      return undefined;
    }
    if (this.isRefused(stanza, pair)) return undefined;
    const fault = semanticFault(stanza);
    if (fault !== undefined) {
      this.bounceInward(stanza, pair, { ...BAD_REQUEST, text: `The stanza cannot be handled: ${fault}.` }, fault);
      return undefined;
    }
    const outlet = this.context.sides.towardsForeign(pair);
    if (outlet === undefined) {
      this.undeliverableOutward(stanza, pair, { by: 'us', condition: 'internal-server-error' });
      return undefined;
    }
    this.counters.outward += 1;
    const offer = outlet.offer(stanza, pair);
    if (offer === 'taken') return undefined;
    if (offer === 'held') return outlet.room();
    this.undeliverableOutward(stanza, pair, offer.refused);
    return undefined;
  }

  /** A stanza from a partner that the home cannot be given: to the partner, the service is unavailable (the inside is not its concern). */
  undeliverableInward(stanza: Stanza, pair: StreamPair, end: StreamEnd): void {
    const full = end.by === 'us' && end.condition === 'resource-constraint';
    const error: StanzaError = {
      condition: full ? 'resource-constraint' : 'service-unavailable',
      type: 'wait',
      text: undefined,
    };
    // Presence to a home that is down is of no use to anybody an hour later, nor is an error about it.
    if (stanza.kind === 'presence')
      this.drop(stanza, pair, 'the server inside cannot be reached, and presence is not answered');
    else this.bounceOutward(stanza, pair, error, errorFor(end).text ?? end.by);
  }

  /** A stanza from a home that the partner cannot be given. */
  undeliverableOutward(stanza: Stanza, pair: StreamPair, end: StreamEnd): void {
    // What waited when the policy changed gets the same answer as what comes afterwards.
    if (end.by === 'policy' && this.isRefused(stanza, pair)) return;
    const full = end.by === 'us' && end.condition === 'resource-constraint';
    const error = full
      ? ({ condition: 'resource-constraint', type: 'wait', text: 'Too much is waiting for this domain.' } as const)
      : errorFor(end);
    this.bounceInward(stanza, pair, error, error.text ?? end.by);
  }

  /** Answers an outgoing stanza whose pair the policy does not admit (checklist R-29); `false`: it is admitted. */
  private isRefused(stanza: Stanza, pair: StreamPair): boolean {
    const { admitted, because, told } = this.context.policy().ruling(pair.target, pair.sender);
    if (!admitted) this.bounceInward(stanza, pair, { condition: 'not-allowed', type: 'cancel', text: told }, because);
    return !admitted;
  }

  private bounceInward(stanza: Stanza, pair: StreamPair, error: StanzaError, because: string): void {
    this.bounce(stanza, pair, error, because, (back) => this.context.sides.towardsHome(back), pair.sender);
  }

  private bounceOutward(stanza: Stanza, pair: StreamPair, error: StanzaError, because: string): void {
    if (!this.context.policy().ruling(pair.sender, pair.target).admitted)
      this.drop(stanza, pair, 'partners that are not admitted get no answer');
    else this.bounce(stanza, pair, error, because, (back) => this.context.sides.towardsForeign(back), pair.target);
  }

  private bounce(
    stanza: Stanza,
    pair: StreamPair,
    error: StanzaError,
    because: string,
    outletFor: (back: StreamPair) => Outlet | undefined,
    by: string,
  ): void {
    const never = unanswerable(stanza);
    if (never !== undefined) {
      this.drop(stanza, pair, never);
      return;
    }
    const back: StreamPair = { sender: pair.target, target: pair.sender };
    const offer = outletFor(back)?.offer(writtenStanza(bounceOf(stanza, error, by)), back);
    if (offer === undefined || typeof offer === 'object') {
      this.drop(stanza, pair, `${because}; and the way back to the sender is closed too`);
      return;
    }
    this.counters.bounced += 1;
    this.context.notes(
      { note: 'bounced', kind: stanza.kind, condition: error.condition, because, stanzas: 1 },
      this.subject(pair),
    );
  }

  private drop(stanza: Stanza, pair: StreamPair, because: string): void {
    this.counters.dropped += 1;
    this.context.notes({ note: 'dropped', kind: stanza.kind, because }, this.subject(pair));
  }

  private subject(pair: StreamPair): { local: string; remote: string } {
    return this.context.policy().serves(pair.sender)
      ? { local: pair.sender, remote: pair.target }
      : { local: pair.target, remote: pair.sender };
  }
}
