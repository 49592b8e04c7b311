import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { expect, it } from 'vitest';
import type { RunningBox } from '../../src/box/box.ts';
import { runBox } from '../../src/box/run.ts';
import { loadBootFile } from '../../src/config/load.ts';
import { Box } from '../support/box.ts';
import type { Issued } from '../support/certificates.ts';
import { answerHeader, dialback, FEATURES, openStream, STARTTLS } from '../support/peer-streams.ts';
import { PeerServer, type Wire, wireTo } from '../support/raw-peer.ts';

/** The boot file with a home whose server takes fedway as the component far.lab. */
function asComponentOf(address: string, port: number) {
  return (config: Record<string, unknown>): Record<string, unknown> => ({
    ...config,
    homes: (config['homes'] as Record<string, unknown>[]).map((home) => ({
      ...home,
      server: {
        component: { address: `${address}:${port}`, secret: { file: 'component.secret' }, domains: ['far.lab'] },
      },
    })),
    inside: { listen: (config['inside'] as Record<string, unknown>)['listen'] },
  });
}

/** A server inside that accepts every component. */
async function acceptComponent(wire: Wire): Promise<void> {
  await wire.expect(/<stream:stream[^>]*>/);
  wire.send(
    "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' from='far.lab' id='1'>",
  );
  await wire.expect(/<handshake>[^<]*<\/handshake>/);
  wire.send('<handshake/>');
}

function send(box: Box, id: string): void {
  box.home.send(`<message from='eva@coluc.com' to='jan@far.lab' id='${id}'/>`);
}

it('R-29: a stream of ours in plaintext ends within a second when TLS becomes required', async () => {
  await using box = await Box.start({ network: 91, s2s: { tls: 'optional' } });
  await using server = await PeerServer.listen(box.peerAddress(2), async (wire) => {
    await answerHeader(wire, { from: 'far.lab', id: 'x1' }, FEATURES.dialback);
    const { from, to } = await dialback(wire, 'result');
    wire.send(`<db:result from='${to}' to='${from}' type='valid'/>`);
  });
  box.dns.srv('far.lab', [0, 0, server.port, 'xmpp.far.lab']).a('xmpp.far.lab', server.address);
  send(box, 'before');
  await expect.poll(() => server.wires[0]?.text, { timeout: 3_000 }).toContain('before');
  box.writeConfig((config) => ({ ...config, s2s: { ...(config['s2s'] as object), tls: 'required' } }));
  const mark = box.log.mark();
  box.signal('SIGHUP');
  await expect.poll(() => server.wires[0]?.text, { timeout: 1_000 }).toContain('</stream:stream>');
  server.wires[0]?.send('</stream:stream>');
  await box.log.wait((each) => each.code === 'ended' && each.remote === 'far.lab', mark);
  send(box, 'after');
  await expect.poll(() => server.wires.length, { timeout: 3_000 }).toBe(2);
  expect(server.wires.map(({ text }) => text).join('')).not.toContain('after');
});

it('a reload that meets the end of the process changes nothing, and starts nothing anew', async () => {
  await using box = await Box.start({ network: 92, homeAway: true });
  box.signal('SIGTERM');
  await box.exit();
  const loaded = loadBootFile(box.configFile);
  if (loaded.outcome !== 'loaded') throw new Error('the standard boot file is refused');
  const config = { ...loaded.config, log: { ...loaded.config.log, level: 'error' as const } };
  const started = Promise.withResolvers<RunningBox>();
  const status = runBox(config, { version: '0', started: started.resolve, reload: () => loaded });
  const running = await started.promise;
  // A file that is as slow as the test wants.
  const slow = join(box.folder, 'slow.pem');
  execFileSync('mkfifo', [slow]);
  const trust = { ...config.s2s.trust, authorities: [slow] };
  const reloading = running.reload({ ...config, s2s: { ...config.s2s, trust } }).then(() => 'taken over', String);
  const pipe = await open(slow, 'w');
  await running.drain();
  await pipe.writeFile(box.root.pem);
  await pipe.close();
  expect(await reloading).toContain('going down');
  expect(await status).toBe(0);
});

it('a server inside that has moved is reached at its new address, and the old one is left', async () => {
  await using box = await Box.start({ network: 93 });
  await using former = await PeerServer.listen(box.peerAddress(3), acceptComponent);
  await using latter = await PeerServer.listen(box.peerAddress(4), acceptComponent);
  box.writeConfig(asComponentOf(former.address, former.port));
  box.signal('SIGHUP');
  await box.log.wait((each) => each.code === 'component-connected' && each.local === 'far.lab');
  const mark = box.log.mark();
  box.writeConfig(asComponentOf(latter.address, latter.port));
  box.signal('SIGHUP');
  await box.log.wait((each) => each.code === 'component-connected' && each.local === 'far.lab', mark);
  expect(latter.wires).toHaveLength(1);
  expect(await former.wires[0]?.end()).toContain('system-shutdown');
});

it('a component whose secret was replaced is put out at once, and comes back with the new one', async () => {
  await using box = await Box.start({ network: 94 });
  const former = box.home.wire;
  writeFileSync(join(box.folder, 'component.secret'), 'another secret than before\n', { mode: 0o600 });
  box.signal('SIGHUP');
  expect(await former.end(1_000)).toContain('system-shutdown');
  await box.connectHome('another secret than before');
});

/** The serial number of the certificate that a server inside is shown now. */
async function insideSerial(box: Box): Promise<string> {
  const inside = `127.${box.plan.network}.0.2`;
  const wire = await wireTo(inside, box.insidePort, inside);
  await openStream(wire, { to: 'far.lab' });
  wire.send(STARTTLS);
  await wire.expect(/<proceed[^>]*>/);
  await wire.startTls('client');
  const { serialNumber } = (wire.socket as TLSSocket).getPeerCertificate();
  wire.destroy();
  return serialNumber;
}

it('C-30: the inside is shown a new certificate when its files have changed', { timeout: 25_000 }, async () => {
  await using box = await Box.start({ network: 95 });
  const write = (issued: Issued): void => {
    writeFileSync(join(box.folder, 'inside.pem'), issued.chainPem);
    writeFileSync(join(box.folder, 'inside.key'), issued.keyPem, { mode: 0o600 });
  };
  const [first, second] = [box.certificate('fedway.lab'), box.certificate('fedway.lab')];
  write(first);
  box.writeConfig((config) => ({
    ...config,
    inside: { ...(config['inside'] as object), certificate: 'inside.pem', key: 'inside.key' },
  }));
  box.signal('SIGHUP');
  await expect.poll(() => insideSerial(box), { timeout: 3_000 }).toBe(first.x509.serialNumber);
  write(second);
  await expect.poll(() => insideSerial(box), { timeout: 17_000, interval: 500 }).toBe(second.x509.serialNumber);
});
