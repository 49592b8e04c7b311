import { duplexPair } from 'node:stream';
import { connect, createSecureContext, TLSSocket } from 'node:tls';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { authority, type CertificateSpec, type Issued, keyPair, leaf } from '../../../test/support/certificates.ts';
import { Anchors } from './anchors.ts';
import { readCertificate } from './certificate.ts';
import { whyUntrusted } from './chain.ts';

/** OpenSSL's verdict on a server's chain, where its purpose check is the right one: the yardstick for ours. */
async function opensslAccepts(sent: readonly Issued[], root: Issued): Promise<boolean> {
  const [clientSide, serverSide] = duplexPair();
  const [end] = sent;
  const secureContext = createSecureContext({ cert: sent.map(({ pem }) => pem).join(''), key: end?.keyPem ?? '' });
  const server = new TLSSocket(serverSide, { isServer: true, secureContext });
  server.on('error', () => {});
  const client = connect({
    socket: clientSide,
    ca: [root.pem],
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  });
  try {
    await new Promise((resolve, reject) => client.once('secureConnect', resolve).once('error', reject));
    return client.authorized;
  } finally {
    client.destroy();
    server.destroy();
  }
}

const DAY = 86_400_000;
const keys = [keyPair('p256'), keyPair('p256'), keyPair('p256')];
const root = authority('CA 0');

/** One certificate of a chain: mostly sound, sometimes not. */
const spec = fc.record({
  forged: often(false, true),
  notAfter: often(new Date(Date.now() + DAY), new Date(Date.now() - DAY)),
  extendedKeyUsage: often(['server'], ['server', 'client'], ['1.3.6.1.5.5.7.3.3']),
  pathLength: often(3, 0, 1),
  permitted: often(undefined, [{ dns: 'vngtp.lab' }], [{ dns: 'coluc.com' }]),
  excluded: often(undefined, [{ dns: 'a.vngtp.lab' }], [{ dns: 'vngtp.lab' }]),
  extensions: often([], [{ oid: '1.2.3.4', critical: true, value: Uint8Array.of(5, 0) }]),
  subjectKeyId: often(undefined, null, Uint8Array.of(1, 2, 3)),
});

function often<T, U>(sound: T, ...odd: readonly U[]): fc.Arbitrary<T | U> {
  // Soundness has to prevail, or no chain would hold.
  return fc.oneof<[fc.WeightedArbitrary<T>, fc.WeightedArbitrary<U>]>(
    { weight: 12, arbitrary: fc.constant(sound) },
    { weight: 1, arbitrary: fc.constantFrom(...odd) },
  );
}

function without(fields: Readonly<Record<string, unknown>>): CertificateSpec {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Chains of one to four certificates below the root; names and keys repeat, so that issuers can be confused. */
const plans = fc.record({
  authorities: fc.array(fc.record({ spec, isAuthority: often(true, false), name: fc.nat(3), key: fc.nat(2) }), {
    maxLength: 3,
  }),
  end: spec,
  names: fc.subarray(['vngtp.lab', '*.vngtp.lab', 'a.vngtp.lab', 'coluc.com'], { minLength: 1 }),
  /** Which of them are sent, `complete` or not, in which order, how often. */
  send: fc.array(fc.nat(3), { maxLength: 5 }),
  complete: often(true, false),
});

function chainOf({ authorities, end, names, send, complete }: typeof plans extends fc.Arbitrary<infer T> ? T : never) {
  let issuer: Issued = root;
  const above: Issued[] = [];
  for (const { spec, isAuthority, name, key } of authorities) {
    const { forged, pathLength, ...rest } = spec;
    const length = isAuthority ? { pathLength } : {};
    const options = without({ ...rest, ...length, authority: isAuthority, key: keys[key] ?? 'p256' });
    // Of one name only with key identifiers that tell them apart, and never the root's: OpenSSL would take the wrong one, or take
    // a self-issued certificate for a self-signed one, and not turn back.
    const subject = rest.subjectKeyId === undefined ? `CA ${name + 1}` : `Odd CA ${above.length}`;
    issuer = authority(subject, options, forged ? { ...issuer, keys: keyPair('p256') } : issuer);
    above.unshift(issuer);
  }
  const { pathLength: _, permitted: __, excluded: ___, forged, ...rest } = end;
  const made = leaf(names, forged ? { ...issuer, keys: keyPair('p256') } : issuer, without(rest));
  const others = send.map((at) => above[at] ?? root);
  return [made, ...(complete ? above : []), ...others];
}

/**
 * The paths among certificates that OpenSSL accepts when it gets nothing else: the parts that it accepts and of which it accepts no part. Of more
 * than a path it takes the first issuer that fits and does not turn back, where we do; and of our own sentences one may be about another path.
 */
async function acceptedPaths([end, ...others]: readonly Issued[]): Promise<readonly (readonly Issued[])[]> {
  if (end === undefined) return [];
  const distinct = [...new Set(others)];
  const paths = new Map<number, readonly Issued[]>();
  // A part of a subset has a lower number than the whole of it.
  for (let subset = 0; subset < 2 ** distinct.length; subset++) {
    if ([...paths.keys()].some((path) => (path & subset) === path)) continue;
    const part = [end, ...distinct.filter((_, at) => (subset & (1 << at)) !== 0)];
    if (await opensslAccepts(part, root)) paths.set(subset, part);
  }
  return [...paths.values()];
}

const anchors = new Anchors([root.x509]);

function verdict(sent: readonly Issued[]): string | undefined {
  return whyUntrusted(
    sent.map(({ x509 }) => readCertificate(x509)),
    anchors,
    Date.now(),
  );
}

/** A wildcard over an excluded name is where we are stricter (RFC 5280 §4.2.1.10 says nothing of wildcards). */
function isStricter(path: readonly Issued[]): boolean {
  return /does not permit DNS names like "\*/.test(verdict(path) ?? '');
}

async function isExplained(sent: readonly Issued[], trusted: boolean): Promise<boolean> {
  const paths = await acceptedPaths(sent);
  return trusted ? paths.length > 0 : paths.every(isStricter);
}

const sound = {
  forged: false,
  notAfter: new Date(Date.now() + DAY),
  extendedKeyUsage: ['server'],
  pathLength: 3,
  permitted: undefined,
  excluded: undefined,
  extensions: [],
  subjectKeyId: undefined,
};

/** Two authorities of one name and key; for the upper we refuse the wildcard, and tell that the lower one has expired. */
const twoFaults = {
  authorities: [
    { spec: { ...sound, excluded: [{ dns: 'a.vngtp.lab' }] }, isAuthority: true, name: 0, key: 0 },
    { spec: { ...sound, notAfter: new Date(Date.now() - DAY) }, isAuthority: true, name: 0, key: 0 },
  ],
  end: sound,
  names: ['*.vngtp.lab'],
  send: [],
  complete: true,
};

test('C-01: what OpenSSL refuses as a server, we refuse; what we refuse more, we can explain', async () => {
  const verdicts = { trusted: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      const sent = chainOf(plan);
      const trusted = verdict(sent) === undefined;
      verdicts[trusted ? 'trusted' : 'refused'] += 1;
      return trusted === (await opensslAccepts(sent, root)) || (await isExplained(sent, trusted));
    }),
    { numRuns: 400, examples: [[twoFaults]] },
  );
  expect(verdicts.trusted).toBeGreaterThan(40);
  expect(verdicts.refused).toBeGreaterThan(40);
});
