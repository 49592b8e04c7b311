import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Outlet } from '../federation/outlet.ts';
import { OutletTable } from '../federation/outlet-table.ts';
import { PairOutlet } from '../federation/pair-outlet.ts';
import type { Router } from '../federation/router.ts';
import { AcceptedComponents } from '../home/accepted-components.ts';
import { NOT_CONNECTED } from '../home/component-outlet.ts';
import { newConnectionHandle, newStreamId } from '../net/keys/identifiers.ts';
import { listenOn } from '../net/s2s/listen-on.ts';
import { StreamListener } from '../net/s2s/listener.ts';
import { S2sOpener } from '../net/s2s/opener.ts';
import { AcceptingComponent } from '../protocol/component/accepting-component.ts';
import type { StreamEnd } from '../protocol/end.ts';
import type { Domain } from '../protocol/jid/domain.ts';
import { ReceivingStream } from '../protocol/s2s/receiving-stream.ts';
import type { StreamRuling } from '../protocol/s2s/ruling.ts';
import type { StreamPair } from '../protocol/stream/actions.ts';
import type { BootParts } from './boot-parts.ts';
import { type EdgeComponents, HomeComponents, NO_EDGE_COMPONENTS, type RouterFacts } from './home-components.ts';
import type { PairStatus } from './operations.ts';
import type { Organ, OwnStream } from './organ.ts';
import type { BoxParts } from './parts.ts';
import type { Settings } from './settings.ts';

const READY_LOOK_MS = 50;

/** The face the inside sees: towards the servers of our homes we speak for every foreign domain. */
export class HomeFace implements Organ {
  private readonly listener: StreamListener;
  private readonly componentListener: StreamListener;
  private readonly opener: S2sOpener;
  private readonly outlets: OutletTable;
  private readonly parts: BoxParts;
  private readonly router: Router;
  private readonly accepted: AcceptedComponents;
  private readonly components: HomeComponents;

  constructor(parts: BoxParts, router: Router, edges: EdgeComponents = NO_EDGE_COMPONENTS) {
    this.parts = parts;
    this.router = router;
    const { settings, notes } = parts;
    this.accepted = new AcceptedComponents([]);
    this.components = new HomeComponents(parts, router, edges);
    this.opener = new S2sOpener({
      side: 'home',
      dial: (domain, options) => settings().parts.dialHome(domain, options),
      ruling: (_local, remote) => homeRuling(settings().parts, remote),
      hasCertificate: () => settings().parts.boot.inside.certificate !== undefined,
      peerMustProve: (_local, remote) => settings().parts.homeOf(remote)?.mustProve ?? false,
      startTls: (socket, action) => settings().parts.insideTls.start(socket, action),
      authority: parts.authority,
      get timeouts() {
        return parts.timeouts;
      },
      get limits() {
        return parts.limits;
      },
      notes,
      newHandle: newConnectionHandle,
    });
    this.outlets = new OutletTable((pair) => this.newOutlet(pair));
    const common = {
      side: 'home' as const,
      get limits() {
        // A server inside opens a stream for every pair of domains, all from one address.
        const { connections } = parts.connectionLimits;
        return { connections, perAddress: connections };
      },
      allows: (address: string) => settings().parts.allowsInside(address),
      notes,
      newHandle: newConnectionHandle,
    };
    this.listener = new StreamListener({
      ...common,
      what: 'inside S2S',
      accept: (deliver) =>
        new ReceivingStream({
          authority: parts.authority,
          timeouts: parts.timeouts,
          limits: parts.limits,
          defaultDomain: undefined,
          serves: (domain) => !settings().policy.serves(domain),
          // Only a home may speak here; the ruling says so with a better reason than "this is ours".
          isOurs: () => false,
          ruling: (_local, remote) => insideRuling(settings().parts, remote),
          newStreamId,
          deliver,
        }),
      deliver: (stanza, pair) => router.outward(stanza, pair),
      startTls: (socket, action) => settings().parts.insideTls.accept(socket, action),
      verify: (claim, forConnection, signal) => this.opener.verify(claim, forConnection, signal),
    });
    this.componentListener = new StreamListener({
      ...common,
      what: 'component',
      accept: (deliver) =>
        new AcceptingComponent({
          timeouts: parts.timeouts,
          limits: parts.limits,
          defaultDomain: undefined,
          component: (name) => this.accepted.component(name),
          newStreamId,
          deliver,
        }),
      deliver: (stanza, pair) => this.components.deliver(stanza, pair),
      startTls: () => Promise.resolve({ failed: 'a component stream has no STARTTLS' }),
      verify: () => Promise.resolve({ verdict: 'error', condition: 'feature-not-implemented' }),
      authorized: (pair, driver) => {
        this.accepted.connect(pair, driver);
        notes({ note: 'component-connected', domain: pair.target }, { side: 'home', local: pair.target });
      },
      ended: (driver, end) => {
        const domain = this.accepted.disconnect(driver);
        if (domain === undefined) return;
        const detail = 'condition' in end ? end.condition : 'the component closed the connection';
        notes({ note: 'component-lost', domain, detail }, { side: 'home', local: domain });
      },
    });
  }

  async start(): Promise<boolean> {
    const { boot, acceptedComponents } = this.parts.settings().parts;
    const { inside } = boot;
    const { notes } = this.parts;
    this.accepted.replaceHomes(acceptedComponents);
    const open =
      (await listenOn(this.listener, 'inside S2S', inside.listen, notes)) &&
      (await listenOn(this.componentListener, 'component', inside.componentListen, notes));
    if (open) this.components.follow();
    return open;
  }

