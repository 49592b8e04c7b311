import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Place } from './faulty-network.ts';
import type { Flow, Recorder } from './ledger.ts';
import type { Sender } from './load.ts';
import { ElementCutter, numberedMessage, recordElement } from './numbered-stanzas.ts';
import { type Wire, wireTo } from './raw-peer.ts';

/** Between two attempts to connect. */
const RETRY_MS = 100;
/** More than this in our socket, and the other side is not taking what it is sent. */
const MOST_WAITING = 256 * 1024;

export interface CountedHomePlan {
  readonly domain: string;
  readonly secret: string;
  /** Where fedway takes components. */
  readonly listener: Place;
  /** The address it connects from. */
  readonly address: string;
  /** The domains it writes to. */
  readonly partners: readonly string[];
  readonly recorder: Recorder;
}

/**
 * A server inside: an XEP-0114 component that connects, connects again when its stream is lost, sends numbered messages and writes down what it is
 * given.
 */
export class CountedHome implements Sender, Disposable {
  readonly domain: string;
  readonly flows: readonly Flow[];
  /** Streams so far. */
  connections = 0;
  /** Why fedway closed streams: the stream errors it sent, `none` for a close without one. */
  readonly closings: string[] = [];
  private readonly plan: CountedHomePlan;
  private wire: Wire | undefined;
  private isReady = false;
  private isOver = false;

  constructor(plan: CountedHomePlan) {
    this.plan = plan;
    this.domain = plan.domain;
    this.flows = plan.partners.map((partner): Flow => `${plan.domain}>${partner}`);
    void this.keepConnected();
  }

  get isConnected(): boolean {
    return this.isReady;
  }

  send(flow: Flow): boolean {
    const { wire } = this;
    if (wire === undefined || !this.isReady || wire.socket.writableLength > MOST_WAITING) return false;
    wire.send(numberedMessage(flow, this.plan.recorder.sent(flow)));
    return true;
  }

  /** Loses the connection with all that is in its buffers, as a process that is killed does; it connects again. */
  lose(): void {
    this.isReady = false;
    this.wire?.destroy();
  }

  [Symbol.dispose](): void {
    this.isOver = true;
    this.lose();
  }

  private async keepConnected(): Promise<void> {
    while (!this.isOver) {
      await this.connect().catch(() => undefined);
      this.isReady = false;
      this.wire?.destroy();
      await pause(RETRY_MS);
    }
  }

  /** From the connection to its end. */
  private async connect(): Promise<void> {
    const { domain, secret, listener, address, recorder } = this.plan;
    const wire = await wireTo(listener.address, listener.port, address);
    this.wire = wire;
    wire.send(
      `<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='${domain}'>`,
    );
    const header = await wire.expect(/<stream:stream[^>]*>/);
    const id = /id='([^']*)'/.exec(header)?.[1] ?? '';
    wire.send(`<handshake>${createHash('sha1').update(`${id}${secret}`).digest('hex')}</handshake>`);
    await wire.expect('<handshake/>');
    if (this.isOver) return;
    this.connections += 1;
    this.isReady = true;
    let error = 'none';
    await elementsOf(wire, (xml) => {
      if (xml === '</stream:stream>') {
        this.isReady = false;
        this.closings.push(error);
        wire.send('</stream:stream>').fin();
      } else if (xml.startsWith('<stream:error')) error = /<([a-z-]+) xmlns=/.exec(xml)?.[1] ?? 'none';
      else recordElement(xml, domain, recorder);
    });
  }
}

/** Gives every element that arrives to `take`; resolves at the end of the connection. */
export async function elementsOf(wire: Wire, take: (xml: string) => void): Promise<void> {
  const cutter = new ElementCutter(take);
  wire.recording = false;
  const before = wire.text;
  wire.text = '';
  wire.onText = (text) => cutter.push(text);
  cutter.push(before);
  // However long it lasts.
  await wire.end(2 ** 31 - 1);
}
