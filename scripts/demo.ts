import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { TestClient } from '../test/lab/client.ts';
import { errorOf, exchangeMessage, expectBounce, meetInRoom, subscribe } from '../test/lab/conversation.ts';
import type { LogFile } from '../test/lab/log-file.ts';
import type { Site } from '../test/sites/site.ts';
import { World } from '../test/sites/world.ts';
import { isTelling } from './lab-log.ts';
import { answerMessages, nameOf, run, sayCommand } from './lab-show.ts';
import { Story, type StoryLog, say, styled } from './lab-story.ts';

const USAGE = `Usage: scripts/demo [--once]

Two organizations on this machine, on loopback addresses, with nothing but fedway:

  coluc.com   alice   an Edge in the DMZ, a Core inside, an IM&P node
  vngtp.lab   bob     the same

It shows what happens when federation is switched on, and stays running until Ctrl-C, ready for any XMPP client.

  --once   end after the conversation, with exit status 0 when all of it worked
`;

/** Easy to tell from other addresses in a log. */
const ADDRESSES = '127.20.1';
const PASSWORD = 'wonderland';
/** The reference system promises the row within this time. */
const ROW_MS = 30_000;

const options = parseOptions(process.argv.slice(2));

if (options.help) say(USAGE.trimEnd());
else process.exit(await main());

