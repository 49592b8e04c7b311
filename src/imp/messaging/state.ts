import type { Domain } from '../../protocol/jid/domain.ts';
import type { Jid } from '../../protocol/jid/jid.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import type { Packet } from '../packet.ts';
import { bareText, isSameBare } from './addresses.ts';
import { BlockLists } from './block-lists.ts';
import type { MessagingContext } from './context.ts';
import { LastSeen } from './last-seen.ts';
import { Resources } from './resources.ts';
import { FullRosters } from './roster-full.ts';
import { RosterStore } from './roster-store.ts';
import { packetOf } from './stanzas.ts';

/** What the parts of the messaging server share: who is connected, and what is kept of the accounts. */
export class MessagingState {
  readonly context: MessagingContext;
  readonly resources = new Resources();
  readonly rosters: RosterStore;
  readonly blocked: BlockLists;
  readonly seen: LastSeen;
  readonly full: FullRosters;

  constructor(context: MessagingContext) {
    this.context = context;
    this.rosters = new RosterStore(context.database, () => context.newId());
    this.blocked = new BlockLists(context.database);
    this.seen = new LastSeen(context.database);
    this.full = new FullRosters(context.notes, () => context.now());
  }

  get domain(): Domain {
    return this.context.domain;
  }

  /** The bare address of an account. */
  addressOf(account: string): Jid {
    return { local: account, domain: this.domain, resource: undefined };
  }

  isOwn(account: string, address: Jid): boolean {
    return isSameBare(address, this.addressOf(account));
  }

  /** Whether the account has blocked the address (XEP-0191). The server and the account itself cannot be blocked: nothing would work any more. */
  isBlocked(account: string, address: Jid): boolean {
    if (address.domain === this.domain && (address.local === undefined || address.local === account)) return false;
    return this.blocked.isBlocked(account, address);
  }

  /** Sends a stanza with these addresses. */
  send(kind: Packet['kind'], from: Jid, to: Jid, stanza: XmlElement): void {
    this.context.post.send(packetOf(kind, from, to, stanza));
  }

  exists(account: string): boolean {
    return this.context.exists(account);
  }

  /** Who gets the presence of the account; bare addresses. */
  subscribersOf(account: string): readonly Jid[] {
    return this.rosters.subscribers(account).filter((contact) => !this.isBlocked(account, contact));
  }

  /** Whether an address gets the presence of the account, or is its own. */
  mayWatch(account: string, address: Jid): boolean {
    if (this.isOwn(account, address)) return true;
    return this.rosters.isSubscriber(account, address) && !this.isBlocked(account, address);
  }

  /** Whether the bare address is in the roster. */
  isContact(account: string, address: Jid): boolean {
    return this.rosters.item(account, bareText(address))?.isListed === true;
  }
}
