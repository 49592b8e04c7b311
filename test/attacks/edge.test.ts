import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { BoxStatus } from '../../src/box/operations.ts';
import type { LinkedBox } from '../../src/link/peer.ts';
import type { Json } from '../../src/protocol/link/messages.ts';
import { Deployment } from '../support/deployment.ts';
import { EdgeBox, untilTrue } from '../support/link-boxes.ts';
import { Attacked, Hostile } from './across-the-link.ts';

let ground: Deployment;
let core: Attacked;
/** An Edge that somebody has taken over: its pairing is valid, and it says what it likes. */
let mallory: EdgeBox;
let evil: Hostile;

beforeAll(async () => {
  ground = await Deployment.start({ network: 141, partners: 1, logLevel: 'info' });
  mallory = await EdgeBox.start({ name: 'mallory', timing: { queueStanzas: 100_000 } });
  await ground.core.box.command('link', 'join', await mallory.token('core-1'));
  await untilTrue(() => mallory.core.isUp);
  evil = new Hostile(mallory.recorder, () => mallory.core);
  const [partner] = ground.partners;
  if (partner !== undefined) core = new Attacked(ground.core.box, ground.ledger, partner, 'p1.lab>coluc.com');
}, 40_000);

afterAll(async () => {
  await mallory[Symbol.asyncDispose]();
  await ground[Symbol.asyncDispose]();
});

afterEach(() => core.stands());

/** What the Core shows of one box. */
async function shownOf(box: string): Promise<ReadonlyMap<string, Json>> {
  const entries = await core.box.ask((desk) => desk.config?.list() ?? Promise.resolve([]));
  return new Map(entries.filter((entry) => entry.box === box).map(({ key, value }) => [key, value]));
}

const OPEN = [
  { put: 'federation', value: true },
  { put: 'privacy', value: 'off' },
] as const;

describe('stanzas of a hostile Edge', () => {
  it('reach homes of the Core only, and never in the name of a home, however the addresses are written', async () => {
    evil.backfill('mallory-db', OPEN);
    await evil.settled();
    const before = (await core.box.status()).counters;
    evil.stanza('eve@p9.lab', 'eva@elsewhere.lab');
    evil.stanza('eve@p9.lab', 'eva@sub.coluc.com');
    evil.stanza('eva@coluc.com', 'eva@coluc.com');
    evil.stanza('eva@COLUC.com', 'anna@coluc.com');
    evil.stanza('coluc.com', 'coluc.com');
    evil.stanza('eve@p9.lab', 'p9.lab');
    await evil.settled();
    const { counters } = await core.box.status();
    expect(counters.dropped - before.dropped).toBe(6);
    expect(counters.inward).toBe(before.inward);
    expect(mallory.recorder.delivered).toEqual([]);
    expect(ground.ledger.oddities).toEqual([]);
  });
});

/** Bytes of the Core's database. */
const size = (): number =>
  ['', '-wal'].reduce((sum, end) => sum + statSync(join(core.box.dataFolder, `clusterdb.sqlite${end}`)).size, 0);

/** The Link breaks and comes back: what the Core had given up is tried again. */
async function again(): Promise<void> {
  const ups = mallory.recorder.ups.length;
  (mallory.core as LinkedBox).reconnect();
  await untilTrue(() => mallory.recorder.ups.length > ups && mallory.core.isUp);
}

