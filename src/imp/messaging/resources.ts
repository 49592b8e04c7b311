import type { Jid } from '../../protocol/jid/jid.ts';
import { printJid } from '../../protocol/jid/print.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import type { ClientSession } from '../sessions.ts';
import { isSameBare } from './addresses.ts';

/** A connected resource (RFC 6120 §7.1), and what it has told the server. */
export class Resource {
  readonly session: ClientSession;
  /** The prepared localpart. */
  readonly account: string;
  /** The last presence it has broadcast; `undefined`: it is not available (RFC 6121 §4.2). */
  presence: XmlElement | undefined;
  /** RFC 6121 §4.7.2.3. */
  priority = 0;
  /** It has asked for the roster, and gets the pushes (RFC 6121 §2.2). */
  isInterested = false;
  /** XEP-0280 §4. */
  hasCarbons = false;
  /** It has asked for the block list, and gets the pushes (XEP-0191 §3.2). */
  knowsBlockList = false;
  /** Who got directed presence (RFC 6121 §4.6), by address. */
  readonly directed = new Map<string, Jid>();
  /** Contacts that answered presence with an error; they get none until they send some (RFC 6121 §4.4.2). By bare address. */
  readonly unreachable = new Set<string>();

  constructor(session: ClientSession, account: string) {
    this.session = session;
    this.account = account;
  }

  get address(): Jid {
    return this.session.address;
  }

  /** Whether it has sent directed presence to this address, or to another one of the same bare address: all occupants of a room are one. */
  hasDirectedTo(address: Jid): boolean {
    if (this.directed.has(printJid(address))) return true;
    return [...this.directed.values()].some((known) => isSameBare(known, address));
  }
}

const NOBODY: ReadonlyMap<string, Resource> = new Map();

/** The connected resources of all accounts. */
export class Resources {
  private readonly accounts = new Map<string, Map<string, Resource>>();
  private readonly bySession = new Map<ClientSession, Resource>();

  add(session: ClientSession): Resource {
    const { local, resource: name } = session.address;
    if (local === undefined || name === undefined) throw new TypeError('a session has a full address');
    const resource = new Resource(session, local);
    const own = this.accounts.get(local) ?? new Map<string, Resource>();
    own.set(name, resource);
    this.accounts.set(local, own);
    this.bySession.set(session, resource);
    return resource;
  }

  remove(resource: Resource): void {
    this.bySession.delete(resource.session);
    const own = this.accounts.get(resource.account);
    const name = resource.address.resource;
    // Another session may have the address by now.
    if (own === undefined || name === undefined || own.get(name) !== resource) return;
    own.delete(name);
    if (own.size === 0) this.accounts.delete(resource.account);
  }

  of(session: ClientSession): Resource | undefined {
    return this.bySession.get(session);
  }

  /** The one with this full address. */
  at({ local, resource }: Jid): Resource | undefined {
    if (local === undefined || resource === undefined) return undefined;
    return this.accounts.get(local)?.get(resource);
  }

  connected(account: string): readonly Resource[] {
    return [...(this.accounts.get(account) ?? NOBODY).values()];
  }

  available(account: string): readonly Resource[] {
    return this.connected(account).filter(({ presence }) => presence !== undefined);
  }

  interested(account: string): readonly Resource[] {
    return this.connected(account).filter(({ isInterested }) => isInterested);
  }

  /** Those that messages to the bare address go to: with the highest priority that is not negative (RFC 6121 §8.5.2.1.1). */
  mostAvailable(account: string): readonly Resource[] {
    const willing = this.nonNegative(account);
    const highest = Math.max(...willing.map(({ priority }) => priority));
    return willing.filter(({ priority }) => priority === highest);
  }

  nonNegative(account: string): readonly Resource[] {
    return this.available(account).filter(({ priority }) => priority >= 0);
  }
}
