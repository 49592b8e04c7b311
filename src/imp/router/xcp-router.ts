import { faultInWords } from '../../net/s2s/in-words.ts';
import type { StreamDriver } from '../../net/s2s/stream-driver.ts';
import type { KnownComponent } from '../../protocol/component/accepting-component.ts';
import type { StreamEnd } from '../../protocol/end.ts';
import type { Domain } from '../../protocol/jid/domain.ts';
import type { NoteSink } from '../../protocol/notes.ts';
import type { Stanza } from '../../protocol/xml/types.ts';
import type { NodeDatabase } from '../database/database.ts';
import type { Notifications } from '../notifications.ts';
import type { EdgeComponent, RouterStatus } from '../operations.ts';
import type { Destination, Packet, Post } from '../packet.ts';
import type { S2sNodes } from '../s2s-nodes.ts';
import { errorAnswer, type PacketError } from '../stanza-errors.ts';
import { arrivalOf } from './arrival.ts';
import { PacketFifo } from './packet-fifo.ts';
import { RouterFacts } from './router-facts.ts';
import { RouterTable } from './router-table.ts';
import { Trunk, type TrunkBounds } from './trunk.ts';
import { Trunks } from './trunks.ts';

/** Packets inside the node. They are there for a turn of the event loop or a few: a queue of this length means that something is wrong. */
const MOST_PACKETS = 50_000;
/** Room that is left for answers when nothing else is taken any more. */
const FOR_ANSWERS = 5_000;
/** From this length of a line on, whoever brings more for it is not read until it is empty. A packet of the second makes hundreds. */
const CROWDED = { plain: 200, multiplying: 16 } as const;

export interface XcpRouterContext {
  readonly database: NodeDatabase;
  readonly nodes: S2sNodes;
  readonly notifications: Notifications;
  /** When a change of the table counts. */
  readonly changes: 'live' | 'restart';
  /** XMPP federation node status: with `on` nothing foreign goes to the Edges. */
  readonly federation: () => 'on' | 'off';
  readonly bounds: TrunkBounds;
  readonly notes: NoteSink;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Calls `work` soon, outside of the caller's stack. */
  readonly later: (work: () => void) => void;
  /** Calls `work` once after so many milliseconds. */
  readonly after: (milliseconds: number, work: () => void) => void;
  /** Whether a handshake was made from the stream id and the secret of `router.secret`. */
  readonly accepts: (streamId: string, handshake: string) => boolean;
}

/**
 * The XCP Router: carries packets to the destinations of this node's domains, and everything foreign to the S2S components of the Edges, if they are among those
 * that it has read from `xmpps2snodes`. What a component brings is let in without that: as long as its Core cannot write to the table, messages go one way.
 */
export class XcpRouter implements Post {
  private readonly context: XcpRouterContext;
  private readonly fifo: PacketFifo;
  private readonly local = new Map<Domain, Destination>();
  private readonly table: RouterTable;
  private readonly trunks = new Trunks();
  private readonly facts: RouterFacts;
  private since: number;
  private bounced = 0;
  private sent = 0;
  private sentToMany = 0;
  /** The components whose last stanza makes many packets. */
  private readonly multipliers = new Set<string>();
  private stopped = false;

  constructor(context: XcpRouterContext) {
    this.context = context;
    const { later, database, after, nodes, notes } = context;
    this.fifo = new PacketFifo({
      most: MOST_PACKETS + FOR_ANSWERS,
      multiplies: (packet) => this.multiplies(packet),
      deliver: (packet) => this.deliver(packet),
      later,
    });
    this.facts = new RouterFacts({ database, after, notes });
    this.table = new RouterTable(nodes, notes);
    this.since = context.now();
    nodes.watch(() => this.tableChanged());
  }

  /** From now on `destination` gets what is addressed to this domain of ours. */
  register(domain: Domain, destination: Destination): void {
    this.local.set(domain, destination);
  }

  isLocal(domain: Domain): boolean {
    return this.local.has(domain);
  }

