import { describe, expect, test } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import { DIRECT_TLS_PORT, type Organization, SERVER_NAMES } from '../lab/organization.ts';
import { conversationTests, shortCuts } from './checks.ts';
import { withLab } from './with-lab.ts';

/** The home behind fedway, and partners: whoever looks for one of them finds `_xmpps-server` records alone. */
const HOME: Organization = {
  domain: 'coluc.com',
  server: 'prosody',
  profile: 'dbtls',
  users: ['alice'],
  by: 's2s',
  behind: 'fedway',
  directTls: true,
};

const PARTNERS: readonly { readonly number: number; readonly partner: Organization }[] = [
  {
    number: 53,
    partner: { domain: 'vngtp.lab', server: 'prosody', profile: 'ca', users: ['bob'], directTls: true },
  },
  {
    number: 54,
    partner: { domain: 'ejab.lab', server: 'ejabberd', profile: 'ca', users: ['bob'], directTls: true },
  },
];

describe('direct TLS (XEP-0368) with certificates of a trusted authority', () => {
  const lab = withLab({
    name: 'interop-53-54',
    organizations: [HOME, ...PARTNERS.map(({ partner }) => partner)],
    fedway: { tls: 'required', authentication: 'external', logLevel: 'verbose' },
  });

  for (const { number, partner } of PARTNERS) {
    describe(`scenario ${number}: with ${SERVER_NAMES[partner.server]}`, () => {
      conversationTests(lab, HOME, partner);

      test('both directions came by direct TLS, and were proven by certificate', () => {
        const lines = foreignLines(lab());
        const about = (...parts: readonly string[]): readonly string[] =>
          lines.filter((line) => parts.every((part) => line.includes(part)));
        expect(about(`By direct TLS: xmpp.${partner.domain}:${DIRECT_TLS_PORT}.`)).not.toEqual([]);
        for (const [sender, target] of [
          [HOME.domain, partner.domain],
          [partner.domain, HOME.domain],
        ] as const) {
          const how = `Stanzas from ${sender} to ${target} are authorized on this stream, by certificate (SASL EXTERNAL)`;
          expect(about(how)).not.toEqual([]);
        }
      });

      test('nothing went past fedway', () => expect(shortCuts(lab(), HOME, partner)).toEqual([]));
    });
  }

  test('STARTTLS was neither asked for nor offered towards the partners', () => {
    expect(foreignLines(lab()).filter((line) => line.includes('starttls'))).toEqual([]);
  });
});

/** What fedway's log says of the world outside. */
function foreignLines(lab: Lab): readonly string[] {
  return (lab.fedway?.logSince(0) ?? '').split('\n').filter((line) => !line.includes(' side=home'));
}
