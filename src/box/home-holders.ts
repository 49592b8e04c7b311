import type { LinkPeer } from '../link/types.ts';
import { type Domain, parseDomain } from '../protocol/jid/domain.ts';

/** Whether a Core may have a home, and why not. */
interface Judgment {
  readonly accepted: readonly Domain[];
  readonly refused: readonly { readonly domain: string; readonly because: string }[];
}

/** What the holders are judged by. */
export interface HomeHoldersContext {
  isOurs(domain: Domain): boolean;
  /** Every Core that is paired, connected or not. */
  paired(): readonly LinkPeer[];
  /** Called with the standing of a Core whenever it announced, or its standing changed. */
  judged(peer: LinkPeer, judgment: Judgment): void;
}

/** Domains of one announcement that are looked at, and refusals that a Core is told of. */
const MOST_HOMES = 10_000;
const MOST_REFUSALS = 100;
/** UTF-16 units of a domain that is refused, as it is told. */
const SHOWN_DOMAIN = 255;

/** A domain as a Core announced it, and what it is if it is one. */
interface Announced {
  readonly said: string;
  readonly home: Domain | undefined;
}

/**
 * On an Edge: which Core serves which home. The Cores announce; the Edge gives a home to one of them at a time, and to another when that
 * one is gone for good.
 */
export class HomeHolders {
  private readonly announced = new Map<LinkPeer, readonly Announced[]>();
  private holders = new Map<Domain, LinkPeer>();
  private readonly context: HomeHoldersContext;

  constructor(context: HomeHoldersContext) {
    this.context = context;
  }

  /** The Core that serves a home, or that is expected to. */
  holderOf(home: Domain): LinkPeer | undefined {
    const holder = this.holders.get(home);
    if (holder?.isUsable === true) return holder;
    return this.successorOf(home) ?? holder ?? this.expectedFor(home);
  }

  homesOf(peer: LinkPeer): readonly Domain[] {
    return [...this.holders].filter(([, holder]) => holder === peer).map(([home]) => home);
  }

  /** Whether any home has another holder now. What is beyond `MOST_HOMES` is not looked at. */
  announce(peer: LinkPeer, domains: readonly string[]): boolean {
    const former = this.holders;
    const looked = domains.slice(0, MOST_HOMES);
    this.announced.set(
      peer,
      looked.map((said) => ({ said: said.slice(0, SHOWN_DOMAIN), home: parseDomain(said) })),
    );
    this.assign();
    this.context.judged(peer, this.judgmentOf(peer));
    return !isSame(former, this.holders);
  }

  /** Whether what a Core says of a home counts: it serves it, or nobody does and it might. */
  speaksFor(peer: LinkPeer, home: Domain): boolean {
    const holder = this.holders.get(home);
    return holder === undefined ? mayServe(peer, home) : holder === peer;
  }

  forget(peer: LinkPeer): void {
    this.announced.delete(peer);
    this.assign();
  }

  /** The boot file may have other homes now. */
  reconsider(): void {
    this.assign();
    for (const peer of this.announced.keys()) this.context.judged(peer, this.judgmentOf(peer));
  }

  /** The holder does not answer for so long that what it had was returned: another that serves the home takes over. */
  private successorOf(home: Domain): LinkPeer | undefined {
    if (!this.context.isOurs(home)) return undefined;
    for (const [peer, announced] of this.announced) {
      if (!peer.isUsable || !mayServe(peer, home) || !announced.some((each) => each.home === home)) continue;
      this.holders.set(home, peer);
      this.context.judged(peer, this.judgmentOf(peer));
      return peer;
    }
    return undefined;
  }

  /** After a start of the Edge nobody has announced anything: where only one Core can be meant, stanzas wait for that one. */
  private expectedFor(home: Domain): LinkPeer | undefined {
    if (!this.context.isOurs(home)) return undefined;
    const able = this.context.paired().filter((peer) => mayServe(peer, home));
    const [only] = able;
    return able.length === 1 && only !== undefined && !this.announced.has(only) ? only : undefined;
  }

  private assign(): void {
    const former = this.holders;
    this.holders = new Map();
    for (const [peer, announced] of this.announced) {
      for (const { home } of announced) {
        if (home === undefined || !this.context.isOurs(home) || !mayServe(peer, home)) continue;
        const holder = this.holders.get(home);
        const stays = former.get(home) === peer && peer.isUsable;
        if (holder === undefined || stays || !holder.isUsable) this.holders.set(home, peer);
      }
    }
  }

  private judgmentOf(peer: LinkPeer): Judgment {
    const refused: { domain: string; because: string }[] = [];
    for (const { said, home } of this.announced.get(peer) ?? []) {
      if (refused.length >= MOST_REFUSALS) break;
      const because = this.objection(peer, home);
      if (because !== undefined) refused.push({ domain: said, because });
    }
    return { accepted: this.homesOf(peer), refused };
  }

  private objection(peer: LinkPeer, home: Domain | undefined): string | undefined {
    if (home === undefined) return 'it is not a domain';
    if (!this.context.isOurs(home))
      return "it is not among the Edge's homes; add it, with a certificate, to the Edge's boot file";
    if (!mayServe(peer, home)) return 'the invitation does not permit it; invite the Core with this domain';
    const holder = this.holders.get(home);
    return holder === peer ? undefined : `it is served by ${holder?.name ?? 'nobody'} already`;
  }
}

function mayServe(peer: LinkPeer, home: Domain): boolean {
  return peer.mayServe === undefined || peer.mayServe.includes(home);
}

function isSame(one: ReadonlyMap<Domain, LinkPeer>, other: ReadonlyMap<Domain, LinkPeer>): boolean {
  return one.size === other.size && [...one].every(([home, peer]) => other.get(home) === peer);
}
