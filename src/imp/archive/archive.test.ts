import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import {
  AMPLE,
  foreignRequest,
  jid,
  ownRequest,
  RecordedSession,
  text,
  xml,
} from '../../../test/support/imp-accounts.ts';
import { NodeDatabase } from '../database/database.ts';
import type { IqAnswer } from '../messaging/ports.ts';
import { createArchive, type UserArchives } from './archive.ts';
import { ArchiveIds } from './ids.ts';
import { ArchiveStore, type Retention } from './store.ts';
import { ARCHIVE_TABLES } from './tables.ts';

const NOON = Date.UTC(2026, 0, 1, 12);
const MINUTE = 60_000;

let now = NOON;
let juliet: RecordedSession;
let archives: UserArchives;
let store: ArchiveStore;

beforeEach(() => {
  now = NOON;
  juliet = new RecordedSession('juliet@coluc.example/balcony');
  begin(AMPLE);
});

function begin(retention: Retention): void {
  const database = new NodeDatabase(':memory:', [ARCHIVE_TABLES]);
  let made = 0;
  store = new ArchiveStore(database, new ArchiveIds((octets) => new Uint8Array(octets).fill(++made)), retention);
  archives = createArchive({
    database,
    store,
    domain: jid('coluc.example').domain,
    now: () => now,
    directory: () => ({ isContact: (_, address) => address.local === 'romeo' }),
  });
}

function chat(body: string, other = 'romeo@vngtp.example/orchard', direction: 'in' | 'out' = 'in'): string | undefined {
  const message = xml(`<message from='a@b' to='c@d' type='chat'><body>${body}</body></message>`);
  return archives.archive.keep('juliet', direction, jid(other), message);
}

function fill(count: number): readonly string[] {
  return Array.from({ length: count }, (_, number) => {
    now += MINUTE;
    return chat(`m${number}`) ?? 'not kept';
  });
}

function ask(type: 'get' | 'set', payload: string): string {
  return shown(archives.service.answer(ownRequest(juliet, type, payload)));
}

function shown(answer: IqAnswer | Promise<IqAnswer>): string {
  if (answer instanceof Promise) throw new TypeError('the archive answers at once');
  if ('error' in answer) return answer.error;
  return answer.result === undefined ? '' : text(answer.result);
}

function query(fields: Readonly<Record<string, readonly string[]>>, rest = '', formType = 'urn:xmpp:mam:2'): string {
  const list = Object.entries({ FORM_TYPE: [formType], ...fields }).map(
    ([name, values]) => `<field var='${name}'>${values.map((value) => `<value>${value}</value>`).join('')}</field>`,
  );
  return `<query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'>${list.join('')}</x>${rest}</query>`;
}

function rsm(inside: string): string {
  return `<set xmlns='http://jabber.org/protocol/rsm'>${inside}</set>`;
}

/** The bodies of the results that came. */
function bodies(): readonly string[] {
  return juliet.take().map((result) => /<body>(.*)<\/body>/.exec(result)?.[1] ?? '');
}

test('a query without conditions brings every message in its envelope, and then the end', () => {
  const first = chat('Hail to thee');
  now += MINUTE;
  const second = chat('And to thee', 'romeo@vngtp.example', 'out');
  expect(ask('set', "<query xmlns='urn:xmpp:mam:2' queryid='f27'/>")).toBe(
    `<fin xmlns='urn:xmpp:mam:2' complete='true'><set xmlns='http://jabber.org/protocol/rsm'><first index='0'>${first}</first><last>${second}</last><count>2</count></set></fin>`,
  );
  expect(juliet.take()).toEqual([
    `<message from='juliet@coluc.example' to='juliet@coluc.example/balcony'><result xmlns='urn:xmpp:mam:2' queryid='f27' id='${first}'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2026-01-01T12:00:00.000Z'/><message xmlns='jabber:client' from='a@b' to='c@d' type='chat'><body>Hail to thee</body></message></forwarded></result></message>`,
    expect.stringContaining(`id='${second}'`),
  ]);
});

