import { beforeEach, expect, test } from 'vitest';
import { foreignRequest, jid, ownRequest, RecordedSession, text } from '../../../test/support/imp-accounts.ts';
import { PlainDirectory, RecordedPost } from '../../../test/support/imp-directory.ts';
import { NodeDatabase } from '../database/database.ts';
import type { IqRequest } from '../messaging/ports.ts';
import { PEP_TABLES } from './node-store.ts';
import { PersonalEvents } from './personal-events.ts';

const PUBSUB = 'http://jabber.org/protocol/pubsub';
const TUNE = 'http://jabber.org/protocol/tune';
const romeo = 'romeo@vngtp.example/orchard';
const mallory = 'mallory@vngtp.example/den';
const juliet = new RecordedSession('juliet@coluc.example/balcony');

let now = 0;
let events: PersonalEvents;
let directory: PlainDirectory;

beforeEach(() => {
  now = Date.UTC(2026, 0, 1);
  directory = new PlainDirectory();
  directory.subscribers.set('juliet', ['romeo@vngtp.example']);
  let made = 0;
  events = new PersonalEvents({
    database: new NodeDatabase(':memory:', [PEP_TABLES]),
    domain: juliet.address.domain,
    post: new RecordedPost(),
    directory: () => directory,
    capabilities: { askCaps: () => Promise.resolve(undefined) },
    now: () => now,
    newId: () => `made-${++made}`,
    notes: () => undefined,
  });
});

/** The answer as text; of an error, its condition and what XEP-0060 says beside it. */
function shown(request: IqRequest): string {
  const service = events.services.find(({ namespace }) => namespace === request.payload.namespace);
  const answer = service?.answer(request);
  if (answer === undefined || answer instanceof Promise) throw new TypeError('an answer at once is expected');
  if ('error' in answer) return [answer.error, answer.application?.name].filter((word) => word !== undefined).join(' ');
  return answer.result === undefined ? '' : text(answer.result);
}

function pubsub(inside: string, owner = ''): string {
  return `<pubsub xmlns='${PUBSUB}${owner}'>${inside}</pubsub>`;
}

function set(inside: string): string {
  return shown(ownRequest(juliet, 'set', pubsub(inside)));
}

function get(inside: string, from?: string): string {
  const payload = pubsub(inside);
  return shown(
    from === undefined ? ownRequest(juliet, 'get', payload) : foreignRequest(from, 'juliet', 'get', payload),
  );
}

function own(type: 'get' | 'set', inside: string): string {
  return shown(ownRequest(juliet, type, pubsub(inside, '#owner')));
}

function options(fields: Readonly<Record<string, string>>, what = 'publish-options', about = `#${what}`): string {
  const list = Object.entries(fields).map(
    ([name, value]) => `<field var='pubsub#${name}'><value>${value}</value></field>`,
  );
  return `<${what}><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>${PUBSUB}${about}</value></field>${list.join('')}</x></${what}>`;
}

function publish(id: string, title: string, rest = '', node = TUNE): string {
  now += 1_000;
  return set(
    `<publish node='${node}'><item id='${id}'><tune xmlns='${TUNE}'><title>${title}</title></tune></item></publish>${rest}`,
  );
}

/** The titles of the items that an answer has. */
function titles(answer: string): readonly string[] {
  return [...answer.matchAll(/<title>([^<]*)<\/title>/g)].map(([, title]) => title ?? '');
}

function page(inside: string): string {
  return `<set xmlns='http://jabber.org/protocol/rsm'><max>2</max>${inside}</set>`;
}

const MANY = options({ max_items: 'max' });

test('an item that is published is there for the owner and for who sees their presence', () => {
  expect(publish('1', 'Heart of Gold')).toBe(
    `<pubsub xmlns='${PUBSUB}'><publish node='${TUNE}'><item id='1'/></publish></pubsub>`,
  );
  const items = `<items node='${TUNE}'/>`;
  const answer = `<pubsub xmlns='${PUBSUB}'><items node='${TUNE}'><item id='1'><tune xmlns='${TUNE}'><title>Heart of Gold</title></tune></item></items></pubsub>`;
  expect([get(items), get(items, romeo)]).toEqual([answer, answer]);
  expect(get(items, mallory)).toBe('not-authorized presence-subscription-required');
  expect(get("<items node='other'/>")).toBe('item-not-found');
});

