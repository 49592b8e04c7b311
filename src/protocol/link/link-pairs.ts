import { parseDomain } from '../jid/domain.ts';
import type { StreamPair } from '../stream/actions.ts';
import type { Stanza } from '../xml/types.ts';

/** Spellings of address pairs that are remembered; beyond, all are forgotten and learned again. */
const REMEMBERED = 8192;

/**
 * The pairs of the stanzas that arrive on a Link. Nothing is authorized here, for that is the router's work on either box; but a pair is the same
 * object each time, by which an outlet is found. Asked for every stanza.
 */
export class LinkPairs {
  private spellings = new Map<string, Map<string, StreamPair>>();
  private pairs = new Map<string, StreamPair>();
  private remembered = 0;
  private lastFrom: string | undefined;
  private lastTo: string | undefined;
  private lastPair: StreamPair | undefined;

  /** `undefined`: an address is missing, or is none. */
  of(stanza: Stanza): StreamPair | undefined {
    if (!stanza.wellAddressed) return undefined;
    const from = stanza.fromDomain;
    const to = stanza.toDomain;
    if (from === undefined || to === undefined) return undefined;
    if (from === this.lastFrom && to === this.lastTo && this.lastPair !== undefined) return this.lastPair;
    const pair = this.spellings.get(from)?.get(to) ?? this.learn(from, to);
    this.lastFrom = from;
    this.lastTo = to;
    this.lastPair = pair;
    return pair;
  }

  private learn(from: string, to: string): StreamPair | undefined {
    const sender = parseDomain(from);
    const target = parseDomain(to);
    if (sender === undefined || target === undefined) return undefined;
    if (this.remembered >= REMEMBERED) this.forget();
    // No domain contains a space.
    const key = `${sender} ${target}`;
    const pair = this.pairs.get(key) ?? { sender, target };
    this.pairs.set(key, pair);
    let ofSender = this.spellings.get(from);
    if (ofSender === undefined) {
      ofSender = new Map();
      this.spellings.set(from, ofSender);
    }
    ofSender.set(to, pair);
    this.remembered += 1;
    return pair;
  }

  private forget(): void {
    this.spellings = new Map();
    this.pairs = new Map();
    this.remembered = 0;
  }
}
