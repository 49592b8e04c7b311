import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Domain, isBelow, parseDomain } from '../protocol/jid/domain.ts';
import { FederationPolicy, type PartnerRule, type PolicySource } from './policy.ts';

function domain(text: string): Domain {
  const parsed = parseDomain(text);
  if (parsed === undefined) throw new TypeError(`not a domain: ${text}`);
  return parsed;
}

function rule(pattern: string, more: Partial<PartnerRule> = {}): PartnerRule {
  const below = pattern.startsWith('*.');
  return { domain: domain(below ? pattern.slice(2) : pattern), below, ...more };
}

function policy(rules: readonly PartnerRule[] = [], more: Partial<PolicySource> = {}): FederationPolicy {
  return new FederationPolicy({
    homes: [domain('coluc.com')],
    federation: 'allow',
    tls: 'required',
    authentication: 'either',
    rules,
    ...more,
  });
}

test('serves exactly the homes', () => {
  expect(policy().serves(domain('coluc.com'))).toBe(true);
  expect(policy().serves(domain('sub.coluc.com'))).toBe(false);
});

test.each([
  ['vngtp.lab', 'partners.rules: vngtp.lab', 'optional'],
  ['muc.vngtp.lab', 'partners.rules: *.vngtp.lab', 'none'],
  ['a.b.vngtp.lab', 'partners.rules: *.b.vngtp.lab', 'required'],
  ['b.vngtp.lab', 'partners.rules: *.vngtp.lab', 'none'],
  ['other.lab', 'partners.rules: *.lab', 'required'],
  ['lab', 'partners.default', 'required'],
  ['xvngtp.lab', 'partners.rules: *.lab', 'required'],
  ['vngtp.lab.example', 'partners.default', 'required'],
])('J-19: the most specific rule decides for %s: %s', (name, decidedBy, tls) => {
  const rules = [
    rule('*.lab'),
    rule('*.vngtp.lab', { tls: 'none' }),
    rule('vngtp.lab', { tls: 'optional' }),
    rule('*.b.vngtp.lab', { tls: 'required' }),
  ];
  for (const order of [rules, rules.toReversed()])
    for (const snapshot of [policy(order)]) {
      expect(snapshot.ruling(domain(name))).toMatchObject({ decidedBy, tls });
      expect(snapshot.ruling(domain(name))).toMatchObject({ decidedBy, tls });
    }
});

test('a rule decides as a whole: what it leaves out is as for everybody, not as in a wider rule', () => {
  const snapshot = policy([
    rule('*.lab', { tls: 'none', authentication: 'dialback' }),
    rule('vngtp.lab', { federation: 'deny' }),
  ]);
  expect(snapshot.ruling(domain('vngtp.lab'))).toMatchObject({
    admitted: false,
    tls: 'required',
    authentication: 'either',
  });
  expect(snapshot.ruling(domain('vngtp.lab')).because).toBe(
    'partners.rules: vngtp.lab does not allow federation with this domain',
  );
});

test('default deny, with exceptions', () => {
  const snapshot = policy([rule('vngtp.lab', { federation: 'allow' })], { federation: 'deny' });
  expect([snapshot.ruling(domain('vngtp.lab')).admitted, snapshot.ruling(domain('other.lab')).admitted]).toEqual([
    true,
    false,
  ]);
});

test('a peer that has not said who it is gets everybody’s terms, and is heard', () => {
  expect(policy([], { federation: 'deny', tls: 'optional' }).ruling(undefined)).toMatchObject({
    admitted: true,
    tls: 'optional',
  });
});

test('agrees with looking at every rule', () => {
  const name = fc
    .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 })
    .map((labels) => domain(labels.join('.')));
  const rules = fc.uniqueArray(
    fc.record({ domain: name, below: fc.boolean(), tls: fc.constantFrom('none', 'optional') }),
    {
      selector: (each) => `${each.below} ${each.domain}`,
    },
  );
  fc.assert(
    fc.property(rules, name, (all, asked) => {
      const fitting = all
        .filter((each) => (each.below ? isBelow(asked, each.domain) : each.domain === asked))
        .sort((x, y) => y.domain.length - x.domain.length);
      expect(policy(all).ruling(asked).tls).toBe(fitting[0]?.tls ?? 'required');
    }),
  );
});