  /**
   * Resolves when the components of every home are connected, and at the latest after `milliseconds`: a server inside that is away must not
   * keep the others waiting.
   */
  async ready(milliseconds: number): Promise<void> {
    const deadline = performance.now() + milliseconds;
    while (!this.isReady() && performance.now() < deadline && !this.components.isStopped) await delay(READY_LOOK_MS);
  }

  /** The way to the server that serves `pair.target`. */
  outletFor(pair: StreamPair): Outlet | undefined {
    const home = this.parts.settings().parts.homeOf(pair.target);
    switch (home?.server?.via) {
      case undefined:
        return undefined;
      case 's2s':
        return this.outlets.outletFor(pair);
      case 'accept_component':
        return this.accepted.outletFor(pair.target) ?? GONE;
      case 'component':
        return this.components.componentFor(pair) ?? GONE;
      case 'imp':
        return this.components.routerFor(pair) ?? GONE;
    }
  }

  /** The XCP Routers that homes are behind. */
  routers(): readonly RouterFacts[] {
    return this.components.routerFacts();
  }

  /** The routers may let in now whom they refused. */
  retryRouters(): void {
    this.components.retryRouters();
  }

  /** Streams and components follow another boot file. Live settings are about the connections to XCP Routers alone: one for each Edge that federates. */
  settingsChanged(former: Settings): void {
    const settings = this.parts.settings();
    const { parts } = settings;
    if (parts === former.parts) {
      this.components.followEdges();
      return;
    }
    this.accepted.replaceHomes(parts.acceptedComponents);
    this.components.follow();
    this.outlets.shut(({ target }) => {
      if (!settings.policy.serves(target))
        return { by: 'policy', because: `${target} is no longer one of our domains` };
      if (parts.homeOf(target)?.server?.via === 's2s') return undefined;
      return { by: 'disconnect', detail: 'the domain is served in another way now' };
    });
    this.outlets.reopen(
      ({ target }) => !isDeepStrictEqual(former.parts.homeOf(target)?.server, parts.homeOf(target)?.server),
    );
    this.outlets.forgetFailures(() => true);
    this.listener.policyChanged();
  }

  sweep(idleSince: number): void {
    // An Edge that has ended the pairing does not say so as a change of its settings.
    this.components.followEdges();
    this.outlets.sweep(idleSince);
  }

  stopListening(): void {
    this.listener.stopListening();
    this.componentListener.stopListening();
  }

  shut(end: StreamEnd): void {
    this.outlets.shut(() => end);
  }

  /** No component connects any more; those that are connected say goodbye. */
  shutdown(): void {
    this.components.stop();
    this.listener.shutdown();
    this.componentListener.shutdown();
    this.opener.shutdown();
  }

  get connections(): number {
    const accepted = this.listener.connections + this.componentListener.connections;
    return accepted + this.opener.connections + this.components.open;
  }

  destroy(): void {
    this.components.destroy();
    this.listener.destroy();
    this.componentListener.destroy();
    this.opener.destroy();
  }

  streams(): readonly OwnStream[] {
    return [this.listener, this.componentListener, this.opener, this.components].flatMap((each) => each.streams());
  }

  closeStream(connection: string, reason: string): boolean {
    return (
      this.listener.close(connection, reason) ||
      this.componentListener.close(connection, reason) ||
      this.opener.close(connection, reason) ||
      this.components.close(connection, reason)
    );
  }

  pairs(): readonly PairStatus[] {
    return this.outlets.pairs().map((pair) => ({ side: 'home', ...pair }));
  }

  private isReady(): boolean {
    const { acceptedComponents } = this.parts.settings().parts;
    const accepted = acceptedComponents.every(({ domains }) =>
      domains.some((domain) => this.accepted.outletFor(domain) !== undefined),
    );
    return accepted && this.components.isReady;
  }

  private newOutlet(pair: StreamPair): PairOutlet {
    const { parts, router } = this;
    return new PairOutlet(pair, {
      opener: this.opener,
      get limits() {
        return parts.queueLimits;
      },
      now: () => performance.now(),
      random: Math.random,
      note: (note) => parts.notes(note, { direction: 'out', side: 'home', local: pair.sender, remote: pair.target }),
      undeliverable: (stanza, of, end) => router.undeliverableInward(stanza, of, end),
    });
  }
}

/** Stands for a component that is configured and not there. */
const GONE: Outlet = {
  offer: () => ({ refused: NOT_CONNECTED }),
  room: () => Promise.resolve(),
};

/** How we reach a server inside. */
function homeRuling(parts: BootParts, home: Domain): StreamRuling {
  const server = parts.homeOf(home)?.server;
  const tls = server?.via === 's2s' ? server.tls : 'none';
  return { ...OURS, because: 'our own server', tls };
}

/** What a server inside must do to send through us. `home` is what it calls itself, once it has. */
function insideRuling(parts: BootParts, home: Domain | undefined): StreamRuling {
  const { tls } = parts.boot.inside;
  if (home === undefined) return { ...OURS, because: '', tls };
  if (parts.homeOf(home)?.server?.via === 's2s') return { ...OURS, because: 'it is served inside', tls };
  const because = `${home} is not among the domains of \`homes\` that are served by S2S`;
  return { ...OURS, admitted: false, because, tls };
}

const OURS = { admitted: true, authentication: 'either', requireCertificate: false } as const;
