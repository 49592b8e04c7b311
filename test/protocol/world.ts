import { acceptsHandshake, componentHandshake } from '../../src/net/keys/component-keys.ts';
import { DialbackKeys } from '../../src/net/keys/dialback-keys.ts';
import { AcceptingComponent } from '../../src/protocol/component/accepting-component.ts';
import { ConnectingComponent } from '../../src/protocol/component/connecting-component.ts';
import { verifyFailure } from '../../src/protocol/dialback/verify-failure.ts';
import type { StreamEnd } from '../../src/protocol/end.ts';
import { type Domain, parseDomain } from '../../src/protocol/jid/domain.ts';
import type { Purpose } from '../../src/protocol/s2s/initiating-context.ts';
import { InitiatingStream } from '../../src/protocol/s2s/initiating-stream.ts';
import type { DirectTls } from '../../src/protocol/s2s/receiving-context.ts';
import { ReceivingStream } from '../../src/protocol/s2s/receiving-stream.ts';
import type { StreamRuling, StreamTimeouts } from '../../src/protocol/s2s/ruling.ts';
import type { DialbackClaim, StreamPair, Verdict } from '../../src/protocol/stream/actions.ts';
import type { StreamMachine } from '../../src/protocol/stream/machine.ts';
import { AUTHENTICATED_LIMITS } from '../../src/protocol/xml/limits.ts';
import type { Stanza } from '../../src/protocol/xml/types.ts';
import { VirtualClock } from './clock.ts';
import { RawSide, StreamSide } from './pair.ts';
import { Transcript } from './transcript.ts';
import { type Certificate, type Direction, Wire, type WireOptions } from './wire.ts';

const TIMEOUTS: StreamTimeouts = { header: 20_000, negotiation: 60_000, dialback: 30_000, close: 5_000 };

/** A server of the world, as a test describes it. */
export interface ServerPlan {
  readonly domains: readonly string[];
  readonly secret?: string;
  /** What it shows to whoever connects, and to whom it connects. */
  readonly certificate?: Certificate | undefined;
  readonly tls?: StreamRuling['tls'];
  readonly authentication?: StreamRuling['authentication'];
  /** Whether a partner must show a certificate that proves its domain, whichever way it authenticates. */
  readonly requireCertificate?: boolean;
  /** Domains of its own that do not federate. */
  readonly homesOff?: readonly string[];
  /** What is different for a partner. */
  readonly ruling?: (remote: string | undefined) => Partial<StreamRuling>;
  /** Whether it sends nothing to a server whose certificate does not prove its domain. */
  readonly peerMustProve?: boolean;
  /** Everybody comes by direct TLS; the domain whose certificate is shown to them, and those that share it. */
  readonly directTls?: { readonly domain: string; readonly shared?: readonly string[] };
  /** Whether it dials by direct TLS, if not just those that take nothing else. */
  readonly dialsDirectTls?: boolean;
  /** Whether it has no name to give itself when asked for a domain that it does not serve. */
  readonly nameless?: boolean;
}

/** What DNS leads to: a server, a raw peer, or a reason why there is none. */
export type Destination = Server | 'raw' | Extract<StreamEnd, { by: 'network' }>;

/** A connection that a server opened, with both of its ends as far as they are streams. */
export interface Opened {
  readonly wire: Wire;
  readonly client: StreamSide;
  /** The accepting stream of the other server, or the raw peer. */
  readonly server: StreamSide | undefined;
  readonly raw: RawSide | undefined;
}

/** A little world of servers, each answering for domains of its own, in virtual time. */
export class World {
  readonly clock = new VirtualClock();
  readonly transcript = new Transcript();
  readonly options: WireOptions;
  /** Stanzas that streams let through, as `server: from -> to: xml`. */
  readonly delivered: string[] = [];
  /** Connections to the servers of a domain, in order. */
  readonly opened: Opened[] = [];
  private readonly dns = new Map<string, Destination>();
  /** The ids that the next response headers get; when they run out, `id-1`, `id-2` and so on. */
  readonly nextStreamIds: string[] = [];
  private streamIds = 0;

  constructor(options: WireOptions = {}) {
    this.options = options;
  }

  server(plan: ServerPlan): Server {
    const server = new Server(this, plan);
    for (const domain of plan.domains) this.dns.set(domain, server);
    return server;
  }

  /** From now on DNS says this about a domain. */
  point(domain: string, destination: Destination): void {
    this.dns.set(domain, destination);
  }

  find(domain: string): Destination {
    return this.dns.get(domain) ?? { by: 'network', stage: 'no-service', detail: 'there is no such domain' };
  }