test('an archive of nothing answers with nothing', () => {
  expect(ask('set', "<query xmlns='urn:xmpp:mam:2'/>")).toBe(
    "<fin xmlns='urn:xmpp:mam:2' complete='true'><set xmlns='http://jabber.org/protocol/rsm'><count>0</count></set></fin>",
  );
  expect(ask('get', "<metadata xmlns='urn:xmpp:mam:2'/>")).toBe("<metadata xmlns='urn:xmpp:mam:2'/>");
});

test('the metadata names both ends', () => {
  const ids = fill(3);
  expect(ask('get', "<metadata xmlns='urn:xmpp:mam:2'/>")).toBe(
    `<metadata xmlns='urn:xmpp:mam:2'><start id='${ids[0]}' timestamp='2026-01-01T12:01:00.000Z'/><end id='${ids[2]}' timestamp='2026-01-01T12:03:00.000Z'/></metadata>`,
  );
});

test('the form that is offered has all fields, and the ids are open', () => {
  const form = ask('get', "<query xmlns='urn:xmpp:mam:2'/>");
  for (const field of ['with', 'start', 'end', 'before-id', 'after-id', 'ids'])
    expect(form).toContain(`var='${field}'`);
  expect(form).toContain('<open/>');
});

test('a bare address stands for its resources, a full one for itself', () => {
  chat('a', 'romeo@vngtp.example/orchard');
  chat('b', 'romeo@vngtp.example/garden', 'out');
  chat('c', 'nurse@coluc.example');
  ask('set', query({ with: ['Romeo@VNGTP.example'] }));
  expect(bodies()).toEqual(['a', 'b']);
  ask('set', query({ with: ['romeo@vngtp.example/garden'] }));
  expect(bodies()).toEqual(['b']);
});

test('start and end are included', () => {
  fill(4);
  ask('set', query({ start: ['2026-01-01T12:02:00Z'], end: ['2026-01-01T13:03:00+01:00'] }));
  expect(bodies()).toEqual(['m1', 'm2']);
});

test('ids limit a query, excluded themselves, or name what is wanted', () => {
  const ids = fill(5);
  ask('set', query({ 'after-id': [ids[0] ?? ''], 'before-id': [ids[3] ?? ''] }));
  expect(bodies()).toEqual(['m1', 'm2']);
  ask('set', query({ ids: [ids[4] ?? '', ids[1] ?? ''] }));
  expect(bodies()).toEqual(['m1', 'm4']);
});

test.each([
  query({ 'after-id': ['unknown'] }),
  query({ 'before-id': ['unknown'] }),
  query({ ids: ['unknown'] }),
  query({}, rsm('<after>unknown</after>')),
  query({}, rsm('<before>unknown</before>')),
  "<query xmlns='urn:xmpp:mam:2' node='fdp/submitted'/>",
])('an id that the archive does not have is not found: %#', (payload) => {
  fill(2);
  expect(ask('set', payload)).toBe('item-not-found');
  expect(juliet.take()).toEqual([]);
});

test("the ids of somebody else's archive are unknown", () => {
  const other = archives.archive.keep(
    'nurse',
    'in',
    jid('romeo@vngtp.example'),
    xml('<message><body>x</body></message>'),
  );
  fill(1);
  expect(ask('set', query({ ids: [other ?? ''] }))).toBe('item-not-found');
});

test.each([
  [query({ start: ['yesterday'] }), 'bad-request'],
  [query({ with: ['a@b@c'] }), 'bad-request'],
  [query({ with: ['a@b.example', 'c@d.example'] }), 'bad-request'],
  [query({}, '', 'urn:other'), 'bad-request'],
  [query({}, rsm('<max>many</max>')), 'bad-request'],
  [query({ ids: Array.from({ length: 251 }, () => 'x') }), 'policy-violation'],
  [query({ 'include-groupchat': ['true'] }), 'feature-not-implemented'],
  ["<query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='form'/></query>", 'bad-request'],
  ["<query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data'/></query>", 'bad-request'],
  [`<query xmlns='urn:xmpp:mam:2' queryid='${'q'.repeat(600)}'/>`, 'bad-request'],
  ["<metadata xmlns='urn:xmpp:mam:2'/>", 'feature-not-implemented'],
  ["<unheard-of xmlns='urn:xmpp:mam:2'/>", 'feature-not-implemented'],
])('a hostile or mistaken request is refused, and nothing is sent: %#', (payload, condition) => {
  fill(1);
  expect(ask('set', payload)).toBe(condition);
  expect(juliet.take()).toEqual([]);
});

