import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NS } from '../namespaces.ts';
import { AUTHENTICATED_LIMITS } from '../xml/limits.ts';
import { XmlReader } from '../xml/reader.ts';
import type { XmlElement } from '../xml/types.ts';
import { element } from '../xml/write.ts';
import { LinkMessageReader, type LinkReading, LONGEST_MESSAGE, writeLinkMessage } from './elements.ts';
import type { ConfigStep, Json, LinkMessage } from './messages.ts';

const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...Array.from('<&>"\'\r\n\t\0\uFFFE\uFFFF\uD800\u{1f600}é')),
    fc.string({ maxLength: 1 }),
  ),
});
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
/** JSON has no negative zero: it is written as 0. */
const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as Json);
const put = fc.record({ put: text, value: json });
const hide = fc.record({ hide: text });
const step: fc.Arbitrary<ConfigStep> = fc.oneof(put, fc.record({ remove: text }), hide);
const steps = fc.array(step, { maxLength: 4 });
const is = <K extends LinkMessage['is']>(kind: K): fc.Arbitrary<K> => fc.constant(kind);

const digest = fc.option(fc.stringMatching(/^[0-9a-f]{64}$/), { nil: undefined });

const message: fc.Arbitrary<LinkMessage> = fc.oneof(
  fc.record({ is: is('follow'), origin: fc.option(text, { nil: undefined }), since: count, digest }),
  fc.record({ is: is('backfill'), origin: text, revision: count, digest }),
  fc.record({ is: is('entry'), step: fc.oneof(put, hide), revision: count }),
  fc.record({ is: is('cutover'), origin: text, revision: count, entries: count }),
  fc.record({
    is: is('change'),
    change: fc.record({ origin: text, revision: count, time: fc.maxSafeInteger(), author: text, reason: text, steps }),
    digest,
  }),
  fc.record({ is: is('applied'), origin: text, revision: count }),
  fc.record({ is: is('propose'), id: text, author: text, reason: text, steps, expect: fc.dictionary(text, count) }),
  fc.record({ is: is('accepted'), id: text, revision: count }),
  fc.record({ is: is('declined'), id: text, conflict: fc.boolean(), problems: fc.array(text) }),
  fc.record({ is: is('homes'), domains: fc.array(text) }),
  fc.record({
    is: is('homes-judged'),
    accepted: fc.array(text),
    refused: fc.array(fc.record({ domain: text, because: text })),
  }),
  fc.record({ is: is('renew'), publicKey: text }),
  fc.record({ is: is('renewed'), chain: text }),
  fc.record({ is: is('ask'), id: text, what: text, about: json }),
  fc.record({ is: is('told'), id: text, answer: json }),
  fc.record({ is: is('revoked') }),
);

/** What the other end reads: with the strict reader, and the least limit that an element may have. */
function received(xml: readonly string[]): readonly LinkReading[] {
  const reader = new XmlReader({ limits: { ...AUTHENTICATED_LIMITS, element: 10_000 } });
  reader.push(
    new TextEncoder().encode(`<stream:stream xmlns='jabber:server' xmlns:stream='${NS.stream}'>${xml.join('')}`),
  );
  reader.next();
  const messages = new LinkMessageReader();
  const readings: LinkReading[] = [];
  for (let event = reader.next(); event !== undefined; event = reader.next()) {
    if (event.type !== 'element') throw new Error(JSON.stringify(event));
    readings.push(messages.read(event.element));
  }
  return readings;
}

function link(name: string, ...children: readonly (XmlElement | string)[]): XmlElement {
  return element(name, NS.link, {}, ...children);
}