  /** Reads the table for the first time. */
  start(): void {
    this.begin(undefined);
  }

  /** Drops the components, which connect again, and reads the table. */
  restart(author: string): void {
    for (const trunk of this.trunks.all()) trunk.shutdown();
    this.begin(author);
  }

  /** Resolves when nothing is on its way inside the node. */
  async idle(): Promise<void> {
    while (this.fifo.length > 0) {
      await this.fifo.empty('plain');
      await this.fifo.empty('multiplying');
    }
  }

  /** Packets that were ever sent. */
  packets(): number {
    return this.sent;
  }

  /** Packets that were ever sent to where one makes many. */
  multiplied(): number {
    return this.sentToMany;
  }

  /**
   * Too much is on its way inside the node: whoever brings more is not to be read until the promise is resolved. `undefined`: there is room.
   *
   * @param multiplies whether what it brought last makes many packets
   */
  crowded(multiplies: boolean): Promise<void> | undefined {
    if (this.fifo.lengthOf('plain') >= CROWDED.plain) return this.fifo.empty('plain');
    return multiplies && this.fifo.lengthOf('multiplying') >= CROWDED.multiplying
      ? this.fifo.empty('multiplying')
      : undefined;
  }

  /** The same for what the component `name` brings. */
  crowdedFor(name: string | undefined): Promise<void> | undefined {
    return this.crowded(name !== undefined && this.multipliers.has(name));
  }

  /** The last words before the database is closed: nothing is delivered any more. */
  stop(): void {
    this.stopped = true;
    this.facts.set({ router: 'stopped' });
  }

  /** The federation status of the node has changed, or is to be judged for the first time. */
  federationChanged(): void {
    this.facts.set({ xmpp_federation: this.context.federation() });
    this.judge();
  }

  status(): RouterStatus {
    return {
      since: this.since,
      changes: this.context.changes,
      restartNeeded: this.restartNeeded,
      bounced: this.bounced,
      components: this.components(),
    };
  }

  send(packet: Packet): void {
    this.sent += 1;
    if (this.multiplies(packet)) this.sentToMany += 1;
    if (this.fifo.length < MOST_PACKETS && this.fifo.push(packet)) return;
    this.context.notes({ note: 'router-full', waiting: this.fifo.length }, {});
    this.answer(packet, { condition: 'resource-constraint', text: 'The server has too much to do. Try again later.' });
  }

  // Components

  /** What a stream that accepts a component asks. */
  component(name: Domain): KnownComponent | undefined {
    if (!this.table.admits(name)) return undefined;
    return {
      domains: [name],
      speaksFor: (sender) => !this.isLocal(sender),
      connected: () => {
        const trunk = this.trunks.get(name);
        // The machine it ran on may have been restarted without a word: then the next attempt finds it gone.
        trunk?.probe();
        return trunk !== undefined;
      },
      accepts: (streamId, handshake) => this.context.accepts(streamId, handshake),
    };
  }

  /** The handshake of a component is done. */
  connected(name: Domain, driver: StreamDriver): void {
    this.trunks.add(new Trunk(name, driver, this.context.bounds));
    this.context.notes({ note: 'xcp-component-connected', cpId: name, inTable: this.table.names(name) }, {});
    this.tellComponents();
  }

  /** A stream is over. What still waited for it goes another way, or back. */
  disconnected(driver: StreamDriver, end: StreamEnd): void {
    const trunk = this.trunks.remove(driver);
    if (trunk === undefined) return;
    this.multipliers.delete(trunk.name);
    this.context.notes({ note: 'xcp-component-lost', cpId: trunk.name, because: end }, {});
    this.tellComponents();
    for (const packet of trunk.takeWaiting()) this.send(packet);
  }

