import type { StreamDriver } from '../../net/s2s/stream-driver.ts';
import type { Domain } from '../../protocol/jid/domain.ts';
import { NS } from '../../protocol/namespaces.ts';
import { rescoped } from '../../protocol/stream/written-stanza.ts';
import { writeElement } from '../../protocol/xml/write.ts';
import type { Packet } from '../packet.ts';
import { StanzaGauge } from './stanza-gauge.ts';

/** What one component is sent, and what may wait for it when it takes less. */
export interface TrunkBounds {
  /** Bytes of one stanza that the other end takes. */
  readonly stanza: number;
  readonly stanzas: number;
  readonly bytes: number;
}

interface Waiting {
  readonly packet: Packet;
  readonly bytes: Uint8Array;
}

/** White space between stanzas: the keepalive of RFC 6120 §4.6.1. */
const SPACE = new TextEncoder().encode(' ');

/** A connected S2S component of an Edge as a way out. */
export class Trunk {
  readonly name: Domain;
  private readonly driver: StreamDriver;
  private readonly bounds: TrunkBounds;
  private readonly gauge: StanzaGauge;
  private waiting: Waiting[] = [];
  private waitingBytes = 0;
  private holding = false;

  constructor(name: Domain, driver: StreamDriver, bounds: TrunkBounds) {
    this.name = name;
    this.driver = driver;
    this.bounds = bounds;
    this.gauge = new StanzaGauge(bounds.stanza);
  }

  /** Whether it takes stanzas: it may be about to go. */
  get isOpen(): boolean {
    return !this.driver.isLeaving;
  }

  isOf(driver: StreamDriver): boolean {
    return driver === this.driver;
  }

  /** Sends a packet in the component's namespace, at once or when there is room. `full`: too much waits already. `too much`: the other end would not take it. */
  send(packet: Packet): 'taken' | 'full' | 'too much' {
    const bytes = new TextEncoder().encode(
      writeElement(rescoped(packet.element, NS.componentAccept), NS.componentAccept),
    );
    if (!this.gauge.admits(bytes)) return 'too much';
    if (!this.holding) {
      if (!this.driver.send(bytes)) this.waitForRoom();
      return 'taken';
    }
    // One stanza is always let wait, however large.
    const tooMuch = this.waitingBytes + bytes.length > this.bounds.bytes && this.waiting.length > 0;
    if (this.waiting.length >= this.bounds.stanzas || tooMuch) return 'full';
    this.waiting.push({ packet, bytes });
    this.waitingBytes += bytes.length;
    return 'taken';
  }

  /** Writes what makes a connection that is long dead show it. */
  probe(): void {
    if (!this.holding && !this.driver.send(SPACE)) this.waitForRoom();
  }

  /** Takes out what was not sent, in order: the component is gone. */
  takeWaiting(): readonly Packet[] {
    const packets = this.waiting.map(({ packet }) => packet);
    this.waiting = [];
    this.waitingBytes = 0;
    return packets;
  }

  /** Says goodbye because this node goes down, or its router is restarted. */
  shutdown(): void {
    this.driver.handle({ type: 'close', why: 'shutdown' });
  }

  private waitForRoom(): void {
    this.holding = true;
    void this.driver.room().then(() => this.sendWaiting());
  }

  private sendWaiting(): void {
    this.holding = false;
    // What goes away is not given anything more: the router has taken what waits, or will.
    if (!this.isOpen) return;
    let sent = 0;
    for (const { bytes } of this.waiting) {
      sent += 1;
      this.waitingBytes -= bytes.length;
      if (this.driver.send(bytes)) continue;
      this.waiting.splice(0, sent);
      this.waitForRoom();
      return;
    }
    this.waiting = [];
  }
}
