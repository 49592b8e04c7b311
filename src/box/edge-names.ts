import { type CpId, cpIdOf } from '../axl/s2s-nodes.ts';
import { type Domain, parseDomain } from '../protocol/jid/domain.ts';

/** An Edge as IM&P servers are told of it; a single box is one. */
export interface NamedEdge {
  /** How boxes call it. */
  readonly name: string;
  /** Whether its federation is on. */
  readonly federates: boolean;
  /** The name of its S2S component; `problem`: why there is none, as a clause. */
  readonly component: { readonly cpId: CpId } | { readonly problem: string };
}

/** @param hostName the live setting `host_name`; `undefined`: the name of the box stands in */
export function namedEdge(name: string, hostName: string | undefined, federates: boolean): NamedEdge {
  return { name, federates, component: cpIdOf(hostName ?? name) };
}

/** The components that IM&P servers are to know: of each Edge that federates, each once. */
export function componentsOf(edges: readonly NamedEdge[]): readonly CpId[] {
  const all = edges.flatMap(({ federates, component }) => (federates && 'cpId' in component ? [component.cpId] : []));
  return [...new Set(all)];
}

/** The same as names that an XMPP stream can be opened for. */
export function componentDomains(edges: readonly NamedEdge[]): readonly Domain[] {
  return componentsOf(edges).flatMap((cpId) => parseDomain(cpId) ?? []);
}
