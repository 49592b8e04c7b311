import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../protocol/link/messages.ts';
import { liveCatalog, printLiveValue, readLiveText } from './catalog.ts';
import { LIVE_FORMS, LIVE_KEYS, type LiveKey } from './keys.ts';
import { hostName, password, secretText, userName } from './kinds.ts';
import { liveSettingsOf } from './snapshot.ts';

const SECRET = '0123456789abcdef0123456789abcdef';

function refusalOf(key: string, text: string): string {
  const read = readLiveText(key, text);
  return 'refused' in read ? read.refused : `no refusal, but ${JSON.stringify(read)}`;
}

const domain = fc.domain().filter((name) => !/(?:^|\.).{2}--/.test(name));
const pattern = fc.tuple(fc.constantFrom('', '*.'), domain).map((parts) => parts.join(''));
const form = fc.constantFrom(...LIVE_FORMS);
const key = fc.tuple(form, pattern, domain).map(([of, somePattern, someDomain]) => nameOf(of, somePattern, someDomain));

/** A key, and a text that it takes. */
const setting = fc.tuple(form, pattern, domain).chain(([of, somePattern, someDomain]) => {
  const name = nameOf(of, somePattern, someDomain);
  return fc.tuple(fc.constant(name), textFor(LIVE_KEYS[of]));
});

function nameOf(of: string, somePattern: string, someDomain: string): string {
  return of.replace('<pattern>', somePattern).replace('<domain>', someDomain).replace('<name>', 'cups.coluc.com');
}

function textFor({ kind }: LiveKey): fc.Arbitrary<string> {
  if (kind === secretText) return fc.stringMatching(/^[!-~]{16,64}$/);
  if (kind === password) return fc.stringMatching(/^[!-~]{1,64}$/);
  if (kind === userName) return fc.stringMatching(/^[!-9;-~]{1,64}$/);
  if (kind === hostName) return domain;
  if (kind.words === 'text') return fc.stringMatching(/^[ -~]{0,40}$/);
  if (kind.words === 'on or off') return fc.constantFrom('on', 'off', 'ON', 'true', 'False', '0', '1', ' on ');
  if (!kind.words.includes('address')) return fc.constantFrom(...kind.words.split(', '));
  if (kind.words === 'address:port')
    return fc.oneof(
      fc.ipV4(),
      domain,
      fc.ipV6().map((each) => `[${each}]:8443`),
    );
  const target = fc.tuple(fc.oneof(fc.ipV4(), domain), fc.integer({ min: 1, max: 65_535 }));
  const route = fc.uniqueArray(target, { minLength: 1, maxLength: 5, selector: ([host]) => host.toLowerCase() });
  return fc.oneof(
    fc.constant('dns'),
    fc
      .tuple(route, fc.constantFrom('', 'tls://'))
      .map(([list, scheme]) => list.map(([host, port]) => `${scheme}${host}:${port}`).join(',')),
  );
}

