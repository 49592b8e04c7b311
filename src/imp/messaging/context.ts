import type { Domain } from '../../protocol/jid/domain.ts';
import type { NoteSink } from '../../protocol/notes.ts';
import type { NodeDatabase } from '../database/database.ts';
import type { Post } from '../packet.ts';
import type { AccountNodes, Archive, IqService, OfflineMessages, PresenceWatcher } from './ports.ts';
import type { Requests } from './requests.ts';

/** What the messaging server is made with. The tables are `MESSAGING_TABLES`. */
export interface MessagingContext {
  /** Of the accounts. */
  readonly domain: Domain;
  /** The alias of the chat rooms, for service discovery. */
  readonly roomsDomain: Domain | undefined;
  readonly database: NodeDatabase;
  readonly post: Post;
  /** Whether there is an account of this prepared localpart, be it inactive. */
  exists(account: string): boolean;
  readonly archive: Archive;
  readonly offline: OfflineMessages;
  readonly services: readonly IqService[];
  readonly watchers: readonly PresenceWatcher[];
  /** What accounts show of themselves beside their services. */
  readonly nodes: AccountNodes;
  /** What the services of this server have asked of clients and of others. */
  readonly requests: Requests;
  readonly notes: NoteSink;
  /** Unix milliseconds. */
  now(): number;
  /** Something that was never used before, such as a UUID. */
  newId(): string;
  /** What is told to who asks (XEP-0092). */
  readonly software: { readonly name: string; readonly version: string };
}
