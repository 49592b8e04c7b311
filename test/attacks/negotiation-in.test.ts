import { createConnection } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { authority } from '../support/certificates.ts';
import { auth, authenticated, errorIn, header, openSecured, openStream, STARTTLS } from '../support/peer-streams.ts';
import type { Wire } from '../support/raw-peer.ts';
import { told, underAttack } from './under-attack.ts';

const here = underAttack({ network: 43, moreHomes: [['second.example']] });
const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
const parts = (): { from: string; to: string } => ({ from: here().freshDomain(), to: 'coluc.com' });

/** Sends on a fresh connection and waits for its end. */
async function sent(bytes: string | Uint8Array): Promise<{ error: string; received: string; sentence: string }> {
  const mark = here().box.log.mark();
  const wire = await here().box.connect();
  wire.send(bytes);
  const received = await wire.end();
  return { error: errorIn(received), received, sentence: await here().ended(wire, mark) };
}

describe('stream headers that no correct server sends', () => {
  const long = `${'a'.repeat(60)}.`.repeat(33);
  it.each([
    { name: 'S-14: without to', from: 'vngtp.lab', to: undefined, error: /^improper-addressing$/ },
    { name: 'for a domain that is not ours', from: 'vngtp.lab', to: 'other.lab', error: /^host-unknown$/ },
    { name: 'for a part of our domain', from: 'vngtp.lab', to: 'com', error: /^host-unknown$/ },
    { name: 'for a domain below ours', from: 'vngtp.lab', to: 'www.coluc.com', error: /^host-unknown$/ },
    { name: 'for a homograph of ours', from: 'vngtp.lab', to: '\u0441oluc.com', error: /^host-unknown$/ },
    { name: 'for an IP literal', from: 'vngtp.lab', to: '127.43.0.1', error: /^(host-unknown|improper-addressing)$/ },
    {
      name: 'for somebody at our domain',
      from: 'vngtp.lab',
      to: 'eva@coluc.com',
      error: /^(host-unknown|improper-addressing)$/,
    },
    { name: 'for a resource', from: 'vngtp.lab', to: 'coluc.com/x', error: /^(host-unknown|improper-addressing)$/ },
    {
      name: 'for a domain of 2,000 letters',
      from: 'vngtp.lab',
      to: long,
      error: /^(host-unknown|improper-addressing)$/,
    },
    { name: 'from ourselves', from: 'coluc.com', to: 'coluc.com', error: /^invalid-from$/ },
    { name: 'from another domain of ours', from: 'second.example', to: 'coluc.com', error: /^invalid-from$/ },
    { name: 'from ourselves in capitals', from: 'COLUC.COM', to: 'coluc.com', error: /^invalid-from$/ },
    {
      name: 'from ourselves with a dot',
      from: 'coluc.com.',
      to: 'coluc.com',
      error: /^(invalid-from|improper-addressing)$/,
    },
    {
      name: 'from ourselves in full-width letters',
      from: '\uFF43oluc.com',
      to: 'coluc.com',
      error: /^(invalid-from|improper-addressing)$/,
    },
    { name: 'from somebody', from: 'eve@vngtp.lab', to: 'coluc.com', error: /^(invalid-from|improper-addressing)$/ },
    { name: 'from a resource', from: 'vngtp.lab/x', to: 'coluc.com', error: /^(invalid-from|improper-addressing)$/ },
    {
      name: 'from a domain of 2,000 letters',
      from: long,
      to: 'coluc.com',
      error: /^(invalid-from|improper-addressing)$/,
    },
    { name: 'from nothing', from: '', to: 'coluc.com', error: /^(invalid-from|improper-addressing)$/ },
    { name: 'from white space', from: 'vng tp.lab', to: 'coluc.com', error: /^(invalid-from|improper-addressing)$/ },
  ])('$name', async ({ from, to, error }) => {
    const seen = await sent(header({ from, to }));
    expect(seen.error).toMatch(error);
    expect(seen.sentence).toMatch(told(seen.error));
  });

  it('S-13: our domain in mixed case is ours', async () => {
    const wire = await here().box.connect();
    expect(await openStream(wire, { ...parts(), to: 'CoLuC.CoM' })).not.toBe('');
    wire.destroy();
  });

  it('T-32: version 0.9 where TLS is required', async () => {
    expect((await sent(header({ ...parts(), version: '' }))).error).toBe('policy-violation');
  });

  it.each(['9', 'x', '1.0.0', '-1.0', '99999999999999999999.0'])(
    'version %s ends the stream or is negotiated down, and nothing else',
    async (version) => {
      const wire = await here().box.connect();
      wire.send(header({ ...parts(), version }));
      expect(await wire.expect(/<\/stream:features>|<\/stream:error>/)).toContain('<stream:stream ');
      wire.destroy();
    },
  );

  it('a second header inside the first', async () => {
    const ours = parts();
    expect((await sent(header(ours) + header(ours).replace("<?xml version='1.0'?>", ''))).error).toMatch(
      /^(bad-format|invalid-xml|not-well-formed|unsupported-stanza-type)$/,
    );
  });

  it('nothing behind the end of the stream is read', async () => {
    const wire = await authenticated(here().box, here().freshDomain());
    wire.send("</stream:stream><message from='x@fresh1.lab' to='eva@coluc.com'><body>late</body></message>");
    expect(await wire.end()).toBe('</stream:stream>');
  });
});