describe('readLiveText', () => {
  test.each<[string, string, Json]>([
    ['federation', 'on', true],
    ['federation', '0', false],
    ['federation', 'TRUE', true],
    ['tls', 'Optional', 'optional'],
    ['privacy', 'Allow list', 'allow_list'],
    ['privacy', 'deny-list', 'deny_list'],
    ['allow.vngtp.lab', '  since May ', 'since May'],
    ['deny.*.lab', '', ''],
    [
      'routes.vngtp.lab',
      '192.0.2.20:5269, [2001:DB8::1]:5270,XMPP.vngtp.lab:5269',
      ['192.0.2.20:5269', '[2001:db8::1]:5270', 'xmpp.vngtp.lab:5269'],
    ],
    ['routes.vngtp.lab', 'TLS://192.0.2.20:5270, 192.0.2.20:5270', ['tls://192.0.2.20:5270', '192.0.2.20:5270']],
    ['routes.vngtp.lab', 'DNS', []],
    ['partners.tls.tls', 'none', 'none'],
    ['homes.coluc.com.federation', 'off', false],
    ['dialback_secret', SECRET, SECRET],
    ['host_name', 'EFT-xwye-a.coluc.com.', 'eft-xwye-a.coluc.com'],
    ['publishers.cups.address', 'cups.ciscotac.net', 'cups.ciscotac.net:8443'],
    ['publishers.cups.ciscotac.net.address', '192.0.2.9:443', '192.0.2.9:443'],
    ['publishers.cups.address', '2001:DB8::9', '[2001:db8::9]:8443'],
    ['publishers.cups.address', '[2001:db8::9]', '[2001:db8::9]:8443'],
    ['publishers.cups.user', ' axl user ', 'axl user'],
    ['publishers.cups.password', 'x', 'x'],
    ['publishers.cups.tls', 'None', 'none'],
    ['publishers.cups.version', '14.0', '14.0'],
  ])('%s %j is stored as %j', (name, text, value) => {
    expect(readLiveText(name, text)).toEqual({ key: name, value });
  });

  test('the domain in a key is prepared, so that a partner has one key', () => {
    expect(readLiveText('allow.VNGTP.Lab.', '')).toEqual({ key: 'allow.vngtp.lab', value: '' });
    expect(readLiveText('partners.*.xn--mnchen-3ya.lab.tls', 'none')).toEqual({
      key: 'partners.*.münchen.lab.tls',
      value: 'none',
    });
  });

  test('a publisher has one name, however it is written', () => {
    expect(readLiveText('publishers.CUPS.user', 'axl')).toEqual({ key: 'publishers.cups.user', value: 'axl' });
  });

  test.each([
    ['federation', 'yess', 'federation: "yess" is neither on nor off. Write on or off.'],
    ['tls', 'requird', 'tls: "requird" is not one of required, optional, none. Write "required" to insist on TLS.'],
    ['privacy', 'whitelist', /privacy: "whitelist" is not one of off, allow_list, deny_list\. Write /],
    ['routes.vngtp.lab', '192.0.2.20', 'routes.vngtp.lab: "192.0.2.20" has no port. Write "192.0.2.20:5269".'],
    ['routes.vngtp.lab', 'tls://192.0.2.20', /has no port\. Write "192\.0\.2\.20:5270"\. "tls:\/\/" stays/],
    ['routes.vngtp.lab', 'xmpps://a.lab:5270', /begins with "xmpps:\/\/"\. Write "host:port", or "tls:/],
    ['routes.vngtp.lab', '', /is not a list of address:port/],
    ['routes.vngtp.lab', 'a.lab:1,,b.lab:2', /has no host/],
    ['routes.vngtp.lab', 'a.lab:1, A.lab:1', /"a\.lab:1" is there twice/],
    ['allow.vngtp.lab', 'two\nlines', /one line/],
    ['allow.vngtp.lab', 'x'.repeat(501), /has 501 characters/],
    [
      'dialback_secret',
      'short',
      'dialback_secret: the secret has 5 characters, fewer than 16. Make one with: openssl rand -hex 32',
    ],
    ['dialback_secret', '(secret)', /stands in place of a secret/],
    [
      'allow.*',
      '',
      '"allow.*": "*" is not a pattern of its own. Everybody is meant by: privacy, tls and authentication.',
    ],
    ['allow.192.0.2.1', '', /an IP address cannot federate/],
    ['homes.*.coluc.com.federation', 'off', /is not one domain/],
    ['host_name', '192.0.2.1', /is not a host name\. Write the fully qualified name/],
    ['publishers.cups.address', 'cups:0', /is not a port/],
    ['publishers.cups.address', '', /Write a name or an address|has no host/],
    ['publishers.cups.user', 'axl:user', /is not a name to log in with\. Write .* without a colon/],
    ['publishers.cups.version', '13.0', /is not one of auto, 15\.0, 14\.0, 12\.5, 11\.5/],
    [
      'publishers.a b.user',
      'axl',
      '"publishers.a b.user": "a b" is not a name. Names of publishers are letters, digits, hyphens and dots, at most 63.',
    ],
    ['publishers.cups.password', '(secret)', /stands in place of a secret/],
  ])('%s %j is refused, with what to write instead', (name, text, told) => {
    expect(refusalOf(name, text)).toMatch(told);
  });

  test.each([
    ['federatoin', 'federation'],
    ['Federation', 'federation'],
    ['is_federation_enabled', 'federation'],
    ['s2s.tls', 'tls'],
    ['s2s.dialback_secret', 'dialback_secret'],
    ['require-client-certificates', 'require_client_certificates'],
    ['alow.vngtp.lab', 'allow.vngtp.lab'],
    ['ALLOW.VNGTP.lab', 'allow.vngtp.lab'],
    ['route.*.lab', 'routes.*.lab'],
    ['partners.vngtp.lab.tsl', 'partners.vngtp.lab.tls'],
    ['partners.vngtp.lab', 'partners.vngtp.lab.tls'],
    ['partner.vngtp.lab.authentication', 'partners.vngtp.lab.authentication'],
    ['allow', 'allow.<pattern>'],
    ['homes', 'homes.<domain>.federation'],
    ['homes.coluc.com', 'homes.coluc.com.federation'],
    ['home.coluc.com.federation', 'homes.coluc.com.federation'],
    ['publisher.cups.user', 'publishers.cups.user'],
    ['publishers.cups.adress', 'publishers.cups.address'],
    ['publishers', 'publishers.<name>.address'],
    ['hostname', 'host_name'],
  ])('for the key %s it proposes %s', (name, proposed) => {
    expect(refusalOf(name, 'on')).toBe(`"${name}": there is no such key. Did you mean ${proposed}?`);
  });

  test('a key like no other is refused with all that there are', () => {
    expect(refusalOf('zzzzzz', 'on')).toContain('The keys are federation, tls,');
  });

  test('what is read and printed is read as the same again, and clusterdb takes it as it is', () => {
    fc.assert(
      fc.property(setting, ([name, text]) => {
        const first = readLiveText(name, text);
        expect(first).toHaveProperty('value');
        if (!('value' in first)) return;
        const kind = liveCatalog.kindOf(first.key);
        expect('read' in kind && kind.read(first.value)).toEqual({ value: first.value });
        const printed = printLiveValue(first.key, first.value);
        // A secret is not printed, and what stands in its place is not taken for one.
        const expected = 'secret' in kind && kind.secret ? { refused: refusalOf(first.key, '(secret)') } : first;
        expect(readLiveText(first.key, printed)).toEqual(expected);
      }),
    );
  });

  test('whatever is typed, it is read or refused in one line without a throw', () => {
    const anyKey = fc.oneof(
      key,
      fc.string(),
      fc.tuple(fc.constantFrom('allow.', 'partners.', 'homes.', ''), fc.string()).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(anyKey, fc.string({ unit: 'binary' }), (name, text) => {
        const read = readLiveText(name, text);
        expect('refused' in read ? read.refused : 'read').toMatch(/^[^\p{Cc}\p{Zl}\p{Zp}]+$/u);
      }),
    );
  });

  test('a secret is never repeated, whatever is wrong with it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (rest) => {
        const text = `§${rest}`;
        const read = readLiveText('dialback_secret', text);
        expect('refused' in read ? read.refused : '').not.toContain('§');
        expect(printLiveValue('dialback_secret', text)).toBe('(secret)');
      }),
    );
  });
});

