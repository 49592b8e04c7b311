import { reread } from '../../src/link/reread.ts';
import { type Domain, parseDomain } from '../../src/protocol/jid/domain.ts';
import { AcceptingLink } from '../../src/protocol/link/accepting-link.ts';
import { DialingLink } from '../../src/protocol/link/dialing-link.ts';
import type { LinkStreamContext } from '../../src/protocol/link/link-stream.ts';
import type { LinkMessage } from '../../src/protocol/link/messages.ts';
import { LinkSession } from '../../src/protocol/link/session.ts';
import type { Waiting } from '../../src/protocol/link/waiting-queue.ts';
import type { StreamEvent, StreamPair } from '../../src/protocol/stream/actions.ts';
import { AUTHENTICATED_LIMITS } from '../../src/protocol/xml/limits.ts';
import type { XmlLimits } from '../../src/protocol/xml/types.ts';
import { VirtualClock } from './clock.ts';
import { RawSide, StreamSide } from './pair.ts';
import { Transcript } from './transcript.ts';
import { type Direction, Wire, type WireOptions } from './wire.ts';

export const TIMEOUTS = { header: 5_000, negotiation: 10_000, close: 2_000, quiet: 30_000, hold: 600_000 };
/** How long a Core waits before it dials again. */
const REDIAL_MS = 50;

/** A connection that can break after any byte, and that may do so without a word to anybody (half-open). */
export class FragileWire extends Wire {
  isBroken = false;
  private isSilent = false;
  private readonly left: Record<Direction, number> = { C: Number.MAX_SAFE_INTEGER, S: Number.MAX_SAFE_INTEGER };

  /** It breaks when one end has sent so many more bytes. */
  breakAfter(from: Direction, bytes: number, how: 'told' | 'silent'): void {
    this.left[from] = bytes;
    this.isSilent = how === 'silent';
  }

  break(): void {
    if (this.isBroken) return;
    this.isBroken = true;
    if (this.isSilent) return;
    super.close('C');
    super.close('S');
  }

  override send(from: Direction, what: string | Uint8Array): void {
    if (this.isBroken) return;
    const bytes = typeof what === 'string' ? Buffer.from(what) : what;
    if (bytes.length <= this.left[from]) {
      this.left[from] -= bytes.length;
      super.send(from, what);
      return;
    }
    if (this.left[from] > 0) super.send(from, bytes.subarray(0, this.left[from]));
    this.break();
  }

  override close(side: Direction): void {
    if (!this.isBroken || !this.isSilent) super.close(side);
  }
}

/** A stream whose process may be killed: from then on it does nothing any more. */
export class LinkSide extends StreamSide {
  private isDead = false;

  kill(): void {
    this.isDead = true;
  }

  override handle(event: StreamEvent): void {
    if (!this.isDead) super.handle(event);
  }

  override bytes(chunk: Uint8Array): void {
    if (!this.isDead) super.bytes(chunk);
  }
}

/** One connection of a box, with the stream that runs on it. */
interface Connection {
  readonly side: LinkSide;
  readonly wire: Wire;
  readonly direction: Direction;
}

/** One end of a Link as the box has it: a session, and connections that come and go. */
export class LinkBox {
  readonly id: string;
  session: LinkSession;
  /** The ids of stanzas, in order: offered here, arrived here, in doubt, given up without having been written, and in the session when the process was killed. */
  readonly sent: string[] = [];
  readonly arrived: string[] = [];
  readonly inDoubt: string[] = [];
  readonly bounced: string[] = [];
  readonly died: string[] = [];
  readonly messages: LinkMessage[] = [];
  /** Of each connection that was established: whether the session was resumed. */
  readonly established: boolean[] = [];
  readonly pairs = new Set<StreamPair>();
  acknowledgements = 0;
  isHeld = false;
  limits: XmlLimits = AUTHENTICATED_LIMITS;
  connection: Connection | undefined;
  /** Those that were replaced, too. */
  readonly connections: Connection[] = [];
  private readonly world: LinkWorld;
  private readonly prefix: string;

  constructor(world: LinkWorld, id: string, session: LinkSession) {
    this.world = world;
    this.id = id;
    this.prefix = id.slice(0, 1);
    this.session = session;
  }

  /** Offers a stanza to the Link, as the router does. */
  send(body = 'hello'): void {
    const id = `${this.prefix}${this.sent.length + 1}`;
    this.sent.push(id);
    const [from, to] = this.prefix === 'c' ? ['eva@coluc.com', 'jan@vngtp.lab'] : ['jan@vngtp.lab', 'eva@coluc.com'];
    const xml = `<message from='${from}' to='${to}' id='${id}'><body>${body}</body></message>`;
    this.session.send(Buffer.from(xml), this.pair);
    this.pump();
  }

  tell(message: LinkMessage): void {
    this.connection?.side.handle({ type: 'link-message', message });
  }

  /** Writes what may be written. */
  pump(): void {
    const { connection } = this;
    if (connection === undefined) return;
    for (let bytes = this.session.next(); bytes !== undefined; bytes = this.session.next())
      connection.wire.send(connection.direction, bytes);
  }

