/**
 * What Node can do at best: TLS on one side, plain TCP on the other, one connection each.
 *
 *   node node-relay.ts pipe|frame inward|outward <listen host:port> <connect host:port> <certificate> <key>
 */
import { readFileSync } from 'node:fs';
import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import { TLS_OPTIONS } from './script.ts';

const CLOSING_TAG = '</message>';

const [how = '', direction = '', listen = '', target = '', certificate = '', key = ''] = process.argv.slice(2);
const own = { ...TLS_OPTIONS, cert: readFileSync(certificate), key: readFileSync(key) };
const relay = how === 'frame' ? frame : pipe;
const server = direction === 'inward' ? tls.createServer(own, accept) : net.createServer(accept);
server.listen(portOf(listen), hostOf(listen));

/** Connects further once there is something to relay: whoever only looks whether we listen is of no concern to the other side. */
function accept(inbound: Socket): void {
  inbound.setNoDelay(true);
  inbound.on('error', () => inbound.destroy());
  inbound.once('readable', () => {
    if (inbound.readableLength === 0) return;
    const to = { host: hostOf(target), port: portOf(target) };
    const outbound = direction === 'inward' ? net.connect(to) : tls.connect({ ...own, ...to });
    outbound.setNoDelay(true);
    outbound.on('error', () => outbound.destroy());
    outbound.on('close', () => inbound.destroy());
    inbound.on('close', () => outbound.destroy());
    relay(inbound, outbound);
  });
}

/** Bytes out as they came in. */
function pipe(from: Socket, to: Socket): void {
  from.pipe(to);
}

/**
 * Cuts the bytes into stanzas by looking for the closing tag, and sends each behind its length, all of one chunk in one write. It is no
 * XML parser: it checks nothing, and whatever else was to be relayed would break it.
 */
function frame(from: Socket, to: Socket): void {
  let rest: Buffer = Buffer.alloc(0);
  from.on('data', (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const pieces: Buffer[] = [];
    let start = 0;
    for (;;) {
      const found = bytes.indexOf(CLOSING_TAG, start);
      if (found < 0) break;
      const end = found + CLOSING_TAG.length;
      const length = Buffer.allocUnsafe(4);
      length.writeUInt32BE(end - start);
      pieces.push(length, bytes.subarray(start, end));
      start = end;
    }
    rest = bytes.subarray(start);
    if (pieces.length === 0 || to.write(Buffer.concat(pieces))) return;
    from.pause();
    to.once('drain', () => from.resume());
  });
}

function hostOf(endpoint: string): string {
  return endpoint.slice(0, endpoint.lastIndexOf(':'));
}

function portOf(endpoint: string): number {
  return Number(endpoint.slice(endpoint.lastIndexOf(':') + 1));
}
