import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Domain, parseDomain, toAscii } from '../jid/domain.ts';
import type { PeerCertificate, PresentedName } from './facts.ts';
import { matches, presents } from './presents.ts';
import { printable } from './printable.ts';

const NOW = Date.UTC(2026, 5, 1);
const DAY = 86_400_000;

function domain(text: string): Domain {
  const parsed = parseDomain(text);
  if (parsed === undefined) throw new TypeError(`not a domain: ${text}`);
  return parsed;
}

function dns(value: string): PresentedName {
  return { kind: 'dns', value };
}
function srv(value: string): PresentedName {
  return { kind: 'srv', value };
}
function xmpp(value: string): PresentedName {
  return { kind: 'xmpp', value };
}

function certificate(names: readonly PresentedName[], changes: Partial<PeerCertificate> = {}): PeerCertificate {
  return {
    names,
    untrusted: undefined,
    subject: 'CN=vngtp.lab',
    issuer: 'CN=Lab CA',
    fingerprint: '00',
    notBefore: NOW - DAY,
    notAfter: NOW + DAY,
    ...changes,
  };
}

function because(names: readonly PresentedName[], of: string, changes: Partial<PeerCertificate> = {}): string {
  const presentation = presents(certificate(names, changes), domain(of), NOW);
  return presentation.proven ? 'proven' : presentation.because;
}