describe('before TLS, where it is required', () => {
  it.each([
    { name: 'a stanza', xml: "<message from='x@vngtp.lab' to='eva@coluc.com'/>", error: 'not-authorized' },
    {
      name: 'T-14, V-09: compression',
      xml: "<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>",
      error: 'unsupported-stanza-type',
    },
    { name: 'bidirectional streams', xml: "<bidi xmlns='urn:xmpp:bidi'/>", error: 'unsupported-stanza-type' },
    {
      name: 'stream management',
      xml: "<enable xmlns='urn:xmpp:sm:3' resume='true'/>",
      error: 'unsupported-stanza-type',
    },
    { name: 'resumption', xml: "<resume xmlns='urn:xmpp:sm:3' previd='1' h='0'/>", error: 'unsupported-stanza-type' },
  ])('$name ends the stream', async ({ xml, error }) => {
    const seen = await sent(header(parts()) + xml);
    expect(seen.error).toBe(error);
    expect(seen.sentence).toMatch(told(error));
  });

  it.each(['result', 'verify'])(
    'T-32: the first db:%s is answered with policy-violation, the second ends the stream',
    async (name) => {
      const wire = await here().box.connect();
      const ours = parts();
      await openStream(wire, ours);
      const asked = `<db:${name} from='${ours.from}' to='coluc.com' id='1'>key</db:${name}>`;
      wire.send(asked);
      expect(await wire.expect(`</db:${name}>`)).toContain('<policy-violation ');
      wire.send(asked);
      expect(errorIn(await wire.end())).toBe('policy-violation');
      expect(here().box.dns.asked()).not.toContain(`SRV _xmpp-server._tcp.${ours.from}`);
    },
  );

  it('C-42: EXTERNAL is refused with encryption-required', async () => {
    const wire = await here().box.connect();
    const ours = parts();
    await openStream(wire, ours);
    wire.send(auth(ours.from));
    expect(await wire.expect('</failure>')).toContain('<encryption-required/>');
    wire.destroy();
  });
});