describe('liveCatalog', () => {
  test('whatever a program sends as a value, it is read or refused without a throw, and what is read is its own normal form', () => {
    fc.assert(
      fc.property(key, fc.jsonValue(), (name, value) => {
        const read = readLiveText(name, '');
        const kind = liveCatalog.kindOf('key' in read ? read.key : name);
        if ('refused' in kind) return;
        const first = kind.read(value as Json);
        expect('value' in first ? kind.read(first.value) : first).toEqual(first);
        expect(first).not.toEqual({ refused: '' });
      }),
    );
  });

  test('a key has one spelling', () => {
    expect(liveCatalog.kindOf('allow.VNGTP.lab')).toEqual({ refused: 'it is written allow.vngtp.lab.' });
  });

  test('the Core owns what is said of homes and publishers, the Edge all else; two are secret, and an Edge is told of no address inside', () => {
    const kinds = LIVE_FORMS.map((each) => [each, liveCatalog.kindOf(each.replace(/<\w+>/, 'a.lab'))] as const);
    const owned = kinds.filter(([, kind]) => 'owner' in kind && kind.owner === 'core').map(([each]) => each);
    const secret = kinds.filter(([, kind]) => 'secret' in kind && kind.secret).map(([each]) => each);
    const stays = kinds.filter(([, kind]) => 'stays' in kind && kind.stays).map(([each]) => each);
    expect(owned).toEqual([
      'homes.<domain>.federation',
      'publishers.<name>.address',
      'publishers.<name>.user',
      'publishers.<name>.password',
      'publishers.<name>.tls',
      'publishers.<name>.version',
    ]);
    expect(secret).toEqual(['dialback_secret', 'publishers.<name>.password']);
    expect(stays).toEqual(['publishers.<name>.address', 'publishers.<name>.user']);
    expect(kinds.every(([, kind]) => 'read' in kind)).toBe(true);
  });

  test.each<[string, Readonly<Record<string, Json>>, readonly string[]]>([
    ['nothing set', {}, []],
    ['static routes without a route', { static_routes: true }, []],
    ['a certificate required, and dialback', { require_client_certificates: true, authentication: 'dialback' }, []],
    [
      'external without TLS',
      { tls: 'none', authentication: 'external' },
      [
        'authentication external takes a certificate, and with tls none nobody shows one. Set tls to required, or authentication to dialback.',
      ],
    ],
    [
      'certificates without TLS',
      { tls: 'none', require_client_certificates: true },
      [
        'require_client_certificates on takes a certificate, and with tls none nobody shows one. Set tls to required, or require_client_certificates to off.',
      ],
    ],
    [
      'a partner with TLS where others have none',
      { tls: 'none', 'partners.a.lab.tls': 'required', 'partners.a.lab.authentication': 'external' },
      [],
    ],
    [
      'a partner without TLS where certificates are required of all',
      { authentication: 'external', 'partners.*.lab.tls': 'none' },
      [
        'authentication external takes a certificate, and with partners.*.lab.tls none nobody shows one. Set partners.*.lab.tls to required, or partners.*.lab.authentication to dialback.',
      ],
    ],
    [
      'a partner who needs a certificate where there is no TLS',
      { tls: 'none', 'partners.a.lab.require_client_certificates': true },
      [
        'partners.a.lab.require_client_certificates on takes a certificate, and with tls none nobody shows one. Set partners.a.lab.tls to required, or partners.a.lab.require_client_certificates to off.',
      ],
    ],
    [
      'a fault of all, told once',
      { tls: 'none', authentication: 'external', 'partners.a.lab.require_client_certificates': false },
      [
        'authentication external takes a certificate, and with tls none nobody shows one. Set tls to required, or authentication to dialback.',
      ],
    ],
  ])('checks a configuration as a whole: %s', (_name, values, told) => {
    expect(liveCatalog.check(new Map(Object.entries(values)))).toEqual(told);
  });
});