function parseOptions(args: readonly string[]): { readonly once: boolean; readonly help: boolean } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { once: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
    });
    return values;
  } catch (error) {
    process.stderr.write(`scripts/demo: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return process.exit(2);
  }
}

/** The exit status. */
function main(): Promise<number> {
  // How the Core and its node find each other is not what this is about.
  const story = new Story((step) => isTelling(step) && !step.home && !step.pair.includes('s2scp'));
  return run<World>({
    title: 'Two organizations on this machine: coluc.com and vngtp.lab, each with Edge, Core and IM&P node',
    name: 'The demonstration',
    story,
    prepare: (made) => prepare(story, made),
    async play(world) {
      const [coluc, vngtp] = world.sites;
      if (coluc === undefined || vngtp === undefined) throw new Error('the sites were not made');
      const [alice, bob] = await boot(story, coluc, vngtp);
      await switchOn(story, [coluc, vngtp], alice);
      await converse(story, coluc, alice, bob);
      if (options.once) return undefined;
      explainNext(coluc, vngtp, world);
      return (signal) => listen([alice, bob], world, signal);
    },
    logs: (world) => world.sites.flatMap(({ programs }) => programs.map(({ log }) => log.path)),
  });
}

async function prepare(story: Story, made: (world: World) => void): Promise<World> {
  let world: World | undefined;
  await story.tell(
    'A small world: certificates of an authority of its own, and DNS',
    'certificates and boot files are written, and DNS answers on a loopback address',
    async () => {
      world = await World.prepare({ name: 'demo', preferredAddresses: ADDRESSES });
      made(world);
      world.site({ domain: 'coluc.com', partners: ['vngtp.lab', 'chat.vngtp.lab'], authentication: 'dialback' });
      world.site({ domain: 'vngtp.lab', partners: ['coluc.com', 'chat.coluc.com'], authentication: 'dialback' });
      return `everything is in ${world.folder}`;
    },
  );
  if (world === undefined) throw new Error('the world was not made');
  return world;
}

async function boot(story: Story, coluc: Site, vngtp: Site): Promise<readonly [TestClient, TestClient]> {
  const sites = [coluc, vngtp];
  await story.tell(
    'Inside, the IM&P nodes start: users, rosters, rooms, AXL',
    'their logs say that they listen for clients, for AXL and for the Core',
    async () => {
      await Promise.all(sites.map(({ node }) => node.start()));
      for (const site of sites) site.addAxlAccount();
      coluc.addUser('alice', PASSWORD);
      vngtp.addUser('bob', PASSWORD);
      return sites.map((site) => `${site.domain} on ${site.nodeAddress}`).join(', ');
    },
  );
  await story.tell(
    'The Edges start in the DMZ, the Cores inside; each Core dials its Edge and is paired by a one-time token',
    'the logs of the Cores say that the Links are up',
    async () => {
      await Promise.all(sites.flatMap(({ edge, core }) => [edge.start(), core.start()]));
      for (const site of sites) {
        await site.pair();
        site.setUpEdge();
        site.setUpPublisher();
      }
      return sites.map((site) => `${site.edgeName} on ${site.edgeAddress}`).join(', ');
    },
  );
  let clients: readonly [TestClient, TestClient] | undefined;
  await story.tell('alice and bob log in', 'each node accepts its user', async () => {
    clients = await Promise.all([coluc.login('alice', PASSWORD), vngtp.login('bob', PASSWORD)]);
    return `${clients[0].jid} and ${clients[1].jid} are online`;
  });
  if (clients === undefined) throw new Error('nobody logged in');
  return clients;
}

/** The seed's walk: the switch on the Edge, replicated to the Core, told to IM&P over AXL, seen in its table. */
async function switchOn(story: Story, sites: readonly Site[], alice: TestClient): Promise<void> {
  await story.tell(
    'Federation is off, as it is on a new box; alice writes to bob',
    'the message comes back with an error',
    async () => {
      const { condition, text } = errorOf(await expectBounce(alice, 'bob@vngtp.lab'));
      return `it came back: ${condition}${text === '' ? '' : `, “${text}”`}`;
    },
  );
  for (const site of sites) {
    for (const program of [site.edge, site.core, site.node]) story.follow(storyLog(program.log), program.title);
    await story.tell(
      `XMPP federation is switched on, on the Edge of ${site.domain}: fedway config set federation on`,
      `the change reaches the Core, the Core tells IM&P over AXL, and within 30 seconds the row is in xmpps2snodes`,
      async () => {
        site.switchFederation('on');
        await untilInTable(site);
        return 'the row of the Edge is in the table of the IM&P node';
      },
    );
    say();
    for (const line of ['admin:run sql select * from xmpps2snodes', ...site.table().trimEnd().split('\n')])
      say(`        ${styled('green', line)}`);
    say();
  }
}

async function untilInTable(site: Site): Promise<void> {
  const deadline = performance.now() + ROW_MS;
  while (!site.table().includes(site.cpId)) {
    if (performance.now() > deadline) throw new Error(`${site.cpId} is not in the table:\n${site.table()}`);
    await pause(100);
  }
  await site.node.log.waitFor(new RegExp(`${site.cpId}.*connected`), 0, ROW_MS);
}

async function converse(story: Story, coluc: Site, alice: TestClient, bob: TestClient): Promise<void> {
  await story.tell(
    'alice writes to bob again: SRV look-up, TLS, and the three roles of dialback',
    'the message arrives at bob',
    async () => exchange(alice, bob, 'Hello Bob, can you read this?'),
  );
  await story.tell('bob answers: the same the other way', 'the message arrives at alice', async () =>
    exchange(bob, alice, 'Loud and clear, Alice!'),
  );
  // The domain of the rooms goes the same way; once is enough to read.
  story.stop();
  await story.tell(
    'alice asks to see the presence of bob, who agrees',
    'request, consent and presence arrive, and later changes of it',
    async () => {
      await subscribe(alice, bob);
      return 'alice sees that bob is online, then away';
    },
  );
  await story.tell(
    `alice opens a room on ${coluc.rooms}; bob joins from vngtp.lab, and they talk there`,
    'both hear each other in the room',
    async () => {
      await meetInRoom(alice, bob, coluc.rooms);
      return 'both hear each other; bob has left the room';
    },
  );
}

async function exchange(from: TestClient, to: TestClient, text: string): Promise<string> {
  await exchangeMessage(from, to, text);
  return `${nameOf(to)} reads: “${text}”`;
}

function explainNext(coluc: Site, vngtp: Site, world: World): void {
  say();
  say(styled('bold', 'It stays running. Things to try in another terminal:'));
  say();
  say(
    `    1  Log in with a client of your own; every password is ${PASSWORD}. The authority is ${world.authority.root}.`,
  );
  say(`       alice@coluc.com   server ${coluc.nodeAddress}   ports 5222 (STARTTLS), 5223 (TLS), 5443 (WebSocket)`);
  say(`       bob@vngtp.lab     server ${vngtp.nodeAddress}`);
  say('    2  Ask the boxes how they are.');
  sayCommand(`bin/fedway status --config ${coluc.edge.configFile}`);
  sayCommand(`bin/fedway publisher list --config ${coluc.core.configFile}`);
  sayCommand(`bin/fedway imp shell --config ${coluc.node.configFile}`);
  say('    3  Break something, and read the alarm with its cause and its cure.');
  sayCommand(`echo wrong | bin/fedway config set publishers.coluc.password - --config ${coluc.core.configFile}`);
  sayCommand(`bin/fedway status --config ${coluc.core.configFile}`);
  say('       Repair it:');
  sayCommand(
    `bin/fedway config set publishers.coluc.password --from-file ${coluc.core.folder}/axl.password --config ${coluc.core.configFile}`,
  );
  sayCommand(`bin/fedway publisher refresh --config ${coluc.core.configFile}`);
  say('    4  Switch federation off, and see the row go.');
  sayCommand(`bin/fedway config set federation off --config ${coluc.edge.configFile}`);
  say();
  say(
    `    Logs: ${[coluc, vngtp].flatMap(({ programs }) => programs.map(({ log }) => log.path)).join('\n          ')}`,
  );
  say();
  say('Ctrl-C ends everything.');
}

/** While it runs: whoever writes to alice or bob from a client of their own gets an answer, and a program that ends is told. */
async function listen(clients: readonly TestClient[], world: World, signal: AbortSignal): Promise<void> {
  const told = new Set<string>();
  // What came in the conversation has been read.
  for (const client of clients) client.unread.length = 0;
  while (!signal.aborted) {
    await pause(200);
    for (const { title, isRunning, log } of world.sites.flatMap(({ programs }) => programs)) {
      if (isRunning || told.has(title)) continue;
      told.add(title);
      say(`    The ${title} has ended; its log: ${log.path}`);
    }
    answerMessages(clients, 'has read');
  }
}

function storyLog(log: LogFile): StoryLog {
  return { mark: () => log.mark(), logSince: (mark) => log.since(mark) };
}