describe('STARTTLS', () => {
  const smuggled =
    "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' to='coluc.com' version='1.0'>";
  it.each([
    {
      name: 'T-04: a stream and db:verify',
      behind: `${smuggled}<db:verify from='a.lab' to='coluc.com' id='1'>k</db:verify>`,
    },
    { name: 'T-04: white space', behind: ' ' },
    { name: 'T-07: a second one', behind: STARTTLS },
    { name: 'T-04: a stanza', behind: "<message from='x@vngtp.lab' to='eva@coluc.com'/>" },
  ])('$name behind <starttls/> in one segment ends the connection without a word', async ({ behind }) => {
    const wire = await here().box.connect();
    await openStream(wire, parts());
    const mark = here().box.log.mark();
    wire.send(STARTTLS + behind);
    expect(await wire.end()).toMatch(/^(<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'\/>)?$/);
    expect(await here().ended(wire, mark)).toMatch(told('TLS'));
  });

  it.each([
    { name: 'T-04: plaintext XML', bytes: smuggled },
    { name: 'garbage', bytes: 'x'.repeat(2_000) },
    {
      name: 'a record of 16 KiB of nothing',
      bytes: Buffer.concat([Buffer.from([0x16, 3, 1, 0x3f, 0xff]), Buffer.alloc(16_383)]),
    },
    { name: 'a cut ClientHello and a FIN', bytes: Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]) },
    { name: 'an HTTP request', bytes: 'GET / HTTP/1.1\r\n\r\n' },
  ])('$name instead of a ClientHello ends the connection without XML', async ({ bytes, name }) => {
    const wire = await here().box.connect();
    await openStream(wire, parts());
    wire.send(STARTTLS);
    await wire.expect(/<proceed[^>]*>/);
    const mark = here().box.log.mark();
    wire.send(bytes);
    if (name.includes('FIN')) wire.fin();
    expect(await wire.end()).not.toContain('<');
    expect(await here().ended(wire, mark)).toMatch(told('TLS'));
  });

  it('T-38: silence instead of a ClientHello, or behind half of one, ends in the time for handshakes', async () => {
    const wires = await Promise.all(
      ['', Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3])].map(async (bytes) => {
        const wire = await here().box.connect();
        await openStream(wire, parts());
        wire.send(STARTTLS);
        await wire.expect(/<proceed[^>]*>/);
        return wire.send(bytes);
      }),
    );
    const started = performance.now();
    for (const wire of wires) expect(await wire.end(4_000)).toBe('');
    expect(performance.now() - started).toBeLessThan(2_500);
  });

  it('T-07: inside TLS it gets a failure and the end', async () => {
    const wire = await here().box.connect();
    await openSecured(wire, parts());
    wire.send(STARTTLS);
    expect(await wire.end()).toBe("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>");
  });

  it('T-16: TLS 1.1 is refused', async () => {
    const wire = await here().box.connect();
    await openStream(wire, parts());
    wire.send(STARTTLS);
    await wire.expect(/<proceed[^>]*>/);
    await expect(
      wire.startTls('client', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    ).rejects.toThrow(/alert|protocol version|ended in the handshake/i);
  });

  it('T-21, V-07: renegotiation ends the connection', async () => {
    const wire = await here().box.connect();
    await openStream(wire, parts());
    wire.send(STARTTLS);
    await wire.expect(/<proceed[^>]*>/);
    await wire.startTls('client', { maxVersion: 'TLSv1.2' });
    await openStream(wire, parts());
    (wire.socket as TLSSocket).renegotiate({ rejectUnauthorized: false }, () => undefined);
    expect(await wire.end()).toBe('');
  });

  it('a chain of 120 certificates does not hold the box up', async () => {
    const padding = Array.from({ length: 120 }, (_, n) => authority(`Padding ${n}`).pem).join('');
    const own = parts();
    const certificate = here().box.certificate(own.from);
    const wire = await here().box.connect();
    await openStream(wire, own);
    wire.send(STARTTLS);
    await wire.expect(/<proceed[^>]*>/);
    const before = here().box.processorTime();
    await wire
      .startTls('client', { certificate: { ...certificate, chainPem: certificate.chainPem + padding } })
      .catch(() => undefined);
    wire.send(header(own));
    await Promise.race([wire.expect(/<\/stream:features>/), wire.end()]).catch(() => undefined);
    expect(here().box.processorTime() - before).toBeLessThan(1_500);
    wire.destroy();
  });

  it.each([
    { name: 'no SNI', servername: undefined, subject: 'coluc.com' },
    { name: 'a name that is not ours', servername: 'evil.lab', subject: 'coluc.com' },
    { name: 'our name in capitals', servername: 'COLUC.COM', subject: 'coluc.com' },
  ])("$name gets the certificate of the stream's domain", async ({ servername, subject }) => {
    const wire = await here().box.connect();
    await openStream(wire, parts());
    wire.send(STARTTLS);
    await wire.expect(/<proceed[^>]*>/);
    await wire.startTls('client', servername === undefined ? {} : { servername });
    expect((wire.socket as TLSSocket).getPeerCertificate().subject.CN).toBe(subject);
    wire.destroy();
  });

  it('T-28: each home has its own certificate, by the header and by SNI', async () => {
    for (const [to, servername, subject] of [
      ['second.example', undefined, 'second.example'],
      ['second.example', 'second.example', 'second.example'],
      ['conference.coluc.com', 'conference.coluc.com', 'coluc.com'],
    ] as const) {
      const wire = await here().box.connect();
      await openStream(wire, { ...parts(), to });
      wire.send(STARTTLS);
      await wire.expect(/<proceed[^>]*>/);
      await wire.startTls('client', servername === undefined ? {} : { servername });
      expect((wire.socket as TLSSocket).getPeerCertificate().subject.CN).toBe(subject);
      wire.destroy();
    }
  });

  it('T-28: a stream inside TLS for another domain than the certificate was served for is refused', async () => {
    const wire = await here().box.connect();
    const ours = parts();
    await openStream(wire, ours);
    wire.send(STARTTLS);
    await wire.expect(/<proceed[^>]*>/);
    await wire.startTls('client', { certificate: here().box.certificate(ours.from) });
    wire.send(header({ ...ours, to: 'second.example' }));
    expect(errorIn(await wire.end())).toMatch(/^(policy-violation|host-unknown|improper-addressing)$/);
  });

  it('T-23, V-41: a resumed session proves what its certificate proves, and no other domain', async () => {
    const { box } = here();
    const first = await box.connect();
    const good = box.certificate('vngtp.lab');
    await openStream(first, { from: 'vngtp.lab', to: 'coluc.com' });
    first.send(STARTTLS);
    await first.expect(/<proceed[^>]*>/);
    await first.startTls('client', { certificate: good, maxVersion: 'TLSv1.2' });
    await openStream(first, { from: 'vngtp.lab', to: 'coluc.com' });
    // `undefined` where fedway gives no tickets: then there is nothing to resume, and the handshake below is a full one.
    const session = (first.socket as TLSSocket).getSession();
    first.destroy();
    const second = await box.connect();
    await openStream(second, { from: 'evil.lab', to: 'coluc.com' });
    second.send(STARTTLS);
    await second.expect(/<proceed[^>]*>/);
    await second.startTls('client', { ...(session === undefined ? {} : { session }), maxVersion: 'TLSv1.2' });
    second.send(header({ from: 'evil.lab', to: 'coluc.com' }));
    expect(await second.expect('</stream:features>')).not.toContain('EXTERNAL');
    second.destroy();
  });
});