test('nobody else may ask, nor may the server be asked', () => {
  const payload = "<query xmlns='urn:xmpp:mam:2'/>";
  expect(shown(archives.service.answer(foreignRequest('romeo@vngtp.example/orchard', 'juliet', 'set', payload)))).toBe(
    'forbidden',
  );
  expect(shown(archives.service.answer({ ...ownRequest(juliet, 'set', payload), account: undefined }))).toBe(
    'forbidden',
  );
});

test('a flipped page has the same messages, the newest first', () => {
  fill(4);
  const plain = ask('set', query({}, rsm('<max>2</max><before/>')));
  expect(bodies()).toEqual(['m2', 'm3']);
  const flipped = ask('set', query({}, `${rsm('<max>2</max><before/>')}<flip-page/>`));
  expect(bodies()).toEqual(['m3', 'm2']);
  expect(flipped).toBe(plain);
});

test('a page begins where its number says, and none of nothing counts', () => {
  fill(4);
  expect(ask('set', query({}, rsm('<index>2</index><max>1</max>')))).toContain("<first index='2'>");
  expect(bodies()).toEqual(['m2']);
  expect(ask('set', query({}, rsm('<max>0</max>')))).toContain('<count>4</count>');
  expect(bodies()).toEqual([]);
});

test('whoever asks for everything gets a page, and a page of large messages ends early', () => {
  fill(60);
  expect(ask('set', query({}))).not.toContain('complete');
  expect(bodies()).toHaveLength(50);
  for (let large = 0; large < 12; large++) chat('x'.repeat(250_000), 'large@vngtp.example');
  expect(ask('set', query({ with: ['large@vngtp.example'] }, rsm('<max>12</max>')))).not.toContain('complete');
  expect(bodies()).toHaveLength(8);
});

test('pages put together are the archive, in both directions, for every size and filter', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('romeo@vngtp.example', 'nurse@coluc.example'), { maxLength: 20 }),
      fc.integer({ min: 1, max: 8 }),
      fc.constantFrom({}, { with: ['romeo@vngtp.example'] }),
      (peers, max, filter) => {
        begin(AMPLE);
        for (const [number, peer] of peers.entries()) chat(`m${number}`, peer);
        const wanted = [...peers.keys()].filter((number) => !('with' in filter) || peers[number]?.startsWith('romeo'));
        const whole = wanted.map((number) => `m${number}`);
        expect(walk(filter, max, 'after')).toEqual(whole);
        expect(walk(filter, max, 'before')).toEqual(whole);
      },
    ),
    { numRuns: 60 },
  );
});

function walk(
  filter: Readonly<Record<string, readonly string[]>>,
  max: number,
  direction: 'after' | 'before',
): readonly string[] {
  const pages: (readonly string[])[] = [];
  let place = direction === 'after' ? '' : '<before/>';
  for (;;) {
    const fin = ask('set', query(filter, rsm(`<max>${max}</max>${place}`)));
    const page = bodies();
    if (direction === 'after') pages.push(page);
    else pages.unshift(page);
    const id =
      /<(first|last)[^>]*>/.exec(fin) === null ? undefined : idAt(fin, direction === 'after' ? 'last' : 'first');
    if (fin.includes("complete='true'") || id === undefined) return pages.flat();
    place = `<${direction}>${id}</${direction}>`;
  }
}

function idAt(fin: string, end: 'first' | 'last'): string | undefined {
  return new RegExp(`<${end}[^>]*>([^<]*)<`).exec(fin)?.[1];
}

