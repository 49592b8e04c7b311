import { copyFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TestClient } from '../lab/client.ts';
import { errorOf, exchangeMessage, expectBounce, untilDelivered } from '../lab/conversation.ts';
import { domainsOf } from '../lab/organization.ts';
import { CERTIFICATE_FAILURES, homeInside, partner } from './failures.ts';
import { withLab } from './with-lab.ts';

describe('authentication by certificate is wanted, and the partner shows', () => {
  const lab = withLab({
    name: 'interop-certificates',
    organizations: [
      homeInside(),
      ...CERTIFICATE_FAILURES.map(({ domain, server, kind }) => partner(domain, server, 'ca', kind)),
      partner('server-only.lab', 'prosody', 'ca', 'server-only'),
    ],
    fedway: { tls: 'required', authentication: 'external' },
  });
  let alice: TestClient;
  beforeAll(async () => {
    alice = await lab().login('alice@coluc.com');
  });

  /** What the log says of a partner; it is polled, since a sender may be told before the line is on disk. */
  const saidOf = (domain: string, mark: number): string =>
    (lab().fedway?.logSince(mark) ?? '')
      .split('\n')
      .filter((line) => line.includes(domain))
      .join('\n');

  for (const { number, title, domain, log } of CERTIFICATE_FAILURES) {
    test(`scenario ${number}: ${title}: a message to it is returned, and the log names the cause`, async () => {
      const mark = lab().fedway?.mark() ?? 0;
      const { condition, text } = errorOf(await expectBounce(alice, `bob@${domain}`));
      expect(condition).toBe('remote-server-timeout');
      expect(text).toMatch(/could not authenticate|No secure connection/);
      await expect.poll(() => saidOf(domain, mark), { timeout: 5_000 }).toMatch(log);
    });
    test(`scenario ${number}: ${title}: a message from it does not come in, and its sender is told`, async () => {
      const bob = await lab().login(`bob@${domain}`);
      const mark = lab().fedway?.mark() ?? 0;
      const { condition } = errorOf(await expectBounce(bob, alice.account));
      expect(condition).toMatch(/remote-server-timeout|remote-server-not-found|internal-server-error|not-authorized/);
      await expect.poll(() => saidOf(domain, mark), { timeout: 5_000 }).toMatch(log);
      expect(
        alice.unread.filter(({ attributes }) => attributes['from']?.includes(domain) && attributes['type'] === 'chat'),
      ).toEqual([]);
    });
  }

  test('scenario 66: a certificate for server authentication only, as public authorities issue it, is good in both directions', async () => {
    const bob = await lab().login('bob@server-only.lab');
    await exchangeMessage(alice, bob);
    await exchangeMessage(bob, alice);
    await expect
      .poll(() => saidOf('server-only.lab', 0), { timeout: 5_000 })
      .toMatch(/Stanzas from server-only\.lab to coluc\.com are authorized on this stream, by certificate/);
  });
});

describe('the home domain has an expired certificate, and partners insist on a good one', () => {
  const home = homeInside();
  const lab = withLab({
    name: 'interop-renewal',
    organizations: [home, partner('vngtp.lab', 'prosody', 'ca')],
    fedway: { tls: 'required', authentication: 'external', certificate: 'expired' },
  });

  test('scenario 67: messages are returned; a renewed certificate is taken on SIGHUP, without a restart, and they arrive', async () => {
    const alice = await lab().login('alice@coluc.com');
    const bob = await lab().login('bob@vngtp.lab');
    expect(errorOf(await expectBounce(alice, bob.jid)).condition).toBe('remote-server-timeout');
    const [expired, renewed] = [
      lab().authority.issue(domainsOf(home), 'expired'),
      lab().authority.issue(domainsOf(home)),
    ];
    const mark = lab().fedway?.mark() ?? 0;
    copyFileSync(renewed.certificate, expired.certificate);
    copyFileSync(renewed.key, expired.key);
    lab().fedway?.signal('SIGHUP');
    await lab().fedway?.waitForLog(/Certificate .* is in use for coluc\.com/, mark);
    await expect(untilDelivered(alice, bob)).resolves.toBeUndefined();
    await expect(untilDelivered(bob, alice)).resolves.toBeUndefined();
  });
});
