import { listenOn } from '../../net/s2s/listen-on.ts';
import type { StreamListener } from '../../net/s2s/listener.ts';
import type { NoteSink } from '../../protocol/notes.ts';
import { AUTHENTICATED_LIMITS } from '../../protocol/xml/limits.ts';
import type { Tap } from '../capture/tap.ts';
import type { NodeBoot } from '../config/boot.ts';
import type { NodeOrgan } from '../organ.ts';
import { componentPort } from './component-port.ts';
import type { XcpRouter } from './xcp-router.ts';

/** Bytes that forwarding may add to a stanza: addresses, and declarations of namespaces. It must not end the stream that carries everybody. */
const FORWARDING = 65_536;

/** The router with its port. */
export class RouterOrgan implements NodeOrgan {
  readonly port: StreamListener;
  private readonly boot: NodeBoot;
  private readonly router: XcpRouter;
  private readonly notes: NoteSink;

  constructor(boot: NodeBoot, router: XcpRouter, notes: NoteSink, tap: Tap) {
    this.boot = boot;
    this.router = router;
    this.notes = notes;
    const { timeouts, limits } = boot.clients;
    this.port = componentPort({
      router,
      timeouts,
      limits: { ...AUTHENTICATED_LIMITS, element: limits.stanza + FORWARDING },
      notes,
      tap,
    });
  }

  start(): Promise<boolean> {
    this.router.start();
    return listenOn(this.port, 'XCP Router', this.boot.router.listen, this.notes);
  }

  stopListening(): void {
    this.port.stopListening();
  }

  shutdown(): void {
    this.port.shutdown();
  }

  get connections(): number {
    return this.port.connections;
  }

  destroy(): void {
    this.port.destroy();
    this.router.stop();
  }
}
