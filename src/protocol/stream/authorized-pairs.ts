import { type Domain, parseDomain } from '../jid/domain.ts';
import type { AuthorizedBy } from '../notes.ts';
import type { Stanza } from '../xml/types.ts';
import type { StreamPair } from './actions.ts';
import type { AuthorizedPair } from './negotiated.ts';
import type { StreamErrorCondition } from './stream-error.ts';

/** What to do with a stanza: deliver it for a pair, end the stream, or drop it. */
export type StanzaJudgment =
  | { readonly may: 'pass'; readonly pair: StreamPair }
  | { readonly may: 'end'; readonly condition: StreamErrorCondition; readonly text: string }
  | { readonly may: 'drop'; readonly because: string };

/** What the pairs ask of the policy. */
export interface PairContext {
  /** Whether we speak for the domain on this side. */
  serves(domain: Domain): boolean;
  /** Whether the policy admits stanzas of the pair; otherwise why not. */
  admits(pair: StreamPair): true | string;
  /** Whether the peer may send for a domain that was not proven by name: it was told to speak for more than it can list. */
  speaksFor?(sender: Domain): boolean;
}

/** Spellings of address pairs that are remembered; a peer that invents more pays with the slow path. */
const REMEMBERED = 8192;
/** Pairs besides those that were proven themselves of which it is remembered that they were used. */
const CARRIED = 1024;

/**
 * The pairs that may send on one inbound stream (RFC 6120 §8.1.1.2, §8.1.2.2). A sender domain is proven for the stream; each target it
 * writes to must be a domain of ours for which the policy admits that sender.
 *
 * Asked for every stanza, so the answer for the spelling of the stanza before is kept, and those of others in a bounded map.
 */
export class AuthorizedPairs {
  private readonly context: PairContext;
  private readonly senders = new Set<Domain>();
  private readonly pairs = new Map<string, { readonly pair: StreamPair; readonly by: AuthorizedBy }>();
  /** Pairs that were used because their sender was proven for another target. */
  private readonly alsoCarried = new Map<string, StreamPair>();
  private judgments = new Map<string, Map<string, StanzaJudgment>>();
  private remembered = 0;
  private lastFrom: string | undefined;
  private lastTo: string | undefined;
  private lastJudgment: StanzaJudgment | undefined;

  constructor(context: PairContext) {
    this.context = context;
  }

  get size(): number {
    return this.pairs.size;
  }

  add(pair: StreamPair, by: AuthorizedBy): void {
    this.pairs.set(keyOf(pair), { pair, by });
    this.senders.add(pair.sender);
    this.forget();
  }

  has(pair: StreamPair): boolean {
    return this.pairs.has(keyOf(pair));
  }

  /** The pairs that were proven themselves. */
  all(): readonly AuthorizedPair[] {
    return [...this.pairs.values()].map(({ pair, by }) => ({ ...pair, by }));
  }

  /** Every pair the stream is of use for: those, and the others that stanzas were let through for. */
  carried(): readonly StreamPair[] {
    return [...[...this.pairs.values()].map(({ pair }) => pair), ...this.alsoCarried.values()];
  }

  /** The policy was replaced: nothing that was judged before counts. The pairs stay proven; each stanza asks whether they are admitted. */
  reconsider(): void {
    this.forget();
  }

  /** What may become of a stanza, by its addresses. */
  judge(stanza: Stanza): StanzaJudgment {
    if (this.pairs.size > 0 && !stanza.wellAddressed) return MALFORMED;
    const from = stanza.fromDomain;
    const to = stanza.toDomain;
    if (from === this.lastFrom && to === this.lastTo && this.lastJudgment !== undefined) return this.lastJudgment;
    const known = from === undefined || to === undefined ? undefined : this.judgments.get(from)?.get(to);
    const judgment = known ?? this.judgeAddresses(from, to);
    if (known === undefined && from !== undefined && to !== undefined) this.remember(from, to, judgment);
    this.lastFrom = from;
    this.lastTo = to;
    this.lastJudgment = judgment;
    return judgment;
  }

  private judgeAddresses(from: string | undefined, to: string | undefined): StanzaJudgment {
    // RFC 6120 §4.9.3.12: before anybody is authorized nothing of a stanza is looked at.
    if (this.pairs.size === 0) return end('not-authorized', 'Stanzas may be sent once a domain is authorized.');
    if (from === undefined || from === '')
      return end('improper-addressing', "A stanza lacks 'from', or it is not an address.");
    if (to === undefined || to === '')
      return end('improper-addressing', "A stanza lacks 'to', or it is not an address.");
    const sender = parseDomain(from);
    if (sender === undefined) return end('improper-addressing', "A stanza's 'from' is not an address.");
    const target = parseDomain(to);
    if (target === undefined) return end('improper-addressing', "A stanza's 'to' is not an address.");
    // RFC 6120 §8.1.2.2; parent and child domains are different domains.
    if (!this.senders.has(sender) && this.context.speaksFor?.(sender) !== true)
      return end('invalid-from', "The domain of a stanza's 'from' is not authorized on this stream.");
    // RFC 6120 §8.1.1.2 and §10.4: no relay.
    if (!this.context.serves(target)) return end('host-unknown', "The domain of a stanza's 'to' is not served here.");
    const pair = this.pairs.get(keyOf({ sender, target }))?.pair ?? { sender, target };
    const admitted = this.context.admits(pair);
    if (admitted !== true) return { may: 'drop', because: admitted };
    this.carry(pair);
    return { may: 'pass', pair };
  }

  private carry(pair: StreamPair): void {
    const key = keyOf(pair);
    if (!this.pairs.has(key) && this.alsoCarried.size < CARRIED) this.alsoCarried.set(key, pair);
  }

  private remember(from: string, to: string, judgment: StanzaJudgment): void {
    if (this.remembered >= REMEMBERED) this.forget();
    let ofSender = this.judgments.get(from);
    if (ofSender === undefined) {
      ofSender = new Map();
      this.judgments.set(from, ofSender);
    }
    ofSender.set(to, judgment);
    this.remembered += 1;
  }

  private forget(): void {
    this.judgments = new Map();
    this.remembered = 0;
    this.lastJudgment = undefined;
  }
}

/** RFC 6120 §4.9.3.7: a malformed address is never used, not even to tell its owner (checklist R-07). */
const MALFORMED: StanzaJudgment = end('improper-addressing', "A stanza's 'from' or 'to' is not an address.");

/** A pair as a map key: no domain contains a space. */
function keyOf(pair: StreamPair): string {
  return `${pair.sender} ${pair.target}`;
}

function end(condition: StreamErrorCondition, text: string): StanzaJudgment {
  return { may: 'end', condition, text };
}
