import { beforeEach, expect, test } from 'vitest';
import { jid, ownRequest, RecordedSession, xml } from '../../../test/support/imp-accounts.ts';
import { PlainDirectory, RecordedPost } from '../../../test/support/imp-directory.ts';
import { printJid } from '../../protocol/jid/print.ts';
import type { Note } from '../../protocol/notes.ts';
import type { XmlElement } from '../../protocol/xml/types.ts';
import { NodeDatabase } from '../database/database.ts';
import { PEP_TABLES } from './node-store.ts';
import { PersonalEvents } from './personal-events.ts';

const TUNE = 'http://jabber.org/protocol/tune';
const DISCO = 'http://jabber.org/protocol/disco#info';
/** SHA-1 of `http://jabber.org/protocol/tune+notify<`. */
const TUNE_LISTENER = 'N1O9tYoweCb4CPubHbj6f7VbwQk=';

let juliet: RecordedSession;
let directory: PlainDirectory;
let post: RecordedPost;
let events: PersonalEvents;
let database: NodeDatabase;
let notes: Note[];
/** Who was asked for capabilities, by whom, and how to answer. */
let questions: { readonly asked: string; readonly answer: (info: XmlElement | undefined) => void }[];

beforeEach(() => {
  juliet = new RecordedSession('juliet@coluc.example/balcony');
  directory = new PlainDirectory();
  directory.subscribers.set('juliet', ['romeo@vngtp.example', 'nurse@coluc.example']);
  post = new RecordedPost();
  questions = [];
  notes = [];
  database = new NodeDatabase(':memory:', [PEP_TABLES]);
  events = new PersonalEvents({
    database,
    domain: juliet.address.domain,
    post,
    directory: () => directory,
    capabilities: {
      askCaps: (account, to, node) =>
        new Promise((answer) => questions.push({ asked: `${account} ${printJid(to)} ${node}`, answer })),
    },
    now: () => Date.UTC(2026, 0, 1),
    newId: () => 'e1',
    notes: (note) => notes.push(note),
  });
});

function presence(ver: string): XmlElement {
  return xml(
    `<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='http://client.example' ver='${ver}'/></presence>`,
  );
}

function info(...features: readonly string[]): XmlElement {
  return xml(`<query xmlns='${DISCO}'>${features.map((feature) => `<feature var='${feature}'/>`).join('')}</query>`);
}

/** Answers the questions that are open, and lets what waits for them happen. */
async function answerAll(answer: XmlElement | undefined): Promise<readonly string[]> {
  const asked = questions.splice(0);
  for (const question of asked) question.answer(answer);
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  return asked.map((question) => question.asked);
}

async function arrive(
  address: string,
  ver = TUNE_LISTENER,
  ...features: readonly string[]
): Promise<readonly string[]> {
  events.arrived('juliet', jid(address), presence(ver));
  return answerAll(info(...(features.length === 0 ? [`${TUNE}+notify`] : features)));
}

function publish(options = ''): void {
  ask(
    `<publish node='${TUNE}'><item id='1'><tune xmlns='${TUNE}'/></item></publish>${options}`,
    'http://jabber.org/protocol/pubsub',
  );
}

function ask(inside: string, namespace: string): void {
  const service = events.services.find((other) => other.namespace === namespace);
  void service?.answer(ownRequest(juliet, 'set', `<pubsub xmlns='${namespace}'>${inside}</pubsub>`));
}

/** To whom events were sent. */
function told(): readonly string[] {
  return post.take().map((message) => / to='([^']*)'/.exec(message)?.[1] ?? '');
}

function options(fields: Readonly<Record<string, string>>): string {
  const list = Object.entries({ FORM_TYPE: 'http://jabber.org/protocol/pubsub#publish-options', ...fields });
  const written = list.map(([name, value]) => `<field var='${name}'><value>${value}</value></field>`);
  return `<publish-options><x xmlns='jabber:x:data' type='submit'>${written.join('')}</x></publish-options>`;
}

test('who wants it is told of an event, from the account and as a headline', async () => {
  expect(await arrive('romeo@vngtp.example/orchard')).toEqual([
    `juliet romeo@vngtp.example/orchard http://client.example#${TUNE_LISTENER}`,
  ]);
  publish();
  expect(post.take()).toEqual([
    `<message type='headline' id='e1' from='juliet@coluc.example' to='romeo@vngtp.example/orchard'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='${TUNE}'><item id='1'><tune xmlns='${TUNE}'/></item></items></event></message>`,
  ]);
});

test('a database that fails while somebody is told of what there is does not bring the node down', async () => {
  events.arrived('juliet', jid('romeo@vngtp.example/orchard'), presence(TUNE_LISTENER));
  database[Symbol.dispose]();
  await answerAll(info(`${TUNE}+notify`));
  expect(notes).toMatchObject([{ note: 'bug', where: 'the last items for a listener' }]);
});

test('who wants something else, says nothing of it, does not answer, has gone, or may not, is told nothing', async () => {
  await arrive('romeo@vngtp.example/other', 'unproven', 'urn:other+notify');
  events.arrived('juliet', jid('romeo@vngtp.example/mute'), xml('<presence/>'));
  events.arrived('juliet', jid('romeo@vngtp.example/deaf'), presence('deaf'));
  await answerAll(undefined);
  await arrive('romeo@vngtp.example/gone');
  events.arrived('juliet', jid('romeo@vngtp.example/gone'), xml("<presence type='unavailable'/>"));
  await arrive('tybalt@vngtp.example/street');
  publish();
  expect(told()).toEqual([]);
});

