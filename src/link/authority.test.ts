import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isP256, newKeyPair } from '../net/tls/issue.ts';
import type { OwnCertificate } from '../net/tls/parameters.ts';
import { LinkAuthority } from './authority.ts';
import { holds, isDue, lapse, periodOf, proofOf, readChain } from './certificates.ts';
import { idIn, keyHash, keyHashOf } from './identity.ts';

const DAY = 86_400_000;
const NOW = Date.parse('2026-11-22T12:00:00Z');
const EDGE = { id: 'edge-0000-0001', name: 'edge-1' };
const CORE = { id: 'core-0000-0001', name: 'core-1' };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fedway-authority-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function opened(now = NOW, edge = EDGE): Promise<LinkAuthority> {
  const authority = await LinkAuthority.open(join(folder, 'link'), edge, now);
  if ('problem' in authority) throw new Error(authority.problem);
  return authority;
}

async function proof(chain: string, end: 'edge' | 'core', authority: LinkAuthority, now = NOW) {
  return proofOf(readChain(chain) ?? [], end, authority.trust, now);
}

/** What OpenSSL has against the certificate of the server, and against that of the client. */
async function verdicts(ca: string, server: OwnCertificate, client: OwnCertificate): Promise<readonly unknown[]> {
  const ofClient = Promise.withResolvers<unknown>();
  const listener = createServer(
    { ca, cert: server.chain, key: server.key, requestCert: true, rejectUnauthorized: false },
    (socket) => {
      ofClient.resolve(socket.authorized ? undefined : socket.authorizationError);
      socket.end();
    },
  );
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const options = { port, host: '127.0.0.1', ca, cert: client.chain, key: client.key, rejectUnauthorized: false };
  const socket = connect({ ...options, checkServerIdentity: () => undefined });
  await once(socket, 'secureConnect');
  const ofServer = socket.authorized ? undefined : socket.authorizationError;
  const closed = once(listener, 'close');
  const result = [ofServer, await ofClient.promise];
  socket.destroy();
  listener.close();
  await closed;
  return result;
}

describe('the authority of the Link', () => {
  test('is made once, for the owner alone, and is the same the next time', async () => {
    const first = await opened();
    const second = await opened(NOW + DAY);
    expect(second.pin).toBe(first.pin);
    expect(second.serverCertificate).toEqual(first.serverCertificate);
    expect(statSync(join(folder, 'link')).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'link', 'authority.pem')).mode & 0o777).toBe(0o600);
  });

  test('lasts ten years and has no other authority below it', async () => {
    const { certificate, pin, period } = await opened();
    const x509 = new X509Certificate(certificate);
    expect(x509.ca).toBe(true);
    expect(x509.toString()).toBe(certificate);
    expect(keyHash(x509)).toBe(pin);
    expect(period).toEqual({ notBefore: NOW - DAY, notAfter: NOW + 3650 * DAY });
  });

  test('OpenSSL accepts what it signs, each end for its purpose and no other', async () => {
    const authority = await opened(Date.now());
    const { publicKey, privateKey } = await newKeyPair();
    const edge = authority.serverCertificate;
    const core = { chain: await authority.issueFor(CORE, publicKey, Date.now()), key: privateKey };
    expect(await verdicts(authority.certificate, edge, core)).toEqual([undefined, undefined]);
    expect(await verdicts(authority.certificate, core, edge)).toEqual(['INVALID_PURPOSE', 'INVALID_PURPOSE']);
  });

  test('a damaged file is a sentence with the file and the cure, and is left as it is', async () => {
    await opened();
    const file = join(folder, 'link', 'authority.pem');
    writeFileSync(file, 'nothing');
    const result = await LinkAuthority.open(join(folder, 'link'), EDGE, NOW);
    expect(result).toMatchObject({
      problem: expect.stringMatching(/authority\.pem is damaged: .*restore it/) as string,
    });
    expect(readFileSync(file, 'utf8')).toBe('nothing');
  });

  test('a key that does not belong to the certificate is a damage too', async () => {
    await opened();
    const file = join(folder, 'link', 'server.pem');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/-----BEGIN PRIVATE[^]+/, (await newKeyPair()).privateKey));
    const result = await LinkAuthority.open(join(folder, 'link'), EDGE, NOW);
    expect(result).toMatchObject({ problem: expect.stringContaining('fedway makes a new one') as string });
  });

  test('a folder that cannot be made is a sentence', async () => {
    writeFileSync(join(folder, 'link'), '');
    const result = await LinkAuthority.open(join(folder, 'link', 'deeper'), EDGE, NOW);
    expect(result).toMatchObject({ problem: expect.stringContaining('check that the data folder') as string });
  });
});

