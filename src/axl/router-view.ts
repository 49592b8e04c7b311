import type { AxlRow } from './soap/types.ts';
import { columnOf } from './soap/types.ts';

/** What fedway's own IM&P node says of its XCP Router; other products have no such view. */
export interface RouterView {
  /** The table has changed since the router read it: foreign stanzas are returned until it is restarted. */
  readonly restartNeeded: boolean;
  /** Foreign stanzas that it returned because no Edge in its table is connected. */
  readonly foreignBounces: number;
  /** Whether the node federates by itself. It must not while an Edge does. */
  readonly federation: 'on' | 'off' | undefined;
}

export const SELECT_ROUTER_VIEW = 'select name, value from routerstatus';

/** Reads the view; names that are not known are left out, those that lack are as if all were well. */
export function routerViewOf(rows: readonly AxlRow[]): RouterView {
  const values = new Map(rows.map((row) => [columnOf(row, 'name'), columnOf(row, 'value')]));
  const bounces = values.get('foreign_bounces') ?? '';
  const federation = values.get('xmpp_federation');
  return {
    restartNeeded: values.get('restart_needed') === '1',
    foreignBounces: /^\d{1,15}$/.test(bounces) ? Number(bounces) : 0,
    federation: federation === 'on' || federation === 'off' ? federation : undefined,
  };
}
