import type { Socket } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { Outlet } from '../federation/outlet.ts';
import type { Router } from '../federation/router.ts';
import type { ComponentConnectionContext } from '../home/component-connection.ts';
import { type ComponentTarget, ConnectingComponents } from '../home/connecting-components.ts';
import { type RouterConnectionFacts, RouterConnections, type RouterTarget } from '../home/router-connections.ts';
import { SharedSource } from '../home/shared-source.ts';
import { newConnectionHandle } from '../net/keys/identifiers.ts';
import type { Domain } from '../protocol/jid/domain.ts';
import type { NoteSubject } from '../protocol/notes.ts';
import type { StreamPair } from '../protocol/stream/actions.ts';
import type { Stanza } from '../protocol/xml/types.ts';
import type { OwnStream } from './organ.ts';
import type { BoxParts } from './parts.ts';

/** The S2S components that the Edges of now are to the IM&P servers. */
export interface EdgeComponents {
  /** One for each Edge that federates. */
  names(): readonly Domain[];
  /** That of the Edge which the stanza came through that is routed at this moment, where that is known. */
  arriving(): Domain | undefined;
  /** A connection to a router is up or down. */
  changed(): void;
}

/** Where no home is behind an XCP Router. */
export const NO_EDGE_COMPONENTS: EdgeComponents = {
  names: () => [],
  arriving: () => undefined,
  changed: () => undefined,
};

/** How the homes behind one XCP Router are reached. */
export interface RouterFacts {
  readonly homes: readonly string[];
  readonly connections: readonly RouterConnectionFacts[];
}

/** The components that this box connects to servers inside: one per foreign domain, or towards an XCP Router one per Edge. */
export class HomeComponents {
  private readonly parts: BoxParts;
  private readonly edges: EdgeComponents;
  private readonly source: SharedSource;
  private readonly stopping = new AbortController();
  private connecting: readonly Connector[] = [];
  private routers: readonly RouterConnector[] = [];
  /** Connectors that were replaced, as long as connections of theirs exist. */
  private replaced: readonly (Connector | RouterConnector)[] = [];

  constructor(parts: BoxParts, router: Router, edges: EdgeComponents) {
    this.parts = parts;
    this.edges = edges;
    this.source = new SharedSource({
      deliver: (stanza, pair) => router.outward(stanza, pair),
      refuse: (stanza, pair) =>
        router.undeliverableOutward(stanza, pair, {
          by: 'us',
          condition: 'resource-constraint',
          text: 'The partner takes nothing.',
        }),
      now: () => performance.now(),
    });
  }

  /** A stanza from a component, whoever connected. */
  deliver(stanza: Stanza, pair: StreamPair): Promise<void> | undefined {
    return this.source.deliver(stanza, pair);
  }

  /** One connector for each target of now; those whose target has not changed stay as they are. */
  follow(): void {
    if (this.stopping.signal.aborted) return;
    const { componentTargets, routerTargets } = this.parts.settings().parts;
    const { connecting, routers } = this;
    this.connecting = componentTargets.map(
      (target) => connecting.find((each) => isDeepStrictEqual(each.target, target)) ?? this.newConnector(target),
    );
    this.routers = routerTargets.map(
      (target) => routers.find((each) => isDeepStrictEqual(each.target, target)) ?? this.newRouter(target),
    );
    const gone = [
      ...connecting.filter((each) => !this.connecting.includes(each)),
      ...routers.filter((each) => !this.routers.includes(each)),
    ];
    // First goodbye to the former: a server inside has one component of a name at a time.
    for (const { components } of gone) components.stop();
    this.replaced = [...this.replaced, ...gone].filter(({ components }) => components.open > 0);
    for (const each of this.connecting) if (!connecting.includes(each)) each.components.start();
    this.followEdges();
  }

  /** The Edges are others, or federate or do not. */
  followEdges(): void {
    const names = this.edges.names();
    for (const { components } of this.routers) components.follow(names);
  }

  /** The routers may let in now whom they refused. */
  retryRouters(): void {
    for (const { components } of this.routers) components.retryNow();
  }

  /** The way to a home that is served by a component of a foreign domain. */
  componentFor(pair: StreamPair): Outlet | undefined {
    const connector = this.connecting.find(({ target }) => target.homes.includes(pair.target));
    return connector?.components.outletFor(pair.sender);
  }

  /** The way to a home that is behind an XCP Router. */
  routerFor(pair: StreamPair): Outlet | undefined {
    const connector = this.routers.find(({ target }) => target.homes.includes(pair.target));
    return connector?.components.outletFor(pair, this.edges.arriving());
  }

  routerFacts(): readonly RouterFacts[] {
    return this.routers.map(({ target, components }) => ({ homes: target.homes, connections: components.facts() }));
  }

  /** Whether every server inside can be given stanzas. */
  get isReady(): boolean {
    return (
      this.connecting.every(({ components }) => components.isConnected) &&
      this.routers.every(({ components }) => components.isReady)
    );
  }

  get isStopped(): boolean {
    return this.stopping.signal.aborted;
  }

  /** Connections that exist now. */
  get open(): number {
    return this.all().reduce((sum, { components }) => sum + components.open, 0);
  }

  streams(): readonly OwnStream[] {
    return this.all().flatMap(({ components }) => components.streams());
  }

  close(connection: string, reason: string): boolean {
    return this.all().some(({ components }) => components.close(connection, reason));
  }

  /** No component connects any more; those that are connected say goodbye. */
  stop(): void {
    this.stopping.abort();
    for (const { components } of [...this.connecting, ...this.routers]) components.stop();
  }

  destroy(): void {
    this.stop();
    for (const { components } of this.all()) components.destroy();
  }

  private all(): readonly (Connector | RouterConnector)[] {
    return [...this.connecting, ...this.routers, ...this.replaced];
  }

  private newConnector(target: ComponentTarget): Connector {
    return { target, components: new ConnectingComponents({ target, ...this.common() }) };
  }

  private newRouter(target: RouterTarget): RouterConnector {
    const changed = (): void => this.edges.changed();
    return { target, components: new RouterConnections({ target, ...this.common(), changed }) };
  }

  private common(): Omit<ComponentConnectionContext, 'homes' | 'secret' | 'dropsStrangers'> {
    const { timeouts, limits, notes } = this.parts;
    return {
      timeouts,
      limits,
      notes,
      connect: (home, subject) => this.connectHome(home, subject),
      deliver: (stanza, pair) => this.source.deliver(stanza, pair),
      newHandle: newConnectionHandle,
    };
  }

  /** The first connection that comes about, to a server inside. */
  private async connectHome(
    home: Domain,
    subject: NoteSubject,
  ): Promise<{ readonly socket: Socket; readonly address: string } | { readonly failed: string }> {
    const { signal } = this.stopping;
    const dialing = this.parts.settings().parts.dialHome(home, { signal, subject, directTls: false });
    try {
      const first = await dialing.next();
      if (first.done === true) return { failed: first.value.detail };
      await dialing.return({ stage: 'tcp', detail: 'one connection is enough' });
      return first.value;
    } catch (error) {
      if (!signal.aborted) throw error;
      return { failed: 'fedway is going down' };
    }
  }
}

interface Connector {
  readonly target: ComponentTarget;
  readonly components: ConnectingComponents;
}

interface RouterConnector {
  readonly target: RouterTarget;
  readonly components: RouterConnections;
}