  newStreamId(): string {
    return this.nextStreamIds.shift() ?? `id-${++this.streamIds}`;
  }

  wire(name: string, options: WireOptions = this.options): Wire {
    return new Wire(name, this.clock, this.transcript, options);
  }

  /** A raw peer that connects to a stream which waits for it. */
  rawTo(stream: StreamMachine, options: WireOptions = this.options, more: Partial<RawPlan> = {}): RawConnection {
    const wire = this.wire(more.name ?? 'raw peer', options);
    const side = this.side(stream, wire, 'S', more);
    const raw = new RawSide(this.clock, wire, 'C');
    side.start();
    this.clock.settle();
    return { raw, side };
  }

  side(stream: StreamMachine, wire: Wire, side: Direction, more: Partial<RawPlan> = {}): StreamSide {
    return new StreamSide(stream, {
      clock: this.clock,
      transcript: this.transcript,
      wire,
      side,
      certificate: more.certificate,
      ...(more.verify === undefined ? {} : { verify: more.verify }),
      ...(more.ended === undefined ? {} : { ended: more.ended }),
      ...(more.answered === undefined ? {} : { answered: more.answered }),
    });
  }
}

interface RawPlan {
  readonly name: string;
  readonly certificate: Certificate | undefined;
  readonly verify: (claim: DialbackClaim, settle: (verdict: Verdict) => void) => void;
  readonly ended: (end: StreamEnd) => void;
  readonly answered: (verdict: Verdict) => void;
}

export interface RawConnection {
  readonly raw: RawSide;
  readonly side: StreamSide;
}

/** A server of the world: it opens streams to others and accepts theirs. What it permits may be changed while streams are open. */
export class Server {
  plan: ServerPlan;
  readonly keys: DialbackKeys;
  private readonly world: World;

  constructor(world: World, plan: ServerPlan) {
    this.world = world;
    this.plan = plan;
    this.keys = new DialbackKeys(plan.secret ?? `the secret of ${plan.domains[0] ?? 'nobody'}`);
  }

  serves(name: string): boolean {
    return this.plan.domains.includes(name);
  }

  /** The dialback key of its first domain for another server and the id of that one's stream. */
  keyFor(target: string, streamId: string): string {
    return this.keys.key({ sender: domain(this.plan.domains[0] ?? ''), target: domain(target) }, streamId);
  }

  ruling(remote: Domain | undefined, local?: Domain): StreamRuling {
    const { tls = 'optional', authentication = 'either', ruling } = this.plan;
    return {
      admitted: true,
      because: 'the test allows it',
      tls,
      authentication,
      requireCertificate: this.plan.requireCertificate ?? false,
      ...ruling?.(remote),
      ...(local !== undefined && this.plan.homesOff?.includes(local) === true
        ? { admitted: false, because: `${local} is off` }
        : {}),
    };
  }

  /** The stream for somebody who connects. */
  accepting(): ReceivingStream {
    const { world, plan } = this;
    return new ReceivingStream({
      authority: this.keys,
      timeouts: TIMEOUTS,
      limits: AUTHENTICATED_LIMITS,
      defaultDomain: plan.nameless === true ? undefined : domain(plan.domains[0] ?? ''),
      serves: (name) => this.serves(name),
      isOurs: (name) => this.serves(name),
      ruling: (local, remote) => this.ruling(remote, local),
      ...(plan.directTls === undefined ? {} : { directTls: directTlsOf(plan.directTls) }),
      newStreamId: () => world.newStreamId(),
      deliver: (stanza) => this.delivered(stanza),
    });
  }

  /** A raw peer connects. */
  connectedByRaw(options?: WireOptions): RawConnection {
    return this.world.rawTo(this.accepting(), options, {
      name: `raw peer -> ${this.plan.domains[0] ?? ''}`,
      certificate: this.plan.certificate,
      verify: (claim, settle) => this.verify(claim, settle),
    });
  }

  /** Opens a stream to the server of a domain and lets everything happen that takes no time. */
  open(remote: string, as = this.plan.domains[0] ?? ''): Opened {
    const opened = this.connect({ sender: domain(as), target: domain(remote) }, { for: 'stanzas' }, () => undefined);
    if (opened === undefined) throw new Error(`nothing to connect to for ${remote}`);
    this.world.clock.settle();
    return opened;
  }

  /** Asks the authoritative server of a claim, as the opener of the box does. */
  verify(claim: DialbackClaim, settle: (verdict: Verdict) => void): void {
    const pair = { sender: claim.target, target: claim.sender };
    let settled = false;
    const once = (verdict: Verdict): void => {
      if (!settled) settle(verdict);
      settled = true;
    };
    const found = this.world.find(claim.sender);
    if (found !== 'raw' && 'by' in found) {
      this.world.clock.after(0, () => once({ verdict: 'error', condition: verifyFailure(found) }));
      return;
    }
    this.connect(
      pair,
      { for: 'verify', claim, forConnection: undefined },
      (end) => once({ verdict: 'error', condition: verifyFailure(end) }),
      (verdict) => {
        if (verdict.verdict !== 'error') once(verdict);
      },
    );
  }

