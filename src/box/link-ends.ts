import type { BootConfig } from '../config/boot.ts';
import type { Router } from '../federation/router.ts';
import { SharedSource } from '../home/shared-source.ts';
import type { LinkContext, LinkPeer } from '../link/types.ts';
import type { StreamEnd } from '../protocol/end.ts';
import type { LinkMessage } from '../protocol/link/messages.ts';
import type { StreamPair } from '../protocol/stream/actions.ts';
import { LINK_LIMITS } from '../protocol/xml/limits.ts';
import type { Stanza } from '../protocol/xml/types.ts';
import type { LinkedBoxes } from './linked-boxes.ts';
import type { LinkOperations, LinkStatus } from './operations.ts';
import { StreamlessOrgan } from './organ.ts';
import type { BoxParts } from './parts.ts';

/** What this end of the Links is given. */
export interface LinkEndsContext {
  /** The boot file at the start. */
  readonly boot: BootConfig;
  /** Of the Links alone. */
  readonly folder: string;
  readonly parts: BoxParts;
  readonly router: Router;
  readonly boxes: LinkedBoxes;
}

/** This box's ends of its Links, whether they were dialed or accepted. */
export abstract class LinkEnds extends StreamlessOrgan {
  abstract readonly operations: LinkOperations;
  protected readonly context: LinkEndsContext;
  private readonly sources = new Map<LinkPeer, SharedSource>();

  constructor(context: LinkEndsContext) {
    super();
    this.context = context;
  }

  abstract status(): readonly LinkStatus[];

  /** A stanza from the other end goes to the router. */
  protected abstract route(stanza: Stanza, pair: StreamPair): Promise<void> | undefined;
  /** A stanza from the other end that could not go on, or one for it that could not be sent. */
  protected abstract returnReceived(stanza: Stanza, pair: StreamPair, end: StreamEnd): void;
  protected abstract returnUnsent(stanza: Stanza, pair: StreamPair, end: StreamEnd): void;
  protected abstract message(peer: LinkPeer, message: LinkMessage): void;
  /** The pairing has ended. */
  protected abstract forget(peer: LinkPeer): void;

  /** What happens on a Link. A role that must look first overrides `deliver`, one that has something to say `up`. */
  protected linkContext(): LinkContext {
    const { parts, boxes } = this.context;
    return {
      deliver: (peer, stanza, pair) => this.deliver(peer, stanza, pair),
      message: (peer, message) => this.message(peer, message),
      up: (peer) => this.up(peer),
      down: (peer) => boxes.down(peer),
      undeliverable: (_peer, stanza, pair, end) => this.returnUnsent(stanza, pair, end),
      gone: (peer) => {
        this.sources.delete(peer);
        this.forget(peer);
        boxes.gone(peer);
      },
      limits: LINK_LIMITS,
      get timing() {
        return parts.settings().parts.linkTiming;
      },
      notes: parts.notes,
    };
  }

  protected up(peer: LinkPeer): void {
    this.context.boxes.up(peer);
  }

  protected deliver(peer: LinkPeer, stanza: Stanza, pair: StreamPair): Promise<void> | undefined {
    const most = this.context.parts.limits.element + COPIED_IN;
    if (stanza.size <= most) return this.sourceOf(peer).deliver(stanza, pair);
    const because = `the stanza has ${stanza.size} bytes, and this box takes ${most} (s2s.limits.stanza)`;
    this.returnReceived(stanza, pair, { by: 'policy', because });
    return undefined;
  }

  /** One Link carries the stanzas of all pairs: one way out that takes nothing must not stop the others. */
  private sourceOf(peer: LinkPeer): SharedSource {
    const known = this.sources.get(peer);
    if (known !== undefined) return known;
    const source = new SharedSource({
      deliver: (stanza, pair) => this.route(stanza, pair),
      refuse: (stanza, pair) => this.returnReceived(stanza, pair, NO_ROOM),
      now: () => performance.now(),
    });
    this.sources.set(peer, source);
    return source;
  }
}

/** Bytes that forwarding may have added to a stanza: what it had from the header of its stream, which is no larger. */
const COPIED_IN = 16_384;

const NO_ROOM: StreamEnd = { by: 'us', condition: 'resource-constraint', text: 'The other side takes nothing.' };
