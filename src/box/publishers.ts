import { isDeepStrictEqual } from 'node:util';
import { AxlClient } from '../axl/client.ts';
import type { Ledger } from '../axl/ledger.ts';
import { Publisher, type PublisherPorts } from '../axl/publisher.ts';
import type { PublisherStatus } from '../axl/publisher-status.ts';
import type { CpId } from '../axl/s2s-nodes.ts';
import type { AxlSettings } from '../axl/settings.ts';
import { printEndpoint } from '../config/address.ts';
import type { PublisherSettings } from '../config/live/settings.ts';
import type { NoteSink } from '../protocol/notes.ts';
import { Alarms } from './alarms.ts';
import { BounceWatch } from './bounce-watch.ts';
import { componentsOf, type NamedEdge } from './edge-names.ts';
import type { RouterFacts } from './home-components.ts';
import type { Alarm, PublisherFacts, PublisherOperations } from './operations.ts';
import { StreamlessOrgan } from './organ.ts';
import { conditionsOf } from './publisher-alarms.ts';
import { cureOf } from './publisher-cure.ts';
import { type Standing, standingOf } from './publisher-standing.ts';

/** How long a server that is no longer configured may take to give up our rows. */
const FAREWELL_MS = 30_000;

/** What keeps the table of one publisher. */
export type PublisherKeeper = Pick<Publisher, 'want' | 'refresh' | 'stop' | 'status'>;

/** What the organ is given. */
export interface PublishersContext {
  readonly notes: NoteSink;
  readonly ledger: Ledger;
  /** The publishers as they are configured now. */
  publishers(): readonly PublisherSettings[];
  /** PEM texts of the authorities that may sign their certificates; none: those of the system. */
  authorities(): readonly string[];
  /** The Edges as they are now; `undefined`: nobody has said yet. */
  edges(): readonly NamedEdge[] | undefined;
  /** The XCP Routers that homes are behind. */
  routers(): readonly RouterFacts[];
  /** A router was restarted: whom it refused it may let in now. */
  routerRestarted(): void;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Another keeper, for tests. */
  readonly keep?: (
    settings: AxlSettings,
    ports: Pick<PublisherPorts, 'ledger' | 'note' | 'changed'>,
  ) => PublisherKeeper;
}

interface Kept {
  readonly settings: AxlSettings;
  readonly keeper: PublisherKeeper;
}

/** The IM&P publishers of a Core or a single box: each is told of the Edges that federate, and what is in the way is an alarm. */
export class Publishers extends StreamlessOrgan {
  readonly connections = 0;
  readonly operations: PublisherOperations;
  private readonly context: PublishersContext;
  private readonly alarms: Alarms;
  private readonly bounces = new BounceWatch();
  private readonly kept = new Map<string, Kept>();
  /** Publishers that are no longer configured, as long as our rows are being removed. */
  private readonly leaving = new Map<string, Kept>();
  /** What alarms go by, of those that are configured. */
  private readonly standing = new Map<string, Standing>();
  private started = false;
  private stopped = false;

  constructor(context: PublishersContext) {
    super();
    this.context = context;
    this.alarms = new Alarms(context.notes, context.now);
    this.operations = {
      list: () => Promise.resolve(this.status()),
      refresh: (name) => this.refresh(name),
    };
  }

  start(): Promise<boolean> {
    this.started = true;
    this.follow();
    return Promise.resolve(true);
  }

  settingsChanged(): void {
    if (this.started && !this.stopped) this.follow();
  }

  /** Called every few seconds: some conditions are over, or begin, by time alone. */
  override sweep(): void {
    this.settingsChanged();
  }

  /** The rows stay: the next start goes on from them, and what is on its way to the Edges is not for us to stop. */
  shutdown(): void {
    this.stopped = true;
    for (const { keeper } of [...this.kept.values(), ...this.leaving.values()]) keeper.stop();
  }

  destroy(): void {
    this.shutdown();
  }

  /** The alarms that are raised now. */
  raised(): readonly Alarm[] {
    return this.alarms.all();
  }

  status(): readonly PublisherFacts[] {
    return this.context
      .publishers()
      .map((settings) => factsOf(settings, this.kept.get(settings.name)?.keeper.status()));
  }

  /** Something that alarms depend on has changed. */
  look(): void {
    if (!this.started || this.stopped) return;
    const { context } = this;
    const edges = context.edges() ?? [];
    for (const [name, { keeper }] of this.kept) {
      const standing = standingOf(this.standing.get(name), keeper.status(), componentsOf(edges));
      if (standing !== undefined) this.standing.set(name, standing);
    }
    this.alarms.found(
      conditionsOf({
        now: context.now(),
        edges,
        publishers: context.publishers().map((each) => factsOf(each, this.standing.get(each.name)?.status)),
        bouncing: this.bounces.bouncing(),
        restarting: this.thoseThat(({ mustRestart }) => mustRestart),
        federating: this.thoseThat(({ federatesItself }) => federatesItself),
        routers: context.routers(),
      }),
    );
  }

  private thoseThat(stand: (standing: Standing) => boolean): ReadonlySet<string> {
    return new Set([...this.standing].flatMap(([name, standing]) => (stand(standing) ? [name] : [])));
  }

