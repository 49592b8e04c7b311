import type { BootConfig } from '../config/boot.ts';
import { restartNeeded } from '../config/snapshot.ts';
import { type OpenLog, openLog } from '../diagnostics/open.ts';
import { Router } from '../federation/router.ts';
import { expiring } from '../net/tls/credentials.ts';
import type { FileWatch } from '../net/tls/file-watch.ts';
import type { Note, NoteSink } from '../protocol/notes.ts';
import { type BootParts, bootPartsOf } from './boot-parts.ts';
import type { RunningBox, RunOptions } from './box.ts';
import { Operations } from './box-operations.ts';
import { type LiveConfig, openLiveConfig } from './live-config.ts';
import { type InsideCertificate, makeInsideCertificate, readTlsMaterials, type TlsMaterials } from './material.ts';
import { boxPartsOf } from './parts.ts';
import { wire } from './roles.ts';
import { nobodySettings, type Settings } from './settings.ts';
import type { Wiring } from './wiring.ts';

/** How often certificate files are looked at. */
const CERTIFICATE_LOOK_MS = 5_000;
/** How often idle streams are looked for. */
const SWEEP_MS = 5_000;
const DAY_MS = 86_400_000;
/** How long the last log lines may take. */
const LOG_FLUSH_MS = 1_000;

/** Runs a box; see `RunBox`. */
export async function runBox(boot: BootConfig, options: RunOptions): Promise<number> {
  const opened = openLog(boot.log);
  const atExit = (): void => opened.flushSync();
  process.on('exit', atExit);
  try {
    return await Box.run(boot, options, opened);
  } finally {
    await opened.flush(LOG_FLUSH_MS);
    process.off('exit', atExit);
  }
}

/** A box from start to end, whatever its role: a router between organs, over one snapshot of settings that is swapped whole. */
class Box implements RunningBox {
  readonly note: NoteSink;
  readonly operations: Operations;
  private readonly log: OpenLog['log'];
  private readonly selfSigned: InsideCertificate;
  private readonly ended = Promise.withResolvers<void>();
  private readonly wiring: Wiring;
  private parts: BootParts;
  private settings: Settings;
  private materials: TlsMaterials;
  private watches: readonly FileWatch[] = [];
  private timers: NodeJS.Timeout[] = [];
  /** Set by `drain` and by `stop`: a reload that is under way has come too late. */
  private ending = false;

  static async run(boot: BootConfig, options: RunOptions, { log }: OpenLog): Promise<number> {
    log.note({ note: 'starting', version: options.version, role: boot.role, config: boot.path }, {});
    const refuse = (problems: readonly string[]): number => {
      log.note({ note: 'config-refused', path: boot.path, problems }, {});
      return 1;
    };
    const selfSigned = await makeInsideCertificate();
    const materials = await readTlsMaterials(boot, selfSigned);
    if ('problems' in materials) return refuse(materials.problems);
    const live = openLiveConfig(boot, log.note);
    if ('refused' in live) return refuse([live.refused]);
    try {
      const box = new Box(boot, log, selfSigned, materials, live, options.version);
      try {
        if (!(await box.start())) return 1;
      } catch (error) {
        // A listener that stays open would keep the process from ending.
        await box.stop();
        throw error;
      }
      options.started(box);
      await box.ended.promise;
      box.note({ note: 'stopped' }, {});
      return 0;
    } finally {
      if (live.by === 'clusterdb') live.db.close();
    }
  }

  private constructor(
    boot: BootConfig,
    log: OpenLog['log'],
    selfSigned: InsideCertificate,
    materials: TlsMaterials,
    live: LiveConfig,
    version: string,
  ) {
    this.note = log.note;
    this.log = log;
    this.selfSigned = selfSigned;
    this.materials = materials;
    this.parts = this.partsOf(boot, materials);
    this.settings = nobodySettings(this.parts);
    const router = new Router({
      policy: () => this.settings.policy,
      notes: log.note,
      isBehindEdge: boot.role === 'core',
      sides: {
        towardsHome: (pair) => this.wiring.sides.towardsHome(pair),
        towardsForeign: (pair) => this.wiring.sides.towardsForeign(pair),
      },
    });
    this.wiring = wire({
      boot,
      parts: boxPartsOf(() => this.settings, log.note),
      router,
      live,
      changed: () => this.settingsChanged(),
      answer: (what, about) => this.operations.answer(what, about),
    });
    this.settings = this.wiring.settingsOf(this.parts);
    this.operations = new Operations({
      version,
      since: Date.now(),
      boot: () => this.parts.boot,
      wiring: this.wiring,
      router,
    });
  }

