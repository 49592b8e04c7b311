import { describe, expect, test } from 'vitest';
import {
  authority,
  type CertificateSpec,
  type Issued,
  issue,
  keyPair,
  leaf,
} from '../../../test/support/certificates.ts';
import { octets, sequence } from '../../../test/support/der.ts';
import { Anchors } from './anchors.ts';
import { readCertificate } from './certificate.ts';
import { whyUntrusted } from './chain.ts';

const NOW = Date.now();
const DAY = 86_400_000;
const past = { notBefore: new Date(NOW - 20 * DAY), notAfter: new Date(NOW - 10 * DAY) };
const future = { notBefore: new Date(NOW + 10 * DAY), notAfter: new Date(NOW + 20 * DAY) };

const root = authority('Good CA');
const mid = authority('Good Intermediate', {}, root);

function why(
  sent: readonly Issued[],
  trusted: readonly Issued[] = [root],
  pinned: readonly Issued[] = [],
): string | undefined {
  const anchors = new Anchors(
    trusted.map(({ x509 }) => x509),
    pinned.map(({ x509 }) => x509),
  );
  return whyUntrusted(
    sent.map(({ x509 }) => readCertificate(x509)),
    anchors,
    NOW,
  );
}

/** A leaf for vngtp.lab, with changes. */
function vngtp(issuer: Issued | undefined, spec: CertificateSpec = {}): Issued {
  return leaf('vngtp.lab', issuer, spec);
}

describe('a chain that holds', () => {
  test('C-06: serverAuth alone is enough, for a peer that connects to us too', () => {
    expect(why([vngtp(mid), mid])).toBeUndefined();
    expect(why([vngtp(root)])).toBeUndefined();
  });

  test.each([
    ['clientAuth alone', ['client']],
    ['both', ['server', 'client']],
    ['any purpose', ['any']],
    ['serverAuth among others', ['1.3.6.1.5.5.7.3.3', 'server']],
  ])('C-07: extended key usage with %s passes', (_, extendedKeyUsage) => {
    expect(why([vngtp(mid, { extendedKeyUsage }), mid])).toBeUndefined();
  });

  test('C-07: no extended key usage at all passes', () => {
    expect(why([issue({ authority: false, names: [{ dns: 'vngtp.lab' }] }, mid), mid])).toBeUndefined();
  });

  test('the root may be sent along, certificates may come in any order, twice, or have nothing to do with it', () => {
    const low = authority('Low', {}, mid);
    const stranger = authority('Stranger');
    expect(why([vngtp(low), root, stranger, mid, low, mid])).toBeUndefined();
  });

  test('an end entity without subject, and one with the subject of its issuer, pass', () => {
    expect(why([vngtp(mid, { subject: '' }), mid])).toBeUndefined();
    expect(why([vngtp(mid, { subject: 'Good Intermediate' }), mid])).toBeUndefined();
  });

  test('of two issuers with the same name and key, one expired, the good one is taken', () => {
    const { keys } = mid;
    const expired = authority('Good Intermediate', { key: keys, ...past }, root);
    expect(why([vngtp(mid), expired, mid])).toBeUndefined();
  });

  test('of two roots with the same name, the one whose key signed is taken', () => {
    expect(why([vngtp(mid), mid], [authority('Good CA'), root])).toBeUndefined();
    const plain = authority('Plain CA', { subjectKeyId: null });
    const signed = vngtp(plain, { authorityKeyId: null });
    expect(why([signed], [authority('Plain CA', { subjectKeyId: null }), plain])).toBeUndefined();
  });

  test('a cross-signed authority leads to the root that we trust, not to the one that we do not', () => {
    const other = authority('Other Root');
    const crossed = authority('Good Intermediate', { key: mid.keys }, other);
    expect(why([vngtp(mid), crossed, mid])).toBeUndefined();
    expect(why([vngtp(mid), crossed], [other])).toBeUndefined();
  });

  test('an intermediate named as trusted is enough', () => {
    expect(why([vngtp(mid)], [mid])).toBeUndefined();
  });

  test.each(['p256', 'p384', 'p521', 'rsa2048', 'rsa-pss', 'ed25519'] as const)('keys of kind %s pass', (key) => {
    const strong = authority('Strong', { key });
    expect(why([vngtp(strong, { key })], [strong])).toBeUndefined();
  });

  test('C-03: a self-signed certificate that was named as trusted passes as itself', () => {
    const own = vngtp(undefined);
    expect(why([own], [], [own])).toBeUndefined();
    const likeOpenssl = vngtp(undefined, { authority: true });
    expect(why([likeOpenssl], [], [likeOpenssl])).toBeUndefined();
  });
});

