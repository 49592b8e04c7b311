import { lookup } from 'node:dns/promises';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigDesk } from '../box/config-desk.ts';
import { linkStatusOf, linkTimingOf } from '../box/link-facts.ts';
import type { LinkOperations, LinkStatus } from '../box/operations.ts';
import { Clusterdb } from '../clusterdb/store.ts';
import type { BootConfig } from '../config/boot.ts';
import { liveCatalog } from '../config/live/catalog.ts';
import { Cores } from '../link/cores.ts';
import { LinkDialers } from '../link/dialers.ts';
import type { LinkContext } from '../link/types.ts';
import { AUTHENTICATED_LIMITS } from '../protocol/xml/limits.ts';
import type { DataDesk } from './reach.ts';

/** Which keys are changed on which box. */
const OWNS = { single: 'both', edge: 'edge', core: 'core' } as const;

/**
 * Opens the data folder of a box, so that it can be prepared before its first start. `alone` refuses while a box runs on it; `shared` is for
 * reading. As root this process does it as the owner of the folder: files of root in it would keep the service from its own data.
 */
export async function openData(
  boot: BootConfig,
  how: 'alone' | 'shared',
): Promise<DataDesk | { readonly refused: string }> {
  const { data: folder, role, name } = boot;
  if (folder === undefined) return { refused: `the boot file ${boot.path} names no data folder.` };
  const back = becomeOwnerOf(folder);
  const db = Clusterdb.open({ folder, catalog: liveCatalog, owns: OWNS[role], exclusive: how === 'alone' });
  if ('refused' in db) {
    back();
    return db;
  }
  const link = role === 'single' ? undefined : linkDesk(boot, join(folder, 'link'));
  return {
    config: new ConfigDesk({ db, name, owns: OWNS[role] }),
    link: link?.operations,
    snapshot: () => db.snapshot(),
    close: () => {
      link?.close();
      db.close();
      back();
    },
  };
}

/** The answer takes it back. */
function becomeOwnerOf(folder: string): () => void {
  const facts = statSync(folder, { throwIfNoEntry: false });
  const { geteuid, seteuid, getegid, setegid } = process;
  if (facts === undefined || facts.uid === 0 || geteuid?.() !== 0) return () => undefined;
  const group = getegid?.() ?? 0;
  setegid?.(facts.gid);
  seteuid?.(facts.uid);
  return () => {
    seteuid?.(0);
    setegid?.(group);
  };
}

interface LinkDesk {
  readonly operations: LinkOperations;
  close(): void;
}

function linkDesk(boot: BootConfig, folder: string): LinkDesk {
  return boot.role === 'core' ? coreDesk(boot, folder) : { operations: edgeDesk(folder), close: () => undefined };
}

/** Joining takes no running Core: the pairing is made and kept, and dialed when the Core runs. */
function coreDesk(boot: BootConfig, folder: string): LinkDesk {
  const dialers = new LinkDialers({
    folder,
    name: boot.name,
    resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
    dialFrom: boot.link.dialFrom,
    context: idle(boot),
  });
  return {
    operations: {
      list: async () => dialers.peers().map((peer) => linkStatusOf(peer, 'edge', [], undefined)),
      invite: async () => ({ refused: 'this box is a Core: the Edge invites. Run fedway link invite on the Edge.' }),
      join: (token) => dialers.join(token),
      revoke: (name) => dialers.revoke(name),
    },
    close: () => dialers.destroy(),
  };
}

const nothing = (): undefined => undefined;

/** A Link that carries nothing. */
function idle(boot: BootConfig): LinkContext {
  return {
    deliver: nothing,
    message: nothing,
    up: nothing,
    down: nothing,
    undeliverable: nothing,
    gone: nothing,
    limits: AUTHENTICATED_LIMITS,
    timing: linkTimingOf(boot),
    notes: nothing,
  };
}

/** A token of an Edge that does not run cannot be used: it is the Edge that is dialed. */
function edgeDesk(folder: string): LinkOperations {
  const file = join(folder, 'cores.json');
  return {
    list: async () => {
      const cores = Cores.open(file);
      return 'problem' in cores ? [] : cores.all.map(({ name, since }) => stopped(name, since));
    },
    invite: async () => ({ refused: 'a Core joins an Edge that runs: start this one, then invite.' }),
    join: async () => ({ refused: 'this box is an Edge: a Core joins it. Run fedway link join on the Core.' }),
    revoke: async (name) => {
      const cores = Cores.open(file);
      if ('problem' in cores) return { refused: `${cores.problem}.` };
      const core = cores.byName(name);
      if (core === undefined) return { refused: `there is no Link with a Core called ${name}. See fedway link list.` };
      cores.remove(core.id);
      return { revoked: name };
    },
  };
}

function stopped(name: string, since: number): LinkStatus {
  return {
    name,
    role: 'core',
    state: 'down',
    since,
    because: 'this Edge is not running',
    peer: undefined,
    tls: undefined,
    certificateUntil: undefined,
    homes: [],
    queued: { stanzas: 0, bytes: 0 },
    resumed: 0,
    stanzasIn: 0,
    stanzasOut: 0,
    replication: undefined,
  };
}