describe('replication of a hostile Edge', () => {
  it('sets nothing that belongs to the Core, no secret, and nothing in the name of another database', async () => {
    const wrong = [
      ...OPEN,
      { put: 'homes.coluc.com.federation', value: false },
      { put: 'dialback_secret', value: 'this is a secret of mallory' },
      { put: 'tls', value: 'perhaps' },
      { put: '__proto__', value: { federation: false } },
      { put: 'allow.x.lab', value: '\u001b[2J\u0007 escape' },
      { put: 'allow.y.lab', value: 'fine' },
    ] as const;
    evil.backfill('mallory-db', wrong, 2 ** 53 - 1);
    await evil.settled();
    expect(await shownOf('mallory')).toEqual(
      new Map<string, Json>([
        ['allow.y.lab', 'fine'],
        ['dialback_secret', '(secret)'],
        ['federation', true],
        ['privacy', 'off'],
      ]),
    );
    const before = await shownOf('edge-1');
    const own = await evil.say({ is: 'follow', origin: undefined, since: 0 }, 'backfill');
    const honest = (await ground.edge.box.history())[0]?.origin ?? '';
    for (const origin of [own.origin, honest, '', '../../x', 'a'.repeat(65)]) {
      evil.backfill(origin, wrong.slice(2));
      await evil.settled();
      evil.tell({
        is: 'change',
        change: {
          origin,
          revision: 1,
          time: 0,
          author: 'root',
          reason: '',
          steps: [{ put: 'federation', value: false }],
        },
      });
      await evil.settled();
      expect(await shownOf('edge-1')).toEqual(before);
      expect(await shownOf('core-1')).toEqual(new Map());
      await again();
    }
  });

  it('of a million keys, or of keys with all the text that a message carries, is bounded in memory and time', async () => {
    const route = Array.from(
      { length: 32 },
      (_, n) => `n${n}.${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.lab:5269`,
    );
    evil.tell({ is: 'backfill', origin: 'mallory-db', revision: 2 });
    for (let n = 0; n < 6_500; n++) {
      evil.tell({ is: 'entry', step: { put: `routes.r${n}.lab`, value: route }, revision: 2 });
      if (n % 500 === 0) await pause(1);
    }
    evil.tell({ is: 'cutover', origin: 'mallory-db', revision: 2, entries: 6_500 });
    await core.served();
    expect(core.memory()).toBeLessThan(450);
    await evil.settled();
    await expect.poll(() => core.lines('replica-broken').at(-1)).toMatch(/more than \d+ characters/);
    await again();
    evil.tell({ is: 'backfill', origin: 'mallory-db', revision: 3 });
    for (let n = 0; n < 105_000; n++) {
      evil.tell({ is: 'entry', step: { put: `n${n}`, value: 0 }, revision: 2 });
      if (n % 2_000 === 0) await pause(1);
    }
    await core.served();
    await evil.settled();
    await expect.poll(() => core.lines('replica-broken').at(-1)).toMatch(/more than \d+ keys/);
    await again();
    evil.backfill('mallory-db', OPEN, 4);
    await evil.settled();
  }, 60_000);

  it('cannot fill the disk with its history', async () => {
    const before = size();
    const note = 'x'.repeat(500);
    for (let revision = 5; revision < 65; revision++) {
      const steps = Array.from({ length: 1_000 }, (_, n) => ({
        put: `allow.d${n}.lab`,
        value: `${note.slice(9)}${revision}`,
      }));
      evil.tell({
        is: 'change',
        change: { origin: 'mallory-db', revision, time: 0, author: 'root', reason: '', steps },
      });
      if (revision % 5 === 0) await evil.settled();
    }
    await evil.settled();
    expect((size() - before) / 1024 ** 2).toBeLessThan(25);
    evil.backfill('mallory-db', OPEN, 200);
    await evil.settled();
  }, 60_000);
});

describe('proposals of a hostile Edge', () => {
  it('are declined for keys of Edges, of homes that are none of the Core, and for what is no change', async () => {
    for (const steps of [
      [{ put: 'federation', value: false }],
      [{ put: 'homes.elsewhere.lab.federation', value: false }],
      [{ hide: 'homes.coluc.com.federation' }],
      [{ put: 'homes.coluc.com.federation', value: 'perhaps' }],
      [
        { put: 'homes.coluc.com.federation', value: false },
        { put: 'dialback_secret', value: 'x'.repeat(20) },
      ],
    ])
      expect(await evil.propose(steps)).toMatchObject({ is: 'declined' });
    expect(await shownOf('core-1')).toEqual(new Map());
  });

  it('cannot fill the database of the Core', async () => {
    for (let round = 0; round < 5; round++) {
      const steps = Array.from({ length: 5_000 }, (_, n) => ({
        put: `homes.h${round}-${n}.lab.federation`,
        value: false,
      }));
      await evil.propose(steps);
    }
    expect((await shownOf('core-1')).size).toBe(0);
  }, 30_000);

  it('with a hundred thousand expectations cost no more than one', async () => {
    for (let n = 0; n < 40; n++) await core.box.set({ 'homes.coluc.com.federation': n % 2 === 1 });
    const expectations = Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`k${n}`, 40]));
    const began = performance.now();
    const answer = await evil.propose([{ put: 'homes.coluc.com.federation', value: true }], expectations);
    expect(performance.now() - began).toBeLessThan(1_500);
    expect(answer.is).toBe('declined');
    await core.box.set({ 'homes.coluc.com.federation': null });
  }, 30_000);

  it('with a hundred thousand faults are answered shortly, and told in one short line', async () => {
    const steps = Array.from({ length: 150_000 }, (_, n) => ({ hide: `h${n}` }));
    const answer = await evil.propose(steps);
    expect(answer.is === 'declined' ? answer.problems.length : 0).toBeLessThan(100);
    const { box } = ground.core;
    const line = await box.log.wait(({ code }) => code === 'proposal-declined', core.mark);
    expect(JSON.stringify(line).length).toBeLessThan(5_000);
  }, 30_000);
});