describe('peers that stop', () => {
  it('S-52, S-53, S-58: at every stage, the connection ends in the time for that stage', async () => {
    const { box } = here();
    const stages: ((wire: Wire, from: string) => Promise<unknown>)[] = [
      () => Promise.resolve(),
      async (wire) => wire.send('<'),
      async (wire) => wire.send("<?xml version='1.0'?><stream:stream"),
      async (wire, from) => openStream(wire, { from, to: 'coluc.com' }),
      async (wire, from) => openSecured(wire, { from, to: 'coluc.com' }),
      async (wire, from) => {
        await openSecured(wire, { from, to: 'coluc.com' });
        wire.send('<auth');
      },
      async (wire, from) => {
        await openSecured(wire, { from, to: 'coluc.com' }, box.certificate(from));
        wire.send(`<auth xmlns='${SASL}' mechanism='EXTERNAL'/>`);
        await wire.expect(/<challenge[^>]*>/);
      },
      async (wire, from) => {
        await openSecured(wire, { from, to: 'coluc.com' }, box.certificate(from));
        wire.send(auth(from));
        await wire.expect(/<success[^>]*>/);
      },
    ];
    const mark = box.log.mark();
    const started = performance.now();
    const wires = await Promise.all(
      stages.map(async (go) => {
        const wire = await box.connect();
        await go(wire, here().freshDomain());
        return wire;
      }),
    );
    for (const wire of wires) {
      await wire.end(6_000);
      expect(await here().ended(wire, mark)).toMatch(
        /nothing came while waiting|did not answer in time|no handshake|in time/i,
      );
    }
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it('S-52: a header that comes one octet every 100 milliseconds is cut off', async () => {
    const wire = await here().box.connect();
    const bytes = Buffer.from(header(parts()));
    let at = 0;
    const timer = setInterval(() => wire.send(bytes.subarray(at, ++at)), 100);
    expect(errorIn(await wire.end(3_000))).toMatch(/^(none|connection-timeout)$/);
    clearInterval(timer);
  });

  it('a connection that was reset before it could be accepted does no harm', async () => {
    const { box } = here();
    for (let count = 0; count < 100; count++) {
      const socket = createConnection({ host: box.address, port: box.port, localAddress: box.peerAddress(77) });
      socket.on('error', () => undefined);
      socket.on('connect', () => socket.resetAndDestroy());
    }
    expect(await here().served()).toBeLessThan(1_000);
  });
});
