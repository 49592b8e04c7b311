import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newKeyPair } from '../../src/net/tls/issue.ts';
import type { LinkMessage } from '../../src/protocol/link/messages.ts';
import { Deployment } from '../support/deployment.ts';
import { CoreBox, untilTrue } from '../support/link-boxes.ts';
import { Attacked, Hostile } from './across-the-link.ts';

let ground: Deployment;
let edge: Attacked;
/** A Core that was invited for the home b.lab, and says what it likes. */
let mallory: CoreBox;
let evil: Hostile;

beforeAll(async () => {
  ground = await Deployment.start({
    network: 142,
    partners: 1,
    logLevel: 'info',
    cores: [{ homes: ['coluc.com'] }, { homes: ['b.lab'] }],
    conversing: ['coluc.com'],
  });
  // The Core that had b.lab is gone, and another one comes in its place.
  await ground.edge.box.command('link', 'revoke', 'core-2');
  mallory = await CoreBox.start({ name: 'mallory', timing: { queueStanzas: 100_000 } });
  await mallory.join((await ground.edge.box.command('link', 'invite', 'mallory', '--domain', 'B.lab')).trim());
  await untilTrue(() => mallory.edge.isUp);
  evil = new Hostile(mallory.recorder, () => mallory.edge);
  edge = new Attacked(ground.edge.box, ground.ledger, ground.home, 'coluc.com>p1.lab');
}, 40_000);

afterAll(async () => {
  await mallory[Symbol.asyncDispose]();
  await ground[Symbol.asyncDispose]();
});

afterEach(() => edge.stands());

/** Waits for the log lines about stanzas that were dropped since the test began. */
async function dropped(count: number): Promise<number> {
  await untilTrue(() => edge.lines('dropped').length >= count, 3_000);
  return edge.lines('dropped').length;
}

describe('homes of a hostile Core', () => {
  it('before it has announced any, it speaks for none of another Core, nor for partners', async () => {
    evil.stanza('eve@coluc.com', 'jan@p1.lab');
    evil.stanza('eve@p9.lab', 'jan@p1.lab');
    expect(await dropped(2)).toBe(2);
  });

  it('are those of its invitation, however they are written, and never those of another Core', async () => {
    const domains = [
      'coluc.com',
      'COLUC.com',
      'coluc.com.',
      'b.lab.',
      'sub.coluc.com',
      'p1.lab',
      '',
      '\u001b[2J',
      'x'.repeat(3_000),
    ];
    const judged = await evil.say({ is: 'homes', domains }, 'homes-judged');
    expect(judged.accepted).toEqual(['b.lab']);
    expect(judged.refused.length).toBe(8);
    expect(JSON.stringify(judged).length).toBeLessThan(4_000);
    evil.stanza('eve@coluc.com', 'jan@p1.lab');
    evil.stanza('eve@p1.lab', 'jan@p1.lab');
    evil.stanza('eve@sub.b.lab', 'jan@p1.lab');
    expect(await dropped(3)).toBe(3);
    // To another home: it comes back, and does not go inside.
    evil.stanza('eve@b.lab', 'eva@coluc.com');
    await untilTrue(() => mallory.recorder.delivered.includes('evil'));
    expect(ground.ledger.check().sent).toBeGreaterThan(0);
  });

  it('a hundred thousand announced at once, again and again, cost little, now and with each later change', async () => {
    const many = Array.from({ length: 100_000 }, (_, n) => `m\u00fcnchen${n}.lab`);
    for (let round = 0; round < 5; round++) {
      evil.tell({ is: 'homes', domains: many });
      await pause(1);
    }
    await evil.say({ is: 'homes', domains: ['b.lab', ...many] }, 'homes-judged', ({ accepted }) =>
      accepted.includes('b.lab'),
    );
    const began = performance.now();
    for (let n = 0; n < 10; n++) await edge.box.set({ 'allow.x.lab': `${n}` });
    expect(performance.now() - began).toBeLessThan(2_000);
  }, 30_000);
});

