import { describe, expect, test } from 'vitest';
import type { Lab } from '../lab/lab.ts';
import { type Organization, SERVER_NAMES } from '../lab/organization.ts';
import { conversationTests, shortCuts } from './checks.ts';
import { FEDERATION, type FederationLab, REMOTE_DOMAINS } from './scenarios.ts';
import { withLab } from './with-lab.ts';

for (const group of FEDERATION) {
  const { home, authentication, settings, scenarios } = group;
  const numbers = scenarios.map(({ number }) => number);
  describe(`${SERVER_NAMES[home.server]} inside by ${nameOfConnector(home)}; ${authentication}`, () => {
    const lab = withLab({
      name: `interop-${numbers.join('-')}`,
      organizations: [home, ...scenarios.map(({ remote }) => remoteOf(group, remote))],
      fedway: settings,
    });
    for (const { number, remote, proof } of scenarios) {
      describe(`scenario ${number}: with ${SERVER_NAMES[remote]}`, () => {
        const partner = remoteOf(group, remote);
        conversationTests(lab, home, partner);
        test(`the domains proved themselves by ${proof === 'external' ? 'certificate' : 'dialback'}`, async () => {
          const how = proof === 'external' ? 'by certificate (SASL EXTERNAL)' : 'by dialback';
          await expect.poll(() => proofs(lab(), home.domain, partner.domain)).toEqual(new Set([how]));
          await expect.poll(() => proofs(lab(), partner.domain, home.domain)).toEqual(new Set([how]));
        });
        test('nothing went past fedway', () => expect(shortCuts(lab(), home, partner)).toEqual([]));
      });
    }
  });
}

function remoteOf({ profile }: FederationLab, server: keyof typeof REMOTE_DOMAINS): Organization {
  return { domain: REMOTE_DOMAINS[server], server, profile, users: ['bob'] };
}

/** How the sender was authorized, towards partners, each time; fedway's log marks lines about the server inside with `side=home`. */
function proofs(lab: Lab, sender: string, target: string): ReadonlySet<string> {
  const pattern = new RegExp(`Stanzas from ${sender} to ${target} are authorized on this stream, (by [^.]*)\\.`);
  const lines = (lab.fedway?.logSince(0) ?? '').split('\n').filter((line) => !line.includes(' side=home'));
  return new Set(lines.flatMap((line) => pattern.exec(line)?.[1] ?? []));
}

function nameOfConnector({ by }: Organization): string {
  return by === 'component' ? 'component (XEP-0114)' : 'S2S';
}
