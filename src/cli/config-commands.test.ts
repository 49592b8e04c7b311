import { describe, expect, test } from 'vitest';
import { KeptWorld } from '../../test/cli/stand-in-world.ts';
import type { ConfigEntry } from '../box/operations.ts';
import { fedway } from './program.ts';

const entry = (key: string, value: ConfigEntry['value'], box = 'edge-1', revision = 3): ConfigEntry => ({
  box,
  key,
  value,
  revision,
});

async function config(world: KeptWorld, ...args: string[]) {
  const status = await fedway(['config', ...args], world);
  return { status, out: world.terminal.results.join('\n'), err: world.terminal.messages.join('\n') };
}

/** The changes that were asked for. */
function changes(world: KeptWorld): readonly unknown[] {
  return world.box.asked.filter((each) => Array.isArray(each) && each[0] === 'config change');
}

describe('fedway config set', () => {
  test('one key, several at once, and what goes with a change', async () => {
    const world = new KeptWorld();
    await config(world, 'set', 'federation', 'on', '--reason', 'a reason', '--expect', '0');
    await config(
      world,
      'set',
      'tls=optional',
      'allow.VNGTP.lab=note = with equals',
      '--edge',
      'edge-1',
      '--expect',
      '7',
    );
    await config(world, 'unset', 'deny.a.lab', 'privacy');
    expect(changes(world)).toEqual([
      [
        'config change',
        {
          steps: [{ put: 'federation', value: true }],
          author: 'root@host',
          reason: 'a reason',
          expect: { federation: 0 },
        },
        undefined,
      ],
      [
        'config change',
        {
          steps: [
            { put: 'tls', value: 'optional' },
            { put: 'allow.vngtp.lab', value: 'note = with equals' },
          ],
          author: 'root@host',
          reason: '',
          expect: { tls: 7, 'allow.vngtp.lab': 7 },
        },
        'edge-1',
      ],
      [
        'config change',
        { steps: [{ remove: 'deny.a.lab' }, { remove: 'privacy' }], author: 'root@host', reason: '' },
        undefined,
      ],
    ]);
  });

  test('a secret comes from a file, from standard input, or is made', async () => {
    const world = new KeptWorld();
    world.files.set('secret', 'from the file, spaces and all \n');
    world.files.set('-', 'from standard input\r\n');
    await config(world, 'set', 'dialback_secret', '--from-file', 'secret');
    await config(world, 'set', 'dialback_secret', '-');
    const { out } = await config(world, 'set', 'dialback_secret', '--generate');
    expect(changes(world)).toMatchObject([
      [expect.anything(), { steps: [{ value: 'from the file, spaces and all ' }] }, undefined],
      [expect.anything(), { steps: [{ value: 'from standard input' }] }, undefined],
      [expect.anything(), { steps: [{ value: expect.stringMatching(/^[0-9a-f]{64}$/) as string }] }, undefined],
    ]);
    expect(out).not.toMatch(/from|[0-9a-f]{16}/);
  });

  test.each([
    [['set', 'dialback_secret', 'visible-to-everybody'], 1, 'a command line is no place for it'],
    [['set', 'tls=none', 'dialback_secret=visible-to-everybody'], 1, 'a command line is no place for it'],
    [['set', 'federation'], 1, 'federation needs a value: fedway config set federation VALUE'],
    [['set', 'dialback_secret'], 1, 'fedway config set dialback_secret --generate, or --from-file FILE'],
    [['set', 'federation', 'on', 'now'], 1, 'now is one word too many.'],
    [['set', 'federation', 'on', '--generate'], 1, 'on is one word too many.'],
    [['set', 'federation', '--generate'], 1, 'federation is no secret: write its value.'],
    [['set', 'tls=none', '--generate'], 1, '--from-file and --generate are for one key'],
    [['set', 'dialback_secret', '--generate', '--from-file', 'x'], 1, 'choose one of'],
    [['set', 'dialback_secret', '--from-file', 'x'], 1, 'x cannot be read: no such file.'],
    [['set', 'tls=none', 'privacy'], 1, 'privacy is not KEY=VALUE.'],
    [['set', 'fedration', 'on'], 2, 'fedration: there is no such key. Did you mean federation?'],
    [['set', 'tls=sometimes', 'privcy=off'], 2, 'tls: "sometimes" is not one of'],
    [['set', 'tls=sometimes', 'privcy=off'], 2, 'privcy: there is no such key.'],
    [['unset', 'tls', 'privcy'], 2, 'privcy: there is no such key.'],
  ])('%j: status %d, and nothing is asked for', async (args, expected, why) => {
    const world = new KeptWorld();
    const { status, out, err } = await config(world, ...args);
    expect({ status, out, asked: world.box.asked }).toEqual({ status: expected, out: '', asked: [] });
    expect(err).toContain(why);
  });

  test.each(['conflict', 'refused', 'unreachable'] as const)('%s: status 2, with every problem', async (outcome) => {
    const world = new KeptWorld();
    world.box.outcomes = [{ box: 'edge-1', outcome, problems: ['One thing.', 'Another.'] }];
    const { status, out, err } = await config(world, 'set', 'tls', 'none');
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(err).toMatch(/^fedway: edge-1 .*: One thing\.\nfedway: edge-1 .*: Another\.$/);
    const json = await config(world, 'set', 'tls', 'none', '--json');
    expect(JSON.parse(json.out)).toEqual(world.box.outcomes);
    expect(json.status).toBe(2);
  });

  test('what is so already is no failure', async () => {
    const world = new KeptWorld();
    world.box.outcomes = [{ box: 'edge-1', outcome: 'unchanged', revision: 7 }];
    expect(await config(world, 'set', 'tls', 'none')).toMatchObject({
      status: 0,
      out: 'edge-1, revision 7: nothing to change, it is so already.',
    });
  });
});