  /** Publishers and Edges are what the settings of now say. */
  private follow(): void {
    const configured = this.context.publishers();
    const complete = new Map(
      configured.flatMap((each) => this.axlSettings(each) ?? []).map((each) => [each.name, each]),
    );
    for (const [name, kept] of this.kept) {
      const next = complete.get(name);
      if (next !== undefined && isDeepStrictEqual(next, kept.settings)) continue;
      this.kept.delete(name);
      if (next !== undefined && isSameServer(next, kept.settings)) kept.keeper.stop();
      else void this.leave(kept);
    }
    const edges = this.context.edges();
    const wanted = edges === undefined ? undefined : componentsOf(edges);
    for (const settings of complete.values()) {
      // First the former server gives up our rows: the new one could be the same under another name.
      if (this.leaving.has(settings.name)) continue;
      this.keeperOf(settings).want(wanted);
    }
    this.bounces.keep(new Set(complete.keys()));
    for (const name of this.standing.keys()) if (!complete.has(name)) this.standing.delete(name);
    this.look();
  }

  private keeperOf(settings: AxlSettings): PublisherKeeper {
    const known = this.kept.get(settings.name);
    if (known !== undefined) return known.keeper;
    const keeper = this.newKeeper(settings, (status) => this.changed(status));
    this.kept.set(settings.name, { settings, keeper });
    return keeper;
  }

  private newKeeper(settings: AxlSettings, changed: (status: PublisherStatus) => void): PublisherKeeper {
    const { ledger, notes: note, now, keep } = this.context;
    const ports = { ledger, note, changed };
    if (keep !== undefined) return keep(settings, ports);
    const access = new AxlClient(settings, note);
    return new Publisher(settings, { ...ports, access, clock: { now, later }, random: Math.random });
  }

  private changed(status: PublisherStatus): void {
    const { name } = status;
    if (!this.kept.has(name)) return;
    const former = this.standing.get(name);
    this.countBounces(status, former);
    this.look();
    if (former?.restartNeeded === true && this.standing.get(name)?.restartNeeded === false) {
      this.context.routerRestarted();
    }
  }

  private countBounces({ name, url, state, router, lastSuccess }: PublisherStatus, former: Standing | undefined): void {
    const federates = this.context.edges()?.some((edge) => edge.federates) ?? false;
    if (!federates || (former !== undefined && former.status.url !== url)) this.bounces.forget(name);
    // Whoever cannot be asked goes on as it was.
    else if (state !== 'failed' && router !== undefined && lastSuccess !== undefined) {
      // As long as the table is not as it should be, or the router has not read it, stanzas are rightly returned.
      const isReady = state === 'ok' && !router.restartNeeded;
      if (isReady) this.bounces.look(name, router.foreignBounces, lastSuccess);
      else this.bounces.forget(name);
    }
  }

  /** Removes our rows from a server that is no longer configured, if it can be reached in time. */
  private async leave(kept: Kept): Promise<void> {
    const { settings, keeper } = kept;
    const { ledger, notes } = this.context;
    const { name } = settings;
    const hasRows = ledger.ours(name).length > 0;
    if (hasRows) {
      this.leaving.set(name, kept);
      keeper.want(NOBODY);
      // Who waits for it to answer is let go.
      const late = setTimeout(() => keeper.stop(), FAREWELL_MS);
      // What was refused a while ago is tried again: it is the last chance.
      await keeper.refresh();
      clearTimeout(late);
      this.leaving.delete(name);
    }
    keeper.stop();
    if (this.stopped) return;
    notes({ note: 'publisher-left', publisher: name, left: ledger.ours(name) }, {});
    if (hasRows) this.follow();
  }

  private async refresh(name: string | undefined): ReturnType<PublisherOperations['refresh']> {
    const configured = this.status();
    const concerned = configured.filter((each) => name === undefined || each.name === name);
    if (concerned.length === 0) {
      const which = name === undefined ? 'There is no publisher' : `There is no publisher called ${name}`;
      const others = configured.map((each) => each.name).join(', ');
      const cure = others === '' ? 'Name one: fedway config set publishers.NAME.address HOST' : `There are: ${others}`;
      return { refused: `${which}. ${cure}.` };
    }
    await Promise.all(concerned.flatMap((each) => this.kept.get(each.name)?.keeper.refresh() ?? []));
    const names = new Set(concerned.map((each) => each.name));
    return { refreshed: this.status().filter((each) => names.has(each.name)) };
  }

  /** `undefined`: something lacks. */
  private axlSettings({ name, address, user, password, tls, version }: PublisherSettings): AxlSettings | undefined {
    if (address === undefined || user === undefined || password === undefined) return undefined;
    const { host, port } = address;
    const authorities = this.context.authorities();
    return { name, host, port, user, password: password.reveal(), tls, version, authorities };
  }
}

function later(milliseconds: number, run: () => void): () => void {
  const timer = setTimeout(run, milliseconds);
  return () => clearTimeout(timer);
}

const NOBODY: readonly CpId[] = [];

/** Whether rows that one has are rows that the other has. */
function isSameServer(a: AxlSettings, b: AxlSettings): boolean {
  return a.host === b.host && a.port === b.port;
}

function factsOf(settings: PublisherSettings, status: PublisherStatus | undefined): PublisherFacts {
  const { name, address, user, password } = settings;
  const failure = status?.failure;
  const missing = Object.entries({ address, user, password }).flatMap(([key, value]) =>
    value === undefined ? [key] : [],
  );
  return {
    name,
    address: address === undefined ? undefined : printEndpoint(address),
    user,
    missing,
    state: missing.length > 0 ? 'incomplete' : (status?.state ?? 'unknown'),
    version: status?.version,
    lastSuccess: status?.lastSuccess,
    lastAttempt: status?.lastAttempt,
    nextAttempt: status?.nextAttempt,
    failure: failure === undefined ? undefined : { ...failure, cure: cureOf(name, failure) },
    rows: status?.rows ?? [],
    router: status?.router,
  };
}
