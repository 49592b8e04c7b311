import { describe, expect, test } from 'vitest';
import { alarm, edge, link, publisher, stream } from '../../test/cli/stand-in-operations.ts';
import { KeptWorld } from '../../test/cli/stand-in-world.ts';
import { AdminFailure } from '../admin/connection.ts';
import type { BoxStatus } from '../box/operations.ts';
import { fedway } from './program.ts';

const NOT_RUNNING = { unreachable: 'not running', sentence: 'Nobody answers.' } as const;

async function command(world: KeptWorld, ...args: string[]) {
  const status = await fedway(args, world);
  return { status, out: world.terminal.results.join('\n'), err: world.terminal.messages.join('\n') };
}

function worldWith(change: (world: KeptWorld) => void): KeptWorld {
  const world = new KeptWorld();
  change(world);
  return world;
}

describe('finding the box', () => {
  test('the boot file says where the socket is, and --socket is in its place', async () => {
    const world = new KeptWorld();
    await command(world, 'status');
    await command(world, 'status', '--socket', '/run/x.sock', '--config', '/nowhere.yaml');
    expect(world.opened).toEqual(['/var/lib/fedway/admin.sock', '/run/x.sock']);
    expect(world.closed).toBe(2);
  });

  test.each([
    ['no boot file', undefined, 'cannot be read: no such file or directory'],
    ['a wrong one', 'role: edge', 'has errors, so it does not say where the box is. See fedway check config'],
    [
      'one without a socket',
      `role: single
s2s: { listen: ["192.0.2.2:5269"], dialback_secret: { env: SECRET } }
homes: [{ domains: [coluc.com], certificate: a.pem, key: a.key, server: { s2s: { address: "10.0.0.10:5269" } } }]
inside: { listen: ["10.0.0.2:5269"] }
`,
      'names no admin socket. Give the box one with the key admin_socket, or a data folder with data',
    ],
  ])('%s: status 1, and the cure', async (_what, text, why) => {
    const world = worldWith(({ files }) => {
      files.delete('/etc/fedway/fedway.yaml');
      if (text !== undefined) files.set('/etc/fedway/fedway.yaml', text);
    });
    const { status, out, err } = await command(world, 'config', 'list');
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err).toContain(why);
  });

  test('a box that may not be asked is not worked around through its data folder', async () => {
    const world = worldWith((each) => {
      each.unreachable = { unreachable: 'not permitted', sentence: 'You may not. Run it as root.' };
    });
    expect(await command(world, 'config', 'list')).toEqual({
      status: 1,
      out: '',
      err: 'fedway: You may not. Run it as root.',
    });
    expect(world.opened).toHaveLength(1);
  });

  test('a box that is not running: config and link work on its data folder, and say so; status and streams do not', async () => {
    const world = worldWith((each) => {
      each.unreachable = NOT_RUNNING;
      each.data = { origin: 'o', revision: 0, entries: new Map() };
    });
    expect(await command(world, 'config', 'get', 'tls')).toMatchObject({
      status: 0,
      out: 'required',
      err: expect.stringContaining('edge-1 is not running; this works on its data folder /var/lib/fedway.') as string,
    });
    expect(world.opened).toContain('alone: /var/lib/fedway');
    expect(await command(world, 'streams', 'list')).toMatchObject({ status: 1 });
    world.data = { refused: 'another fedway (pid 17) runs on it.' };
    expect(await command(world, 'link', 'list')).toMatchObject({
      status: 1,
      err: expect.stringContaining('fedway: another fedway (pid 17) runs on it.') as string,
    });
  });

  test('a box that goes away, or refuses the request as such: status 1; as JSON too', async () => {
    const world = worldWith(({ box }) => {
      box.streams = () => Promise.reject(new AdminFailure('It broke.'));
    });
    expect(await command(world, 'streams', 'list', '--json')).toEqual({
      status: 1,
      out: '{\n  "error": "It broke."\n}',
      err: 'fedway: It broke.',
    });
    expect(world.closed).toBe(1);
  });

  test('a single box without live settings and Links says what it lacks', async () => {
    const world = worldWith((each) => {
      each.role = 'single';
      each.box.config = undefined;
      each.box.link = undefined;
    });
    expect(await command(world, 'config', 'list')).toMatchObject({ status: 1, out: '' });
    const { err } = await command(world, 'link', 'list');
    expect(err).toMatch(/has no live configuration: .* key data .*\n.* is a single box and has no Links\./);
  });
});