describe('what the log of the reference system would say of a change', () => {
  test.each<[string, Json | undefined, string, string]>([
    ['federation', undefined, 'is_federation_enabled', '0'],
    ['federation', true, 'is_federation_enabled', '1'],
    ['tls', 'none', 'security_mode', 'No TLS'],
    ['privacy', undefined, 'privacy_mode', 'Allow list'],
    ['static_routes', true, 'use_static_routes', '1'],
    ['homes.coluc.com.federation', undefined, 'domain coluc.com xmpp_federation', '1'],
  ])('%s, %j: %s, %s', (name, value, reference, shown) => {
    const kind = liveCatalog.kindOf(name);
    expect('told' in kind && kind.told?.(value)).toEqual({ name: reference, value: shown });
  });

  test.each(['authentication', 'allow.*.lab', 'routes.a.lab', 'partners.a.lab.tls', 'dialback_secret'])(
    'of %s it says nothing',
    (name) => {
      expect(liveCatalog.kindOf(name)).not.toHaveProperty('told');
    },
  );
});

describe('liveSettingsOf', () => {
  test('without a key, nobody may federate, and the defaults are those that the reference page shows', () => {
    const live = liveSettingsOf([]);
    expect(live).toEqual({
      federation: false,
      tls: 'required',
      requireClientCertificates: false,
      authentication: 'either',
      privacy: 'allow_list',
      allow: [],
      deny: [],
      staticRoutes: false,
      routes: [],
      partners: [],
      dialbackSecret: undefined,
      homesOff: new Set(),
      hostName: undefined,
      publishers: [],
    });
    const standards = LIVE_FORMS.filter((each) => !each.includes('<')).map((each) => LIVE_KEYS[each].standard);
    expect(standards).toEqual([
      live.federation,
      live.tls,
      live.requireClientCertificates,
      live.authentication,
      live.privacy,
      live.staticRoutes,
      live.dialbackSecret,
      live.hostName,
    ]);
  });

  test('every key has its place', () => {
    const live = liveSettingsOf(
      Object.entries({
        federation: true,
        tls: 'optional',
        require_client_certificates: true,
        authentication: 'dialback',
        privacy: 'deny_list',
        static_routes: true,
        dialback_secret: SECRET,
        'allow.vngtp.lab': 'a friend',
        'deny.*.lab': '',
        'routes.vngtp.lab': ['[2001:db8::1]:5269', 'tls://[2001:db8::1]:5270'],
        'routes.*.lab': [],
        'partners.vngtp.lab.tls': 'none',
        'partners.vngtp.lab.authentication': 'either',
        'partners.*.lab.require_client_certificates': false,
        'homes.coluc.com.federation': false,
        'homes.other.com.federation': true,
        host_name: 'edge-1.coluc.com',
        'publishers.second.tls': 'none',
        'publishers.second.version': '14.0',
        'publishers.cups.address': 'cups.coluc.com:8443',
        'publishers.cups.user': 'axl',
        'publishers.cups.password': SECRET,
      }),
    );
    const lab = { match: 'below', domain: 'lab' };
    const vngtp = { match: 'exact', domain: 'vngtp.lab' };
    expect(live).toMatchObject({
      federation: true,
      tls: 'optional',
      requireClientCertificates: true,
      authentication: 'dialback',
      privacy: 'deny_list',
      staticRoutes: true,
      allow: [vngtp],
      deny: [lab],
      routes: [
        {
          domain: vngtp,
          targets: [
            { host: '2001:db8::1', port: 5269, directTls: false },
            { host: '2001:db8::1', port: 5270, directTls: true },
          ],
        },
        { domain: lab, targets: [] },
      ],
      partners: [
        { domain: vngtp, tls: 'none', requireClientCertificates: undefined, authentication: 'either' },
        { domain: lab, tls: undefined, requireClientCertificates: false, authentication: undefined },
      ],
      homesOff: new Set(['coluc.com']),
      hostName: 'edge-1.coluc.com',
      publishers: [
        { name: 'cups', address: { host: 'cups.coluc.com', port: 8443 }, user: 'axl', tls: 'verify', version: 'auto' },
        { name: 'second', address: undefined, user: undefined, password: undefined, tls: 'none', version: '14.0' },
      ],
    });
    expect(live.publishers[0]?.password?.reveal()).toBe(SECRET);
    expect(live.dialbackSecret?.reveal()).toBe(SECRET);
    expect(JSON.stringify(live)).not.toContain(SECRET);
  });

  test('whatever the keys and values are, as of another release, settings come out, and what is no value counts as not set', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.oneof(key, fc.string()), fc.jsonValue())), (values) => {
        const live = liveSettingsOf(values as [string, Json][]);
        expect(['required', 'optional', 'none']).toContain(live.tls);
        expect(Object.isFrozen(live) && Object.isFrozen(live.partners) && Object.isFrozen(live.routes)).toBe(true);
      }),
    );
    expect(
      liveSettingsOf([
        ['privacy', 'friends_only'],
        ['tls', null],
        ['federation', 'maybe'],
      ]),
    ).toEqual(liveSettingsOf([]));
  });
});
