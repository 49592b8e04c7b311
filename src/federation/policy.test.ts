import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Domain, isBelow, parseDomain } from '../protocol/jid/domain.ts';
import { type DomainPattern, FederationPolicy, type PartnerTerms, type PolicySource } from './policy.ts';

function domain(text: string): Domain {
  const parsed = parseDomain(text);
  if (parsed === undefined) throw new TypeError(`not a domain: ${text}`);
  return parsed;
}

function pattern(text: string): DomainPattern {
  const below = text.startsWith('*.');
  return { match: below ? 'below' : 'exact', domain: domain(below ? text.slice(2) : text) };
}

function partner(text: string, more: Partial<PartnerTerms> = {}): PartnerTerms {
  return {
    domain: pattern(text),
    tls: undefined,
    requireClientCertificates: undefined,
    authentication: undefined,
    ...more,
  };
}

/** Patterns, separated by spaces. */
function list(text: string): DomainPattern[] {
  return text === '' ? [] : text.split(' ').map(pattern);
}

const COLUC = domain('coluc.com');
const ROOMS = domain('conference.coluc.com');
const VNGTP = domain('vngtp.lab');

function policy(more: Partial<PolicySource> = {}): FederationPolicy {
  return new FederationPolicy({
    homes: [COLUC, ROOMS],
    homesOff: new Set(),
    federation: true,
    tls: 'required',
    requireClientCertificates: false,
    authentication: 'either',
    privacy: 'off',
    allow: [],
    deny: [],
    staticRoutes: false,
    routes: [],
    partners: [],
    ...more,
  });
}

type Answer = 'yes' | 'no';

describe('who may federate', () => {
  test.each<[PolicySource['privacy'], allow: string, deny: string, routes: string, foreign: string, Answer, string]>([
    // Off: everybody, and the lists wait until they are wanted.
    ['off', '', '', '', 'vngtp.lab', 'yes', 'privacy is off'],
    ['off', '', 'vngtp.lab', '', 'vngtp.lab', 'yes', 'privacy is off'],
    ['off', 'other.lab', '*.lab', '', 'vngtp.lab', 'yes', 'privacy is off'],

    // Allow list: nobody but those on it.
    ['allow_list', '', '', '', 'vngtp.lab', 'no', 'privacy is allow_list and no allow entry names vngtp.lab'],
    ['allow_list', 'vngtp.lab', '', '', 'vngtp.lab', 'yes', 'allow.vngtp.lab allows it'],
    ['allow_list', '*.lab', '', '', 'vngtp.lab', 'yes', 'allow.*.lab allows it'],
    ['allow_list', '*.lab', '', '', 'muc.vngtp.lab', 'yes', 'allow.*.lab allows it'],
    [
      'allow_list',
      'vngtp.lab',
      '',
      '',
      'muc.vngtp.lab',
      'no',
      'privacy is allow_list and no allow entry names muc.vngtp.lab',
    ],
    [
      'allow_list',
      '*.vngtp.lab',
      '',
      '',
      'vngtp.lab',
      'no',
      'privacy is allow_list and no allow entry names vngtp.lab',
    ],
    ['allow_list', '*.lab', '', '', 'lab', 'no', 'privacy is allow_list and no allow entry names lab'],
    ['allow_list', '*.gtp.lab', '', '', 'vngtp.lab', 'no', 'privacy is allow_list and no allow entry names vngtp.lab'],
    [
      'allow_list',
      'lab.example',
      '',
      '',
      'vngtp.lab',
      'no',
      'privacy is allow_list and no allow entry names vngtp.lab',
    ],
    // What is denied is denied, unless something more specific allows it.
    ['allow_list', 'vngtp.lab', 'vngtp.lab', '', 'vngtp.lab', 'no', 'deny.vngtp.lab denies it'],
    ['allow_list', '*.lab', '*.lab', '', 'vngtp.lab', 'no', 'deny.*.lab denies it'],
    ['allow_list', 'vngtp.lab', '*.lab', '', 'vngtp.lab', 'yes', 'allow.vngtp.lab allows it'],
    ['allow_list', '*.lab', 'vngtp.lab', '', 'vngtp.lab', 'no', 'deny.vngtp.lab denies it'],
    ['allow_list', '*.vngtp.lab', '*.lab', '', 'muc.vngtp.lab', 'yes', 'allow.*.vngtp.lab allows it'],
    ['allow_list', '*.lab', '*.vngtp.lab', '', 'muc.vngtp.lab', 'no', 'deny.*.vngtp.lab denies it'],
    ['allow_list', '', '*.lab', '', 'vngtp.lab', 'no', 'deny.*.lab denies it'],
    // A static route in use counts as an entry of the allow list.
    ['allow_list', '', '', 'vngtp.lab', 'vngtp.lab', 'yes', 'routes.vngtp.lab allows it'],
    ['allow_list', '', '', '*.lab', 'muc.vngtp.lab', 'yes', 'routes.*.lab allows it'],
    ['allow_list', '', '*.lab', 'vngtp.lab', 'vngtp.lab', 'yes', 'routes.vngtp.lab allows it'],
    ['allow_list', '', 'vngtp.lab', 'vngtp.lab', 'vngtp.lab', 'no', 'deny.vngtp.lab denies it'],
    ['allow_list', 'vngtp.lab', '', 'vngtp.lab', 'vngtp.lab', 'yes', 'allow.vngtp.lab allows it'],

    // Deny list: everybody but those on it.
    ['deny_list', '', '', '', 'vngtp.lab', 'yes', 'privacy is deny_list and no deny entry names vngtp.lab'],
    ['deny_list', '', 'vngtp.lab', '', 'vngtp.lab', 'no', 'deny.vngtp.lab denies it'],
    ['deny_list', '', '*.lab', '', 'muc.vngtp.lab', 'no', 'deny.*.lab denies it'],
    [
      'deny_list',
      '',
      '*.lab',
      '',
      'vngtp.example',
      'yes',
      'privacy is deny_list and no deny entry names vngtp.example',
    ],
    ['deny_list', 'vngtp.lab', '*.lab', '', 'vngtp.lab', 'yes', 'allow.vngtp.lab allows it'],
    ['deny_list', '*.lab', 'vngtp.lab', '', 'vngtp.lab', 'no', 'deny.vngtp.lab denies it'],
    ['deny_list', 'vngtp.lab', 'vngtp.lab', '', 'vngtp.lab', 'no', 'deny.vngtp.lab denies it'],
    ['deny_list', '', '*.lab', 'vngtp.lab', 'vngtp.lab', 'no', 'deny.*.lab denies it'],
  ])(
    'J-19: %s, allow [%s], deny [%s], routes [%s]: %s? %s: %s',
    (privacy, allow, deny, routes, foreign, answer, because) => {
      const snapshot = policy({
        privacy,
        allow: list(allow),
        deny: list(deny),
        staticRoutes: true,
        routes: list(routes).map((each) => ({ domain: each })),
      });
      // Asked twice: the second answer is remembered.
      for (const ruling of [snapshot.ruling(domain(foreign), COLUC), snapshot.ruling(domain(foreign))])
        expect([ruling.admitted ? 'yes' : 'no', ruling.because]).toEqual([answer, because]);
    },
  );

  test('the deciding key is named apart from the sentence, for whoever wants to change it', () => {
    const snapshot = policy({ privacy: 'allow_list', allow: list('vngtp.lab'), deny: list('*.example') });
    expect(['vngtp.lab', 'evil.example', 'other.lab'].map((name) => snapshot.ruling(domain(name)).decidedBy)).toEqual([
      'allow.vngtp.lab',
      'deny.*.example',
      'privacy',
    ]);
  });

  test('static routes that are switched off allow nobody', () => {
    const routes = [{ domain: pattern('vngtp.lab') }];
    expect(policy({ privacy: 'allow_list', staticRoutes: false, routes }).ruling(VNGTP).admitted).toBe(false);
  });
});

