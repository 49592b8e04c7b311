import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { alarm, edge, link, NOON, publisher, stream } from '../../test/cli/stand-in-operations.ts';
import { KeptWorld } from '../../test/cli/stand-in-world.ts';
import type { Alarm, ConfigEntry, PublisherFacts } from '../box/operations.ts';
import { fedway, programOf } from './program.ts';

const PAGE = new URL('../../docs/reference/cli.md', import.meta.url).pathname;

const ENTRIES: readonly ConfigEntry[] = [
  { box: 'edge-1', key: 'allow.vngtp.lab', value: 'the laboratory', revision: 7 },
  { box: 'edge-1', key: 'dialback_secret', value: '(secret)', revision: 1 },
  { box: 'edge-1', key: 'federation', value: true, revision: 2 },
  { box: 'edge-1', key: 'routes.vngtp.lab', value: ['192.0.2.20:5269', '[2001:db8::20]:5269'], revision: 7 },
  { box: 'core-1', key: 'homes.chat.coluc.com.federation', value: false, revision: 1 },
];

const SECOND = { name: 'edge-2', address: '192.0.2.3:7400' };

/** What is different where the page says so, in a comment before the block. */
const SCENES: Readonly<Record<string, (world: KeptWorld) => void>> = {
  'the Link is down': ({ box }) => {
    box.now = edge({
      links: [
        link({
          state: 'down',
          since: NOON - 130_000,
          because: 'the connection was reset',
          queued: { stanzas: 12, bytes: 34_567 },
        }),
      ],
    });
  },
  'not running': (world) => {
    world.unreachable = {
      unreachable: 'not running',
      sentence:
        'No fedway answers at /var/lib/fedway/admin.sock: it is not running, or it runs with another boot file. Start it (systemctl start fedway), or name its boot file with --config or its admin socket with --socket.',
    };
    world.data = { origin: '5eed', revision: 0, entries: new Map() };
    world.box.entries = [];
  },
  'the secret on standard input': (world) => {
    world.files.set('-', `${'5'.repeat(32)}\n`);
    world.files.set('new.secret', `${'7'.repeat(32)}\n`);
  },
  'somebody was faster': ({ box }) => {
    const problem =
      'tls was changed by alice@edge-1 at 2026-10-01T11:59:58.000Z, in revision 8; you have seen revision 7.';
    box.outcomes = [{ box: 'edge-1', outcome: 'conflict', problems: [problem] }];
  },
  'on a Core with two Edges': (world) => {
    const { box } = world;
    world.role = 'core';
    world.name = 'core-1';
    box.entries = [{ ...ENTRIES[2], box: 'edge-1', key: 'federation', value: false, revision: 2 }];
    const changed = { origin: '5eed', revision: 3, time: NOON, author: 'root@host', reason: '', steps: [] };
    box.outcomes = [
      { box: 'edge-1', outcome: 'changed', change: changed },
      {
        box: SECOND.name,
        outcome: 'unreachable',
        problems: [
          'the Link is down since 2026-10-01T11:58:00Z. Nothing was changed there; try again when it is back.',
        ],
      },
    ];
  },
  'the AXL password is wrong': (world) => {
    asCore(world, [alarm()], [wrongPassword()]);
  },
  'on a Core with IM&P': (world) => {
    asCore(world, [], [publisher()]);
    world.files.set('axl.password', 'hunter2\n');
    const changed = { origin: 'f00d', revision: 4, time: NOON, author: 'root@host', reason: '', steps: [] };
    world.box.outcomes = [{ box: 'core-1', outcome: 'changed', change: changed }];
  },
  'an export to import': (world) => {
    world.files.set(
      'partners.yaml',
      'fedway_configuration: 1\nkeys: { allow.vngtp.lab: the laboratory, allow.*.a.lab: "" }\n',
    );
    world.files.set(
      '/etc/fedway/old.yaml',
      `role: single
s2s: { listen: ["192.0.2.2:5269"], tls: optional, dialback_secret: { env: SECRET } }
homes: [{ domains: [coluc.com], certificate: a.pem, key: a.key, server: { s2s: { address: "10.0.0.10:5269" } } }]
inside: { listen: ["10.0.0.2:5269"] }
partners: { default: deny, rules: [{ domain: vngtp.lab, federation: allow }] }
`,
    );
    const entry = { key: 'dialback_secret', value: '0'.repeat(64), revision: 1 };
    world.data = { origin: '5eed', revision: 8, entries: new Map([['dialback_secret', entry]]) };
  },
  'on a Core, with a token': (world) => {
    world.role = 'core';
    world.name = 'core-1';
    world.files.set('-', 'fedway-link-1.eyJhIjpbImVkZ2U\n');
    world.files.set('edge-1.token', 'fedway-link-1.eyJhIjpbImVkZ2U\n');
  },
};