describe('messages as elements', () => {
  test('what is written is read as it was, whatever the characters', () => {
    fc.assert(
      fc.property(message, (said) => {
        const written = writeLinkMessage(said);
        expect(received(written ?? [])).toEqual([{ is: 'message', message: said }]);
      }),
      { numRuns: 2_000 },
    );
  });

  test('reads as people do', () => {
    expect(writeLinkMessage({ is: 'homes', domains: ['coluc.com'] })).toEqual([
      `<homes xmlns='urn:fedway:link:1'>{"domains":["coluc.com"]}</homes>`,
    ]);
    expect(writeLinkMessage({ is: 'follow', origin: undefined, since: 0, digest: undefined })).toEqual([
      `<follow xmlns='urn:fedway:link:1'>{"since":0}</follow>`,
    ]);
    expect(writeLinkMessage({ is: 'revoked' })).toEqual([`<revoked xmlns='urn:fedway:link:1'>{}</revoked>`]);
  });

  test('a long one goes in parts, each within the least limit of an element, and no character is cut', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('<', '&', 'x', 'é', '\u20ac', '\u{1f600}', '\uD800', '"'),
        fc.integer({ min: 0, max: 30_000 }),
        fc.integer({ min: 0, max: 4 }),
        (unit, length, offset) => {
          const said: LinkMessage = { is: 'told', id: 'x'.repeat(offset), answer: unit.repeat(length) };
          const written = writeLinkMessage(said) ?? [];
          const readings = received(written);
          expect(readings.at(-1)).toEqual({ is: 'message', message: said });
          expect(readings.slice(0, -1).every((each) => each.is === 'part')).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('one that is too long or too deep is not written', () => {
    const room = LONGEST_MESSAGE - '{"id":"","answer":""}'.length;
    expect(writeLinkMessage({ is: 'told', id: '', answer: 'x'.repeat(room) })).toBeDefined();
    expect(writeLinkMessage({ is: 'told', id: '', answer: 'x'.repeat(room + 1) })).toBeUndefined();
    let deep: Json = 1;
    for (let i = 0; i < 63; i++) deep = [deep];
    expect(writeLinkMessage({ is: 'told', id: '', answer: deep })).toBeDefined();
    expect(writeLinkMessage({ is: 'told', id: '', answer: [deep] })).toBeUndefined();
  });
});

describe('LinkMessageReader', () => {
  test('members that a newer peer has are left out, of every object', () => {
    const said = '{"domains":["a"],"more":1}';
    expect(new LinkMessageReader().read(link('homes', said))).toEqual({
      is: 'message',
      message: { is: 'homes', domains: ['a'] },
    });
  });

  test('a kind that a newer peer has is unknown, and so are its parts', () => {
    const reader = new LinkMessageReader();
    expect(reader.read(link('part', '{"domains"'))).toEqual({ is: 'part' });
    expect(reader.read(link('weather', ':[]}'))).toEqual({ is: 'unknown' });
    expect(reader.read(link('homes', ':[]}'))).toMatchObject({ is: 'malformed' });
    expect(reader.read(link('toString', '{}'))).toEqual({ is: 'unknown' });
    expect(reader.read(link('__proto__', '{}'))).toEqual({ is: 'unknown' });
  });

  test.each([
    ['homes', ''],
    ['homes', '[]'],
    ['homes', 'null'],
    ['homes', '{}'],
    ['homes', '{"domains":["a",1]}'],
    ['homes', '{"domains":{"0":"a"}}'],
    ['follow', '{"origin":null,"since":0}'],
    ['follow', '{"since":-1}'],
    ['follow', '{"since":1.5}'],
    ['follow', '{"since":9007199254740992}'],
    ['follow', '{"since":"1"}'],
    ['follow', `{"origin":"o","since":1,"digest":"${'A'.repeat(64)}"}`],
    ['backfill', '{"origin":"o","revision":1,"digest":"0a"}'],
    ['change', '{"change":{"origin":"o","revision":1,"time":1,"author":"a","reason":"r","steps":[]},"digest":null}'],
    ['entry', '{"step":{"remove":"a"},"revision":1}'],
    ['entry', '{"step":{"put":"a"},"revision":1}'],
    ['change', '{"change":{"origin":"o","revision":1,"time":1,"author":"a","reason":"r","steps":[{}]}}'],
    ['propose', '{"id":"1","author":"a","reason":"r","steps":[],"expect":[]}'],
    ['propose', '{"id":"1","author":"a","reason":"r","steps":[],"expect":{"a":"1"}}'],
    ['declined', '{"id":"1","conflict":0,"problems":[]}'],
    ['told', '{"id":"1"}'],
  ])('<%s>%s</> is malformed', (name, json) => {
    expect(new LinkMessageReader().read(link(name, json))).toMatchObject({ is: 'malformed' });
  });

  test('one that is nested too deeply is malformed, and costs no recursion', () => {
    const [open, close] = ['['.repeat(100_000), ']'.repeat(100_000)];
    for (const answer of [`${open}${close}`, open])
      expect(new LinkMessageReader().read(link('told', `{"id":"1","answer":${answer}}`))).toMatchObject({
        is: 'malformed',
      });
  });

  test('brackets in a text are not depth', () => {
    const answer = `\\"${'[{'.repeat(500)}`;
    expect(new LinkMessageReader().read(link('told', JSON.stringify({ id: '1', answer })))).toEqual({
      is: 'message',
      message: { is: 'told', id: '1', answer },
    });
  });

  test('a name that means something to JavaScript is a name like any other', () => {
    const said = '{"id":"1","author":"a","reason":"r","steps":[],"expect":{"__proto__":1,"constructor":2}}';
    const reading = new LinkMessageReader().read(link('propose', said));
    if (reading.is !== 'message' || reading.message.is !== 'propose') throw new Error('not read');
    expect(Object.entries(reading.message.expect)).toEqual([
      ['__proto__', 1],
      ['constructor', 2],
    ]);
    expect(new LinkMessageReader().read(link('ask', '{"__proto__":{"id":"1","what":"x","about":1}}'))).toMatchObject({
      is: 'malformed',
    });
  });

  test('parts without an end are remembered up to a bound', () => {
    const reader = new LinkMessageReader();
    const part = link('part', 'x'.repeat(100_000));
    const readings = Array.from({ length: 42 }, () => reader.read(part).is);
    expect(readings.indexOf('malformed')).toBe(Math.floor(LONGEST_MESSAGE / 100_000));
    // What came before is forgotten with it.
    expect(reader.read(link('homes', '{"domains":[]}'))).toMatchObject({ is: 'message' });
  });

  test('arbitrary content of arbitrary elements never throws', () => {
    const name = fc.constantFrom('homes', 'told', 'change', 'propose', 'entry', 'part', 'revoked', 'follow', 'x');
    const content = fc.oneof(
      fc.string(),
      fc.json(),
      fc.constantFrom('{"domains":', '[', '{}', '{"id":"1","answer":1}', '\\', '"'),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(name, content), { maxLength: 6 }), (elements) => {
        const reader = new LinkMessageReader();
        for (const [kind, inside] of elements)
          expect(['message', 'part', 'unknown', 'malformed']).toContain(reader.read(link(kind, inside)).is);
      }),
      { numRuns: 1_000 },
    );
  });
});
