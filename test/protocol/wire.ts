import type { PeerCertificate, TlsFacts } from '../../src/protocol/identity/facts.ts';
import type { VirtualClock } from './clock.ts';
import type { Transcript } from './transcript.ts';

/** A certificate as a test describes it: the names it presents (DNS-IDs), and what is wrong with its path. */
export interface Certificate {
  readonly names: readonly string[];
  readonly untrusted?: string;
  /** Unix milliseconds. */
  readonly notAfter?: number;
}

/** Whatever sits at one end of a connection. */
export interface WireEnd {
  bytes(chunk: Uint8Array): void;
  secured(facts: TlsFacts): void;
  notSecured(detail: string): void;
  closed(): void;
}

export type Direction = 'C' | 'S';

/** What a man in the middle, or the network, does to everything that passes. */
export interface WireOptions {
  /** Cuts what one side wrote into the pieces in which it arrives. */
  readonly cut?: (bytes: Uint8Array) => readonly Uint8Array[];
  /** Changes text on its way (`undefined`: it gets lost). Does not see into TLS. */
  readonly tamper?: (from: Direction, xml: string) => string | undefined;
  readonly latencyMs?: number;
}

interface Port {
  end: WireEnd | undefined;
  secure: boolean;
  /** Set while the side waits for the other to begin with TLS. */
  handshake: { readonly show: Certificate | undefined } | undefined;
  /** The side has ended its half, or the connection is gone. */
  closed: boolean;
}

/** A TCP connection in virtual time. `C` connected, `S` accepted. TLS is the exchange of certificates, and a layer that plaintext does not get into. */
export class Wire {
  readonly name: string;
  private readonly clock: VirtualClock;
  private readonly transcript: Transcript;
  private readonly options: WireOptions;
  private readonly ports: Readonly<Record<Direction, Port>> = { C: port(), S: port() };

  constructor(name: string, clock: VirtualClock, transcript: Transcript, options: WireOptions = {}) {
    this.name = name;
    this.clock = clock;
    this.transcript = transcript;
    this.options = options;
  }

  attach(side: Direction, end: WireEnd): void {
    this.ports[side].end = end;
  }

  /** Bytes from one side; a string is what they say in UTF-8. */
  send(from: Direction, what: string | Uint8Array): void {
    const sender = this.ports[from];
    if (sender.closed) return;
    const text = typeof what === 'string' ? what : Buffer.from(what).toString();
    this.transcript.wrote(this.name, from, text);
    const { tamper } = this.options;
    const passed = tamper === undefined || sender.secure ? what : tamper(from, text);
    if (passed === undefined) return;
    const bytes = typeof passed === 'string' ? Buffer.from(passed) : passed;
    const { secure } = sender;
    for (const chunk of this.options.cut?.(bytes) ?? [bytes]) this.later(() => this.arrive(other(from), chunk, secure));
  }

  /** One side begins with TLS. When both have, it is there. */
  startTls(side: Direction, show: Certificate | undefined): void {
    this.ports[side].handshake = { show };
    const { C, S } = this.ports;
    if (C.handshake === undefined || S.handshake === undefined) return;
    const [client, server] = [C.handshake.show, S.handshake.show];
    this.later(() => {
      if (C.closed || S.closed) return;
      for (const each of [C, S]) {
        each.secure = true;
        each.handshake = undefined;
      }
      S.end?.secured(factsOf(client, this.clock.now));
      C.end?.secured(factsOf(server, this.clock.now));
    });
  }

  /** One side has nothing more to say. */
  close(side: Direction): void {
    if (this.ports[side].closed) return;
    this.ports[side].closed = true;
    this.transcript.closed(this.name, side);
    this.later(() => this.hearEnd(other(side)));
  }

  private later(run: () => void): void {
    this.clock.after(this.options.latencyMs ?? 0, run);
  }

  private arrive(at: Direction, chunk: Uint8Array, secure: boolean): void {
    const receiver = this.ports[at];
    if (receiver.handshake !== undefined) {
      receiver.handshake = undefined;
      receiver.end?.notSecured('the other side did not begin with TLS');
    } else if (receiver.secure === secure) receiver.end?.bytes(chunk);
    else receiver.end?.closed();
  }

  private hearEnd(at: Direction): void {
    const receiver = this.ports[at];
    if (receiver.handshake !== undefined) receiver.end?.notSecured('the other side closed the connection');
    else receiver.end?.closed();
  }
}

/** TLS as the side sees it that was shown this certificate. */
function factsOf(certificate: Certificate | undefined, now: number): TlsFacts {
  return { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', peer: certificate && peerOf(certificate, now) };
}

function peerOf({ names, untrusted, notAfter }: Certificate, now: number): PeerCertificate {
  return {
    names: names.map((value) => ({ kind: 'dns', value })),
    untrusted,
    subject: `CN=${names[0] ?? 'nobody'}`,
    issuer: 'CN=Lab CA',
    fingerprint: 'ab'.repeat(32),
    notBefore: now - 86_400_000,
    notAfter: notAfter ?? now + 86_400_000,
  };
}

function port(): Port {
  return { end: undefined, secure: false, handshake: undefined, closed: false };
}

function other(side: Direction): Direction {
  return side === 'C' ? 'S' : 'C';
}