describe('the switches', () => {
  const off = { federation: false, privacy: 'allow_list', allow: [pattern('vngtp.lab')] } as const;

  test.each([
    ['a partner on the allow list', VNGTP, COLUC],
    ['any other', domain('other.lab'), ROOMS],
    ['a peer that has not said who it is', undefined, COLUC],
    ['a peer that has said nothing at all', undefined, undefined],
  ])('while federation is off nobody is admitted: not %s', (_who, foreign, home) => {
    expect(policy(off).ruling(foreign, home)).toMatchObject({
      admitted: false,
      because: 'federation is off',
      decidedBy: 'federation',
      told: 'Federation is switched off.',
    });
  });

  test('a home that is off has nobody; the others have everybody', () => {
    const snapshot = policy({ homesOff: new Set([ROOMS]) });
    expect(snapshot.ruling(VNGTP, ROOMS)).toMatchObject({
      admitted: false,
      because: 'homes.conference.coluc.com.federation is off',
      decidedBy: 'homes.conference.coluc.com.federation',
      told: 'Federation is switched off for your domain.',
    });
    expect(snapshot.ruling(undefined, ROOMS).admitted).toBe(false);
    expect(snapshot.ruling(VNGTP, COLUC).admitted).toBe(true);
    expect(snapshot.ruling(VNGTP).admitted).toBe(true);
    expect(snapshot.serves(ROOMS)).toBe(true);
  });

  test('the main switch is named before that of a home', () => {
    expect(policy({ federation: false, homesOff: new Set([ROOMS]) }).ruling(VNGTP, ROOMS).decidedBy).toBe('federation');
  });

  test('a peer that has not said who it is is heard, on everybody’s terms', () => {
    expect(policy({ privacy: 'allow_list', tls: 'optional' }).ruling(undefined, COLUC)).toMatchObject({
      admitted: true,
      tls: 'optional',
    });
  });
});

test('serves exactly the homes', () => {
  expect(policy().serves(COLUC)).toBe(true);
  expect(policy().serves(domain('sub.coluc.com'))).toBe(false);
});