describe('matches', () => {
  test.each([
    ['C-11: the very name', dns('vngtp.lab'), 'vngtp.lab', true],
    ['C-11: upper case in the certificate', dns('VNGTP.LAB'), 'vngtp.lab', true],
    ['C-11: another name', dns('vngtp.lab'), 'coluc.com', false],
    ['C-11: a parent', dns('lab'), 'vngtp.lab', false],
    ['C-11: a name that ends alike', dns('evilvngtp.lab'), 'vngtp.lab', false],
    ['C-11: a host below it', dns('xmpp.vngtp.lab'), 'vngtp.lab', false],
    ['C-12: an A-label for a U-label', dns('xn--bcher-kva.example'), 'bücher.example', true],
    ['C-12: an A-label in upper case', dns('XN--BCHER-KVA.example'), 'bücher.example', true],
    ['C-12: raw UTF-8 octets', dns('b\u00c3\u00bccher.example'), 'bücher.example', false],
    ['C-12: a Latin-1 octet', dns('b\u00fccher.example'), 'bücher.example', false],
    ['C-13: a trailing dot in the certificate', dns('vngtp.lab.'), 'vngtp.lab', false],
    ['C-13: a trailing dot in the reference', dns('vngtp.lab'), 'vngtp.lab.', true],
    ['C-14: a wildcard for one label', dns('*.vngtp.lab'), 'muc.vngtp.lab', true],
    ['C-14: a wildcard for an A-label', dns('*.vngtp.lab'), 'bücher.vngtp.lab', true],
    ['C-14: a wildcard for the name itself', dns('*.vngtp.lab'), 'vngtp.lab', false],
    ['C-14: a wildcard for two labels', dns('*.vngtp.lab'), 'a.b.vngtp.lab', false],
    ['C-14: a wildcard for another domain', dns('*.vngtp.lab'), 'muc.coluc.com', false],
    ['C-15: a wildcard after a part', dns('v*.lab'), 'vngtp.lab', false],
    ['C-15: a wildcard before a part', dns('*p.lab'), 'vngtp.lab', false],
    ['C-15: a wildcard before a part of three labels', dns('*c.vngtp.lab'), 'muc.vngtp.lab', false],
    ['C-15: a wildcard inside', dns('muc.*.lab'), 'muc.vngtp.lab', false],
    ['C-15: two wildcards', dns('*.*.lab'), 'muc.vngtp.lab', false],
    ['C-15: a lone wildcard', dns('*'), 'localhost', false],
    ['C-15: a wildcard and a dot', dns('*.'), 'vngtp.lab', false],
    ['C-15: a wildcard in an A-label', dns('xn--*.lab'), 'bücher.lab', false],
    ['C-16: a wildcard below a top-level domain', dns('*.lab'), 'vngtp.lab', false],
    ['C-17: an SRV-ID for servers', srv('_xmpp-server.vngtp.lab'), 'vngtp.lab', true],
    ['C-17: an SRV-ID in upper case', srv('_XMPP-Server.VNGTP.lab'), 'vngtp.lab', true],
    ['C-17: an SRV-ID for another domain', srv('_xmpp-server.vngtp.lab'), 'coluc.com', false],
    ['C-18: an SRV-ID for clients', srv('_xmpp-client.vngtp.lab'), 'vngtp.lab', false],
    ['C-18: an SRV-ID for the web', srv('_http.vngtp.lab'), 'vngtp.lab', false],
    ['C-18: an SRV-ID without underscore', srv('xmpp-server.vngtp.lab'), 'vngtp.lab', false],
    ['C-18: an SRV-ID without service', srv('vngtp.lab'), 'vngtp.lab', false],
    ['C-18: an SRV-ID as a DNS name', dns('_xmpp-server.vngtp.lab'), 'vngtp.lab', false],
    ['C-19: an SRV-ID with wildcard', srv('_xmpp-server.*.vngtp.lab'), 'muc.vngtp.lab', true],
    ['C-19: an SRV-ID with wildcard for the name itself', srv('_xmpp-server.*.vngtp.lab'), 'vngtp.lab', false],
    ['C-19: an SRV-ID with a wildcard service', srv('*.vngtp.lab'), 'muc.vngtp.lab', false],
    ['C-20: an XmppAddr', xmpp('vngtp.lab'), 'vngtp.lab', true],
    ['C-20: an XmppAddr that has to be prepared', xmpp('BÜCHER.example'), 'bücher.example', true],
    ['C-20: an XmppAddr with a localpart', xmpp('admin@vngtp.lab'), 'vngtp.lab', false],
    ['C-20: an XmppAddr with a resource', xmpp('vngtp.lab/server'), 'vngtp.lab', false],
    ['C-20: an XmppAddr with a wildcard', xmpp('*.vngtp.lab'), 'muc.vngtp.lab', false],
    ['C-20: an empty XmppAddr', xmpp(''), 'vngtp.lab', false],
    ['C-23: a second name behind a comma', dns('evil.lab, DNS:vngtp.lab'), 'vngtp.lab', false],
    ['C-23: a second name behind a newline', dns('evil.lab\nDNS:vngtp.lab'), 'vngtp.lab', false],
    ['C-23: a name cut by NUL', dns('vngtp.lab\0.evil.lab'), 'vngtp.lab', false],
    ['C-23: an XmppAddr cut by NUL', xmpp('vngtp.lab\0.evil.lab'), 'vngtp.lab', false],
    ['C-23: a newline at the end', dns('vngtp.lab\n'), 'vngtp.lab', false],
    ['C-24: a space', dns('vngtp .lab'), 'vngtp.lab', false],
    ['C-24: an underscore alone', dns('_.vngtp.lab'), '_.vngtp.lab', false],
    ['C-24: an underscore among others', dns('a_b.vngtp.lab'), 'a_b.vngtp.lab', true],
    ['C-24: an empty name', dns(''), 'vngtp.lab', false],
    ['C-24: an empty label under a wildcard', dns('*..lab'), 'a.vngtp.lab', false],
    ['C-11: a single label', dns('localhost'), 'localhost', true],
    ['C-11: a Kelvin sign is no k', xmpp('\u212Aiwi.lab'), 'kiwi.lab', false],
  ])('%s: %j for %s: %s', (_, name, of, expected) => {
    expect(matches([name], domain(of))).toBe(expected);
  });

  test('C-24: a name of more than 253 octets never fits', () => {
    const longest = `${'a'.repeat(61)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(63)}`;
    expect(matches([dns(longest)], domain(longest))).toBe(true);
    expect(matches([dns(`*.${'a'.repeat(63)}.${longest}`)], domain('a.vngtp.lab'))).toBe(false);
  });

  test('C-22: one name that fits is enough', () => {
    expect(matches([srv('_xmpp-server.coluc.com'), dns('vngtp.lab')], domain('vngtp.lab'))).toBe(true);
  });

  test('C-25: an address is no domain, so none can be proven by a DNS name', () => {
    expect(parseDomain('192.0.2.1')).toBeUndefined();
    expect(parseDomain('[2001:db8::1]')).toBeUndefined();
  });

  const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
  const name = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join('.'));

  test('C-14, C-19: a wildcard stands for exactly one label, whatever the names', () => {
    fc.assert(
      fc.property(name, fc.array(label, { maxLength: 3 }), (base, below) => {
        const reference = domain([...below, base].join('.'));
        expect(matches([dns(`*.${base}`)], reference)).toBe(below.length === 1);
        expect(matches([srv(`_xmpp-server.*.${base}`)], reference)).toBe(below.length === 1);
        expect(matches([dns(base)], reference)).toBe(below.length === 0);
      }),
    );
  });

  test('C-23: whatever is written around a name, it is not that name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 6 }), fc.string({ unit: 'binary', maxLength: 6 }), (a, b) => {
        fc.pre(`${a}${b}` !== '');
        expect(matches([dns(`${a}vngtp.lab${b}`)], domain('vngtp.lab'))).toBe(false);
      }),
    );
  });

  test('never throws, and fits only what names the domain in A-label form', () => {
    const names = fc.array(
      fc.record({
        kind: fc.constantFrom('dns' as const, 'srv' as const, 'xmpp' as const),
        value: fc.oneof(
          fc.string({ unit: 'binary' }),
          name,
          name.map((text) => `_xmpp-server.${text}`),
        ),
      }),
    );
    fc.assert(
      fc.property(names, name.map(domain), (presented, reference) => {
        if (!matches(presented, reference)) return;
        expect(presented.some(({ value }) => value.toLowerCase().includes(toAscii(reference)))).toBe(true);
      }),
    );
  });
});

