import { printEndpoint } from '../config/address.ts';
import type { BootConfig } from '../config/boot.ts';
import { SteeringResponder } from '../steering/responder.ts';
import type { SteeringSettings } from '../steering/steer.ts';
import { StreamlessOrgan } from './organ.ts';
import type { BoxParts } from './parts.ts';

/** The steering responder as a part of the box. Without `dns` in the boot file there is none. */
export class SteeringOrgan extends StreamlessOrgan {
  readonly connections = 0;
  private readonly parts: BoxParts;
  private responder: SteeringResponder | undefined;

  constructor(parts: BoxParts) {
    super();
    this.parts = parts;
  }

  async start(): Promise<boolean> {
    const { notes } = this.parts;
    const { boot } = this.parts.settings().parts;
    const { dns } = boot;
    if (dns === undefined) return true;
    const responder = new SteeringResponder({
      listen: dns.listen.map(({ host, port }) => ({ address: host, port })),
      settings: steeringOf(boot, dns),
      forwardTo: dns.rest === 'forward' ? dns.forwardTo.map(({ host, port }) => ({ address: host, port })) : [],
      notes,
    });
    try {
      await responder.start();
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      notes({ note: 'listen-failed', what: 'DNS', address: dns.listen.map(printEndpoint).join(', '), detail }, {});
      return false;
    }
    this.responder = responder;
    for (const address of dns.listen) notes({ note: 'listening', what: 'DNS', address: printEndpoint(address) }, {});
    return true;
  }

  settingsChanged(): void {
    const { boot } = this.parts.settings().parts;
    if (boot.dns !== undefined) this.responder?.reconfigure(steeringOf(boot, boot.dns));
  }

  async destroy(): Promise<void> {
    await this.responder?.close();
  }

  shutdown(): void {
    // Nobody is told when a DNS server ends.
  }
}

function steeringOf(boot: BootConfig, dns: NonNullable<BootConfig['dns']>): SteeringSettings {
  const homes = boot.homes.flatMap(({ domains }) => domains);
  return { answer: dns.answer, port: dns.port, ttl: Math.round(dns.ttl / 1000), keep: [...homes, ...dns.keep] };
}
