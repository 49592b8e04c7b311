import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Deployment } from '../support/deployment.ts';
import type { Flow } from '../support/ledger.ts';
import { until } from '../support/until.ts';

const IN: Flow = 'p1.lab>coluc.com';
const OUT: Flow = 'coluc.com>p1.lab';

let ground: Deployment;

beforeAll(async () => {
  ground = await Deployment.start({
    network: 144,
    partners: 2,
    logLevel: 'info',
    link: { hold: '20s', quiet: '500ms' },
  });
  const { ledger } = ground;
  const arrived = ledger.arrived.bind(ledger);
  ledger.arrived = (flow, number) => {
    arrivals.get(flow)?.push(number);
    arrived(flow, number);
  };
}, 40_000);

/** Numbers of what arrived, by flow. */
const arrivals = new Map<Flow, number[]>([
  [IN, []],
  [OUT, []],
]);

/** What arrived and was sent after so many. */
function late(flow: Flow, sent: number): readonly number[] {
  return (arrivals.get(flow) ?? []).filter((number) => number > sent);
}

afterAll(async () => {
  await ground[Symbol.asyncDispose]();
});

/** Sends on both ways without a pause until it is told to stop. */
function streaming(): { stop(): Promise<void> } {
  const [partner] = ground.partners;
  const stopping = new AbortController();
  const running = (async () => {
    while (!stopping.signal.aborted) {
      partner?.send(IN);
      ground.home.send(OUT);
      await pause(1);
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

async function delivering(flow: Flow): Promise<void> {
  const before = ground.ledger.deliveredOf(flow);
  await until(() => ground.ledger.deliveredOf(flow) > before, `${flow} flows`);
}

async function streamsWith(remote: string): Promise<number> {
  const streams = await ground.edge.box.ask((desk) => desk.streams());
  return streams.filter((stream) => stream.remote === remote && stream.side === 'foreign').length;
}

const OPEN = { federation: true, privacy: 'deny_list', 'deny.p1.lab': null } as const;

describe('what is sent after the answer of config set', () => {
  it.each([
    ['a partner is denied', { 'deny.p1.lab': '' }],
    ['federation is switched off', { federation: false }],
  ] as const)(
    'never arrives, in either direction, when %s; no stream, attempt or verification is left',
    async (_what, change) => {
      await ground.edge.box.set(OPEN);
      const traffic = streaming();
      await delivering(IN);
      await delivering(OUT);
      await ground.edge.box.set(change);
      const sent = { in: ground.ledger.countOf(IN), out: ground.ledger.countOf(OUT) };
      expect(await streamsWith('p1.lab')).toBe(0);
      await pause(700);
      await traffic.stop();
      await ground.ledger.settled(500);
      expect(late(IN, sent.in)).toEqual([]);
      expect(late(OUT, sent.out)).toEqual([]);
      const { pairs } = await ground.edge.box.status();
      expect(pairs.filter((pair) => pair.target === 'p1.lab' && pair.state !== 'bounce')).toEqual([]);
      await ground.edge.box.set(OPEN);
      await ground.connected();
    },
    30_000,
  );

  it('nor what waited for the Link when federation was switched off, either way', async () => {
    await ground.edge.box.set(OPEN);
    const [partner] = ground.partners;
    const { link } = ground.edge;
    await link.refuse();
    link.cut('rst');
    await until(
      async () => (await ground.core.box.status()).links.every(({ state }) => state !== 'up'),
      'the Link is down',
    );
    const before = { in: ground.ledger.countOf(IN), out: ground.ledger.countOf(OUT) };
    for (let n = 0; n < 10; n++) {
      partner?.send(IN);
      ground.home.send(OUT);
    }
    await until(
      async () => (await ground.edge.box.status()).links.some(({ queued }) => queued.stanzas >= 10),
      'stanzas wait on the Edge',
    );
    await ground.edge.box.set({ federation: false });
    await link.admit();
    await until(
      async () => (await ground.core.box.status()).links.every(({ state }) => state === 'up'),
      'the Link is up',
    );
    await ground.ledger.settled(1_000);
    expect(late(IN, before.in)).toEqual([]);
    expect(late(OUT, before.out)).toEqual([]);
    await ground.edge.box.set(OPEN);
  }, 30_000);
});
