import type { XmlElement } from '../../protocol/xml/types.ts';
import type { Packet } from '../packet.ts';
import type { ClientSession } from '../sessions.ts';

/** A message that was given to sessions, itself or as a copy. */
export interface Delivery {
  /** The message, with the id it has in the archive. */
  readonly packet: Packet;
  /** Unix milliseconds. */
  readonly time: number;
  /** Sessions that have it, for all that is known. */
  readonly holders: Set<ClientSession>;
}

/**
 * Which stanzas that were sent to clients are which message, for as long as anybody keeps the stanza. So that a message of a session that broke reaches
 * the user once: not at all by it when another session has it.
 */
export class Deliveries {
  private readonly byStanza = new WeakMap<XmlElement, Delivery>();

  /** Sends a message to sessions: to each the stanza that is the message, or a copy of it. `time`: Unix milliseconds, when it came. */
  send(packet: Packet, time: number, stanzas: ReadonlyMap<ClientSession, XmlElement>): void {
    // All of them hold it before the first is sent to: a session may end at that, and its message is not lost when others are about to have it.
    const delivery: Delivery = { packet, time, holders: new Set(stanzas.keys()) };
    for (const stanza of stanzas.values()) this.byStanza.set(stanza, delivery);
    for (const [session, stanza] of stanzas) session.send(stanza);
  }

  /** A stanza never reached the session. Returns the delivery when no session has the message any more. */
  lost(session: ClientSession, stanza: XmlElement): Delivery | undefined {
    const delivery = this.byStanza.get(stanza);
    if (delivery?.holders.delete(session) !== true) return undefined;
    return delivery.holders.size === 0 ? delivery : undefined;
  }
}
