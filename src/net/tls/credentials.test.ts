import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, describe, expect, test } from 'vitest';
import {
  authority,
  type CertificateSpec,
  type Issued,
  leaf,
  writeLabCertificates,
} from '../../../test/support/certificates.ts';
import { socketPair } from '../../../test/support/socket-pair.ts';
import { sameForAll } from '../../../test/support/tls-peers.ts';
import { type Domain, parseDomain } from '../../protocol/jid/domain.ts';
import { acceptTls } from './accept.ts';
import { Anchors } from './anchors.ts';
import { type HomeCertificate, readCertificateFiles } from './certificate-files.ts';
import { Credentials, expiring, type Reloaded, unverifiable } from './credentials.ts';
import { secureContext } from './parameters.ts';
import { selfSignedCertificate } from './self-signed.ts';
import { loadTrust, Trust } from './trust.ts';

const NOW = Date.now();
const DAY = 86_400_000;
const folder = mkdtempSync(join(tmpdir(), 'fedway-credentials-'));
const root = authority('Lab CA');
const mid = authority('Lab Intermediate', {}, root);
const nobody = new Trust(new Anchors([]));
afterAll(() => rmSync(folder, { recursive: true }));

function domain(text: string): Domain {
  const parsed = parseDomain(text);
  if (parsed === undefined) throw new TypeError(`not a domain: ${text}`);
  return parsed;
}

let files = 0;
function write(chain: string, key: string, ...domains: readonly string[]): HomeCertificate {
  files += 1;
  const paths = { certificate: join(folder, `${files}.pem`), key: join(folder, `${files}.key`) };
  writeFileSync(paths.certificate, chain);
  writeFileSync(paths.key, key);
  return { ...paths, domains: domains.map(domain) };
}

function home(name: string, spec: CertificateSpec = {}, issuer: Issued = mid): HomeCertificate {
  const made = leaf(name, issuer, spec);
  return write(made.chainPem, made.keyPem, name);
}

async function problemsOf(chain: string, key: string): Promise<readonly string[]> {
  const read = await readCertificateFiles(write(chain, key, 'coluc.com'), NOW);
  return 'problems' in read ? read.problems : [];
}

async function open(...homes: readonly HomeCertificate[]): Promise<Credentials> {
  const opened = await Credentials.open(homes, NOW);
  if ('problems' in opened) throw new Error(opened.problems.join('\n'));
  return opened.credentials;
}

/** The common name of what a peer sees. */
async function shown(credentials: Credentials, servername: string | undefined, fallback: string): Promise<string> {
  await using pair = await socketPair();
  const client = connect({
    socket: pair.initiating,
    rejectUnauthorized: false,
    ...(servername === undefined ? {} : { servername }),
  });
  client.on('error', () => {});
  await Promise.all([
    acceptTls(pair.receiving, { timeoutMs: 5000, certificates: credentials, domain: domain(fallback), trust: nobody }),
    once(client, 'secureConnect'),
  ]);
  return client.getPeerX509Certificate()?.subject ?? '';
}