describe('replication of a hostile Core', () => {
  it('switches no home of another Core off, before and after it has announced its own', async () => {
    for (const homes of [[], ['b.lab'], ['b.lab', 'coluc.com']]) {
      evil.tell({ is: 'homes', domains: homes });
      evil.tell({ is: 'backfill', origin: 'mallory-db', revision: 1 });
      for (const home of ['coluc.com', 'b.lab', '*.lab', 'p1.lab'])
        evil.tell({ is: 'entry', step: { put: `homes.${home}.federation`, value: false }, revision: 1 });
      for (const key of ['federation', 'dialback_secret', 'tls'])
        evil.tell({ is: 'entry', step: { put: key, value: false }, revision: 1 });
      evil.tell({ is: 'cutover', origin: 'mallory-db', revision: 1, entries: 7 });
      await evil.settled();
      await edge.served();
      const { homes: shown, federation } = await edge.box.status();
      expect(federation.on).toBe(true);
      expect(shown.map(({ domain: home, federation: on }) => [home, on])).toEqual([
        ['coluc.com', true],
        ['b.lab', false],
      ]);
    }
    evil.tell({ is: 'backfill', origin: 'mallory-db', revision: 2 });
    evil.tell({ is: 'cutover', origin: 'mallory-db', revision: 2, entries: 0 });
    await evil.settled();
  });

  it('gets no secret, whatever it asks for, and none it proposes is ever repeated', async () => {
    const secret = 'a-secret-that-nobody-may-repeat';
    const answers: LinkMessage[] = [];
    for (const steps of [
      [{ put: 'dialback_secret', value: 'short-secret' }],
      [{ put: 'dialback_secret', value: { secret } }],
      [
        { put: 'dialback_secret', value: secret },
        { put: 'tls', value: secret },
      ],
      [
        { put: 'dialback_secret', value: secret },
        { put: 'dialback_secret', value: secret },
      ],
    ]) {
      answers.push(await evil.propose(steps));
    }
    const proposed = [{ put: 'dialback_secret', value: secret }];
    answers.push(await evil.propose(proposed, { dialback_secret: 77 }));
    expect(answers.map(({ is }) => is)).toEqual(answers.map(() => 'declined'));
    const from = mallory.recorder.messages.length;
    await evil.say({ is: 'follow', origin: undefined, since: 0 }, 'cutover');
    const copy = mallory.recorder.messages.slice(from);
    expect(JSON.stringify(copy)).toContain('"hide":"dialback_secret"');
    const everything = [JSON.stringify(answers), JSON.stringify(copy), edge.box.everyLine.join('\n')].join('\n');
    // What is wrong with `tls` may quote its value; that it is also a secret nobody can know.
    expect(everything.replaceAll(/"?tls: [^\n]*/g, '')).not.toMatch(/a-secret-that-nobody|short-secret/);
    expect(JSON.stringify([await evil.ask('status'), await evil.ask('streams')])).not.toContain('secret');
  });
});

describe('keys and names of a hostile Core', () => {
  it('a weak, a foreign or no key is not signed, and a loop ends soon', async () => {
    const before = mallory.recorder.messages.length;
    for (const publicKey of [
      '',
      'x',
      '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n',
      'A'.repeat(2_000),
    ])
      evil.tell({ is: 'renew', publicKey });
    const { publicKey } = await newKeyPair();
    for (let n = 0; n < 1_000; n++) evil.tell({ is: 'renew', publicKey });
    await evil.settled();
    await pause(300);
    const renewed = mallory.recorder.messages.slice(before).filter(({ is }) => is === 'renewed');
    // They are not passed on by the Core's own end, so ask the Edge's log.
    expect(renewed.length).toBe(0);
    const lines = edge.box.log.since(edge.mark);
    expect(lines.filter(({ code }) => code === 'link-certificate-renewed').length).toBeLessThanOrEqual(10);
    expect(lines.length).toBeLessThan(60);
    expect(mallory.edge.isUp).toBe(true);
  });

  it('an invitation is for the name it was made for: another Core, or a name of its choice, is not to be had', async () => {
    await using other = await CoreBox.start({ name: 'core-1' });
    const token = (await edge.box.command('link', 'invite', 'third', '--domain', 'b.lab')).trim();
    await other.join(token);
    const { links } = await edge.box.status();
    expect(links.map(({ name }) => name).toSorted()).toEqual(['core-1', 'mallory', 'third']);
    expect(links.find(({ name }) => name === 'core-1')).toMatchObject({ state: 'up', homes: ['coluc.com'] });
    const taken = (await edge.box.command('link', 'invite', 'core-1')).trim();
    expect(await mallory.dialers.join(taken)).toHaveProperty('refused');
    await edge.box.command('link', 'revoke', 'third');
  }, 20_000);
});
