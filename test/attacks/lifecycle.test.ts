import { readFileSync, writeFileSync } from 'node:fs';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { Box } from '../support/box.ts';
import { leaf } from '../support/certificates.ts';
import {
  acceptAuthenticated,
  authenticated,
  errorIn,
  openSecured,
  openStream,
  STARTTLS,
} from '../support/peer-streams.ts';
import { PeerServer, type Wire, wireTo } from '../support/raw-peer.ts';

/** Sends a stanza on an authorized stream of `from`; what has reached the inside when it has. */
async function delivered(box: Box, wire: Wire, from: string, id: string): Promise<string> {
  wire.send(`<message from='a@${from}' to='eva@coluc.com' id='${id}'/>`);
  return box.home.wire.expect(`id='${id}'`, 2_000);
}

/** The serial number of the certificate that a new connection is shown. */
async function servedSerial(box: Box): Promise<string> {
  const wire = await box.connect();
  await openStream(wire, { from: 'looker.lab', to: 'coluc.com' });
  wire.send(STARTTLS);
  await wire.expect(/<proceed[^>]*>/);
  await wire.startTls('client');
  const { serialNumber } = (wire.socket as TLSSocket).getPeerCertificate();
  wire.destroy();
  return serialNumber;
}

/** A server of `far.lab` that takes stanzas, known to the box's DNS. */
async function farServer(box: Box): Promise<PeerServer> {
  const server = await PeerServer.listen(box.peerAddress(2), (wire) =>
    acceptAuthenticated(wire, { from: 'far.lab' }, box.certificate('far.lab')),
  );
  box.dns.srv('far.lab', [0, 0, server.port, 'xmpp.far.lab']).a('xmpp.far.lab', server.address);
  return server;
}

