import type { StreamFacts } from '../net/s2s/stream-facts.ts';
import type { Domain } from '../protocol/jid/domain.ts';
import { ComponentConnection, type ComponentConnectionContext } from './component-connection.ts';
import type { ComponentOutlet } from './component-outlet.ts';

/** A server inside to which we connect as XEP-0114 component for foreign domains. */
export interface ComponentTarget {
  /** The home domains the server serves. */
  readonly homes: readonly Domain[];
  /** Where the server is: `connect` knows the way, and a target with another address is another server. */
  readonly address: { readonly host: string; readonly port: number };
  readonly secret: string;
  /** The foreign domains it reaches through us. */
  readonly foreign: readonly Domain[];
  /** One connection, named after the first foreign domain, serves them all. COMPAT(ejabberd): its `ejabberd_service` with `hosts`. */
  readonly shared: boolean;
}

/** What the connector is given. */
export interface ConnectingComponentsContext
  extends Omit<ComponentConnectionContext, 'homes' | 'secret' | 'dropsStrangers'> {
  readonly target: ComponentTarget;
}

/** Keeps a component connection for every foreign domain of one server inside. */
export class ConnectingComponents {
  private readonly target: ComponentTarget;
  private readonly connections: readonly ComponentConnection[];

  constructor({ target, ...context }: ConnectingComponentsContext) {
    this.target = target;
    const { homes, secret, foreign, shared } = target;
    const names = shared ? foreign.slice(0, 1) : foreign;
    const common = { ...context, homes, secret, dropsStrangers: false };
    this.connections = names.map((name) => new ComponentConnection(name, common));
  }

  start(): void {
    for (const connection of this.connections) connection.start();
  }

  /** Says goodbye and does not come back. */
  stop(): void {
    for (const connection of this.connections) connection.stop();
  }

  /** The streams that live now. */
  streams(): readonly StreamFacts[] {
    const now = Date.now();
    return this.connections.flatMap((connection) => connection.facts(now) ?? []);
  }

  /** Ends a stream in good order on an administrator's word, and connects again; `false`: there is none with this connection handle. */
  close(connection: string, reason: string): boolean {
    return this.connections.some((each) => each.close(connection, reason));
  }

  /** Whether every component is connected. */
  get isConnected(): boolean {
    return this.connections.every(({ outlet }) => outlet !== undefined);
  }

  /** Connections that exist now. */
  get open(): number {
    return this.connections.reduce((sum, connection) => sum + connection.open, 0);
  }

  /** Ends every connection now, and does not come back. */
  destroy(): void {
    for (const connection of this.connections) connection.destroy();
  }

  /** The way to the server inside for stanzas from a foreign domain, if it is one of ours and connected. */
  outletFor(foreign: Domain): ComponentOutlet | undefined {
    if (this.target.shared) return this.target.foreign.includes(foreign) ? this.connections[0]?.outlet : undefined;
    return this.connections.find(({ name }) => name === foreign)?.outlet;
  }
}
