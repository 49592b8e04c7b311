import { lookup } from 'node:dns/promises';
import type { Outlet } from '../federation/outlet.ts';
import { LinkDialers } from '../link/dialers.ts';
import type { LinkPeer } from '../link/types.ts';
import type { StreamEnd } from '../protocol/end.ts';
import type { LinkMessage } from '../protocol/link/messages.ts';
import type { StreamPair } from '../protocol/stream/actions.ts';
import type { Stanza } from '../protocol/xml/types.ts';
import type { CorePolicy } from './core-policy.ts';
import { EdgeChoice } from './edge-choice.ts';
import { LinkEnds, type LinkEndsContext } from './link-ends.ts';
import { linkStatusOf } from './link-facts.ts';
import type { LinkOperations, LinkStatus } from './operations.ts';

/** What the Core's ends of the Links are given. */
export interface CoreLinksContext extends LinkEndsContext {
  policy(): CorePolicy;
  /** Resolves when the homes can be given stanzas, or after so many milliseconds. */
  homesReady(milliseconds: number): Promise<void>;
}

/** After a start the servers inside have so long to connect before stanzas come from the Edges, where they can wait for longer. */
const HOMES_FIRST_MS = 3_000;

/** The Core's ends of the Links: it dials every Edge it is paired with, announces its homes, and sends their stanzas out. */
export class CoreLinks extends LinkEnds {
  readonly operations: LinkOperations;
  private readonly dialers: LinkDialers;
  private readonly choice: EdgeChoice;
  private readonly homesReady: CoreLinksContext['homesReady'];
  private readonly judged = new Map<LinkPeer, readonly string[]>();
  /** The Edge that the stanza came through which is routed at this moment. */
  private arrivingBy: LinkPeer | undefined;

  constructor(context: CoreLinksContext) {
    super(context);
    const { boot, folder } = context;
    this.homesReady = (milliseconds) => context.homesReady(milliseconds);
    this.dialers = new LinkDialers({
      folder,
      name: boot.name,
      resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
      dialFrom: boot.link.dialFrom,
      context: this.linkContext(),
    });
    this.choice = new EdgeChoice({
      edges: () => this.dialers.peers(),
      admits: (edge, pair) => context.policy().admitsAt(edge.id, pair),
    });
    this.operations = this.operationsOf();
    for (const peer of this.dialers.peers()) context.boxes.boxOf(peer);
  }

  /** The Edge by which a pair's stanzas leave. */
  outletFor(pair: StreamPair): Outlet {
    return this.choice.edgeFor(pair) ?? NO_EDGE;
  }

  /** While a stanza is routed that came from an Edge: that Edge. */
  get arriving(): LinkPeer | undefined {
    return this.arrivingBy;
  }

  edges(): readonly LinkPeer[] {
    return this.dialers.peers();
  }

  status(): readonly LinkStatus[] {
    return this.dialers.peers().map((peer) => {
      const { replication } = this.context.boxes.boxOf(peer);
      return linkStatusOf(peer, 'edge', this.judged.get(peer) ?? [], replication.status());
    });
  }

  start(): Promise<boolean> {
    return this.dialers.start(this.homesReady(HOMES_FIRST_MS));
  }

  settingsChanged(former: { readonly parts: unknown }): void {
    this.choice.reconsider();
    const { parts, policy } = this.context.parts.settings();
    for (const peer of this.dialers.peers())
      peer.withdraw(({ sender, target }) => policy.ruling(target, sender).admitted, NO_LONGER);
    if (former.parts === parts) return;
    for (const peer of this.dialers.peers()) this.announce(peer);
  }

  shutdown(): void {
    this.dialers.shutdown();
  }

  get connections(): number {
    return this.dialers.connections;
  }

  destroy(): void {
    this.dialers.destroy();
  }

  protected override up(peer: LinkPeer): void {
    this.announce(peer);
    super.up(peer);
  }

  /** A stanza is routed before this returns, or not at all. */
  protected override deliver(peer: LinkPeer, stanza: Stanza, pair: StreamPair): Promise<void> | undefined {
    this.arrivingBy = peer;
    try {
      return super.deliver(peer, stanza, pair);
    } finally {
      this.arrivingBy = undefined;
    }
  }

  /** The router does not believe the Edge: it asks whether the target is a home of ours and the sender is not. */
  protected override route(stanza: Stanza, pair: StreamPair): Promise<void> | undefined {
    return this.context.router.inward(stanza, pair);
  }

  protected override returnReceived(stanza: Stanza, pair: StreamPair, end: StreamEnd): void {
    this.context.router.undeliverableInward(stanza, pair, end);
  }

  protected override returnUnsent(stanza: Stanza, pair: StreamPair, end: StreamEnd): void {
    this.context.router.undeliverableOutward(stanza, pair, end);
  }

  protected override forget(peer: LinkPeer): void {
    this.judged.delete(peer);
    this.choice.reconsider();
  }

  private announce(peer: LinkPeer): void {
    const domains = this.context.parts.settings().parts.boot.homes.flatMap((home) => home.domains);
    peer.tell({ is: 'homes', domains });
  }

  protected override message(peer: LinkPeer, message: LinkMessage): void {
    if (message.is === 'homes-judged') this.homesJudged(peer, message.accepted, message.refused);
    else this.context.boxes.message(peer, message);
  }

  /** An Edge may say what it likes of our homes, and of nothing else. */
  private homesJudged(
    peer: LinkPeer,
    accepted: readonly string[],
    refused: readonly { readonly domain: string; readonly because: string }[],
  ): void {
    const { notes, settings } = this.context.parts;
    const ours = new Set<string>(settings().parts.boot.homes.flatMap(({ domains }) => domains));
    this.judged.set(
      peer,
      [...new Set(accepted)].filter((domain) => ours.has(domain)),
    );
    for (const { domain, because } of refused) {
      if (!ours.delete(domain)) continue;
      notes({ note: 'link-home-refused', box: peer.name, domain, because }, { local: domain, remote: peer.name });
    }
  }

  private operationsOf(): LinkOperations {
    return {
      list: () => Promise.resolve(this.status()),
      invite: () =>
        Promise.resolve({ refused: 'This box is a Core: the Edge invites. Run `fedway link invite` on the Edge.' }),
      join: (token) => this.dialers.join(token),
      revoke: (name) => this.dialers.revoke(name),
    };
  }
}

const NO_LONGER = 'the settings have changed while it waited for the Link';

/** Stands for the Edge as long as there is none. */
const NO_EDGE: Outlet = {
  offer: () => ({ refused: { by: 'disconnect', detail: 'this Core is paired with no Edge' } }),
  room: () => Promise.resolve(),
};
