import { once } from 'node:events';
import { createSecureContext, TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { leaf } from '../../../test/support/certificates.ts';
import { socketPair } from '../../../test/support/socket-pair.ts';
import {
  acceptFrom,
  accepting,
  coluc,
  failureOf,
  limits,
  mid,
  relayed,
  strangeClient,
  theirs,
  trust,
} from '../../../test/support/tls-peers.ts';
import { failureInWords } from './failure.ts';
import { startTls } from './start.ts';

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