describe('credentials', () => {
  test('T-28: each domain shows its own certificate, by SNI or by the stream header', async () => {
    const credentials = await open(home('coluc.com'), home('xn--bcher-kva.example'));
    expect(await shown(credentials, 'coluc.com', 'coluc.com')).toBe('CN=coluc.com');
    expect(await shown(credentials, undefined, 'coluc.com')).toBe('CN=coluc.com');
    expect(await shown(credentials, 'other.example', 'coluc.com')).toBe('CN=coluc.com');
    expect(credentials.contextFor(domain('other.example'))).toBeUndefined();
  });

  test('C-30: a reload gives new handshakes the new certificate', async () => {
    const files = home('coluc.com', { subject: 'old' });
    const credentials = await open(files);
    expect(await shown(credentials, undefined, 'coluc.com')).toBe('CN=old');
    const renewed = leaf('coluc.com', mid, { subject: 'new' });
    writeFileSync(files.certificate, renewed.chainPem);
    writeFileSync(files.key, renewed.keyPem);
    expect(await credentials.reload(NOW)).toMatchObject({ loaded: [{ path: files.certificate }], warnings: [] });
    expect(await shown(credentials, undefined, 'coluc.com')).toBe('CN=new');
  });

  test('C-30: a reload with one bad file changes nothing', async () => {
    const [good, bad] = [home('coluc.com', { subject: 'old' }), home('vngtp.lab')];
    const credentials = await open(good, bad);
    const renewed = leaf('coluc.com', mid, { subject: 'new' });
    writeFileSync(good.certificate, renewed.chainPem);
    writeFileSync(good.key, renewed.keyPem);
    writeFileSync(bad.key, 'no key');
    expect(await credentials.reload(NOW)).toEqual({
      problems: [`key ${bad.key}: no private key in it; it must hold one PEM block "BEGIN PRIVATE KEY"`],
    });
    expect(await shown(credentials, undefined, 'coluc.com')).toBe('CN=old');
  });

  test('reloads asked for at once are done in order; the last one counts', async () => {
    const credentials = await open(home('coluc.com', { subject: 'a' }));
    await Promise.all([
      credentials.reload(NOW, [home('coluc.com', { subject: 'b' })]),
      credentials.reload(NOW, [home('coluc.com', { subject: 'c' })]),
    ]);
    expect(credentials.loaded).toHaveLength(1);
    expect(await shown(credentials, undefined, 'coluc.com')).toBe('CN=c');
  });

  test.each(['the files themselves', 'a symbolic link to their folder'])(
    'C-30: a change of %s is noticed without a restart',
    async (what) => {
      const link = join(folder, `live ${what.length}`);
      const folders = ['old', 'new'].map((subject) => {
        const path = join(folder, `${subject} ${what.length}`);
        mkdirSync(path);
        const made = leaf('coluc.com', mid, { subject });
        writeFileSync(join(path, 'chain.pem'), made.chainPem);
        writeFileSync(join(path, 'key.pem'), made.keyPem);
        return path;
      });
      const [old = '', renewed = ''] = folders;
      symlinkSync(old, link);
      const credentials = await open({
        domains: [domain('coluc.com')],
        certificate: join(link, 'chain.pem'),
        key: join(link, 'key.pem'),
      });
      const told = Promise.withResolvers<Reloaded>();
      const watch = credentials.watch(2, told.resolve);
      await new Promise(setImmediate);
      if (what.startsWith('a symbolic')) {
        symlinkSync(renewed, `${link}.new`);
        renameSync(`${link}.new`, link);
      } else {
        for (const name of ['chain.pem', 'key.pem']) renameSync(join(renewed, name), join(old, name));
      }
      expect(await told.promise).toMatchObject({ warnings: [] });
      watch.close();
      expect(await shown(credentials, undefined, 'coluc.com')).toBe('CN=new');
    },
  );

  test('C-30: certificates that expire soon are told with the days left', async () => {
    const credentials = await open(
      home('a.lab', { notAfter: new Date(NOW + 7.5 * DAY) }),
      home('b.lab', { notAfter: new Date(NOW + 300 * DAY) }),
      home('c.lab', { notAfter: new Date(NOW - DAY) }),
    );
    expect(expiring(credentials.loaded, NOW).map(({ days }) => days)).toEqual([0, 7]);
  });
});

