import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { TestClient } from '../test/lab/client.ts';
import {
  disco,
  errorOf,
  exchangeMessage,
  expectBounce,
  ping,
  subscribe,
  untilDelivered,
} from '../test/lab/conversation.ts';
import { type Lab, prepareLab } from '../test/lab/lab.ts';
import { type Organization, PASSWORD, SERVER_NAMES } from '../test/lab/organization.ts';
import type { LabServer } from '../test/lab/server.ts';
import { answerMessages, nameOf, run, sayCommand } from './lab-show.ts';
import { Story, say, styled } from './lab-story.ts';

const USAGE = `Usage: scripts/lab [--once] [--external] [--split]

Boots a federation on this machine, on loopback addresses only, and lets two users talk:

  inside    coluc.com   alice   Prosody, behind fedway
  outside   vngtp.lab   bob     ejabberd

It stays running until Ctrl-C.

  --once       end after the conversation, with exit status 0 when all of it worked
  --external   the two domains prove themselves by certificate (SASL EXTERNAL) instead of dialback
  --split      an Edge and a Core, as on both sides of a firewall, instead of a single box
`;

const INSIDE: Organization = {
  domain: 'coluc.com',
  server: 'prosody',
  profile: 'dbtls',
  users: ['alice'],
  behind: 'fedway',
  by: 's2s',
};
const OUTSIDE: Organization = { domain: 'vngtp.lab', server: 'ejabberd', profile: 'ca', users: ['bob'] };

/** Easy to tell from other addresses in a log. */
const ADDRESSES = '127.20.0';

const options = parseOptions(process.argv.slice(2));

if (options.help) say(USAGE.trimEnd());
else process.exit(await main());