describe('presents', () => {
  test('C-10: a trusted certificate in its period that names the domain proves it', () => {
    expect(presents(certificate([dns('vngtp.lab')]), domain('vngtp.lab'), NOW)).toEqual({ proven: true });
  });

  test('C-01: an untrusted chain proves nothing, and its reason is told', () => {
    expect(because([dns('vngtp.lab')], 'vngtp.lab', { untrusted: '"CN=x" is self-signed' })).toBe(
      '"CN=x" is self-signed',
    );
  });

  test('C-03: an expired certificate proves nothing', () => {
    expect(because([dns('vngtp.lab')], 'vngtp.lab', { notAfter: NOW - 1 })).toBe(
      'the certificate expired on 2026-05-31T23:59:59.999Z',
    );
  });

  test('C-03: a certificate that is not valid yet proves nothing', () => {
    expect(because([dns('vngtp.lab')], 'vngtp.lab', { notBefore: NOW + 1 })).toBe(
      'the certificate is not valid before 2026-06-01T00:00:00.001Z',
    );
  });

  test('C-03: the first and the last moment count', () => {
    expect(because([dns('vngtp.lab')], 'vngtp.lab', { notBefore: NOW, notAfter: NOW })).toBe('proven');
  });

  test('a date that no calendar has does not stop us', () => {
    expect(because([dns('vngtp.lab')], 'vngtp.lab', { notBefore: 8.7e15 })).toContain('an impossible date');
  });

  test('C-28: other names are told', () => {
    const names = [dns('a.lab'), srv('_xmpp-server.b.lab'), xmpp('c.lab')];
    expect(because(names, 'vngtp.lab')).toBe(
      'the certificate presents only DNS:a.lab, SRVName:_xmpp-server.b.lab, XmppAddr:c.lab; not vngtp.lab',
    );
  });

  test('C-21: the common name counts for nothing, not even without other names', () => {
    expect(because([], 'vngtp.lab')).toBe('the certificate presents no DNS, SRV or XMPP name; not vngtp.lab');
  });

  test('C-28: of many names some are told, and an international domain in both forms (J-20)', () => {
    const names = Array.from({ length: 10 }, (_, at) => dns(`n${at}.lab`));
    expect(because(names, 'bücher.example')).toContain(
      'DNS:n7.lab and 2 more; not bücher.example (xn--bcher-kva.example)',
    );
  });

  test('C-23: what a peer wrote into a name cannot break a log line', () => {
    expect(because([dns('a\n\u001b[31m\u202Eb\\')], 'vngtp.lab')).toContain('DNS:a\\u{a}\\u{1b}[31m\\u{202e}b\\\\;');
  });
});

describe('printable', () => {
  test('lets ordinary text pass and cuts long text', () => {
    expect(printable('bücher, 例え "x" y')).toBe('bücher, 例え "x" y');
    expect(printable('abcdef', 3)).toBe('abc...');
  });

  test('nothing invisible is left of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printable(text)).not.toMatch(/\p{C}|[^\P{Z} ]/u);
      }),
    );
  });
});
