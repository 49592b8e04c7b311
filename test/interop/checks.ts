import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { TestClient } from '../lab/client.ts';
import { burst, disco, exchangeMessage, meetInRoom, ping, subscribe } from '../lab/conversation.ts';
import type { Lab } from '../lab/lab.ts';
import { hasRooms, type Organization } from '../lab/organization.ts';

/** The bursts of every scenario, in each direction. */
const BURST = 1000;

/** Everything users of two domains do with each other, in both directions. The tests depend on each other's order. */
export function conversationTests(lab: () => Lab, home: Organization, remote: Organization): void {
  let alice: TestClient;
  let bob: TestClient;
  const directions = (): readonly (readonly [TestClient, TestClient])[] => [
    [alice, bob],
    [bob, alice],
  ];
  const both = async (check: (from: TestClient, to: TestClient) => Promise<unknown>): Promise<void> => {
    for (const [from, to] of directions()) await check(from, to);
  };

  test('both users log in, and messages arrive unchanged', async () => {
    alice = await lab().login(accountOf(home), `with-${remote.domain}`);
    bob = await lab().login(accountOf(remote));
    await expect(both(exchangeMessage)).resolves.toBeUndefined();
  });
  test('presence subscriptions: request, consent, available presence, a change of it', async () =>
    expect(both(subscribe)).resolves.toBeUndefined());
  test('IQ: server and client answer pings', async () => expect(both(ping)).resolves.toBeUndefined());
  test('IQ: server and client answer disco#info', async () => expect(both(disco)).resolves.toBeUndefined());
  for (const [owner, name] of [
    [remote, 'of the partner'],
    [home, 'of the home'],
  ] as const) {
    if (!hasRooms(owner)) continue;
    test(`a chat room ${name}: join, talk both ways, leave`, async () => {
      const meeting = owner === home ? meetInRoom(alice, bob) : meetInRoom(bob, alice);
      await expect(meeting).resolves.toBeUndefined();
    });
  }
  test(`${BURST} messages out arrive in order, none lost, none twice`, async () =>
    expect(burst(alice, bob, BURST)).resolves.toHaveProperty('seconds'));
  test(`${BURST} messages in arrive in order, none lost, none twice`, async () =>
    expect(burst(bob, alice, BURST)).resolves.toHaveProperty('seconds'));
}

/** Lines in which the log of one side names the other side's real address: none, when everything went through fedway. */
export function shortCuts(lab: Lab, home: Organization, remote: Organization): readonly string[] {
  const directions = [
    [home, remote],
    [remote, home],
  ] as const;
  return directions.flatMap(([one, other]) => {
    const address = new RegExp(
      String.raw`(?<![\d.])${lab.server(other.domain).address.replaceAll('.', String.raw`\.`)}(?![\d.]*\d)`,
    );
    const lines = lab.server(one.domain).logs.flatMap((file) => readFileSync(file, 'utf8').split('\n'));
    return lines.filter((line) => address.test(line));
  });
}

function accountOf({ users, domain }: Organization): string {
  return `${users[0]}@${domain}`;
}
