import type { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { Box } from '../support/box.ts';
import { leaf } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import {
  acceptAuthenticated,
  answerHeader,
  auth,
  dialback,
  errorIn,
  FEATURES,
  openStream,
  STARTTLS,
} from '../support/peer-streams.ts';
import { PeerServer, type Script, type Wire, wireTo } from '../support/raw-peer.ts';
import { type Ground, underAttack } from './under-attack.ts';

const ADDRESS = '127.66.0.1';
const tlsPort = await freePort(ADDRESS);
const here = underAttack({
  network: 66,
  moreHomes: [['second.example']],
  s2s: { tls_listen: [`${ADDRESS}:${tlsPort}`] },
  partners: { rules: [{ domain: '*.external.lab', authentication: 'external' }] },
  limits: { connections_per_address: 8 },
});

const connect = (from = here().box.peerAddress(1)): Promise<Wire> => wireTo(ADDRESS, tlsPort, from);

interface Hello {
  readonly servername?: string;
  readonly protocols?: string[];
  readonly domain?: string;
}

/** A connection to the port of direct TLS, the handshake done. */
async function begun({ servername, protocols, domain }: Hello = {}): Promise<Wire> {
  const wire = await connect();
  await wire.startTls('client', {
    ...(servername === undefined ? {} : { servername }),
    ...(protocols === undefined ? {} : { ALPNProtocols: protocols }),
    ...(domain === undefined ? {} : { certificate: here().box.certificate(domain) }),
  });
  return wire;
}

/** A domain whose only records are of direct TLS: at these servers, in this order. */
async function partner(
  below: 'lab' | 'external.lab',
  ...scripts: readonly ((domain: string) => Script)[]
): Promise<{
  readonly domain: string;
  readonly servers: readonly PeerServer[];
}> {
  const ground = here();
  const domain = ground.freshDomain().replace('.lab', `.${below}`);
  const servers: PeerServer[] = [];
  for (const [index, script] of scripts.entries()) {
    const server = await PeerServer.listen(ground.box.peerAddress(20 + index), script(domain));
    servers.push(server);
    ground.box.dns.srvTls(domain, [index, 0, server.port, `xmpp${index}.${domain}`]);
    ground.box.dns.a(`xmpp${index}.${domain}`, server.address);
  }
  return { domain, servers };
}

/** Takes the handshake, then everything by EXTERNAL. */
function good(domain: string, ALPNProtocols?: string[]): Script {
  return async (wire) => {
    await wire.startTls('server', {
      certificate: here().box.certificate(domain),
      ...(ALPNProtocols === undefined ? {} : { ALPNProtocols }),
    });
    await answerHeader(wire, { from: domain }, FEATURES.external);
    await wire.expect('</auth>');
    wire.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    await answerHeader(wire, { from: domain }, FEATURES.none);
  };
}

async function arrives({ domain, servers }: { domain: string; servers: readonly PeerServer[] }): Promise<Wire> {
  const ground: Ground = here();
  ground.sendTo(domain);
  const server = servers.at(-1);
  await expect.poll(() => server?.wires.length).toBe(1);
  const wire = server?.wires[0];
  if (wire === undefined) throw new Error('nobody came');
  await wire.expect('<body>hello</body>');
  return wire;
}

describe('peers that come by direct TLS', () => {
  it.each<[string, string[] | undefined]>([
    ['no application protocol', undefined],
    ['xmpp-server', ['xmpp-server']],
    ['xmpp-server among others', ['h2', 'xmpp-server']],
  ])('T-31: naming %s, one proves itself by certificate and sends a stanza', async (_, protocols) => {
    const from = here().freshDomain();
    const wire = await begun({
      servername: 'coluc.com',
      domain: from,
      ...(protocols === undefined ? {} : { protocols }),
    });
    await openStream(wire, { from, to: 'coluc.com' });
    wire.send(auth(from));
    await wire.expect(/<success[^>]*>/);
    await openStream(wire, { from, to: 'coluc.com' });
    wire.send(`<message from='jan@${from}' to='eva@coluc.com' id='direct'><body>hello</body></message>`);
    const message = new RegExp(`<message[^>]*from='jan@${from}'[^>]*><body>hello</body></message>`);
    await expect(here().box.home.wire.expect(message)).resolves.toBeDefined();
    wire.destroy();
  });

  it.each([[['xmpp-client']], [['h2', 'http/1.1']], [['xmpp-server2']]])(
    'T-31, V-42: %j is refused',
    async (protocols) => {
      await expect(begun({ protocols })).rejects.toThrow(/no application protocol/);
    },
  );

  it('T-28: SNI chooses the certificate, and the "to" must be one that it is for', async () => {
    const wire = await begun({ servername: 'second.example', domain: 'vngtp.lab' });
    expect((wire.socket as TLSSocket).getPeerX509Certificate()?.subject).toBe('CN=second.example');
    wire.send(
      "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' from='vngtp.lab' to='coluc.com' version='1.0'>",
    );
    expect(errorIn(await wire.end())).toBe('policy-violation');
    const right = await begun({ servername: 'conference.coluc.com', domain: 'vngtp.lab' });
    expect(await openStream(right, { from: 'vngtp.lab', to: 'coluc.com' })).not.toBe('');
    right.destroy();
  });

  it('T-30: <starttls/> inside is a failure, and the end', async () => {
    const wire = await begun({ domain: 'vngtp.lab' });
    await openStream(wire, { from: 'vngtp.lab', to: 'coluc.com' });
    wire.send(STARTTLS);
    expect(await wire.end()).toMatch(/<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'\/><\/stream:stream>$/);
  });

  it.each<[string, string | Uint8Array]>([
    ['a stream header', "<?xml version='1.0'?><stream:stream xmlns='jabber:server' to='coluc.com'>"],
    ['HTTP', 'GET / HTTP/1.1\r\nHost: coluc.com\r\n\r\n'],
    ['garbage', new Uint8Array(4096).fill(0xa5)],
    ['half a record', Uint8Array.of(0x16, 3, 1, 0x02, 0x00, 1, 0, 1)],
    ['nothing', ''],
  ])('S-53, T-38: %s in the place of the handshake ends the connection in time, without XML', async (_, bytes) => {
    const wire = await connect();
    const mark = here().box.log.mark();
    if (bytes !== '') wire.send(bytes);
    expect(await wire.end(3_000)).not.toContain('stream');
    await here().ended(wire, mark);
  });

  it('S-52: after the handshake, silence ends in time', async () => {
    const wire = await begun();
    expect(await wire.end(3_000)).toBe('');
  });

  it('K-12: connections to both ports are counted together, also in the handshake', async () => {
    const from = here().box.peerAddress(9);
    const wires: Wire[] = [];
    for (let n = 0; n < 4; n++) wires.push(await connect(from), await here().box.connect(from));
    for (const wire of [await connect(from), await here().box.connect(from)]) expect(await wire.end()).toBe('');
    for (const wire of wires) wire.destroy();
  });

  it('S-54: on the port of STARTTLS, the log names the cure', async () => {
    const wire = await here().box.connect();
    const mark = here().box.log.mark();
    await expect(wire.startTls('client', {})).rejects.toThrow('disconnected before secure TLS connection');
    expect(await here().ended(wire, mark)).toContain('tls_listen');
  });

  it('a certificate that was renewed is shown at once', async () => {
    const { box } = here();
    const renewed = leaf(['coluc.com', 'conference.coluc.com'], box.root);
    box.writeCertificate(0, renewed);
    const mark = box.log.mark();
    box.signal('SIGHUP');
    await box.log.wait(({ code }) => code === 'certificate-loaded', mark);
    const wire = await begun({ servername: 'coluc.com' });
    const shown = (wire.socket as TLSSocket).getPeerX509Certificate();
    expect(shown?.raw.equals(renewed.x509.raw)).toBe(true);
    wire.destroy();
  });
});

describe('servers that are reached by direct TLS', () => {
  it('N-16, T-27, T-31: TLS comes first, with the domain as SNI and xmpp-server as the one protocol', async () => {
    let hello: { sni?: unknown; alpn?: unknown } = {};
    const found = await partner('external.lab', (domain) => async (wire) => {
      await good(domain, ['h2', 'xmpp-server'])(wire);
      const secured = wire.socket as { servername?: unknown; alpnProtocol?: unknown };
      hello = { sni: secured.servername, alpn: secured.alpnProtocol };
    });
    const mark = here().box.log.mark();
    const wire = await arrives(found);
    expect(wire.text).not.toContain('starttls');
    expect(hello).toEqual({ sni: found.domain, alpn: 'xmpp-server' });
    const looked = await here().box.log.wait(({ code }) => code === 'lookup-finished', mark);
    expect(looked.message).toContain(`By direct TLS: xmpp0.${found.domain}:${found.servers[0]?.port}.`);
  });

  it('N-19: one that speaks another protocol, talks in plain text, hangs up, or shows a wrong certificate is passed over', async () => {
    const found = await partner(
      'external.lab',
      (domain) => (wire) =>
        wire.startTls('server', { certificate: here().box.certificate(domain), ALPNProtocols: ['h2'] }),
      () => (wire) => void wire.send('<stream:stream>'),
      () => (wire) => wire.destroy(),
      () => async (wire) => {
        await wire.startTls('server', { certificate: here().box.certificate('wrong.lab') });
        await answerHeader(wire, { from: 'wrong.lab' }, FEATURES.none);
      },
      (domain) => good(domain),
    );
    await arrives(found);
    for (const server of found.servers.slice(0, -1))
      for (const { text } of server.wires) expect(text).not.toContain('<message');
  });

  it('N-19, T-34: where direct TLS fails STARTTLS is next, and never plain text', async () => {
    const ground = here();
    const found = await partner('external.lab', () => (wire) => wire.destroy());
    const startTls = await PeerServer.listen(ground.box.peerAddress(30), (wire) =>
      acceptAuthenticated(wire, { from: found.domain }, ground.box.certificate(found.domain)),
    );
    ground.box.dns.srv(found.domain, [9, 0, startTls.port, `plain.${found.domain}`]);
    ground.box.dns.a(`plain.${found.domain}`, startTls.address);
    await expect(arrives({ ...found, servers: [...found.servers, startTls] })).resolves.toBeDefined();
    await startTls[Symbol.asyncDispose]();
  });

  it('T-30: a server that offers STARTTLS inside is not asked for it', async () => {
    const found = await partner('external.lab', (domain) => async (wire) => {
      await wire.startTls('server', { certificate: here().box.certificate(domain) });
      await answerHeader(wire, { from: domain }, FEATURES.startTls);
    });
    here().sendTo(found.domain);
    await expect.poll(() => found.servers[0]?.wires[0]?.text ?? '').toMatch(/<stream:error/);
    expect(found.servers[0]?.wires[0]?.text).not.toContain('<starttls');
    await here().bounce(found.domain);
  });

  it('dialback goes out by direct TLS', async () => {
    const found = await partner('lab', (domain) => async (wire) => {
      await wire.startTls('server', { certificate: here().box.certificate(domain) });
      await answerHeader(wire, { from: domain }, FEATURES.dialback);
      const asked = await dialback(wire, 'result');
      wire.send(`<db:result from='${asked.to}' to='${asked.from}' type='valid'/>`);
    });
    await expect(arrives(found)).resolves.toBeDefined();
  });
});

it('handshakes that nobody goes on with do not keep fedway from ending', async () => {
  const address = '127.67.0.1';
  const port = await freePort(address);
  await using box = await Box.start({
    network: 67,
    s2s: { tls_listen: [`${address}:${port}`] },
    timeouts: { tls: '60s' },
  });
  const wires = [await wireTo(address, port, box.peerAddress(1)), await wireTo(address, port, box.peerAddress(1))];
  wires[1]?.send(Uint8Array.of(0x16, 3, 1, 0x02, 0x00, 1, 0, 1));
  await box.log.wait(({ code, peer }) => code === 'accepted' && peer === wires[1]?.name);
  box.signal('SIGTERM');
  expect(await box.exit(5_000)).toBe(0);
  for (const wire of wires) expect(await wire.end()).toBe('');
});
