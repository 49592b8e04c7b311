import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { DeployedBox } from '../support/deployed-box.ts';
import { Deployment } from '../support/deployment.ts';
import { until } from '../support/until.ts';

const MODULE = 'developer.clusterdb.restapi';

/** Waits until a box shows a value; `undefined`: that the key is not set. */
async function shows(box: DeployedBox, key: string, value: unknown): Promise<void> {
  let seen: unknown;
  await until(
    async () => {
      seen = (await box.values()).get(key);
      return JSON.stringify(seen) === JSON.stringify(value);
    },
    `${box.name} shows ${key} as ${JSON.stringify(value)}`,
    5_000,
    () => `it shows ${JSON.stringify(seen)}`,
  );
}

test('a change on either side ends on both, whoever owns the key, and both logs tell it', async () => {
  await using deployment = await Deployment.start({ network: 168, partners: 1 });
  const { edge, core } = deployment;
  const marks = [edge.box.log.mark(), core.box.log.mark()] as const;

  await edge.box.command('config', 'set', 'allow.from-the-edge.lab', 'a remark');
  await shows(core.box, 'allow.from-the-edge.lab', 'a remark');

  await core.box.command('config', 'set', 'deny.from-the-core.lab', 'another');
  await shows(edge.box, 'deny.from-the-core.lab', 'another');
  await shows(core.box, 'deny.from-the-core.lab', 'another');

  await core.box.command('config', 'set', 'homes.coluc.com.federation', 'off');
  await shows(edge.box, 'homes.coluc.com.federation', false);

  await edge.box.command('config', 'set', 'homes.coluc.com.federation', 'on');
  await shows(core.box, 'homes.coluc.com.federation', true);
  await shows(edge.box, 'homes.coluc.com.federation', true);

  await core.box.set({ 'allow.from-the-edge.lab': null });
  await shows(edge.box, 'allow.from-the-edge.lab', undefined);
  await shows(core.box, 'allow.from-the-edge.lab', undefined);

  for (const [index, box] of [edge.box, core.box].entries()) {
    // The log comes over a pipe, and may follow what the box shows.
    const told = (): string =>
      box.log
        .since(marks[index] ?? 0)
        .filter(({ module }) => module === MODULE)
        .map(({ message }) => message)
        .join('\n');
    for (const line of [
      'allow.from-the-edge.lab',
      'deny.from-the-core.lab',
      'xconfiguration xcpConfiguration domain coluc.com xmpp_federation - changed from: 1 to: 0',
    ])
      await expect.poll(told).toContain(line);
  }
  const authors = (await edge.box.history()).map(({ author }) => author);
  // An author on another box is named with it.
  expect(authors.some((author) => author.startsWith('test') && author.includes('core-1'))).toBe(true);
});

test('who changes what somebody else has changed meanwhile is told of the conflict, on the box of the owner and on the other', async () => {
  await using deployment = await Deployment.start({ network: 169, partners: 1 });
  const { edge, core } = deployment;
  await edge.box.set({ 'allow.x.lab': 'first' });
  await shows(core.box, 'allow.x.lab', 'first');
  const revision = await revisionOf(core.box, 'allow.x.lab');
  await edge.box.set({ 'allow.x.lab': 'second' });
  for (const box of [edge.box, core.box]) {
    const [outcome] = await box.change([{ put: 'allow.x.lab', value: 'too late' }], {
      expect: { 'allow.x.lab': revision },
    });
    expect(outcome).toMatchObject({ outcome: 'conflict' });
    expect(JSON.stringify(outcome)).toContain('allow.x.lab');
  }
  await shows(core.box, 'allow.x.lab', 'second');
  const [outcome] = await core.box.change([{ put: 'allow.x.lab', value: 'third' }], {
    expect: { 'allow.x.lab': await revisionOf(core.box, 'allow.x.lab') },
  });
  expect(outcome).toMatchObject({ box: 'edge-1', outcome: 'changed' });
  await shows(edge.box, 'allow.x.lab', 'third');
});

