import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, createSecureContext, type SecureContext, type SecureContextOptions, TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { authority, type Issued, leaf } from '../../../test/support/certificates.ts';
import { type SocketPair, socketPair } from '../../../test/support/socket-pair.ts';
import { presents } from '../../protocol/identity/presents.ts';
import { type Domain, parseDomain } from '../../protocol/jid/domain.ts';
import { type Accepted, acceptTls, type OwnCertificates } from './accept.ts';
import { Anchors } from './anchors.ts';
import { sameForAll } from './credentials.ts';
import { failureInWords, isAlert } from './failure.ts';
import { errorOf } from './handshake.ts';
import { secureContext } from './parameters.ts';
import { startTls } from './start.ts';
import { Trust } from './trust.ts';

const root = authority('Good CA');
const mid = authority('Good Intermediate', {}, root);
const trust = new Trust(new Anchors([root.x509]));
const coluc = domain('coluc.com');
const vngtp = domain('vngtp.lab');
const ours = contextOf(leaf('coluc.com', mid));
const theirs = contextOf(leaf('vngtp.lab', mid));
const limits = { timeoutMs: 10_000 };

function domain(text: string): Domain {
  const parsed = parseDomain(text);
  if (parsed === undefined) throw new TypeError(`not a domain: ${text}`);
  return parsed;
}

function contextOf(issued: Issued, ...others: readonly Issued[]): SecureContext {
  const chain = [issued.chainPem, ...others.map(({ pem }) => pem)].join('');
  return secureContext({ chain, key: issued.keyPem });
}

function accepting(socket: Socket, certificates: OwnCertificates = sameForAll(ours)): Promise<Accepted> {
  return acceptTls(socket, { ...limits, certificates, domain: coluc, trust });
}

/** A peer with a TLS configuration of its own, as client. */
function strangeClient(
  socket: Socket,
  options: SecureContextOptions & { session?: Buffer; servername?: string },
): TLSSocket {
  const client = connect({ socket, rejectUnauthorized: false, ...options });
  client.on('error', () => {});
  return client;
}

async function handshakeWith(client: SecureContext) {
  const pair = await socketPair();
  const [accepted, started] = await Promise.all([
    accepting(pair.receiving),
    startTls(pair.initiating, { ...limits, domain: coluc, context: client, trust }),
  ]);
  if ('failed' in accepted) throw new Error(accepted.failed);
  if ('failed' in started) throw new Error(started.failed);
  return { pair, accepted, started };
}

/** What the receiving side says when the peer is a client with these options. */
async function acceptFrom(options: SecureContextOptions): Promise<Accepted> {
  await using pair = await socketPair();
  strangeClient(pair.initiating, options);
  return await accepting(pair.receiving);
}

function failureOf(result: object): string {
  return 'failed' in result ? String(result.failed) : 'secured';
}