describe('a certificate that cannot be used', () => {
  const good = leaf('coluc.com', mid);

  test('files that are not there, folders, and files that must not be read', async () => {
    const files = { domains: [domain('coluc.com')], certificate: join(folder, 'none.pem'), key: folder };
    expect(await readCertificateFiles(files, NOW)).toEqual({
      problems: [
        `certificate ${files.certificate}: there is no such file; correct the path, or put the file there`,
        `key ${folder}: it is a folder; name the file in it`,
      ],
    });
    const secret = write(good.chainPem, good.keyPem, 'coluc.com');
    chmodSync(secret.key, 0);
    if (process.getuid?.() === 0) return;
    expect(await readCertificateFiles(secret, NOW)).toMatchObject({
      problems: [expect.stringContaining('give read permission')],
    });
  });

  test.each<[string, () => [string, string], string]>([
    ['no PEM', () => ['hello', good.keyPem], 'no certificate in it'],
    ['damaged PEM', () => [good.pem.replace(/M/g, ''), good.keyPem], 'cannot be read; replace the damaged file'],
    ['a key in place of the certificate', () => [good.keyPem, good.keyPem], 'no certificate in it'],
    ['a certificate in place of the key', () => [good.pem, good.pem], 'no private key in it'],
    ['a key of another certificate', () => [good.pem, mid.keyPem], 'it does not belong to "CN=coluc.com"'],
    [
      'the leaf not first',
      () => [mid.pem + good.pem, good.keyPem],
      'the key fits certificate 2 in it ("CN=coluc.com"); put that one first',
    ],
    [
      'a key with a passphrase',
      () => [
        good.pem,
        String(good.keys.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })),
      ],
      'it has a passphrase; take it off with "openssl pkey',
    ],
    [
      'T-19: a weak RSA key',
      () => {
        const weak = leaf('coluc.com', mid, { key: 'rsa1024' });
        return [weak.chainPem, weak.keyPem];
      },
      'the key of "CN=coluc.com" is RSA with only 1024 bits; at least 2048 are needed; get one with another key',
    ],
    [
      'T-19: SHA-1 in the chain',
      () => {
        const old = authority('Old', { digest: 'sha1' }, root);
        const made = leaf('coluc.com', old);
        return [made.chainPem, made.keyPem];
      },
      '"CN=Old" is signed with SHA-1; have it issued again',
    ],
  ])('%s', async (_, content, expected) => {
    const problems = await problemsOf(...content());
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(expected);
    expect(problems[0]).toContain(folder);
  });

  test.each<[string, CertificateSpec, string]>([
    ['other names', { names: [{ dns: 'other.lab' }] }, 'does not name coluc.com; peers will not accept it for that'],
    ['expired', { notAfter: new Date(NOW - DAY) }, '" expired on '],
    ['not valid yet', { notBefore: new Date(NOW + DAY) }, 'is not valid before'],
    ['CA:TRUE', { authority: true }, 'is that of an authority'],
  ])('%s: usable, with a warning', async (_, spec, warning) => {
    const opened = await Credentials.open([home('coluc.com', spec)], NOW);
    expect(opened).toMatchObject({ warnings: [expect.stringContaining(warning)] });
  });

  test('a chain without its intermediate: who trusts the root cannot verify it, which is told; the whole chain is fine', async () => {
    const trust = new Trust(new Anchors([new X509Certificate(root.pem)]));
    const lacking = await Credentials.open([write(good.pem, good.keyPem, 'coluc.com')], NOW);
    if ('problems' in lacking) throw new Error(lacking.problems.join());
    expect(unverifiable(lacking.credentials.loaded, trust, NOW)).toEqual([expect.stringContaining('add the chain')]);
    const whole = await Credentials.open([write(good.chainPem, good.keyPem, 'coluc.com')], NOW);
    if ('problems' in whole) throw new Error(whole.problems.join());
    expect(unverifiable(whole.credentials.loaded, trust, NOW)).toEqual([]);
  });
});

describe('a self-signed certificate', () => {
  test('is made at start, is sound, and serves every domain', async () => {
    const own = await selfSignedCertificate(['fedway.inside'], NOW);
    const path = write(own.chain, own.key, 'fedway.inside');
    expect(await readCertificateFiles(path, NOW)).toMatchObject({ loaded: { warnings: [] } });
    const trust = await loadTrust({ system: false, files: [path.certificate] });
    if ('problems' in trust) throw new Error(trust.problems.join());
    const { certificatesIn } = await import('./anchors.ts');
    expect(trust.trust.judge(certificatesIn(own.chain), NOW)).toMatchObject({
      untrusted: undefined,
      subject: 'CN=fedway.inside',
      names: [{ kind: 'dns', value: 'fedway.inside' }],
    });
    const all = sameForAll(secureContext(own));
    expect(all.contextFor(domain('any.example'))).toBe(all.contextFor(domain('other.example')));
  });

  test('without names it is one for fedway', async () => {
    const { chain } = await selfSignedCertificate([], NOW);
    const { certificatesIn } = await import('./anchors.ts');
    expect(certificatesIn(chain)[0]?.subject).toBe('CN=fedway');
  });
});