test('of sixty writers on both boxes at once one succeeds, the others are told of the conflict, and both boxes end with the same', async () => {
  await using deployment = await Deployment.start({ network: 170, partners: 1 });
  const { edge, core } = deployment;
  await edge.box.set({ 'allow.counter.lab': '0' });
  await shows(core.box, 'allow.counter.lab', '0');
  const revision = await revisionOf(core.box, 'allow.counter.lab');
  const outcomes = await Promise.all(
    Array.from({ length: 60 }, async (_, index) => {
      const box = index % 2 === 0 ? edge.box : core.box;
      const [outcome] = await box.change([{ put: 'allow.counter.lab', value: `writer ${index}` }], {
        expect: { 'allow.counter.lab': revision },
      });
      return { index, outcome: outcome?.outcome };
    }),
  );
  const changed = outcomes.filter(({ outcome }) => outcome === 'changed');
  expect(changed).toHaveLength(1);
  expect(outcomes.filter(({ outcome }) => outcome === 'conflict')).toHaveLength(59);
  for (const box of [edge.box, core.box]) await shows(box, 'allow.counter.lab', `writer ${changed[0]?.index}`);
});

test('while the Link is down a change of what the other box owns is refused with a sentence and changes nothing; afterwards it works, and what was changed meanwhile arrives', async () => {
  await using deployment = await Deployment.start({ network: 171, partners: 1, link: { quiet: '500ms' } });
  const { edge, core } = deployment;
  await edge.link.refuse();
  edge.link.cut('rst');
  await until(async () => (await core.box.status()).links[0]?.state === 'down', 'the Link is down');
  const refused = await core.box.tryCommand('config', 'set', 'allow.x.lab', 'in vain');
  expect(refused.status).not.toBe(0);
  expect(refused.err).toMatch(/edge-1.*cannot be reached|edge-1.*not connected/i);
  const home = await edge.box.tryCommand('config', 'set', 'homes.coluc.com.federation', 'off');
  expect(home.status).not.toBe(0);
  expect(home.err).toContain('core-1');
  for (let number = 1; number <= 20; number++) await edge.box.set({ [`deny.x${number % 5}.lab`]: `${number}` });
  await core.box.set({ 'homes.coluc.com.federation': false });
  expect((await core.box.values()).has('deny.x1.lab')).toBe(false);
  await edge.link.admit();
  for (let rest = 0; rest < 5; rest++) await shows(core.box, `deny.x${rest}.lab`, `${15 + (rest === 0 ? 5 : rest)}`);
  await shows(edge.box, 'homes.coluc.com.federation', false);
  await core.box.set({ 'allow.x.lab': 'at last' });
  await shows(edge.box, 'allow.x.lab', 'at last');
  expect(JSON.stringify(await edge.box.history())).not.toContain('in vain');
});

test('a secret is in no file and no log of the Core, in none of the Edge as it is, and never shown again', async () => {
  await using deployment = await Deployment.start({ network: 172, partners: 1, logLevel: 'verbose' });
  const { edge, core } = deployment;
  const secrets = ['set-at-the-Edge-8Zt4vQ0pLx', 'set-at-the-Core-Wq7Nn1yRkB'];
  const file = join(deployment.folder, 'secret');
  for (const [index, box] of [edge.box, core.box].entries()) {
    writeFileSync(file, `${secrets[index]}\n`, { mode: 0o600 });
    await box.command('config', 'set', 'dialback_secret', '--from-file', file);
  }
  await edge.box.set({ 'allow.later.lab': '' });
  await shows(core.box, 'allow.later.lab', '');
  for (const box of [edge.box, core.box]) {
    const shown = [
      await box.command('config', 'list', '--json'),
      await box.command('config', 'get', 'dialback_secret'),
      await box.command('config', 'log', '--json'),
      JSON.stringify(await box.history()),
    ].join('\n');
    expect(shown).toContain('(secret)');
    await box.stop();
    const everything = [shown, ...box.everyLine, box.complaints, ...contents(box.dataFolder)].join('\n');
    for (const secret of secrets) {
      expect(everything.includes(secret), `${box.name} shows a secret`).toBe(false);
      for (const encoding of ['base64', 'hex'] as const)
        expect(everything.includes(Buffer.from(secret).toString(encoding).slice(0, 24))).toBe(false);
    }
  }
  // The second one is in force, and survives.
  await edge.box.start();
  expect((await edge.box.values()).get('dialback_secret')).toBe('(secret)');
});

async function revisionOf(box: DeployedBox, key: string): Promise<number> {
  const entries = await box.ask(async (desk) => (await desk.config?.list()) ?? []);
  return entries.find((entry) => entry.key === key)?.revision ?? 0;
}

function contents(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)).toString('latin1'));
}
