import type { StreamDriver } from '../net/s2s/stream-driver.ts';
import type { StreamEnd } from '../protocol/end.ts';
import type { Stanza, StanzaScope } from '../protocol/xml/types.ts';

const COMPONENT_SCOPE: StanzaScope = { contentNamespace: 'jabber:component:accept' };

/** What a stanza gets that is for a component which is not connected. */
export const NOT_CONNECTED: StreamEnd = { by: 'disconnect', detail: 'the component is not connected' };

/** A connected component as a way out. Stanzas are re-scoped to its content namespace (RFC 6120 §4.8.3). */
export class ComponentOutlet {
  private readonly driver: StreamDriver;

  constructor(driver: StreamDriver) {
    this.driver = driver;
  }

  /** Whether stanzas can still be sent: an administrator may be closing the stream. */
  get isOpen(): boolean {
    return !this.driver.isLeaving;
  }

  offer(stanza: Stanza): 'taken' | 'held' {
    return this.driver.send(stanza.render(COMPONENT_SCOPE)) ? 'taken' : 'held';
  }

  room(): Promise<void> {
    return this.driver.room();
  }

  shutdown(): void {
    this.driver.handle({ type: 'close', why: 'shutdown' });
  }
}