describe('the certificate of the Edge', () => {
  test('carries its id and is for a server', async () => {
    const authority = await opened();
    expect(await proof(authority.serverCertificate.chain, 'edge', authority)).toMatchObject({ id: EDGE.id });
    expect(await proof(authority.serverCertificate.chain, 'core', authority)).toEqual({
      stranger: 'its certificate is not for a Core',
    });
  });

  test('is renewed at two thirds of its life, not before, and after a clock was set back', async () => {
    const authority = await opened();
    expect(await authority.renewIfDue(NOW + 59 * DAY)).toBeUndefined();
    expect(await authority.renewIfDue(NOW + 60 * DAY)).toBe('renewed');
    expect(authority.serverPeriod.notAfter).toBe(NOW + 150 * DAY);
    expect(await authority.renewIfDue(NOW)).toBe('renewed');
    expect(authority.serverPeriod.notAfter).toBe(NOW + 90 * DAY);
    expect((await opened()).serverPeriod).toEqual(authority.serverPeriod);
  });

  test('is made anew for a box with another id', async () => {
    await opened();
    const authority = await opened(NOW, { id: 'edge-0000-0002', name: 'edge-2' });
    expect(await proof(authority.serverCertificate.chain, 'edge', authority)).toMatchObject({ id: 'edge-0000-0002' });
  });
});

describe('the certificate of a Core', () => {
  test('carries its id and the key it gave, and is valid from a day before, for 90 days', async () => {
    const authority = await opened();
    const { publicKey } = await newKeyPair();
    const chain = await authority.issueFor(CORE, publicKey, NOW);
    expect(periodOf(chain)).toEqual({ notBefore: NOW - DAY, notAfter: NOW + 90 * DAY });
    const [leaf] = readChain(chain) ?? [];
    expect(leaf === undefined ? undefined : [idIn(leaf), keyHash(leaf)]).toEqual([CORE.id, keyHashOf(publicKey)]);
    expect(await proof(chain, 'core', authority)).toMatchObject({ id: CORE.id });
  });

  test('outside its period it is known still, with both times', async () => {
    const authority = await opened();
    const chain = await authority.issueFor(CORE, (await newKeyPair()).publicKey, NOW);
    expect(await proof(chain, 'core', authority, NOW + 91 * DAY)).toMatchObject({
      id: CORE.id,
      lapsed: `the certificate was valid until ${new Date(NOW + 90 * DAY).toISOString()}, and the clock that judged it says ${new Date(NOW + 91 * DAY).toISOString()}`,
    });
    expect(await proof(chain, 'core', authority, NOW - 2 * DAY)).toMatchObject({
      lapsed: expect.stringMatching(/^the certificate is valid from /) as string,
    });
  });

  test('of another authority is that of a stranger, whatever it says', async () => {
    const authority = await opened();
    const other = await LinkAuthority.open(join(folder, 'other'), EDGE, NOW);
    if ('problem' in other) throw new Error(other.problem);
    const chain = await other.issueFor(CORE, (await newKeyPair()).publicKey, NOW);
    expect(await proof(chain, 'core', authority)).toHaveProperty('stranger');
    expect(await proof(chain, 'core', authority, NOW + 91 * DAY)).toHaveProperty('stranger');
    expect(proofOf([], 'core', authority.trust, NOW)).toEqual({ stranger: 'it showed no certificate' });
  });

  test('the authority itself is nobody’s certificate', async () => {
    const authority = await opened();
    expect(await proof(authority.certificate, 'core', authority)).toHaveProperty('stranger');
    expect(await proof(authority.certificate, 'edge', authority)).toHaveProperty('stranger');
  });
});

test('two thirds of the life are counted from the day it was made; the sentence of a lapse has both times', () => {
  const period = { notBefore: NOW - DAY, notAfter: NOW + 90 * DAY };
  expect([NOW - 2 * DAY, NOW, NOW + 60 * DAY - 1, NOW + 60 * DAY].map((now) => isDue(period, now))).toEqual([
    true,
    false,
    false,
    true,
  ]);
  expect([NOW - DAY, NOW + 90 * DAY, NOW + 90 * DAY + 1].map((now) => holds(period, now))).toEqual([true, true, false]);
  expect(lapse(period, Number.MAX_VALUE)).toContain('an impossible time');
});

function pem(key: KeyObject): string {
  return String(key.export({ type: 'spki', format: 'pem' }));
}

test('only a P-256 key is signed for, and only where it is alone', async () => {
  const { publicKey, privateKey } = await newKeyPair();
  expect(isP256(publicKey)).toBe(true);
  const { certificate } = await opened();
  const offCurve = publicKey.replace(/.{8}(?=\n-----END)/, 'AAAAAAAA');
  for (const other of [
    'no key',
    '',
    privateKey,
    certificate,
    publicKey + publicKey,
    `${publicKey}x`,
    pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey),
    pem(generateKeyPairSync('ed25519').publicKey),
    offCurve,
  ])
    expect([other, isP256(other)]).toEqual([other, false]);
});