describe('fedway config get, list', () => {
  test('get: boxes that agree are one value, others are named', async () => {
    const world = new KeptWorld();
    world.box.entries = [entry('tls', 'none'), entry('tls', 'none', 'edge-2')];
    expect((await config(world, 'get', 'tls')).out).toBe('none');
    world.box.entries = [entry('tls', 'none'), entry('tls', 'optional', 'edge-2')];
    expect((await config(world, 'get', 'tls')).out).toBe('none\nedge-1: none\nedge-2: optional');
    expect(JSON.parse((await config(world, 'get', 'tls', '--json')).out.split('optional\n')[1] ?? '')).toMatchObject({
      key: 'tls',
      default: 'required',
      entries: [{ box: 'edge-1' }, { box: 'edge-2' }],
    });
  });

  test('get: what is not set and has no default is status 2', async () => {
    expect(await config(new KeptWorld(), 'get', 'routes.a.lab')).toEqual({
      status: 2,
      out: '',
      err: 'fedway: routes.a.lab is not set.',
    });
  });

  test('list: a key of another version is shown as it is stored', async () => {
    const world = new KeptWorld();
    world.box.entries = [entry('from.the.future', { a: [1] })];
    expect((await config(world, 'list')).out).toContain('from.the.future  {"a":[1]}');
  });
});

describe('fedway config export, import', () => {
  test('what is exported is imported as nothing to change', async () => {
    const world = new KeptWorld();
    world.box.entries = [entry('tls', 'none'), entry('dialback_secret', '(secret)'), entry('privacy', 'off', 'edge-2')];
    expect((await config(world, 'export', '/root/a.yaml')).status).toBe(0);
    expect(world.files.get('/root/a.yaml')).not.toContain('(secret)');
    expect(world.files.get('/root/a.yaml')).not.toContain('privacy');
    expect(await config(world, 'import', '/root/a.yaml', '--replace')).toMatchObject({
      status: 0,
      out: 'edge-1: nothing to change, it is so already.',
    });
    expect(changes(world)).toEqual([]);
  });

  test('a key that was changed after the export is expected as it was then', async () => {
    const world = new KeptWorld();
    const log = { box: 'edge-1', origin: 'o', time: 0, author: 'a', reason: '' };
    world.box.entries = [entry('tls', 'none', 'edge-1', 4)];
    world.box.changes = [{ ...log, revision: 4, steps: [{ put: 'tls', value: 'none' }] }];
    world.files.set('f', 'fedway_configuration: 1\norigin: o\nrevision: 3\nkeys: { tls: optional, privacy: off }\n');
    await config(world, 'import', 'f', '--reason', 'why not');
    expect(changes(world)).toMatchObject([
      ['config change', { expect: { tls: 3, privacy: 0 }, reason: 'why not', author: 'root@host' }, undefined],
    ]);
  });

  test('secrets leave only through the data folder', async () => {
    const world = new KeptWorld();
    expect(await config(world, 'export', '--with-secrets')).toMatchObject({ status: 1, out: '' });
    const secret = { key: 'dialback_secret', value: 's'.repeat(32), revision: 1 };
    world.data = { origin: 'o', revision: 1, entries: new Map([['dialback_secret', secret]]) };
    expect((await config(world, 'export', '--with-secrets')).out).toContain('s'.repeat(32));
    expect(world.opened).toEqual(['shared: /var/lib/fedway', 'shared: /var/lib/fedway']);
    expect(world.closed).toBe(1);
  });

  test('an import goes to the box that owns the keys', async () => {
    const world = new KeptWorld();
    world.role = 'core';
    world.name = 'core-1';
    world.box.entries = [entry('tls', 'none'), entry('homes.coluc.com.federation', true, 'core-1')];
    world.files.set('f', 'fedway_configuration: 1\nkeys: { tls: optional }\n');
    await config(world, 'import', 'f');
    expect(changes(world)).toMatchObject([['config change', { expect: { tls: 3 } }, 'edge-1']]);
    world.box.entries = [...world.box.entries, entry('tls', 'none', 'edge-2')];
    expect(await config(world, 'import', 'f')).toMatchObject({
      status: 2,
      err: expect.stringContaining('Say which with --edge: edge-1, edge-2.') as string,
    });
    await config(world, 'import', 'f', '--edge', 'edge-2');
    expect(changes(world)[1]).toMatchObject(['config change', {}, 'edge-2']);
  });

  test.each([
    ['fedway_configuration: 1\nkeys: { tls: sometimes }\n', 2, 'tls: "sometimes" is not one of'],
    ['fedway_configuration: 1\nkeys: { tls: none, homes.a.lab.federation: on }\n', 2, 'divide the file'],
    ['nonsense', 2, 'no export of a configuration'],
    [undefined, 1, 'f cannot be read: no such file.'],
  ])('%j is refused with status %d', async (text, expected, why) => {
    const world = new KeptWorld();
    if (text !== undefined) world.files.set('f', text);
    const { status, out, err } = await config(world, 'import', 'f');
    expect({ status, out, asked: changes(world) }).toEqual({ status: expected, out: '', asked: [] });
    expect(err).toContain(why);
  });
});
