import { describe, expect, test } from 'vitest';
import { type Organization, SERVER_NAMES } from '../lab/organization.ts';
import { conversationTests, shortCuts } from './checks.ts';
import { withLab } from './with-lab.ts';

/** Real servers with each other, without fedway: when one of these fails the lab is to blame. */
const CONTROLS: readonly { readonly number: number; readonly one: Organization; readonly other: Organization }[] = [
  {
    number: 1,
    one: { domain: 'coluc.com', server: 'prosody', profile: 'ca', users: ['alice'] },
    other: { domain: 'ejab.lab', server: 'ejabberd', profile: 'ca', users: ['bob'] },
  },
  {
    number: 2,
    one: { domain: 'coluc.com', server: 'ejabberd', profile: 'dbtls', users: ['alice'] },
    other: { domain: 'jabd.lab', server: 'jabberd2', profile: 'dbtls', users: ['bob'] },
  },
  {
    number: 3,
    one: { domain: 'coluc.com', server: 'prosody', profile: 'dbplain', users: ['alice'] },
    other: { domain: 'jabd.lab', server: 'jabberd2', profile: 'dbplain', users: ['bob'] },
  },
];

for (const { number, one, other } of CONTROLS) {
  describe(`control ${number}: ${SERVER_NAMES[one.server]} with ${SERVER_NAMES[other.server]} directly, ${one.profile}`, () => {
    const lab = withLab({ name: `control-${number}`, organizations: [one, other] });
    conversationTests(lab, one, other);
    test('their logs name the addresses of each other, so that going past fedway would be seen', () => {
      expect(shortCuts(lab(), one, other)).not.toEqual([]);
    });
  });
}