  async reload(next: BootConfig): Promise<readonly string[]> {
    const former = this.settings;
    const materials = await readTlsMaterials(next, this.selfSigned);
    if ('problems' in materials) throw new Error(materials.problems.join('\n'));
    if (this.ending) throw new Error('fedway is going down');
    const waiting = restartNeeded(former.parts.boot, next);
    this.log.configure(next.log);
    this.materials = materials;
    this.parts = this.partsOf(next, materials);
    this.watchCertificates();
    this.settingsChanged();
    this.tellLoaded();
    return waiting;
  }

  async drain(): Promise<void> {
    const { organs } = this.wiring;
    const streams = organs.reduce((sum, organ) => sum + organ.streams().length, 0);
    this.note({ note: 'draining', streams }, {});
    this.ending = true;
    this.stopWatching();
    for (const organ of organs) organ.stopListening();
    // First what waits in queues is answered, while there still is somebody to tell.
    for (const organ of organs) organ.shut({ by: 'us', condition: 'system-shutdown' });
    for (const organ of organs) organ.shutdown();
    await this.connectionsGone();
    // Who has not taken our last words by now never will.
    await this.stop();
  }

  async stop(): Promise<void> {
    this.ending = true;
    this.stopWatching();
    for (const organ of this.wiring.organs) await organ.destroy();
    this.ended.resolve();
  }

  private async start(): Promise<boolean> {
    for (const organ of this.wiring.organs) {
      if (await organ.start()) continue;
      await this.stop();
      return false;
    }
    this.tellLoaded();
    this.watchCertificates();
    this.timers.push(
      setInterval(() => this.sweep(), SWEEP_MS),
      setInterval(() => this.tellExpiring(), DAY_MS),
    );
    return true;
  }

  /** Live settings, or the boot file, have changed: one new snapshot, and everybody judges by it, before anything else happens. */
  private settingsChanged(): void {
    const former = this.settings;
    this.settings = this.wiring.settingsOf(this.parts);
    for (const organ of this.wiring.organs) organ.settingsChanged(former);
  }

  private partsOf(boot: BootConfig, materials: TlsMaterials): BootParts {
    return bootPartsOf(boot, materials, this.note, (domain) => this.settings.routeOf(domain));
  }

  private sweep(): void {
    const { idle } = this.parts.boot.s2s.timeouts;
    const since = idle === 0 ? Number.NEGATIVE_INFINITY : performance.now() - idle;
    for (const organ of this.wiring.organs) organ.sweep(since);
  }

  private watchCertificates(): void {
    for (const watch of this.watches) watch.close();
    this.watches = this.materials.credentials.map((credentials) =>
      credentials.watch(CERTIFICATE_LOOK_MS, (outcome) => {
        if ('problems' in outcome) {
          for (const detail of outcome.problems) this.note({ note: 'certificate-refused', detail }, {});
        } else this.tellCertificates(outcome);
      }),
    );
  }

  private stopWatching(): void {
    for (const watch of this.watches) watch.close();
    for (const timer of this.timers) clearInterval(timer);
    this.timers = [];
  }

  private tellLoaded(): void {
    const { boot } = this.parts;
    this.note({ note: 'config-loaded', path: boot.path, homes: boot.homes.flatMap(({ domains }) => domains) }, {});
    this.tellCertificates(this.materials);
  }

  private tellCertificates({ loaded, warnings }: Pick<TlsMaterials, 'loaded' | 'warnings'>): void {
    for (const { domains, path, notAfter } of loaded) {
      const shownTo = domains.length > 0 ? domains : ['the servers inside'];
      const note: Note = { note: 'certificate-loaded', domains: shownTo, path, notAfter };
      this.note(note, {});
    }
    for (const detail of warnings) this.note({ note: 'certificate-doubtful', detail }, {});
    this.tellExpiring();
  }

  private tellExpiring(): void {
    const loaded = this.materials.credentials.flatMap((credentials) => credentials.loaded);
    for (const { path, days } of expiring(loaded, Date.now())) {
      this.note({ note: 'certificate-expiring', path, days }, {});
    }
  }

  /** Resolves when every stream has said goodbye and its connection is gone, or the time for it is over. */
  private async connectionsGone(): Promise<void> {
    const deadline = performance.now() + this.parts.boot.s2s.timeouts.close;
    while (this.wiring.organs.some(({ connections }) => connections > 0) && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
