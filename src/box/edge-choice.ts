import type { LinkPeer } from '../link/types.ts';
import type { StreamPair } from '../protocol/stream/actions.ts';

/** Pairs that are remembered; beyond that the oldest choice is made anew when it is needed. */
const REMEMBERED = 100_000;

/** What the choice is made among. */
export interface EdgeChoiceContext {
  edges(): readonly LinkPeer[];
  /** Whether an Edge's settings admit the pair. */
  admits(edge: LinkPeer, pair: StreamPair): boolean;
}

/**
 * On a Core: which Edge a pair's stanzas leave by. A pair sticks to its Edge, through short breaks of the Link too, because another
 * way would change the order; it moves when the Edge is gone so long that what waited was returned, or does not admit it any more.
 */
export class EdgeChoice {
  private readonly context: EdgeChoiceContext;
  private readonly chosen = new Map<string, LinkPeer>();
  private lastPair: StreamPair | undefined;
  private lastEdge: LinkPeer | undefined;

  constructor(context: EdgeChoiceContext) {
    this.context = context;
  }

  /** The Edge of a pair; `undefined`: there is none at all. An Edge that cannot take anything says why when it is offered a stanza. */
  edgeFor(pair: StreamPair): LinkPeer | undefined {
    if (pair === this.lastPair && this.lastEdge?.isUsable === true) return this.lastEdge;
    const key = `${pair.sender} ${pair.target}`;
    const known = this.chosen.get(key);
    const edge = known?.isUsable === true && this.context.admits(known, pair) ? known : this.choose(key, pair);
    this.lastPair = pair;
    this.lastEdge = edge;
    return edge;
  }

  /** Settings or pairings have changed: what was chosen is checked again. */
  reconsider(): void {
    const edges = new Set(this.context.edges());
    for (const [key, edge] of this.chosen) if (!edges.has(edge)) this.chosen.delete(key);
    this.lastPair = undefined;
    this.lastEdge = undefined;
  }

  /** How many pairs leave by an Edge. */
  countOf(edge: LinkPeer): number {
    let count = 0;
    for (const each of this.chosen.values()) if (each === edge) count += 1;
    return count;
  }

  private choose(key: string, pair: StreamPair): LinkPeer | undefined {
    const admitting = this.context.edges().filter((edge) => this.context.admits(edge, pair));
    const able = [admitting.filter(({ isUp }) => isUp), admitting.filter(({ isUsable }) => isUsable), admitting];
    const best = able.find((edges) => edges.length > 0) ?? [];
    // Pairs spread over the Edges, and a restarted Core chooses as before.
    const edge = best[hashOf(key) % Math.max(1, best.length)];
    if (this.chosen.size >= REMEMBERED) this.chosen.delete(this.chosen.keys().next().value ?? '');
    if (edge === undefined) this.chosen.delete(key);
    else this.chosen.set(key, edge);
    return edge;
  }
}

/** FNV-1a, 32 bits: even enough to spread pairs. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
