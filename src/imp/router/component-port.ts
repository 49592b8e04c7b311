import { newConnectionHandle, newStreamId } from '../../net/keys/identifiers.ts';
import { StreamListener } from '../../net/s2s/listener.ts';
import { AcceptingComponent } from '../../protocol/component/accepting-component.ts';
import type { ComponentTimeouts } from '../../protocol/component/component-stream.ts';
import type { NoteSink } from '../../protocol/notes.ts';
import type { XmlLimits } from '../../protocol/xml/types.ts';
import type { Tap } from '../capture/tap.ts';
import { streamTap } from '../clients/tapped.ts';
import type { XcpRouter } from './xcp-router.ts';

/** Connections of components. A Core has one for each Edge. */
const MOST_CONNECTIONS = 256;

export interface ComponentPortContext {
  readonly router: XcpRouter;
  readonly timeouts: ComponentTimeouts;
  readonly limits: XmlLimits;
  readonly notes: NoteSink;
  /** Who is told of the connections. */
  readonly tap: Tap;
}

/** Where the S2S components of the Edges connect to the router (XEP-0114). */
export function componentPort({ router, timeouts, limits, notes, tap }: ComponentPortContext): StreamListener {
  return new StreamListener({
    what: 'XCP Router',
    side: 'foreign',
    limits: { connections: MOST_CONNECTIONS, perAddress: MOST_CONNECTIONS },
    allows: () => true,
    tapOf: (socket) => streamTap(tap, socket),
    notes,
    newHandle: newConnectionHandle,
    accept: (deliver, mayRead) =>
      new AcceptingComponent({
        timeouts,
        limits,
        defaultDomain: undefined,
        component: (name) => router.component(name),
        newStreamId,
        deliver,
        mayRead,
      }),
    crowded: (name) => router.crowdedFor(name),
    // The pair is that of the stanza: it does not say which component brings it.
    deliver: (stanza, _, from) => {
      const { remote: name } = from.addresses();
      if (name !== undefined) router.arrived(stanza, name);
      return undefined;
    },
    startTls: () => Promise.resolve({ failed: 'a component stream has no STARTTLS' }),
    verify: () => Promise.resolve({ verdict: 'error', condition: 'feature-not-implemented' }),
    authorized: (pair, driver) => router.connected(pair.target, driver),
    ended: (driver, end) => router.disconnected(driver, end),
  });
}
