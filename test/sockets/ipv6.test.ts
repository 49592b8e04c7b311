import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { Box } from '../support/box.ts';
import { acceptAuthenticated, openStream } from '../support/peer-streams.ts';
import { PeerServer, wireTo } from '../support/raw-peer.ts';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '::1');
  await new Promise((resolve) => server.once('listening', resolve));
  const bound = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}

it('N-05: partners are accepted and reached over IPv6 as over IPv4', async () => {
  const port = await freePort();
  await using box = await Box.start({
    network: 94,
    s2s: { listen: [`[::1]:${port}`], dial_from: ['::1'] },
    resolver: { allow_addresses: ['::1/128', '127.0.0.0/8'] },
  });
  const wire = await wireTo('::1', port, '::1');
  expect(await openStream(wire, { from: 'six.lab', to: 'coluc.com' })).not.toBe('');
  wire.destroy();

  const certificate = box.certificate('six.lab');
  await using server = await PeerServer.listen('::1', (peer) =>
    acceptAuthenticated(peer, { from: 'six.lab' }, certificate),
  );
  box.dns.srv('six.lab', [0, 0, server.port, 'xmpp.six.lab']).aaaa('xmpp.six.lab', '::1');
  box.home.send("<message from='eva@coluc.com' to='jan@six.lab' id='six'><body>hello</body></message>");
  await expect.poll(() => server.wires[0]?.text, { timeout: 5_000 }).toContain("id='six'");
});
