import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Clusterdb } from '../clusterdb/store.ts';
import type { Entry } from '../clusterdb/types.ts';
import type { BootConfig } from '../config/boot.ts';
import { liveSettingsOfBootFile } from '../config/live/from-boot-file.ts';
import type { LiveSettings } from '../config/live/settings.ts';
import { liveSettingsOf } from '../config/live/snapshot.ts';
import type { Router } from '../federation/router.ts';
import { DialbackKeys } from '../net/keys/dialback-keys.ts';
import { type Domain, parseDomain } from '../protocol/jid/domain.ts';
import type { Json } from '../protocol/link/messages.ts';
import { ConfigDesk } from './config-desk.ts';
import { CoreLinks } from './core-links.ts';
import { CorePolicy } from './core-policy.ts';
import { EdgeLinks } from './edge-links.ts';
import { ForeignFace } from './foreign-face.ts';
import { HomeFace } from './home-face.ts';
import { LinkedBoxes } from './linked-boxes.ts';
import type { LiveConfig } from './live-config.ts';
import type { BoxStatus } from './operations.ts';
import type { BoxParts } from './parts.ts';
import { policyOf, settingsOf } from './settings.ts';
import { SteeringOrgan } from './steering-organ.ts';
import { NO_OTHERS, type Wiring } from './wiring.ts';

type LiveValue = readonly [key: string, value: Json];

/** What a role is made of. */
export interface WiringContext {
  /** The boot file at the start; what a reload changes is in the settings. */
  readonly boot: BootConfig;
  readonly parts: BoxParts;
  readonly router: Router;
  readonly live: LiveConfig;
  /** Live settings, here or in a replica, have changed. */
  readonly changed: () => void;
  /** Answers the administrator of another box. */
  readonly answer: (what: string, about: Json) => Promise<Json>;
}

/** Connects the organs of a box as its role asks. */
export function wire(context: WiringContext): Wiring {
  const { boot, live } = context;
  if (boot.role === 'single') return wireSingle(context);
  if (live.by !== 'clusterdb' || boot.data === undefined)
    throw new Error(`a box of role ${boot.role} has a data folder: the boot file was checked for it`);
  return boot.role === 'edge' ? wireEdge(context, live.db, boot.data) : wireCore(context, live.db, boot.data);
}

/** A partner's streams on one side, the servers inside on the other, and no Link between. */
function wireSingle({ boot, parts, router, live, changed }: WiringContext): Wiring {
  const foreign = new ForeignFace(parts, router);
  const home = new HomeFace(parts, router);
  const ownSecret = secretOfThisRun();
  const liveIn = (file: BootConfig): LiveSettings =>
    live.by === 'clusterdb' ? liveSettingsOf(valuesOf(live.db)) : liveSettingsOfBootFile(file);
  const liveNow = (): LiveSettings => liveIn(parts.settings().parts.boot);
  if (live.by === 'clusterdb') watchOwn(live.db, changed);
  return {
    organs: [foreign, home, new SteeringOrgan(parts)],
    sides: {
      towardsHome: (pair) => home.outletFor(pair),
      towardsForeign: (pair) => foreign.outlets.outletFor(pair),
    },
    settingsOf: (bootParts) => settingsOf(bootParts, liveIn(bootParts.boot), ownSecret),
    standing: () => {
      const now = liveNow();
      return { federation: switchOf(now), isHomeOn: (domain) => isOn(now, domain) };
    },
    viaOf: (domain) => viaInside(parts, domain),
    config: live.by === 'clusterdb' ? new ConfigDesk({ db: live.db, name: boot.name, owns: 'both' }) : undefined,
    link: undefined,
    links: () => [],
    others: NO_OTHERS,
  };
}

/** The world on one side, the Cores on the other. The Edge knows no address of the inside. */
function wireEdge(context: WiringContext, db: Clusterdb, folder: string): Wiring {
  const { boot, parts, router, changed, answer } = context;
  const foreign = new ForeignFace(parts, router);
  const boxes = new LinkedBoxes({ db, own: 'edge', notes: parts.notes, changed, answer });
  const links = new EdgeLinks({ boot, folder: join(folder, 'link'), parts, router, boxes });
  const ownSecret = secretOfThisRun();
  /** Its own keys, and of the Cores' what is said of homes. */
  const liveNow = (): LiveSettings =>
    liveSettingsOf([
      ...valuesOf(db),
      ...boxes.all().flatMap(({ peer, replication }) =>
        // One Core has no say in the homes of another.
        valuesIn(replication.entries()).filter(([key]) => {
          const home = homeIn(key);
          return home !== undefined && links.speaksFor(peer, home);
        }),
      ),
    ]);
  watchOwn(db, changed);
  return {
    organs: [foreign, links],
    sides: {
      towardsHome: (pair) => links.outletFor(pair),
      towardsForeign: (pair) => foreign.outlets.outletFor(pair),
    },
    settingsOf: (bootParts) => settingsOf(bootParts, liveNow(), ownSecret),
    standing: () => {
      const now = liveNow();
      const state = switchOf(now);
      const noCore = state.on && !links.status().some((link) => link.state === 'up');
      const detail = 'federation is on, but no Core is connected: stanzas for the homes wait or are returned';
      return { federation: noCore ? { on: true, detail } : state, isHomeOn: (domain) => isOn(now, domain) };
    },
    viaOf: (domain) => {
      const home = parseDomain(domain);
      const core = home === undefined ? undefined : links.coreOf(home);
      return core === undefined ? 'no Core has announced it' : `the Link to ${core.name}`;
    },
    config: new ConfigDesk({
      db,
      name: boot.name,
      owns: 'edge',
      linked: {
        all: () => boxes.all(),
        // The flag of a home belongs to the Core that serves it.
        ownersOf: (key) => boxes.all().filter(({ peer }) => holds(links, key, peer.id)),
      },
    }),
    link: links.operations,
    links: () => links.status(),
    others: boxes,
  };
}

