import { beforeAll, describe, expect, test } from 'vitest';
import type { TestClient } from '../lab/client.ts';
import { errorOf, exchangeMessage, expectBounce } from '../lab/conversation.ts';
import { DNS_FAILURES, homeInside, ODD_DNS, partner } from './failures.ts';
import { withLab } from './with-lab.ts';

describe('the DNS of the world', () => {
  const lab = withLab({
    name: 'interop-dns',
    organizations: [
      homeInside(),
      partner('honest.lab', 'prosody', 'dbtls'),
      ...ODD_DNS.map(({ domain }) => partner(domain, 'prosody', 'dbtls')),
    ],
    fedway: { tls: 'required', authentication: 'either' },
  });
  let alice: TestClient;
  beforeAll(async () => {
    alice = await lab().login('alice@coluc.com');
  });

  for (const { number, title, domain, arrange, error, log } of DNS_FAILURES) {
    test(`scenario ${number}: ${title}: the sender gets ${error.condition}, and the log names the cause`, async () => {
      arrange(lab().dns, domain, lab().server('honest.lab').address);
      const mark = lab().fedway?.mark() ?? 0;
      const bounce = errorOf(await expectBounce(alice, `bob@${domain}`));
      expect(bounce.condition).toBe(error.condition);
      expect(bounce.text).toMatch(error.text ?? /^/);
      await lab().fedway?.waitForLog(log, mark);
    });
  }

  for (const { number, title, domain, arrange } of ODD_DNS) {
    test(`scenario ${number}: ${title}: messages arrive both ways`, async () => {
      arrange(lab().dns, domain, lab().server(domain).address);
      const bob = await lab().login(`bob@${domain}`);
      await expect(exchangeMessage(alice, bob)).resolves.toBeUndefined();
      await expect(exchangeMessage(bob, alice)).resolves.toBeUndefined();
    });
  }
});
