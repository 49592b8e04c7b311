import { describe, expect, test } from 'vitest';
import {
  type AltName,
  authority,
  type CertificateSpec,
  type Issued,
  leaf,
} from '../../../test/support/certificates.ts';
import { Anchors } from './anchors.ts';
import { readCertificate } from './certificate.ts';
import { whyUntrusted } from './chain.ts';

const root = authority('Root');

function why(sent: readonly Issued[], trusted: Issued = root): string | undefined {
  return whyUntrusted(
    sent.map(({ x509 }) => readCertificate(x509)),
    new Anchors([trusted.x509]),
    Date.now(),
  );
}

function under(
  constraints: CertificateSpec,
  names: readonly AltName[],
  spec: CertificateSpec = {},
): string | undefined {
  const constrained = authority('Constrained', constraints, root);
  return why([leaf([], constrained, { subject: '', names, ...spec }), constrained]);
}

const good: CertificateSpec = { permitted: [{ dns: 'good.lab' }] };
const allButGood: CertificateSpec = { excluded: [{ dns: 'good.lab' }] };

describe('name constraints', () => {
  test.each<[string, CertificateSpec, readonly AltName[], boolean]>([
    ['the permitted name', good, [{ dns: 'good.lab' }], true],
    ['a name below it', good, [{ dns: 'a.b.GOOD.lab' }], true],
    ['a wildcard below it', good, [{ dns: '*.good.lab' }], true],
    ['another name', good, [{ dns: 'vngtp.lab' }], false],
    ['a name that ends alike', good, [{ dns: 'evilgood.lab' }], false],
    ['a wildcard above it', good, [{ dns: '*.lab' }], false],
    ['another name beside the permitted one', good, [{ dns: 'good.lab' }, { dns: 'vngtp.lab' }], false],
    ['a leading dot: a name below', { permitted: [{ dns: '.good.lab' }] }, [{ dns: 'a.good.lab' }], true],
    ['a leading dot: the name itself', { permitted: [{ dns: '.good.lab' }] }, [{ dns: 'good.lab' }], false],
    ['the empty name permits all', { permitted: [{ dns: '' }] }, [{ dns: 'vngtp.lab' }], true],
    ['an excluded name', allButGood, [{ dns: 'good.lab' }], false],
    ['a name below an excluded one', allButGood, [{ dns: 'a.good.lab' }], false],
    ['a wildcard over an excluded name', allButGood, [{ dns: '*.lab' }], false],
    ['a name not excluded', allButGood, [{ dns: 'vngtp.lab' }], true],
    ['C-27: an SRV-ID of the permitted name', good, [{ srv: '_xmpp-server.good.lab' }], true],
    ['C-27: an SRV-ID of another name', good, [{ srv: '_xmpp-server.vngtp.lab' }], false],
    ['C-27: an SRV-ID of an excluded name', allButGood, [{ srv: '_xmpp-server.good.lab' }], false],
    ['C-27: an XmppAddr of the permitted name', good, [{ xmpp: 'good.lab' }], true],
    ['C-27: an XmppAddr of another name', good, [{ xmpp: 'vngtp.lab' }], false],
    ['C-27: an XmppAddr of another name behind a localpart', good, [{ xmpp: 'good.lab@vngtp.lab' }], false],
    ['C-27: an XmppAddr of an excluded name with a trailing dot', allButGood, [{ xmpp: 'GOOD.lab.' }], false],
    ['C-27: an XmppAddr in U-labels', { excluded: [{ dns: 'xn--bcher-kva.lab' }] }, [{ xmpp: 'BÜCHER.lab' }], false],
    ['an address in the network', { permitted: [{ ip: [10, 0, 0, 0, 255, 0, 0, 0] }] }, [{ ip: [10, 1, 2, 3] }], true],
    ['an address outside', { permitted: [{ ip: [10, 0, 0, 0, 255, 0, 0, 0] }] }, [{ ip: [11, 1, 2, 3] }], false],
    ['an address excluded', { excluded: [{ ip: [10, 0, 0, 0, 255, 0, 0, 0] }] }, [{ ip: [10, 1, 2, 3] }], false],
    ['an address not excluded', { excluded: [{ ip: [10, 0, 0, 0, 255, 0, 0, 0] }] }, [{ ip: [11, 1, 2, 3] }], true],
    [
      'a constraint on another kind of name',
      { permitted: [{ ip: [10, 0, 0, 0, 255, 0, 0, 0] }] },
      [{ dns: 'a.lab' }],
      true,
    ],
    ['e-mail addresses, which we do not evaluate', { permitted: [{ email: 'a.lab' }] }, [{ email: 'x@a.lab' }], false],
    ['URIs, which we do not evaluate', { excluded: [{ uri: 'a.lab' }] }, [{ uri: 'https://b.lab' }], false],
  ])('C-01: %s', (_, constraints, names, passes) => {
    const fault = under(constraints, names);
    expect(fault ?? 'passes').toContain(passes ? 'passes' : '"CN=Constrained" does not permit');
  });

  test('C-01: constraints of the trusted authority itself count', () => {
    const constrained = authority('Constrained Root', good);
    expect(why([leaf('good.lab', constrained)], constrained)).toBeUndefined();
    expect(why([leaf('vngtp.lab', constrained)], constrained)).toContain('does not permit DNS names like "vngtp.lab"');
  });

  test('C-01: an authority below cannot widen what one above permits', () => {
    const narrow = authority('Narrow', good, root);
    const wide = authority('Wide', { permitted: [{ dns: 'vngtp.lab' }] }, narrow);
    expect(why([leaf('vngtp.lab', wide), wide, narrow])).toBe(
      '"CN=Narrow" does not permit DNS names like "vngtp.lab" in "CN=vngtp.lab"',
    );
  });

  test('C-01: the subject is held to constraints on directory names', () => {
    const permitted: CertificateSpec = { permitted: [{ directory: [['O', 'Good  Org']] }] };
    const names = [{ dns: 'a.lab' }];
    expect(
      under(permitted, names, {
        subject: [
          ['O', 'good org'],
          ['CN', 'x'],
        ],
      }),
    ).toBeUndefined();
    expect(
      under(permitted, names, {
        subject: [
          ['O', 'Other'],
          ['CN', 'x'],
        ],
      }),
    ).toContain('its subject');
    expect(
      under(permitted, names, {
        subject: [
          ['CN', 'x'],
          ['O', 'Good Org'],
        ],
      }),
    ).toContain('its subject');
    const excluded: CertificateSpec = { excluded: [{ directory: [['O', 'Bad Org']] }] };
    expect(under(excluded, names, { subject: [['O', 'BAD ORG']] })).toContain('its subject');
    expect(under(excluded, names, { subject: [['O', 'Other']] })).toBeUndefined();
  });

  test('C-01: an e-mail address in the subject is an e-mail address', () => {
    const constraints: CertificateSpec = { permitted: [{ email: 'a.lab' }] };
    expect(under(constraints, [], { subject: [['emailAddress', 'x@b.lab']] })).toContain('e-mail addresses');
  });

  test('C-01: constraints that cannot be read make the authority unfit', () => {
    const broken = authority('Broken', { extensions: [{ oid: '2.5.29.30', value: Uint8Array.of(0x30, 1, 0) }] }, root);
    expect(why([leaf('a.lab', broken), broken])).toContain('nameConstraints cannot be read');
  });
});
