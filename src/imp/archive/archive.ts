import type { Domain } from '../../protocol/jid/domain.ts';
import { printJid } from '../../protocol/jid/print.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { element } from '../../protocol/xml/write.ts';
import type { NodeDatabase } from '../database/database.ts';
import type { Archive, Directory, IqAnswer, IqRequest, IqService } from '../messaging/ports.ts';
import { answerInquiry } from './inquiry.ts';
import { asKeptForUser, isKeptForUser } from './keeping.ts';
import { ArchivePreferences } from './preferences.ts';
import { MAM } from './query.ts';
import type { ArchiveStore } from './store.ts';

export interface ArchiveOptions {
  readonly database: NodeDatabase;
  /** Shared with the rooms. */
  readonly store: ArchiveStore;
  /** The domain of the accounts. */
  readonly domain: Domain;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly directory: () => Pick<Directory, 'isContact'>;
}

/** The archives of the users. */
export interface UserArchives {
  readonly archive: Archive;
  readonly service: IqService;
  /** Removes the archive of an account, and its preferences. */
  removeAccount(account: string): void;
}

/** The archives of the users (XEP-0313) with their preferences (XEP-0441). The tables are `ARCHIVE_TABLES`. */
export function createArchive({ database, store, domain, now, directory }: ArchiveOptions): UserArchives {
  const preferences = new ArchivePreferences(database, (account, address) => directory().isContact(account, address));
  const addressOf = (account: string) => printJid({ local: account, domain, resource: undefined });
  return {
    archive: {
      keep(account, direction, peer, message) {
        // XEP-0313, "User Archives": whoever writes to themselves has it once, as it went out.
        const isCopy = direction === 'in' && peer.local === account && peer.domain === domain;
        if (isCopy || !isKeptForUser(message) || !preferences.admits(account, peer)) return undefined;
        return store.add(account, direction, peer, asKeptForUser(message, addressOf(account)), now());
      },
    },
    service: {
      namespace: MAM,
      at: ['account'],
      // urn:xmpp:sid:0: what is delivered bears the id that it has in the archive (XEP-0359 §4).
      features: [MAM, `${MAM}#extended`, 'urn:xmpp:sid:0'],
      answer: (request) => answer(request),
    },
    removeAccount(account) {
      database.transaction(() => {
        store.remove(account);
        preferences.remove(account);
      });
    },
  };

  function answer({ type, from, account, isOwner, session, payload }: IqRequest): IqAnswer {
    if (account === undefined || !isOwner || session === undefined) return { error: 'forbidden' };
    if (payload.name === 'prefs') return preferences.answer(account, type, payload);
    const send = (result: XmlElement) =>
      session.send(element('message', 'jabber:client', { from: addressOf(account), to: printJid(from) }, result));
    return answerInquiry(store, { owner: account, type, payload, send });
  }
}