describe('SIGHUP', () => {
  it('C-30: a new certificate is shown to new connections, and streams stay up', async () => {
    await using box = await Box.start({ network: 51 });
    const wire = await authenticated(box, 'vngtp.lab');
    const before = await servedSerial(box);
    const renewed = leaf(['coluc.com', 'conference.coluc.com'], box.root);
    box.writeCertificate(0, renewed);
    box.signal('SIGHUP');
    await expect.poll(() => servedSerial(box), { timeout: 3_000 }).toBe(renewed.x509.serialNumber);
    expect(renewed.x509.serialNumber).not.toBe(before);
    expect(await delivered(box, wire, 'vngtp.lab', 'after')).toContain('after');
    wire.destroy();
  });

  it('C-30: and without a signal, once the files have changed', { timeout: 20_000 }, async () => {
    await using box = await Box.start({ network: 52 });
    const wire = await authenticated(box, 'vngtp.lab');
    const renewed = leaf(['coluc.com', 'conference.coluc.com'], box.root);
    box.writeCertificate(0, renewed);
    await expect.poll(() => servedSerial(box), { timeout: 17_000, interval: 500 }).toBe(renewed.x509.serialNumber);
    expect(await delivered(box, wire, 'vngtp.lab', 'after')).toContain('after');
    wire.destroy();
  });

  it.each([
    { name: 'a boot file that is no YAML', spoil: (box: Box) => writeFileSync(box.configFile, 'role: [single') },
    { name: 'a key nobody knows', spoil: (box: Box) => box.writeConfig((config) => ({ ...config, partnars: {} })) },
    { name: 'a boot file that is gone', spoil: (box: Box) => box.writeConfig((config) => ({ ...config, homes: [] })) },
    {
      name: 'a certificate that is none',
      spoil: (box: Box) => writeFileSync(box.certificatePath(0), 'no certificate'),
    },
    {
      name: 'the certificate of somebody else',
      spoil: (box: Box) => writeFileSync(box.certificatePath(0), leaf('evil.lab').pem),
    },
    {
      name: 'a secret that is gone',
      spoil: (box: Box) =>
        writeFileSync(box.configFile, readFileSync(box.configFile, 'utf8').replace('dialback.secret', 'gone.secret')),
    },
  ])('with $name: the former configuration stays, and the log says so', async ({ spoil }) => {
    await using box = await Box.start({ network: 53 });
    const wire = await authenticated(box, 'vngtp.lab');
    const serial = await servedSerial(box);
    spoil(box);
    const mark = box.log.mark();
    box.signal('SIGHUP');
    const line = await box.log.wait((each) => each.code === 'config-refused', mark);
    expect(line.level).toBe('error');
    expect(line.message).toMatch(/\w/);
    expect(await delivered(box, wire, 'vngtp.lab', 'after')).toContain('after');
    expect(await servedSerial(box)).toBe(serial);
    wire.destroy();
  });

  it('a partner that is no longer allowed is cut off at once, others are not', async () => {
    await using box = await Box.start({ network: 54 });
    const [bad, good] = [await authenticated(box, 'bad.lab'), await authenticated(box, 'good.lab')];
    box.writeConfig((config) => ({ ...config, partners: { rules: [{ domain: 'bad.lab', federation: 'deny' }] } }));
    box.signal('SIGHUP');
    expect(errorIn(await bad.end())).toBe('policy-violation');
    expect(await delivered(box, good, 'good.lab', 'after')).toContain('after');
    good.destroy();
  });

  it('a hundred of them in a row do no harm', async () => {
    await using box = await Box.start({ network: 55 });
    const wire = await authenticated(box, 'vngtp.lab');
    for (let count = 0; count < 100; count++) {
      box.signal('SIGHUP');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(await delivered(box, wire, 'vngtp.lab', 'after')).toContain('after');
    wire.destroy();
  });
});

describe('SIGTERM', () => {
  it('S-46, E-30: every stream gets system-shutdown, and the process ends with 0 within the time for closing', async () => {
    await using box = await Box.start({ network: 56 });
    await using far = await farServer(box);
    const authorized = await authenticated(box, 'vngtp.lab');
    const secured = await box.connect();
    await openSecured(secured, { from: 'x.lab', to: 'coluc.com' });
    const plain = await box.connect();
    await openStream(plain, { from: 'x.lab', to: 'coluc.com' });
    box.home.send("<message from='eva@coluc.com' to='jan@far.lab' id='1'/>");
    await expect.poll(() => far.wires[0]?.text ?? '').toContain("id='1'");
    const { home } = box;
    const started = performance.now();
    box.signal('SIGTERM');
    for (const wire of [authorized, secured, plain, home.wire, far.wires[0]]) {
      expect(errorIn((await wire?.end()) ?? '')).toBe('system-shutdown');
      wire?.fin();
    }
    expect(await box.exit()).toBe(0);
    expect(performance.now() - started).toBeLessThan(2_500);
  });

  it('peers that never answer, never read, or hang in a handshake do not hold up the end', async () => {
    await using box = await Box.start({ network: 57 });
    const silent = await wireTo(box.address, box.port, box.peerAddress(1));
    const handshake = await box.connect();
    await openStream(handshake, { from: 'x.lab', to: 'coluc.com' });
    handshake.send(STARTTLS);
    await handshake.expect(/<proceed[^>]*>/);
    const deaf = await authenticated(box, 'deaf.lab');
    deaf.socket.pause();
    deaf.socket.allowHalfOpen = true;
    const started = performance.now();
    box.signal('SIGTERM');
    expect(await box.exit()).toBe(0);
    expect(performance.now() - started).toBeLessThan(3_000);
    for (const wire of [silent, handshake, deaf]) wire.destroy();
  });

  it('a second one ends the process at once', async () => {
    await using box = await Box.start({ network: 58, timeouts: { close: '30s' } });
    const wire = await authenticated(box, 'vngtp.lab');
    wire.socket.pause();
    box.signal('SIGTERM');
    await box.log.wait((each) => each.code === 'draining');
    const started = performance.now();
    box.signal('SIGTERM');
    expect([0, 143, 'SIGTERM']).toContain(await box.exit());
    expect(performance.now() - started).toBeLessThan(1_000);
    wire.destroy();
  });

  it('what was given to the inside before is still read there', async () => {
    await using box = await Box.start({ network: 59 });
    const wire = await authenticated(box, 'vngtp.lab');
    box.home.wire.socket.pause();
    const body = 'x'.repeat(1_000);
    for (let n = 0; n < 500; n++)
      wire.send(`<message from='a@vngtp.lab' to='eva@coluc.com' id='n${n}'><body>${body}</body></message>`);
    await box.log.wait((each) => each.code === 'authorized' && each.remote === 'vngtp.lab');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { home } = box;
    box.signal('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 200));
    home.wire.socket.resume();
    const received = await home.wire.end();
    expect(received.match(/ id='n\d+'/g)).toHaveLength(500);
    expect(errorIn(received)).toBe('system-shutdown');
    expect(await box.exit()).toBe(0);
  });
});

describe('peers and servers that die', () => {
  it('a partner that is killed in the middle of a stanza: nothing of it arrives, and the log says that it was a reset', async () => {
    await using box = await Box.start({ network: 60 });
    const wire = await authenticated(box, 'vngtp.lab');
    wire.send("<message from='a@vngtp.lab' to='eva@coluc.com'><body>half of");
    await new Promise((resolve) => setTimeout(resolve, 100));
    wire.reset();
    const line = await box.log.wait((each) => each.code === 'ended' && each.peer === wire.name);
    expect(line.message).toMatch(/reset/);
    expect(box.home.received).toBe('');
  });

  it('a partner that we sent to is killed: the next stanza opens a new stream', async () => {
    await using box = await Box.start({ network: 61 });
    await using far = await farServer(box);
    box.home.send("<message from='eva@coluc.com' to='jan@far.lab' id='1'/>");
    await expect.poll(() => far.wires[0]?.text ?? '').toContain("id='1'");
    // A stream that lived only for a moment was no success: the next attempt would wait.
    await new Promise((resolve) => setTimeout(resolve, 2_200));
    far.wires[0]?.reset();
    await box.log.wait((each) => each.code === 'ended' && each.remote === 'far.lab');
    box.home.send("<message from='eva@coluc.com' to='jan@far.lab' id='2'/>");
    await expect.poll(() => far.wires[1]?.text ?? '', { timeout: 4_000 }).toContain("id='2'");
  });

  it('the server inside is killed and comes back: partners get service-unavailable meanwhile, and delivery afterwards', async () => {
    await using box = await Box.start({ network: 62 });
    await using far = await farServer(box);
    const wire = await authenticated(box, 'far.lab', box.peerAddress(3));
    box.home.wire.reset();
    await box.log.wait((each) => each.code === 'component-lost');
    wire.send("<message from='a@far.lab' to='eva@coluc.com' id='lost'><body>x</body></message>");
    await expect.poll(() => far.wires[0]?.text ?? '').toContain('<service-unavailable ');
    await box.connectHome();
    expect(await delivered(box, wire, 'far.lab', 'found')).toContain('found');
    wire.destroy();
  });

  it('fedway itself is killed and started again', async () => {
    await using box = await Box.start({ network: 63 });
    box.signal('SIGKILL');
    await box.exit();
    await box.restart();
    await box.connectHome();
    const wire = await authenticated(box, 'vngtp.lab');
    expect(await delivered(box, wire, 'vngtp.lab', 'again')).toContain('again');
    wire.destroy();
  });

  it('P-04: a server inside with a wrong secret is refused, and the log says so without the secret', async () => {
    await using box = await Box.start({ network: 64, homeAway: true });
    await expect(box.connectHome('a wrong secret')).rejects.toThrow('not-authorized');
    const line = await box.log.wait((each) => each.code === 'stream-error-sent');
    expect(line.message).toContain('handshake');
    expect(box.log.lines.join('\n')).not.toContain('the component and fedway share this');
  });
});
