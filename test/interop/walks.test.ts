import { describe, expect, test } from 'vitest';
import { exchangeMessage } from '../lab/conversation.ts';
import { expectWalk, WALKS } from '../lab/walks.ts';
import { homeInside, partner } from './failures.ts';
import { withLab } from './with-lab.ts';

describe("the reference system's three dialback walks, over real sockets with a real partner", () => {
  const lab = withLab({
    name: 'interop-walks',
    organizations: [homeInside(), partner('vngtp.lab', 'ejabberd', 'dbtls')],
    fedway: { tls: 'required', authentication: 'dialback', logFormat: 'expressway', logLevel: 'info' },
  });

  test('scenario 98: at level info, each step of each walk is a line of the log in its shape, in its order', async () => {
    const alice = await lab().login('alice@coluc.com');
    const bob = await lab().login('bob@vngtp.lab');
    await exchangeMessage(alice, bob);
    await exchangeMessage(bob, alice);
    const log = {
      waitFor: async (pattern: RegExp, mark: number) => lab().fedway?.waitForLog(pattern, mark),
      since: (mark: number) => lab().fedway?.logSince(mark) ?? '',
    };
    for (const steps of Object.values(WALKS)) await expectWalk(log, steps);
    expect(lab().fedway?.logSince(0)).not.toContain('wonderland');
  });
});