describe('fedway status', () => {
  test('exit status 0, 3 and 1; with --check too', async () => {
    const unwell = worldWith(({ box }) => {
      box.now = edge({ links: [link({ state: 'down', because: 'reset' })] });
    });
    const gone = worldWith((each) => {
      each.unreachable = NOT_RUNNING;
    });
    for (const more of [[], ['--check'], ['--json'], ['--check', '--json']]) {
      expect((await command(new KeptWorld(), 'status', ...more)).status).toBe(0);
      expect((await command(unwell, 'status', ...more)).status).toBe(3);
      expect((await command(gone, 'status', ...more)).status).toBe(1);
    }
  });

  test('--check asks this box alone, and its answer is one line on standard output, whatever it is', async () => {
    const world = new KeptWorld();
    expect(await command(world, 'status', '--check')).toEqual({ status: 0, out: 'ok: edge-1: Federating', err: '' });
    expect(world.box.asked).toEqual([['status', 'here']]);
    world.unreachable = NOT_RUNNING;
    const { out, err } = await command(world, 'status', '--check');
    expect({ out, err }).toEqual({ out: 'ok: edge-1: Federating\nnot running: Nobody answers.', err: '' });
  });

  test('--json has everything that the box said, and the problems', async () => {
    const world = worldWith(({ box }) => {
      box.now = edge({ links: [], others: [edge({ name: 'core-1', role: 'core' })] });
    });
    const { out } = await command(world, 'status', '--json');
    expect(JSON.parse(out)).toMatchObject({
      name: 'edge-1',
      others: [{ name: 'core-1' }],
      problems: [{ box: 'edge-1', what: expect.stringContaining('No Core') as string }],
    });
  });

  test('alarms come first, those of the other box too, with what is known there; --check names the first', async () => {
    const world = worldWith(({ box }) => {
      const core = edge({
        name: 'core-1',
        role: 'core',
        alarms: [alarm({ detail: undefined })],
        publishers: [publisher()],
      });
      box.now = edge({ links: [link({ state: 'down', because: 'reset' })], others: [core] });
    });
    const { status, out } = await command(world, 'status');
    expect(status).toBe(3);
    expect(out).toContain(
      'Alarm 25023 on core-1, raised 5 min ago: XMPP Federation configuration warning\n  The IM&P publisher cups could not be told the Edges.\n  Cause: ',
    );
    // Where the servers inside are is not the concern of an Edge, whatever it was told.
    expect(out).not.toContain('cups.coluc.com');
    const core = worldWith(({ box }) => {
      box.now = edge({ alarms: [alarm(), alarm({ id: 90001, about: 'second' })] });
    });
    expect((await command(core, 'status', '--check')).out).toBe(
      'problem: edge-1: Alarm 25023: The IM&P publisher cups could not be told the Edges: cups does not accept the AXL user axl with this password (HTTP 401). (and 1 more)',
    );
  });

  test('a box of before there were alarms is shown as it was', async () => {
    const { alarms: _alarms, publishers: _publishers, ...former } = edge();
    const world = worldWith(({ box }) => {
      box.now = { ...former, others: [{ ...former, name: 'core-1' }] } as unknown as BoxStatus;
    });
    expect(await command(world, 'status')).toMatchObject({
      status: 0,
      out: expect.stringContaining('core-1') as string,
    });
  });

  test('a linked box that says nonsense, or nothing, is told of and shown with nothing', async () => {
    const nonsense = [{ name: 'core-1' }, 7, null, { ...edge(), links: [{}] }] as unknown as BoxStatus[];
    const world = worldWith(({ box }) => {
      box.now = edge({ others: nonsense });
    });
    const { status, out, err } = await command(world, 'status');
    expect(status).toBe(0);
    expect(out).not.toContain('Core');
    expect(err).toBe('fedway: core-1 has not answered; its Link is up.');
  });

  test('what a linked box says cannot disturb the terminal', async () => {
    const hostile = '\u001b[2J\u202Egood\nEdge edge-1, all is well';
    const world = worldWith(({ box }) => {
      const bad = edge({ name: hostile, version: hostile, links: [link({ name: hostile, because: hostile })] });
      box.now = edge({ federation: { on: false, detail: hostile }, others: [{ ...bad, role: 'core' }] });
      box.open = [stream({ remote: hostile, certificate: hostile, box: hostile })];
      box.closing = { closed: true, detail: hostile };
    });
    for (const args of [['status'], ['streams', 'list'], ['streams', 'show', '0a1b2c3d4'], ['streams', 'close', 'x']]) {
      expect((await command(world, ...args)).out.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
    }
    expect(world.terminal.results.filter((line) => line.startsWith('Edge edge-1, all'))).toEqual([]);
  });
});

/** Three streams that every filter tells apart. */
function withStreams(): KeptWorld {
  return worldWith(({ box }) => {
    box.open = [
      stream({ connection: 'aaaaaaaa1', remote: 'vngtp.lab' }),
      stream({ connection: 'aaaaaaaa2', remote: 'chat.vngtp.lab', direction: 'in', box: 'edge-2' }),
      stream({ connection: 'aaaaaaaa3', remote: undefined, side: 'home', local: 'other.com', tls: undefined }),
    ];
  });
}

describe('fedway streams', () => {
  test.each([
    [[], ['1', '2', '3']],
    [['--remote', 'VNGTP.lab'], ['1']],
    [['--remote', '*.vngtp.lab'], ['2']],
    [['--local', 'other.com'], ['3']],
    [
      ['--side', 'foreign'],
      ['1', '2'],
    ],
    [['--direction', 'in'], ['2']],
    [['--box', 'edge-1', '--side', 'foreign'], ['1']],
    [['--remote', 'lab'], []],
  ])('list %j', async (filter, shown) => {
    const { out } = await command(withStreams(), 'streams', 'list', '--json', ...filter);
    expect((JSON.parse(out) as { connection: string }[]).map(({ connection }) => connection.at(-1))).toEqual(shown);
  });

  test('what is refused: status 2', async () => {
    expect(await command(new KeptWorld(), 'streams', 'show', 'aaaaaaaa9')).toMatchObject({ status: 2, out: '' });
    const closing = worldWith(({ box }) => {
      box.closing = { closed: false, detail: 'There is no such stream.' };
    });
    expect(await command(closing, 'streams', 'close', 'aaaaaaaa9')).toEqual({
      status: 2,
      out: '',
      err: 'fedway: There is no such stream.',
    });
  });
});

describe('fedway link', () => {
  test('the token is the only thing on standard output', async () => {
    const world = new KeptWorld();
    const { status, out } = await command(world, 'link', 'invite', 'core-2', '--valid', '2h', '--address', 'edge:7400');
    expect({ status, out }).toEqual({ status: 0, out: 'fedway-link-1.eyJhIjpbImVkZ2U' });
    expect(world.box.asked).toEqual([
      ['link invite', { name: 'core-2', domains: [], validForMs: 7_200_000, address: 'edge:7400' }],
    ]);
  });

  test.each([
    [['invite', 'core-2', '--valid', 'soon'], 1, '--valid: "soon" is not a duration.'],
    [['join'], 1, 'say where the token is'],
    [['join', 'token', '--file', 'x'], 1, 'say where the token is'],
    [['join', '--file', 'missing'], 1, 'missing cannot be read: no such file.'],
    [['join', 'token'], 2, 'This box is an Edge.'],
    [['revoke', 'core-9'], 2, 'There is no Core core-9.'],
  ])('%j: status %d', async (args, expected, why) => {
    const world = worldWith(({ box }) => {
      box.joining = { refused: 'This box is an Edge.' };
      box.revoking = { refused: 'There is no Core core-9.' };
    });
    const { status, out, err } = await command(world, 'link', ...args);
    expect({ status, out }).toEqual({ status: expected, out: '' });
    expect(err).toContain(why);
  });
});

/** A Core with these publishers. */
function core(...shown: readonly ReturnType<typeof publisher>[]): KeptWorld {
  return worldWith((world) => {
    world.role = 'core';
    world.name = 'core-1';
    world.box.shown = shown;
  });
}

describe('fedway publisher', () => {
  const failed = publisher({
    name: 'second',
    state: 'failed',
    failure: { code: 'refused', sentence: 'Nothing listens.', cause: 'It is down.', cure: 'Start it.' },
    router: { restartNeeded: true, foreignBounces: 1234, federation: 'on' },
  });
  const partial = publisher({ name: 'third', address: undefined, state: 'incomplete', missing: ['address'], rows: [] });

  test('show says everything that is known of one, and of the XCP Router where that is said', async () => {
    const { status, out } = await command(core(publisher(), failed), 'publisher', 'show', 'second');
    expect(status).toBe(0);
    expect(out).toMatch(/Failure +Nothing listens\. \(refused\)\nCause +It is down\.\nCure +Start it\.\n/);
    expect(out).toMatch(
      /XCP Router +has to be restarted\nBounces +1,234 stanzas for foreign domains\nOwn federation +on\n/,
    );
    const { out: other } = await command(core(partial), 'publisher', 'show', 'third');
    expect(other).toMatch(/Address +not set\n/);
    expect(other).toMatch(
      /State +incomplete: without address\n.*\nCure +fedway config set publishers\.third\.address VALUE\n/,
    );
  });

  test('list: under the table, what is in the way of those that could not be told, why, and the cure', async () => {
    const { status, out } = await command(core(publisher(), failed, partial), 'publisher', 'list');
    expect(status).toBe(0);
    const [table, ...below] = out.split('\n\n');
    expect(table).toMatch(/^NAME .*\ncups .*\nsecond .*\nthird /);
    expect(below).toEqual([
      'Nothing listens.\n  Cause: It is down.\n  Cure: Start it.',
      'third is not asked: it has no address.\n  Cure: fedway config set publishers.third.address VALUE',
    ]);
    expect((await command(core(publisher()), 'publisher', 'list')).out).not.toContain('\n\n');
  });

  test('refresh: 0 when they are told, 3 when one could not be, 2 when there is none of that name', async () => {
    expect(await command(core(publisher()), 'publisher', 'refresh')).toMatchObject({ status: 0 });
    const unwell = await command(core(publisher(), failed, partial), 'publisher', 'refresh');
    expect(unwell).toEqual({
      status: 3,
      out: 'cups is told: 1 Edge in its table.\nNothing listens.\n  Cause: It is down.\n  Cure: Start it.\nthird is not asked: it has no address.\n  Cure: fedway config set publishers.third.address VALUE',
      err: '',
    });
    const refused = core(publisher());
    refused.box.refreshing = { refused: 'There is no publisher called x. There are: cups.' };
    expect(await command(refused, 'publisher', 'refresh', 'x')).toMatchObject({ status: 2, out: '' });
    expect(refused.box.asked).toEqual([['publisher refresh', 'x']]);
  });

  test('a name that is not there, and a box without a publisher, are told with the cure', async () => {
    expect(await command(core(publisher()), 'publisher', 'show', 'cusp')).toEqual({
      status: 2,
      out: '',
      err: 'fedway: there is no publisher called cusp; there are: cups.',
    });
    expect(await command(core(), 'publisher', 'list')).toEqual({
      status: 0,
      out: '',
      err: 'fedway: no IM&P publisher is configured: fedway config set publishers.NAME.address HOST.',
    });
  });

  test('an Edge tells nobody inside anything; a box that does not run cannot be asked', async () => {
    const world = worldWith(({ box }) => {
      box.publishers = undefined;
    });
    expect(await command(world, 'publisher', 'list')).toEqual({
      status: 1,
      out: '',
      err: 'fedway: edge-1 tells no IM&P servers: it is an Edge, and the IM&P servers are told of it by its Core: ask there.',
    });
    world.unreachable = NOT_RUNNING;
    expect(await command(world, 'publisher', 'list')).toMatchObject({ status: 1 });
  });

  test('--json has all of it', async () => {
    const { out } = await command(core(publisher()), 'publisher', 'list', '--json');
    expect(JSON.parse(out)).toEqual(JSON.parse(JSON.stringify([publisher()])));
  });
});
