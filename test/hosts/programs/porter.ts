/**
 * Holds the namespaces of a host open, and connects from there: a Unix socket is reached from every network namespace.
 *
 * Usage: porter.ts <path of the Unix socket>. Who connects writes `<port> <address>` and a line feed; the answer is `+` or `-` with a
 * reason and a line feed, and after a `+` bytes pass both ways.
 */
import { Buffer } from 'node:buffer';
import net from 'node:net';

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('the path of the socket is missing');

const server = net.createServer({ allowHalfOpen: true }, (guest) => {
  let order = Buffer.alloc(0);
  guest.on('error', () => guest.destroy());
  const read = (chunk: Buffer): void => {
    order = Buffer.concat([order, chunk]);
    const end = order.indexOf(10);
    if (end < 0) return;
    guest.off('data', read);
    guest.pause();
    const [port = '', address = ''] = order.subarray(0, end).toString().split(' ');
    if (order.length > end + 1) guest.unshift(order.subarray(end + 1));
    connect(guest, Number(port), address);
  };
  guest.on('data', read);
});
server.listen(path, () => process.stdout.write('ready\n'));

function connect(guest: net.Socket, port: number, host: string): void {
  const far = net.connect({ port, host, allowHalfOpen: true });
  const refused = (error: Error): void => {
    guest.end(`-${error.message}\n`);
  };
  far.once('error', refused);
  far.once('connect', () => {
    far.off('error', refused);
    far.on('error', () => guest.destroy());
    guest.on('error', () => far.destroy());
    far.on('close', () => guest.destroySoon());
    guest.on('close', () => far.destroySoon());
    guest.write('+\n');
    guest.pipe(far);
    far.pipe(guest);
  });
}