describe('a handshake of both sides', () => {
  test('C-06, T-17, T-40: a serverAuth-only certificate proves the connecting peer; the facts are complete on both sides', async () => {
    const { pair, accepted, started } = await handshakeWith(theirs);
    await using _ = pair;
    expect(accepted.facts).toMatchObject({ version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' });
    expect(started.facts).toMatchObject({ version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' });
    expect(accepted.facts.peer).toMatchObject({
      untrusted: undefined,
      subject: 'CN=vngtp.lab',
      issuer: 'CN=Good Intermediate',
    });
    expect(started.facts.peer).toMatchObject({ untrusted: undefined, subject: 'CN=coluc.com' });
    expect(accepted.facts.peer && presents(accepted.facts.peer, vngtp, Date.now())).toEqual({ proven: true });
    expect(started.facts.peer && presents(started.facts.peer, coluc, Date.now())).toEqual({ proven: true });
  });

  test('C-08: a peer without certificate is secured all the same', async () => {
    const { pair, accepted } = await handshakeWith(secureContext(undefined));
    await using _ = pair;
    expect(accepted.facts.peer).toBeUndefined();
  });

  test.each<[string, () => SecureContext, string]>([
    [
      'self-signed',
      () => contextOf(leaf('vngtp.lab')),
      '"CN=vngtp.lab" is self-signed and not among the trusted authorities',
    ],
    [
      'under an authority of the attacker, with the name of a good one',
      () => {
        const fake = authority('Good CA', root.subjectKeyId === undefined ? {} : { subjectKeyId: root.subjectKeyId });
        return contextOf(leaf('vngtp.lab', fake), fake);
      },
      '"CN=Good CA" is self-signed and not among the trusted authorities',
    ],
    [
      'not signed by the real authority that is sent along',
      () => contextOf(leaf('vngtp.lab', { ...root, keys: leaf('x').keys }), root),
      'the signature on "CN=vngtp.lab" was not made by "CN=Good CA"',
    ],
    [
      'expired',
      () => contextOf(leaf('vngtp.lab', root, { notAfter: new Date(Date.now() - 1000) })),
      '"CN=vngtp.lab" expired on ',
    ],
  ])(
    'C-03, C-06: a certificate that is %s does not fail the handshake, but is untrusted',
    async (_, context, because) => {
      const { pair, accepted } = await handshakeWith(context());
      await using __ = pair;
      expect(accepted.facts.peer?.untrusted).toContain(because);
    },
  );

  test('the chain is seen as it was sent, out of order and with strangers in it', async () => {
    const low = authority('Low', {}, mid);
    const stranger = authority('Stranger');
    const made = leaf('vngtp.lab', low);
    const context = secureContext({
      chain: [made, stranger, mid, root, low, mid].map(({ pem }) => pem).join(''),
      key: made.keyPem,
    });
    const { pair, accepted } = await handshakeWith(context);
    await using _ = pair;
    expect(accepted.facts.peer).toMatchObject({ subject: 'CN=vngtp.lab', untrusted: undefined });
  });

  test('data that comes right after the handshake waits for whoever reads', async () => {
    const { pair, accepted, started } = await handshakeWith(theirs);
    await using _ = pair;
    started.secured.write('<stream:stream>');
    accepted.secured.write('early');
    await Promise.all([once(accepted.secured, 'readable'), once(started.secured, 'readable')]);
    // Long after it arrived nobody has taken it.
    await new Promise(setImmediate);
    expect(accepted.secured.isPaused() || accepted.secured.readableFlowing === null).toBe(true);
    expect(String(accepted.secured.read())).toBe('<stream:stream>');
    expect(String(started.secured.read())).toBe('early');
  });

  test('an error after the handshake that nobody listens for ends the connection, not the process, and can be asked for', async () => {
    const harms = {
      ECONNRESET: (socket: Socket) => socket.resetAndDestroy(),
      ERR_SSL_CIPHER_OPERATION_FAILED: writeForgedRecord,
    };
    for (const [code, harm] of Object.entries(harms)) {
      await using connection = await relayed();
      const closed = new Promise((resolve) => connection.accepted.secured.once('close', resolve));
      connection.accepted.secured.resume();
      harm(connection.between);
      await closed;
      expect(errorOf(connection.accepted.secured)).toMatchObject({ code });
      expect(connection.accepted.secured.destroyed).toBe(true);
    }
  });

  test('T-27: SNI is the domain in A-labels, and chooses among our certificates (T-28)', async () => {
    const buecher = domain('bücher.example');
    const asked: Domain[] = [];
    const certificates: OwnCertificates = {
      contextFor: (name) => {
        asked.push(name);
        return name === coluc ? ours : name === buecher ? contextOf(leaf('xn--bcher-kva.example', mid)) : undefined;
      },
    };
    await using pair = await socketPair();
    const [accepted, started] = await Promise.all([
      accepting(pair.receiving, certificates),
      startTls(pair.initiating, { ...limits, domain: buecher, context: theirs, trust }),
    ]);
    expect(asked).toContain(buecher);
    expect(accepted).toMatchObject({ served: buecher });
    expect('facts' in started && started.facts.peer && presents(started.facts.peer, buecher, Date.now())).toEqual({
      proven: true,
    });
    expect('secured' in accepted && accepted.secured.servername).toBe('xn--bcher-kva.example');
  });

  test.each(['stranger.example', 'not a name', `${'a'.repeat(250)}.lab`, undefined])(
    'T-28: with the SNI %s the domain of the stream header decides',
    async (servername) => {
      await using pair = await socketPair();
      const client = strangeClient(pair.initiating, servername === undefined ? {} : { servername });
      const accepted = await accepting(pair.receiving, { contextFor: (name) => (name === coluc ? ours : undefined) });
      expect(accepted).toMatchObject({ served: coluc });
      expect(client.getPeerX509Certificate()?.subject).toBe('CN=coluc.com');
    },
  );
});

describe('TLS parameters', () => {
  test.each(['TLSv1', 'TLSv1.1'] as const)('T-16: %s is refused', async (maxVersion) => {
    const accepted = await acceptFrom({ minVersion: 'TLSv1', maxVersion, ciphers: 'ALL:@SECLEVEL=0' });
    expect(failureOf(accepted)).toBe('the peer offers only TLS versions that are too old; TLS 1.2 is the least');
  });

  test('T-16: the peer is told why, by an alert', async () => {
    await using pair = await socketPair();
    const client = strangeClient(pair.initiating, {
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'ALL:@SECLEVEL=0',
    });
    const told = new Promise((resolve) => client.once('error', resolve));
    await accepting(pair.receiving);
    expect(failureInWords(await told)).toBe('the peer refused the handshake: alert protocol version');
  });

  test('T-16: a server that speaks only TLS 1.1 is refused', async () => {
    await using pair = await socketPair();
    const { chainPem, keyPem } = leaf('coluc.com', mid);
    const context = createSecureContext({
      cert: chainPem,
      key: keyPem,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'ALL:@SECLEVEL=0',
    });
    new TLSSocket(pair.receiving, { isServer: true, secureContext: context }).on('error', () => {});
    const started = await startTls(pair.initiating, { ...limits, domain: coluc, context: theirs, trust });
    expect(failureOf(started)).toMatch(/^the peer refused the handshake: alert protocol version$|too old/);
  });

  test.each([
    'ECDHE-ECDSA-AES128-SHA256',
    'AES128-GCM-SHA256',
    'DHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES128-SHA',
    'NULL-SHA256:@SECLEVEL=0',
  ])('T-18: the suite %s is refused', async (ciphers) => {
    const accepted = await acceptFrom({ maxVersion: 'TLSv1.2', ciphers });
    expect(failureOf(accepted)).toBe('the peer offers no cipher suite that we accept');
  });

  test('T-18: TLS 1.2 with ECDHE and AES-GCM is accepted', async () => {
    const accepted = await acceptFrom({ maxVersion: 'TLSv1.2' });
    expect(accepted).toMatchObject({
      facts: { version: 'TLSv1.2', cipher: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256' },
    });
  });

  test('T-21: renegotiation is refused', async () => {
    await using pair = await socketPair();
    const client = strangeClient(pair.initiating, { maxVersion: 'TLSv1.2' });
    const [accepted] = await Promise.all([accepting(pair.receiving), once(client, 'secureConnect')]);
    if ('failed' in accepted) throw new Error(accepted.failed);
    accepted.secured.resume();
    const refused = new Promise((resolve) => client.once('error', resolve));
    client.renegotiate({}, () => {});
    expect(await refused).toMatchObject({ code: 'ERR_SSL_NO_RENEGOTIATION' });
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'T-22, T-23: no session of %s is resumed, so no identity outlives its connection',
    async (version) => {
      const { chainPem, keyPem } = leaf('vngtp.lab', mid);
      const options = { minVersion: version, maxVersion: version, cert: chainPem, key: keyPem };
      const sessions: Buffer[] = [];
      {
        await using pair = await socketPair();
        const client = strangeClient(pair.initiating, options);
        client.on('session', (session: Buffer) => sessions.push(session));
        const accepted = await accepting(pair.receiving);
        if ('failed' in accepted) throw new Error(accepted.failed);
        accepted.secured.write('x');
        await once(client, 'readable');
        sessions.push(...[client.getSession()].filter((session) => session !== undefined));
      }
      expect(sessions.length).toBeGreaterThan(0);
      for (const session of sessions) {
        await using pair = await socketPair();
        const client = strangeClient(pair.initiating, { ...options, session });
        const [accepted] = await Promise.all([accepting(pair.receiving), once(client, 'secureConnect')]);
        expect(client.isSessionReused()).toBe(false);
        expect('facts' in accepted && accepted.facts.peer?.subject).toBe('CN=vngtp.lab');
      }
    },
  );

  test('C-09: the CertificateRequest names no authorities', async () => {
    // RFC 5246 §7.4.4: certificate types, signature algorithms, then the names.
    const request = handshakeMessage(await clearTextOfServer(), 13);
    const types = request.readUInt8(0);
    const algorithms = request.readUInt16BE(1 + types);
    expect(request.readUInt16BE(3 + types + algorithms)).toBe(0);
    expect(request.length).toBe(5 + types + algorithms);
  });

  test('T-20: no compression, and an extended master secret under TLS 1.2', async () => {
    const server = await clearTextOfServer();
    const hello = handshakeMessage(server, 2);
    const session = hello.readUInt8(34);
    expect(hello.readUInt8(35 + session + 2)).toBe(0);
    const extensions = hello.subarray(35 + session + 5);
    const types: number[] = [];
    for (let at = 0; at + 4 <= extensions.length; at += 4 + extensions.readUInt16BE(at + 2))
      types.push(extensions.readUInt16BE(at));
    expect(types).toContain(0x17);
    expect(types).toContain(0xff01);
  });
});

describe('a handshake that fails', () => {
  test('a peer that closes in the middle', async () => {
    for (const side of ['end', 'destroy', 'resetAndDestroy'] as const) {
      await using pair = await socketPair();
      const accepted = accepting(pair.receiving);
      pair.initiating.write(Buffer.of(0x16, 3, 1, 1, 0));
      pair.initiating[side]();
      expect(failureOf(await accepted)).toBe('the peer closed the connection during the handshake');
      expect(pair.receiving.destroyed).toBe(true);
    }
    for (const side of ['end', 'destroy', 'resetAndDestroy'] as const) {
      await using pair = await socketPair();
      const started = startTls(pair.initiating, { ...limits, domain: coluc, context: theirs, trust });
      await once(pair.receiving, 'readable');
      pair.receiving[side]();
      expect(failureOf(await started)).toBe('the peer closed the connection during the handshake');
      expect(pair.initiating.destroyed).toBe(true);
    }
  });

  test.each([
    ['XML', '<stream:stream xmlns="jabber:server">', 'the peer sent something that is not TLS'],
    ['HTTP', 'GET / HTTP/1.1\r\n\r\n', 'the peer sent an HTTP request instead of TLS'],
    ['zeros', '\0'.repeat(64), 'the peer sent something that is not TLS'],
  ])('T-04: plain text in place of the handshake (%s)', async (_, bytes, expected) => {
    await using pair = await socketPair();
    pair.initiating.write(bytes);
    expect(failureOf(await accepting(pair.receiving))).toBe(expected);
    expect(pair.receiving.destroyed).toBe(true);
  });

  test('T-04: plain text left in the buffer of the socket goes to the TLS engine, which refuses it', async () => {
    await using pair = await socketPair();
    pair.initiating.write('<starttls/><stream:stream>');
    await once(pair.receiving, 'readable');
    pair.receiving.read('<starttls/>'.length);
    expect(failureOf(await accepting(pair.receiving))).toBe('the peer sent something that is not TLS');
  });

  test('T-05: plain text behind <proceed/> ends the initiating side too', async () => {
    await using pair = await socketPair();
    pair.receiving.write('<stream:stream>');
    const started = await startTls(pair.initiating, { ...limits, domain: coluc, context: theirs, trust });
    expect(failureOf(started)).toBe('the peer sent something that is not TLS');
  });

  test('T-38: a silent peer is cut off after the time-out', async () => {
    await using pair = await socketPair();
    const accepted = await acceptTls(pair.receiving, {
      timeoutMs: 20,
      certificates: sameForAll(ours),
      domain: coluc,
      trust,
    });
    expect(failureOf(accepted)).toBe('no handshake within 0.02 s');
    expect(pair.receiving.destroyed).toBe(true);
  });

  test('T-38: a ClientHello that is announced as too long is refused before it arrives', async () => {
    await using pair = await socketPair();
    const record = Buffer.alloc(5 + 1000);
    record.set([0x16, 3, 1, 1000 >> 8, 1000 & 0xff, 1, 0x10, 0, 0, 3, 3]);
    pair.initiating.write(record);
    expect(failureOf(await accepting(pair.receiving))).toBe('the peer sent a handshake message that is too long');
  });

  test('it can be given up at any time', async () => {
    const controller = new AbortController();
    await using pair = await socketPair();
    const started = startTls(pair.initiating, {
      ...limits,
      signal: controller.signal,
      domain: coluc,
      context: theirs,
      trust,
    });
    await once(pair.receiving, 'readable');
    controller.abort();
    expect(failureOf(await started)).toBe('the handshake was given up');
    expect(pair.initiating.destroyed).toBe(true);
    const late = acceptTls(pair.receiving, {
      ...limits,
      signal: controller.signal,
      certificates: sameForAll(ours),
      domain: coluc,
      trust,
    });
    expect(failureOf(await late)).toBe('the handshake was given up');
  });

  test('a socket that is gone already', async () => {
    await using pair = await socketPair();
    pair.receiving.destroy();
    pair.initiating.destroy();
    expect(failureOf(await accepting(pair.receiving))).toBe('the connection was closed before the handshake');
    const started = await startTls(pair.initiating, { ...limits, domain: coluc, context: theirs, trust });
    expect(failureOf(started)).toBe('the connection was closed before the handshake');
  });

  test('a domain without a certificate', async () => {
    await using pair = await socketPair();
    expect(failureOf(await accepting(pair.receiving, { contextFor: () => undefined }))).toBe(
      'there is no certificate for coluc.com',
    );
    expect(pair.receiving.destroyed).toBe(true);
  });

  test('T-25: under TLS 1.3 a server refuses our certificate only after the handshake, with an alert', async () => {
    await using pair = await socketPair();
    const { started, secured } = await startWithout(pair, 'TLSv1.3');
    expect(started).toMatchObject({ facts: { version: 'TLSv1.3' } });
    if (secured === undefined) throw new Error('not secured');
    const arrived: Buffer[] = [];
    const closed = new Promise((resolve) => secured.once('close', resolve));
    secured.on('data', (chunk: Buffer) => arrived.push(chunk));
    await closed;
    expect(arrived).toEqual([]);
    expect(isAlert(errorOf(secured))).toBe(true);
    expect(failureInWords(errorOf(secured))).toBe('the peer refused the handshake: alert certificate required');
  });

  test('T-25: under TLS 1.2 it does so in the handshake', async () => {
    await using pair = await socketPair();
    const { started } = await startWithout(pair, 'TLSv1.2');
    expect(failureOf(started)).toBe('the peer refused the handshake: alert handshake failure');
  });

  test('alerts are told from other errors, and put in words', () => {
    const alert = Object.assign(new Error('x'), {
      code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
      reason: 'tlsv13 alert certificate required',
    });
    expect(isAlert(alert)).toBe(true);
    expect(failureInWords(alert)).toBe('the peer refused the handshake: alert certificate required');
    const old = Object.assign(new Error('x'), {
      code: 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
      reason: 'sslv3 alert handshake failure',
    });
    expect(failureInWords(old)).toBe('the peer refused the handshake: alert handshake failure');
    expect(isAlert(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))).toBe(false);
    expect(failureInWords(Object.assign(new Error('odd\nthing')))).toBe('the handshake failed: odd\\u{a}thing');
  });
});

/** Starts TLS without a certificate to a server that insists on one. */
async function startWithout(pair: SocketPair, version: 'TLSv1.2' | 'TLSv1.3') {
  const { chainPem, keyPem } = leaf('coluc.com', mid);
  const context = createSecureContext({ cert: chainPem, key: keyPem, minVersion: version, maxVersion: version });
  const options = { isServer: true, secureContext: context, requestCert: true, rejectUnauthorized: true };
  new TLSSocket(pair.receiving, options).on('error', () => {});
  const started = await startTls(pair.initiating, {
    ...limits,
    domain: coluc,
    context: secureContext(undefined),
    trust,
  });
  return { started, secured: 'secured' in started ? started.secured : undefined };
}

/** Application data that is not authentic. */
function writeForgedRecord(socket: Socket): void {
  socket.write(Buffer.concat([Buffer.of(0x17, 3, 3, 0, 48), Buffer.alloc(48)]));
}

/** A TLS 1.2 client and our receiving side, with somebody in between who sees and may send bytes. */
async function relayed() {
  const [pair, relay] = [await socketPair(), await socketPair()];
  const seen: Buffer[] = [];
  relay.receiving.on('data', (chunk: Buffer) => pair.initiating.write(chunk));
  pair.initiating.on('data', (chunk: Buffer) => {
    seen.push(chunk);
    relay.receiving.write(chunk);
  });
  for (const socket of [relay.receiving, pair.initiating]) socket.on('error', () => {});
  const client = strangeClient(relay.initiating, { maxVersion: 'TLSv1.2' });
  const [accepted] = await Promise.all([accepting(pair.receiving), once(client, 'secureConnect')]);
  if ('failed' in accepted) throw new Error(accepted.failed);
  return {
    accepted,
    between: pair.initiating,
    fromServer: Buffer.concat(seen),
    [Symbol.asyncDispose]: async () => {
      await relay[Symbol.asyncDispose]();
      await pair[Symbol.asyncDispose]();
    },
  };
}

/** What our receiving side sends in the clear to a TLS 1.2 client. */
async function clearTextOfServer(): Promise<Buffer> {
  await using connection = await relayed();
  return connection.fromServer;
}

/** The body of the first handshake message of a type (RFC 5246 §7.4) in a sequence of records. */
function handshakeMessage(records: Buffer, type: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at + 5 <= records.length; at += 5 + records.readUInt16BE(at + 3)) {
    if (records[at] !== 0x16) break;
    parts.push(records.subarray(at + 5, at + 5 + records.readUInt16BE(at + 3)));
  }
  const messages = Buffer.concat(parts);
  for (let at = 0; at + 4 <= messages.length; at += 4 + messages.readUIntBE(at + 1, 3)) {
    if (messages[at] === type) return messages.subarray(at + 4, at + 4 + messages.readUIntBE(at + 1, 3));
  }
  throw new Error(`no handshake message of type ${type}`);
}
