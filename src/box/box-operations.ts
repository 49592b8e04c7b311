import type { BootConfig } from '../config/boot.ts';
import type { Router } from '../federation/router.ts';
import type { Json } from '../protocol/link/messages.ts';
import type { BoxOperations, BoxStatus, PairStatus, StreamStatus } from './operations.ts';
import type { Wiring } from './wiring.ts';

/** Pairs and streams that one answer shows at most; the counters tell how many there are. */
const SHOWN = 5_000;

/** UTF-16 units of a list in an answer over the Link: below what one message carries, with room for the rest. */
const LONGEST_LIST = 2 * 1024 * 1024;

/** What the operations look at. */
export interface OperationsContext {
  readonly version: string;
  /** Unix milliseconds. */
  readonly since: number;
  boot(): BootConfig;
  readonly wiring: Wiring;
  readonly router: Router;
}

/** What an administrator can ask of this box, and what the administrators of the boxes linked with it can. */
export class Operations implements BoxOperations {
  readonly config: BoxOperations['config'];
  readonly link: BoxOperations['link'];
  readonly publishers: BoxOperations['publishers'];
  private readonly context: OperationsContext;

  constructor(context: OperationsContext) {
    this.context = context;
    this.config = context.wiring.config;
    this.link = context.wiring.link;
    this.publishers = context.wiring.publishers;
  }

  async status(reach: 'here' | 'everywhere' = 'everywhere'): Promise<BoxStatus> {
    return { ...this.ownStatus(), others: reach === 'here' ? [] : await this.context.wiring.others.status() };
  }

  async streams(): Promise<readonly StreamStatus[]> {
    return [...this.ownStreams(), ...(await this.context.wiring.others.streams())];
  }

  async closeStream(
    connection: string,
    reason: string,
  ): Promise<{ readonly closed: boolean; readonly detail: string }> {
    const here = this.closeHere(connection, reason);
    if (here !== undefined) return { closed: true, detail: here };
    const there = await this.context.wiring.others.closeStream(connection, reason);
    if (there !== undefined) return { closed: true, detail: there };
    return { closed: false, detail: `There is no stream ${connection}, here or on a linked box that answers.` };
  }

  /**
   * Answers the other end of a Link. An Edge learns no address of the inside, and closes nothing there: it stands where it may be taken
   * over, and the Core does not serve whoever took it.
   */
  answer(what: string, about: Json): Promise<Json> {
    const isCore = this.context.boot().role === 'core';
    switch (what) {
      case 'status':
        return Promise.resolve(asJson({ ...(isCore ? withoutPeers(this.ownStatus()) : this.ownStatus()), others: [] }));
      case 'streams':
        return Promise.resolve(
          asJson(thatFit(this.ownStreams().map((stream) => (isCore ? withoutPeer(stream) : stream)))),
        );
      case 'close-stream': {
        const { connection, reason } = closeRequest(about);
        if (isCore || connection === undefined) return Promise.resolve(null);
        return Promise.resolve(this.closeHere(connection, reason) ?? null);
      }
      default:
        return Promise.resolve(null);
    }
  }

  private ownStatus(): Omit<BoxStatus, 'others'> {
    const { version, since, wiring, router } = this.context;
    const { name, role, homes } = this.context.boot();
    const standing = wiring.standing();
    return {
      name,
      role,
      version,
      since,
      alarms: wiring.alarms(),
      publishers: wiring.publisherFacts(),
      federation: standing.federation,
      homes: homes.flatMap(({ domains }) =>
        domains.map((domain) => ({ domain, federation: standing.isHomeOn(domain), via: wiring.viaOf(domain) })),
      ),
      links: wiring.links(),
      pairs: this.pairs(),
      counters: { ...router.counters },
      streams: wiring.organs.reduce((sum, organ) => sum + organ.streams().length, 0),
    };
  }

  private pairs(): readonly PairStatus[] {
    return this.context.wiring.organs.flatMap((organ) => organ.pairs()).slice(0, SHOWN);
  }

  private ownStreams(): readonly StreamStatus[] {
    const { name: box } = this.context.boot();
    const streams = this.context.wiring.organs.flatMap((organ) => organ.streams());
    return streams.slice(0, SHOWN).map((stream) => ({ box, ...stream }));
  }

  private closeHere(connection: string, reason: string): string | undefined {
    const { wiring } = this.context;
    const closed = wiring.organs.some((organ) => organ.closeStream(connection, reason));
    return closed ? `Closed ${connection} on ${this.context.boot().name}.` : undefined;
  }
}

/** Of the Links of a Core too: where it finds its other Edges is not the concern of this one, nor where the servers inside are. */
function withoutPeers(status: Omit<BoxStatus, 'others'>): Omit<BoxStatus, 'others'> {
  return {
    ...status,
    alarms: status.alarms.map((alarm) => ({ ...alarm, detail: undefined })),
    publishers: [],
    links: status.links.map((link) => ({ ...link, peer: undefined, because: undefined })),
  };
}

/** The first of a list, as many as an answer holds. */
function thatFit<T>(list: readonly T[]): readonly T[] {
  let room = LONGEST_LIST;
  return list.filter((each) => {
    if (room > 0) room -= JSON.stringify(each).length;
    return room > 0;
  });
}

function withoutPeer(stream: StreamStatus): StreamStatus {
  return { ...stream, peer: undefined };
}

function closeRequest(about: Json): { readonly connection: string | undefined; readonly reason: string } {
  if (typeof about !== 'object' || about === null || Array.isArray(about)) return { connection: undefined, reason: '' };
  const { connection, reason } = about as Readonly<Record<string, Json>>;
  return {
    connection: typeof connection === 'string' ? connection : undefined,
    reason: typeof reason === 'string' ? reason : '',
  };
}

/** Plain data as JSON has it: `undefined` is left out. */
function asJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