test('a hash that is proven is asked for once, one that is not is asked of everybody', async () => {
  expect(await arrive('romeo@vngtp.example/a')).toHaveLength(1);
  expect(await arrive('romeo@vngtp.example/b')).toHaveLength(0);
  expect(await arrive('romeo@vngtp.example/c', 'forged')).toHaveLength(1);
  expect(await arrive('romeo@vngtp.example/d', 'forged', 'urn:other+notify')).toHaveLength(1);
  publish();
  expect(told()).toEqual(['romeo@vngtp.example/a', 'romeo@vngtp.example/b', 'romeo@vngtp.example/c']);
});

test('whoever waits for an answer that proves nothing is asked themselves', async () => {
  events.arrived('juliet', jid('romeo@vngtp.example/a'), presence(TUNE_LISTENER));
  events.arrived('juliet', jid('romeo@vngtp.example/b'), presence(TUNE_LISTENER));
  expect(await answerAll(info('urn:lie+notify'))).toHaveLength(1);
  expect(await answerAll(info(`${TUNE}+notify`))).toEqual([
    `juliet romeo@vngtp.example/b http://client.example#${TUNE_LISTENER}`,
  ]);
  publish();
  expect(told()).toEqual(['romeo@vngtp.example/b']);
});

test("the account's own sessions are told, and users of this server whose presence does not arrive", async () => {
  const nurse = new RecordedSession('nurse@coluc.example/kitchen');
  for (const session of [juliet, nurse]) {
    directory.sessions.add(session);
    events.available(session, presence(TUNE_LISTENER));
    await answerAll(info(`${TUNE}+notify`));
  }
  publish();
  expect(told()).toEqual(['juliet@coluc.example/balcony', 'nurse@coluc.example/kitchen']);
  directory.sessions.delete(nurse);
  publish();
  expect(told()).toEqual(['juliet@coluc.example/balcony']);
});

test('an event at a node of the owner alone is told to the owner alone', async () => {
  directory.sessions.add(juliet);
  events.available(juliet, presence(TUNE_LISTENER));
  await arrive('romeo@vngtp.example/orchard');
  publish(options({ 'pubsub#access_model': 'whitelist' }));
  expect(told()).toEqual(['juliet@coluc.example/balcony']);
  await arrive('romeo@vngtp.example/garden');
  expect(told()).toEqual([]);
});

test('the last item is sent to who comes, with its time, and not again for the same presence', async () => {
  publish();
  await arrive('romeo@vngtp.example/orchard');
  const [message = ''] = post.take();
  expect(message).toContain("<item id='1'>");
  expect(message).toContain(
    "<delay xmlns='urn:xmpp:delay' from='juliet@coluc.example' stamp='2026-01-01T00:00:00.000Z'/>",
  );
  await arrive('romeo@vngtp.example/orchard');
  expect(told()).toEqual([]);
  events.arrived('juliet', jid('romeo@vngtp.example/orchard'), xml("<presence type='unavailable'/>"));
  await arrive('romeo@vngtp.example/orchard');
  expect(told()).toEqual(['romeo@vngtp.example/orchard']);
  directory.sessions.add(juliet);
  events.available(juliet, presence(TUNE_LISTENER));
  await answerAll(undefined);
  expect(told()).toEqual(['juliet@coluc.example/balcony']);
});

test('the last item stays where it is when the node says so, or when whoever came has gone before the answer', async () => {
  publish(options({ 'pubsub#send_last_published_item': 'never' }));
  await arrive('romeo@vngtp.example/orchard');
  expect(told()).toEqual([]);
  events.arrived('juliet', jid('romeo@vngtp.example/garden'), presence('slow'));
  events.arrived('juliet', jid('romeo@vngtp.example/garden'), xml("<presence type='unavailable'/>"));
  await answerAll(info(`${TUNE}+notify`));
  publish();
  expect(told()).toEqual(['romeo@vngtp.example/orchard']);
});

test('what is retracted, purged and deleted is told', async () => {
  publish();
  await arrive('romeo@vngtp.example/orchard');
  post.take();
  ask(`<retract node='${TUNE}'><item id='1'/></retract>`, 'http://jabber.org/protocol/pubsub');
  ask(`<purge node='${TUNE}'/>`, 'http://jabber.org/protocol/pubsub#owner');
  ask(`<delete node='${TUNE}'/>`, 'http://jabber.org/protocol/pubsub#owner');
  expect(post.take()).toEqual([
    expect.stringContaining(`<items node='${TUNE}'><retract id='1'/></items>`),
    expect.stringContaining(`<purge node='${TUNE}'/>`),
    expect.stringContaining(`<delete node='${TUNE}'/>`),
  ]);
});

test('a contact has so many resources and no more; the oldest make room', async () => {
  for (let number = 0; number < 25; number++) await arrive(`romeo@vngtp.example/r${number}`);
  publish();
  const listeners = told();
  expect(listeners).toHaveLength(20);
  expect(listeners).not.toContain('romeo@vngtp.example/r4');
  expect(listeners).toContain('romeo@vngtp.example/r5');
});
