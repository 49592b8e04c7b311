import type { StreamFacts } from '../net/s2s/stream-facts.ts';
import type { Domain } from '../protocol/jid/domain.ts';
import type { StreamPair } from '../protocol/stream/actions.ts';
import { ComponentConnection, type ComponentConnectionContext, whyLost } from './component-connection.ts';
import type { ComponentOutlet } from './component-outlet.ts';

/** The XCP Router of an IM&P cluster, to which we connect as the S2S components of the Edges. */
export interface RouterTarget {
  /** The home domains the cluster serves. */
  readonly homes: readonly Domain[];
  /** Where the router is: `connect` knows the way, and a target with another address is another router. */
  readonly address: { readonly host: string; readonly port: number };
  readonly secret: string;
}

/** What the connections are made with. */
export interface RouterConnectionsContext
  extends Omit<ComponentConnectionContext, 'homes' | 'secret' | 'dropsStrangers'> {
  readonly target: RouterTarget;
}

/** One connection to a router, for status and alarms. */
export interface RouterConnectionFacts {
  /** The name of an Edge's S2S component. */
  readonly name: string;
  readonly isUp: boolean;
  /** Of the last change between up and down, in Unix milliseconds. */
  readonly since: number;
  /** Why it is down, as half a sentence. */
  readonly because: string | undefined;
  /** The router answers, and knows no component of that name. */
  readonly isUnknown: boolean;
}

/** Pairs that are remembered; beyond that the oldest choice is made anew when it is needed. */
const REMEMBERED = 100_000;

/**
 * One component connection to an XCP Router for each Edge that federates. All of them lead to the same users, and each carries every foreign domain;
 * a pair stays with its connection as long as that is up, because another way would change the order.
 */
export class RouterConnections {
  private readonly context: RouterConnectionsContext;
  private connections: readonly ComponentConnection[] = [];
  /** Connections whose Edge does not federate any more, as long as their last words are on their way. */
  private leaving: readonly ComponentConnection[] = [];
  private readonly chosen = new Map<string, ComponentConnection>();
  private stopped = false;

  constructor(context: RouterConnectionsContext) {
    this.context = context;
  }

  /** The names that there should be now: what is new connects, what is not among them says goodbye. */
  follow(names: readonly Domain[]): void {
    if (this.stopped) return;
    const { connections } = this;
    const wanted = [...new Set(names)];
    const gone = connections.filter(({ name }) => !wanted.includes(name));
    this.connections = wanted.map((name) => connections.find((each) => each.name === name) ?? this.newConnection(name));
    for (const connection of gone) connection.stop();
    this.leaving = [...this.leaving, ...gone].filter(({ open }) => open > 0);
    for (const connection of this.connections) if (!connections.includes(connection)) connection.start();
  }

  /** The router may let in now whom it refused: nobody waits any longer. */
  retryNow(): void {
    for (const connection of this.connections) connection.retryNow();
  }

  /** The way to the router for the stanzas of a pair. `preferred`: the name of the Edge that they came through, where that is known. */
  outletFor({ sender, target }: StreamPair, preferred: Domain | undefined): ComponentOutlet | undefined {
    const key = `${sender} ${target}`;
    const known = this.chosen.get(key)?.outlet;
    if (known !== undefined) return known;
    const up = this.connections.filter(({ outlet }) => outlet !== undefined);
    const best = up.find(({ name }) => name === preferred) ?? up[0];
    if (this.chosen.size >= REMEMBERED) this.chosen.delete(this.chosen.keys().next().value ?? '');
    if (best === undefined) this.chosen.delete(key);
    else this.chosen.set(key, best);
    return best?.outlet;
  }

  /** Whether stanzas can be given to the router; with no Edge there is nothing to wait for. */
  get isReady(): boolean {
    return this.connections.length === 0 || this.connections.some(({ outlet }) => outlet !== undefined);
  }

  facts(): readonly RouterConnectionFacts[] {
    return this.connections.map(({ name, outlet, since, failure }) => ({
      name,
      isUp: outlet !== undefined,
      since,
      because: failure === undefined ? undefined : whyLost(failure),
      isUnknown: failure?.by === 'them' && failure.condition === 'host-unknown',
    }));
  }

  /** The streams that live now. */
  streams(): readonly StreamFacts[] {
    const now = Date.now();
    return this.all().flatMap((connection) => connection.facts(now) ?? []);
  }

  /** Ends a stream in good order on an administrator's word, and connects again; `false`: there is none with this connection handle. */
  close(connection: string, reason: string): boolean {
    return this.all().some((each) => each.close(connection, reason));
  }

  /** Connections that exist now. */
  get open(): number {
    return this.all().reduce((sum, connection) => sum + connection.open, 0);
  }

  /** Says goodbye and does not come back. */
  stop(): void {
    this.stopped = true;
    for (const connection of this.connections) connection.stop();
  }

  /** Ends every connection now, and does not come back. */
  destroy(): void {
    this.stopped = true;
    for (const connection of this.all()) connection.destroy();
  }

  private all(): readonly ComponentConnection[] {
    return [...this.connections, ...this.leaving];
  }

  private newConnection(name: Domain): ComponentConnection {
    const { target, ...common } = this.context;
    const { homes, secret } = target;
    return new ComponentConnection(name, { ...common, homes, secret, dropsStrangers: true });
  }
}