test('what a user inside is told names neither lists nor keys', () => {
  const told = [
    policy({ privacy: 'allow_list' }),
    policy({ privacy: 'deny_list', deny: list('vngtp.lab') }),
    policy({ privacy: 'deny_list', deny: list('*.lab') }),
  ].map((snapshot) => snapshot.ruling(VNGTP, COLUC).told);
  expect(new Set(told)).toEqual(new Set(['Federation with this domain is not permitted.']));
});

describe('the terms of a partner', () => {
  test.each([
    ['vngtp.lab', 'optional'],
    ['muc.vngtp.lab', 'none'],
    ['b.vngtp.lab', 'none'],
    ['a.b.vngtp.lab', 'required'],
    ['other.lab', 'optional'],
    ['xvngtp.lab', 'optional'],
    ['lab', 'required'],
    ['vngtp.lab.example', 'required'],
  ])('J-19: the most specific exception decides for %s: TLS is %s', (name, tls) => {
    const partners = [
      partner('*.lab', { tls: 'optional' }),
      partner('*.vngtp.lab', { tls: 'none' }),
      partner('vngtp.lab', { tls: 'optional' }),
      partner('*.b.vngtp.lab', { tls: 'required' }),
    ];
    for (const order of [partners, partners.toReversed()])
      expect(policy({ partners: order }).ruling(domain(name)).tls).toBe(tls);
  });

  test('an exception counts as a whole: what it leaves out is as for everybody, not as in a wider one', () => {
    const snapshot = policy({
      partners: [
        partner('*.lab', { tls: 'none', authentication: 'dialback' }),
        partner('vngtp.lab', { requireClientCertificates: true }),
      ],
    });
    expect(snapshot.ruling(VNGTP)).toMatchObject({
      tls: 'required',
      authentication: 'either',
      requireCertificate: true,
    });
    expect(snapshot.ruling(domain('other.lab'))).toMatchObject({ tls: 'none', authentication: 'dialback' });
  });

  test.each<[PolicySource['tls'], boolean, Partial<PartnerTerms>, boolean, string]>([
    ['required', true, {}, true, 'it is required of everybody'],
    ['optional', true, {}, true, 'it needs TLS, whatever the mode says'],
    ['none', true, {}, false, 'without TLS there is no certificate: the setting does not apply'],
    ['required', true, { requireClientCertificates: false }, false, 'the exception says so'],
    ['required', false, { requireClientCertificates: true }, true, 'the exception says so'],
    ['required', true, { tls: 'none' }, false, 'this partner has no TLS: the setting does not apply'],
    ['none', true, { tls: 'optional' }, true, 'this partner has TLS'],
  ])(
    'TLS %s, certificates required: %s, except %o: %s, because %s',
    (tls, requireClientCertificates, more, expected) => {
      const snapshot = policy({ tls, requireClientCertificates, partners: [partner('vngtp.lab', more)] });
      expect(snapshot.ruling(VNGTP).requireCertificate).toBe(expected);
    },
  );

  test('they do not admit anybody: that is for the lists', () => {
    const snapshot = policy({ privacy: 'allow_list', partners: [partner('vngtp.lab', { tls: 'optional' })] });
    expect(snapshot.ruling(VNGTP).admitted).toBe(false);
  });
});

/** The answer as the words of the rule say it, without any table: of all that fits the longest; the domain itself before all. */
function mostSpecific<T>(asked: Domain, all: readonly (readonly [DomainPattern, T])[]): T | undefined {
  return all
    .filter(([{ match, domain: named }]) => (match === 'below' ? isBelow(asked, named) : named === asked))
    .toSorted(
      ([a], [b]) => Number(b.match === 'exact') - Number(a.match === 'exact') || b.domain.length - a.domain.length,
    )[0]?.[1];
}

const names = fc
  .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 })
  .map((labels) => domain(labels.join('.')));
const patterns = fc.record({ match: fc.constantFrom('exact', 'below'), domain: names });

test('agrees with looking at every entry', () => {
  const lists = fc.array(patterns, { maxLength: 6 });
  const modes = fc.constantFrom('allow_list', 'deny_list');
  fc.assert(
    fc.property(lists, lists, modes, names, (allow, deny, privacy, asked) => {
      const entry = mostSpecific(asked, [
        ...deny.map((each) => [each, false] as const),
        ...allow.map((each) => [each, true] as const),
      ]);
      expect(policy({ allow, deny, privacy }).ruling(asked).admitted).toBe(entry ?? privacy === 'deny_list');
    }),
  );
});

test('strangers do not make it grow, and the answers stay right', () => {
  const snapshot = policy({ privacy: 'allow_list', allow: list('vngtp.lab *.example') });
  const answers = new Set<string>();
  for (let n = 0; n < 20_000; n += 1) {
    answers.add(`stranger: ${snapshot.ruling(domain(`s${n}.lab`), COLUC).admitted}`);
    if (n % 1000 === 0) answers.add(`friend: ${snapshot.ruling(VNGTP, COLUC).admitted}`);
  }
  expect(answers).toEqual(new Set(['stranger: false', 'friend: true']));
  expect(snapshot.remembered).toBeLessThanOrEqual(4096);
});
