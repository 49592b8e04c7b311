import type { WaitingSize } from '../protocol/link/waiting-queue.ts';
import type { LinkConnection } from './connection.ts';
import type { LinkFacts } from './types.ts';

/** What there is to say of a Link in status. Times are Unix milliseconds. */
export class LinkRecord {
  /** Why it is down, as far as it is known by now. */
  because: string | undefined;
  certificateUntil: number | undefined;
  resumed = 0;
  stanzasIn = 0;
  stanzasOut = 0;
  private current: LinkFacts['state'] = 'never connected';
  private since: number;

  constructor(now: number) {
    this.since = now;
  }

  get state(): LinkFacts['state'] {
    return this.current;
  }

  become(state: LinkFacts['state'], now: number, because: string | undefined): void {
    this.current = state;
    this.since = now;
    this.because = because;
  }

  facts(connection: LinkConnection | undefined, { stanzas, bytes }: WaitingSize): LinkFacts {
    const { because, certificateUntil, resumed, stanzasIn, stanzasOut } = this;
    return {
      state: this.current,
      since: this.since,
      because,
      peer: connection?.peer,
      tls: connection === undefined ? undefined : `${connection.tls.version} ${connection.tls.cipher}`,
      certificateUntil,
      queued: { stanzas, bytes },
      resumed,
      stanzasIn,
      stanzasOut,
    };
  }
}