test('a node keeps one item unless more were wanted, and an item without an id gets one', () => {
  publish('1', 'a');
  publish('2', 'b');
  expect(titles(get(`<items node='${TUNE}'/>`))).toEqual(['b']);
  expect(set(`<publish node='${TUNE}'><item><tune xmlns='${TUNE}'/></item></publish>`)).toContain("<item id='made-");
});

test.each([
  [`<publish><item><a xmlns='urn:a'/></item></publish>`, 'bad-request nodeid-required'],
  [`<publish node='n'/>`, 'bad-request item-required'],
  [`<publish node='n'><item/></publish>`, 'bad-request payload-required'],
  [`<publish node='n'><item><a xmlns='urn:a'/><b xmlns='urn:a'/></item></publish>`, 'bad-request invalid-payload'],
  [
    `<publish node='n'><item><a xmlns='urn:a'/></item><item><a xmlns='urn:a'/></item></publish>`,
    'not-allowed max-items-exceeded',
  ],
  [
    `<publish node='n'><item><a xmlns='urn:a'>${'x'.repeat(210_001)}</a></item></publish>`,
    'not-acceptable payload-too-big',
  ],
  [`<publish node='${'n'.repeat(600)}'><item><a xmlns='urn:a'/></item></publish>`, 'not-acceptable'],
  [`<publish node='n'><item id='${'n'.repeat(600)}'><a xmlns='urn:a'/></item></publish>`, 'not-acceptable'],
  [
    `<publish node='n'><item><a xmlns='urn:a'/></item></publish>${options({}, 'publish-options', '#other')}`,
    'bad-request',
  ],
  [
    `<publish node='n'><item><a xmlns='urn:a'/></item></publish><publish-options><x xmlns='jabber:x:data'/></publish-options>`,
    'bad-request',
  ],
  [`<retract node='n'><item id='1'/></retract>`, 'item-not-found'],
  [`<retract node='n'/>`, 'bad-request item-required'],
  [`<subscribe node='n' jid='juliet@coluc.example'/>`, 'feature-not-implemented unsupported'],
  [`<unheard-of/>`, 'bad-request'],
  [``, 'bad-request'],
])('a request that makes no sense is refused, and makes no node: %#', (inside, expected) => {
  expect(set(inside)).toBe(expected);
  expect(events.nodesOf('juliet', juliet.address)).toEqual([]);
});

test('nobody but the owner changes anything', () => {
  publish('1', 'a');
  for (const inside of [
    `<publish node='n'><item><a xmlns='urn:a'/></item></publish>`,
    `<retract node='${TUNE}'><item id='1'/></retract>`,
    `<create node='n'/>`,
  ])
    expect(shown(foreignRequest(romeo, 'juliet', 'set', pubsub(inside)))).toBe('forbidden');
  for (const inside of [`<delete node='${TUNE}'/>`, `<purge node='${TUNE}'/>`, `<configure node='${TUNE}'/>`])
    expect(shown(foreignRequest(romeo, 'juliet', 'set', pubsub(inside, '#owner')))).toBe('forbidden');
  expect(shown(foreignRequest(romeo, 'juliet', 'get', pubsub(`<configure node='${TUNE}'/>`, '#owner')))).toBe(
    'forbidden',
  );
});

