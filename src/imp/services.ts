import { randomBytes, randomUUID } from 'node:crypto';
import { faultInWords } from '../net/s2s/in-words.ts';
import type { NoteSink } from '../protocol/notes.ts';
import type { Accounts } from './accounts/accounts.ts';
import { createArchive } from './archive/archive.ts';
import { ArchiveIds } from './archive/ids.ts';
import { RoomArchive } from './archive/room-archive.ts';
import { ArchiveStore } from './archive/store.ts';
import { ARCHIVE_TABLES } from './archive/tables.ts';
import type { NodeBoot } from './config/boot.ts';
import type { NodeDatabase, SchemaPart } from './database/database.ts';
import { Messaging } from './messaging/messaging.ts';
import { Requests } from './messaging/requests.ts';
import { MESSAGING_TABLES } from './messaging/tables.ts';
import { OFFLINE_TABLES, OfflineStore, offlineBounds } from './offline/offline-store.ts';
import { capabilitiesBy } from './pubsub/interests.ts';
import { PEP_TABLES } from './pubsub/node-store.ts';
import { PersonalEvents } from './pubsub/personal-events.ts';
import { PRIVATE_TABLES, PrivateStorage } from './pubsub/private-storage.ts';
import { Rooms } from './rooms/rooms.ts';
import { ROOM_TABLES } from './rooms/tables.ts';
import type { XcpRouter } from './router/xcp-router.ts';
import { convertAvatars } from './vcard/avatar-conversion.ts';
import { VcardService } from './vcard/vcard-service.ts';
import { VCARD_TABLES } from './vcard/vcard-store.ts';

/** The tables of what is made here. */
export const SERVICE_TABLES: readonly SchemaPart[] = [
  MESSAGING_TABLES,
  ARCHIVE_TABLES,
  OFFLINE_TABLES,
  PEP_TABLES,
  PRIVATE_TABLES,
  VCARD_TABLES,
  ROOM_TABLES,
];

/** How often the archives let go of what has become too old, though nobody writes. */
const PRUNING_MS = 60_000;

export interface ServicesContext {
  readonly boot: NodeBoot;
  readonly database: NodeDatabase;
  readonly accounts: Accounts;
  readonly router: XcpRouter;
  readonly notes: NoteSink;
  readonly version: string;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** What a node does for its users, put together. */
export interface Services {
  readonly messaging: Messaging;
  /** Removes everything that is kept for a user whose sessions are over. */
  readonly forget: (user: string) => void;
  /** The node ends: whoever is in a room is told. */
  readonly close: () => void;
  /** Nothing is done by itself any more: the database is about to be closed. */
  readonly stop: () => void;
}

/** Makes the services of a node and registers them with its router. */
export function createServices(context: ServicesContext): Services {
  const { boot, database, accounts, router, notes, version, now } = context;
  const { domain, rooms } = boot;
  // The services ask the messaging server, which is made with them.
  const directory = (): Messaging => messaging;
  const requests = new Requests({ post: router, newId: randomUUID, later: cancelable });
  const { keep, messages, bytes } = boot.archive;
  const { queueStanzas, queueBytes } = boot.clients.limits;
  const store = new ArchiveStore(database, new ArchiveIds(randomBytes), { messages, octets: bytes, age: keep });
  const prune = (): void => {
    try {
      store.prune(now());
    } catch (error) {
      notes({ note: 'bug', where: 'the pruning of the archives', detail: faultInWords(error) }, {});
    }
  };
  const pruning = setInterval(prune, PRUNING_MS).unref();
  const archives = createArchive({
    database,
    store,
    domain,
    now,
    directory,
  });
  const offline = new OfflineStore({
    database,
    domain,
    now,
    bounds: offlineBounds(boot.offline.messages, { stanzas: queueStanzas, bytes: queueBytes }),
  });
  const vcards = new VcardService({ database, directory });
  const privates = new PrivateStorage(database);
  const events = new PersonalEvents({
    database,
    domain,
    post: router,
    directory,
    capabilities: capabilitiesBy(requests, domain),
    now,
    newId: randomUUID,
    notes,
  });
  convertAvatars(vcards, events);
  const messaging: Messaging = new Messaging({
    domain,
    roomsDomain: rooms,
    database,
    post: router,
    exists: (account) => accounts.exists(account),
    archive: archives.archive,
    offline,
    services: [archives.service, vcards, privates, ...events.services],
    watchers: [vcards, events],
    nodes: events,
    requests,
    notes,
    now,
    newId: randomUUID,
    software: { name: 'fedway', version },
  });
  router.register(domain, messaging);
  const chatRooms =
    rooms === undefined
      ? undefined
      : new Rooms({
          domain: rooms,
          database,
          archive: new RoomArchive(store, now),
          post: router,
          notes,
          now,
          newId: randomUUID,
          mayCreate: (user) => user.domain === domain && user.local !== undefined && accounts.exists(user.local),
          version,
        });
  if (rooms !== undefined && chatRooms !== undefined) router.register(rooms, chatRooms);
  return {
    messaging,
    forget: (user) =>
      database.transaction(() => {
        messaging.forget(user);
        for (const part of [archives, offline, vcards, privates, events]) part.removeAccount(user);
        chatRooms?.userRemoved({ local: user, domain, resource: undefined });
      }),
    close: () => chatRooms?.close(),
    stop: () => clearInterval(pruning),
  };
}

/** A timer that does not keep the process alive. */
function cancelable(milliseconds: number, work: () => void): () => void {
  const timer = setTimeout(work, milliseconds);
  timer.unref();
  return () => clearTimeout(timer);
}
