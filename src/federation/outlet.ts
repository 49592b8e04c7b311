import type { StreamEnd } from '../protocol/end.ts';
import type { StreamPair } from '../protocol/stream/actions.ts';
import type { Stanza } from '../protocol/xml/types.ts';

/**
 * What became of a stanza that was offered: `taken`; `held` means taken too, and that the source should wait for `room()` before it
 * reads on; or refused, with the reason.
 */
export type Offer = 'taken' | 'held' | { readonly refused: StreamEnd };

/** A way out for stanzas. It has made its own copy of a stanza when `offer` returns, or written it. */
export interface Outlet {
  offer(stanza: Stanza, pair: StreamPair): Offer;
  /** Resolves when there is room again, and at once when the outlet is gone. */
  room(): Promise<void>;
}