/** The servers inside on one side, the Edges on the other. */
function wireCore(context: WiringContext, db: Clusterdb, folder: string): Wiring {
  const { boot, parts, router, changed, answer } = context;
  const home = new HomeFace(parts, router);
  let policy = new CorePolicy([], []);
  const boxes = new LinkedBoxes({
    db,
    own: 'core',
    notes: parts.notes,
    changed,
    answer,
    // Otherwise an Edge could fill the database.
    objection: (key) => {
      const home = homeIn(key);
      return home !== undefined && policy.serves(home) ? undefined : 'it is not of a home of this Core.';
    },
  });
  const links = new CoreLinks({
    boot,
    folder: join(folder, 'link'),
    parts,
    router,
    boxes,
    policy: () => policy,
    homesReady: (milliseconds) => home.ready(milliseconds),
  });
  // Towards the inside a key proves only that this very process made it: it is asked back at once.
  const authority = new DialbackKeys(secretOfThisRun());
  const liveAt = (): readonly { readonly id: string; readonly live: LiveSettings }[] =>
    boxes
      .all()
      .filter(({ replication }) => replication.origin !== undefined)
      .map(({ peer, replication }) => ({
        id: peer.id,
        live: liveSettingsOf([...valuesIn(replication.entries()), ...valuesOf(db)]),
      }));
  watchOwn(db, changed);
  return {
    organs: [home, new SteeringOrgan(parts), links],
    sides: {
      towardsHome: (pair) => home.outletFor(pair),
      towardsForeign: (pair) => links.outletFor(pair),
    },
    settingsOf: (bootParts) => {
      const homes = bootParts.boot.homes.flatMap(({ domains }) => domains);
      policy = new CorePolicy(
        homes,
        liveAt().map(({ id, live }) => ({ id, policy: policyOf(bootParts, live) })),
      );
      return { parts: bootParts, policy, authority, routeOf: () => undefined };
    },
    standing: () => {
      const now = liveAt();
      return { federation: coreSwitch(links, now), isHomeOn: (domain) => now.some(({ live }) => isOn(live, domain)) };
    },
    viaOf: (domain) => viaInside(parts, domain),
    config: new ConfigDesk({
      db,
      name: boot.name,
      owns: 'core',
      linked: { all: () => boxes.all(), ownersOf: () => boxes.all() },
    }),
    link: links.operations,
    links: () => links.status(),
    others: boxes,
  };
}

/** As long as no secret is configured, and towards the inside: a secret nobody knows, good for one run. */
function secretOfThisRun(): string {
  return randomBytes(32).toString('hex');
}

function valuesOf(db: Clusterdb): readonly LiveValue[] {
  return valuesIn([...db.snapshot().entries.values()]);
}

/** A secret that another box holds is not among them. */
function valuesIn(entries: readonly Entry[]): readonly LiveValue[] {
  return entries.flatMap(({ key, value }) => (value === undefined ? [] : [[key, value] as const]));
}

/** Of the replicas the linked boxes tell. */
function watchOwn(db: Clusterdb, changed: () => void): void {
  db.watch(({ origin }) => {
    if (origin === db.origin) changed();
  });
}

function switchOf(live: LiveSettings): BoxStatus['federation'] {
  return live.federation
    ? { on: true, detail: 'federation is on' }
    : { on: false, detail: 'federation is switched off: fedway config set federation on' };
}

function coreSwitch(links: CoreLinks, edges: readonly { readonly live: LiveSettings }[]): BoxStatus['federation'] {
  if (links.edges().length === 0)
    return {
      on: false,
      detail: 'this Core is paired with no Edge: fedway link invite on the Edge, fedway link join here',
    };
  if (edges.length === 0) return { on: false, detail: 'no configuration has come from an Edge yet' };
  if (!edges.some(({ live }) => live.federation))
    return { on: false, detail: 'federation is switched off on every Edge: fedway config set federation on' };
  if (!links.edges().some(({ isUp }) => isUp))
    return {
      on: true,
      detail: 'federation is on, but no Edge is connected: stanzas for the world wait or are returned',
    };
  return { on: true, detail: 'federation is on' };
}

function isOn(live: LiveSettings, domain: string): boolean {
  return live.federation && !live.homesOff.has(domain as Domain);
}

/** The home that a key is about, if it is about one. */
function homeIn(key: string): Domain | undefined {
  return parseDomain(/^homes\.(.+)\.federation$/.exec(key)?.[1] ?? '');
}

function holds(links: EdgeLinks, key: string, peerId: string): boolean {
  const home = homeIn(key);
  return home !== undefined && links.coreOf(home)?.id === peerId;
}

function viaInside(parts: BoxParts, domain: string): string {
  const home = parseDomain(domain);
  const server = home === undefined ? undefined : parts.settings().parts.homeOf(home)?.server;
  switch (server?.via) {
    case undefined:
      return 'nothing';
    case 's2s':
      return 'S2S';
    case 'component':
      return 'component (fedway connects)';
    case 'accept_component':
      return 'component (the server connects)';
  }
}