describe('trust', () => {
  test('C-02: with files alone the system is not consulted', async () => {
    const lab = join(folder, 'lab');
    writeLabCertificates(lab, [{ name: 'vngtp.lab', domains: ['vngtp.lab'] }], root);
    const loaded = await loadTrust({ system: false, files: [join(lab, 'ca.pem')] });
    if ('problems' in loaded) throw new Error(loaded.problems.join());
    expect(loaded.trust.size).toBe(1);
    expect(loaded.trust.judge([leaf('vngtp.lab', mid).x509, mid.x509], NOW)?.untrusted).toBeUndefined();
    expect(loaded.trust.judge([], NOW)).toBeUndefined();
  });

  test('the system has authorities, each once', async () => {
    const loaded = await loadTrust({ system: true, files: [] });
    if ('problems' in loaded) throw new Error(loaded.problems.join());
    expect(loaded.trust.size).toBeGreaterThan(50);
    expect(loaded.trust.judge([leaf('vngtp.lab', mid).x509, mid.x509], NOW)?.untrusted).toContain(
      'is not among the trusted',
    );
  });

  test('every file that cannot be used is told', async () => {
    const { certificate } = write('nothing here', '');
    const damaged = write(root.pem.replace(/M/g, ''), '').certificate;
    expect(await loadTrust({ system: false, files: [join(folder, 'none'), certificate, damaged] })).toEqual({
      problems: [
        `trusted authorities ${join(folder, 'none')}: there is no such file; correct the path, or put the file there`,
        `trusted authorities ${certificate}: no certificate in it; it must hold PEM blocks "BEGIN CERTIFICATE"`,
        `trusted authorities ${damaged}: a certificate in it cannot be read; replace the damaged PEM block`,
      ],
    });
  });

  test('a verdict is used again, but not beyond a date of the chain', () => {
    const trust = new Trust(new Anchors([root.x509]));
    const end = Math.floor(NOW / 1000) * 1000 + 10_000;
    const chain = [leaf('vngtp.lab', root, { notAfter: new Date(end) }).x509];
    const first = trust.judge(chain, NOW);
    expect(first?.untrusted).toBeUndefined();
    expect(trust.judge(chain, NOW + 1000)).toBe(first);
    expect(trust.judge(chain, end)).toBe(first);
    expect(trust.judge(chain, end + 1)?.untrusted).toContain('expired on');
    expect(trust.judge(chain, NOW - 5 * DAY)?.untrusted).toContain('not valid before');
  });

  test('a verdict holds for the very chain only', () => {
    const trust = new Trust(new Anchors([root.x509]));
    const made = leaf('vngtp.lab', mid);
    expect(trust.judge([made.x509, mid.x509], NOW)?.untrusted).toBeUndefined();
    expect(trust.judge([made.x509], NOW)?.untrusted).toBeDefined();
  });

  test('verdicts are not kept without bound', () => {
    const trust = new Trust(new Anchors([root.x509]));
    const made = leaf('vngtp.lab', root).x509;
    const first = trust.judge([made], NOW);
    const others = [mid, authority('A'), authority('B'), authority('C')].map(({ x509 }) => x509);
    let asked = 0;
    for (const one of others) {
      for (const two of others) {
        for (const three of others) {
          for (const four of others) {
            for (const five of others)
              for (const six of others) if (asked++ < 2100) trust.judge([one, two, three, four, five, six], NOW);
          }
        }
      }
    }
    expect(trust.judge([made], NOW)).not.toBe(first);
  });
});
