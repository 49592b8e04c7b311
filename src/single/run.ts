import { printEndpoint } from '../config/address.ts';
import type { BootConfig } from '../config/boot.ts';
import { restartNeeded } from '../config/snapshot.ts';
import { type OpenLog, openLog } from '../diagnostics/open.ts';
import { Router } from '../federation/router.ts';
import type { StreamListener } from '../net/s2s/listener.ts';
import { expiring } from '../net/tls/credentials.ts';
import type { FileWatch } from '../net/tls/file-watch.ts';
import type { Note, NoteSink } from '../protocol/notes.ts';
import { AUTHENTICATED_LIMITS } from '../protocol/xml/limits.ts';
import { SteeringResponder } from '../steering/responder.ts';
import type { SteeringSettings } from '../steering/steer.ts';
import type { RunningBox, RunOptions } from './box.ts';
import { ForeignFace } from './foreign-face.ts';
import { HomeFace } from './home-face.ts';
import { type InsideCertificate, makeInsideCertificate, readTlsMaterials, type TlsMaterials } from './material.ts';
import type { BoxParts } from './parts.ts';
import { type Settings, settingsOf } from './settings.ts';

/** How often certificate files are looked at. */
const CERTIFICATE_LOOK_MS = 5_000;
/** How often idle streams are looked for. */
const SWEEP_MS = 5_000;
const DAY_MS = 86_400_000;
/** How long the last log lines may take. */
const LOG_FLUSH_MS = 1_000;

/** Runs a single box; see `RunSingle`. */
export async function runSingle(boot: BootConfig, options: RunOptions): Promise<number> {
  const opened = openLog(boot.log);
  const atExit = (): void => opened.flushSync();
  process.on('exit', atExit);
  try {
    return await SingleBox.run(boot, options, opened);
  } finally {
    await opened.flush(LOG_FLUSH_MS);
    process.off('exit', atExit);
  }
}

/** Edge and Core in one process: the same router between a face to the world and a face to the inside. */
class SingleBox implements RunningBox {
  readonly note: NoteSink;
  private readonly log: OpenLog['log'];
  private readonly selfSigned: InsideCertificate;
  private readonly ended = Promise.withResolvers<void>();
  private readonly router: Router;
  private readonly foreign: ForeignFace;
  private readonly home: HomeFace;
  private settings: Settings;
  private materials: TlsMaterials;
  private steering: SteeringResponder | undefined;
  private watches: readonly FileWatch[] = [];
  private timers: NodeJS.Timeout[] = [];
  /** Set by `drain` and by `stop`: a reload that is under way has come too late. */
  private ending = false;

  static async run(boot: BootConfig, options: RunOptions, { log }: OpenLog): Promise<number> {
    log.note({ note: 'starting', version: options.version, role: boot.role, config: boot.path }, {});
    const selfSigned = await makeInsideCertificate();
    const materials = await readTlsMaterials(boot, selfSigned);
    if ('problems' in materials) {
      log.note({ note: 'config-refused', path: boot.path, problems: materials.problems }, {});
      return 1;
    }
    const box = new SingleBox(boot, log, selfSigned, materials);
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
  }

  private constructor(boot: BootConfig, log: OpenLog['log'], selfSigned: InsideCertificate, materials: TlsMaterials) {
    this.note = log.note;
    this.log = log;
    this.selfSigned = selfSigned;
    this.materials = materials;
    this.settings = settingsOf(boot, materials, log.note);
    const parts = this.parts();
    this.router = new Router({
      policy: () => this.settings.policy,
      notes: log.note,
      sides: {
        towardsHome: (pair) => this.home.outletFor(pair),
        towardsForeign: (pair) => this.foreign.outlets.outletFor(pair),
      },
    });
    this.foreign = new ForeignFace(parts, this.router);
    this.home = new HomeFace(parts, this.router);
  }

  async reload(next: BootConfig): Promise<readonly string[]> {
    const former = this.settings;
    const materials = await readTlsMaterials(next, this.selfSigned);
    if ('problems' in materials) throw new Error(materials.problems.join('\n'));
    if (this.ending) throw new Error('fedway is going down');
    const settings = settingsOf(next, materials, this.note);
    const waiting = restartNeeded(former.boot, next);
    this.log.configure(next.log);
    this.materials = materials;
    this.settings = settings;
    this.watchCertificates();
    if (next.dns !== undefined) this.steering?.reconfigure(steeringOf(next, next.dns));
    this.foreign.policyChanged(former.policy);
    this.home.settingsChanged(former);
    this.tellLoaded();
    return waiting;
  }

