/**
 * The DNS of the lab's world as a process, for a host of its own.
 *
 * Usage: world-dns.ts <address> <domain>=<address of its server>...
 */
import { startWorldDns } from '../../lab/world-dns.ts';

const [address, ...published] = process.argv.slice(2);
if (address === undefined) throw new Error('the address to listen on is missing');
const dns = await startWorldDns(address);
for (const one of published) {
  const [domain, server] = one.split('=');
  if (domain === undefined || server === undefined) throw new Error(`not <domain>=<address>: ${one}`);
  dns.publish(domain, server);
}
process.stdout.write('ready\n');