test('publish-options make a node, and have to be met by one that is there', () => {
  const bookmark = options({
    persist_items: 'true',
    max_items: 'max',
    send_last_published_item: 'never',
    access_model: 'whitelist',
  });
  const node = 'urn:xmpp:bookmarks:1';
  expect([publish('a@chat.example', 'a', bookmark, node), publish('b@chat.example', 'b', bookmark, node)]).toEqual([
    expect.stringContaining('publish'),
    expect.stringContaining('publish'),
  ]);
  expect(titles(get(`<items node='${node}'/>`))).toEqual(['a', 'b']);
  expect(get(`<items node='${node}'/>`, romeo)).toBe('not-allowed closed-node');
  expect(publish('c', 'c', options({ access_model: 'open' }), node)).toBe('conflict precondition-not-met');
  expect(publish('c', 'c', options({ unheard_of: '1' }), node)).toBe('conflict precondition-not-met');
  expect(publish('c', 'c', options({ unheard_of: '1' }), 'new')).toBe('conflict precondition-not-met');
  expect(publish('c', 'c', options({ access_model: 'authorize' }), 'new')).toBe('conflict precondition-not-met');
  expect(events.nodesOf('juliet', juliet.address)).toEqual([{ node, name: undefined }]);
});

test('a node that does not persist keeps nothing', () => {
  expect(publish('1', 'a', options({ persist_items: 'false' }))).toContain('publish');
  expect(titles(get(`<items node='${TUNE}'/>`))).toEqual([]);
});

test('items are had by their ids, the newest, or by pages, which together are the whole', () => {
  for (const title of ['a', 'b', 'c', 'd', 'e']) publish(title, title, MANY);
  publish('b', 'b again', MANY);
  const items = (inside = '', rest = '') => titles(get(`<items node='${TUNE}'${inside}</items>${rest}`));
  expect(items('>')).toEqual(['a', 'c', 'd', 'e', 'b again']);
  expect(items("><item id='d'/><item id='a'/><item id='gone'/>")).toEqual(['d', 'a']);
  expect(get(`<items node='${TUNE}'><item id='gone'/></items>`)).toBe('item-not-found');
  expect(items(" max_items='2'>")).toEqual(['e', 'b again']);
  expect([items('>', page('')), items('>', page('<after>c</after>')), items('>', page('<after>e</after>'))]).toEqual([
    ['a', 'c'],
    ['d', 'e'],
    ['b again'],
  ]);
  expect(items('>', page('<before/>'))).toEqual(['e', 'b again']);
  expect(get(`<items node='${TUNE}'/>${page('')}`)).toContain(
    "<first index='0'>a</first><last>c</last><count>5</count>",
  );
  expect(get(`<items node='${TUNE}'/>${page('<after>gone</after>')}`)).toBe('item-not-found');
  expect(get(`<items node='${TUNE}'/>${page('<after>a</after><before/>')}`)).toBe('bad-request');
  expect(get(`<items node='${TUNE}' max_items='none'/>`)).toBe('bad-request');
});

test('an answer that would be too large has the rest on another page, in both directions', () => {
  for (const title of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) publish(title, title.repeat(200_000), MANY);
  const first = get(`<items node='${TUNE}'/>`);
  expect(titles(first).map(([letter]) => letter)).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(first).toContain("<first index='0'>a</first><last>e</last><count>8</count>");
  const last = get(`<items node='${TUNE}'/><set xmlns='http://jabber.org/protocol/rsm'><before/></set>`);
  expect(last).toContain("<first index='3'>d</first><last>h</last><count>8</count>");
});

test('an item that is retracted is gone', () => {
  publish('1', 'a', MANY);
  publish('2', 'b', MANY);
  expect(set(`<retract node='${TUNE}'><item id='1'/></retract>`)).toBe('');
  expect(set(`<retract node='${TUNE}'><item id='1'/></retract>`)).toBe('item-not-found');
  expect(titles(get(`<items node='${TUNE}'/>`))).toEqual(['b']);
});

test('a node is made as it was configured, once', () => {
  const configure = options({ access_model: 'open', title: 'Songs' }, 'configure', '#node_config');
  expect(set(`<create node='${TUNE}'/>${configure}`)).toBe('');
  expect(set(`<create node='${TUNE}'/>`)).toBe('conflict');
  expect(set('<create/>')).toBe('bad-request nodeid-required');
  expect(set(`<create node='n'/>${options({ access_model: 'authorize' }, 'configure', '#node_config')}`)).toBe(
    'not-acceptable',
  );
  expect(events.nodesOf('juliet', jid(mallory))).toEqual([{ node: TUNE, name: 'Songs' }]);
  expect(get(`<items node='${TUNE}'/>`, mallory)).toContain('items');
});

