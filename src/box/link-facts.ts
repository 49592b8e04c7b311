import type { BootConfig } from '../config/boot.ts';
import type { LinkPeer, LinkTiming } from '../link/types.ts';
import type { LinkStatus } from './operations.ts';

/** One Link for `fedway status`. */
export function linkStatusOf(
  peer: LinkPeer,
  role: LinkStatus['role'],
  homes: readonly string[],
  replication: LinkStatus['replication'],
): LinkStatus {
  return { ...peer.facts, name: peer.name, role, homes, replication };
}

/** The Link's bounds in a boot file. */
export function linkTimingOf({ link, s2s }: BootConfig): LinkTiming {
  const { hold, quiet, connect, queueStanzas, queueBytes } = link;
  return { hold, quiet, connect, handshake: s2s.timeouts.tls, queueStanzas, queueBytes };
}