describe('questions of a hostile Edge', () => {
  it('are not obeyed, and their answers hold no address, path or secret of the inside, and nothing of other Edges', async () => {
    const streams = await evil.ask('streams');
    const [stream] = streams as readonly { readonly connection: string }[];
    for (const about of [{ connection: stream?.connection ?? '', reason: 'evil' }, null, [], 'x', 1])
      expect(await evil.ask('close-stream', about)).toBeNull();
    for (const what of ['', 'config', 'config-list', 'link-list', '__proto__', 'constructor', 'x'.repeat(100_000)])
      expect(await evil.ask(what)).toBeNull();
    expect(ground.home.connections).toBe(1);
    const said = JSON.stringify([await evil.ask('status'), streams]);
    expect(said).toContain('coluc.com');
    expect(said).not.toMatch(/\b127\.|\d+\.\d+\.\d+\.\d+|\/tmp|\.sock|secret/);
  });

  it('come in thousands: few are answered, and nobody else waits', async () => {
    const before = mallory.recorder.messages.length;
    for (let n = 0; n < 5_000; n++) evil.tell({ is: 'ask', id: `f${n}`, what: 'status', about: null });
    await core.served();
    await pause(500);
    const answers = mallory.recorder.messages
      .slice(before)
      .filter((each) => each.is === 'told' && each.answer !== null);
    expect(answers.length).toBeLessThan(100);
  });

  it('to follow come in thousands: a copy is begun a few times', async () => {
    const before = mallory.recorder.messages.length;
    for (let n = 0; n < 5_000; n++) evil.tell({ is: 'follow', origin: undefined, since: 0 });
    await core.served();
    await evil.settled();
    const begun = mallory.recorder.messages.slice(before).filter(({ is }) => is === 'backfill');
    expect(begun.length).toBeLessThan(500);
  });
});

function answering(answer: (what: string) => Json): void {
  mallory.recorder.onMessage = (peer, message) => {
    if (message.is === 'ask') peer.tell({ is: 'told', id: message.id, answer: answer(message.what) });
  };
}

