import { printEndpoint } from '../config/address.ts';
import type { Outlet } from '../federation/outlet.ts';
import { LinkListener } from '../link/listener.ts';
import type { LinkPeer } from '../link/types.ts';
import type { StreamEnd } from '../protocol/end.ts';
import { type Domain, parseDomain } from '../protocol/jid/domain.ts';
import type { LinkMessage } from '../protocol/link/messages.ts';
import type { StreamPair } from '../protocol/stream/actions.ts';
import type { Stanza } from '../protocol/xml/types.ts';
import { HomeHolders } from './home-holders.ts';
import { LinkEnds, type LinkEndsContext } from './link-ends.ts';
import { linkStatusOf } from './link-facts.ts';
import type { LinkOperations, LinkStatus } from './operations.ts';
import type { Settings } from './settings.ts';

/** The Edge's end of the Links: Cores connect here, say which homes they serve, and get the stanzas for them. */
export class EdgeLinks extends LinkEnds {
  readonly operations: LinkOperations;
  private readonly listener: LinkListener;
  private readonly holders: HomeHolders;

  constructor(context: LinkEndsContext) {
    super(context);
    const { boot, folder } = context;
    this.holders = new HomeHolders({
      isOurs: (home) => context.parts.settings().policy.serves(home),
      paired: () => this.listener.peers(),
      judged: (peer, judgment) => void peer.tell({ is: 'homes-judged', ...judgment }),
    });
    this.listener = new LinkListener({ folder, name: boot.name, context: this.linkContext() });
    this.operations = this.operationsOf();
  }

  /** The Link of the Core that serves a home, or is expected to. */
  outletFor(pair: StreamPair): Outlet | undefined {
    return this.holders.holderOf(pair.target);
  }

  coreOf(home: Domain): LinkPeer | undefined {
    return this.holders.holderOf(home);
  }

  /** Whether what a Core says of a home counts. */
  speaksFor(peer: LinkPeer, home: Domain): boolean {
    return this.holders.speaksFor(peer, home);
  }

  status(): readonly LinkStatus[] {
    return this.listener.peers().map((peer) => {
      const { replication } = this.context.boxes.boxOf(peer);
      return linkStatusOf(peer, 'core', this.holders.homesOf(peer), replication.status());
    });
  }

  async start(): Promise<boolean> {
    for (const peer of this.listener.peers()) this.context.boxes.boxOf(peer);
    return this.listener.start(this.context.boot.link.listen);
  }

  /** Only another boot file can have other homes. */
  settingsChanged(former: Settings): void {
    const { policy } = this.context.parts.settings();
    for (const peer of this.listener.peers())
      peer.withdraw(({ sender, target }) => policy.ruling(sender, target).admitted, NO_LONGER);
    if (former.parts !== this.context.parts.settings().parts) this.holders.reconsider();
  }

  override stopListening(): void {
    this.listener.stopListening();
  }

  shutdown(): void {
    this.listener.shutdown();
  }

  get connections(): number {
    return this.listener.connections;
  }

  destroy(): void {
    this.listener.destroy();
  }

  protected override route(stanza: Stanza, pair: StreamPair): Promise<void> | undefined {
    return this.context.router.outward(stanza, pair);
  }

  protected override returnReceived(stanza: Stanza, pair: StreamPair, end: StreamEnd): void {
    this.context.router.undeliverableOutward(stanza, pair, end);
  }

  protected override returnUnsent(stanza: Stanza, pair: StreamPair, end: StreamEnd): void {
    this.context.router.undeliverableInward(stanza, pair, end);
  }

  protected override forget(peer: LinkPeer): void {
    this.holders.forget(peer);
  }

  protected override message(peer: LinkPeer, message: LinkMessage): void {
    if (message.is === 'homes') {
      // What a Core says of a home counts as long as it serves it.
      if (this.holders.announce(peer, message.domains)) this.context.boxes.reconsider();
    } else this.context.boxes.message(peer, message);
  }

  /** A Core speaks for the homes it holds, and for no other Core's. */
  protected override deliver(peer: LinkPeer, stanza: Stanza, pair: StreamPair): Promise<void> | undefined {
    if (this.holders.holderOf(pair.sender) === peer) return super.deliver(peer, stanza, pair);
    const because = `it came from the Core ${peer.name}, which does not serve ${pair.sender}`;
    this.context.parts.notes(
      { note: 'dropped', kind: stanza.kind, because },
      { local: pair.sender, remote: pair.target },
    );
    return undefined;
  }

  private operationsOf(): LinkOperations {
    const { listener } = this;
    return {
      list: () => Promise.resolve(this.status()),
      invite: (options) => {
        const strangers = options.domains.filter((each) => !this.isOurs(parseDomain(each)));
        // One domain, one spelling: by this it will be compared with what the Core announces.
        const domains = options.domains.map((each) => parseDomain(each) ?? each);
        if (strangers.length > 0) {
          const refused = `${strangers.join(', ')}: not among the homes of this Edge. Add them, with their certificate, to \`homes\` in its boot file.`;
          return Promise.resolve({ refused });
        }
        const { address } = this.context.parts.settings().parts.boot.link;
        const standard = address === undefined ? undefined : printEndpoint(address);
        return listener.invite({ ...options, domains, address: options.address ?? standard });
      },
      join: () =>
        Promise.resolve({ refused: 'This box is an Edge: a Core joins it. Run `fedway link join` on the Core.' }),
      revoke: (name) => listener.revoke(name),
    };
  }

  private isOurs(home: Domain | undefined): boolean {
    return home !== undefined && this.context.parts.settings().policy.serves(home);
  }
}

const NO_LONGER = 'the settings have changed while it waited for the Link';