  private connect(
    pair: StreamPair,
    purpose: Purpose,
    ended: (end: StreamEnd) => void,
    answered: (verdict: Verdict) => void = () => undefined,
  ): Opened | undefined {
    const { world, plan } = this;
    const found = world.find(pair.target);
    if (found !== 'raw' && 'by' in found) return undefined;
    const wire = world.wire(`${pair.sender} -> ${pair.target}${purpose.for === 'verify' ? ', to verify' : ''}`);
    const stream = new InitiatingStream({
      local: pair.sender,
      remote: pair.target,
      purpose,
      directTls: plan.dialsDirectTls ?? (found !== 'raw' && found.plan.directTls !== undefined),
      ruling: () => this.ruling(pair.target),
      hasCertificate: plan.certificate !== undefined,
      peerMustProve: plan.peerMustProve ?? false,
      authority: this.keys,
      timeouts: TIMEOUTS,
      limits: AUTHENTICATED_LIMITS,
    });
    const client = world.side(stream, wire, 'C', { certificate: plan.certificate, ended, answered });
    const raw = found === 'raw' ? new RawSide(world.clock, wire, 'S') : undefined;
    const server =
      found === 'raw'
        ? undefined
        : world.side(found.accepting(), wire, 'S', {
            certificate: found.plan.certificate,
            verify: (claim, settle) => found.verify(claim, settle),
          });
    const opened: Opened = { wire, client, server, raw };
    world.opened.push(opened);
    server?.start();
    client.start();
    return opened;
  }

  private delivered(stanza: Stanza): void {
    const xml = Buffer.from(stanza.render({ contentNamespace: 'jabber:server' })).toString();
    this.world.delivered.push(`${this.plan.domains[0] ?? ''}: ${xml}`);
  }
}

function directTlsOf(plan: NonNullable<ServerPlan['directTls']>): DirectTls {
  const shared: ReadonlySet<string> = new Set([plan.domain, ...(plan.shared ?? [])]);
  return {
    domain: domain(plan.domain),
    isSameCertificate: (shown, asked) => shown === asked || (shared.has(shown) && shared.has(asked)),
  };
}

/** Both ends of XEP-0114 for one secret. */
export interface ComponentPlan {
  /** The component's name, and the domains it may speak for when it is a home server. */
  readonly name: string;
  readonly domains?: readonly string[];
  readonly secret?: string;
  readonly isConnected?: () => boolean;
}

const COMPONENT_SECRET = 'component secret';

/** A stream that waits for the component `plan.name`. */
export function acceptingComponent(world: World, plan: ComponentPlan): AcceptingComponent {
  return new AcceptingComponent({
    timeouts: TIMEOUTS,
    limits: AUTHENTICATED_LIMITS,
    defaultDomain: undefined,
    component: (name) =>
      name === plan.name
        ? {
            domains: (plan.domains ?? [plan.name]).map(domain),
            connected: plan.isConnected ?? (() => false),
            accepts: (id, handshake) => acceptsHandshake(id, plan.secret ?? COMPONENT_SECRET, handshake),
          }
        : undefined,
    newStreamId: () => world.newStreamId(),
    deliver: (stanza, pair) => world.delivered.push(componentLine(stanza, pair)),
  });
}

/** A component that connects as `name` to the server of `homes`. */
export function connectingComponent(
  world: World,
  plan: { readonly name: string; readonly homes: readonly string[]; readonly secret?: string },
): ConnectingComponent {
  return new ConnectingComponent({
    name: domain(plan.name),
    homes: plan.homes.map(domain),
    timeouts: TIMEOUTS,
    limits: AUTHENTICATED_LIMITS,
    handshake: (id) => componentHandshake(id, plan.secret ?? COMPONENT_SECRET),
    deliver: (stanza, pair) => world.delivered.push(componentLine(stanza, pair)),
  });
}

function componentLine(stanza: Stanza, pair: StreamPair): string {
  const xml = Buffer.from(stanza.render({ contentNamespace: 'jabber:server' })).toString();
  return `${pair.sender} -> ${pair.target}: ${xml}`;
}

function domain(text: string): Domain {
  const parsed = parseDomain(text);
  if (parsed === undefined) throw new TypeError(`not a domain: ${text}`);
  return parsed;
}