describe('answers of a hostile Edge', () => {
  const lie: BoxStatus = {
    name: 'edge-1',
    role: 'core',
    version: '\u001b]0;owned\u0007\u001b[2J',
    since: 0,
    alarms: Array.from({ length: 300 }, (_, n) => ({
      id: n,
      title: '\u001b[5m',
      about: '\u0000',
      what: 'line\nline\r\u202e',
      detail: undefined,
      cause: '\u001b[31m',
      cure: '\u0007',
      since: -1e300,
    })),
    publishers: [],
    federation: { on: false, detail: 'line\nline\r\u202e' },
    homes: Array.from({ length: 2_000 }, (_, n) => ({
      domain: `${n}\u001b[31m.lab`,
      federation: true,
      via: '\u0000',
    })),
    links: Array.from({ length: 300 }, (_, n) => ({
      name: `l${n}`,
      role: 'core',
      state: 'down',
      since: -1e300,
      because: '\u001b[5m'.repeat(9),
      peer: undefined,
      tls: undefined,
      certificateUntil: -1e300,
      homes: [],
      queued: { stanzas: 1e300, bytes: -1e300 },
      resumed: 1e300,
      stanzasIn: 0,
      stanzasOut: 0,
      replication: { theirs: 1e300, held: -1 },
    })),
    pairs: [],
    counters: { inward: -1e308, outward: 1e308, bounced: 0.5, dropped: 0 },
    streams: 3,
    others: [],
  };

  afterEach(() => {
    mallory.recorder.onMessage = () => undefined;
  });

  it('are shown to an administrator under its own name, and cannot disturb the terminal', async () => {
    answering((what) => (what === 'status' ? (lie as unknown as Json) : null));
    const { out, err } = await core.box.tryCommand('status');
    expect(`${out}${err}`).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f\u202e]/);
    expect(out).toContain('Edge mallory');
    expect(out.match(/edge-1/g)?.length ?? 0).toBeLessThan(6);
    expect(out.split('\n').length).toBeLessThan(500);
    const json = JSON.parse((await core.box.tryCommand('status', '--json')).out) as BoxStatus;
    expect(json.others.map(({ name, role }) => `${role} ${name}`).toSorted()).toEqual(['edge edge-1', 'edge mallory']);
  });

  it('of streams are shown as its own', async () => {
    const [real] = await core.box.ask((desk) => desk.streams());
    answering((what) =>
      what === 'streams' ? ([{ ...real, connection: 'fffffffff', box: 'core-1' }] as unknown as Json) : null,
    );
    const streams = await core.box.ask((desk) => desk.streams());
    expect(streams.filter(({ connection }) => connection === 'fffffffff').map(({ box }) => box)).toEqual(['mallory']);
  });

  it('of no form at all are left out', async () => {
    for (const answer of [1, 'x', [[], null, 1], [null], ['x'.repeat(3_000_000)]] as readonly Json[]) {
      answering(() => answer);
      expect((await core.box.ask((desk) => desk.status())).others.map(({ name }) => name)).toEqual(['edge-1']);
      const streams = await core.box.ask((desk) => desk.streams());
      expect(new Set(streams.map(({ box }) => box))).toEqual(new Set(['core-1', 'edge-1']));
    }
    answering((what) => (what === 'status' ? { name: 1, homes: 'x' } : [{ connection: 1 }]));
    const { status, out } = await core.box.tryCommand('status', '--json');
    expect(status).toBeLessThan(4);
    expect((JSON.parse(out) as BoxStatus).others.map(({ name }) => name)).toEqual(['edge-1']);
    expect((await core.box.tryCommand('streams', 'list')).status).toBe(0);
  }, 30_000);

  it('to nobody, or to somebody else, count for nothing', async () => {
    evil.tell({ is: 'told', id: 'x', answer: lie as unknown as Json });
    evil.tell({ is: 'renewed', chain: '-----BEGIN CERTIFICATE-----' });
    evil.tell({ is: 'accepted', id: 'x', revision: 1 });
    evil.tell({ is: 'declined', id: 'x', conflict: true, problems: ['x'] });
    evil.tell({ is: 'homes', domains: ['coluc.com'] });
    evil.tell({ is: 'renew', publicKey: 'x' });
    await evil.settled();
    const status = await core.box.status();
    expect(status.links.find(({ name }) => name === 'mallory')).toMatchObject({ state: 'up', homes: [] });
  });

  it('about homes name homes of the Core only, and a hundred thousand of them are a few lines', async () => {
    const domains = Array.from({ length: 30_000 }, (_, n) => `${n}.lab`);
    const refused = domains.map((each) => ({ domain: each, because: 'x'.repeat(30) }));
    evil.tell({ is: 'homes-judged', accepted: ['coluc.com', ...domains], refused });
    await evil.settled();
    const { links } = await core.box.status();
    expect(links.find(({ name }) => name === 'mallory')?.homes).toEqual(['coluc.com']);
    expect(core.lines('link-home-refused')).toEqual([]);
    for (let n = 0; n < 300; n++)
      evil.tell({ is: 'homes-judged', accepted: [], refused: [{ domain: 'coluc.com', because: `${n}` }] });
    await evil.settled();
    expect(core.lines('link-home-refused').length).toBeLessThan(50);
  });
});
