import { describe, expect, test } from 'vitest';
import { exchangeMessage } from '../lab/conversation.ts';
import { homeInside, partner } from './failures.ts';
import { withLab } from './with-lab.ts';

const KEY = '[0-9a-f]{64}';
/** Attributes in the order of whoever wrote them. */
const TAG = '[^>]*';

/** The lines of the reference system's three walks, as somebody who holds its page looks for them, each in the order of the walk. */
const WALKS: Readonly<Record<string, readonly RegExp[]>> = {
  initiating: [
    /CodeLocation="stanza\.component\.out" Detail="xcoder=[0-9A-F]{9} sending:: <db:result from='coluc\.com' to='vngtp\.lab'>[0-9a-f]{64}<\/db:result>"/,
    /Level="DEBUG" CodeLocation="stream\.out" Detail="\([0-9a-f-]{36}, coluc\.com:vngtp\.lab, OUT\) xcoder=[0-9A-F]{9} Scheduling dialback timeout in 30 secs\."/,
    /Level="INFO " CodeLocation="ConnInfoHistory" Detail="Connection state change: PENDING->CONNECTED: \([0-9a-f-]{36}, coluc\.com:vngtp\.lab, OUT\)/,
  ],
  receiving: [
    new RegExp(
      `CodeLocation="stanza\\.component\\.in" Detail="xcoder=[0-9A-F]{9} received:: <db:result${TAG}>${KEY}</db:result>"`,
    ),
    /Detail="Starting resolver lookup for 'vngtp\.lab:puny=vngtp\.lab:service=_xmpp-server\._tcp:defport=0'"/,
    /Detail="\([0-9a-f-]{36}, coluc\.com:vngtp\.lab, IN\) resolved dialback address for host=vngtp\.lab method=SRV dns-timings=\(TOTAL:\d\.\d{6} SRV:\d\.\d{6}\)/,
    new RegExp(
      `Detail="\\([0-9a-f-]{36}, coluc\\.com:vngtp\\.lab, IN\\) DBVerify stream is open\\. Sending db:verify packet: <db:verify${TAG}>${KEY}</db:verify>"`,
    ),
    new RegExp(
      `Detail="\\([0-9a-f-]{36}, coluc\\.com:vngtp\\.lab, IN\\) DBVerify Packet Received <db:verify${TAG} type='valid'`,
    ),
    /Connection state change: PENDING->CONNECTED: \([0-9a-f-]{36}, coluc\.com:vngtp\.lab, IN\)/,
  ],
  authoritative: [
    /CodeLocation="debug" Detail="xcoder=[0-9A-F]{9} onStreamOpen:: <stream:stream[^>]*from='vngtp\.lab'/,
    new RegExp(
      `CodeLocation="stanza\\.component\\.in" Detail="xcoder=[0-9A-F]{9} received:: <db:verify${TAG}>${KEY}</db:verify>"`,
    ),
    /sending:: <db:verify from='coluc\.com' to='vngtp\.lab'[^>]* type='valid'\/>"/,
  ],
};

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
    for (const [role, steps] of Object.entries(WALKS)) {
      // A message may be there before the last lines are on disk.
      for (const step of steps) await lab().fedway?.waitForLog(step, 0);
      const lines = lab().fedway?.logSince(0).split('\n') ?? [];
      let after = -1;
      for (const step of steps) {
        const found = lines.findIndex((line, index) => index > after && step.test(line));
        expect(found, `${role}: ${step} after line ${after}`).toBeGreaterThan(after);
        after = found;
      }
    }
    expect(lab().fedway?.logSince(0)).not.toContain('wonderland');
  });
});