/** A Core that tells IM&P servers. */
function asCore(world: KeptWorld, alarms: readonly Alarm[], publishers: readonly PublisherFacts[]): void {
  world.role = 'core';
  world.name = 'core-1';
  world.box.shown = publishers;
  world.box.links = [link({ name: 'edge-1', role: 'edge' })];
  world.box.now = edge({
    name: 'core-1',
    role: 'core',
    alarms,
    publishers,
    homes: [{ domain: 'coluc.com', federation: true, via: 'the XCP Router of IM&P' }],
    links: [link({ name: 'edge-1', role: 'edge', peer: '192.0.2.2:7400' })],
    pairs: [],
    others: [edge({ homes: [], pairs: [], links: [link({ replication: undefined, homes: [] })] })],
  });
}

function wrongPassword(): PublisherFacts {
  const { cause, cure } = alarm();
  return publisher({
    state: 'failed',
    failure: {
      code: 'credentials',
      sentence: 'cups does not accept the AXL user axl with this password (HTTP 401).',
      cause,
      cure,
    },
    rows: [{ cpId: 'cm-2_s2scp-1.edge-1-coluc-com', ours: false, wanted: true, present: false }],
  });
}

function worldOf(scene: string | undefined): KeptWorld {
  const world = new KeptWorld();
  const { box } = world;
  box.entries = ENTRIES;
  box.changes = [
    {
      box: 'edge-1',
      origin: '5eed',
      revision: 8,
      time: NOON - 2_000,
      author: 'alice@core-1.lab via core-1',
      reason: 'agreed with Anna',
      steps: [{ put: 'allow.vngtp.lab', value: 'the laboratory' }, { remove: 'deny.vngtp.lab' }],
    },
    {
      box: 'core-1',
      origin: 'f00d',
      revision: 1,
      time: NOON - 86_400_000,
      author: 'root@core-1',
      reason: '',
      steps: [{ put: 'homes.chat.coluc.com.federation', value: false }],
    },
  ];
  box.now = edge({
    others: [
      edge({
        name: 'core-1',
        role: 'core',
        links: [link({ name: 'edge-1', role: 'edge', peer: '192.0.2.2:7400', stanzasIn: 3400, stanzasOut: 1200 })],
        homes: [
          { domain: 'coluc.com', federation: true, via: 'S2S' },
          { domain: 'chat.coluc.com', federation: false, via: 'S2S' },
        ],
        pairs: [{ side: 'home', sender: 'vngtp.lab', target: 'coluc.com', state: 'send', queued: 0 }],
      }),
    ],
  });
  box.open = [
    stream(),
    stream({ connection: '0a1b2c3d7', direction: 'in', peer: '192.0.2.20:40112', stanzasIn: 17, stanzasOut: 0 }),
    stream({
      connection: '77aa00123',
      box: 'core-1',
      side: 'home',
      local: 'vngtp.lab',
      remote: 'coluc.com',
      peer: undefined,
    }),
  ];
  if (scene !== undefined) {
    const prepare = SCENES[scene];
    if (prepare === undefined) throw new Error(`the page has a scene that the test does not know: ${scene}`);
    prepare(world);
  }
  return world;
}

/** Runs one command line of the page. */
async function outputOf(line: string, scene: string | undefined): Promise<string> {
  const world = worldOf(scene);
  const { box } = world;
  if (line.includes('0a1b2c3d5'))
    box.closing = { closed: false, detail: 'There is no stream 0a1b2c3d5, here or on a linked box that answers.' };
  if (line.includes('-n 1')) box.changes = box.changes.slice(0, 1);
  if (line.includes('--edge edge-2')) box.outcomes = box.outcomes?.slice(1);
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
  await fedway(words.slice(1), world);
  return [...world.terminal.results, ...world.terminal.messages].join('\n');
}

/** The page with what the commands in it print now. */
async function rendered(page: string): Promise<string> {
  let text = '';
  let end = 0;
  for (const found of page.matchAll(/(?:<!-- (.*?) -->\n)?```console\n([^]*?)^```$/gm)) {
    const [whole, scene, block = ''] = found;
    const lines = block.split('\n').filter((line) => line.startsWith('$ '));
    const shown: string[] = [];
    for (const line of lines) shown.push(`${line}\n${await outputOf(line.slice(2), scene)}`);
    text += page.slice(end, found.index) + whole.replace(block, () => `${shown.join('\n\n')}\n`);
    end = found.index + whole.length;
  }
  return text + page.slice(end);
}

/** `config set`, and every other command that does something. */
function leaves(command: Command, path: readonly string[] = []): readonly string[] {
  return command.commands.flatMap((each) => {
    const here = [...path, each.name()];
    return each.commands.length > 0 ? leaves(each, here) : [here.join(' ')];
  });
}

describe('docs/reference/cli.md', () => {
  const page = readFileSync(PAGE, 'utf8');

  test('shows what the commands print; after a change, run this test with -u and read the page', async () => {
    await expect(await rendered(page)).toMatchFileSnapshot(PAGE);
  });

  test('has an example of every command, or exit-status.md explains it', () => {
    const other = readFileSync(new URL('exit-status.md', `file://${PAGE}`), 'utf8');
    const commands = leaves(programOf(new KeptWorld(), () => undefined));
    expect(commands).toContain('link invite');
    const missing = commands.filter(
      (name) => !page.includes(`\n$ fedway ${name}`) && !other.includes(`\`fedway ${name}`),
    );
    expect(missing).toEqual([]);
  });
});