describe('a chain that was made by an attacker', () => {
  test('C-03: a self-signed certificate is refused', () => {
    expect(why([vngtp(undefined)])).toBe('"CN=vngtp.lab" is self-signed and not among the trusted authorities');
  });

  test('C-03: a chain under an authority of his own is refused', () => {
    const evil = authority('Evil CA');
    expect(why([vngtp(evil), evil])).toBe('"CN=Evil CA" is self-signed and not among the trusted authorities');
    expect(why([vngtp(evil)])).toBe(
      'the issuer of "CN=vngtp.lab", "CN=Evil CA", is not among the trusted authorities, and no certificate of it was sent',
    );
  });

  test('C-01: an authority with the name and the key identifier of a good one is refused', () => {
    const fake = authority('Good CA', root.subjectKeyId === undefined ? {} : { subjectKeyId: root.subjectKeyId });
    expect(fake.subjectKeyId).toEqual(root.subjectKeyId);
    expect(why([vngtp(fake), fake])).toBe('"CN=Good CA" is self-signed and not among the trusted authorities');
    expect(why([vngtp(fake)])).toBe('the signature on "CN=vngtp.lab" was not made by "CN=Good CA"');
    expect(why([vngtp(fake), fake, root])).toContain('not among the trusted authorities');
  });

  test('C-01: the real authority, sent along with a leaf that it did not sign, does not help', () => {
    const forged = vngtp({ ...root, keys: keyPair('p256') });
    expect(why([forged, root])).toBe('the signature on "CN=vngtp.lab" was not made by "CN=Good CA"');
    const forgedBelow = vngtp({ ...mid, keys: keyPair('p256') });
    expect(why([forgedBelow, mid, root])).toBe(
      'the signature on "CN=vngtp.lab" was not made by "CN=Good Intermediate"',
    );
    expect(why([vngtp(undefined), mid, root])).toContain('self-signed');
  });

  test('C-01: a good leaf of somebody else cannot sign', () => {
    const good = leaf('evil.lab', mid);
    expect(why([vngtp(good), good, mid])).toBe('"CN=evil.lab" signs certificates but is not an authority');
  });

  test('C-01: a changed certificate is refused', () => {
    const good = vngtp(root);
    const changed = Buffer.from(good.der);
    changed.write('vngtx', changed.indexOf('vngtp', changed.indexOf('vngtp') + 1));
    const { X509Certificate } = process.getBuiltinModule('node:crypto');
    const fault = whyUntrusted([readCertificate(new X509Certificate(changed))], new Anchors([root.x509]), NOW);
    expect(fault).toContain('was not made by "CN=Good CA"');
  });

  test('C-01: authorities that signed each other in circles end in bounded time', () => {
    const keys = Array.from({ length: 9 }, () => keyPair('p256'));
    const maze = keys.map((key, at) => {
      const signer = issue({ subject: 'Maze', authority: true, key: keys[(at + 1) % 9] ?? key, subjectKeyId: null });
      return issue({ subject: 'Maze', authority: true, key, subjectKeyId: null, authorityKeyId: null }, signer);
    });
    const [first] = maze;
    const started = performance.now();
    expect(why([vngtp(first), ...maze])).toBeDefined();
    const same = keyPair('p256');
    const clones = Array.from({ length: 9 }, () => authority('Clone', { key: same }));
    expect(why([vngtp(clones[0]), ...clones])).toBeDefined();
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test('C-01: a certificate that was sent several times is looked at once: the good path is found behind it', () => {
    const [keyA, keyB] = [keyPair('p256'), keyPair('p256')];
    const a = authority('A', { key: keyA }, authority('B', { key: keyB }));
    const b = authority('B', { key: keyB }, a);
    const otherA = authority('A', { key: keyA }, b);
    const good = authority('A', { key: keyA, pathLength: 0 }, root);
    expect(why([vngtp(good), a, b, otherA, a, b, otherA, a, b, good])).toBeUndefined();
  });

  test('C-01: more than ten certificates are refused unread', () => {
    const many = Array.from({ length: 10 }, () => mid);
    expect(why([vngtp(mid), ...many])).toBe('11 certificates were sent; at most 10 are accepted');
  });
});

describe('a chain that is not in order', () => {
  test.each<[string, () => readonly Issued[], string]>([
    ['C-03: expired leaf', () => [vngtp(mid, past), mid], '"CN=vngtp.lab" expired on '],
    ['C-03: leaf of tomorrow', () => [vngtp(mid, future), mid], '"CN=vngtp.lab" is not valid before '],
    [
      'C-01: expired intermediate',
      () => {
        const old = authority('Old', past, root);
        return [vngtp(old), old];
      },
      '"CN=Old" expired on ',
    ],
    ['C-01: expired root', () => [vngtp(expiredRoot)], '"CN=Expired CA" expired on '],
    [
      'C-01: intermediate missing',
      () => [vngtp(mid)],
      'the issuer of "CN=vngtp.lab", "CN=Good Intermediate", is not among the trusted authorities, and no certificate of it was sent',
    ],
    [
      'C-04: end entity with CA:TRUE',
      () => [vngtp(mid, { authority: true }), mid],
      'is the certificate of an authority',
    ],
    [
      'C-07: extended key usage for code only',
      () => [vngtp(mid, { extendedKeyUsage: ['1.3.6.1.5.5.7.3.3'] }), mid],
      'the extended key usage of "CN=vngtp.lab" admits neither TLS servers nor clients',
    ],
    [
      'C-07: intermediate for e-mail only',
      () => {
        const mail = authority('Mail', { extendedKeyUsage: ['1.3.6.1.5.5.7.3.4'] }, root);
        return [vngtp(mail), mail];
      },
      'the extended key usage of "CN=Mail" admits neither',
    ],
    [
      'C-07: intermediate for clients, leaf for servers',
      () => {
        const clients = authority('Clients', { extendedKeyUsage: ['client'] }, root);
        return [vngtp(clients), clients];
      },
      'the extended key usage of "CN=Clients" does not admit what "CN=vngtp.lab" is for',
    ],
    [
      'C-01: key usage of the leaf only for CRLs',
      () => [vngtp(mid, { keyUsage: ['cRLSign'] }), mid],
      'the key usage of "CN=vngtp.lab" does not admit TLS',
    ],
    [
      'C-01: issuer without CA:TRUE',
      () => {
        const none = issue({ subject: 'No CA', authority: false, keyUsage: ['keyCertSign'] }, root);
        return [vngtp(none), none];
      },
      '"CN=No CA" signs certificates but is not an authority',
    ],
    [
      'C-01: issuer without basicConstraints',
      () => {
        const none = issue({ subject: 'No CA', keyUsage: null }, root);
        return [vngtp(none), none];
      },
      '"CN=No CA" signs certificates but is not an authority',
    ],
    [
      'C-01: issuer of version 1',
      () => {
        const old = issue({ subject: 'V1', version: 1 }, root);
        return [vngtp(old), old];
      },
      '"CN=V1" signs certificates but is not an authority',
    ],
    [
      'C-01: issuer without keyCertSign',
      () => {
        const none = authority('No Sign', { keyUsage: ['digitalSignature'] }, root);
        return [vngtp(none), none];
      },
      'the key usage of "CN=No Sign" does not admit signing certificates',
    ],
    [
      'C-01: path length',
      () => {
        const last = authority('Last', { pathLength: 0 }, root);
        const below = authority('Below', {}, last);
        return [vngtp(below), below, last];
      },
      '"CN=Last" permits 0 authorities below it; there are 1',
    ],
    [
      'C-01: critical extension that nobody knows',
      () => [vngtp(mid, { extensions: [{ oid: '1.2.3.4', critical: true, value: octets(Uint8Array.of(1)) }] }), mid],
      '"CN=vngtp.lab" has a critical extension that is not known (1.2.3.4)',
    ],
    [
      'C-01: precertificate of certificate transparency',
      () => [
        vngtp(mid, { extensions: [{ oid: '1.3.6.1.4.1.11129.2.4.3', critical: true, value: Uint8Array.of(5, 0) }] }),
        mid,
      ],
      'has a critical extension that is not known',
    ],
    [
      'T-19: RSA key of 1024 bits',
      () => [vngtp(mid, { key: 'rsa1024' }), mid],
      '"CN=vngtp.lab": its key is RSA with only 1024 bits',
    ],
    [
      'T-19: issuer with an RSA key of 1024 bits',
      () => {
        const weak = authority('Weak', { key: 'rsa1024' }, root);
        return [vngtp(weak), weak];
      },
      '"CN=Weak": its key is RSA with only 1024 bits',
    ],
    ['T-19: odd curve', () => [vngtp(mid, { key: 'secp256k1' }), mid], 'is on the elliptic curve secp256k1'],
    ['T-19: SHA-1 with ECDSA', () => [vngtp(mid, { digest: 'sha1' }), mid], '"CN=vngtp.lab" is signed with SHA-1'],
    [
      'C-03: extension twice',
      () => [vngtp(mid, twice), mid],
      '"CN=vngtp.lab" is malformed: its extensions cannot be read',
    ],
    [
      'C-23: subjectAltName that is cut',
      () => [vngtp(mid, { namesDer: Uint8Array.of(0x30, 9, 0x82) }), mid],
      'subjectAltName cannot be read',
    ],
  ])('%s is refused', (_, sent, expected) => {
    expect(why(sent(), [root, expiredRoot])).toContain(expected);
  });

  test.each(['sha1', 'md5'] as const)(
    'T-19: a signature with RSA over %s is refused, in the middle of a chain too',
    (digest) => {
      const rsa = authority('RSA Root', { key: 'rsa2048' });
      const words = `is signed with ${digest === 'sha1' ? 'SHA-1' : 'MD5'}`;
      expect(why([vngtp(rsa, { digest })], [rsa])).toContain(words);
      const middle = authority('RSA Middle', { digest, key: keyPair('rsa2048', 'middle') }, rsa);
      expect(why([vngtp(middle), middle], [rsa])).toBe(`"CN=RSA Middle" ${words}`);
    },
  );

  test('T-19: RSASSA-PSS over SHA-1 is refused', () => {
    const pss = authority('PSS Root', { key: 'rsa-pss' });
    expect(why([vngtp(pss, { digest: 'sha1' })], [pss])).toContain('RSASSA-PSS over a weak hash');
  });

  test('C-01: path length admits self-issued authorities and counts the others', () => {
    const last = authority('Last', { pathLength: 1 }, root);
    const rolled = authority('Last', { key: keyPair('p256') }, last);
    const below = authority('Below', {}, rolled);
    expect(why([vngtp(below), below, rolled, last])).toBeUndefined();
    const further = authority('Further', {}, below);
    expect(why([vngtp(further), further, below, rolled, last])).toBe(
      '"CN=Last" permits 1 authorities below it; there are 2',
    );
  });

  test('C-03: the fault furthest up is told, not a dead end on the way', () => {
    const old = authority('Good Intermediate', { ...past, key: mid.keys }, root);
    expect(why([vngtp(mid), authority('Good Intermediate'), old])).toContain('"CN=Good Intermediate" expired on');
  });

  test('C-03: an empty chain is refused', () => {
    expect(why([])).toBe('no certificate was sent');
  });
});

const expiredRoot = authority('Expired CA', past);
const twice: CertificateSpec = {
  extensions: [
    { oid: '1.2.3.4', value: sequence() },
    { oid: '1.2.3.4', value: sequence() },
  ],
};
