import type { Socket } from 'node:net';
import type { StreamTap } from '../../net/s2s/stream-driver.ts';
import { NO_TAP, type Tap } from '../capture/tap.ts';

/** Tells a tap of the stream on a connection that somebody opened to us; `undefined`: nobody listens. */
export function streamTap(tap: Tap, socket: Socket): StreamTap | undefined {
  if (tap === NO_TAP) return undefined;
  const conversation = tap.opened({
    protocol: 'xmpp',
    local: { address: socket.localAddress ?? '', port: socket.localPort ?? 0 },
    remote: { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 },
    openedBy: 'remote',
  });
  socket.once('close', () => conversation.closed());
  return (direction, bytes) => conversation.data(direction, bytes);
}
