import type { Jid } from '../../protocol/jid/jid.ts';

/** Milliseconds that an answer may take. */
const PATIENCE = 120_000;

/** An IQ request that was passed on from one occupant to another. */
export interface Relayed {
  /** The full address of whoever asked, and the id they gave the request. */
  readonly asker: Jid;
  readonly id: string | undefined;
  /** The address in the room that was asked. */
  readonly asked: Jid;
  /** The real bare address that was asked: nobody else may answer. */
  readonly answerer: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** The IQ requests of a room that wait for an answer, by the id they were passed on with (XEP-0045 §17.4). */
export class Relays {
  private readonly most: number;
  private readonly waiting = new Map<string, Relayed>();

  constructor(most: number) {
    this.most = most;
  }

  /** `full`: too many wait already. */
  add(id: string, relayed: Relayed): 'waits' | 'full' {
    for (const [oldest, { at }] of this.waiting) {
      if (relayed.at - at < PATIENCE) break;
      this.waiting.delete(oldest);
    }
    if (this.waiting.size >= this.most) return 'full';
    this.waiting.set(id, relayed);
    return 'waits';
  }

  /** The request that `from` answers; it waits no longer. */
  take(id: string, answerer: string): Relayed | undefined {
    const relayed = this.waiting.get(id);
    if (relayed === undefined || relayed.answerer !== answerer) return undefined;
    this.waiting.delete(id);
    return relayed;
  }
}