function kept(other: string): boolean {
  return chat('x', other) !== undefined;
}

test('the preferences are what was set, and nothing is kept against them', () => {
  expect(ask('get', "<prefs xmlns='urn:xmpp:mam:2'/>")).toBe(
    "<prefs xmlns='urn:xmpp:mam:2' default='always'><always/><never/></prefs>",
  );
  const wanted =
    "<prefs xmlns='urn:xmpp:mam:2' default='roster'><always><jid>nurse@coluc.example</jid></always><never><jid>romeo@vngtp.example/work</jid></never></prefs>";
  expect(ask('set', wanted)).toBe(wanted);
  expect(ask('get', "<prefs xmlns='urn:xmpp:mam:2'/>")).toBe(wanted);
  expect(kept('nurse@coluc.example/kitchen')).toBe(true);
  expect(kept('romeo@vngtp.example/home')).toBe(true);
  expect(kept('romeo@vngtp.example/work')).toBe(false);
  expect(kept('tybalt@vngtp.example')).toBe(false);
  ask('set', "<prefs xmlns='urn:xmpp:mam:2' default='never'/>");
  expect(kept('romeo@vngtp.example/home')).toBe(false);
});

test.each([
  ["<prefs xmlns='urn:xmpp:mam:2'/>", 'bad-request'],
  ["<prefs xmlns='urn:xmpp:mam:2' default='sometimes'/>", 'bad-request'],
  ["<prefs xmlns='urn:xmpp:mam:2' default='always'><never><jid>@</jid></never></prefs>", 'bad-request'],
  [
    `<prefs xmlns='urn:xmpp:mam:2' default='always'><never>${Array.from({ length: 501 }, (_, i) => `<jid>u${i}@a.example</jid>`).join('')}</never></prefs>`,
    'policy-violation',
  ],
])('preferences that make no sense are refused: %#', (payload, condition) => {
  expect(ask('set', payload)).toBe(condition);
});

test('an archive has no more messages, octets and age than it may, and lets go of the oldest', () => {
  begin({ messages: 3, octets: 1_000, age: 10 * MINUTE });
  fill(5);
  ask('set', query({}));
  expect(bodies()).toEqual(['m2', 'm3', 'm4']);
  chat('y'.repeat(900));
  ask('set', query({}));
  expect(bodies()).toHaveLength(1);
  now += 11 * MINUTE;
  expect(store.prune(now)).toBe(1);
  expect(store.prune(now)).toBe(0);
  ask('set', query({}));
  expect(bodies()).toEqual([]);
});

test('an account that is removed leaves nothing, and those of others stay', () => {
  fill(2);
  ask('set', "<prefs xmlns='urn:xmpp:mam:2' default='never'/>");
  archives.archive.keep('nurse', 'in', jid('romeo@vngtp.example'), xml('<message><body>x</body></message>'));
  archives.removeAccount('juliet');
  expect(ask('get', "<prefs xmlns='urn:xmpp:mam:2'/>")).toContain("default='always'");
  expect(store.ends('juliet')).toBeUndefined();
  expect(store.ends('nurse')).toBeDefined();
});

test('whoever writes to themselves has it once', () => {
  expect(chat('note', 'juliet@coluc.example', 'out')).toBeDefined();
  expect(chat('note', 'juliet@coluc.example/balcony', 'in')).toBeUndefined();
});

test('an id that claims to be of this archive is not kept', () => {
  archives.archive.keep(
    'juliet',
    'in',
    jid('romeo@vngtp.example'),
    xml(
      "<message><body>x</body><stanza-id xmlns='urn:xmpp:sid:0' by='juliet@coluc.example' id='1'/><stanza-id xmlns='urn:xmpp:sid:0' by='room@vngtp.example' id='2'/></message>",
    ),
  );
  ask('set', query({}));
  const [result] = juliet.take();
  expect(result).not.toContain("by='juliet@coluc.example'");
  expect(result).toContain("by='room@vngtp.example'");
});