  /** The Link has been down for too long: the session ends. */
  giveUp(): void {
    const { never, inDoubt } = this.session.giveUp();
    this.inDoubt.push(...idsOf(inDoubt));
    this.bounced.push(...idsOf(never));
    for (const { side } of this.connections) side.handle({ type: 'close', why: 'replaced' });
  }

  /** The process is killed and starts again: nothing is known any more, and nobody is told. */
  restart(): void {
    const { never, inDoubt } = this.session.giveUp();
    this.died.push(...idsOf(inDoubt), ...idsOf(never));
    this.session = new LinkSession();
    for (const { side, wire, direction } of this.connections.splice(0)) {
      side.kill();
      wire.close(direction);
    }
    this.connection = undefined;
  }

  /** What the stream on a new connection of this box is given. */
  context(peer: string, direction: Direction, wire: Wire): LinkStreamContext {
    const { session } = this;
    return {
      own: this.id,
      peer,
      session,
      limits: this.limits,
      timeouts: TIMEOUTS,
      deliver: (stanza, pair) => {
        this.arrived.push(stanza.id ?? '');
        this.pairs.add(pair);
      },
      message: (message) => this.messages.push(message),
      established: (resumed) => {
        this.established.push(resumed);
        const former = this.connection;
        const side = this.connections.find((each) => each.wire === wire)?.side;
        if (side === undefined) throw new Error('a connection that nobody made');
        this.connection = { side, wire, direction };
        if (former !== undefined && former.side.ended === undefined)
          this.world.clock.after(0, () => former.side.handle({ type: 'close', why: 'replaced' }));
        this.pump();
      },
      inDoubt: (stanzas) => this.inDoubt.push(...idsOf(stanzas)),
      acknowledged: () => {
        this.acknowledgements += 1;
      },
      isHeld: () => this.isHeld,
    };
  }

  attach(connection: Connection): void {
    this.connections.push(connection);
    connection.side.start();
  }

  private get pair(): StreamPair {
    const [sender, target] = this.prefix === 'c' ? ['coluc.com', 'vngtp.lab'] : ['vngtp.lab', 'coluc.com'];
    return { sender: domain(sender), target: domain(target) };
  }
}

/** A Core and an Edge, and the network between them. */
export class LinkWorld {
  readonly clock = new VirtualClock();
  readonly transcript = new Transcript();
  readonly core: LinkBox;
  readonly edge: LinkBox;
  /** Whether the Core dials again when it has no connection. */
  redials = false;
  wire: FragileWire | undefined;
  options: WireOptions;
  private dialed = 0;
  private ids = 0;

  constructor(options: WireOptions = {}, sessions: { readonly core?: LinkSession; readonly edge?: LinkSession } = {}) {
    this.options = options;
    this.core = new LinkBox(this, 'core-1', sessions.core ?? new LinkSession());
    this.edge = new LinkBox(this, 'edge-1', sessions.edge ?? new LinkSession());
  }

  newId(): string {
    return `id-${++this.ids}`;
  }

  /** The Core dials the Edge. */
  dial(): FragileWire {
    const wire = this.newWire();
    this.wire = wire;
    this.edge.attach(this.accepting(wire));
    const side = this.side(new DialingLink(this.core.context(this.edge.id, 'C', wire)), wire, 'C', () => {
      if (this.redials) this.clock.after(REDIAL_MS, () => this.redial());
    });
    this.core.attach({ side, wire, direction: 'C' });
    this.clock.settle();
    return wire;
  }

  /** Unless it has a connection again. */
  redial(): void {
    if (this.core.connections.every(({ side }) => side.ended !== undefined)) this.dial();
  }

  /** Somebody who writes every byte himself dials the Edge, with the certificate of the Core. */
  dialedByRaw(): RawSide {
    const wire = this.newWire();
    this.edge.attach(this.accepting(wire));
    return new RawSide(this.clock, wire, 'C');
  }

  /** The Core dials somebody who writes every byte himself, with the certificate of the Edge. */
  dialRaw(): RawSide {
    const wire = this.newWire();
    const raw = new RawSide(this.clock, wire, 'S');
    const side = this.side(new DialingLink(this.core.context(this.edge.id, 'C', wire)), wire, 'C');
    this.core.attach({ side, wire, direction: 'C' });
    this.clock.settle();
    return raw;
  }

  private newWire(): FragileWire {
    return new FragileWire(`connection ${++this.dialed}`, this.clock, this.transcript, this.options);
  }

  private accepting(wire: Wire): Connection {
    const context = { ...this.edge.context(this.core.id, 'S', wire), newId: () => this.newId() };
    return { side: this.side(new AcceptingLink(context), wire, 'S'), wire, direction: 'S' };
  }

  private side(stream: DialingLink | AcceptingLink, wire: Wire, side: Direction, ended?: () => void): LinkSide {
    const { clock, transcript } = this;
    return new LinkSide(stream, {
      clock,
      transcript,
      wire,
      side,
      certificate: undefined,
      ...(ended === undefined ? {} : { ended }),
    });
  }
}

function idsOf(stanzas: readonly Waiting[]): readonly string[] {
  return Array.from(reread(stanzas), ({ stanza }) => stanza.id ?? '');
}

function domain(text: string): Domain {
  const parsed = parseDomain(text);
  if (parsed === undefined) throw new TypeError(`not a domain: ${text}`);
  return parsed;
}
