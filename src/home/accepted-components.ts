import { isDeepStrictEqual } from 'node:util';
import { acceptsHandshake } from '../net/keys/component-keys.ts';
import type { StreamDriver } from '../net/s2s/stream-driver.ts';
import type { KnownComponent } from '../protocol/component/accepting-component.ts';
import type { Domain } from '../protocol/jid/domain.ts';
import type { StreamPair } from '../protocol/stream/actions.ts';
import { ComponentOutlet } from './component-outlet.ts';

/** A home whose server connects to us as XEP-0114 component. */
export interface ComponentHome {
  readonly domains: readonly Domain[];
  readonly secret: string;
}

/** The components that home servers may connect as, and those that are connected. */
export class AcceptedComponents {
  private homes: readonly ComponentHome[];
  private readonly connected = new Map<Domain, { readonly driver: StreamDriver; readonly outlet: ComponentOutlet }>();

  constructor(homes: readonly ComponentHome[]) {
    this.homes = homes;
  }

  /**
   * A new configuration. Components whose home is no longer in it, or has other domains or another secret, are disconnected: they
   * come back as what they are now.
   */
  replaceHomes(homes: readonly ComponentHome[]): void {
    const former = this.homes;
    this.homes = homes;
    for (const [name, { outlet }] of this.connected) {
      if (!isDeepStrictEqual(this.homeOf(name), homeIn(former, name))) outlet.shutdown();
    }
  }

  /** What a stream that accepts components asks. */
  component(name: Domain): KnownComponent | undefined {
    const home = this.homeOf(name);
    if (home === undefined) return undefined;
    return {
      domains: home.domains,
      connected: () => this.outletOf(name) !== undefined,
      // The configuration may have been replaced since the header: who knows only the former home is not let in.
      accepts: (streamId, handshake) =>
        isDeepStrictEqual(this.homeOf(name), home) && acceptsHandshake(streamId, home.secret, handshake),
    };
  }

  /** The handshake of `pair.target` is done. */
  connect(pair: StreamPair, driver: StreamDriver): void {
    this.connected.set(pair.target, { driver, outlet: new ComponentOutlet(driver) });
  }

  /** A stream is over; `undefined` when it was never a connected component. */
  disconnect(driver: StreamDriver): Domain | undefined {
    for (const [name, each] of this.connected) {
      if (each.driver !== driver) continue;
      this.connected.delete(name);
      return name;
    }
    return undefined;
  }

  /** The way to a home domain: the component of that very name, or another of the same home. */
  outletFor(domain: Domain): ComponentOutlet | undefined {
    const own = this.outletOf(domain);
    if (own !== undefined) return own;
    for (const other of this.homeOf(domain)?.domains ?? []) {
      const found = this.outletOf(other);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The component of that name, unless it is about to go. */
  private outletOf(name: Domain): ComponentOutlet | undefined {
    const outlet = this.connected.get(name)?.outlet;
    return outlet?.isOpen === true ? outlet : undefined;
  }

  private homeOf(domain: Domain): ComponentHome | undefined {
    return homeIn(this.homes, domain);
  }
}

function homeIn(homes: readonly ComponentHome[], domain: Domain): ComponentHome | undefined {
  return homes.find((home) => home.domains.includes(domain));
}
