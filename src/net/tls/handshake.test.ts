import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { authority, leaf } from '../../../test/support/certificates.ts';
import { type SocketPair, socketPair } from '../../../test/support/socket-pair.ts';
import {
  accepting,
  coluc,
  contextOf,
  domain,
  failureOf,
  handshakeWith,
  limits,
  mid,
  ours,
  relayed,
  root,
  sameForAll,
  strangeClient,
  theirs,
  trust,
  vngtp,
} from '../../../test/support/tls-peers.ts';
import { presents } from '../../protocol/identity/presents.ts';
import type { Domain } from '../../protocol/jid/domain.ts';
import { acceptTls, type OwnCertificates } from './accept.ts';
import { failureInWords, isAlert } from './failure.ts';
import { errorOf } from './handshake.ts';
import { secureContext } from './parameters.ts';
import { otherProtocol, startTls } from './start.ts';

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

describe('application protocols (ALPN)', () => {
  const asServer = { ...limits, certificates: sameForAll(ours), domain: coluc, trust, protocols: ['xmpp-server'] };

  test.each<[string, string[] | undefined]>([
    ['none', undefined],
    ['ours', ['xmpp-server']],
    ['ours and another', ['h2', 'xmpp-server']],
  ])('T-31: a peer that names %s is good', async (_, ALPNProtocols) => {
    await using pair = await socketPair();
    const client = strangeClient(pair.initiating, ALPNProtocols === undefined ? {} : { ALPNProtocols });
    const [accepted] = await Promise.all([acceptTls(pair.receiving, asServer), once(client, 'secureConnect')]);
    expect(failureOf(accepted)).toBe('secured');
    expect(client.alpnProtocol).toBe(ALPNProtocols === undefined ? false : 'xmpp-server');
  });

  test.each([[['xmpp-client']], [['xmpp-server2', 'h2']]])('T-31: a peer that names %j is refused', async (names) => {
    await using pair = await socketPair();
    const client = strangeClient(pair.initiating, { ALPNProtocols: names });
    const refused = Promise.withResolvers<Error>();
    client.once('error', refused.resolve);
    const accepted = await acceptTls(pair.receiving, asServer);
    expect(failureOf(accepted)).toBe(
      'the peer asked for other application protocols (ALPN) than the one that is spoken here',
    );
    expect(failureInWords(await refused.promise)).toBe('the peer refused the handshake: alert no application protocol');
  });

  test('T-31: we name xmpp-server alone; both sides agree on it, and without it nothing is named', async () => {
    for (const protocol of ['xmpp-server', undefined]) {
      await using pair = await socketPair();
      const [accepted, started] = await Promise.all([
        acceptTls(pair.receiving, protocol === undefined ? { ...asServer, protocols: [] } : asServer),
        startTls(pair.initiating, {
          ...limits,
          domain: coluc,
          context: theirs,
          trust,
          ...(protocol === undefined ? {} : { protocol }),
        }),
      ]);
      expect(failureOf(started)).toBe('secured');
      expect('secured' in accepted && accepted.secured.alpnProtocol).toBe(protocol ?? false);
    }
  });

  test('T-31: a peer that knows nothing of ALPN is good enough, one that speaks another protocol is not', async () => {
    await using pair = await socketPair();
    const [, started] = await Promise.all([
      accepting(pair.receiving),
      startTls(pair.initiating, { ...limits, domain: coluc, context: theirs, trust, protocol: 'xmpp-server' }),
    ]);
    expect(failureOf(started)).toBe('secured');
    await using second = await socketPair();
    const [, refused] = await Promise.all([
      acceptTls(second.receiving, { ...asServer, protocols: ['xmpp-client'] }),
      startTls(second.initiating, { ...limits, domain: coluc, context: theirs, trust, protocol: 'xmpp-server' }),
    ]);
    expect(failureOf(refused)).toBe('the peer refused the handshake: alert no application protocol');
  });

  test('T-31: a server that chooses what was not named is left at once, and the process survives it', async () => {
    // No honest library does so: what it has chosen is put into the mouth of Node.
    Object.defineProperty(TLSSocket.prototype, 'alpnProtocol', {
      configurable: true,
      get: () => 'imap',
      set(): void {
        // What Node found out is of no interest.
      },
    });
    try {
      for (let round = 0; round < 20; round++) {
        await using pair = await socketPair();
        const accepted = accepting(pair.receiving);
        const started = await startTls(pair.initiating, {
          ...limits,
          domain: coluc,
          context: theirs,
          trust,
          protocol: 'xmpp-server',
        });
        expect(failureOf(started)).toBe('the peer chose the application protocol imap');
        expect(pair.initiating.destroyed).toBe(true);
        await accepted;
      }
    } finally {
      Reflect.deleteProperty(TLSSocket.prototype, 'alpnProtocol');
    }
  });

  test.each<[string | false | null, string | undefined, string | undefined]>([
    [false, 'xmpp-server', undefined],
    [null, 'xmpp-server', undefined],
    ['xmpp-server', 'xmpp-server', undefined],
    ['xmpp-client', 'xmpp-server', 'xmpp-client'],
    ['XMPP-SERVER', 'xmpp-server', 'XMPP-SERVER'],
    ['h2', undefined, undefined],
  ])('T-31: %s was chosen where %s was named', (chosen, named, other) => {
    expect(otherProtocol(chosen, named)).toBe(other);
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

test('a connection may be destroyed as soon as its handshake is over, and takes the raw socket along', async () => {
  for (let round = 0; round < 50; round++) {
    await using pair = await socketPair();
    const client = strangeClient(pair.initiating, {});
    client.once('secureConnect', () => client.write('the first bytes of a stream'));
    const accepted = await accepting(pair.receiving);
    if ('failed' in accepted) throw new Error(accepted.failed);
    accepted.secured.destroy();
    await once(client, 'close');
    expect(pair.receiving.destroyed).toBe(true);
  }
});
