import type { PublisherPorts } from '../../src/axl/publisher.ts';
import type { PublisherStatus } from '../../src/axl/publisher-status.ts';
import type { RouterView } from '../../src/axl/router-view.ts';
import type { CpId } from '../../src/axl/s2s-nodes.ts';
import type { AxlSettings } from '../../src/axl/settings.ts';
import type { PublisherKeeper } from '../../src/box/publishers.ts';

/** A server whose table is as it is wanted at once, or that cannot be told. */
export class KeptKeeper implements PublisherKeeper {
  readonly settings: AxlSettings;
  readonly wanted: (readonly CpId[] | undefined)[] = [];
  refreshed = 0;
  stopped = false;
  failure: PublisherStatus['failure'];
  router: RouterView | undefined;
  lastSuccess = 0;
  /** What is wanted is not in the table yet. */
  isBehind = false;
  /** The first round has an outcome. */
  hasAsked: boolean;
  /** Settles what `refresh` waits for; at once unless the test holds it. */
  held: Promise<void> = Promise.resolve();
  private readonly ended = Promise.withResolvers<undefined>();
  private readonly ports: Pick<PublisherPorts, 'ledger' | 'changed'>;

  /** @param hasAsked it is done with its first round as soon as it is made */
  constructor(settings: AxlSettings, ports: Pick<PublisherPorts, 'ledger' | 'changed'>, hasAsked: boolean) {
    this.settings = settings;
    this.ports = ports;
    this.hasAsked = hasAsked;
  }

  want(cpIds: readonly CpId[] | undefined): void {
    const last = this.wanted.at(-1);
    if (this.wanted.length > 0 && String(last) === String(cpIds)) return;
    this.wanted.push(cpIds);
    if (this.failure === undefined && cpIds !== undefined) this.ports.ledger.record(this.settings.name, cpIds);
    this.ports.changed(this.status());
  }

  async refresh(): Promise<PublisherStatus> {
    this.refreshed += 1;
    await Promise.race([this.held, this.ended.promise]);
    return this.status();
  }

  stop(): void {
    this.stopped = true;
    this.ended.resolve(undefined);
  }

  /** Something has changed on the server. */
  tell(change: Partial<Pick<KeptKeeper, 'failure' | 'router' | 'lastSuccess' | 'isBehind'>> = {}): void {
    Object.assign(this, { hasAsked: true, ...change });
    this.ports.changed(this.status());
  }

  status(): PublisherStatus {
    const { name, host, user } = this.settings;
    const wanted = this.wanted.at(-1) ?? [];
    return {
      name,
      url: `https://${host}:8443/axl/`,
      user,
      state: this.state(),
      version: '14.0',
      lastSuccess: this.lastSuccess,
      lastAttempt: this.lastSuccess,
      nextAttempt: undefined,
      failure: this.failure,
      rows: wanted.map((cpId) => ({
        cpId,
        ours: true,
        wanted: true,
        present: this.hasAsked && this.failure === undefined && !this.isBehind,
      })),
      router: this.router,
    };
  }

  private state(): PublisherStatus['state'] {
    if (!this.hasAsked) return 'unknown';
    if (this.failure !== undefined) return 'failed';
    return this.isBehind ? 'waiting' : 'ok';
  }
}
