import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Organization, SERVER_NAMES, type ServerSoftware } from '../lab/organization.ts';
import { conversationTests, shortCuts } from './checks.ts';
import { REMOTE_DOMAINS } from './scenarios.ts';
import { withLab } from './with-lab.ts';

interface SplitGroup {
  readonly first: number;
  readonly home: Organization;
  readonly authentication: 'external' | 'dialback';
  readonly partners: readonly ServerSoftware[];
}

const BEHIND = { domain: 'coluc.com', users: ['alice'], profile: 'dbtls', behind: 'fedway' } as const;

const GROUPS: readonly SplitGroup[] = [
  {
    first: 101,
    home: { ...BEHIND, server: 'prosody', by: 's2s' },
    authentication: 'dialback',
    partners: ['prosody', 'ejabberd', 'jabberd2'],
  },
  {
    first: 104,
    home: { ...BEHIND, server: 'ejabberd', by: 's2s' },
    authentication: 'external',
    partners: ['prosody', 'ejabberd'],
  },
  {
    first: 106,
    home: {
      ...BEHIND,
      server: 'prosody',
      by: 'component',
      componentDomains: [REMOTE_DOMAINS.ejabberd, `conference.${REMOTE_DOMAINS.ejabberd}`],
    },
    authentication: 'dialback',
    partners: ['ejabberd'],
  },
];

for (const { first, home, authentication, partners } of GROUPS) {
  describe(`${SERVER_NAMES[home.server]} behind a Core by ${home.by}, partners at the Edge, ${authentication}`, () => {
    const organizations = partners.map(
      (server): Organization => ({
        domain: REMOTE_DOMAINS[server],
        server,
        profile: authentication === 'external' ? 'ca' : 'dbtls',
        users: ['bob'],
      }),
    );
    const lab = withLab({
      name: `interop-split-${first}`,
      organizations: [home, ...organizations],
      fedway: { split: true, authentication },
    });
    for (const [index, partner] of organizations.entries()) {
      describe(`scenario ${first + index}: with ${SERVER_NAMES[partner.server]}`, () => {
        conversationTests(lab, home, partner);
        test('nothing went past fedway', () => expect(shortCuts(lab(), home, partner)).toEqual([]));
      });
    }
    test('neither the file nor the database of the Edge knows an address of the inside', () => {
      const { folder, servers } = lab();
      const inside = servers
        .filter(({ organization }) => organization.behind === 'fedway')
        .map(({ address }) => address);
      for (const file of ['edge.yaml', 'data/clusterdb.sqlite']) {
        const text = readFileSync(`${folder}/fedway/edge/${file}`, 'latin1');
        for (const address of inside) expect(text).not.toContain(address);
      }
    });
  });
}
