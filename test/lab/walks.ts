const KEY = '[0-9a-f]{64}';
/** Attributes in the order of whoever wrote them. */
const TAG = '[^>]*';

/** The lines of the reference system's three walks, between coluc.com and vngtp.lab, as somebody who holds its page looks for them, each in the order of the walk. */
export const WALKS: Readonly<Record<string, readonly RegExp[]>> = {
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

interface ReadLog {
  waitFor(pattern: RegExp, mark: number): Promise<unknown>;
  since(mark: number): string;
}

/** Waits for the lines of a walk in a log of coluc.com; throws when one is missing or comes too early. */
export async function expectWalk(log: ReadLog, steps: readonly RegExp[], mark = 0): Promise<void> {
  // A message may be there before the last lines are on disk.
  for (const step of steps) await log.waitFor(step, mark);
  const lines = log.since(mark).split('\n');
  let after = -1;
  for (const step of steps) {
    const found = lines.findIndex((line, index) => index > after && step.test(line));
    if (found < 0) throw new Error(`no line like ${step} behind ${lines[after] ?? 'the begin'}`);
    after = found;
  }
}