  /** A stanza that the component `name` brings. */
  arrived(stanza: Stanza, name: string): void {
    const arrival = arrivalOf(stanza, (domain) => this.isLocal(domain));
    if ('refused' in arrival) {
      const subject = stanza.fromDomain === undefined ? {} : { remote: stanza.fromDomain };
      this.context.notes({ note: 'foreign-refused', cpId: name, kind: stanza.kind, because: arrival.refused }, subject);
    } else if ('answer' in arrival) this.answer(arrival.packet, arrival.answer);
    else {
      if (this.multiplies(arrival.packet)) this.multipliers.add(name);
      else this.multipliers.delete(name);
      this.send(arrival.packet);
    }
  }

  // Delivery

  private multiplies({ to }: Packet): boolean {
    return this.local.get(to.domain)?.multiplies === true;
  }

  private deliver(packet: Packet): void {
    if (this.stopped) return;
    try {
      const destination = this.local.get(packet.to.domain);
      if (destination === undefined) this.deliverForeign(packet);
      else destination.receive(packet);
    } catch (error) {
      const detail = faultInWords(error);
      this.context.notes({ note: 'bug', where: `delivery to ${packet.to.domain}`, detail }, {});
      this.answer(packet, { condition: 'internal-server-error', text: 'The server has made a mistake.' });
    }
  }

  private deliverForeign(packet: Packet): void {
    if (this.context.federation() === 'on') {
      this.returnForeign(packet, NO_FEDERATION, FEDERATES_ITSELF);
      return;
    }
    const trunk = this.trunks.choose(packet.from.domain, packet.to.domain, (name) => this.table.names(name));
    if (trunk === undefined) {
      this.returnForeign(packet, ...this.whyNoWayOut());
      return;
    }
    const sent = trunk.send(packet);
    if (sent === 'full') this.returnForeign(packet, OVERLOADED, tooMuchWaitsFor(trunk));
    else if (sent === 'too much') this.returnForeign(packet, TOO_MUCH, MORE_THAN_TAKEN);
  }

  /** What the sender is told, which reveals nothing of the inside, and what the log says. */
  private whyNoWayOut(): readonly [PacketError, string] {
    const [stranger] = this.strangers();
    if (this.restartNeeded) return [NO_WAY_OUT, stranger === undefined ? NOT_READ : notReadFor(stranger)];
    if (stranger !== undefined) return [NO_WAY_OUT, notInTable(stranger)];
    if (this.table.cpIds.length === 0) return [NO_FEDERATION, NO_EDGE];
    return [NO_WAY_OUT, NOT_CONNECTED];
  }

  private returnForeign(packet: Packet, refusal: PacketError, because: string): void {
    const { kind, from, to } = packet;
    if (!this.answer(packet, refusal)) return;
    this.bounced += 1;
    this.facts.setSoon('foreign_bounces', String(this.bounced));
    this.context.notes(
      { note: 'foreign-bounced', kind, sender: from.domain, target: to.domain, because },
      { local: from.domain, remote: to.domain },
    );
  }

  /** Answers with an error; `false`: there is no answer to it (RFC 6120 §8.3.1), or no room for one. */
  private answer(packet: Packet, refusal: PacketError): boolean {
    const error = errorAnswer(packet, refusal);
    if (error !== undefined && this.fifo.push(error)) return true;
    const because = error === undefined ? 'errors and results are never answered' : 'there is no room for an answer';
    this.context.notes({ note: 'dropped', kind: packet.kind, because }, { remote: packet.to.domain });
    return false;
  }

  // The table

  private get restartNeeded(): boolean {
    return this.context.changes === 'restart' && this.table.isStale;
  }

  private begin(author: string | undefined): void {
    this.table.read();
    this.since = this.context.now();
    this.bounced = 0;
    this.facts.set({
      router: 'running',
      changes: this.context.changes,
      foreign_bounces: '0',
      xmpp_federation: this.context.federation(),
    });
    this.tellComponents();
    this.context.notes({ note: 'xcp-router-read', cpIds: this.table.cpIds, author }, {});
    this.judge();
  }

  private tableChanged(): void {
    if (this.context.changes === 'live') {
      this.table.read();
      this.context.notes({ note: 'xcp-router-read', cpIds: this.table.cpIds, author: undefined }, {});
      this.tellComponents();
    }
    this.judge();
  }

