import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StreamEvent } from '../../src/protocol/stream/actions.ts';
import { RawSide, StreamSide } from './pair.ts';
import { authenticated, connected, connecting, greeted, opened, secured, securing, verifying } from './peers.ts';
import { acceptingComponent, connectingComponent, World } from './world.ts';

interface Ends {
  readonly raw: RawSide;
  readonly side: StreamSide;
  readonly world: World;
}

/** Each machine in each phase that a peer can bring it into. */
const PHASES: readonly (readonly [string, () => Ends])[] = [
  ['a receiving stream before the header', () => connected()],
  ['a receiving stream after the features', () => greeted()],
  ['one that requires TLS', () => greeted({ tls: 'required' })],
  ['one that answers a server from before 1.0', () => greeted({}, { version: '' })],
  ['one behind TLS', () => secured({}, { names: ['somewhere.else'] })],
  ['one that waits for the authoritative server', () => verifying()],
  ['one that is open', () => authenticated()],
  ['an initiating stream before the header', () => connecting()],
  ['one behind TLS, before the header', () => securing()],
  ['an initiating stream that is open', () => opened()],
  ['the accepting end of a component', () => component((world) => acceptingComponent(world, { name: 'coluc.com' }))],
  [
    'the connecting end of a component',
    () => component((world) => connectingComponent(world, { name: 'vngtp.lab', homes: ['coluc.com'] })),
  ],
];

function component(
  make: (world: World) => ReturnType<typeof acceptingComponent> | ReturnType<typeof connectingComponent>,
): Ends {
  const world = new World();
  return { world, ...world.rawTo(make(world)) };
}

/** Lets everything run out. The stream must rest or end, `ended` once and last (its side watches over that). */
function atRest({ side, world }: Ends): { readonly authorized: number; readonly errors: number } {
  world.clock.advance(600_000);
  return { authorized: side.authorized.length, errors: side.written.match(/<stream:error>/g)?.length ?? 0 };
}

const NAMESPACES = [
  'jabber:server',
  'jabber:server:dialback',
  'jabber:client',
  'jabber:component:accept',
  'http://etherx.jabber.org/streams',
  'urn:ietf:params:xml:ns:xmpp-tls',
  'urn:ietf:params:xml:ns:xmpp-sasl',
  'urn:xmpp:features:dialback',
  'urn:example:unknown',
];
const NAMES =
  'result verify features error starttls proceed failure auth success challenge response abort handshake message presence iq stream mechanisms'.split(
    ' ',
  );
const DOMAINS = ['coluc.com', 'vngtp.lab', 'evil.lab', 'a@b', '', ' ', 'COLUC.COM.', 'xn--a', '192.0.2.1'];
const TYPES = ['valid', 'invalid', 'error', 'get', 'x'];

const attributes = fc
  .record(
    {
      from: fc.constantFrom(...DOMAINS),
      to: fc.constantFrom(...DOMAINS),
      id: fc.constantFrom('id', '', 'a b', 'id-1'),
      type: fc.constantFrom(...TYPES),
      mechanism: fc.constantFrom('EXTERNAL', 'PLAIN'),
      version: fc.constantFrom('1.0', '', '2'),
    },
    { requiredKeys: [] },
  )
  .map((record) =>
    Object.entries(record)
      .map(([name, value]) => ` ${name}='${value}'`)
      .join(''),
  );

const element: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom(...NAMES),
    fc.constantFrom(...NAMESPACES),
    attributes,
    fc.constantFrom('', '=', 'dm5ndHAubGFi', 'key', '<a/>', '<required/>'),
  )
  .map(([name, namespace, attrs, content]) => `<${name} xmlns='${namespace}'${attrs}>${content}</${name}>`);

const header = attributes.map(
  (attrs) => `<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'${attrs}>`,
);

/** What says yes to something, whether or not it was asked: a peer that could bring this about may be authorized by it. */
const GRANTS = /<success |<(?:result|verify) [^>]*type='valid'|<handshake /;

describe.each(PHASES)('%s', (_phase, begin) => {
  test('arbitrary bytes: no throw, nobody authorized, one end', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 }), (chunks) => {
        const ends = begin();
        const authorized = ends.side.authorized.length;
        for (const chunk of chunks) ends.raw.say(chunk);
        const rest = atRest(ends);
        expect(rest.authorized).toBe(authorized);
        expect(rest.errors).toBeLessThanOrEqual(1);
      }),
      { numRuns: 60 },
    );
  });

  test('arbitrary elements, headers and closing tags: no throw, nobody authorized, one end', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: element },
      header,
      fc.constantFrom('</stream:stream>', ' ', "<?xml version='1.0'?>"),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        fc.pre(!steps.some((xml) => GRANTS.test(xml)));
        const ends = begin();
        const authorized = ends.side.authorized.length;
        for (const xml of steps) ends.raw.say(xml);
        const rest = atRest(ends);
        expect(rest.authorized).toBe(authorized);
        expect(rest.errors).toBeLessThanOrEqual(1);
      }),
      { numRuns: 120 },
    );
  });

  test('V-01: grants that nobody asked for, among anything else, authorize nobody', () => {
    const innocent = element.filter((xml) => !GRANTS.test(xml) && !xml.startsWith('<stream '));
    const grant = fc.constantFrom(
      "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
      "<result xmlns='jabber:server:dialback' from='evil.lab' to='coluc.com' type='valid'/>",
      "<verify xmlns='jabber:server:dialback' from='evil.lab' to='coluc.com' id='id-1' type='valid'/>",
      "<verify xmlns='jabber:server:dialback' from='vngtp.lab' to='coluc.com' id='id' type='valid'/>",
      "<handshake xmlns='jabber:component:accept'>0000000000000000000000000000000000000000</handshake>",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(grant, innocent), { maxLength: 8 }), (steps) => {
        const ends = begin();
        const authorized = ends.side.authorized.length;
        for (const xml of steps) ends.raw.say(xml);
        const rest = atRest(ends);
        expect(rest.authorized).toBe(authorized);
        expect(rest.errors).toBeLessThanOrEqual(1);
      }),
      { numRuns: 80 },
    );
  });

  test('arbitrary events of the driver in any order', () => {
    const claim = { sender: 'vngtp.lab', target: 'coluc.com', streamId: 'id', key: 'k' } as never;
    const event = fc.constantFrom<StreamEvent>(
      { type: 'secured', tls: { version: 'TLSv1.3', cipher: 'x', peer: undefined } },
      { type: 'not-secured', detail: 'x' },
      { type: 'verdict', claim, verdict: { verdict: 'valid' } },
      { type: 'verdict', claim, verdict: { verdict: 'invalid' } },
      { type: 'timer', timer: 'header' },
      { type: 'timer', timer: 'negotiation' },
      { type: 'timer', timer: 'close' },
      { type: 'timer', timer: 'dialback 1' },
      { type: 'timer', timer: 'dialback 7' },
      { type: 'close', why: 'idle' },
      { type: 'close', why: 'shutdown' },
      { type: 'policy-changed' },
      { type: 'disconnected' },
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(event, element), { maxLength: 8 }), (steps) => {
        fc.pre(!steps.some((each) => typeof each === 'string' && GRANTS.test(each)));
        const ends = begin();
        const authorized = ends.side.authorized.length;
        for (const each of steps) {
          if (typeof each === 'string') ends.raw.say(each);
          else ends.side.handle(each);
        }
        const rest = atRest(ends);
        expect(rest.authorized).toBe(authorized);
        expect(rest.errors).toBeLessThanOrEqual(1);
      }),
      { numRuns: 80 },
    );
  });
});
