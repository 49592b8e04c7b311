import { setTimeout as pause } from 'node:timers/promises';
import type { Issued } from './certificates.ts';
import { elementsOf } from './counted-home.ts';
import type { Place } from './faulty-network.ts';
import type { Flow, Recorder } from './ledger.ts';
import type { Sender } from './load.ts';
import { numberedMessage, recordElement } from './numbered-stanzas.ts';
import { acceptAuthenticated, auth, openSecured, openStream } from './peer-streams.ts';
import { PeerServer, type Wire, wireTo } from './raw-peer.ts';

/** Between two attempts to have a stream. */
const RETRY_MS = 100;
/** More than this in our socket, and the other side is not taking what it is sent. */
const MOST_WAITING = 256 * 1024;

export interface CountedPartnerPlan {
  readonly domain: string;
  readonly certificate: Issued;
  /** The address it listens on and connects from. */
  readonly address: string;
  /** Where the homes are reached, tried in turn. */
  readonly edges: readonly Place[];
  /** The domains it writes to. */
  readonly homes: readonly string[];
  readonly recorder: Recorder;
}

/** The end of a stream, as the partner saw it. */
export interface Closing {
  /** `performance.now()`. */
  readonly at: number;
  /** Who had opened it. */
  readonly openedBy: 'partner' | 'edge';
  readonly home: string;
  /** `closed`: in good order, with `</stream:stream>`. */
  readonly how: 'closed' | 'broken';
  /** The stream error, and its text. */
  readonly error: string | undefined;
  readonly text: string;
}

/**
 * A server of a partner: takes streams from fedway and opens one to each home, with STARTTLS and SASL EXTERNAL; opens them again when they are lost;
 * sends numbered messages and writes down what it is given.
 */
export class CountedPartner implements Sender, AsyncDisposable {
  readonly domain: string;
  readonly flows: readonly Flow[];
  /** Streams so far that reached the point where stanzas may be sent: which we opened, and which fedway did. */
  readonly streams = { opened: 0, accepted: 0 };
  readonly closings: Closing[] = [];
  /** Attempts to open a stream that came to nothing. */
  refusals = 0;
  /** Where the streams came from that fedway opened. */
  readonly acceptedFrom: string[] = [];
  private readonly plan: CountedPartnerPlan;
  private readonly server: PeerServer;
  private readonly ready = new Map<Flow, Wire>();
  private isOver = false;
  private isPaused = false;

  static async start(plan: CountedPartnerPlan): Promise<CountedPartner> {
    const server = await PeerServer.listen(plan.address, () => undefined);
    return new CountedPartner(plan, server);
  }

  private constructor(plan: CountedPartnerPlan, server: PeerServer) {
    this.plan = plan;
    this.domain = plan.domain;
    this.server = server;
    server.script = (wire) => this.accept(wire);
    this.flows = plan.homes.map((home): Flow => `${plan.domain}>${home}`);
    plan.homes.forEach((home) => void this.keepOpen(home));
  }

  /** Where it takes streams: what DNS, or a route, must say. */
  get place(): Place {
    return { address: this.server.address, port: this.server.port };
  }

  /** Whether every stream of ours is ready. */
  get isConnected(): boolean {
    return this.ready.size === this.flows.length;
  }

  /** What went wrong with streams that fedway opened. */
  get failures(): readonly unknown[] {
    return this.server.failures;
  }

  send(flow: Flow): boolean {
    const wire = this.ready.get(flow);
    if (wire === undefined || wire.socket.writableLength > MOST_WAITING) return false;
    wire.send(numberedMessage(flow, this.plan.recorder.sent(flow)));
    return true;
  }

  /** Closes our streams and opens none until `resume`. */
  pause(): void {
    this.isPaused = true;
    for (const wire of this.ready.values()) wire.send('</stream:stream>');
  }

  resume(): void {
    this.isPaused = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isOver = true;
    for (const wire of this.ready.values()) wire.destroy();
    await this.server[Symbol.asyncDispose]();
  }

  private async keepOpen(home: string): Promise<void> {
    const flow: Flow = `${this.domain}>${home}`;
    for (let attempt = 0; !this.isOver; attempt++) {
      const edge = this.plan.edges[attempt % this.plan.edges.length];
      if (edge !== undefined && !this.isPaused) await this.open(flow, home, edge).catch(() => (this.refusals += 1));
      this.ready.get(flow)?.destroy();
      this.ready.delete(flow);
      await pause(RETRY_MS);
    }
  }

  /** From the connection to its end. */
  private async open(flow: Flow, home: string, edge: Place): Promise<void> {
    const { domain, certificate, address } = this.plan;
    const parts = { from: domain, to: home };
    const wire = await wireTo(edge.address, edge.port, address);
    try {
      await openSecured(wire, parts, certificate);
      wire.send(auth(domain));
      await wire.expect(/<success[^>]*>/);
      await openStream(wire, parts);
      if (this.isOver) return;
      this.streams.opened += 1;
      this.ready.set(flow, wire);
      await this.take(wire, 'partner', home, () => this.ready.delete(flow));
    } finally {
      wire.destroy();
    }
  }

  private async accept(wire: Wire): Promise<void> {
    let home = '';
    wire.onText = (text) => {
      home ||= /<stream:stream[^>]* from='([^']*)'/.exec(text)?.[1] ?? '';
    };
    await acceptAuthenticated(wire, { from: this.domain, to: home || undefined }, this.plan.certificate);
    this.streams.accepted += 1;
    this.acceptedFrom.push(wire.socket.remoteAddress ?? '');
    await this.take(wire, 'edge', home, () => undefined);
  }

  /** Reads a stream to its end. `closing` is called when nothing more can be sent on it. */
  private async take(wire: Wire, openedBy: Closing['openedBy'], home: string, closing: () => void): Promise<void> {
    let how: Closing['how'] = 'broken';
    let error: string | undefined;
    let text = '';
    await elementsOf(wire, (xml) => {
      if (xml === '</stream:stream>') {
        how = 'closed';
        closing();
        wire.send('</stream:stream>').fin();
      } else if (xml.startsWith('<stream:error')) {
        closing();
        error = /<([a-z-]+) xmlns=/.exec(xml)?.[1];
        text = /<text[^>]*>([^<]*)</.exec(xml)?.[1] ?? '';
      } else recordElement(xml, this.domain, this.plan.recorder);
    });
    closing();
    this.closings.push({ at: performance.now(), openedBy, home, how, error, text });
  }
}
