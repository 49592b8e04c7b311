import { listenOn } from '../net/s2s/listen-on.ts';
import type { NoteSink } from '../protocol/notes.ts';
import type { AxlServer } from './axl/server.ts';
import type { NodeBoot } from './config/boot.ts';
import type { NodeOrgan } from './organ.ts';

/** AXL with its ports. Its connections need no goodbye: HTTP has none. */
export class AxlOrgan implements NodeOrgan {
  private readonly boot: NodeBoot;
  private readonly server: AxlServer;
  private readonly notes: NoteSink;

  constructor(boot: NodeBoot, server: AxlServer, notes: NoteSink) {
    this.boot = boot;
    this.server = server;
    this.notes = notes;
  }

  start(): Promise<boolean> {
    return listenOn(this.server, 'AXL', this.boot.axl.listen, this.notes);
  }

  stopListening(): void {
    this.server.stopListening();
  }

  shutdown(): void {
    this.server.stopListening();
  }

  get connections(): number {
    return this.server.connections;
  }

  destroy(): void {
    this.server.destroy();
  }
}
