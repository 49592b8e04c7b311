import type { Jid } from '../../protocol/jid/jid.ts';
import type { StanzaErrorCondition } from '../../protocol/stream/stanza-error.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import type { ClientSession } from '../sessions.ts';

/** An IQ request to an account (its bare address) or to the server (the domain). */
export interface IqRequest {
  readonly type: 'get' | 'set';
  readonly from: Jid;
  /** `undefined`: the server itself. Else the prepared localpart of the account, which exists. */
  readonly account: string | undefined;
  /** Whether `from` is a resource of the account itself. */
  readonly isOwner: boolean;
  /** The session that asks, when it is one of this node. */
  readonly session: ClientSession | undefined;
  /** The one child of the request. */
  readonly payload: XmlElement;
}

/** The answer: a result, perhaps with a payload, or a stanza error (RFC 6120 §8.3). */
export type IqAnswer =
  | { readonly result: XmlElement | undefined }
  | {
      readonly error: StanzaErrorCondition;
      readonly text?: string;
      /** An application-specific condition beside it. */
      readonly application?: XmlElement;
    };

/** Answers the IQ requests whose payload is in one namespace. */
export interface IqService {
  readonly namespace: string;
  readonly at: readonly ('account' | 'server')[];
  /** What service discovery says because of it (XEP-0030). */
  readonly features: readonly string[];
  /** Identities that an account has because of it, such as `pubsub/pep`. */
  readonly identities?: readonly { readonly category: string; readonly type: string }[];
  answer(request: IqRequest): IqAnswer | Promise<IqAnswer>;
}

/** The archive of messages (XEP-0313), as messaging writes to it. */
export interface Archive {
  /**
   * Keeps a message for an account, if it is one that is kept.
   *
   * @param with_ the other side
   * @returns the id to stamp on what the account's clients get (XEP-0359 `<stanza-id/>`); `undefined`: not kept
   */
  keep(account: string, direction: 'in' | 'out', with_: Jid, message: XmlElement): string | undefined;
}

/** Messages for a user who is not there (XEP-0160). */
export interface OfflineMessages {
  /** `full`: the sender gets `service-unavailable`. */
  store(account: string, message: XmlElement): 'stored' | 'full';
  /** Takes everything out, oldest first, each stamped with its time (XEP-0203). */
  take(account: string): readonly XmlElement[];
}

/** Who watches presence pass: PEP sends what a contact wants, the vCard adds the hash of the photo (XEP-0153). */
export interface PresenceWatcher {
  /** An available presence that a session broadcasts or directs to somebody, before it leaves; what is returned leaves in its place. */
  outgoing?(session: ClientSession, presence: XmlElement): XmlElement;
  /** A session of an account has become available, or has sent its presence again; called after the broadcast. */
  available?(session: ClientSession, presence: XmlElement): void;
  /** An available or unavailable presence of somebody arrived for an account whose presence it may see. */
  arrived?(account: string, from: Jid, presence: XmlElement): void;
}

/** What the services may ask of the rosters and the sessions. */
export interface Directory {
  exists(account: string): boolean;
  /** Bare addresses that receive the account's presence (subscription `from` or `both`). */
  subscribersOf(account: string): readonly Jid[];
  /** Whether an address receives the account's presence, or is the account's own. */
  mayWatch(account: string, address: Jid): boolean;
  /** The available sessions of an account. */
  sessionsOf(account: string): readonly ClientSession[];
  /** Whether a bare address is in the roster of the account, whatever the subscription (XEP-0441 §2.1.1). */
  isContact(account: string, address: Jid): boolean;
  /**
   * Has the last presence of each available session broadcast again, through `PresenceWatcher.outgoing`: what is added there has changed (XEP-0398 §4).
   * Must not call `PresenceWatcher.available`.
   */
  announce(account: string): void;
}

/** What an account lists and describes beside itself when it is asked by service discovery (XEP-0030): the nodes of PEP. */
export interface AccountNodes {
  /** The nodes that `requester` may see, for disco#items of the account (XEP-0163 §7.2); their `jid` is the account. */
  nodesOf(account: string, requester: Jid): readonly { readonly node: string; readonly name: string | undefined }[];
  /** The payload that answers disco#info about a node; `undefined`: there is none that `requester` may see. */
  describe(account: string, node: string, requester: Jid): XmlElement | undefined;
}
