import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { altName, authority, issue, leaf } from '../../../test/support/certificates.ts';
import { element, explicit, ia5, implicit, latin1, oid, sequence, utf8 } from '../../../test/support/der.ts';
import { matches } from '../../protocol/identity/presents.ts';
import { type Domain, parseDomain } from '../../protocol/jid/domain.ts';
import { readAsn1, textOf } from './asn1.ts';
import { peerCertificate, readCertificate } from './certificate.ts';
import { nameInWords, readGeneralNames } from './general-name.ts';

const VICTIM = parseDomain('vngtp.lab') as Domain;

function namesOf(...names: Parameters<typeof altName>) {
  return peerCertificate(readCertificate(issue({ subject: 'x', names }).x509), undefined).names;
}

describe('names from DER', () => {
  test('C-17, C-20: DNS names, SRV-IDs and XmppAddrs are read, others are not', () => {
    const { x509 } = issue({
      subject: 'CN only',
      names: [
        { dns: 'vngtp.lab' },
        { srv: '_xmpp-server.vngtp.lab' },
        { xmpp: 'bücher.example' },
        { ip: [192, 0, 2, 1] },
        { email: 'vngtp.lab' },
        { uri: 'xmpp:vngtp.lab' },
        { directory: 'vngtp.lab' },
        { otherName: { oid: '1.2.3', value: utf8('vngtp.lab') } },
      ],
    });
    expect(peerCertificate(readCertificate(x509), undefined).names).toEqual([
      { kind: 'dns', value: 'vngtp.lab' },
      { kind: 'srv', value: '_xmpp-server.vngtp.lab' },
      { kind: 'xmpp', value: 'bücher.example' },
    ]);
  });

  test('C-21: a certificate with a common name alone presents nothing', () => {
    expect(peerCertificate(readCertificate(authority('vngtp.lab').x509), undefined).names).toEqual([]);
  });

  test.each<[string, ReturnType<typeof altName>]>([
    ['a comma', altName({ dns: 'evil.lab, DNS:vngtp.lab' })],
    ['a NUL', altName({ dns: 'vngtp.lab\0.evil.lab' })],
    ['a newline', altName({ dns: 'evil.lab\nDNS:vngtp.lab' })],
    ['a quote', altName({ dns: 'evil.lab", DNS:"vngtp.lab' })],
    ['an SRV-ID with a comma', altName({ srv: 'x, othername:SRVName:_xmpp-server.vngtp.lab' })],
    ['an e-mail address like a list', altName({ email: 'a, DNS:vngtp.lab' })],
    ['a URI like a list', altName({ uri: 'a, DNS:vngtp.lab' })],
    ['a directory name like a list', altName({ directory: 'a, DNS:vngtp.lab' })],
    ['UTF-16 in a DNS name', implicit(2, Buffer.from('vngtp.lab', 'utf16le'))],
    [
      'an SRV-ID as UTF8String',
      altName({ otherName: { oid: '1.3.6.1.5.5.7.8.7', value: utf8('_xmpp-server.vngtp.lab') } }),
    ],
    ['an XmppAddr as IA5String', altName({ otherName: { oid: '1.3.6.1.5.5.7.8.5', value: ia5('vngtp.lab') } })],
    [
      'an XmppAddr of bad UTF-8',
      altName({ otherName: { oid: '1.3.6.1.5.5.7.8.5', value: element(0x0c, latin1('\xffvngtp.lab')) } }),
    ],
  ])('C-23: %s makes no second identity', (_, der) => {
    const names = namesOf({ der });
    expect(names.length).toBeLessThanOrEqual(1);
    expect(matches(names, VICTIM)).toBe(false);
  });

  test.each<[string, Uint8Array]>([
    ['a constructed DNS name', sequence(element(0xa2, ia5('vngtp.lab')))],
    ['a DNS name of another class', sequence(element(0x42, latin1('vngtp.lab')))],
    ['bytes behind the list', Buffer.concat([sequence(altName({ dns: 'vngtp.lab' })), Buffer.of(5, 0)])],
    [
      'an otherName with two values',
      sequence(explicit(0, oid('1.3.6.1.5.5.7.8.5'), explicit(0, utf8('a'), utf8('vngtp.lab')))),
    ],
    ['indefinite length', Buffer.concat([Buffer.of(0x30, 0x80), altName({ dns: 'vngtp.lab' }), Buffer.of(0, 0)])],
    ['no list at all', ia5('vngtp.lab')],
    ['nothing', Buffer.alloc(0)],
  ])('C-23: a malformed subjectAltName (%s) is told and gives no name', (_, namesDer) => {
    const read = readCertificate(issue({ subject: 'x', namesDer }).x509);
    expect(read.altNames).toEqual([]);
    expect(read.malformed).toContain('subjectAltName');
  });

  test('whatever the bytes, reading names never throws', () => {
    const valid = sequence(altName({ dns: 'vngtp.lab' }), altName({ srv: '_xmpp-server.a' }), altName({ xmpp: 'b' }));
    const mutated = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 6 }).map((changes) => {
      const bytes = Buffer.from(valid);
      for (const [at, octet] of changes) bytes[at] = octet;
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 60 })), (bytes) => {
        const read = readAsn1(bytes);
        const names = readGeneralNames(read) ?? [];
        expect(names.every(({ kind }) => kind !== undefined)).toBe(true);
        for (const child of read?.children ?? []) textOf(child);
      }),
      { numRuns: 2000 },
    );
  });

  test('nesting without end and elements without number are refused', () => {
    let deep: Uint8Array = Buffer.of(5, 0);
    for (let level = 0; level < 2000; level++) deep = sequence(deep);
    expect(readAsn1(deep)).toBeUndefined();
    expect(readAsn1(sequence(Buffer.alloc(60_000, Buffer.of(5, 0))))).toBeUndefined();
  });
});