function parseOptions(args: readonly string[]): {
  once: boolean;
  external: boolean;
  split: boolean;
  help: boolean;
} {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        once: { type: 'boolean', default: false },
        external: { type: 'boolean', default: false },
        split: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    return values;
  } catch (error) {
    process.stderr.write(`scripts/lab: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return process.exit(2);
  }
}

/** The exit status. */
function main(): Promise<number> {
  const story = new Story();
  return run<Lab>({
    title: 'Two organizations on this machine; the first one stands behind fedway',
    name: 'The lab',
    story,
    prepare: (made) => prepare(story, made),
    async play(lab) {
      const [alice, bob] = await boot(story, lab);
      await converse(story, alice, bob);
      if (options.once) return undefined;
      explainNext(lab);
      return (signal) => watch(story, lab, alice, bob, signal);
    },
    logs: (lab) => [lab.fedway?.logFile ?? '', ...lab.servers.map(({ logs }) => logs[0] ?? '')],
  });
}

async function prepare(story: Story, made: (lab: Lab) => void): Promise<Lab> {
  let lab: Lab | undefined;
  await story.tell(
    'A small world: certificates of an authority of its own, and DNS',
    'certificates are written, and DNS answers on port 53 of a loopback address',
    async () => {
      lab = await prepareLab({
        name: 'lab',
        organizations: [INSIDE, OUTSIDE],
        fedway: { tls: 'required', authentication: options.external ? 'external' : 'dialback', split: options.split },
        preferredAddresses: ADDRESSES,
      });
      made(lab);
      return `everything is in ${lab.folder}`;
    },
  );
  if (lab === undefined) throw new Error('the lab was not made');
  return lab;
}

async function boot(story: Story, lab: Lab): Promise<readonly [TestClient, TestClient]> {
  const { fedway } = lab;
  if (fedway === undefined) throw new Error('the lab has no fedway');
  const [inside, outside] = [lab.server(INSIDE.domain), lab.server(OUTSIDE.domain)];
  const [title, proof] = options.split
    ? ['fedway starts: an Edge outside and a Core inside, paired by a token', 'their log says that the Link is up']
    : ['fedway starts: the edge of coluc.com', 'its log says that it listens on every port'];
  await story.tell(title, proof, async () => {
    await fedway.start();
    story.follow(fedway);
    return `outside ${fedway.outside}:5269, inside ${fedway.inside}:5269 and DNS on ${fedway.inside}:53`;
  });
  await story.tell(
    'Prosody starts inside (coluc.com); its DNS is that of fedway',
    `it accepts connections on ${inside.address}, ports 5269 and 5222`,
    async () => startServer(inside),
  );
  await story.tell(
    'ejabberd starts outside (vngtp.lab); its DNS is that of the world',
    `it accepts connections on ${outside.address}, ports 5269 and 5222`,
    async () => startServer(outside),
  );
  let clients: readonly [TestClient, TestClient] | undefined;
  await story.tell('alice and bob log in', 'each server accepts its user', async () => {
    clients = await Promise.all([lab.login('alice@coluc.com'), lab.login('bob@vngtp.lab')]);
    return `${clients[0].jid} and ${clients[1].jid} are online`;
  });
  if (clients === undefined) throw new Error('nobody logged in');
  return clients;
}

async function startServer(server: LabServer): Promise<string> {
  await server.start();
  return `it listens on ${server.address}, ports 5269 (servers) and 5222 (clients)`;
}

async function converse(story: Story, alice: TestClient, bob: TestClient): Promise<void> {
  await story.tell(
    'alice writes to bob: the two domains meet for the first time',
    'the message arrives at bob',
    async () => exchange(alice, bob, 'Hello Bob, can you read this?'),
  );
  await story.tell('bob answers', 'the message arrives at alice', async () =>
    exchange(bob, alice, 'Loud and clear, Alice!'),
  );
  for (const [one, other] of [
    [alice, bob],
    [bob, alice],
  ] as const) {
    await story.tell(
      `${nameOf(one)} asks to see the presence of ${nameOf(other)}, who agrees`,
      'request, consent and presence arrive, and later changes of it',
      async () => {
        await subscribe(one, other);
        return `${nameOf(one)} sees that ${nameOf(other)} is online, then away`;
      },
    );
  }
  for (const [one, other] of [
    [alice, bob],
    [bob, alice],
  ] as const) {
    await story.tell(
      `${nameOf(one)} asks the server and the client of ${nameOf(other)} what they are, and pings them`,
      'IQ results come back',
      async () => {
        await disco(one, other);
        return `answered; to the client and back in ${(await ping(one, other)).toFixed(1)} ms`;
      },
    );
  }
  story.stop();
}

async function exchange(from: TestClient, to: TestClient, text: string): Promise<string> {
  await exchangeMessage(from, to, text);
  return `${nameOf(to)} reads: “${text}”`;
}

function explainNext(lab: Lab): void {
  const { fedway } = lab;
  if (fedway === undefined) return;
  const [inside, outside] = [lab.server(INSIDE.domain), lab.server(OUTSIDE.domain)];
  say();
  say(styled('bold', 'It stays running. Three things to try in another terminal:'));
  say();
  say(
    `    1  Log in with a client of your own, for example profanity (apt-get install profanity). Every password is ${PASSWORD}.`,
  );
  sayCommand(
    `profanity   then   /connect alice@coluc.com server ${inside.address} tls trust   then   /msg bob@vngtp.lab hello`,
  );
  say('    2  Read the log of fedway in the shape of Cisco Expressway’s.');
  sayCommand(
    `sed -i 's/format: text/format: expressway/' ${fedway.configFile} && kill -HUP ${fedway.pid()} && tail -f ${fedway.logFile}`,
  );
  say('    3  Break something: crash ejabberd, and see here what alice gets for her next message.');
  sayCommand(`kill -9 ${outside.processes()[0]?.pid ?? ''}`);
  say();
  say(`    Logs: ${[fedway.logFile, ...[inside, outside].map(({ logs }) => logs[0] ?? '')].join('\n          ')}`);
  say();
  say('Ctrl-C ends everything.');
}

/** While the lab runs: when a server goes away, shows what becomes of a message to its user, and brings it back. */
async function watch(story: Story, lab: Lab, alice: TestClient, bob: TestClient, signal: AbortSignal): Promise<void> {
  const users = new Map([
    [INSIDE.domain, alice],
    [OUTSIDE.domain, bob],
  ]);
  while (!signal.aborted) {
    await pause(200);
    if (lab.fedway?.isRunning() === false) throw new Error('fedway ended');
    answerMessages([...users.values()], 'of the lab has read');
    const gone = lab.servers.find((server) => server.processes().some((process) => !process.isRunning()));
    const writer = [...users.values()].find(({ domain }) => domain !== gone?.organization.domain);
    if (gone !== undefined && writer !== undefined)
      users.set(gone.organization.domain, await showAbsence(story, lab, gone, writer));
  }
}

/** Returns the new session of the user whose server was away. */
async function showAbsence(story: Story, lab: Lab, gone: LabServer, writer: TestClient): Promise<TestClient> {
  if (lab.fedway !== undefined) story.follow(lab.fedway);
  const software = SERVER_NAMES[gone.organization.server];
  const account = `${gone.organization.users[0]}@${gone.organization.domain}`;
  say();
  await story.tell(
    `${software} is gone; ${nameOf(writer)} writes to ${account}`,
    'the message comes back with an error',
    async () => {
      const { condition, text } = errorOf(await expectBounce(writer, account));
      return `it came back: ${condition}${text === '' ? '' : `, “${text}”`}`;
    },
  );
  let user: TestClient | undefined;
  await story.tell(`${software} starts again, and its user logs in`, 'a message arrives within a minute', async () => {
    await gone.start();
    user = await lab.login(account);
    await untilDelivered(writer, user);
    return `${nameOf(user)} reads it. To crash it again: kill -9 ${gone.processes()[0]?.pid ?? ''}`;
  });
  story.stop();
  if (user === undefined) throw new Error(`${account} did not log in`);
  return user;
}
