import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Clusterdb } from '../clusterdb/store.ts';
import type { Entry } from '../clusterdb/types.ts';
import type { BootConfig } from '../config/boot.ts';
import { liveSettingsOfBootFile } from '../config/live/from-boot-file.ts';
import type { LiveSettings } from '../config/live/settings.ts';
import { liveSettingsOf } from '../config/live/snapshot.ts';
import type { Router } from '../federation/router.ts';
import type { LinkPeer } from '../link/types.ts';
import { DialbackKeys } from '../net/keys/dialback-keys.ts';
import { type Domain, parseDomain } from '../protocol/jid/domain.ts';
import type { Json } from '../protocol/link/messages.ts';
import { ConfigDesk } from './config-desk.ts';
import { CoreLinks } from './core-links.ts';
import { CorePolicy } from './core-policy.ts';
import { EdgeLinks } from './edge-links.ts';
import { componentDomains, type NamedEdge, namedEdge } from './edge-names.ts';
import { ForeignFace } from './foreign-face.ts';
import { HomeFace } from './home-face.ts';
import { LinkedBoxes } from './linked-boxes.ts';
import type { LiveConfig } from './live-config.ts';
import type { BoxStatus } from './operations.ts';
import type { BoxParts } from './parts.ts';
import { PublisherLedger } from './publisher-ledger.ts';
import { Publishers } from './publishers.ts';
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
  /** The one Edge that this box is, and the IM&P servers it tells of it; by the settings of now. */
  let told: Told & { readonly edges: readonly NamedEdge[] } = { edges: [], publishers: [] };
  const home = new HomeFace(parts, router, {
    names: () => componentDomains(told.edges),
    arriving: () => undefined,
    changed: () => publishers.look(),
  });
  const publishers: Publishers = publishersOf({ boot, parts, home, told: () => told });
  const ownSecret = secretOfThisRun();
  const liveIn = (file: BootConfig): LiveSettings =>
    live.by === 'clusterdb' ? liveSettingsOf(valuesOf(live.db)) : liveSettingsOfBootFile(file);
  const liveNow = (): LiveSettings => liveIn(parts.settings().parts.boot);
  if (live.by === 'clusterdb') watchOwn(live.db, changed);
  return {
    organs: [foreign, home, new SteeringOrgan(parts), publishers],
    sides: {
      towardsHome: (pair) => home.outletFor(pair),
      towardsForeign: (pair) => foreign.outlets.outletFor(pair),
    },
    settingsOf: (bootParts) => {
      const now = liveIn(bootParts.boot);
      told = { edges: [namedEdge(boot.name, now.hostName, now.federation)], publishers: now.publishers };
      return settingsOf(bootParts, now, ownSecret);
    },
    standing: () => {
      const now = liveNow();
      return { federation: switchOf(now), isHomeOn: (domain) => isOn(now, domain) };
    },
    viaOf: (domain) => viaInside(parts, domain),
    config: live.by === 'clusterdb' ? new ConfigDesk({ db: live.db, name: boot.name, owns: 'both' }) : undefined,
    link: undefined,
    links: () => [],
    publishers: live.by === 'clusterdb' ? publishers.operations : undefined,
    publisherFacts: () => publishers.status(),
    alarms: () => publishers.raised(),
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
    ...NO_PUBLISHERS,
    others: boxes,
  };
}

/** The servers inside on one side, the Edges on the other. */
function wireCore(context: WiringContext, db: Clusterdb, folder: string): Wiring {
  const { boot, parts, router, changed, answer } = context;
  let edges: readonly { readonly peer: LinkPeer; readonly edge: NamedEdge }[] = [];
  /** What an Edge has said counts until it ends the pairing. */
  const paired = (): typeof edges => edges.filter(({ peer }) => peer.facts.state !== 'revoked');
  const home = new HomeFace(parts, router, {
    names: () => componentDomains(paired().map(({ edge }) => edge)),
    arriving: () => {
      const by = links.arriving;
      const arrived = by === undefined ? undefined : edges.find(({ peer }) => peer === by);
      return arrived === undefined ? undefined : componentDomains([arrived.edge])[0];
    },
    changed: () => publishers.look(),
  });
  let own: LiveSettings['publishers'] = [];
  const publishers: Publishers = publishersOf({
    boot,
    parts,
    home,
    told: () => {
      const known = paired();
      // Until the first Edge has said what it is, nothing is known of any.
      const isUnknown = known.length === 0 && links.edges().some(({ facts }) => facts.state !== 'revoked');
      return { edges: isUnknown ? undefined : known.map(({ edge }) => edge), publishers: own };
    },
  });
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
  const liveAt = (): readonly { readonly peer: LinkPeer; readonly live: LiveSettings }[] =>
    boxes
      .all()
      .filter(({ replication }) => replication.origin !== undefined)
      .map(({ peer, replication }) => ({
        peer,
        live: liveSettingsOf([...valuesIn(replication.entries()), ...valuesOf(db)]),
      }));
  watchOwn(db, changed);
  return {
    organs: [home, new SteeringOrgan(parts), publishers, links],
    sides: {
      towardsHome: (pair) => home.outletFor(pair),
      towardsForeign: (pair) => links.outletFor(pair),
    },
    settingsOf: (bootParts) => {
      const homes = bootParts.boot.homes.flatMap(({ domains }) => domains);
      const at = liveAt();
      policy = new CorePolicy(
        homes,
        at.map(({ peer, live }) => ({ id: peer.id, policy: policyOf(bootParts, live) })),
      );
      edges = at.map(({ peer, live }) => ({ peer, edge: namedEdge(peer.name, live.hostName, live.federation) }));
      own = liveSettingsOf(valuesOf(db)).publishers;
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
    publishers: publishers.operations,
    publisherFacts: () => publishers.status(),
    alarms: () => publishers.raised(),
    others: boxes,
  };
}

/** What IM&P servers are told, and which of them; `undefined`: nobody has said yet which Edges there are. */
interface Told {
  readonly edges: readonly NamedEdge[] | undefined;
  readonly publishers: LiveSettings['publishers'];
}

/** The IM&P servers of a box that has homes, and the alarms of it. */
function publishersOf({
  boot,
  parts,
  home,
  told,
}: {
  readonly boot: BootConfig;
  readonly parts: BoxParts;
  readonly home: HomeFace;
  readonly told: () => Told;
}): Publishers {
  const file = boot.data === undefined ? undefined : join(boot.data, 'publishers.json');
  return new Publishers({
    notes: parts.notes,
    ledger: new PublisherLedger(file, parts.notes),
    publishers: () => told().publishers,
    authorities: () => parts.settings().parts.publisherAuthorities,
    edges: () => told().edges,
    routers: () => home.routers(),
    routerRestarted: () => home.retryRouters(),
    now: Date.now,
  });
}

/** An Edge tells nobody inside anything: its Core does. */
const NO_PUBLISHERS = { publishers: undefined, publisherFacts: () => [], alarms: () => [] } as const;

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
    case 'imp':
      return 'the XCP Router of IM&P';
  }
}