test('a configuration is shown, changed, and counts for what is there already', () => {
  for (const title of ['a', 'b', 'c']) publish(title, title, MANY);
  expect(own('get', `<configure node='${TUNE}'/>`)).toContain(
    "<field var='pubsub#max_items' type='text-single' label='The most items that are kept'><value>1000</value>",
  );
  const change = options({ max_items: '2', access_model: 'open' }, 'configure', '#node_config').replace(
    '<configure>',
    `<configure node='${TUNE}'>`,
  );
  expect(own('set', change)).toBe('');
  expect(titles(get(`<items node='${TUNE}'/>`, mallory))).toEqual(['b', 'c']);
  expect(own('set', change.replace('>open<', '>roster<'))).toBe('not-acceptable');
  expect(own('set', `<configure node='${TUNE}'/>`)).toBe('bad-request');
  expect(own('set', `<configure node='${TUNE}'><x xmlns='jabber:x:data' type='cancel'/></configure>`)).toBe('');
  expect(own('get', "<configure node='other'/>")).toBe('item-not-found');
  expect(own('get', '<default/>')).toContain('pubsub#access_model');
  expect(own('get', `<affiliations node='${TUNE}'/>`)).toBe('feature-not-implemented unsupported');
  expect(own('set', `<unheard-of node='${TUNE}'/>`)).toBe('bad-request');
});

test('a node is emptied, and deleted', () => {
  publish('1', 'a');
  expect(own('set', `<purge node='${TUNE}'/>`)).toBe('');
  expect(titles(get(`<items node='${TUNE}'/>`))).toEqual([]);
  expect(own('set', `<delete node='${TUNE}'/>`)).toBe('');
  expect(get(`<items node='${TUNE}'/>`)).toBe('item-not-found');
  expect(own('set', `<delete node='${TUNE}'/>`)).toBe('item-not-found');
});

test('service discovery lists and describes the nodes that somebody may see', () => {
  publish('1', 'a');
  publish('1', 'a', options({ access_model: 'whitelist' }), 'secret');
  expect(events.nodesOf('juliet', juliet.address).map(({ node }) => node)).toEqual([TUNE, 'secret']);
  expect(events.nodesOf('juliet', jid(romeo)).map(({ node }) => node)).toEqual([TUNE]);
  expect(events.nodesOf('juliet', jid(mallory))).toEqual([]);
  const described = events.describe('juliet', TUNE, jid(romeo));
  expect(described === undefined ? '' : text(described)).toContain("<identity category='pubsub' type='leaf'/>");
  expect(events.describe('juliet', 'secret', jid(romeo))).toBeUndefined();
  expect(events.describe('juliet', 'other', juliet.address)).toBeUndefined();
});

test('an account has so many nodes and so much in them', () => {
  for (let number = 0; number < 256; number++) publish('1', 'a', '', `n${number}`);
  expect(publish('1', 'a', '', 'one-more')).toBe('conflict max-nodes-exceeded');
  expect(set("<create node='one-more'/>")).toBe('conflict max-nodes-exceeded');
  for (let number = 0; number < 41; number++) publish('1', 'x'.repeat(200_000), '', `n${number}`);
  expect(publish('2', 'x'.repeat(200_000), '', 'n100')).toBe('resource-constraint');
  expect(publish('1', 'x'.repeat(200_000), '', 'n100')).toBe('resource-constraint');
  expect(publish('1', 'y'.repeat(200_000), '', 'n0')).toContain('publish');
});

test('an account that is removed has no nodes', () => {
  publish('1', 'a');
  events.removeAccount('juliet');
  expect(events.nodesOf('juliet', juliet.address)).toEqual([]);
  expect(get(`<items node='${TUNE}'/>`)).toBe('item-not-found');
});