  /** Raises or settles what the table and the router's knowledge of it ask an administrator for. */
  private judge(): void {
    const { notifications, federation } = this.context;
    const { restartNeeded } = this;
    this.facts.set({ restart_needed: restartNeeded ? '1' : '0' });
    notifications.set('xcp-router-restart', restartNeeded ? RESTART_NEEDED : undefined);
    notifications.set('federation-conflict', federation() === 'on' && this.table.isInUse ? CONFLICT : undefined);
  }

  /** Components that are connected, and that the table as it was read does not name. */
  private strangers(): readonly Trunk[] {
    return this.trunks.open().filter(({ name }) => !this.table.names(name));
  }

  private components(): readonly EdgeComponent[] {
    const isConnected = (name: Domain | undefined): boolean =>
      name !== undefined && this.trunks.get(name) !== undefined;
    return [
      ...this.table.asRead.map(({ cpId, component }) => ({ cpId, connected: isConnected(component), inTable: true })),
      ...this.strangers().map(({ name }) => ({ cpId: name, connected: true, inTable: false })),
    ];
  }

  private tellComponents(): void {
    const connected = this.components().filter((each) => each.connected);
    const known = connected.filter(({ inTable }) => inTable).length;
    this.facts.set({
      components_connected: String(known),
      components_not_in_table: String(connected.length - known),
    });
  }
}

const NO_FEDERATION: PacketError = {
  condition: 'remote-server-not-found',
  text: 'This server does not exchange messages with other domains.',
};
const NO_WAY_OUT: PacketError = {
  condition: 'remote-server-timeout',
  text: 'Other domains cannot be reached at the moment. Try again later.',
};

const OVERLOADED: PacketError = {
  condition: 'resource-constraint',
  text: 'The way to other domains is overloaded. Try again later.',
};
const TOO_MUCH: PacketError = {
  condition: 'policy-violation',
  text: 'This is larger than what may be sent to other domains, or too intricate.',
};

const MORE_THAN_TAKEN =
  'with the address of its sender and all declarations it is larger (clients.limits.stanza), or has more attributes or elements, than the Core takes';

function tooMuchWaitsFor({ name }: Trunk): string {
  return `the S2S component ${name} takes less than it is sent, and too much waits for it. Look at the load of its Core and its Edge`;
}

const FEDERATES_ITSELF =
  'XMPP Federation Node Status is On, so that stanzas for foreign domains do not go to an Edge, and this node has no federation of its own. Set it to Off';
const NOT_READ = 'the XCP Router has not read what the table xmpps2snodes says now. Restart the XCP Router';

function notReadFor({ name }: Trunk): string {
  return `the Edge ${name} is connected, and the table xmpps2snodes as the XCP Router has read it does not name it. Restart the XCP Router`;
}

function notInTable({ name }: Trunk): string {
  return `the Edge ${name} is connected, and the table xmpps2snodes does not name it, so that messages come in and do not go out. Look why its Core cannot write to the table over AXL (fedway status there): mostly the password of the account`;
}

const NO_EDGE =
  'no Edge is in the table xmpps2snodes. Switch federation on at the Edge, and look whether its Core may write to the table over AXL';
const NOT_CONNECTED =
  'no Edge that the XCP Router knows is connected. Look whether its Core runs and reaches router.listen of this node, and whether the secret is the same';

const RESTART_NEEDED = {
  text: 'The table xmpps2snodes has changed, and the XCP Router must be restarted: until then it sends stanzas for foreign domains by the Edges that it has read, and bounces them if none of these is connected.',
  cure: 'Restart the XCP Router: in the shell of this node (fedway imp shell), utils service restart Cisco XCP Router.',
} as const;
const CONFLICT = {
  text: 'XMPP Federation Node Status is On, and the table xmpps2snodes names an Edge: both would federate for the same domain, so that stanzas for foreign domains go to neither.',
  cure: 'Set XMPP Federation Node Status to Off on this node (in its shell: set xmpp federation off); or switch federation off at the Edge.',
} as const;
