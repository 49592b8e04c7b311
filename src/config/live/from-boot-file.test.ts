import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { standIn } from '../../../test/config/stand-in.ts';
import { FederationPolicy } from '../../federation/policy.ts';
import { type Domain, isBelow, parseDomain } from '../../protocol/jid/domain.ts';
import type { BootConfig, DomainPattern } from '../boot.ts';
import { loadBootFile } from '../load.ts';
import { liveCatalog } from './catalog.ts';
import { importOfBootFile, liveSettingsOfBootFile } from './from-boot-file.ts';
import type { LiveSettings } from './settings.ts';
import { liveSettingsOf } from './snapshot.ts';

const SECRET = '0123456789abcdef0123456789abcdef';

function bootWith(part: object, secret = SECRET): BootConfig {
  const { s2s = {}, ...rest } = part as { s2s?: object };
  const text = stringify({
    role: 'single',
    s2s: { listen: ['192.0.2.2:5269'], dialback_secret: { file: 'dialback.secret' }, ...s2s },
    homes: [
      { domains: ['coluc.com'], certificate: 'a.pem', key: 'a.key', server: { s2s: { address: '10.0.0.10:5269' } } },
    ],
    inside: { listen: ['10.0.0.2:5269'] },
    ...rest,
  });
  const files = { 'dialback.secret': secret, 'a.pem': '', 'a.key': '', 'fedway.yaml': text };
  const result = loadBootFile('/etc/fedway/fedway.yaml', { surroundings: standIn('/etc/fedway', files) });
  if (result.outcome !== 'loaded') throw new Error(JSON.stringify(result));
  return result.config;
}

/** What a boot file says of a partner: its most specific rule, as a whole. */
function saidOf(partner: Domain, { s2s, partners }: BootConfig): object {
  const fitting = partners.rules.filter(({ domain }) => fits(domain, partner)).toSorted(bySpecificity);
  const rule = fitting[0];
  return {
    admitted: (rule?.federation ?? partners.default) === 'allow',
    tls: rule?.tls ?? s2s.tls,
    authentication: rule?.authentication ?? s2s.authentication,
    route: rule?.route ?? [],
  };
}

/** What live settings say of a partner, by the policy that is made of them. */
function ruledFor(partner: Domain, live: LiveSettings): object {
  const { admitted, tls, authentication } = new FederationPolicy({ homes: [], ...live }).ruling(partner);
  const routes = live.staticRoutes ? live.routes.filter(({ domain }) => fits(domain, partner)) : [];
  return { admitted, tls, authentication, route: routes.toSorted(bySpecificity)[0]?.targets ?? [] };
}

function fits({ match, domain }: DomainPattern, partner: Domain): boolean {
  return match === 'exact' ? domain === partner : isBelow(partner, domain);
}

function bySpecificity(a: { readonly domain: DomainPattern }, b: { readonly domain: DomainPattern }): number {
  if (a.domain.match !== b.domain.match) return a.domain.match === 'exact' ? -1 : 1;
  return b.domain.domain.length - a.domain.domain.length;
}

const DOMAINS = ['lab', 'a.lab', 'b.a.lab', 'c.b.a.lab', 'x.a.lab', 'b.lab', 'example.org'];
const PATTERNS = [...DOMAINS, '*.lab', '*.a.lab', '*.b.a.lab', '*.org'];

const choice = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
/** TLS and authentication that can stand together; `undefined` is left out of the file. */
const terms = {
  tls: choice(undefined, 'required', 'optional'),
  authentication: choice(undefined, 'external', 'dialback', 'either'),
};
const rule = fc.record({
  domain: choice(...PATTERNS),
  federation: choice(undefined, 'allow', 'deny'),
  ...terms,
  route: choice(undefined, ['192.0.2.20:5269'], ['192.0.2.21:5269', 'tls://xmpp.a.lab:5270']),
});
const bootParts = fc.record({
  s2s: fc.record(terms),
  partners: fc.record({
    default: choice('allow', 'deny'),
    rules: fc.uniqueArray(rule, { selector: ({ domain }) => domain, maxLength: 7 }),
  }),
});

describe('liveSettingsOfBootFile', () => {
  test('every partner is treated as the boot file says: by its most specific rule, and by that as a whole', () => {
    fc.assert(
      fc.property(bootParts, (part) => {
        const boot = bootWith(part);
        const live = liveSettingsOfBootFile(boot);
        for (const name of DOMAINS) {
          const partner = parseDomain(name);
          if (partner === undefined) throw new Error(name);
          expect([name, ruledFor(partner, live)]).toEqual([name, saidOf(partner, boot)]);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('a boot file without partners admits everybody', () => {
    expect(liveSettingsOfBootFile(bootWith({}))).toMatchObject({
      federation: true,
      privacy: 'deny_list',
      allow: [],
      deny: [],
      partners: [],
      staticRoutes: false,
    });
  });

  test('a secret that is short, which a boot file may have, stays', () => {
    expect(liveSettingsOfBootFile(bootWith({}, 'hunter2')).dialbackSecret?.reveal()).toBe('hunter2');
  });
});

describe('importOfBootFile', () => {
  test('what is taken over says the same, and clusterdb takes every value as it is', () => {
    fc.assert(
      fc.property(bootParts, (part) => {
        const boot = bootWith(part);
        const taken = importOfBootFile(boot);
        if ('refused' in taken) throw new Error(taken.refused);
        for (const [key, value] of taken.values) {
          const kind = liveCatalog.kindOf(key);
          expect('read' in kind ? kind.read(value) : kind).toEqual({ value });
        }
        expect(new Set(taken.values.map(([key]) => key)).size).toBe(taken.values.length);
        const [stored, said] = [liveSettingsOf(taken.values), liveSettingsOfBootFile(boot)];
        expect(stored).toEqual({ ...said, dialbackSecret: stored.dialbackSecret });
        expect(stored.dialbackSecret?.reveal()).toBe(SECRET);
      }),
      { numRuns: 200 },
    );
  });

  test('it is no longer than it must be: a plain boot file becomes these keys', () => {
    const partners = {
      default: 'deny',
      rules: [
        { domain: 'vngtp.lab', federation: 'allow', tls: 'optional', route: ['192.0.2.20:5269'] },
        { domain: '*.example.org', federation: 'allow' },
      ],
    };
    expect(importOfBootFile(bootWith({ partners }))).toEqual({
      values: [
        ['federation', true],
        ['tls', 'required'],
        ['require_client_certificates', false],
        ['authentication', 'either'],
        ['privacy', 'allow_list'],
        ['static_routes', true],
        ['allow.vngtp.lab', ''],
        ['routes.vngtp.lab', ['192.0.2.20:5269']],
        ['partners.vngtp.lab.tls', 'optional'],
        ['allow.*.example.org', ''],
        ['dialback_secret', SECRET],
      ],
    });
  });

  test('a boot file whose box has a data folder has nothing to take over, and the answer says which one has', () => {
    const boot = { ...bootWith({}), data: '/var/lib/fedway' };
    expect(importOfBootFile(boot)).toEqual({
      refused:
        '/etc/fedway/fedway.yaml has nothing to take over: its box has a data folder, where its live settings are. Name the boot file of a single box from before it had one.',
    });
  });
});
