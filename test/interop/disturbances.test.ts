import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { TestClient } from '../lab/client.ts';
import { errorOf, exchangeMessage, expectBounce, untilDelivered } from '../lab/conversation.ts';
import type { FederationSettings, LabFedway } from '../lab/fedway.ts';
import { homeInside, partner } from './failures.ts';
import { withLab } from './with-lab.ts';

const REMOTES = [partner('vngtp.lab', 'prosody', 'dbtls'), partner('ejab.lab', 'ejabberd', 'dbtls')];

describe('a second box, which the DNS of the world names, answers for the home domain', () => {
  const lab = withLab({
    name: 'interop-boxes',
    organizations: [homeInside(), ...REMOTES, partner('third.lab', 'prosody', 'dbtls')],
    fedway: { tls: 'required', authentication: 'dialback' },
  });
  let alice: TestClient;
  beforeAll(async () => {
    alice = await lab().login('alice@coluc.com');
  });
  let second: LabFedway | undefined;
  afterEach(async () => second?.stop());
  const startSecondBox = async (name: string, settings: FederationSettings = {}): Promise<LabFedway> => {
    const box = lab().secondBox(name, settings);
    second = box;
    await box.start();
    lab().dns.publish('coluc.com', box.outside);
    return box;
  };

  test('scenario 91: with the same dialback secret it vouches for the first box, and brings answers in', async () => {
    const box = await startSecondBox('second-box');
    const bob = await lab().login('bob@third.lab');
    await exchangeMessage(alice, bob);
    await exchangeMessage(bob, alice);
    expect(await box.waitForLog(/Authoritative: told third\.lab that the dialback key is ours/, 0)).toContain(
      'third.lab',
    );
  });

  for (const { domain } of REMOTES) {
    test(`scenario 92: with another dialback secret it disowns the first box towards ${domain}; the sender is told`, async () => {
      const box = await startSecondBox(`stranger-for-${domain}`, {
        dialbackSecret: 'a secret that differs from the first',
      });
      const { condition, text } = errorOf(await expectBounce(alice, `bob@${domain}`));
      expect(condition).toBe('internal-server-error');
      expect(text).toMatch(/did not accept the proof of the sending domain/);
      await box.waitForLog(/Authoritative: did not confirm a dialback key to .*s2s\.dialback_secret differs/, 0);
      await lab().fedway?.waitForLog(
        new RegExp(`Stanzas from coluc\\.com to ${domain.replace('.', String.raw`\.`)} are not authorized`),
        0,
      );
    });
  }
});

describe('servers that go away in the middle of a conversation', () => {
  const lab = withLab({
    name: 'interop-restarts',
    organizations: [homeInside(), ...REMOTES],
    fedway: { tls: 'required', authentication: 'dialback' },
  });

  for (const { domain } of REMOTES) {
    test(`scenario 93: the partner ${domain} is killed: the sender is told; it comes back: messages arrive again`, async () => {
      const alice = await lab().login('alice@coluc.com', `with-${domain}`);
      const before = await lab().login(`bob@${domain}`);
      await exchangeMessage(alice, before);
      await exchangeMessage(before, alice);
      const mark = lab().fedway?.mark() ?? 0;
      await lab().server(domain).kill();
      expect(errorOf(await expectBounce(alice, `bob@${domain}`)).condition).toBe('remote-server-timeout');
      // The line may follow the bounce.
      await lab().fedway?.waitForLog(new RegExp(`${domain}.*(refused|went away)`, 'i'), mark);
      await lab().server(domain).start();
      const bob = await lab().login(`bob@${domain}`);
      await expect(untilDelivered(alice, bob)).resolves.toBeUndefined();
      await expect(untilDelivered(bob, alice)).resolves.toBeUndefined();
    });
  }

  test('scenario 94: the server inside is restarted: a sender outside is told while it is away; then messages arrive again', async () => {
    const bob = await lab().login('bob@vngtp.lab', 'during-restart');
    const before = await lab().login('alice@coluc.com', 'before');
    await exchangeMessage(bob, before);
    const mark = lab().fedway?.mark() ?? 0;
    await lab().server('coluc.com').stop();
    // Of its own home fedway answers as the home would of a user it cannot reach (RFC 6120 §8.3.3.19).
    expect(errorOf(await expectBounce(bob, 'alice@coluc.com')).condition).toBe('service-unavailable');
    await lab().fedway?.waitForLog(/connection refused.* side=home/, mark);
    await lab().server('coluc.com').start();
    const alice = await lab().login('alice@coluc.com', 'after');
    await expect(untilDelivered(bob, alice)).resolves.toBeUndefined();
    await expect(untilDelivered(alice, bob)).resolves.toBeUndefined();
  });

  test('scenario 95: fedway itself is restarted, without a word and in good order: messages arrive again', async () => {
    const alice = await lab().login('alice@coluc.com', 'fedway-restart');
    const bob = await lab().login('bob@ejab.lab', 'fedway-restart');
    await untilDelivered(alice, bob);
    await lab().fedway?.kill();
    await lab().fedway?.start();
    await expect(untilDelivered(alice, bob)).resolves.toBeUndefined();
    await lab().fedway?.stop();
    await lab().fedway?.start();
    await expect(untilDelivered(bob, alice)).resolves.toBeUndefined();
    await expect(untilDelivered(alice, bob)).resolves.toBeUndefined();
  });
});