describe('a certificate in words', () => {
  test('subject, issuer, dates and fingerprint', () => {
    const root = authority([
      ['C', 'DE'],
      ['O', 'Lab'],
      ['CN', 'Lab CA'],
    ]);
    const { x509 } = leaf('vngtp.lab', root, {
      notBefore: new Date('2026-01-02T03:04:05Z'),
      notAfter: new Date('2051-01-02T03:04:05Z'),
    });
    expect(peerCertificate(readCertificate(x509), 'because')).toEqual({
      names: [{ kind: 'dns', value: 'vngtp.lab' }],
      untrusted: 'because',
      subject: 'CN=vngtp.lab',
      issuer: 'C=DE, O=Lab, CN=Lab CA',
      fingerprint: x509.fingerprint256.replaceAll(':', '').toLowerCase(),
      notBefore: Date.UTC(2026, 0, 2, 3, 4, 5),
      notAfter: Date.UTC(2051, 0, 2, 3, 4, 5),
    });
  });

  test('C-23: a subject cannot break a log line nor look like two attributes', () => {
    const { subject, title } = readCertificate(authority('a\nCN=b, O=c\u001b[31m').x509);
    expect(nameInWords(subject)).toBe('CN=a\\u{a}CN\\=b\\, O\\=c\\u{1b}[31m');
    expect(title).toBe(`"${nameInWords(subject)}"`);
  });

  test('without a subject the first name stands for it, without any the fingerprint', () => {
    expect(readCertificate(leaf('vngtp.lab', undefined, { subject: '' }).x509).title).toBe('"vngtp.lab"');
    expect(readCertificate(issue({ subject: '' }).x509).title).toMatch(/^"SHA-256 [0-9a-f]{16}\.\.\."$/);
  });

  test('every authority that comes with Node can be read', () => {
    for (const pem of rootCertificates) {
      const read = readCertificate(new X509Certificate(pem));
      expect([read.title, read.malformed, read.authority, read.selfIssued]).toEqual([
        read.title,
        undefined,
        true,
        true,
      ]);
    }
  });
});