  async drain(): Promise<void> {
    const listeners = this.listeners();
    const streams = listeners.reduce(
      (sum, { count }) => sum + count,
      this.foreign.opener.count + this.home.opener.count,
    );
    this.note({ note: 'draining', streams }, {});
    this.ending = true;
    this.stopWatching();
    for (const listener of listeners) listener.stopListening();
    // First what waits in queues is answered, while there still is somebody to tell.
    this.foreign.outlets.shut(() => ({ by: 'us', condition: 'system-shutdown' }));
    this.home.outlets.shut(() => ({ by: 'us', condition: 'system-shutdown' }));
    this.home.stop();
    for (const listener of listeners) listener.shutdown();
    this.foreign.opener.shutdown();
    this.home.opener.shutdown();
    await this.steering?.close();
    await this.connectionsGone();
    // Who has not taken our last words by now never will.
    await this.stop();
  }

  async stop(): Promise<void> {
    this.ending = true;
    this.stopWatching();
    for (const listener of this.listeners()) listener.destroy();
    this.home.destroy();
    this.foreign.opener.destroy();
    this.home.opener.destroy();
    await this.steering?.close();
    this.ended.resolve();
  }

  private async start(): Promise<boolean> {
    const { boot } = this.settings;
    const open =
      (await this.listenOn(this.foreign.listener, 'S2S', boot.s2s.listen)) &&
      (await this.listenOn(this.home.listener, 'inside S2S', boot.inside.listen)) &&
      (await this.listenOn(this.home.componentListener, 'component', boot.inside.componentListen)) &&
      (await this.startSteering(boot));
    if (!open) {
      await this.stop();
      return false;
    }
    this.home.start();
    this.tellLoaded();
    this.watchCertificates();
    this.timers.push(
      setInterval(() => this.sweep(), SWEEP_MS),
      setInterval(() => this.tellExpiring(), DAY_MS),
    );
    return true;
  }

  private async listenOn(
    listener: StreamListener,
    what: string,
    addresses: BootConfig['s2s']['listen'],
  ): Promise<boolean> {
    for (const address of addresses) {
      try {
        await listener.listen(address.host, address.port);
      } catch (error) {
        const detail = error instanceof Error ? error.message : String(error);
        this.note({ note: 'listen-failed', what, address: printEndpoint(address), detail }, {});
        return false;
      }
    }
    return true;
  }

  private async startSteering(boot: BootConfig): Promise<boolean> {
    const { dns } = boot;
    if (dns === undefined) return true;
    this.steering = new SteeringResponder({
      listen: dns.listen.map(({ host, port }) => ({ address: host, port })),
      settings: steeringOf(boot, dns),
      forwardTo: dns.rest === 'forward' ? dns.forwardTo.map(({ host, port }) => ({ address: host, port })) : [],
      notes: this.note,
    });
    try {
      await this.steering.start();
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      this.steering = undefined;
      this.note({ note: 'listen-failed', what: 'DNS', address: dns.listen.map(printEndpoint).join(', '), detail }, {});
      return false;
    }
    for (const address of dns.listen)
      this.note({ note: 'listening', what: 'DNS', address: printEndpoint(address) }, {});
    return true;
  }

  /** What the faces are made from; everything that a reload changes is asked anew. */
  private parts(): BoxParts {
    const box = this;
    return {
      settings: () => this.settings,
      notes: this.note,
      authority: {
        key: (pair, streamId) => this.settings.authority.key(pair, streamId),
        vouches: (pair, streamId, key) => this.settings.authority.vouches(pair, streamId, key),
      },
      get timeouts() {
        return box.settings.boot.s2s.timeouts;
      },
      get limits() {
        return { ...AUTHENTICATED_LIMITS, element: box.settings.boot.s2s.limits.stanza };
      },
      get queueLimits() {
        const { queueStanzas, queueBytes } = box.settings.boot.s2s.limits;
        return { stanzas: queueStanzas, bytes: queueBytes };
      },
      get connectionLimits() {
        const { connections, connectionsPerAddress } = box.settings.boot.s2s.limits;
        return { connections, perAddress: connectionsPerAddress };
      },
    };
  }

  private sweep(): void {
    const { idle } = this.settings.boot.s2s.timeouts;
    const since = idle === 0 ? 0 : Date.now() - idle;
    this.foreign.outlets.sweep(since);
    this.home.outlets.sweep(since);
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
    const { boot, homes } = this.settings;
    this.note({ note: 'config-loaded', path: boot.path, homes: homes.flatMap(({ domains }) => domains) }, {});
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

  private listeners(): readonly StreamListener[] {
    return [this.foreign.listener, this.home.listener, this.home.componentListener];
  }

  /** Resolves when every stream has said goodbye and its connection is gone, or the time for it is over. */
  private async connectionsGone(): Promise<void> {
    const deadline = Date.now() + this.settings.boot.s2s.timeouts.close;
    const holders = [...this.listeners(), this.foreign.opener, this.home.opener, this.home];
    while (holders.some(({ connections }) => connections > 0) && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function steeringOf(boot: BootConfig, dns: NonNullable<BootConfig['dns']>): SteeringSettings {
  const homes = boot.homes.flatMap(({ domains }) => domains);
  return { answer: dns.answer, port: dns.port, ttl: Math.round(dns.ttl / 1000), keep: [...homes, ...dns.keep] };
}
